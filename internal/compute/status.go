package compute

import (
	"time"

	"lazuli/internal/arm"
	"lazuli/internal/fabric"
)

// VMStatus is what is so of a machine. Only the control plane's reconciler
// writes it.
type VMStatus struct {
	// Node that the machine is placed on; "" when it is nowhere.
	Node string `json:"node,omitempty"`
	// FaultDomain and UpdateDomain are what the machine was given in its
	// availability set: those with one fault domain may be on one node.
	FaultDomain  *int `json:"faultDomain,omitempty"`
	UpdateDomain *int `json:"updateDomain,omitempty"`
	// OSDisk is the UID of the OS disk that the machine has, which may be another
	// than what was asked for. CreatedAt and ReadyAt are about it.
	OSDisk string `json:"osDisk,omitempty"`
	// ObservedGeneration is the generation up to which everything that was
	// asked for is so, or has failed for good.
	ObservedGeneration int64 `json:"observedGeneration"`
	// Failure says why what was asked for at ObservedGeneration is not so.
	Failure *fabric.Problem `json:"failure,omitempty"`
	// CreatedAt is when the machine was first all that was asked for.
	CreatedAt *time.Time `json:"createdAt,omitempty"`
	// ChangedAt is when State or Deallocated last changed.
	ChangedAt *time.Time `json:"changedAt,omitempty"`

	State fabric.MachineState `json:"state,omitempty"`
	// Deallocated says that a stopped machine holds nothing but its disks. It
	// is also true of one that was never started.
	Deallocated bool `json:"deallocated,omitempty"`
	// MemoryMiB is what the machine was given of its node's memory.
	MemoryMiB   int           `json:"memoryMiB,omitempty"`
	Restarts    int64         `json:"restarts,omitempty"` // done
	Accelerator string        `json:"accelerator,omitempty"`
	StartedAt   *time.Time    `json:"startedAt,omitempty"`
	BootedAt    *time.Time    `json:"bootedAt,omitempty"`
	ReadyAt     *time.Time    `json:"readyAt,omitempty"`
	Agent       *fabric.Agent `json:"agent,omitempty"`
	// Problem is what is wrong with the machine now: its host's disk is full,
	// its node does not answer.
	Problem *fabric.Problem `json:"problem,omitempty"`
	// Events are the newest things that nobody asked for, oldest first.
	Events []fabric.Event `json:"events,omitempty"`
	// Commands are how those of the spec ended that have.
	Commands []fabric.CommandReport `json:"commands,omitempty"`
}

// DiskStatus is what is so of a disk.
type DiskStatus struct {
	Node               string          `json:"node,omitempty"`
	ObservedGeneration int64           `json:"observedGeneration"`
	Failure            *fabric.Problem `json:"failure,omitempty"`
	SizeBytes          int64           `json:"sizeBytes,omitempty"`
	UsedBytes          int64           `json:"usedBytes,omitempty"`
	// HeldBy is the machine whose node has the disk open, or may have. It
	// outlasts the spec's ManagedBy until the node has let go.
	HeldBy arm.ID `json:"heldBy,omitzero"`
}

// ImageStatus is what is so of an image.
type ImageStatus struct {
	Node               string          `json:"node,omitempty"`
	ObservedGeneration int64           `json:"observedGeneration"`
	Failure            *fabric.Problem `json:"failure,omitempty"`
	SizeBytes          int64           `json:"sizeBytes,omitempty"` // virtual
	Progress           int             `json:"progress,omitempty"`  // percent
}

// provisioningState is the word for how far a resource is with what was asked
// of it.
func provisioningState(m *arm.Meta, observed int64, failure *fabric.Problem) string {
	switch {
	case m.Deleting():
		return "Deleting"
	case observed == 0:
		return "Creating"
	case observed < m.Generation:
		return "Updating"
	case failure != nil:
		return "Failed"
	}
	return "Succeeded"
}

// The states of power, as in "PowerState/running".
const (
	Starting     = "starting"
	Running      = "running"
	Stopping     = "stopping"
	Stopped      = "stopped"
	Deallocating = "deallocating"
	Deallocated  = "deallocated"
)

// PowerState is what a machine is doing, with what it was told to do.
func PowerState(o *arm.Object[VM, VMStatus]) string {
	s := &o.Status
	pending := s.ObservedGeneration < o.Generation
	switch s.State {
	case fabric.MachineRunning, fabric.MachinePaused:
		return leaving(o.Spec.Power, Running)
	case fabric.MachineStarting:
		return leaving(o.Spec.Power, Starting)
	case fabric.MachineStopped:
		return resting(o.Spec.Power, s.Deallocated, pending)
	}
	// Nowhere, not yet anywhere, or failed.
	return resting(o.Spec.Power, true, pending)
}

// leaving is the state of a machine that is up and should be as want says.
func leaving(want fabric.Power, now string) string {
	switch want {
	case fabric.Stopped:
		return Stopping
	case fabric.Deallocated:
		return Deallocating
	}
	return now
}

// resting is the state of a machine that is down and should be as want says.
// A guest may have turned itself off, so that only a pending change is under
// way.
func resting(want fabric.Power, deallocated, pending bool) string {
	switch {
	case pending && want == fabric.Running:
		return Starting
	case deallocated:
		return Deallocated
	case pending && want == fabric.Deallocated:
		return Deallocating
	}
	return Stopped
}
