package bootdisk

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
)

// Disk says what to make.
type Disk struct {
	// Tree is the directory that becomes the root file system. What is in it
	// keeps its owner and mode; the root directory itself becomes root's.
	Tree string
	// RootUUID becomes the root file system's: see NewUUID.
	RootUUID string
	// SizeBytes is the virtual size, a multiple of 1 MiB. Where nothing was
	// written the file has holes.
	SizeBytes int64
	// Kernel and Initrd are paths in Tree, for the boot loader.
	Kernel, Initrd string
	// Cmdline is the kernel's, without root=, which is added.
	Cmdline string
	// SignedUEFI takes Debian's signed shim and grub out of Tree, so that the
	// disk boots with secure boot. Else grub is made by the host's
	// grub-mkimage, and the disk boots without secure boot only.
	SignedUEFI bool
}

// Steps of Write, in their order, as it tells them.
const (
	StepRoot    = "root file system"
	StepLoaders = "boot loaders"
	StepConvert = "qcow2"
)

// Write makes the disk d in the qcow2 file out. Temporary files go to the
// directory work, which must be empty and is the caller's to remove: it needs
// as much room as the tree has, and out the same again. step is told what is
// about to be done.
func Write(ctx context.Context, d Disk, work, out string, step func(string)) error {
	if err := d.write(ctx, work, out, step); err != nil {
		return fmt.Errorf("make boot disk: %w", err)
	}
	return nil
}

func (d Disk) write(ctx context.Context, work, out string, step func(string)) error {
	id := d.RootUUID
	if err := d.grubConfig(id); err != nil {
		return err
	}
	raw := filepath.Join(work, "disk.raw")
	f, err := os.OpenFile(raw, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	l := layout{sizeBytes: d.SizeBytes}
	if err := f.Truncate(d.SizeBytes); err != nil {
		return err
	}
	step(StepRoot)
	if err := l.partition(ctx, raw); err != nil {
		return err
	}
	if err := l.makeRoot(ctx, raw, d.Tree, id); err != nil {
		return err
	}
	step(StepLoaders)
	if err := d.makeESP(ctx, f, filepath.Join(work, "esp"), id); err != nil {
		return err
	}
	if err := makeBIOS(ctx, f, filepath.Join(work, "core.img")); err != nil {
		return err
	}
	step(StepConvert)
	return Run(ctx, "", "qemu-img", "convert", "-f", "raw", "-O", "qcow2", "-W", "-m", "8", raw, out)
}

// NewUUID makes a random UUID.
func NewUUID() string {
	b := make([]byte, 16)
	rand.Read(b) //nolint:errcheck // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
