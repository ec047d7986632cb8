package guestimage

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"lazuli/internal/image/bootdisk"
)

// commands are the names under which the guest's program is found, besides init.
var commands = []string{"append", "crash", "datadisk", "fsckstate", "release", "status", "verify"}

// loaded are the modules that the guest loads, with what they need.
var loaded = []string{"virtio_pci", "virtio_blk", "virtio_scsi", "sd_mod", "sr_mod", "virtio_net", "virtio-rng", "virtio_console", "button", "isofs", "udf"}

// makeTree makes the root file system of the guest, initrd included.
func makeTree(ctx context.Context, tree, unpacked, program string) error {
	for _, d := range []string{"bin", "sbin", "boot", "dev", "proc", "sys", "run", "etc", "mnt", "root", "home", "tmp", "var/lib/guest", "lib64"} {
		if err := os.MkdirAll(filepath.Join(tree, d), 0o755); err != nil {
			return err
		}
	}
	if err := copyAll(unpacked, tree, map[string]string{
		"sbin/e2fsck": "sbin", "sbin/mke2fs": "sbin", "sbin/resize2fs": "sbin", "etc/mke2fs.conf": "etc", "bin/busybox": "bin",
		"lib/x86_64-linux-gnu/*.so*": "lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu/*.so*": "lib/x86_64-linux-gnu", "lib64/*": "lib64", "boot/vmlinuz-*": "boot",
	}); err != nil {
		return err
	}
	if err := copyFile(program, filepath.Join(tree, "sbin/init"), 0o755); err != nil {
		return err
	}
	kernels, err := filepath.Glob(filepath.Join(tree, "boot/vmlinuz-*"))
	if err != nil || len(kernels) != 1 {
		return fmt.Errorf("kernels %v: want one (%w)", kernels, err)
	}
	if err := os.Rename(kernels[0], filepath.Join(tree, "boot/vmlinuz")); err != nil {
		return err
	}
	if err := makeCommands(ctx, tree); err != nil {
		return err
	}
	return makeInitrd(ctx, filepath.Join(tree, "boot/initrd"), unpacked, program)
}

func makeCommands(ctx context.Context, tree string) error {
	for _, c := range commands {
		if err := os.Symlink("../sbin/init", filepath.Join(tree, "bin", c)); err != nil {
			return err
		}
	}
	sudo := "#!/bin/sh\nexec \"$@\"\n"
	if err := os.WriteFile(filepath.Join(tree, "bin/sudo"), []byte(sudo), 0o755); err != nil {
		return err
	}
	applets, err := exec.CommandContext(ctx, filepath.Join(tree, "bin/busybox"), "--list").Output()
	if err != nil {
		return fmt.Errorf("busybox: %w", err)
	}
	for _, a := range strings.Fields(string(applets)) {
		err := os.Symlink("busybox", filepath.Join(tree, "bin", a))
		if err != nil && !errors.Is(err, os.ErrExist) {
			return err
		}
	}
	return nil
}

// makeInitrd writes the program and the modules. It is compressed, because grub
// reads 3 MiB/s or so on an emulated BIOS.
func makeInitrd(ctx context.Context, initrd, unpacked, program string) error {
	versions, err := filepath.Glob(filepath.Join(unpacked, "lib/modules/*"))
	if err != nil || len(versions) != 1 {
		return fmt.Errorf("modules of %v: want one kernel (%w)", versions, err)
	}
	if err := bootdisk.Run(ctx, "", "depmod", "-b", unpacked, filepath.Base(versions[0])); err != nil {
		return err
	}
	dep, err := os.ReadFile(filepath.Join(versions[0], "modules.dep"))
	if err != nil {
		return err
	}
	order, err := loadOrder(string(dep), loaded)
	if err != nil {
		return err
	}
	out, err := os.Create(initrd)
	if err != nil {
		return err
	}
	defer out.Close()
	z, err := gzip.NewWriterLevel(out, gzip.BestCompression)
	if err != nil {
		return err
	}
	a := archive{w: z}
	for _, d := range []string{"dev", "modules"} {
		a.directory(d)
	}
	a.console("dev/console")
	a.fromFile("init", program, 0o755)
	var names strings.Builder
	for _, path := range order {
		fmt.Fprintln(&names, filepath.Base(path))
		a.fromFile("modules/"+filepath.Base(path), filepath.Join(versions[0], path), 0o644)
	}
	a.file("modules/order", []byte(names.String()), 0o644)
	return errors.Join(a.close(), z.Close(), out.Close())
}

// copyAll copies what the patterns in from match into directories in to.
func copyAll(from, to string, what map[string]string) error {
	for pattern, dir := range what {
		if err := os.MkdirAll(filepath.Join(to, dir), 0o755); err != nil {
			return err
		}
		files, err := filepath.Glob(filepath.Join(from, pattern))
		if err != nil || len(files) == 0 {
			return fmt.Errorf("the packages have no %s (%w)", pattern, err)
		}
		for _, f := range files {
			if err := copyAny(f, filepath.Join(to, dir, filepath.Base(f))); err != nil {
				return err
			}
		}
	}
	return nil
}

func copyAny(from, to string) error {
	st, err := os.Lstat(from)
	if err != nil {
		return err
	}
	if st.Mode()&os.ModeSymlink != 0 {
		target, err := os.Readlink(from)
		if err != nil {
			return err
		}
		return os.Symlink(target, to)
	}
	return copyFile(from, to, st.Mode().Perm())
}

func copyFile(from, to string, mode os.FileMode) error {
	src, err := os.Open(from)
	if err != nil {
		return err
	}
	defer src.Close()
	dst, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode)
	if err != nil {
		return err
	}
	_, err = io.Copy(dst, src)
	return errors.Join(err, dst.Close())
}
