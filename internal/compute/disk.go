package compute

import (
	"context"

	"lazuli/internal/arm"
	"lazuli/internal/fabric"
	"lazuli/internal/store"
)

// Disk is a virtual disk.
type Disk struct {
	SizeGiB          int64  `json:"sizeGiB"`
	SKU              string `json:"sku"`
	OSType           string `json:"osType,omitempty"`
	HyperVGeneration string `json:"hyperVGeneration,omitempty"`
	// CreateOption says what the disk began as: "Empty", "Copy" (of Source, a
	// disk) or "FromImage" (Source, a platform's image or a user's).
	CreateOption string `json:"createOption"`
	Source       arm.ID `json:"source,omitzero"`
	// SourceUID is the UID of the disk that this one is a copy of.
	SourceUID string `json:"sourceUid,omitempty"`
	// Image is the name on the nodes of the image that the disk begins as.
	Image string `json:"image,omitempty"`
	// ManagedBy is the machine that the disk belongs to.
	ManagedBy arm.ID   `json:"managedBy,omitzero"`
	OS        bool     `json:"os,omitempty"` // it is ManagedBy's OS disk
	Zones     []string `json:"zones,omitempty"`
}

// SizeBytes is the size of the disk.
func (d *Disk) SizeBytes() int64 { return d.SizeGiB * gib }

// References are the disk or image that the disk began as.
func (d Disk) References() []arm.ID {
	if d.Source.ResourceGroup == "" { // a platform's image
		return nil
	}
	return []arm.ID{d.Source}
}

const gib = 1 << 30

// How a disk can begin.
const (
	empty     = "Empty"
	copied    = "Copy"
	fromImage = "FromImage"
	attached  = "Attach" // a machine's word for a disk that exists
)

// The sizes of disks.
const minDiskGiB, maxDiskGiB = 1, 32767

// The kinds of disks. They differ in price elsewhere; here they are all as
// fast as the node's.
const (
	standardHDD = "Standard_LRS"
	premiumSSD  = "Premium_LRS"
)

var diskSKUs = []string{standardHDD, premiumSSD, "StandardSSD_LRS", "Premium_ZRS", "StandardSSD_ZRS"}

type diskObject = arm.Object[Disk, DiskStatus]

func diskProvider(cfg Config) arm.Provider {
	return &arm.Tracked[diskBody, Disk, DiskStatus, *diskBody]{
		Collection: Disks, Locations: cfg.Locations,
		Apply: func(ctx context.Context, c *arm.Call, e *arm.Edit[Disk, DiskStatus], b *diskBody) error {
			if e.New() {
				return createDisk(ctx, c, cfg.Catalogue, e, b)
			}
			return changeDisk(ctx, c, e, b)
		},
		View: viewDisk,
		Remove: func(ctx context.Context, c *arm.Call, o *diskObject) (bool, error) {
			if err := checkDiskFree(ctx, c.Tx, o); err != nil {
				return false, err
			}
			return true, nil
		},
	}
}

// checkDiskFree says whether nothing uses the disk, so that it may go.
func checkDiskFree(ctx context.Context, r store.Reader, o *diskObject) error {
	owner, err := ownerOf(ctx, r, o)
	if err != nil {
		return err
	}
	if !owner.IsZero() {
		return arm.Conflict("OperationNotAllowed", "Disk %s is attached to VM %s. Detach it before it is deleted.", o.ID.Name(), owner)
	}
	return checkNotCopied(ctx, r, o.ID)
}

// ownerOf is the machine that has the disk, or has not let go of it yet.
func ownerOf(ctx context.Context, r store.Reader, o *diskObject) (arm.ID, error) {
	if !o.Spec.ManagedBy.IsZero() {
		return o.Spec.ManagedBy, nil
	}
	held, err := StillHeld(ctx, r, o)
	if err != nil || !held {
		return arm.ID{}, err
	}
	return o.Status.HeldBy, nil
}

// StillHeld says whether the machine in HeldBy may have the disk open. One that
// the disk was taken from may, until its node says that it is without it.
func StillHeld(ctx context.Context, r store.Reader, o *arm.Object[Disk, DiskStatus]) (bool, error) {
	if o.Status.HeldBy.IsZero() {
		return false, nil
	}
	vm, err := VMs.Find(ctx, r, o.Status.HeldBy)
	if err != nil || vm == nil {
		return false, err
	}
	if o.Spec.ManagedBy.Equal(vm.ID) || vm.Status.OSDisk == o.UID {
		return true, nil
	}
	if vm.Status.Node == "" {
		return false, nil
	}
	return vm.Status.ObservedGeneration < vm.Generation || vm.Status.Failure != nil && vm.Status.State != fabric.MachineStopped, nil
}

// checkNotCopied refuses to touch a disk or image while something is made of
// it.
func checkNotCopied(ctx context.Context, r store.Reader, id arm.ID) error {
	users, err := arm.Users(ctx, r, id)
	if err != nil {
		return err
	}
	for _, u := range users {
		making, err := isBeingMade(ctx, r, u)
		if err != nil {
			return err
		}
		if making {
			return arm.Conflict("OperationNotAllowed", "%s is being copied to %s. Wait until that is done and try again.", id.Name(), u)
		}
	}
	return nil
}

// isBeingMade says whether the disk or image id is not ready yet.
func isBeingMade(ctx context.Context, r store.Reader, id arm.ID) (bool, error) {
	switch {
	case id.Is(DiskType):
		d, err := Disks.Find(ctx, r, id)
		return d != nil && d.Status.ObservedGeneration == 0, err
	case id.Is(ImageType):
		i, err := Images.Find(ctx, r, id)
		return i != nil && i.Status.ObservedGeneration == 0, err
	}
	return false, nil
}

// takeDisk gives the disk o to the machine vm. A disk that another machine
// has, or has not let go of yet, is refused.
func takeDisk(ctx context.Context, tx store.Tx, o *diskObject, vm arm.ID, os bool, target string) error {
	if o.Spec.ManagedBy.Equal(vm) {
		return arm.InvalidParameter(target, "Disk '%s' is attached twice.", o.ID.Name())
	}
	if !o.Spec.ManagedBy.IsZero() {
		return arm.Conflict("ConflictingUserInput", "Disk '%s' cannot be attached as the disk is already owned by VM '%s'.", o.ID.Name(), o.Spec.ManagedBy).At(target)
	}
	held, err := StillHeld(ctx, tx, o)
	if err != nil {
		return err
	}
	if held && !o.Status.HeldBy.Equal(vm) {
		return arm.Conflict("AttachDiskWhileBeingDetached", "Cannot attach data disk '%s' to virtual machine '%s' because the disk is currently being detached from '%s'. Wait until that is done and try again.", o.ID.Name(), vm.Name(), o.Status.HeldBy).At(target)
	}
	if err := checkNotCopied(ctx, tx, o.ID); err != nil {
		return err
	}
	o.Spec.ManagedBy, o.Spec.OS = vm, os
	return Disks.Put(ctx, tx, o)
}

// releaseDisk takes the disk at id from the machine vm. It is nothing when vm
// does not have it.
func releaseDisk(ctx context.Context, tx store.Tx, id, vm arm.ID) error {
	o, err := Disks.Find(ctx, tx, id)
	if err != nil || o == nil || !o.Spec.ManagedBy.Equal(vm) {
		return err
	}
	o.Spec.ManagedBy, o.Spec.OS = arm.ID{}, false
	return Disks.Put(ctx, tx, o)
}
