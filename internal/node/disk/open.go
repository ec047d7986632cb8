package disk

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"lazuli/internal/fabric"
	"lazuli/internal/image/inspect"
	"lazuli/internal/node"
)

// Open says how QEMU opens the disk, and gives its file to owner. While a
// process of another owner has the disk open, that is refused.
func (d *Driver) Open(ctx context.Context, uid string, owner int) (node.InstanceDisk, error) {
	leave, err := d.enter(ctx, uid)
	if err != nil {
		return node.InstanceDisk{}, fmt.Errorf("disk: %w", err)
	}
	defer leave()
	disk, err := d.openDisk(uid, owner)
	if err != nil {
		return node.InstanceDisk{}, fmt.Errorf("disk: %w", err)
	}
	return disk, nil
}

func (d *Driver) openDisk(uid string, owner int) (disk node.InstanceDisk, err error) {
	p := d.place(uid)
	m, ok, err := p.read()
	if err != nil || !ok {
		return disk, errors.Join(err, missing(ok, uid))
	}
	path := p.file(m.Format)
	if err := give(path, owner); err != nil {
		return disk, err
	}
	if err := p.admit(owner); err != nil {
		return disk, err
	}
	disk.UID, disk.Path, disk.Format = uid, path, string(m.Format)
	based, err := p.hasBase()
	if based {
		disk.Backing = []string{p.base()}
	}
	return disk, err
}

// give makes owner the only one who can open the file, besides root.
func give(path string, owner int) error {
	var st unix.Stat_t
	if err := unix.Lstat(path, &st); err != nil {
		return &os.PathError{Op: "stat", Path: path, Err: err}
	}
	if int(st.Uid) != owner {
		if busy, err := inUse(path); err != nil {
			return err
		} else if busy {
			return errInUse
		}
	}
	if err := os.Lchown(path, owner, owner); err != nil {
		return err
	}
	return os.Chmod(path, 0o600)
}

// admit lets the group of owner, which no other machine's user is in, pass into
// the disk's directory, and nobody else but root: there also lies the image that
// the disk stands on, which is another's secret if it was made of a disk.
func (p place) admit(owner int) error {
	if err := os.Chown(string(p), 0, owner); err != nil {
		return err
	}
	return os.Chmod(string(p), 0o710)
}

// Stat reports one disk; ok is false when it does not exist.
func (d *Driver) Stat(_ context.Context, uid string) (r fabric.DiskReport, ok bool, err error) {
	return d.stat(uid)
}

func (d *Driver) stat(uid string) (r fabric.DiskReport, ok bool, err error) {
	r.UID = uid
	p := d.place(uid)
	m, ok, err := p.read()
	if err != nil || !ok {
		return r, false, err
	}
	if r.SizeBytes, r.UsedBytes, err = p.size(m.Format); err != nil {
		return r, false, fmt.Errorf("disk: %w", err)
	}
	r.Presence = fabric.Present
	return r, true, nil
}

// Remove deletes the disk. One in use is refused.
func (d *Driver) Remove(ctx context.Context, uid string) error {
	leave, err := d.enter(ctx, uid)
	if err != nil {
		return fmt.Errorf("disk: %w", err)
	}
	defer leave()
	if err := d.remove(uid); err != nil {
		return fmt.Errorf("disk: remove: %w", err)
	}
	return nil
}

func (d *Driver) remove(uid string) error {
	p := d.place(uid)
	if err := p.release(); err != nil {
		return err
	}
	away := filepath.Join(d.c.Root, gone+uid)
	err := os.RemoveAll(away)
	if err == nil {
		err = os.Rename(string(p), away)
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := syncPath(d.c.Root); err != nil {
		return err
	}
	return os.RemoveAll(away)
}

// release makes sure that nobody has the disk open. A file that cannot be read
// any more holds nobody up.
func (p place) release() error {
	for _, format := range []inspect.Format{inspect.Raw, inspect.QCOW2} {
		f, err := seize(p.file(format))
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		f.Close()
	}
	return nil
}
