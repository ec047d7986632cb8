package node

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"lazuli/internal/fabric"
	"lazuli/internal/reconcile"
)

// Config is what an agent is made of.
type Config struct {
	Name    string
	Version string
	// Dir is where the agent keeps its records of machines.
	Dir        string
	Hypervisor Hypervisor
	Disks      Disks
	Networks   Networks
	// Medium makes the provisioning medium of a machine for the user owner,
	// and returns its path; DropMedium removes it.
	Medium     func(ctx context.Context, m fabric.Machine, owner int) (string, error)
	DropMedium func(machineUID string) error
	// Images lists the platform images of the host. An error is about those
	// that are left out.
	Images func() ([]fabric.NodeImage, error)
	Log    *slog.Logger
	// ShutdownGrace is how long a guest may take to power off when asked to.
	ShutdownGrace time.Duration
	// AgentPatience is how long a guest's agent may take until it answers, when
	// there is a command for it.
	AgentPatience time.Duration
	// MemoryMiB is the host's memory; zero is found out.
	MemoryMiB int
}

// Agent makes true what its host is assigned.
type Agent struct {
	c         Config
	startedAt time.Time
	records   records

	machines, guests, disks, images, networks *reconcile.Loop

	mu      sync.Mutex
	desired desired
	agents  agents
	crashes streaks // of machines
	resumes streaks // of machines that I/O errors paused
	flushes chan chan struct{}
	told    []fabric.NodeImage // the images last reported; of reporting only
	unread  string             // likewise: which images could not be read
	out     outbox
}

// desired is the assignment, by UID.
type desired struct {
	machines map[string]fabric.Machine
	disks    map[string]fabric.Disk
	images   map[string]fabric.Image
	networks map[string]fabric.Network
}

func newDesired() desired {
	return desired{map[string]fabric.Machine{}, map[string]fabric.Disk{}, map[string]fabric.Image{}, map[string]fabric.Network{}}
}

// defaultShutdownGrace is what Azure gives a guest, about.
const defaultShutdownGrace = 90 * time.Second

// defaultAgentPatience is for guests that boot slowly.
const defaultAgentPatience = 5 * time.Minute

// New makes an agent. It does nothing until Run.
func New(c Config) (*Agent, error) {
	if c.ShutdownGrace == 0 {
		c.ShutdownGrace = defaultShutdownGrace
	}
	if c.AgentPatience == 0 {
		c.AgentPatience = defaultAgentPatience
	}
	dir := filepath.Join(c.Dir, "machines")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make agent's directory: %w", err)
	}
	a := &Agent{c: c, startedAt: time.Now(), records: newRecords(dir), desired: newDesired(), out: newOutbox(), agents: newAgents(), crashes: newStreaks(), resumes: newStreaks(), flushes: make(chan chan struct{})}
	a.machines = reconcile.New("machine", 16, c.Log, a.reconcileMachine)
	a.guests = reconcile.New("guest", 16, c.Log, a.reconcileGuest)
	a.disks = reconcile.New("disk", 8, c.Log, a.reconcileDisk)
	a.images = reconcile.New("image", 2, c.Log, a.reconcileImage)
	a.networks = reconcile.New("network", 8, c.Log, a.reconcileNetwork)
	return a, nil
}

// Link is the agent's connection to the control plane.
type Link interface {
	Assignments(ctx context.Context, f func(fabric.Message) error) error
	Report(ctx context.Context, r *fabric.Report) error
	Close() error
}

// Run works until ctx ends. dial connects to the control plane; when the
// connection is lost it is made again, and machines run on meanwhile.
func (a *Agent) Run(ctx context.Context, dial func(context.Context) (Link, error)) error {
	if err := a.attach(ctx); err != nil {
		return err
	}
	var wg sync.WaitGroup
	for _, l := range []*reconcile.Loop{a.machines, a.guests, a.disks, a.images, a.networks} {
		wg.Go(func() { l.Run(ctx) })
	}
	wg.Go(func() { a.watchEvents(ctx) })
	wg.Go(func() { a.stayLinked(ctx, dial) })
	wg.Go(func() { a.keepResyncing(ctx) })
	wg.Wait()
	return ctx.Err()
}

