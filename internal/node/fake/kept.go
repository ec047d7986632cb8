package fake

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"lazuli/internal/fabric"
	"lazuli/internal/node"
)

// Kept is Disks of which a directory keeps account, so that they outlive the
// process that plays the host. Machines do not: to them the end of the process
// is a power cut.
type Kept struct {
	Disks
	dir string
}

var _ node.Disks = Kept{}

// Keep gives the host the disks and images that dir has, and keeps account of
// them there.
func Keep(h *Host, dir string) (Kept, error) {
	k := Kept{Disks{h}, dir}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return k, fmt.Errorf("keep fake disks: %w", err)
	}
	return k, errors.Join(
		load(dir, "disk", func(d fabric.Disk) { h.disks[d.UID] = &disk{d: d} }),
		load(dir, "image", func(i fabric.Image) { h.images[i.UID] = i }),
	)
}

func load[T any](dir, kind string, add func(T)) error {
	files, err := filepath.Glob(filepath.Join(dir, kind+"-*.json"))
	if err != nil {
		return err
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			return err
		}
		var v T
		if err := json.Unmarshal(b, &v); err != nil {
			return fmt.Errorf("read %s: %w", f, err)
		}
		add(v)
	}
	return nil
}

func (k Kept) file(kind, uid string) string {
	return filepath.Join(k.dir, kind+"-"+strings.ReplaceAll(uid, "/", "_")+".json")
}

// write replaces the file whole, or leaves what was there.
func (k Kept) write(file string, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(k.dir, "new-")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) //nolint:errcheck // it has its name by then
	if _, err := f.Write(b); err != nil {
		return errors.Join(err, f.Close())
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), file)
}

func drop(file string) error {
	if err := os.Remove(file); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// Ensure makes or grows the disk.
func (k Kept) Ensure(ctx context.Context, d fabric.Disk) (fabric.DiskReport, error) {
	r, err := k.Disks.Ensure(ctx, d)
	if err != nil {
		return r, err
	}
	d.SizeBytes = r.SizeBytes
	return r, k.write(k.file("disk", d.UID), d)
}

// Remove deletes a disk that nobody uses.
func (k Kept) Remove(ctx context.Context, uid string) error {
	if err := k.Disks.Remove(ctx, uid); err != nil {
		return err
	}
	return drop(k.file("disk", uid))
}

// MakeImage makes an image of a disk.
func (k Kept) MakeImage(ctx context.Context, img fabric.Image, progress func(int)) (fabric.ImageReport, error) {
	r, err := k.Disks.MakeImage(ctx, img, progress)
	if err != nil {
		return r, err
	}
	return r, k.write(k.file("image", img.UID), img)
}

// RemoveImage deletes an image.
func (k Kept) RemoveImage(ctx context.Context, uid string) error {
	if err := k.Disks.RemoveImage(ctx, uid); err != nil {
		return err
	}
	return drop(k.file("image", uid))
}
