package bootdisk

import (
	"context"
	"fmt"
)

// Where things are, in sectors. Root is the last partition, so that a guest can
// grow it. FAT32 wants at least 33 MiB with clusters of one sector.
const (
	sector     = 512
	mib        = 1 << 20
	biosAt     = 1 * mib / sector
	espAt      = 2 * mib / sector
	espSectors = espMiB * mib / sector
	espMiB     = 64
	rootAt     = espAt + espSectors
	tail       = 1 * mib / sector // the second copy of the GPT, rounded up
)

type layout struct{ sizeBytes int64 }

// rootKiB is the size of the root partition.
func (l layout) rootKiB() int64 { return (l.sizeBytes/sector - rootAt - tail) / 2 }

// script is what sfdisk is told.
func (l layout) script() string {
	const (
		biosBoot  = "21686148-6449-6E6F-744E-656564454649"
		efiSystem = "C12A7328-F81F-11D2-BA4B-00A0C93EC93B"
		linuxRoot = "4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709" // x86-64
	)
	return fmt.Sprintf(`label: gpt
start=%d, size=%d, type=%s, name=bios
start=%d, size=%d, type=%s, name=esp
start=%d, size=%d, type=%s, name=root
`, biosAt, espAt-biosAt, biosBoot, espAt, espSectors, efiSystem, rootAt, l.rootKiB()*2, linuxRoot)
}

func (l layout) partition(ctx context.Context, raw string) error {
	if l.sizeBytes%mib != 0 || l.rootKiB() < 16<<10 {
		return fmt.Errorf("a disk of %d bytes: must be whole MiB, and at least %d", l.sizeBytes, espMiB+20)
	}
	return Run(ctx, l.script(), "sfdisk", "-q", raw)
}

// makeRoot fills the root partition from tree. The inode tables are written
// now, as holes: else the first boot of every copy of the disk would write
// them. grub 2.06 cannot read a file system with metadata_csum_seed or
// orphan_file.
func (l layout) makeRoot(ctx context.Context, raw, tree, id string) error {
	return Run(ctx, "", "mke2fs", "-q", "-F", "-t", "ext4", "-b", "4096", "-L", "root", "-U", id, "-m", "1",
		"-O", "^metadata_csum_seed,^orphan_file",
		"-E", fmt.Sprintf("offset=%d,lazy_itable_init=0,lazy_journal_init=0,nodiscard,root_owner=0:0", int64(rootAt)*sector),
		"-d", tree, raw, fmt.Sprintf("%dk", l.rootKiB()))
}
