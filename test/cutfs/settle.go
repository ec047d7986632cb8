package cutfs

import (
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

func newRand(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0)) }

// settle makes the backing directory an ordinary tree again, of the names that
// pick picks.
func (f *volume) settle(pick func(*directory) map[string]*node) error {
	if f.root == nil {
		return nil
	}
	placed := map[*node]string{}
	if err := f.place(f.root, f.backing, pick, placed); err != nil {
		return err
	}
	return os.RemoveAll(filepath.Join(f.backing, pool))
}

// place makes what is in the directory d at path. placed has where each node
// is already: a directory is in one place only, a file may have more names.
func (f *volume) place(d *node, path string, pick func(*directory) map[string]*node, placed map[*node]string) error {
	for name, n := range pick(d.dir) {
		full := filepath.Join(path, name)
		first, again := placed[n]
		if again && n.dir != nil {
			continue
		}
		placed[n] = full
		if err := f.placeOne(n, full, first); err != nil {
			return err
		}
		if n.dir == nil {
			continue
		}
		if err := f.place(n, full, pick, placed); err != nil {
			return err
		}
		if err := errors.Join(n.giveBack(full), os.Chtimes(full, n.mtime, n.mtime)); err != nil {
			return err
		}
	}
	return nil
}

func (f *volume) placeOne(n *node, path, first string) error {
	switch {
	case first != "":
		return os.Link(first, path)
	case n.dir != nil:
		return os.Mkdir(path, 0o700)
	case n.content != nil:
		return os.Rename(f.poolPath(n), path)
	case n.mode&unix.S_IFMT == unix.S_IFLNK:
		return errors.Join(os.Symlink(n.link, path), os.Lchown(path, int(n.uid), int(n.gid)))
	default:
		return errors.Join(unix.Mknod(path, n.mode, 0), n.giveBack(path))
	}
}

// giveBack sets owner and mode.
func (n *node) giveBack(path string) error {
	return errors.Join(os.Chown(path, int(n.uid), int(n.gid)), unix.Chmod(path, n.mode&0o7777))
}