// attach takes hold of what runs since before.
func (a *Agent) attach(ctx context.Context) error {
	insts, err := a.c.Hypervisor.Attach(ctx)
	if err != nil {
		return fmt.Errorf("find running machines: %w", err)
	}
	for _, in := range insts {
		a.c.Log.Info("re-attached", "vm", in.UID, "pid", in.PID)
	}
	uids, err := a.c.Networks.List(ctx)
	if err != nil {
		return fmt.Errorf("find networks: %w", err)
	}
	for _, uid := range uids {
		a.out.network(fabric.NetworkReport{UID: uid, Presence: fabric.Present})
	}
	return nil
}

// take merges a message into the assignment and sets the loops to work on what
// it changes.
func (a *Agent) take(m fabric.Message) error {
	a.mu.Lock()
	if m.Full {
		a.desired = newDesired()
		a.out.keepOnly(&m.Assignment)
	}
	for _, x := range m.Disks {
		a.desired.disks[x.UID] = x
	}
	for _, x := range m.Images {
		a.desired.images[x.UID] = x
	}
	for _, x := range m.Networks {
		a.desired.networks[x.UID] = x
	}
	for _, x := range m.Machines {
		a.desired.machines[x.UID] = x
	}
	for _, r := range m.Forget {
		a.forget(r)
	}
	a.mu.Unlock()
	for _, x := range m.Disks {
		a.disks.Add(x.UID)
	}
	for _, x := range m.Images {
		a.images.Add(x.UID)
	}
	for _, x := range m.Networks {
		a.networks.Add(x.UID)
	}
	for _, x := range m.Machines {
		a.machines.Add(x.UID)
		a.guests.Add(x.UID)
	}
	return nil
}

// forget is called with mu held.
func (a *Agent) forget(r fabric.Ref) {
	switch r.Kind {
	case fabric.KindMachine:
		delete(a.desired.machines, r.UID)
	case fabric.KindDisk:
		delete(a.desired.disks, r.UID)
	case fabric.KindImage:
		delete(a.desired.images, r.UID)
	case fabric.KindNetwork:
		delete(a.desired.networks, r.UID)
	}
	a.out.forget(r)
}

// Machine says what a machine was assigned; the services of the guests ask.
func (a *Agent) Machine(uid string) (fabric.Machine, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	m, ok := a.desired.machines[uid]
	return m, ok
}

func (a *Agent) disk(uid string) (fabric.Disk, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	d, ok := a.desired.disks[uid]
	return d, ok
}

func (a *Agent) image(uid string) (fabric.Image, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	i, ok := a.desired.images[uid]
	return i, ok
}

func (a *Agent) network(uid string) (fabric.Network, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	n, ok := a.desired.networks[uid]
	return n, ok
}

// machinesWith are the machines that need something, to be looked at again
// when it changes.
func (a *Agent) machinesWith(needs func(fabric.Machine) bool) []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	var uids []string
	for uid, m := range a.desired.machines {
		if needs(m) {
			uids = append(uids, uid)
		}
	}
	return uids
}

// keepResyncing looks at everything again from time to time, for what nothing
// told of. It does so without a link as well: machines run on, and what the
// host's own firewall took away has to come back.
func (a *Agent) keepResyncing(ctx context.Context) {
	t := time.NewTicker(resyncEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			a.resync()
		}
	}
}

// resync looks at everything again.
func (a *Agent) resync() {
	a.mu.Lock()
	machines, disks := slices.Collect(maps.Keys(a.desired.machines)), slices.Collect(maps.Keys(a.desired.disks))
	networks := slices.Collect(maps.Keys(a.desired.networks))
	a.mu.Unlock()
	for _, uid := range networks {
		a.networks.Add(uid)
	}
	for _, uid := range disks {
		a.disks.Add(uid)
	}
	for _, uid := range machines {
		a.machines.Add(uid)
		a.guests.Add(uid)
	}
}
