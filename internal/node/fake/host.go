// Package fake is a host that behaves like a real one and runs nothing: disks,
// networks and machines are entries in memory, and guests are ready at once.
//
// It passes the conformance suites of the real drivers, and is good enough to
// run the whole API on. It outlives the agents that use it, as a host does.
package fake

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"lazuli/internal/fabric"
	"lazuli/internal/node"
)

// Host is a fake host. Each of its three faces is given to an agent.
type Host struct {
	mu       sync.Mutex
	machines map[string]*machine
	inside   map[string]*guest
	owners   map[string]int
	disks    map[string]*disk
	images   map[string]fabric.Image
	networks map[string]fabric.Network
	plugged  map[string]bool // network/port
	guests   Guests
	events   chan node.InstanceEvent
	fail     func(call, uid string) error
	free     int64
	spoilt   bool // what guests write fails
	nextPID  int
}

// Guests is told what a guest would tell its platform.
type Guests interface {
	Ready(machineUID string)
	ProvisioningFailed(machineUID string, p fabric.Problem)
}

type machine struct {
	inst   node.Instance
	log    strings.Builder
	booted int
	runs   bool
	hangs  bool
}

type disk struct {
	d     fabric.Disk
	owner int
	user  string // the machine that has it open
}

const totalBytes = 1 << 40

// New makes an empty host.
func New() *Host {
	return &Host{
		machines: map[string]*machine{}, inside: map[string]*guest{}, owners: map[string]int{}, disks: map[string]*disk{}, images: map[string]fabric.Image{},
		networks: map[string]fabric.Network{}, plugged: map[string]bool{},
		events: make(chan node.InstanceEvent, 1024), free: totalBytes, nextPID: 1000,
	}
}

// SetGuests says who hears of guests that are ready. Nil: nobody; guests never
// are.
func (h *Host) SetGuests(g Guests) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.guests = g
}

// FailWith makes f decide before each call that has an effect whether it fails,
// with nothing done.
func (h *Host) FailWith(f func(call, uid string) error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.fail = f
}

// begin is called at the start of each call that has an effect; it returns with
// the lock held unless it fails.
func (h *Host) begin(call, uid string) error {
	h.mu.Lock()
	fail := h.fail
	h.mu.Unlock()
	if fail != nil {
		if err := fail(call, uid); err != nil {
			return err
		}
	}
	h.mu.Lock()
	return nil
}

// Crash ends a machine's process, as kill -9 would.
func (h *Host) Crash(uid string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.end(uid) {
		h.event(uid, node.EventExited, "signal: killed")
	}
}

// Boot ends every process, as a power cut of the host would, and forgets the
// networks.
func (h *Host) Boot() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for uid := range h.machines {
		h.end(uid)
	}
	clear(h.networks)
	clear(h.plugged)
}

// PowerOff is a guest powering itself off; Reboot, restarting itself.
func (h *Host) PowerOff(uid string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.end(uid) {
		h.event(uid, node.EventShutdown, "")
	}
}

// Reboot is a guest restarting itself.
func (h *Host) Reboot(uid string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if m := h.machines[uid]; m != nil && m.runs {
		h.interrupt(uid)
		m.boot()
		h.event(uid, node.EventReset, "")
	}
}

// Fill and Drain play a full disk of the host: running guests are paused.
func (h *Host) Fill() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.free = 0
	for uid, m := range h.machines {
		if m.runs {
			m.inst.State, m.inst.IOStatus = node.InstancePaused, "nospace"
			h.event(uid, node.EventIOError, "nospace")
		}
	}
}

// Drain ends what Fill began.
func (h *Host) Drain() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.free = totalBytes
}

// Spoil and Mend play a disk of the host that fails: running guests are paused,
// and again as soon as they go on.
func (h *Host) Spoil() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.spoilt = true
	for uid, m := range h.machines {
		if m.runs {
			h.failWrite(uid, m)
		}
	}
}

