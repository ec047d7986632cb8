package compute

import (
	"context"
	"strings"

	"lazuli/internal/arm"
)

// Image is an image that a user made of a disk with a generalized system.
type Image struct {
	OSType           string `json:"osType"`
	HyperVGeneration string `json:"hyperVGeneration"`
	SourceVM         arm.ID `json:"sourceVm,omitzero"` // as it was asked for
	SourceDisk       arm.ID `json:"sourceDisk"`
	SourceDiskUID    string `json:"sourceDiskUid"`
	SizeGiB          int64  `json:"sizeGiB"`
	SKU              string `json:"sku"`
	Caching          string `json:"caching"`
}

// NodeName is the name on the nodes of the image with the UID.
func (Image) NodeName(uid string) string { return "image-" + uid }

// References are the disk and machine that the image was made of.
func (i Image) References() []arm.ID { return []arm.ID{i.SourceDisk, i.SourceVM} }

func imageProvider(cfg Config) arm.Provider {
	return &arm.Tracked[imageBody, Image, ImageStatus, *imageBody]{
		Collection: Images, Locations: cfg.Locations,
		Apply: func(ctx context.Context, c *arm.Call, e *arm.Edit[Image, ImageStatus], b *imageBody) error {
			if e.New() {
				return createImage(ctx, c, e, b)
			}
			return changeImage(e, b)
		},
		View: viewImage,
		Remove: func(ctx context.Context, c *arm.Call, o *arm.Object[Image, ImageStatus]) (bool, error) {
			return true, checkNotCopied(ctx, c.Tx, o.ID)
		},
	}
}

type imageBody struct {
	arm.Header
	Properties imageBodyProperties `json:"properties"`
}

type imageBodyProperties struct {
	SourceVM          *reference   `json:"sourceVirtualMachine,omitempty"`
	Storage           imageStorage `json:"storageProfile"`
	HyperVGeneration  string       `json:"hyperVGeneration,omitempty"`
	ProvisioningState string       `json:"provisioningState,omitempty" arm:"readonly"`
}

type imageStorage struct {
	OSDisk    *imageOSDisk `json:"osDisk,omitempty"`
	DataDisks []struct{}   `json:"dataDisks"`
}

type imageOSDisk struct {
	OSType  string     `json:"osType,omitempty"`
	OSState string     `json:"osState,omitempty"`
	Disk    *reference `json:"managedDisk,omitempty"`
	SizeGB  int64      `json:"diskSizeGB,omitempty"`
	Caching string     `json:"caching,omitempty"`
	SKU     string     `json:"storageAccountType,omitempty"`
}

// reference is another resource in a body.
type reference struct {
	ID arm.ID   `json:"id"`
	_  struct{} `arm:"readonly=resourceGroup"`
}

func (r *reference) target() arm.ID {
	if r == nil {
		return arm.ID{}
	}
	return r.ID
}

const generalized = "Generalized"

func viewImage(_ context.Context, _ *arm.Call, o *arm.Object[Image, ImageStatus], b *imageBody) error {
	i, p := &o.Spec, &b.Properties
	if !i.SourceVM.IsZero() {
		p.SourceVM = &reference{ID: i.SourceVM}
	}
	p.HyperVGeneration = i.HyperVGeneration
	p.Storage = imageStorage{
		DataDisks: []struct{}{},
		OSDisk: &imageOSDisk{
			OSType: i.OSType, OSState: generalized, Disk: &reference{ID: i.SourceDisk},
			SizeGB: i.SizeGiB, Caching: i.Caching, SKU: i.SKU,
		},
	}
	p.ProvisioningState = provisioningState(&o.Meta, o.Status.ObservedGeneration, o.Status.Failure)
	return nil
}

func createImage(ctx context.Context, c *arm.Call, e *arm.Edit[Image, ImageStatus], b *imageBody) error {
	p := &b.Properties
	e.Action = "create"
	if len(p.Storage.DataDisks) > 0 {
		return arm.Unsupported("properties.storageProfile.dataDisks")
	}
	vm, os := p.SourceVM.target(), p.Storage.OSDisk
	switch {
	case vm.IsZero() && (os == nil || os.Disk.target().IsZero()):
		return arm.InvalidParameter("properties.sourceVirtualMachine", "An image is made of a virtual machine (sourceVirtualMachine.id) or a disk (storageProfile.osDisk.managedDisk.id).")
	case !vm.IsZero() && os != nil:
		return arm.InvalidParameter("properties.storageProfile.osDisk", "An image of a virtual machine takes the machine's disk; leave storageProfile.osDisk out.")
	case !vm.IsZero():
		return imageOfVM(ctx, c, e, p)
	}
	return imageOfDisk(ctx, c, e, p)
}

