package bootdisk

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
)

// Where Debian's packages shim-signed, shim-helpers-amd64-signed and
// grub-efi-amd64-signed put what they have.
var signed = map[string]string{
	"BOOTX64.EFI": "usr/lib/shim/shimx64.efi.signed",
	"mmx64.efi":   "usr/lib/shim/mmx64.efi.signed",
	"grubx64.efi": "usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed",
}

// makeESP writes the EFI system partition into disk. The loaders are at the
// fallback path, which firmware tries when its variables name nothing.
func (d Disk) makeESP(ctx context.Context, disk *os.File, esp, id string) error {
	if err := truncated(esp, espMiB*mib); err != nil {
		return err
	}
	config := esp + ".cfg"
	if err := os.WriteFile(config, []byte(stub(id)), 0o600); err != nil {
		return err
	}
	loaders, err := d.loaders(ctx, esp+".efi")
	if err != nil {
		return err
	}
	steps := [][]string{
		{"mformat", "-i", esp, "-F", "-c", "1", "-v", "EFI", "::"},
		{"mmd", "-i", esp, "::EFI", "::EFI/BOOT", "::EFI/debian"},
		{"mcopy", "-i", esp, config, "::EFI/debian/grub.cfg"},
		{"mcopy", "-i", esp, config, "::EFI/BOOT/grub.cfg"},
	}
	for name, from := range loaders {
		steps = append(steps, []string{"mcopy", "-i", esp, from, "::EFI/BOOT/" + name})
	}
	for _, s := range steps {
		if err := Run(ctx, "", s[0], s[1:]...); err != nil {
			return err
		}
	}
	return copySparse(disk, espAt*sector, esp)
}

// loaders says which file of the host is which on the ESP.
func (d Disk) loaders(ctx context.Context, made string) (map[string]string, error) {
	if !d.SignedUEFI {
		err := Run(ctx, "", "grub-mkimage", "-O", "x86_64-efi", "-o", made, "-p", "/EFI/debian",
			"part_gpt", "fat", "ext2", "normal", "linux", "search", "search_fs_uuid", "serial", "terminal", "configfile", "echo", "test", "all_video")
		return map[string]string{"BOOTX64.EFI": made}, err
	}
	files := map[string]string{}
	for name, path := range signed {
		files[name] = filepath.Join(d.Tree, path)
	}
	return files, nil
}

func truncated(path string, size int64) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(f.Truncate(size), f.Close())
}

// copySparse copies the file from into disk at offset, and leaves out what is
// zero: disk is new there, so it is zero already.
func copySparse(disk *os.File, offset int64, from string) error {
	src, err := os.Open(from)
	if err != nil {
		return err
	}
	defer src.Close()
	buf := make([]byte, 64<<10)
	for at := offset; ; {
		n, err := io.ReadFull(src, buf)
		if !zero(buf[:n]) {
			if _, err := disk.WriteAt(buf[:n], at); err != nil {
				return err
			}
		}
		at += int64(n)
		switch err {
		case nil:
		case io.EOF, io.ErrUnexpectedEOF:
			return nil
		default:
			return err
		}
	}
}

func zero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}
