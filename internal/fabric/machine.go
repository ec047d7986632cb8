package fabric

import "time"

// Presence says whether a thing should exist on the node.
type Presence string

// Absent things are removed, with everything that belongs to them; the node
// reports them as gone and then may be told of them no more.
const (
	Present Presence = "present"
	Absent  Presence = "absent"
)

// Power is what a machine should be doing.
type Power string

// A Stopped machine keeps its place on the node; Deallocated gives back
// everything but its disks.
const (
	Running     Power = "running"
	Stopped     Power = "stopped"
	Deallocated Power = "deallocated"
)

// Firmware of a machine.
type Firmware string

// BIOS is SeaBIOS (generation V1); UEFI is OVMF (V2).
const (
	BIOS Firmware = "bios"
	UEFI Firmware = "uefi"
)

// Machine is a virtual machine as its node is to make it.
type Machine struct {
	UID        string   `json:"uid"`
	Name       string   `json:"name"`       // of the resource, for people
	ResourceID string   `json:"resourceId"` // for IMDS
	Generation int64    `json:"generation"`
	Presence   Presence `json:"presence"`
	Power      Power    `json:"power"`
	// PowerGeneration is the generation at which Power was last asked for. A
	// guest that powers itself off stays off until it is asked for again.
	PowerGeneration int64 `json:"powerGeneration"`
	// Hard asks for the power to be cut where the guest would else be asked to
	// shut down (skipShutdown; deletion).
	Hard bool `json:"hard,omitempty"`
	// Restarts counts the restarts asked for so far. The node restarts the
	// guest when it has done fewer.
	Restarts int64 `json:"restarts,omitempty"`

	CPUs      int      `json:"cpus"`
	MemoryMiB int      `json:"memoryMiB"`
	Firmware  Firmware `json:"firmware"`

	Disks []MachineDisk `json:"disks"` // the OS disk first
	NICs  []MachineNIC  `json:"nics"`  // the primary one first

	Provision Provision `json:"provision"`
	Metadata  Metadata  `json:"metadata"`

	// Commands are to be done in the guest, one after the other. One that is
	// not mentioned any more is ended, and forgotten.
	Commands []Command `json:"commands,omitempty"`
}

// OSDisk is the UID of the machine's OS disk; "" when it has none.
func (m *Machine) OSDisk() string {
	if len(m.Disks) == 0 || !m.Disks[0].OS {
		return ""
	}
	return m.Disks[0].UID
}

// MachineDisk attaches a disk to a machine.
type MachineDisk struct {
	UID string `json:"uid"` // of the disk
	OS  bool   `json:"os,omitempty"`
	// LUN of a data disk, 0 to 63. In the guest it is the SCSI-like unit that
	// /dev/disk/azure/scsi1/lunN names; the virtio serial is "lunN" ("os" for
	// the OS disk).
	LUN      int  `json:"lun"`
	ReadOnly bool `json:"readOnly,omitempty"`
}

// MachineNIC plugs a machine into a port of a network.
type MachineNIC struct {
	UID        string `json:"uid"` // of the network interface; the port's UID
	NetworkUID string `json:"networkUid"`
	MAC        string `json:"mac"` // "00:0d:3a:…"
	Primary    bool   `json:"primary,omitempty"`
}

// Provision is what the guest learns on its first boot, through the
// provisioning medium and IMDS. Zero ComputerName: the OS disk was not made
// from a generalised image and nothing is provisioned; the machine is ready
// when it runs.
type Provision struct {
	ComputerName        string   `json:"computerName,omitempty"`
	AdminUsername       string   `json:"adminUsername,omitempty"`
	AdminPassword       string   `json:"adminPassword,omitempty"` // clear; reaches only the guest
	DisablePasswordAuth bool     `json:"disablePasswordAuth,omitempty"`
	SSHKeys             []SSHKey `json:"sshKeys,omitempty"`
	CustomData          string   `json:"customData,omitempty"` // base64; only until the guest is ready
	HasCustomData       bool     `json:"hasCustomData,omitempty"`
	UserData            string   `json:"userData,omitempty"` // base64
	ProvisionVMAgent    bool     `json:"provisionVMAgent,omitempty"`
	TimeoutSeconds      int      `json:"timeoutSeconds,omitempty"` // until OSProvisioningTimedOut; counted from the first start
}

