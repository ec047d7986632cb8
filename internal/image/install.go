package image

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"lazuli/internal/fabric"
	"lazuli/internal/image/inspect"
)

// Install takes the qcow2 file disk into the catalogue as img. When it returns
// nil the image is on stable storage. The file is moved where that is possible,
// else copied, and is gone afterwards only if it was moved.
//
// Installing the version that is there already changes nothing; another
// version under the same name is refused (ErrExists), because disks stand on
// the one that is there.
func (c *Catalogue) Install(ctx context.Context, img fabric.NodeImage, disk string) error {
	if err := c.install(ctx, img, disk); err != nil {
		return fmt.Errorf("install image %s: %w", img.Name, err)
	}
	return nil
}

func (c *Catalogue) install(ctx context.Context, img fabric.NodeImage, disk string) error {
	if err := complete(img); err != nil {
		return err
	}
	if err := fits(img, disk); err != nil {
		return err
	}
	l, err := lock(ctx, filepath.Join(c.root, lockFile))
	if err != nil {
		return err
	}
	defer l.Close()
	switch old, err := c.read(img.Name); {
	case err == nil && old.Version == img.Version:
		return nil
	case err == nil:
		return fmt.Errorf("%w: %s", ErrExists, old.Version)
	case !errors.Is(err, ErrNotFound):
		return err
	}
	dir, err := os.MkdirTemp(c.root, unsettled)
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := fill(ctx, dir, img, disk); err != nil {
		return err
	}
	if err := os.Rename(dir, filepath.Join(c.root, img.Name)); err != nil {
		return err
	}
	return syncPath(c.root)
}

// complete says whether img has what placement and the API need to know.
func complete(img fabric.NodeImage) error {
	if err := CheckName(img.Name); err != nil {
		return err
	}
	switch {
	case img.Version == "":
		return errors.New("no version is given")
	case img.OSType == "":
		return errors.New("no OS type is given")
	case len(img.Firmware) == 0:
		return errors.New("no firmware is given")
	case img.SizeBytes <= 0:
		return errors.New("no size is given")
	}
	return nil
}

// fits says whether the file disk is what img says: a qcow2 file that needs no
// other.
func fits(img fabric.NodeImage, disk string) error {
	info, err := inspect.Open(disk)
	if err != nil {
		return err
	}
	if err := info.StandsAlone(); err != nil {
		return err
	}
	if info.Format != inspect.QCOW2 || info.SizeBytes != img.SizeBytes {
		return fmt.Errorf("the disk is %s of %d bytes, want %s of %d", info.Format, info.SizeBytes, inspect.QCOW2, img.SizeBytes)
	}
	return nil
}

// fill makes dir the directory of an image, on stable storage.
func fill(ctx context.Context, dir string, img fabric.NodeImage, disk string) error {
	desc, err := json.MarshalIndent(img, "", "  ")
	if err != nil {
		return err
	}
	descPath, diskPath := filepath.Join(dir, descFile), filepath.Join(dir, diskFile)
	if err := os.WriteFile(descPath, append(desc, '\n'), 0o644); err != nil {
		return err
	}
	if err := move(ctx, disk, diskPath); err != nil {
		return err
	}
	if err := os.Chmod(diskPath, 0o444); err != nil {
		return err
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		return err
	}
	for _, p := range []string{descPath, diskPath, dir} {
		if err := syncPath(p); err != nil {
			return err
		}
	}
	return nil
}

func move(ctx context.Context, from, to string) error {
	err := os.Rename(from, to)
	if !errors.Is(err, unix.EXDEV) {
		return err
	}
	src, err := os.Open(from)
	if err != nil {
		return err
	}
	defer src.Close()
	dst, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer dst.Close()
	stop := context.AfterFunc(ctx, func() { src.Close() })
	defer stop()
	if _, err := io.Copy(dst, src); err != nil {
		return errors.Join(ctx.Err(), err)
	}
	return dst.Close()
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

// Remove takes an image out of the catalogue. inUse says who uses it ("" for
// nobody); while somebody does, the image stays (ErrInUse). An image that is
// not there is removed already.
func (c *Catalogue) Remove(ctx context.Context, name string, inUse func(name string) (by string, err error)) error {
	if err := c.remove(ctx, name, inUse); err != nil {
		return fmt.Errorf("remove image %s: %w", name, err)
	}
	return nil
}

func (c *Catalogue) remove(ctx context.Context, name string, inUse func(string) (string, error)) error {
	if err := CheckName(name); err != nil {
		return err
	}
	l, err := lock(ctx, filepath.Join(c.root, lockFile))
	if err != nil {
		return err
	}
	defer l.Close()
	dir := filepath.Join(c.root, name)
	if _, err := os.Stat(dir); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	by, err := inUse(name)
	if err != nil {
		return err
	}
	if by != "" {
		return fmt.Errorf("%w by %s", ErrInUse, by)
	}
	gone, err := os.MkdirTemp(c.root, unsettled)
	if err != nil {
		return err
	}
	if err := os.Rename(dir, filepath.Join(gone, name)); err != nil {
		return err
	}
	if err := syncPath(c.root); err != nil {
		return err
	}
	return os.RemoveAll(gone)
}