// Mend ends what Spoil began.
func (h *Host) Mend() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.spoilt = false
}

func (h *Host) failWrite(uid string, m *machine) {
	m.inst.State, m.inst.IOStatus = node.InstancePaused, "failed"
	h.event(uid, node.EventIOError, "failed")
}

// Hang and Wake play a machine whose process does not answer.
func (h *Host) Hang(uid string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if m := h.machines[uid]; m != nil {
		m.hangs = true
	}
}

// Wake ends what Hang began.
func (h *Host) Wake(uid string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if m := h.machines[uid]; m != nil {
		m.hangs = false
	}
}

// Running are the UIDs of the machines that run, sorted.
func (h *Host) Running() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var uids []string
	for uid, m := range h.machines {
		if m.runs {
			uids = append(uids, uid)
		}
	}
	slices.Sort(uids)
	return uids
}

// Left is everything that exists on the host, for a test that nothing is left
// behind.
func (h *Host) Left() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var left []string
	for uid := range h.machines {
		left = append(left, "machine "+uid)
	}
	for uid := range h.disks {
		left = append(left, "disk "+uid)
	}
	for uid := range h.images {
		left = append(left, "image "+uid)
	}
	for uid := range h.networks {
		left = append(left, "network "+uid)
	}
	for port := range h.plugged {
		left = append(left, "tap "+port)
	}
	slices.Sort(left)
	return left
}

// Tell delivers an event, as of a time.
func (h *Host) Tell(uid, kind string, at time.Time) {
	h.events <- node.InstanceEvent{UID: uid, At: at, Kind: kind}
}

func (h *Host) event(uid, kind, detail string) {
	h.events <- node.InstanceEvent{UID: uid, At: time.Now(), Kind: kind, Detail: detail}
}

// end stops a machine's process; it says whether there was one.
func (h *Host) end(uid string) bool {
	m := h.machines[uid]
	if m == nil || !m.runs {
		return false
	}
	m.runs, m.hangs = false, false
	h.interrupt(uid)
	for _, d := range h.disks {
		if d.user == uid {
			d.user = ""
		}
	}
	return true
}

func (m *machine) boot() {
	m.booted++
	fmt.Fprintf(&m.log, "boot %d\r\nlogin: ", m.booted)
}

var errSilent = errors.New("the process does not answer")

// Hypervisor is the host's face as node.Hypervisor.
type Hypervisor struct{ *Host }

var _ node.Hypervisor = Hypervisor{}

// Attach finds the machines that run.
func (h Hypervisor) Attach(context.Context) ([]node.Instance, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	var insts []node.Instance
	for _, m := range h.machines {
		if m.runs {
			insts = append(insts, m.copy())
		}
	}
	return insts, nil
}

func (m *machine) copy() node.Instance {
	if m.hangs {
		return node.Instance{UID: m.inst.UID, PID: m.inst.PID, StartedAt: m.inst.StartedAt, State: node.InstanceSilent}
	}
	in := m.inst
	in.Disks = slices.Clone(in.Disks)
	return in
}

// Owner gives each machine a number.
func (h Hypervisor) Owner(uid string) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, ok := h.owners[uid]; !ok {
		h.owners[uid] = 700000 + len(h.owners)
	}
	return h.owners[uid], nil
}

// Start starts the machine unless it runs.
func (h Hypervisor) Start(_ context.Context, spec node.InstanceSpec) error {
	uid := spec.Machine.UID
	if err := h.begin("Start", uid); err != nil {
		return err
	}
	m := h.machines[uid]
	if m != nil && m.runs {
		h.mu.Unlock()
		return nil
	}
	if err := h.open(uid, spec.Disks); err != nil {
		h.mu.Unlock()
		return err
	}
	if m == nil {
		m = &machine{}
		h.machines[uid] = m
	}
	h.nextPID++
	m.runs = true
	m.inst = node.Instance{UID: uid, PID: h.nextPID, State: node.InstanceRunning, StartedAt: time.Now()}
	for _, d := range spec.Disks {
		m.inst.Disks = append(m.inst.Disks, d.UID)
	}
	m.boot()
	guests := h.guests
	h.mu.Unlock()
	if guests != nil && spec.Medium != "" {
		guests.Ready(uid)
	}
	return nil
}

