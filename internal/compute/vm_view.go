package compute

import (
	"context"
	"strings"

	"lazuli/internal/arm"
)

// viewVM shows a machine. Secrets are not shown, and the user data and the
// instance view only when the query asks for them.
func viewVM(ctx context.Context, c *arm.Call, o *vmObject, b *vmBody) error {
	v, p := &o.Spec, &b.Properties
	b.Zones, b.Resources = v.Zones, viewExtensions(o)
	p.VMID, p.TimeCreated = o.UID, &o.CreatedAt
	p.Hardware.VMSize = v.Size
	p.ProvisioningState = provisioningState(&o.Meta, o.Status.ObservedGeneration, o.Status.Failure)
	p.OS, p.ExtensionsBudget, p.LicenseType = viewOS(v.OS), v.ExtensionsBudget, v.LicenseType
	if !v.AvailabilitySet.IsZero() {
		p.AvailabilitySet = &reference{ID: v.AvailabilitySet}
	}
	if v.SecurityType != "" {
		p.Security = &security{Type: v.SecurityType}
	}
	if v.BootDiagnostics != nil {
		p.Diagnostics = &diagnostics{Boot: &bootDiagnostics{Enabled: *v.BootDiagnostics, StorageURI: v.BootStorageURI}}
	}
	nics := []nicReference{}
	for _, n := range v.NICs {
		nics = append(nics, nicReference{ID: n.ID, Properties: nicProperties{Primary: &n.Primary, DeleteOption: deleteOption(n.DeleteWithVM)}})
	}
	p.Network.NICs = &nics
	expand := strings.ToLower(c.Query.Get("$expand"))
	if strings.Contains(expand, "userdata") && v.UserData != "" {
		p.UserData = &v.UserData
	}
	if strings.Contains(expand, "instanceview") {
		p.InstanceView = viewInstance(o)
	}
	return viewStorage(ctx, c, v, &p.Storage)
}

func deleteOption(withVM bool) string {
	if withVM {
		return deleteIt
	}
	return detach
}

func viewStorage(ctx context.Context, c *arm.Call, v *VM, s *storage) error {
	if i := v.Image; i != nil {
		s.Image = &imageReference{Publisher: i.Publisher, Offer: i.Offer, SKU: i.SKU, Version: i.Version, ExactVersion: i.ExactVersion, ID: i.ID}
	}
	os, err := viewDiskOf(ctx, c, &v.OSDisk)
	if err != nil {
		return err
	}
	s.OSDisk = &osDisk{aDisk: os, OSType: v.OSType}
	disks := []dataDisk{}
	for i := range v.DataDisks {
		d, err := viewDiskOf(ctx, c, &v.DataDisks[i])
		if err != nil {
			return err
		}
		disks = append(disks, dataDisk{aDisk: d, LUN: &v.DataDisks[i].LUN})
	}
	s.DataDisks = &disks
	return nil
}

func viewDiskOf(ctx context.Context, c *arm.Call, d *VMDisk) (aDisk, error) {
	b := aDisk{
		Name: d.ID.Name(), CreateOption: d.CreateOption, Caching: d.Caching, DeleteOption: deleteOption(d.DeleteWithVM),
		Disk: &managedDisk{ID: d.ID},
	}
	disk, err := Disks.Find(ctx, c.Reader(), d.ID)
	if err != nil || disk == nil {
		return b, err
	}
	b.SizeGB, b.Disk.SKU = disk.Spec.SizeGiB, disk.Spec.SKU
	return b, nil
}

func viewOS(os *OSProfile) *osProfile {
	if os == nil {
		return nil
	}
	allow := !os.RefuseExtensions
	b := &osProfile{
		ComputerName: os.ComputerName, AdminUsername: os.AdminUsername, Secrets: []struct{}{},
		AllowExtensions: &allow, RequireSignal: true,
		Linux: &linuxOS{DisablePassword: &os.DisablePassword, ProvisionVMAgent: &os.ProvisionVMAgent},
	}
	if len(os.SSHKeys) > 0 {
		b.Linux.SSH = &sshConfig{}
	}
	for _, k := range os.SSHKeys {
		b.Linux.SSH.PublicKeys = append(b.Linux.SSH.PublicKeys, sshKey{Path: k.Path, KeyData: k.KeyData})
	}
	b.Linux.Patch = &patchSettings{PatchMode: orElse(os.PatchMode, imageDefault), AssessmentMode: orElse(os.AssessmentMode, imageDefault)}
	return b
}
