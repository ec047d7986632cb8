package compute

import (
	"context"

	"lazuli/internal/arm"
	"lazuli/internal/fabric"
	"lazuli/internal/network"
)

// VM is a virtual machine.
type VM struct {
	Size     string          `json:"size"`
	OSType   string          `json:"osType"`
	Firmware fabric.Firmware `json:"firmware"`
	// Image is what the OS disk began as; nil when it was attached.
	Image     *ImageRef  `json:"image,omitempty"`
	OSDisk    VMDisk     `json:"osDisk"`
	DataDisks []VMDisk   `json:"dataDisks,omitempty"`
	OS        *OSProfile `json:"os,omitempty"` // nil: nothing is provisioned
	UserData  string     `json:"userData,omitempty"`
	NICs      []VMNIC    `json:"nics"` // the primary one first
	// BootDiagnostics is what was said of it; the boot log is kept always.
	BootDiagnostics *bool `json:"bootDiagnostics,omitempty"`
	// BootStorageURI is where templates want the boot log to be. It is kept, and
	// has no effect.
	BootStorageURI   string   `json:"bootStorageUri,omitempty"`
	LicenseType      string   `json:"licenseType,omitempty"`
	SecurityType     string   `json:"securityType,omitempty"`
	ExtensionsBudget string   `json:"extensionsBudget,omitempty"` // kept; commands have a limit of their own
	Zones            []string `json:"zones,omitempty"`
	AvailabilitySet  arm.ID   `json:"availabilitySet,omitzero"`
	// Generalized machines are only good for making images of.
	Generalized bool `json:"generalized,omitempty"`
	// Command is the last one that runCommand asked for.
	Command    *Command    `json:"command,omitempty"`
	Extensions []Extension `json:"extensions,omitempty"`

	// Power is what the machine should be doing, asked for at PowerGeneration.
	Power           fabric.Power `json:"power"`
	PowerGeneration int64        `json:"powerGeneration"`
	// Hard asks for the power to be cut instead of a shutdown.
	Hard bool `json:"hard,omitempty"`
	// Restarts counts the restarts asked for. A machine whose size changed is
	// restarted too, and then its process has to be a new one.
	Restarts int64 `json:"restarts,omitempty"`
}

// AllDisks are the disks of the machine, that of the OS first.
func (v *VM) AllDisks() []VMDisk { return append([]VMDisk{v.OSDisk}, v.DataDisks...) }

// ImageRef names an image, as it was asked for. ExactVersion is what "latest"
// was at that time.
type ImageRef struct {
	Publisher    string `json:"publisher,omitempty"`
	Offer        string `json:"offer,omitempty"`
	SKU          string `json:"sku,omitempty"`
	Version      string `json:"version,omitempty"`
	ExactVersion string `json:"exactVersion,omitempty"`
	ID           arm.ID `json:"id,omitzero"` // of a user's image
}

// VMDisk is a disk of a machine.
type VMDisk struct {
	ID           arm.ID `json:"id"`
	LUN          int    `json:"lun"` // of a data disk
	CreateOption string `json:"createOption"`
	Caching      string `json:"caching"`
	// DeleteWithVM says that the disk goes with the machine.
	DeleteWithVM bool `json:"deleteWithVm,omitempty"`
}

// VMNIC is a network interface of a machine.
type VMNIC struct {
	ID           arm.ID `json:"id"`
	Primary      bool   `json:"primary"`
	DeleteWithVM bool   `json:"deleteWithVm,omitempty"`
}

// OSProfile is what a guest is told on its first boot. The password and the
// custom data are in Secrets, for as long as it takes.
type OSProfile struct {
	ComputerName     string          `json:"computerName"`
	AdminUsername    string          `json:"adminUsername"`
	PasswordDigest   Digest          `json:"passwordDigest,omitempty"`
	CustomDataDigest Digest          `json:"customDataDigest,omitempty"`
	DisablePassword  bool            `json:"disablePassword"`
	SSHKeys          []fabric.SSHKey `json:"sshKeys,omitempty"`
	ProvisionVMAgent bool            `json:"provisionVmAgent"`
	PatchMode        string          `json:"patchMode,omitempty"`
	AssessmentMode   string          `json:"assessmentMode,omitempty"`
	RefuseExtensions bool            `json:"refuseExtensions,omitempty"`
}

// References are the machine's disks, interfaces and availability set.
func (v VM) References() []arm.ID {
	ids := v.DiskIDs()
	for _, n := range v.NICs {
		ids = append(ids, n.ID)
	}
	return append(ids, v.AvailabilitySet)
}

