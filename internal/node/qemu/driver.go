package qemu

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"lazuli/internal/node"
)

// maxEvents is more than there are machines on a host: events are put where
// their reader finds them without waiting for anyone.
const maxEvents = 1 << 14

// Driver runs machines. It is a node.Hypervisor.
type Driver struct {
	c       Config
	host    Host
	agent   *os.File // lock of Root
	owners  *owners
	events  chan node.InstanceEvent
	closing chan struct{}
	once    sync.Once
	wg      sync.WaitGroup

	mu       sync.Mutex
	machines map[string]*machine
}

var _ node.Hypervisor = (*Driver)(nil)

// machine is what the driver knows of a machine.
type machine struct {
	uid      string
	dir      dir
	gate     gate // held by who starts, stops or removes it, or changes its disks
	founding gate // held by who makes its directory
	console  sharedConsole
	agent    agentPort

	mu     sync.Mutex
	proc   *process
	broken error // why Attach could not make sense of it
}

func (m *machine) process() *process {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.proc
}

func (m *machine) setProcess(p *process) {
	m.agent.hangUp() // on the one before
	m.mu.Lock()
	defer m.mu.Unlock()
	m.proc = p
}

func (m *machine) setBroken(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.broken = err
}

// New makes a driver for the machines below c.Root; Attach must be called next.
// The first time on a host, and after each boot, it tries out what the host's
// QEMU can do, which takes seconds.
func New(ctx context.Context, c Config) (*Driver, error) {
	c = c.withDefaults()
	if err := os.MkdirAll(c.Root, 0o711); err != nil {
		return nil, fmt.Errorf("qemu: %w", err)
	}
	lock, err := dir(c.Root).lock()
	if errors.Is(err, errLocked) {
		return nil, fmt.Errorf("qemu: another agent has the machines in %s", c.Root)
	}
	if err != nil {
		return nil, fmt.Errorf("qemu: %w", err)
	}
	d := &Driver{
		c: c, agent: lock, machines: map[string]*machine{},
		events: make(chan node.InstanceEvent, maxEvents), closing: make(chan struct{}),
	}
	if err := d.open(ctx); err != nil {
		lock.Close()
		return nil, fmt.Errorf("qemu: %w", err)
	}
	d.wg.Go(d.trimLogs)
	return d, nil
}

func (d *Driver) open(ctx context.Context) (err error) {
	if d.host, err = probeHost(ctx, d.c); err != nil {
		return err
	}
	// The first user id is the probe's.
	d.owners, err = newOwners(d.c.FirstUser+1, d.c.Users-1, filepath.Join(d.c.Root, "next-owner"))
	return err
}

// Close lets go of the machines without ending them.
func (d *Driver) Close() error {
	d.once.Do(func() { close(d.closing) })
	d.wg.Wait()
	for _, m := range d.all() {
		m.agent.hangUp()
	}
	return d.agent.Close()
}

// Accelerator is "kvm" or "tcg".
func (d *Driver) Accelerator() string { return d.host.Accelerator }

// Version is QEMU's.
func (d *Driver) Version() string { return d.host.Version }

func (d *Driver) storage() storage {
	return storage{aio: d.host.AIO, unsafe: d.c.CacheUnsafe}
}

// Host says what was found out about the host.
func (d *Driver) Host() Host { return d.host }

// Events delivers what happens to machines. Endings that were told before may
// be told again after Attach, with the same time.
func (d *Driver) Events() <-chan node.InstanceEvent { return d.events }

func (d *Driver) tell(uid, kind, detail string, at time.Time) {
	select {
	case d.events <- node.InstanceEvent{UID: uid, Kind: kind, Detail: detail, At: at}:
	case <-d.closing:
	}
}

// errBroken says that Attach could make no sense of a machine.
var errBroken = errors.New("machine is left as it was found")

// machine returns the entry of uid, a new one if there is none. One that
// Attach could make no sense of is an error.
func (d *Driver) machine(uid string) (*machine, error) {
	m, err := d.entry(uid)
	if err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.broken != nil {
		return nil, fmt.Errorf("%w: %w", errBroken, m.broken)
	}
	return m, nil
}

func (d *Driver) entry(uid string) (*machine, error) {
	if err := checkUID(uid); err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	m, ok := d.machines[uid]
	if !ok {
		m = &machine{uid: uid, dir: dir(filepath.Join(d.c.Root, uid)), gate: newGate(), founding: newGate(), agent: agentPort{gate: newGate()}}
		d.machines[uid] = m
	}
	return m, nil
}

func (d *Driver) all() []*machine {
	d.mu.Lock()
	defer d.mu.Unlock()
	all := make([]*machine, 0, len(d.machines))
	for _, m := range d.machines {
		all = append(all, m)
	}
	return all
}

// enter returns the machine with its gate held.
func (d *Driver) enter(ctx context.Context, uid string) (*machine, error) {
	m, err := d.machine(uid)
	if err != nil {
		return nil, err
	}
	if err := m.gate.enter(ctx); err != nil {
		return nil, err
	}
	return m, nil
}

// closeContext ends when the driver is closed.
func (d *Driver) closeContext() (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.Background())
	d.wg.Go(func() {
		select {
		case <-d.closing:
			cancel()
		case <-ctx.Done():
		}
	})
	return ctx, cancel
}

var errNotRunning = errors.New("machine does not run")
