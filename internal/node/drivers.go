package node

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"time"

	"lazuli/internal/fabric"
)

// Hypervisor runs machines. The real one is node/qemu. Every method is
// idempotent and may be called again after a crash in the middle of it.
type Hypervisor interface {
	// Attach finds the machines that run since before the agent started and
	// takes hold of them again. It is called once, before anything else.
	Attach(ctx context.Context) ([]Instance, error)
	// Owner is the unprivileged user id that runs the machine, the same for all
	// its life. Files that its QEMU opens are given to it.
	Owner(uid string) (int, error)
	// Start starts the machine unless it runs, and returns once QEMU runs the
	// guest.
	Start(ctx context.Context, spec InstanceSpec) error
	// Shutdown asks the guest to power off (ACPI). It does not wait.
	Shutdown(ctx context.Context, uid string) error
	// Stop ends the machine's process and returns when it is gone.
	Stop(ctx context.Context, uid string) error
	// Reset restarts the guest at once, in the same process.
	Reset(ctx context.Context, uid string) error
	// Resume lets a paused guest go on.
	Resume(ctx context.Context, uid string) error
	// AttachDisk and DetachDisk change the disks of a running machine. Detach
	// returns when the guest has let go of the disk, or an error after timeout.
	AttachDisk(ctx context.Context, uid string, d InstanceDisk) error
	DetachDisk(ctx context.Context, uid, diskUID string, timeout time.Duration) error
	// Grow tells a running guest the new size of a disk.
	Grow(ctx context.Context, uid, diskUID string, sizeBytes int64) error
	// EjectMedium takes the provisioning medium out, if it is still in.
	EjectMedium(ctx context.Context, uid string) error
	// Find says what the machine is doing; ok is false when no process runs it.
	Find(ctx context.Context, uid string) (inst Instance, ok bool, err error)
	// Remove ends the machine and forgets everything about it: handle, logs,
	// sockets, firmware variables.
	Remove(ctx context.Context, uid string) error
	// Events delivers what happens to machines by itself, in order; none is
	// lost. An event is delivered before Find shows what it explains. What
	// happened while no agent ran is delivered after Attach; an end may be told
	// again after a later one, with the same time. Of a guest that restarts, or
	// opens its tray, without end the latest time is told about once a second.
	Events() <-chan InstanceEvent
	// SerialLog opens the boot log: what the guest wrote to its serial port.
	SerialLog(uid string) (io.ReadCloser, error)
	// Console opens the serial port itself, to read and write.
	Console(ctx context.Context, uid string) (io.ReadWriteCloser, error)
	// Guests are reached through their agents.
	Guests
	// Accelerator is "kvm" or "tcg"; Version is QEMU's.
	Accelerator() string
	Version() string
	// Close lets go of the machines without ending them.
	Close() error
}

// Guests does commands inside of guests, by the agents that run there. Nothing
// that a guest says is to be trusted, and each call ends soon whatever it does.
type Guests interface {
	// GuestAgent says whose the answers are; ErrNoAgent when none answers.
	GuestAgent(ctx context.Context, uid string) (GuestAgent, error)
	// BeginCommand starts a command, if the guest is in that boot still. It is
	// nothing to start one again that was started, also one that ended since.
	BeginCommand(ctx context.Context, uid, boot string, c fabric.Command) error
	// LookAtCommand says how far a command is that was to start in that boot.
	LookAtCommand(ctx context.Context, uid, boot, command string) (CommandProgress, error)
	// KillCommand ends a command with all that it started.
	KillCommand(ctx context.Context, uid, boot, command string) error
	// ForgetCommand ends a command, and removes what the guest keeps of it.
	ForgetCommand(ctx context.Context, uid, boot, command string) error
}

// ErrNoAgent says that a guest has no agent that answers: it is still booting,
// hangs, or has none.
var ErrNoAgent = errors.New("the guest's agent does not answer")

// GuestAgent is an agent that answers.
type GuestAgent struct {
	Version string
	// Boot is another one each time that the guest boots.
	Boot string
}

// CommandProgress is how far a command is.
type CommandProgress struct {
	State    CommandState
	ExitCode int // of one that ended
	// Stdout and Stderr are the ends of what it has written.
	Stdout, Stderr []byte
}

// CommandState is a state of a command.
type CommandState string

// The states of a command.
const (
	CommandUnknown CommandState = "unknown" // the guest has never heard of it
	CommandRunning CommandState = "running"
	CommandEnded   CommandState = "ended"
	CommandBroken  CommandState = "broken" // it is gone, and nobody knows how it ended
)