// SSHKey is one public key and the file of the guest it belongs in.
type SSHKey struct {
	Path    string `json:"path"`
	KeyData string `json:"keyData"`
}

// Metadata is what IMDS tells a machine about itself, beyond what Machine has.
type Metadata struct {
	SubscriptionID string            `json:"subscriptionId"`
	ResourceGroup  string            `json:"resourceGroup"`
	Location       string            `json:"location"`
	Zone           string            `json:"zone,omitempty"`
	VMSize         string            `json:"vmSize"`
	OSType         string            `json:"osType"` // "Linux", "Windows"
	Tags           map[string]string `json:"tags,omitempty"`
	Publisher      string            `json:"publisher,omitempty"`
	Offer          string            `json:"offer,omitempty"`
	SKU            string            `json:"sku,omitempty"`
	Version        string            `json:"version,omitempty"`
	ImageID        string            `json:"imageId,omitempty"`
	OSDiskName     string            `json:"osDiskName,omitempty"`
	DataDisks      []MetadataDisk    `json:"dataDisks,omitempty"`
}

// MetadataDisk is a data disk as IMDS shows it.
type MetadataDisk struct {
	Name   string `json:"name"`
	LUN    int    `json:"lun"`
	SizeGB int    `json:"sizeGb"`
}

// MachineState is what a machine is doing.
type MachineState string

// The states of a machine. Paused is a guest that QEMU stopped, because the
// host's disk is full or failed: it goes on by itself when there is room.
const (
	MachineStarting MachineState = "starting"
	MachineRunning  MachineState = "running"
	MachinePaused   MachineState = "paused"
	MachineStopped  MachineState = "stopped"
	MachineGone     MachineState = "gone"   // Absent was carried out
	MachineFailed   MachineState = "failed" // see Problem
)

// MachineReport is what the node says of a machine.
type MachineReport struct {
	UID string `json:"uid"`
	// Generation up to which the assignment was carried out.
	Generation int64        `json:"generation"`
	State      MachineState `json:"state"`
	// Deallocated says that a stopped machine holds nothing but its disks.
	Deallocated bool   `json:"deallocated,omitempty"`
	Restarts    int64  `json:"restarts,omitempty"`    // restarts done
	Accelerator string `json:"accelerator,omitempty"` // "kvm", "tcg"
	// StartedAt is when the present QEMU process was started; BootedAt when
	// the guest last began to boot (a reboot of its own counts).
	StartedAt *time.Time `json:"startedAt,omitempty"`
	BootedAt  *time.Time `json:"bootedAt,omitempty"`
	// ReadyAt is when the guest first reported Ready. It stays.
	ReadyAt *time.Time `json:"readyAt,omitempty"`
	// OSDisk is the UID of the disk whose guest ReadyAt and Provisioning are
	// about. It is the last that the machine was started with.
	OSDisk string `json:"osDisk,omitempty"`
	// Provisioning is the guest's own account of a failed provisioning.
	Provisioning *Problem `json:"provisioning,omitempty"`
	Agent        *Agent   `json:"agent,omitempty"`
	// Problem says why the state is Paused or Failed.
	Problem *Problem `json:"problem,omitempty"`
	// Events are the newest things that happened by themselves, oldest first,
	// at most MaxEvents.
	Events []Event `json:"events,omitempty"`
	// Commands are those of the assignment that have ended.
	Commands []CommandReport `json:"commands,omitempty"`
}

// MaxEvents bounds MachineReport.Events.
const MaxEvents = 32

// Event is something that happened to a machine that nobody asked for: its
// guest rebooted or powered off, its QEMU crashed and was started again, its
// disk was full.
type Event struct {
	At      time.Time `json:"at"`
	Code    string    `json:"code"` // "GuestReboot", "GuestShutdown", "Crashed", "Restarted", "DiskFull", "Resumed"
	Message string    `json:"message"`
}

// Problem is an error that a person reads, with an ARM code.
type Problem struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

func (p *Problem) Error() string { return p.Code + ": " + p.Message }

// Agent is the state of the guest's agent, from its status reports.
type Agent struct {
	Version    string    `json:"version"`
	Status     string    `json:"status"` // "Ready", "NotReady"
	Message    string    `json:"message,omitempty"`
	ReportedAt time.Time `json:"reportedAt"`
}
