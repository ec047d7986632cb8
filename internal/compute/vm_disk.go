package compute

import (
	"context"
	"fmt"
	"strings"

	"lazuli/internal/arm"
)

const maxLUN = 63

// applyDataDisks makes the machine's data disks those of the body: it makes,
// takes and lets go of disks. What the machine has already stays as it is.
func applyDataDisks(ctx context.Context, c *arm.Call, e *vmEdit, bodies []dataDisk) error {
	before := e.Spec.DataDisks
	var now []VMDisk
	luns, kept := map[int]bool{}, map[string]bool{}
	for i := range bodies {
		b, target := &bodies[i], elementOf(dataDisksTarget, i)
		if err := checkLUN(target, b, luns); err != nil {
			return err
		}
		had := findDisk(before, b, e.ID)
		if b.ToBeDetached && had != nil {
			continue
		}
		d, err := applyDataDisk(ctx, c, e, target, b, had)
		if err != nil {
			return err
		}
		if kept[arm.Key(d.ID)] {
			return arm.InvalidParameter(target, "Disk '%s' is attached twice.", d.ID.Name())
		}
		kept[arm.Key(d.ID)] = true
		now = append(now, d)
	}
	for _, d := range before {
		if kept[arm.Key(d.ID)] {
			continue
		}
		if err := releaseDisk(ctx, c.Tx, d.ID, e.ID); err != nil {
			return err
		}
	}
	e.Spec.DataDisks = now
	return nil
}

func checkLUN(target string, b *dataDisk, taken map[int]bool) error {
	target += ".lun"
	if b.LUN == nil {
		return arm.InvalidParameter(target, "Required parameter 'lun' is missing.")
	}
	if n := *b.LUN; n < 0 || n > maxLUN {
		return arm.InvalidParameter(target, "The value of parameter lun is %d; it must be from 0 to %d.", n, maxLUN)
	}
	if taken[*b.LUN] {
		return arm.InvalidParameter(target, "A disk at LUN %d already exists.", *b.LUN)
	}
	taken[*b.LUN] = true
	return nil
}

// findDisk is the disk of the machine vm that b means: by its id or name, or
// else by its LUN.
func findDisk(disks []VMDisk, b *dataDisk, vm arm.ID) *VMDisk {
	id := b.id(vm)
	for i := range disks {
		if disks[i].ID.Equal(id) || id.IsZero() && disks[i].LUN == *b.LUN {
			return &disks[i]
		}
	}
	return nil
}

// applyDataDisk makes one data disk what b asks for; had is what it was.
func applyDataDisk(ctx context.Context, c *arm.Call, e *vmEdit, target string, b *dataDisk, had *VMDisk) (VMDisk, error) {
	if had != nil {
		d := *had
		if err := checkDiskUnchanged(ctx, c, d.ID, "dataDisk", &b.aDisk); err != nil {
			return d, err
		}
		if *b.LUN != d.LUN {
			return d, notAllowed("dataDisk.lun")
		}
		if b.Name != "" && !strings.EqualFold(b.Name, d.ID.Name()) {
			return d, notAllowed("dataDisk.name")
		}
		if b.CreateOption != "" && !strings.EqualFold(b.CreateOption, d.CreateOption) {
			return d, notAllowed("dataDisk.createOption")
		}
		return d, d.apply(target, &b.aDisk)
	}
	d := VMDisk{LUN: *b.LUN, Caching: cachingNone}
	if err := d.apply(target, &b.aDisk); err != nil {
		return d, err
	}
	if b.ToBeDetached {
		return d, arm.InvalidParameter(target+".toBeDetached", "The disk is not attached, so that it cannot be detached.")
	}
	if b.CreateOption == "" {
		return d, arm.InvalidParameter(target+".createOption", "Required parameter 'createOption' is missing: %s or %s.", empty, attached)
	}
	var err error
	if d.CreateOption, err = arm.Enum(target+".createOption", b.CreateOption, empty, attached); err != nil {
		return d, err
	}
	if d.CreateOption == attached {
		d.ID, err = attachDataDisk(ctx, c, e, target, b)
	} else {
		d.ID, err = emptyDataDisk(ctx, c, e, target, b)
	}
	return d, err
}

