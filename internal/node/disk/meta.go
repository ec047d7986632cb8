package disk

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"lazuli/internal/fabric"
	"lazuli/internal/image/inspect"
)

// Files of a disk's directory.
const (
	metaFile = "meta.json"
	baseFile = "base.qcow2" // the image under an overlay
)

// meta is what is written down of a disk. Its size is the file's own.
type meta struct {
	Format inspect.Format `json:"format"`
	// Image is the one that the disk, or the disk that it was copied from,
	// began as.
	Image *fabric.NodeImage `json:"image,omitempty"`
}

// place is the directory of one disk.
type place string

func (d *Driver) place(uid string) place { return place(filepath.Join(d.c.Root, uid)) }

func (p place) base() string { return filepath.Join(string(p), baseFile) }

func (p place) file(f inspect.Format) string { return filepath.Join(string(p), "disk."+string(f)) }

// read is ok when there is a disk.
func (p place) read() (m meta, ok bool, err error) {
	data, err := os.ReadFile(filepath.Join(string(p), metaFile))
	if errors.Is(err, os.ErrNotExist) {
		return m, false, nil
	}
	if err == nil {
		err = json.Unmarshal(data, &m)
	}
	if err == nil && m.Format != inspect.Raw && m.Format != inspect.QCOW2 {
		err = fmt.Errorf("unknown format %q", m.Format)
	}
	if err != nil {
		return m, false, fmt.Errorf("%s: %w", metaFile, err)
	}
	return m, true, nil
}

func (p place) write(m meta) error {
	data, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(string(p), metaFile), append(data, '\n'), 0o600)
}

// size is the disk's, as the guest sees it, and used what its own file takes
// of the host's.
func (p place) size(f inspect.Format) (size, used int64, err error) {
	path := p.file(f)
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return 0, 0, &os.PathError{Op: "stat", Path: path, Err: err}
	}
	used = st.Blocks * 512
	if f == inspect.Raw {
		return st.Size, used, nil
	}
	info, err := inspect.Open(path)
	return info.SizeBytes, used, err
}

// check refuses a disk whose own file leads anywhere but to its base. A QEMU
// that its guest took over writes in that file what it likes, and qemu-img,
// which is root, would follow it to any file of the host.
func (p place) check(f inspect.Format) error {
	if f == inspect.Raw {
		return nil
	}
	info, err := inspect.Open(p.file(f))
	switch {
	case err != nil:
		return err
	case info.Format != f || info.Backing != baseFile:
		return fmt.Errorf("the disk's own file was tampered with: it should be %s over %s, and is %s over %q", f, baseFile, info.Format, info.Backing)
	}
	return nil
}

// hasBase says whether the disk stands on an image.
func (p place) hasBase() (bool, error) {
	_, err := os.Lstat(p.base())
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// syncPath puts a file or directory on stable storage.
func syncPath(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}

// syncAll does so with a directory of files.
func syncAll(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := syncPath(filepath.Join(dir, e.Name())); err != nil {
			return err
		}
	}
	return syncPath(dir)
}
