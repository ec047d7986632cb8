package daemon

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// dirs are directories below the data directory, with their modes. Users who
// run machines pass through some; they see nothing in any.
type dirs map[string]fs.FileMode

// dataDirMode lets the users who run machines pass through.
const dataDirMode = 0o711

// MakeDataDir makes the data directory, for what is put there before the first
// start.
func MakeDataDir(dir string) error { return makeDirs(dir, nil) }

// makeDirs makes the data directory and those below it, for good: a directory
// that a power cut takes away takes with it all that was synced in it. A data
// directory that is there already is let be but for what it lacks: it may be
// somebody else's, named by mistake.
func makeDirs(dataDir string, below dirs) error {
	mode := fs.FileMode(dataDirMode)
	if fi, err := os.Stat(dataDir); err == nil {
		mode |= fi.Mode().Perm() | fi.Mode()&(fs.ModeSticky|fs.ModeSetgid)
	}
	err := makeDir(dataDir, mode)
	for name, mode := range below {
		if err == nil {
			err = makeDir(filepath.Join(dataDir, name), mode)
		}
	}
	if err == nil {
		err = syncDir(dataDir)
	}
	if err != nil {
		return fmt.Errorf("make data directory: %w", err)
	}
	return nil
}

// makeDir makes a directory with all above it, each synced into the one above.
func makeDir(path string, mode fs.FileMode) error {
	parent := filepath.Dir(path)
	if _, err := os.Stat(parent); errors.Is(err, fs.ErrNotExist) {
		if err := makeDir(parent, 0o755); err != nil {
			return err
		}
	}
	if err := os.Mkdir(path, mode); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	fi, err := os.Stat(path)
	if err != nil {
		return err
	}
	if !fi.IsDir() {
		return fmt.Errorf("%s is not a directory", path)
	}
	if err := os.Chmod(path, mode); err != nil {
		return err
	}
	return syncDir(parent)
}

// checkPassage says whether users who run machines can pass through the
// directories above the data directory, which are not ours to change.
func checkPassage(dataDir string) error {
	above, err := filepath.EvalSymlinks(filepath.Dir(dataDir))
	if real, realErr := filepath.EvalSymlinks(dataDir); realErr == nil {
		above, err = filepath.Dir(real), nil
	}
	if err != nil {
		return err
	}
	for dir := above; ; dir = filepath.Dir(dir) {
		fi, err := os.Stat(dir)
		if err != nil {
			return err
		}
		if fi.Mode()&0o001 == 0 {
			return fmt.Errorf("machines run as users of their own, who cannot pass through %s (mode %o) to the data directory: choose another --data-dir, or let them: chmod o+x %[1]s", dir, fi.Mode().Perm())
		}
		if dir == filepath.Dir(dir) {
			return nil
		}
	}
}

func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
