package bootdisk

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
)

// Tool is a program of the host, and the Debian package that has it. A path
// with slashes is a file that must be there.
type Tool struct{ Path, Package string }

// Tools is what Write needs.
func Tools() []Tool {
	return []Tool{
		{"sfdisk", "fdisk"},
		{"mke2fs", "e2fsprogs"},
		{"mformat", "mtools"},
		{"grub-mkimage", "grub-common"},
		{grubDir + "/boot.img", "grub-pc-bin"},
		{"/usr/lib/grub/x86_64-efi/moddep.lst", "grub-efi-amd64-bin"},
		{"qemu-img", "qemu-utils"},
	}
}

// Require says which of the tools are missing, and how to install them.
func Require(tools ...Tool) error {
	var packages []string
	for _, t := range tools {
		_, err := Find(t.Path)
		if err != nil && !slices.Contains(packages, t.Package) {
			packages = append(packages, t.Package)
		}
	}
	if len(packages) == 0 {
		return nil
	}
	return fmt.Errorf("programs are missing on this host; install them with: apt-get install %s", strings.Join(packages, " "))
}

// Find looks a program up in PATH, and where an unprivileged PATH lacks it.
func Find(name string) (string, error) {
	path, err := exec.LookPath(name)
	if err == nil || strings.Contains(name, "/") {
		_, err = os.Stat(cmp.Or(path, name))
		return cmp.Or(path, name), err
	}
	for _, dir := range []string{"/usr/sbin/", "/sbin/"} {
		if _, err := os.Stat(dir + name); err == nil {
			return dir + name, nil
		}
	}
	return "", err
}

// Run runs a program to its end, with input as its standard input. The error
// has the end of what it said, and is syscall.ENOSPC if that was of no space.
func Run(ctx context.Context, input, name string, args ...string) error {
	path, err := Find(name)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C") // its words are looked at
	cmd.Stdin = strings.NewReader(input)
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Run(); err != nil {
		return Failure(ctx, name, err, said.String())
	}
	return nil
}

// Failure is the error of a program that ended with err, having said what it
// did.
func Failure(ctx context.Context, name string, err error, said string) error {
	if ctx.Err() != nil {
		return fmt.Errorf("%s: %w", name, ctx.Err())
	}
	if strings.Contains(said, "No space left on device") {
		err = errors.Join(syscall.ENOSPC, err)
	}
	if said = lastLines(said, 6); said != "" {
		return fmt.Errorf("%s: %w: %s", name, err, said)
	}
	return fmt.Errorf("%s: %w", name, err)
}

func lastLines(s string, n int) string {
	lines := strings.FieldsFunc(s, func(r rune) bool { return r == '\n' || r == '\r' })
	return strings.Join(lines[max(0, len(lines)-n):], "; ")
}
