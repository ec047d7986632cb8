package bootdisk

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"os"
)

// grubDir is where Debian's grub-pc-bin keeps boot.img.
const grubDir = "/usr/lib/grub/i386-pc"

// makeBIOS writes grub for BIOS into disk: its first sector into the MBR, the
// rest into the BIOS boot partition. It is what grub-bios-setup does, but that
// asks for a block device.
func makeBIOS(ctx context.Context, disk *os.File, core string) error {
	err := Run(ctx, "", "grub-mkimage", "-O", "i386-pc", "-o", core, "-p", "(hd0,gpt3)/boot/grub",
		"biosdisk", "part_gpt", "ext2", "normal", "linux", "search", "search_fs_uuid", "serial", "terminal", "configfile", "echo", "test", "gzio", "minicmd")
	if err != nil {
		return err
	}
	boot, err := os.ReadFile(grubDir + "/boot.img")
	if err != nil {
		return err
	}
	rest, err := os.ReadFile(core)
	if err != nil {
		return err
	}
	mbr := make([]byte, sector)
	if _, err := io.ReadFull(io.NewSectionReader(disk, 0, sector), mbr); err != nil {
		return err
	}
	boot, rest, err = patch(boot, rest, mbr)
	if err != nil {
		return err
	}
	if _, err := disk.WriteAt(boot, 0); err != nil {
		return err
	}
	_, err = disk.WriteAt(rest, biosAt*sector)
	return err
}

// Fields of grub's boot.img (grub-core/boot/i386/pc/boot.S) and of the block
// list at the end of diskboot.img, the first sector of core.img (diskboot.S).
const (
	bootKernelSector = 0x5c // 8 bytes: where core.img begins
	bootDrive        = 0x64 // 0xff: the drive that was booted
	bootDriveCheck   = 0x66 // a jump, to be two nops when the drive is a hard disk
	bootPartitions   = 0x1b8
	coreBlockList    = 0x1f4 // 8 bytes start, 2 bytes sectors, 2 bytes segment
	coreSegment      = 0x820
)

// patch makes boot.img and core.img fit the disk whose first sector is mbr: its
// disk signature and partition entries stay.
func patch(boot, core, mbr []byte) (newBoot, newCore []byte, err error) {
	if len(boot) != sector || len(mbr) != sector {
		return nil, nil, fmt.Errorf("grub's boot.img has %d bytes, want %d", len(boot), sector)
	}
	sectors := (len(core) + sector - 1) / sector
	if sectors < 2 || sectors > espAt-biosAt {
		return nil, nil, fmt.Errorf("grub's core.img has %d sectors, and room for %d", sectors, espAt-biosAt)
	}
	newBoot, newCore = bytes.Clone(boot), bytes.Clone(core)
	le := binary.LittleEndian
	le.PutUint64(newBoot[bootKernelSector:], biosAt)
	newBoot[bootDrive] = 0xff
	copy(newBoot[bootDriveCheck:], "\x90\x90")
	copy(newBoot[bootPartitions:], mbr[bootPartitions:])
	le.PutUint64(newCore[coreBlockList:], biosAt+1)
	le.PutUint16(newCore[coreBlockList+8:], uint16(sectors-1))
	le.PutUint16(newCore[coreBlockList+10:], coreSegment)
	return newBoot, newCore, nil
}
