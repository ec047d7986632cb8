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

// makeDirs makes the data directory and those below it, for good: a directory
// that a power cut takes away takes with it all that was synced in it.
func makeDirs(dataDir string, below dirs) error {
	err := makeDir(dataDir, dataDirMode)
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
	if err := os.Chmod(path, mode); err != nil {
		return err
	}
	return syncDir(parent)
}

func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
