package compute

import (
	"context"
	"fmt"
	"strings"

	"lazuli/internal/arm"
)

const (
	osDiskTarget    = "properties.storageProfile.osDisk"
	dataDisksTarget = "properties.storageProfile.dataDisks"
)

// createOSDisk makes the machine's OS disk from an image, or takes one that
// exists.
func createOSDisk(ctx context.Context, c *arm.Call, cat Catalogue, e *vmEdit, p *vmProperties) error {
	b := p.Storage.OSDisk
	if b == nil {
		if p.Storage.Image == nil {
			return arm.InvalidParameter("properties.storageProfile", "A virtual machine needs storageProfile.imageReference, or an osDisk to attach.")
		}
		b = &osDisk{aDisk: aDisk{CreateOption: fromImage}}
	}
	option, err := arm.Enum(osDiskTarget+".createOption", orElse(b.CreateOption, fromImage), fromImage, attached)
	if err != nil {
		return err
	}
	e.Spec.OSDisk.CreateOption = option
	if err := e.Spec.OSDisk.apply(osDiskTarget, &b.aDisk); err != nil {
		return err
	}
	e.Spec.OSDisk.Caching = orElse(e.Spec.OSDisk.Caching, readWrite)
	osType, err := arm.Enum(osDiskTarget+".osType", b.OSType, linux)
	if err != nil {
		return err
	}
	if option == attached {
		return attachOSDisk(ctx, c, e, p, osType)
	}
	return osDiskFromImage(ctx, c, cat, e, p, &b.aDisk)
}

func attachOSDisk(ctx context.Context, c *arm.Call, e *vmEdit, p *vmProperties, osType string) error {
	if p.Storage.Image != nil {
		return arm.InvalidParameter("properties.storageProfile.imageReference", "Parameter 'imageReference' is not allowed: the OS disk is attached.")
	}
	id := p.Storage.OSDisk.id(e.ID)
	if id.IsZero() {
		return arm.InvalidParameter(osDiskTarget+".managedDisk.id", "An OS disk to attach needs managedDisk.id.")
	}
	disk, err := arm.Linked(ctx, c.Tx, Disks, &e.Meta, osDiskTarget+".managedDisk.id", id)
	if err != nil {
		return err
	}
	if err := checkAttached(osDiskTarget, disk, &p.Storage.OSDisk.aDisk); err != nil {
		return err
	}
	e.Spec.OSDisk.ID = disk.ID
	e.Spec.OSType = orElse(osType, orElse(disk.Spec.OSType, linux))
	e.Spec.Firmware = firmwareOf(disk.Spec.HyperVGeneration)
	return takeDisk(ctx, c.Tx, disk, e.ID, true, osDiskTarget)
}

func osDiskFromImage(ctx context.Context, c *arm.Call, cat Catalogue, e *vmEdit, p *vmProperties, b *aDisk) error {
	const target = "properties.storageProfile.imageReference"
	if p.Storage.Image == nil {
		return arm.InvalidParameter(target, "A machine whose OS disk is made from an image needs storageProfile.imageReference.")
	}
	if b.Disk != nil && !b.Disk.ID.IsZero() {
		return arm.InvalidParameter(osDiskTarget+".managedDisk.id", "Parameter 'osDisk.managedDisk.id' is not allowed: the disk is made from an image. To use a disk that exists, set createOption to Attach.")
	}
	img, err := resolveImage(ctx, c, cat, &e.Meta, target, p.Storage.Image)
	if err != nil {
		return err
	}
	e.Spec.Image, e.Spec.OSType, e.Spec.Firmware = &img.ref, img.osType, img.firmware
	size := b.SizeGB
	if size == 0 {
		size = img.sizeGiB()
	}
	if err := checkDiskSize(osDiskTarget+".diskSizeGB", size, img.sizeGiB()); err != nil {
		return err
	}
	sku, err := diskSKUOf(e, osDiskTarget, b)
	if err != nil {
		return err
	}
	name := orElse(b.Name, defaultDiskName(e.ID.Name(), "_OsDisk_1_", c.NewID()))
	e.Spec.OSDisk.ID, err = makeDisk(ctx, c, e, osDiskTarget+".name", name, Disk{
		SizeGiB: size, SKU: sku, OSType: img.osType, HyperVGeneration: img.generation(),
		CreateOption: fromImage, Source: img.source, Image: img.name, OS: true,
	})
	return err
}

