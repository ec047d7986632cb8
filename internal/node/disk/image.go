package disk

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"lazuli/internal/fabric"
	"lazuli/internal/image"
)

// imageName is the name in the catalogue of an image that was made of a disk.
func imageName(uid string) string { return "image-" + uid }

// imageVersion of all such images: they never change.
const imageVersion = "1"

// MakeImage makes an image of a disk that nobody writes. One that was made is
// left as it is, also when its disk is gone.
func (d *Driver) MakeImage(ctx context.Context, img fabric.Image, progress func(int)) (fabric.ImageReport, error) {
	r := fabric.ImageReport{UID: img.UID, Presence: fabric.Present, Progress: 100}
	leave, err := d.enter(ctx, imageName(img.UID))
	if err != nil {
		return fabric.ImageReport{}, fmt.Errorf("disk: %w", err)
	}
	defer leave()
	made, err := d.catalogue.Get(imageName(img.UID))
	if errors.Is(err, image.ErrNotFound) {
		made, err = d.makeImage(ctx, img, progress)
	}
	if err != nil {
		return fabric.ImageReport{}, fmt.Errorf("disk: make image: %w", explain(err))
	}
	r.SizeBytes = made.SizeBytes
	return r, nil
}

func (d *Driver) makeImage(ctx context.Context, img fabric.Image, progress func(int)) (made fabric.NodeImage, err error) {
	p := d.place(img.SourceDisk)
	m, ok, err := p.read()
	if err != nil || !ok {
		return made, errors.Join(err, missing(ok, img.SourceDisk))
	}
	if made, err = describe(p, m, imageName(img.UID)); err != nil {
		return made, err
	}
	f, err := hold(p.file(m.Format))
	if err != nil {
		return made, err
	}
	defer f.Close()
	if err := errors.Join(p.check(m.Format), d.roomFor(p, m)); err != nil {
		return made, err
	}
	temp := filepath.Join(d.c.Root, making+imageName(img.UID))
	if err := os.RemoveAll(temp); err != nil {
		return made, err
	}
	if err := os.Mkdir(temp, 0o700); err != nil {
		return made, err
	}
	defer os.RemoveAll(temp)
	target := filepath.Join(temp, "disk.qcow2")
	err = d.qemuImg(ctx, progress, "convert", "-p", "-W", "-m", "16", "-f", string(m.Format), "-O", "qcow2",
		p.file(m.Format), target)
	if err != nil {
		return made, err
	}
	return made, d.catalogue.Install(ctx, made, target)
}

// roomFor asks for the room of a disk's content, which is in its own file and in
// the image under it.
func (d *Driver) roomFor(p place, m meta) error {
	bytes := int64(0)
	for _, path := range []string{p.file(m.Format), p.base()} {
		var st unix.Stat_t
		err := unix.Stat(path, &st)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return &os.PathError{Op: "stat", Path: path, Err: err}
		}
		bytes += st.Blocks * 512
	}
	return d.room(bytes)
}

// describe is what an image of a disk has in common with the one that the disk
// began as.
func describe(p place, m meta, name string) (fabric.NodeImage, error) {
	size, _, err := p.size(m.Format)
	img := fabric.NodeImage{
		Name: name, Version: imageVersion, OSType: "Linux", SizeBytes: size,
		Firmware: []fabric.Firmware{fabric.BIOS, fabric.UEFI},
	}
	if m.Image != nil {
		img.OSType, img.Firmware = m.Image.OSType, m.Image.Firmware
	}
	return img, err
}

// RemoveImage removes an image that was made of a disk. Disks that began as it
// keep what they have of it.
func (d *Driver) RemoveImage(ctx context.Context, uid string) error {
	leave, err := d.enter(ctx, imageName(uid))
	if err != nil {
		return fmt.Errorf("disk: %w", err)
	}
	defer leave()
	nobody := func(string) (string, error) { return "", nil }
	if err := d.catalogue.Remove(ctx, imageName(uid), nobody); err != nil {
		return fmt.Errorf("disk: %w", err)
	}
	return nil
}
