package compute

import (
	"context"
	"strings"

	"lazuli/internal/arm"
	"lazuli/internal/fabric"
)

// reimageBody says how a machine is to begin anew.
type reimageBody struct {
	// TempDisk is for disks that no machine has here.
	TempDisk     bool         `json:"tempDisk"`
	ExactVersion string       `json:"exactVersion"`
	OS           reimageLogin `json:"osProfile"`
}

// reimageLogin is what a machine was made with and was forgotten since.
type reimageLogin struct {
	AdminPassword string `json:"adminPassword"`
	CustomData    string `json:"customData"`
}

// reimage gives the machine a new OS disk, made from its image, and has its
// guest set up anew. The old OS disk goes, or stays on its own, as the
// deleteOption says that it does when the machine goes; the data disks are kept.
// Everything that decides is written at once: whoever is interrupted later finds
// a machine that is to have another OS disk than it has.
func reimage(cat Catalogue) arm.Action {
	return func(ctx context.Context, c *arm.Call, body []byte) (arm.Result, error) {
		var b reimageBody
		if len(strings.TrimSpace(string(body))) > 0 {
			if err := arm.Decode(body, &b); err != nil {
				return arm.Result{}, err
			}
		}
		if b.TempDisk {
			return arm.Result{}, arm.Unsupported("tempDisk")
		}
		o, err := livingVM(ctx, c)
		if err != nil {
			return arm.Result{}, err
		}
		switch v := &o.Spec; {
		case v.Generalized:
			return arm.Result{}, arm.Conflict("OperationNotAllowed", "Operation 'reimage' is not allowed on VM '%s' since the VM is generalized.", o.ID.Name())
		case v.Image == nil:
			return arm.Result{}, arm.Conflict("OperationNotAllowed", "Operation 'reimage' is not allowed on VM '%s': its OS disk was attached, so that there is no image to make it from again.", o.ID.Name())
		}
		o.Generation++
		op, err := arm.StartOperation(ctx, c.Tx, &o.Meta, c.NewID(), "reimage", c.Now)
		if err != nil {
			return arm.Result{}, err
		}
		if err := b.OS.keep(ctx, c, o); err != nil {
			return arm.Result{}, err
		}
		if err := replaceOSDisk(ctx, c, cat, o, b.ExactVersion); err != nil {
			return arm.Result{}, err
		}
		if o.Spec.Power == fabric.Running {
			o.Spec.ask(fabric.Running, o.Generation, false)
			o.Spec.Restarts++
		}
		return arm.Result{Operation: op}, VMs.Put(ctx, c.Tx, o)
	}
}

// keep stores what the guest is to be told again. What it was told at first is
// forgotten once it was ready, and has to be given anew.
func (b *reimageLogin) keep(ctx context.Context, c *arm.Call, o *vmObject) error {
	os := o.Spec.OS
	secrets, err := FindSecrets(ctx, c.Tx, o.UID)
	if err != nil {
		return err
	}
	boot := &firstBoot{OSProfile: *os, Secrets: Secrets{
		AdminPassword: orElse(b.AdminPassword, secrets.AdminPassword), CustomData: orElse(b.CustomData, secrets.CustomData),
	}}
	forgotten := func(property string) error {
		return arm.InvalidParameter("osProfile."+property, "Required parameter 'osProfile.%s' is missing: VM '%s' was made with one, which was forgotten when its guest was ready.", property, o.ID.Name())
	}
	switch {
	case b.AdminPassword != "" && os.DisablePassword:
		return arm.InvalidParameter("osProfile.adminPassword", "A password is given although disablePasswordAuthentication is true.")
	case boot.AdminPassword == "" && os.PasswordDigest != "":
		return forgotten("adminPassword")
	case boot.CustomData == "" && os.CustomDataDigest != "":
		return forgotten("customData")
	}
	if err := firstError(checkPassword(boot), checkCustomData(boot)); err != nil {
		return err
	}
	if err := boot.keep(c.Tx, o.UID); err != nil {
		return err
	}
	o.Spec.OS = &boot.OSProfile
	return nil
}

// replaceOSDisk makes a new OS disk for the machine and lets go of the old one.
func replaceOSDisk(ctx context.Context, c *arm.Call, cat Catalogue, o *vmObject, version string) error {
	const target = "properties.storageProfile.imageReference"
	ref := imageToRepeat(o.Spec.Image, version)
	if version != "" && !ref.ID.IsZero() {
		return arm.InvalidParameter("exactVersion", "The image of VM '%s' has no versions.", o.ID.Name())
	}
	img, err := resolveImage(ctx, c, cat, &o.Meta, target, &ref)
	if err != nil {
		return err
	}
	old, err := Disks.Get(ctx, c.Tx, o.Spec.OSDisk.ID)
	if err != nil {
		return err
	}
	if err := checkNotCopied(ctx, c.Tx, old.ID); err != nil {
		return err
	}
	e := &vmEdit{Object: o}
	name := defaultDiskName(o.ID.Name(), "_OsDisk_1_", c.NewID())
	o.Spec.OSDisk.ID, err = makeDisk(ctx, c, e, osDiskTarget+".name", name, Disk{
		SizeGiB: max(old.Spec.SizeGiB, img.sizeGiB()), SKU: old.Spec.SKU, OSType: img.osType, HyperVGeneration: img.generation(),
		CreateOption: fromImage, Source: img.source, Image: img.name, OS: true,
	})
	if err != nil {
		return err
	}
	if version != "" {
		o.Spec.Image.ExactVersion = img.ref.ExactVersion
	}
	old.Spec.ManagedBy, old.Spec.OS = arm.ID{}, false
	if !o.Spec.OSDisk.DeleteWithVM {
		return Disks.Put(ctx, c.Tx, old)
	}
	_, err = arm.BeginDelete(ctx, c.Tx, Disks, old, c)
	return err
}

// imageToRepeat names the image i as it was when the machine was made, or in
// another version.
func imageToRepeat(i *ImageRef, version string) imageReference {
	if !i.ID.IsZero() {
		return imageReference{ID: i.ID}
	}
	return imageReference{Publisher: i.Publisher, Offer: i.Offer, SKU: i.SKU, Version: orElse(version, i.ExactVersion)}
}
