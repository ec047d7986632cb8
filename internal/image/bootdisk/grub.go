package bootdisk

import (
	"fmt"
	"os"
	"path/filepath"
)

// grubConfig writes the boot loader's menu into the tree.
func (d Disk) grubConfig(id string) error {
	dir := filepath.Join(d.Tree, "boot/grub")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "grub.cfg"), []byte(d.menu(id)), 0o644)
}

func (d Disk) menu(id string) string {
	return fmt.Sprintf(`serial --unit=0 --speed=115200
terminal_input serial console
terminal_output serial console
set timeout=0
search --no-floppy --fs-uuid --set=root %[1]s
menuentry Linux {
	linux %[2]s root=UUID=%[1]s %[4]s
	initrd %[3]s
}
`, id, d.Kernel, d.Initrd, d.Cmdline)
}

// stub is the configuration on the ESP: it finds the one in the tree.
func stub(id string) string {
	return fmt.Sprintf("search.fs_uuid %s root\nset prefix=($root)/boot/grub\nconfigfile $prefix/grub.cfg\n", id)
}
