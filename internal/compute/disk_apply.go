package compute

import (
	"context"
	"slices"

	"lazuli/internal/arm"
)

// createDisk makes a disk of its own, as opposed to one that a machine is made
// with.
func createDisk(ctx context.Context, c *arm.Call, cat Catalogue, e *arm.Edit[Disk, DiskStatus], b *diskBody) error {
	p, d := &b.Properties, &e.Spec
	if err := readDisk(d, b); err != nil {
		return err
	}
	var err error
	if d.Zones, err = readZones(b.Zones); err != nil {
		return err
	}
	if p.Creation.CreateOption == "" {
		return arm.InvalidParameter("properties.creationData.createOption", "A disk needs creationData.createOption: %s, %s or %s.", empty, copied, fromImage)
	}
	if d.CreateOption, err = arm.Enum("properties.creationData.createOption", p.Creation.CreateOption, empty, copied, fromImage); err != nil {
		return err
	}
	if err := p.Creation.checkSources(d.CreateOption); err != nil {
		return err
	}
	least := int64(0)
	switch d.CreateOption {
	case copied:
		least, err = readDiskSource(ctx, c, e, p)
	case fromImage:
		least, err = readDiskImage(ctx, c, cat, e, p)
	}
	if err != nil {
		return err
	}
	if d.SizeGiB = p.SizeGB; d.SizeGiB == 0 {
		d.SizeGiB = least
	}
	e.Action = "create"
	return checkDiskSize("properties.diskSizeGB", d.SizeGiB, least)
}

// checkSources refuses what a disk that is created in this way is not made of.
func (d *creationData) checkSources(option string) error {
	switch {
	case option != copied && d.Source != nil && !d.Source.IsZero():
		return arm.InvalidParameter("properties.creationData.sourceResourceId", "Parameter 'sourceResourceId' is not allowed for createOption %s.", option)
	case option != fromImage && d.Image != nil && !d.Image.is(ImageRef{}):
		return arm.InvalidParameter("properties.creationData.imageReference", "Parameter 'imageReference' is not allowed for createOption %s.", option)
	}
	return nil
}

// readDisk reads what of a disk can change.
func readDisk(d *Disk, b *diskBody) error {
	p := &b.Properties
	for _, fixed := range []struct{ target, value, only string }{
		{"properties.networkAccessPolicy", p.NetworkAccess, allowAll},
		{"properties.publicNetworkAccess", p.PublicAccess, enabled},
		{"properties.dataAccessAuthMode", p.DataAccessMode, none},
		{"properties.encryption.type", p.Encryption.kind(), platformKey},
	} {
		if _, err := arm.Enum(fixed.target, fixed.value, fixed.only); err != nil {
			return err
		}
	}
	if p.MaxShares > 1 {
		return arm.Unsupported("properties.maxShares")
	}
	var err error
	if b.SKU != nil && b.SKU.Name != "" {
		if d.SKU, err = arm.Enum("sku.name", b.SKU.Name, diskSKUs...); err != nil {
			return err
		}
	}
	if d.SKU == "" {
		d.SKU = standardHDD
	}
	osType, err := arm.Enum("properties.osType", p.OSType, linux, windows)
	if err != nil {
		return err
	}
	generation, err := arm.Enum("properties.hyperVGeneration", p.HyperVGeneration, generation1, generation2)
	if err != nil {
		return err
	}
	d.OSType, d.HyperVGeneration = orElse(osType, d.OSType), orElse(generation, d.HyperVGeneration)
	return nil
}

func (e *diskEncryption) kind() string {
	if e == nil {
		return ""
	}
	return e.Type
}

// readDiskSource reads the disk that a new one is a copy of, and says how
// large it must be at least.
func readDiskSource(ctx context.Context, c *arm.Call, e *arm.Edit[Disk, DiskStatus], p *diskProperties) (int64, error) {
	const target = "properties.creationData.sourceResourceId"
	if p.Creation.Source == nil || p.Creation.Source.IsZero() {
		return 0, arm.InvalidParameter(target, "A copy needs creationData.sourceResourceId, the id of a disk.")
	}
	source, err := arm.Linked(ctx, c.Tx, Disks, &e.Meta, target, *p.Creation.Source)
	if err != nil {
		return 0, err
	}
	if err := checkCopyable(ctx, c, source, target); err != nil {
		return 0, err
	}
	d := &e.Spec
	d.Source, d.SourceUID = source.ID, source.UID
	d.OSType = orElse(d.OSType, source.Spec.OSType)
	d.HyperVGeneration = orElse(d.HyperVGeneration, source.Spec.HyperVGeneration)
	return source.Spec.SizeGiB, nil
}

// checkCopyable refuses to copy a disk that is being written.
func checkCopyable(ctx context.Context, c *arm.Call, source *diskObject, target string) error {
	if source.Status.ObservedGeneration == 0 {
		return arm.Conflict("OperationNotAllowed", "Disk %s is still being created. Wait until it is ready and try again.", source.ID.Name()).At(target)
	}
	owner, err := ownerOf(ctx, c.Tx, source)
	if err != nil || owner.IsZero() {
		return err
	}
	vm, err := VMs.Find(ctx, c.Tx, owner)
	if err != nil {
		return err
	}
	if vm != nil && vm.Deleting() {
		return arm.Conflict("OperationNotAllowed", "Disk %s belongs to VM %s, which is being deleted. Wait until that is done and try again.", source.ID.Name(), owner).At(target)
	}
	if vm != nil && PowerState(vm) == Deallocated {
		return nil
	}
	return arm.Conflict("OperationNotAllowed", "Disk %s is in use by VM %s, and a copy of it would not be whole. Deallocate the VM, or detach the disk, and try again.", source.ID.Name(), owner).At(target)
}