// changeOSDisk holds a body to the machine's OS disk, of which only how it is
// cached and whether it outlives the machine can change.
func changeOSDisk(ctx context.Context, c *arm.Call, e *vmEdit, b *osDisk) error {
	if b == nil {
		return nil
	}
	d := &e.Spec.OSDisk
	if b.Name != "" && !strings.EqualFold(b.Name, d.ID.Name()) {
		return notAllowed("osDisk.name")
	}
	if b.Disk != nil && !b.Disk.ID.IsZero() && !b.Disk.ID.Equal(d.ID) {
		return notAllowed("osDisk.managedDisk.id")
	}
	if b.CreateOption != "" && !strings.EqualFold(b.CreateOption, d.CreateOption) {
		return notAllowed("osDisk.createOption")
	}
	if b.OSType != "" && !strings.EqualFold(b.OSType, e.Spec.OSType) {
		return notAllowed("osDisk.osType")
	}
	if err := checkDiskUnchanged(ctx, c, d.ID, "osDisk", &b.aDisk); err != nil {
		return err
	}
	return d.apply(osDiskTarget, &b.aDisk)
}

// checkDiskUnchanged refuses to change a disk by way of its machine.
func checkDiskUnchanged(ctx context.Context, c *arm.Call, id arm.ID, property string, b *aDisk) error {
	disk, err := Disks.Find(ctx, c.Tx, id)
	if err != nil || disk == nil {
		return err
	}
	if b.SizeGB != 0 && b.SizeGB != disk.Spec.SizeGiB {
		e := notAllowed(property + ".diskSizeGB")
		e.Message += fmt.Sprintf(" Resize the disk itself: %s.", id)
		return e
	}
	if b.Disk != nil && b.Disk.SKU != "" && !strings.EqualFold(b.Disk.SKU, disk.Spec.SKU) {
		return notAllowed(property + ".managedDisk.storageAccountType")
	}
	return nil
}

// checkAttached refuses to make another disk of the one that is to be attached.
func checkAttached(target string, disk *diskObject, b *aDisk) error {
	switch {
	case b.Name != "" && !strings.EqualFold(b.Name, disk.ID.Name()):
		return arm.InvalidParameter(target+".name", "The disk's name is '%s'. Leave the name out.", disk.ID.Name())
	case b.SizeGB != 0 && b.SizeGB != disk.Spec.SizeGiB:
		return arm.InvalidParameter(target+".diskSizeGB", "The disk has %d GiB. Resize the disk itself.", disk.Spec.SizeGiB)
	case b.Disk != nil && b.Disk.SKU != "" && !strings.EqualFold(b.Disk.SKU, disk.Spec.SKU):
		return arm.InvalidParameter(target+".managedDisk.storageAccountType", "The disk is of the kind %s. Change the disk itself.", disk.Spec.SKU)
	}
	return nil
}

// id is the disk that is to be attached: by its id, or by its name in the
// machine's group.
func (b *aDisk) id(vm arm.ID) arm.ID {
	if b.Disk != nil && !b.Disk.ID.IsZero() {
		return b.Disk.ID
	}
	if b.Name != "" {
		return vm.Scope().Resource(DiskType, b.Name)
	}
	return arm.ID{}
}

// apply takes what of a disk of a machine can change.
func (d *VMDisk) apply(target string, b *aDisk) error {
	caching, err := arm.Enum(target+".caching", b.Caching, cachings...)
	if err != nil {
		return err
	}
	d.Caching = orElse(caching, d.Caching)
	option, err := arm.Enum(target+".deleteOption", b.DeleteOption, detach, deleteIt)
	if option != "" {
		d.DeleteWithVM = option == deleteIt
	}
	return err
}