// open takes disks for a machine, all or none.
func (h *Host) open(uid string, disks []node.InstanceDisk) error {
	for _, id := range disks {
		d := h.disks[id.UID]
		if d == nil {
			return fmt.Errorf("disk %s: %w", id.UID, os.ErrNotExist)
		}
		if d.user != "" && d.user != uid {
			return fmt.Errorf("disk %s is in use by %s", id.UID, d.user)
		}
	}
	for _, id := range disks {
		h.disks[id.UID].user = uid
	}
	return nil
}

// Shutdown has the guest power off at once.
func (h Hypervisor) Shutdown(_ context.Context, uid string) error {
	if err := h.begin("Shutdown", uid); err != nil {
		return err
	}
	defer h.mu.Unlock()
	if m := h.machines[uid]; m != nil && m.hangs {
		return errSilent
	}
	if h.end(uid) {
		h.event(uid, node.EventShutdown, "")
	}
	return nil
}

// Stop ends the process.
func (h Hypervisor) Stop(_ context.Context, uid string) error {
	if err := h.begin("Stop", uid); err != nil {
		return err
	}
	defer h.mu.Unlock()
	h.end(uid)
	return nil
}

// Reset restarts the guest.
func (h Hypervisor) Reset(_ context.Context, uid string) error {
	h.Reboot(uid)
	return nil
}

// Resume lets a paused guest go on.
func (h Hypervisor) Resume(_ context.Context, uid string) error {
	if err := h.begin("Resume", uid); err != nil {
		return err
	}
	defer h.mu.Unlock()
	m := h.machines[uid]
	switch {
	case m == nil || !m.runs:
	case h.spoilt:
		h.failWrite(uid, m)
	default:
		m.inst.State, m.inst.IOStatus = node.InstanceRunning, ""
	}
	return nil
}

// AttachDisk plugs a disk into a running machine.
func (h Hypervisor) AttachDisk(_ context.Context, uid string, d node.InstanceDisk) error {
	if err := h.begin("AttachDisk", uid); err != nil {
		return err
	}
	defer h.mu.Unlock()
	m := h.machines[uid]
	if m == nil || !m.runs {
		return fmt.Errorf("machine %s does not run", uid)
	}
	if slices.Contains(m.inst.Disks, d.UID) {
		return nil
	}
	if err := h.open(uid, []node.InstanceDisk{d}); err != nil {
		return err
	}
	m.inst.Disks = append(m.inst.Disks, d.UID)
	return nil
}

// DetachDisk takes a disk out of a running machine.
func (h Hypervisor) DetachDisk(_ context.Context, uid, diskUID string, _ time.Duration) error {
	if err := h.begin("DetachDisk", uid); err != nil {
		return err
	}
	defer h.mu.Unlock()
	if m := h.machines[uid]; m != nil {
		m.inst.Disks = slices.DeleteFunc(m.inst.Disks, func(d string) bool { return d == diskUID })
	}
	if d := h.disks[diskUID]; d != nil && d.user == uid {
		d.user = ""
	}
	return nil
}

// Grow and EjectMedium have nothing to do here.
func (h Hypervisor) Grow(context.Context, string, string, int64) error { return nil }

// EjectMedium has nothing to do here.
func (h Hypervisor) EjectMedium(context.Context, string) error { return nil }

// Find says whether the machine runs.
func (h Hypervisor) Find(_ context.Context, uid string) (node.Instance, bool, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	m := h.machines[uid]
	if m == nil || !m.runs {
		return node.Instance{}, false, nil
	}
	return m.copy(), true, nil
}