func attachDataDisk(ctx context.Context, c *arm.Call, e *vmEdit, target string, b *dataDisk) (arm.ID, error) {
	id := b.id(e.ID)
	if id.IsZero() {
		return id, arm.InvalidParameter(target+".managedDisk.id", "A disk to attach needs managedDisk.id.")
	}
	if e.Spec.OSDisk.ID.Equal(id) {
		return id, arm.InvalidParameter(target, "Disk '%s' is the machine's OS disk.", id.Name())
	}
	disk, err := arm.Linked(ctx, c.Tx, Disks, &e.Meta, target+".managedDisk.id", id)
	if err != nil {
		return id, err
	}
	if err := checkAttached(target, disk, &b.aDisk); err != nil {
		return id, err
	}
	return disk.ID, takeDisk(ctx, c.Tx, disk, e.ID, false, target)
}

func emptyDataDisk(ctx context.Context, c *arm.Call, e *vmEdit, target string, b *dataDisk) (arm.ID, error) {
	if b.Disk != nil && !b.Disk.ID.IsZero() {
		return arm.ID{}, arm.InvalidParameter(target+".managedDisk.id", "Parameter 'managedDisk.id' is not allowed for a disk that is made. To use a disk that exists, set createOption to Attach.")
	}
	if err := checkDiskSize(target+".diskSizeGB", b.SizeGB, 0); err != nil {
		return arm.ID{}, err
	}
	sku, err := diskSKUOf(e, target, &b.aDisk)
	if err != nil {
		return arm.ID{}, err
	}
	// The number is what Azure counts: the OS disk is the first.
	name := orElse(b.Name, defaultDiskName(e.ID.Name(), fmt.Sprintf("_disk%d_", *b.LUN+2), c.NewID()))
	return makeDisk(ctx, c, e, target+".name", name, Disk{SizeGiB: b.SizeGB, SKU: sku, CreateOption: empty})
}

// defaultDiskName is a name for a disk of the machine vm that no other disk
// has, within the length of names.
func defaultDiskName(vm, part, uid string) string {
	const longest = 80
	tail := part + strings.ReplaceAll(uid, "-", "")
	return vm[:min(len(vm), longest-len(tail))] + tail
}

// diskSKUOf is the kind of a disk that is made with a machine.
func diskSKUOf(e *vmEdit, target string, b *aDisk) (string, error) {
	if b.Disk != nil && b.Disk.SKU != "" {
		return arm.Enum(target+".managedDisk.storageAccountType", b.Disk.SKU, diskSKUs...)
	}
	if size, _ := FindSize(e.Spec.Size); size.Premium {
		return premiumSSD, nil
	}
	return standardHDD, nil
}

// makeDisk makes a disk that belongs to the machine from the start.
func makeDisk(ctx context.Context, c *arm.Call, e *vmEdit, target, name string, d Disk) (arm.ID, error) {
	if err := diskNames.Check(name); err != nil {
		return arm.ID{}, err
	}
	id := e.ID.Scope().Resource(DiskType, name)
	exists, err := Disks.Find(ctx, c.Tx, id)
	if err != nil {
		return id, err
	}
	if exists != nil && exists.Deleting() {
		return id, arm.Conflict("ResourceBeingDeleted", "Disk %s is being deleted. Wait until it is gone and try again.", name).At(target)
	}
	if exists != nil {
		return id, arm.Conflict("ConflictingUserInput", "Disk %s already exists in resource group %s. Only CreateOption.Attach is supported.", name, id.ResourceGroup).At(target)
	}
	d.ManagedBy, d.Zones = e.ID, e.Spec.Zones
	return id, Disks.Put(ctx, c.Tx, &diskObject{
		Meta: arm.Meta{
			ID: id, UID: c.NewID(), Location: e.Location, Tags: e.Tags, Generation: 1,
			CreatedAt: c.Now, ChangedAt: c.Now,
		},
		Spec: d,
	})
}