func imageOfVM(ctx context.Context, c *arm.Call, e *arm.Edit[Image, ImageStatus], p *imageBodyProperties) error {
	const target = "properties.sourceVirtualMachine.id"
	vm, err := arm.Linked(ctx, c.Tx, VMs, &e.Meta, target, p.SourceVM.ID)
	if err != nil {
		return err
	}
	switch {
	case !vm.Spec.Generalized:
		return arm.Conflict("OperationNotAllowed", "The VM '%s' is not generalized. Prepare its system, deallocate it, and mark it by the action 'generalize'.", vm.ID.Name()).At(target)
	case PowerState(vm) != Deallocated:
		return arm.Conflict("OperationNotAllowed", "The VM '%s' is not deallocated. Deallocate it before an image is made of it.", vm.ID.Name()).At(target)
	case len(vm.Spec.DataDisks) > 0:
		return arm.Conflict("OperationNotAllowed", "The VM '%s' has data disks, which images do not take here. Detach them first.", vm.ID.Name()).At(target)
	}
	disk, err := Disks.Get(ctx, c.Tx, vm.Spec.OSDisk.ID)
	if err != nil {
		return err
	}
	e.Spec.SourceVM, e.Spec.Caching = vm.ID, vm.Spec.OSDisk.Caching
	return e.Spec.take(disk, p)
}

func imageOfDisk(ctx context.Context, c *arm.Call, e *arm.Edit[Image, ImageStatus], p *imageBodyProperties) error {
	const target = "properties.storageProfile.osDisk"
	os := p.Storage.OSDisk
	disk, err := arm.Linked(ctx, c.Tx, Disks, &e.Meta, target+".managedDisk.id", os.Disk.ID)
	if err != nil {
		return err
	}
	if err := checkCopyable(ctx, c, disk, target+".managedDisk.id"); err != nil {
		return err
	}
	if _, err := arm.Enum(target+".osState", os.OSState, generalized); err != nil {
		return err
	}
	if os.SizeGB != 0 && os.SizeGB != disk.Spec.SizeGiB {
		return arm.InvalidParameter(target+".diskSizeGB", "An image is as large as its disk, which has %d GiB.", disk.Spec.SizeGiB)
	}
	if e.Spec.OSType, err = arm.Enum(target+".osType", os.OSType, linux, windows); err != nil {
		return err
	}
	if e.Spec.Caching, err = arm.Enum(target+".caching", os.Caching, cachings...); err != nil {
		return err
	}
	if e.Spec.SKU, err = arm.Enum(target+".storageAccountType", os.SKU, diskSKUs...); err != nil {
		return err
	}
	return e.Spec.take(disk, p)
}

// take makes disk what the image is made of.
func (i *Image) take(disk *diskObject, p *imageBodyProperties) error {
	d := &disk.Spec
	i.SourceDisk, i.SourceDiskUID, i.SizeGiB = disk.ID, disk.UID, d.SizeGiB
	i.OSType = orElse(orElse(i.OSType, d.OSType), linux)
	i.SKU, i.Caching = orElse(i.SKU, d.SKU), orElse(i.Caching, cachingNone)
	generation, err := arm.Enum("properties.hyperVGeneration", p.HyperVGeneration, generation1, generation2)
	if err != nil {
		return err
	}
	i.HyperVGeneration = orElse(d.HyperVGeneration, orElse(generation, generation1))
	if generation != "" && generation != i.HyperVGeneration {
		return arm.InvalidParameter("properties.hyperVGeneration", "The disk is of generation %s; an image of it cannot be of generation %s.", i.HyperVGeneration, generation)
	}
	return nil
}

// changeImage holds a body to what the image was made of: only tags change.
func changeImage(e *arm.Edit[Image, ImageStatus], b *imageBody) error {
	p, was := &b.Properties, &e.Was.Spec
	if id := p.SourceVM.target(); !id.IsZero() && !id.Equal(was.SourceVM) {
		return notAllowed("sourceVirtualMachine.id")
	}
	if p.Storage.OSDisk != nil {
		if id := p.Storage.OSDisk.Disk.target(); !id.IsZero() && !id.Equal(was.SourceDisk) {
			return notAllowed("storageProfile.osDisk.managedDisk.id")
		}
	}
	if len(p.Storage.DataDisks) > 0 {
		return notAllowed("storageProfile.dataDisks")
	}
	differs := func(given, is string) bool { return given != "" && !strings.EqualFold(given, is) }
	if differs(p.HyperVGeneration, was.HyperVGeneration) {
		return notAllowed("hyperVGeneration")
	}
	if os := p.Storage.OSDisk; os != nil {
		switch {
		case differs(os.OSType, was.OSType):
			return notAllowed("storageProfile.osDisk.osType")
		case differs(os.OSState, generalized):
			return notAllowed("storageProfile.osDisk.osState")
		case differs(os.Caching, was.Caching):
			return notAllowed("storageProfile.osDisk.caching")
		case differs(os.SKU, was.SKU):
			return notAllowed("storageProfile.osDisk.storageAccountType")
		case os.SizeGB != 0 && os.SizeGB != was.SizeGiB:
			return notAllowed("storageProfile.osDisk.diskSizeGB")
		}
	}
	return nil
}