// DiskIDs are the machine's disks, the OS disk first.
func (v *VM) DiskIDs() []arm.ID {
	ids := []arm.ID{v.OSDisk.ID}
	for _, d := range v.DataDisks {
		ids = append(ids, d.ID)
	}
	return ids
}

type (
	vmObject = arm.Object[VM, VMStatus]
	vmEdit   = arm.Edit[VM, VMStatus]
)

func vmProvider(cfg Config) arm.Provider {
	return &arm.Tracked[vmBody, VM, VMStatus, *vmBody]{
		Collection: VMs, Locations: cfg.Locations, ShowETag: true,
		Apply: func(ctx context.Context, c *arm.Call, e *vmEdit, b *vmBody) error {
			if err := checkFixed(b); err != nil {
				return err
			}
			if e.New() {
				return createVM(ctx, c, cfg.Catalogue, e, b)
			}
			return changeVM(ctx, c, e, b)
		},
		View:   viewVM,
		Remove: removeVM,
	}
}

// removeVM refuses to delete a machine while something is made of a disk that
// goes with it, or a lock is on what does.
func removeVM(ctx context.Context, c *arm.Call, o *vmObject) (later bool, err error) {
	for _, d := range o.Spec.AllDisks() {
		if !d.DeleteWithVM {
			continue
		}
		if err := checkNotCopied(ctx, c.Tx, d.ID); err != nil {
			return false, err
		}
		if err := c.CheckUnlocked(ctx, DiskType+"/delete", d.ID); err != nil {
			return false, err
		}
	}
	for _, n := range o.Spec.NICs {
		if !n.DeleteWithVM {
			continue
		}
		if err := c.CheckUnlocked(ctx, network.NICType+"/delete", n.ID); err != nil {
			return false, err
		}
	}
	return true, nil
}

// createVM makes a machine, with the disks that come into being with it.
func createVM(ctx context.Context, c *arm.Call, cat Catalogue, e *vmEdit, b *vmBody) error {
	v, p := &e.Spec, &b.Properties
	size, err := readSize(p.Hardware.VMSize)
	if err != nil {
		return err
	}
	v.Size = size.Name
	if v.Zones, err = readZones(b.Zones); err != nil {
		return err
	}
	if err := readAvailabilitySet(ctx, c, e, p.AvailabilitySet); err != nil {
		return err
	}
	if err := createOSDisk(ctx, c, cat, e, p); err != nil {
		return err
	}
	boot, err := readOSProfile(e, p.OS)
	if err != nil {
		return err
	}
	if p.Storage.DataDisks != nil {
		if err := applyDataDisks(ctx, c, e, *p.Storage.DataDisks); err != nil {
			return err
		}
	}
	if p.Network.NICs == nil {
		return needNIC()
	}
	if err := applyNICs(ctx, c, e, *p.Network.NICs); err != nil {
		return err
	}
	if err := readExtras(v, p); err != nil {
		return err
	}
	if err := checkSizeFits(v, size); err != nil {
		return err
	}
	v.Power, v.PowerGeneration = fabric.Running, e.Generation+1
	e.Action = "create"
	if boot == nil {
		return nil
	}
	v.OS = &boot.OSProfile
	return boot.keep(c.Tx, e.UID)
}

// changeVM changes what can change of a machine. A body may leave out anything;
// what it has must be as it is, or be something that can change.
func changeVM(ctx context.Context, c *arm.Call, e *vmEdit, b *vmBody) error {
	v, p := &e.Spec, &b.Properties
	e.Action = "update"
	if err := checkUnchanged(e, b); err != nil {
		return err
	}
	if err := changeOSDisk(ctx, c, e, p.Storage.OSDisk); err != nil {
		return err
	}
	if p.Storage.DataDisks != nil {
		if err := applyDataDisks(ctx, c, e, *p.Storage.DataDisks); err != nil {
			return err
		}
	}
	if p.Network.NICs != nil {
		if err := applyNICs(ctx, c, e, *p.Network.NICs); err != nil {
			return err
		}
	}
	if err := readExtras(v, p); err != nil {
		return err
	}
	size, err := resize(e, p.Hardware.VMSize)
	if err != nil {
		return err
	}
	return checkSizeFits(v, size)
}

// resize gives the machine another size, if one is asked for. A machine that
// runs is restarted.
func resize(e *vmEdit, name string) (Size, error) {
	size, err := readSize(orElse(name, e.Spec.Size))
	if err != nil {
		return size, err
	}
	if size.Name != e.Spec.Size {
		e.Spec.Size = size.Name
		if e.Spec.Power == fabric.Running {
			e.Spec.Restarts++
		}
	}
	return size, nil
}
