package guestimage

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"lazuli/internal/image/bootdisk"
)

// kernelPackage depends on the kernel itself, whose name has its version.
const kernelPackage = "linux-image-cloud-amd64"

// userPackages are the programs of the guest, with the libraries of e2fsprogs.
var userPackages = []string{"busybox-static", "e2fsprogs", "libext2fs2", "libcom-err2", "libblkid1", "libuuid1", "libc6"}

// packages returns the files of all packages, in dir. What is there already is
// not downloaded again. Lists of packages are fetched when the host has none.
func packages(ctx context.Context, dir string) ([]string, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	names, err := resolve(ctx)
	if err != nil {
		if err := bootdisk.Run(ctx, "", "apt-get", "-q", "update"); err != nil {
			return nil, err
		}
		if names, err = resolve(ctx); err != nil {
			return nil, err
		}
	}
	// apt-get does not mention what is already where it would download to.
	empty, err := os.MkdirTemp(dir, ".empty-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(empty)
	uris, err := apt(ctx, empty, append([]string{"-qq", "--print-uris", "download"}, names...)...)
	if err != nil {
		return nil, err
	}
	files := fileNames(uris)
	if len(files) != len(names) {
		return nil, fmt.Errorf("apt-get knows %d of %d packages: %s", len(files), len(names), uris)
	}
	for i, f := range files {
		path := filepath.Join(dir, f)
		if _, err := os.Stat(path); err != nil {
			if err := fetch(ctx, dir, f); err != nil {
				return nil, err
			}
		}
		files[i] = path
	}
	return files, nil
}

// fetch downloads one package and moves it into dir when it is whole.
func fetch(ctx context.Context, dir, file string) error {
	name, _, _ := strings.Cut(file, "_")
	tmp, err := os.MkdirTemp(dir, ".download-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	if _, err := apt(ctx, tmp, "-qq", "download", name); err != nil {
		return err
	}
	return os.Rename(filepath.Join(tmp, file), filepath.Join(dir, file))
}

func resolve(ctx context.Context) ([]string, error) {
	out, err := exec.CommandContext(ctx, "apt-cache", "depends", "--important", kernelPackage).Output()
	if err != nil {
		return nil, fmt.Errorf("apt-cache: %w", err)
	}
	kernel := kernelOf(string(out))
	if kernel == "" {
		return nil, errors.New("apt knows no package " + kernelPackage + ": run apt-get update")
	}
	return append([]string{kernel}, userPackages...), nil
}

// kernelOf finds the kernel in what apt-cache depends has said.
func kernelOf(depends string) string {
	for l := range strings.Lines(depends) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(l), "Depends: linux-image-"); ok {
			return "linux-image-" + name
		}
	}
	return ""
}

// fileNames reads what apt-get --print-uris says: 'URI' file size checksum.
func fileNames(uris string) []string {
	var files []string
	for l := range strings.Lines(uris) {
		if f := strings.Fields(l); len(f) >= 3 && strings.HasPrefix(f[0], "'") && strings.HasSuffix(f[1], ".deb") {
			files = append(files, filepath.Base(f[1]))
		}
	}
	return files
}

// apt runs apt-get in dir, as root: its own user may not be let in there.
func apt(ctx context.Context, dir string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "apt-get", append([]string{"-o", "APT::Sandbox::User=root"}, args...)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		return "", bootdisk.Failure(ctx, "apt-get", err, said.String())
	}
	return string(out), nil
}
