package node

import (
	"reflect"
	"sync"

	"lazuli/internal/fabric"
)

// outbox holds what the control plane has yet to hear. What is said twice
// without change is sent once. Its lock is taken last: nothing that is called
// under it takes another.
type outbox struct {
	mu       *sync.Mutex
	machines map[string]fabric.MachineReport
	disks    map[string]fabric.DiskReport
	images   map[string]fabric.ImageReport
	networks map[string]fabric.NetworkReport
	dirty    map[fabric.Ref]bool
	wake     chan struct{}
}

func newOutbox() outbox {
	return outbox{
		mu:       new(sync.Mutex),
		machines: map[string]fabric.MachineReport{}, disks: map[string]fabric.DiskReport{},
		images: map[string]fabric.ImageReport{}, networks: map[string]fabric.NetworkReport{},
		dirty: map[fabric.Ref]bool{}, wake: make(chan struct{}, 1),
	}
}

func put[R any](o *outbox, m map[string]R, kind fabric.Kind, uid string, r R) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if old, ok := m[uid]; ok && reflect.DeepEqual(old, r) {
		return
	}
	m[uid] = r
	o.dirty[fabric.Ref{Kind: kind, UID: uid}] = true
	o.signal()
}

func (o *outbox) signal() {
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

func (o *outbox) machine(r fabric.MachineReport) { put(o, o.machines, fabric.KindMachine, r.UID, r) }
func (o *outbox) disk(r fabric.DiskReport)       { put(o, o.disks, fabric.KindDisk, r.UID, r) }
func (o *outbox) image(r fabric.ImageReport)     { put(o, o.images, fabric.KindImage, r.UID, r) }
func (o *outbox) network(r fabric.NetworkReport) { put(o, o.networks, fabric.KindNetwork, r.UID, r) }

// What was last said of one; nothing if nothing was.
func (o *outbox) machineReport(uid string) fabric.MachineReport { return said(o, o.machines, uid) }
func (o *outbox) diskReport(uid string) fabric.DiskReport       { return said(o, o.disks, uid) }
func (o *outbox) networkReport(uid string) fabric.NetworkReport { return said(o, o.networks, uid) }

func said[R any](o *outbox, m map[string]R, uid string) R {
	o.mu.Lock()
	defer o.mu.Unlock()
	return m[uid]
}

func (o *outbox) forget(r fabric.Ref) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.dirty, r)
	switch r.Kind {
	case fabric.KindMachine:
		delete(o.machines, r.UID)
	case fabric.KindDisk:
		delete(o.disks, r.UID)
	case fabric.KindImage:
		delete(o.images, r.UID)
	case fabric.KindNetwork:
		delete(o.networks, r.UID)
	}
}

// keepOnly drops what was said of machines, disks and images that are not
// assigned any more; nobody asks for it again. Networks that are not assigned
// are told of: somebody has to say that they are to go.
func (o *outbox) keepOnly(a *fabric.Assignment) {
	o.mu.Lock()
	defer o.mu.Unlock()
	keepOnly(o, o.machines, fabric.KindMachine, a.Machines, func(x fabric.Machine) string { return x.UID })
	keepOnly(o, o.disks, fabric.KindDisk, a.Disks, func(x fabric.Disk) string { return x.UID })
	keepOnly(o, o.images, fabric.KindImage, a.Images, func(x fabric.Image) string { return x.UID })
}

// keepOnly is called with mu held.
func keepOnly[R, T any](o *outbox, said map[string]R, kind fabric.Kind, assigned []T, uid func(T) string) {
	keep := make(map[string]bool, len(assigned))
	for _, x := range assigned {
		keep[uid(x)] = true
	}
	for u := range said {
		if !keep[u] {
			delete(said, u)
			delete(o.dirty, fabric.Ref{Kind: kind, UID: u})
		}
	}
}

// all marks everything to be said again, as after a new connection.
func (o *outbox) all() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for uid := range o.machines {
		o.dirty[fabric.Ref{Kind: fabric.KindMachine, UID: uid}] = true
	}
	for uid := range o.disks {
		o.dirty[fabric.Ref{Kind: fabric.KindDisk, UID: uid}] = true
	}
	for uid := range o.images {
		o.dirty[fabric.Ref{Kind: fabric.KindImage, UID: uid}] = true
	}
	for uid := range o.networks {
		o.dirty[fabric.Ref{Kind: fabric.KindNetwork, UID: uid}] = true
	}
	o.signal()
}

// take empties the outbox into a report; nil when there is nothing to say.
func (o *outbox) take() *fabric.Report {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.dirty) == 0 {
		return nil
	}
	var r fabric.Report
	for ref := range o.dirty {
		switch ref.Kind {
		case fabric.KindMachine:
			r.Machines = append(r.Machines, o.machines[ref.UID])
		case fabric.KindDisk:
			r.Disks = append(r.Disks, o.disks[ref.UID])
		case fabric.KindImage:
			r.Images = append(r.Images, o.images[ref.UID])
		case fabric.KindNetwork:
			r.Networks = append(r.Networks, o.networks[ref.UID])
		}
	}
	clear(o.dirty)
	return &r
}
