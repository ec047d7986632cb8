// Package guestimage makes the image "tiny": the guest that the end-to-end
// tests boot (test/guest/init), on a real disk with Debian's cloud kernel, that
// boots by BIOS and UEFI. It downloads only by the host's apt, and only once.
package guestimage

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"lazuli/internal/fabric"
	"lazuli/internal/image"
	"lazuli/internal/image/bootdisk"
)

// Name of the image in the catalogue.
const Name = "tiny"

// format changes when the same inputs are to give another image.
const format = "5"

const (
	sizeBytes = 256 << 20
	cmdline   = "ro console=ttyS0,115200n8 quiet panic=5 net.ifnames=0"
)

// Describe is the catalogue's entry.
func Describe() fabric.NodeImage {
	return fabric.NodeImage{Name: Name, Publisher: "Lazuli", Offer: "tiny", SKU: "1", Version: "1.0.0", OSType: "Linux",
		Firmware: []fabric.Firmware{fabric.BIOS, fabric.UEFI}, SizeBytes: sizeBytes}
}

// Build makes the image and returns its directory, which has image.json and
// disk.qcow2. The directory around it is an image catalogue with nothing else
// in it. What was built before of the same guest and packages is taken from
// cacheDir; several processes may use one cacheDir at once. It must be called
// within this module, for it compiles the guest.
func Build(ctx context.Context, cacheDir string) (imageDir string, err error) {
	imageDir, err = build(ctx, cacheDir)
	if err != nil {
		return "", fmt.Errorf("build the tiny guest: %w", err)
	}
	return imageDir, nil
}

// Tools is what Build needs on the host.
func Tools() []bootdisk.Tool {
	return append(bootdisk.Tools(), bootdisk.Tool{Path: "dpkg-deb", Package: "dpkg"}, bootdisk.Tool{Path: "apt-get", Package: "apt"},
		bootdisk.Tool{Path: "depmod", Package: "kmod"})
}

func build(ctx context.Context, cacheDir string) (string, error) {
	if err := bootdisk.Require(Tools()...); err != nil {
		return "", err
	}
	cacheDir, err := filepath.Abs(cacheDir)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(cacheDir, 0o755); err != nil {
		return "", err
	}
	l, err := lock(filepath.Join(cacheDir, ".lock"))
	if err != nil {
		return "", err
	}
	defer l.Close()
	work, err := os.MkdirTemp(cacheDir, ".work-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(work)
	program := filepath.Join(work, "init")
	if err := bootdisk.Run(ctx, "", "env", "CGO_ENABLED=0", "go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w",
		"-o", program, "lazuli/test/guest/init"); err != nil {
		return "", err
	}
	debs, err := packages(ctx, filepath.Join(cacheDir, "packages"))
	if err != nil {
		return "", err
	}
	key, err := digest(program, debs)
	if err != nil {
		return "", err
	}
	c, err := image.Open(filepath.Join(cacheDir, key))
	if err != nil {
		return "", err
	}
	dir := filepath.Dir(c.DiskPath(Name))
	switch _, err := c.Get(Name); {
	case err == nil:
		return dir, nil
	case !errors.Is(err, image.ErrNotFound):
		return "", err
	}
	disk, err := assemble(ctx, work, program, debs)
	if err != nil {
		return "", err
	}
	return dir, c.Install(ctx, Describe(), disk)
}

// lock waits until no other process builds in the cache.
func lock(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// digest names what the image is made of. A package's file name has its version.
func digest(program string, debs []string) (string, error) {
	h := sha256.New()
	fmt.Fprintln(h, format, cmdline, sizeBytes)
	for _, d := range debs {
		fmt.Fprintln(h, filepath.Base(d))
	}
	f, err := os.Open(program)
	if err != nil {
		return "", err
	}
	defer f.Close()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil))[:16], nil
}

// assemble makes the disk of the guest and returns its path.
func assemble(ctx context.Context, work, program string, debs []string) (string, error) {
	unpacked, tree, diskDir := filepath.Join(work, "unpacked"), filepath.Join(work, "tree"), filepath.Join(work, "disk")
	for _, d := range debs {
		if err := bootdisk.Run(ctx, "", "dpkg-deb", "-x", d, unpacked); err != nil {
			return "", err
		}
	}
	if err := makeTree(ctx, tree, unpacked, program); err != nil {
		return "", err
	}
	if err := os.Mkdir(diskDir, 0o700); err != nil {
		return "", err
	}
	out := filepath.Join(work, "disk.qcow2")
	return out, bootdisk.Write(ctx, bootdisk.Disk{Tree: tree, RootUUID: bootdisk.NewUUID(), SizeBytes: sizeBytes,
		Kernel: "/boot/vmlinuz", Initrd: "/boot/initrd", Cmdline: cmdline}, diskDir, out, func(string) {})
}
