package qemu

import (
	"context"
	"fmt"
	"os"
	"sync"
	"time"

	"lazuli/internal/node"
)

// attachTimeout is how long a QEMU has to answer on its monitor.
const attachTimeout = 5 * time.Second

// attachers is how many machines are taken hold of at a time.
const attachers = 32

// Attach finds the machines that run since before the agent started and takes
// hold of them again. A machine with which that fails is left as it is: every
// call for it fails until a Find, which tries again, succeeds.
func (d *Driver) Attach(ctx context.Context) ([]node.Instance, error) {
	entries, err := os.ReadDir(d.c.Root)
	if err != nil {
		return nil, fmt.Errorf("qemu: attach: %w", err)
	}
	var (
		wg    sync.WaitGroup
		mu    sync.Mutex
		slots = make(chan struct{}, attachers)
		insts []node.Instance
	)
	for _, e := range entries {
		if !e.IsDir() || checkUID(e.Name()) != nil {
			continue
		}
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			inst, ok, err := d.attach(ctx, e.Name())
			if err != nil {
				d.c.Log.Error("machine cannot be taken hold of and is left as it is", "vm", e.Name(), "err", err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			if ok {
				insts = append(insts, inst)
			}
		})
	}
	wg.Wait()
	return insts, nil
}

// attach takes hold of one machine, whatever an earlier agent was doing to it
// when it ended. ok says that the guest runs.
func (d *Driver) attach(ctx context.Context, uid string) (inst node.Instance, ok bool, err error) {
	m, err := d.entry(uid)
	if err != nil {
		return inst, false, err
	}
	if err := m.gate.enter(ctx); err != nil {
		return inst, false, err
	}
	defer m.gate.leave()
	defer func() { m.setBroken(err) }()
	if m.process() != nil {
		inst, err := m.process().instance(ctx, uid)
		return inst, err == nil, err
	}
	h, err := m.dir.load()
	if err != nil {
		return inst, false, err
	}
	if h.UID == "" {
		return inst, false, m.sweep(ctx)
	}
	d.owners.keep(uid, h.Owner)
	p, err := d.hold(m, h)
	if err != nil {
		return inst, false, err
	}
	if p == nil {
		return inst, false, d.tellEnd(ctx, m, h)
	}
	return d.resumeWatch(ctx, m, p, h)
}

// hold takes hold of the process that the handle names; nil if it is gone.
func (d *Driver) hold(m *machine, h handle) (*process, error) {
	if h.Process == nil {
		return nil, nil
	}
	pidfd, ok, err := h.Process.alive()
	if err != nil || !ok {
		return nil, err
	}
	p := newProcess(*h.Process, pidfd)
	d.wg.Go(p.await)
	return p, nil
}

// sweep removes a directory without a handle, and a process in it.
func (m *machine) sweep(ctx context.Context) error {
	if err := m.endStrays(ctx); err != nil {
		return err
	}
	return m.dir.remove()
}

// tellEnd tells how a machine ended that does not run.
func (d *Driver) tellEnd(ctx context.Context, m *machine, h handle) error {
	if err := m.endStrays(ctx); err != nil {
		return err
	}
	leaveCgroups(d.c, m.uid)
	if h.Process != nil {
		if h.Ended == nil {
			h.Ended = &ending{Kind: node.EventExited, At: time.Now().UTC(), Detail: h.lastWords()}
		}
		h.Process = nil
		if err := m.dir.save(h); err != nil {
			return err
		}
	}
	if h.Ended != nil {
		d.tell(m.uid, h.Ended.Kind, h.Ended.Detail, h.Ended.At)
	}
	return nil
}

// lastWords is what can be known of a process that ended while nobody looked.
func (h handle) lastWords() string {
	if boot, err := bootID(); err == nil && boot != h.Process.BootID {
		return "the host was restarted"
	}
	return "exit status is not known"
}

// resumeWatch goes on with a living process from the state that it is in.
func (d *Driver) resumeWatch(ctx context.Context, m *machine, p *process, h handle) (inst node.Instance, ok bool, err error) {
	dial, cancel := context.WithTimeout(ctx, attachTimeout)
	defer cancel()
	state, err := m.reach(dial, p)
	if err != nil {
		d.c.Log.Warn("monitor does not answer, will retry", "vm", m.uid, "err", err)
	}
	if h.Ended != nil { // and an agent before was about to end the process
		state = statusShutdown
	}
	m.setProcess(p)
	w := &watcher{d: d, m: m, p: p, h: h, paused: state != statusRunning}
	d.wg.Go(func() { w.run(state) })
	if state == statusPrelaunch || state == statusInternalError || state == statusShutdown {
		select {
		case <-p.over:
		case <-dial.Done(): // it takes its time, or waits for room on the disk
		}
		return inst, false, nil
	}
	inst, err = p.instance(dial, m.uid)
	if err != nil && p.ended(ctx) {
		return inst, false, nil
	}
	if err != nil { // alive, and more is not known yet
		return p.silent(m.uid), true, nil
	}
	return inst, true, nil
}
