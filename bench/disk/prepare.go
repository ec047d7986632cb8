// Package disk measures what QEMU's block layer leaves of the host's disk, for
// each kind of disk that a node makes: blocks of 4 KiB, one and 32 at a time.
//
// Every figure is a ratio of medians of pairs that ran one after the other, so
// that other work on the machine falls on both sides; fio on a plain file is
// the bound.
package disk

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"lazuli/internal/fabric"
	"lazuli/internal/image"
	"lazuli/internal/node"
	"lazuli/internal/node/disk"
)

// target is a file to measure on.
type target struct {
	name   string
	path   string
	format string // "" for fio
	writes bool   // it may be written
}

// prepare makes the disks as a node does, with all their blocks written, but
// for one that reads its image.
func prepare(ctx context.Context, dir string, size int64) ([]target, error) {
	d, err := disk.New(disk.Config{Root: filepath.Join(dir, "disks"), Images: filepath.Join(dir, "images")})
	if err != nil {
		return nil, err
	}
	if err := addImage(ctx, filepath.Join(dir, "images"), size); err != nil {
		return nil, err
	}
	plain := filepath.Join(dir, "plain")
	if err := fill(ctx, plain, "raw", size); err != nil {
		return nil, err
	}
	targets := []target{{"fio", plain, "", true}}
	for _, want := range []struct {
		name, image string
		filled      bool
	}{{"raw", "", true}, {"overlay", "bench", true}, {"image", "bench", false}} {
		opened, err := makeDisk(ctx, d, want.name, want.image, size)
		if err != nil {
			return nil, err
		}
		if want.filled {
			if err := fill(ctx, opened.Path, opened.Format, size); err != nil {
				return nil, err
			}
		}
		targets = append(targets, target{want.name, opened.Path, opened.Format, want.filled})
	}
	return targets, nil
}

func makeDisk(ctx context.Context, d *disk.Driver, uid, image string, size int64) (node.InstanceDisk, error) {
	if _, err := d.Ensure(ctx, fabric.Disk{UID: uid, SizeBytes: size, Image: image}); err != nil {
		return node.InstanceDisk{}, err
	}
	return d.Open(ctx, uid, 0)
}

func addImage(ctx context.Context, dir string, size int64) error {
	c, err := image.Open(dir)
	if err != nil {
		return err
	}
	file := filepath.Join(dir, "new.qcow2")
	if err := command(ctx, "qemu-img", "create", "-q", "-f", "qcow2", file, fmt.Sprint(size)); err != nil {
		return err
	}
	if err := fill(ctx, file, "qcow2", size); err != nil {
		return err
	}
	return c.Install(ctx, fabric.NodeImage{
		Name: "bench", Version: "1", OSType: "Linux", Firmware: []fabric.Firmware{fabric.BIOS}, SizeBytes: size,
	}, file)
}

// fill writes every block of a disk.
func fill(ctx context.Context, path, format string, size int64) error {
	if format == "raw" {
		f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			return err
		}
		if err := f.Truncate(size); err != nil {
			return err
		}
		f.Close()
	}
	return command(ctx, "qemu-img", "bench", "-w", "-t", "none", "-f", format, "-d", "4",
		"-c", fmt.Sprint(size>>20), "-s", "1M", "--pattern", "90", path)
}

func command(ctx context.Context, name string, args ...string) error {
	out, err := exec.CommandContext(ctx, name, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, out)
	}
	return nil
}