// Remove ends the machine and forgets it.
func (h Hypervisor) Remove(_ context.Context, uid string) error {
	if err := h.begin("Remove", uid); err != nil {
		return err
	}
	defer h.mu.Unlock()
	h.end(uid)
	delete(h.machines, uid)
	delete(h.inside, uid)
	delete(h.owners, uid)
	return nil
}

// Events delivers what happens.
func (h Hypervisor) Events() <-chan node.InstanceEvent { return h.events }

// SerialLog is what the guest wrote.
func (h Hypervisor) SerialLog(uid string) (io.ReadCloser, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	m := h.machines[uid]
	if m == nil {
		return nil, fmt.Errorf("machine %s: %w", uid, os.ErrNotExist)
	}
	return io.NopCloser(strings.NewReader(m.log.String())), nil
}

// Console echoes.
func (h Hypervisor) Console(_ context.Context, uid string) (io.ReadWriteCloser, error) {
	if _, ok, _ := h.Find(context.Background(), uid); !ok {
		return nil, fmt.Errorf("machine %s does not run", uid)
	}
	r, w := io.Pipe()
	return struct {
		io.Reader
		io.WriteCloser
	}{r, w}, nil
}

// Accelerator says that nothing is emulated or virtualised.
func (h Hypervisor) Accelerator() string { return "fake" }

// Version is nobody's.
func (h Hypervisor) Version() string { return "0" }

// Close lets go.
func (h Hypervisor) Close() error { return nil }

// Disks is the host's face as node.Disks.
type Disks struct{ *Host }

var _ node.Disks = Disks{}

// Ensure makes or grows the disk.
func (h Disks) Ensure(_ context.Context, d fabric.Disk) (fabric.DiskReport, error) {
	if err := h.begin("EnsureDisk", d.UID); err != nil {
		return fabric.DiskReport{}, err
	}
	defer h.mu.Unlock()
	have := h.disks[d.UID]
	if have == nil {
		if d.Made {
			return fabric.DiskReport{}, fmt.Errorf("disk %s: %w", d.UID, node.ErrLost)
		}
		if d.SourceDisk != "" && h.disks[d.SourceDisk] == nil {
			return fabric.DiskReport{}, fmt.Errorf("source disk %s: %w", d.SourceDisk, os.ErrNotExist)
		}
		have = &disk{d: d}
		h.disks[d.UID] = have
	}
	have.d.SizeBytes = max(have.d.SizeBytes, d.SizeBytes)
	return fabric.DiskReport{UID: d.UID, Presence: fabric.Present, SizeBytes: have.d.SizeBytes}, nil
}

// Remove deletes a disk that nobody uses.
func (h Disks) Remove(_ context.Context, uid string) error {
	if err := h.begin("RemoveDisk", uid); err != nil {
		return err
	}
	defer h.mu.Unlock()
	if d := h.disks[uid]; d != nil && d.user != "" {
		return fmt.Errorf("disk %s is in use by %s", uid, d.user)
	}
	delete(h.disks, uid)
	return nil
}

// Open says how to open the disk.
func (h Disks) Open(_ context.Context, uid string, owner int) (node.InstanceDisk, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	d := h.disks[uid]
	if d == nil {
		return node.InstanceDisk{}, fmt.Errorf("disk %s: %w", uid, os.ErrNotExist)
	}
	d.owner = owner
	return node.InstanceDisk{MachineDisk: fabric.MachineDisk{UID: uid}, Path: "/fake/" + uid, Format: "raw"}, nil
}

// Stat reports a disk.
func (h Disks) Stat(_ context.Context, uid string) (fabric.DiskReport, bool, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	d := h.disks[uid]
	if d == nil {
		return fabric.DiskReport{}, false, nil
	}
	return fabric.DiskReport{UID: uid, Presence: fabric.Present, SizeBytes: d.d.SizeBytes}, true, nil
}