func readDiskImage(ctx context.Context, c *arm.Call, cat Catalogue, e *arm.Edit[Disk, DiskStatus], p *diskProperties) (int64, error) {
	const target = "properties.creationData.imageReference"
	if p.Creation.Image == nil {
		return 0, arm.InvalidParameter(target, "A disk from an image needs creationData.imageReference.")
	}
	img, err := resolveImage(ctx, c, cat, &e.Meta, target, p.Creation.Image)
	if err != nil {
		return 0, err
	}
	d := &e.Spec
	d.Source, d.Image, d.OSType, d.HyperVGeneration = img.source, img.name, img.osType, img.generation()
	return img.sizeGiB(), nil
}

func checkDiskSize(target string, size, least int64) error {
	if size == 0 {
		return arm.InvalidParameter(target, "The disk's size is not given.")
	}
	if size < minDiskGiB || size > maxDiskGiB {
		return arm.InvalidParameter(target, "The disk's size is %d GiB; it must be from %d to %d.", size, minDiskGiB, maxDiskGiB)
	}
	if size < least {
		return arm.InvalidParameter(target, "The specified disk size %d GiB is smaller than the size of what the disk is made from: %d GiB.", size, least)
	}
	return nil
}

// changeDisk changes what can change of a disk: its tags, kind and size.
func changeDisk(ctx context.Context, c *arm.Call, e *arm.Edit[Disk, DiskStatus], b *diskBody) error {
	p, was := &b.Properties, &e.Was.Spec
	if err := readDisk(&e.Spec, b); err != nil {
		return err
	}
	if err := checkCreation(was, p); err != nil {
		return err
	}
	if len(b.Zones) > 0 && !slices.Equal(b.Zones, was.Zones) {
		return notAllowed("zones")
	}
	if was.HyperVGeneration != "" && e.Spec.HyperVGeneration != was.HyperVGeneration {
		return notAllowed("hyperVGeneration")
	}
	if p.SizeGB == 0 || p.SizeGB == was.SizeGiB {
		return nil
	}
	const target = "properties.diskSizeGB"
	if p.SizeGB < was.SizeGiB {
		return arm.Conflict("OperationNotAllowed", "Disk %s has %d GiB. A disk can grow, but not shrink to %d GiB.", e.ID.Name(), was.SizeGiB, p.SizeGB).At(target)
	}
	e.Spec.SizeGiB, e.Action = p.SizeGB, "update"
	if err := checkDiskSize(target, p.SizeGB, 0); err != nil {
		return err
	}
	if err := checkNotCopied(ctx, c.Tx, e.ID); err != nil {
		return err
	}
	return checkGrowth(ctx, c, e)
}

// checkCreation holds a body to what the disk began as.
func checkCreation(was *Disk, p *diskProperties) error {
	option, err := arm.Enum("properties.creationData.createOption", p.Creation.CreateOption, empty, copied, fromImage, attached)
	switch {
	case err != nil:
		return err
	case option != "" && option != was.CreateOption:
		return notAllowed("creationData.createOption")
	case p.Creation.Source != nil && !p.Creation.Source.IsZero() && !p.Creation.Source.Equal(was.Source):
		return notAllowed("creationData.sourceResourceId")
	case p.Creation.Image != nil && !was.isOf(p.Creation.Image):
		return notAllowed("creationData.imageReference")
	}
	return nil
}

// isOf says whether r names the image that the disk began as, as far as it says
// anything.
func (d *Disk) isOf(r *imageReference) bool {
	if d.CreateOption != fromImage {
		return r.is(ImageRef{})
	}
	urn, platforms := urnOf(d.Source)
	if !platforms {
		return r.is(ImageRef{ID: d.Source})
	}
	if !r.ID.IsZero() {
		return r.ID.Equal(d.Source)
	}
	return r.is(ImageRef{Publisher: urn.Publisher, Offer: urn.Offer, SKU: urn.SKU, Version: latest, ExactVersion: urn.Version})
}

// checkGrowth refuses to grow the OS disk of a machine that is up; the guest
// would not see it. Data disks grow under the guest.
func checkGrowth(ctx context.Context, c *arm.Call, e *arm.Edit[Disk, DiskStatus]) error {
	if e.Was.Spec.ManagedBy.IsZero() || !e.Was.Spec.OS {
		return nil
	}
	vm, err := VMs.Find(ctx, c.Tx, e.Was.Spec.ManagedBy)
	if err != nil || vm == nil {
		return err
	}
	if PowerState(vm) == Deallocated || PowerState(vm) == Stopped {
		return nil
	}
	return arm.Conflict("OperationNotAllowed", "Cannot resize disk %s while it is attached to running VM %s. Resizing an OS disk requires the virtual machine to be deallocated.", e.ID.Name(), vm.ID).At("properties.diskSizeGB")
}

// notAllowed is the refusal to change what was decided when a resource was
// made.
func notAllowed(property string) *arm.Error {
	return arm.Conflict("PropertyChangeNotAllowed", "Changing property '%s' is not allowed.", property).At(property)
}