// InstanceSpec is all that is needed to start a machine.
type InstanceSpec struct {
	Machine fabric.Machine
	Disks   []InstanceDisk // in the order of Machine.Disks
	// Taps are open tap devices, in the order of Machine.NICs. The hypervisor
	// hands them to QEMU; the caller closes its copies after Start.
	Taps []*os.File
	// Medium is the provisioning medium (an ISO 9660 file); "" for none.
	Medium string
}

// InstanceDisk is a disk as QEMU opens it.
type InstanceDisk struct {
	fabric.MachineDisk
	// Path is the disk's own file, which QEMU opens to write.
	Path   string
	Format string // "raw" or "qcow2"
	// Backing are the files under Path that QEMU reads, the nearest first; all
	// are qcow2.
	Backing []string
}

// InstanceState is what QEMU says of a machine.
type InstanceState string

// The states of an instance.
const (
	InstanceRunning InstanceState = "running"
	InstancePaused  InstanceState = "paused" // by an I/O error; see IOStatus
	// InstanceSilent is a machine whose QEMU lives and does not answer: nothing
	// else is known of it, and nothing can be done to it but to stop it.
	InstanceSilent InstanceState = "silent"
)

// Instance is a running machine.
type Instance struct {
	UID       string
	PID       int
	State     InstanceState
	StartedAt time.Time
	// Disks are the UIDs of the disks that are attached.
	Disks []string
	// Paused by: "nospace", "failed" or "".
	IOStatus string
}

// InstanceEvent is something that happened to a machine.
type InstanceEvent struct {
	UID string
	At  time.Time
	// Kind is one of the EventX constants.
	Kind string
	// Detail is for people: the exit status, the disk.
	Detail string
}

// Kinds of events.
const (
	EventReset    = "reset"    // the guest rebooted itself (or Reset was called)
	EventShutdown = "shutdown" // the guest powered itself off; the process is ending
	EventExited   = "exited"   // the process is gone without a shutdown or Stop
	EventIOError  = "io-error" // paused; Detail is "nospace" or "failed"
	EventEjected  = "ejected"  // the guest opened the tray of the provisioning medium
)

// ErrLost says that a disk which was made before is not there any more. A new
// one in its place would hide the loss.
var ErrLost = errors.New("disk is lost")

// Disks keeps disks. The real one is node/disk. Every method is idempotent.
type Disks interface {
	// Ensure makes the disk, or grows it, in constant time unless it is a copy
	// of a disk.
	Ensure(ctx context.Context, d fabric.Disk) (fabric.DiskReport, error)
	// Remove deletes it. A disk in use is refused.
	Remove(ctx context.Context, uid string) error
	// Open says how QEMU opens the disk, and gives its files to the user that
	// runs the machine.
	Open(ctx context.Context, uid string, owner int) (InstanceDisk, error)
	// Stat reports one disk; ok is false when it does not exist.
	Stat(ctx context.Context, uid string) (r fabric.DiskReport, ok bool, err error)
	// MakeImage makes an image of a disk that nobody writes; progress is told
	// in percent.
	MakeImage(ctx context.Context, img fabric.Image, progress func(int)) (fabric.ImageReport, error)
	RemoveImage(ctx context.Context, uid string) error
	// Free says how many bytes the file system has, and has free.
	Free() (total, free int64, err error)
}

// Networks makes networks. The real one is node/net. Every method is
// idempotent.
type Networks interface {
	// Ensure makes the network and its ports as n says, in one go: ports that
	// n does not have are removed. Guests are not disturbed by what did not
	// change.
	Ensure(ctx context.Context, n fabric.Network) error
	// Remove takes away everything of the network.
	Remove(ctx context.Context, uid string) error
	// Plug opens the tap device of a port, once more if it was open before.
	Plug(ctx context.Context, networkUID, portUID string) (*os.File, error)
	// Unplug closes a port for good measure: its tap is removed; Plug makes it
	// again.
	Unplug(ctx context.Context, networkUID, portUID string) error
	// List says which networks exist on the host.
	List(ctx context.Context) ([]string, error)
	Close() error
}

// Services answers the guests of the networks: DHCP, DNS, metadata and the
// wireserver. The real one is node/guest; a Networks driver calls it.
type Services interface {
	// Serve starts the services of a network, or brings what they know up to
	// date. ns stays usable until Stop.
	Serve(ctx context.Context, n fabric.Network, ns Namespace) error
	// Stop ends the services of a network.
	Stop(networkUID string)
}

// Namespace opens sockets in the network namespace of a virtual network. They
// stay there; any goroutine may use them.
type Namespace interface {
	// Listen and ListenPacket are those of package net, inside.
	Listen(network, address string) (net.Listener, error)
	ListenPacket(network, address string) (net.PacketConn, error)
	// ListenPort receives what one port broadcasts to UDP port 67. The socket
	// is bound to the port's device, so who writes to it is certain.
	ListenPort(portUID string) (net.PacketConn, error)
}