// MakeImage makes an image of a disk.
func (h Disks) MakeImage(_ context.Context, img fabric.Image, progress func(int)) (fabric.ImageReport, error) {
	if err := h.begin("MakeImage", img.UID); err != nil {
		return fabric.ImageReport{}, err
	}
	defer h.mu.Unlock()
	d := h.disks[img.SourceDisk]
	if d == nil {
		if _, made := h.images[img.UID]; made {
			return fabric.ImageReport{UID: img.UID, Presence: fabric.Present}, nil
		}
		return fabric.ImageReport{}, fmt.Errorf("disk %s: %w", img.SourceDisk, os.ErrNotExist)
	}
	progress(50)
	h.images[img.UID] = img
	return fabric.ImageReport{UID: img.UID, Presence: fabric.Present, SizeBytes: d.d.SizeBytes, Progress: 100}, nil
}

// RemoveImage deletes an image.
func (h Disks) RemoveImage(_ context.Context, uid string) error {
	if err := h.begin("RemoveImage", uid); err != nil {
		return err
	}
	defer h.mu.Unlock()
	delete(h.images, uid)
	return nil
}

// Free says how much room there is.
func (h Disks) Free() (total, free int64, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return totalBytes, h.free, nil
}

// Networks is the host's face as node.Networks.
type Networks struct{ *Host }

var _ node.Networks = Networks{}

// Ensure makes the network as n says.
func (h Networks) Ensure(_ context.Context, n fabric.Network) error {
	if err := h.begin("EnsureNetwork", n.UID); err != nil {
		return err
	}
	defer h.mu.Unlock()
	h.networks[n.UID] = n
	for key := range h.plugged {
		net, port, _ := strings.Cut(key, "/")
		if net == n.UID && !slices.ContainsFunc(n.Ports, func(p fabric.Port) bool { return p.UID == port }) {
			delete(h.plugged, key)
		}
	}
	return nil
}

// Remove takes away the network.
func (h Networks) Remove(_ context.Context, uid string) error {
	if err := h.begin("RemoveNetwork", uid); err != nil {
		return err
	}
	defer h.mu.Unlock()
	delete(h.networks, uid)
	for key := range h.plugged {
		if strings.HasPrefix(key, uid+"/") {
			delete(h.plugged, key)
		}
	}
	return nil
}

// Plug opens a port.
func (h Networks) Plug(_ context.Context, networkUID, portUID string) (*os.File, error) {
	if err := h.begin("Plug", portUID); err != nil {
		return nil, err
	}
	defer h.mu.Unlock()
	n, ok := h.networks[networkUID]
	if !ok || !slices.ContainsFunc(n.Ports, func(p fabric.Port) bool { return p.UID == portUID }) {
		return nil, fmt.Errorf("port %s of network %s: %w", portUID, networkUID, os.ErrNotExist)
	}
	h.plugged[networkUID+"/"+portUID] = true
	return os.Open(os.DevNull)
}

// Unplug closes a port.
func (h Networks) Unplug(_ context.Context, networkUID, portUID string) error {
	if err := h.begin("Unplug", portUID); err != nil {
		return err
	}
	defer h.mu.Unlock()
	delete(h.plugged, networkUID+"/"+portUID)
	return nil
}

// List says which networks exist.
func (h Networks) List(context.Context) ([]string, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Sorted(maps.Keys(h.networks)), nil
}

// Close lets go.
func (h Networks) Close() error { return nil }

// Images are what a fake host's catalogue has.
func Images() []fabric.NodeImage {
	both := []fabric.Firmware{fabric.BIOS, fabric.UEFI}
	return []fabric.NodeImage{
		{Name: "debian-12", Publisher: "Debian", Offer: "debian-12", SKU: "12", Version: "12.20260101.0", OSType: "Linux", Firmware: both, SizeBytes: 2 << 30},
		{Name: "tiny", Publisher: "Lazuli", Offer: "tiny", SKU: "1", Version: "1.0.0", OSType: "Linux", Firmware: both, SizeBytes: 1 << 28},
	}
}
