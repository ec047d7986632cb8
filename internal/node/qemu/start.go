package qemu

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"lazuli/internal/node"
	"lazuli/internal/node/qemu/qmp"
)

// startTimeout bounds the time until QEMU answers; it opens disks in it.
const startTimeout = 60 * time.Second

// Start starts the machine unless it runs, and returns once QEMU runs the
// guest.
func (d *Driver) Start(ctx context.Context, spec node.InstanceSpec) error {
	uid := spec.Machine.UID
	owner, err := d.Owner(uid)
	if err != nil {
		return fmt.Errorf("qemu: %w", err)
	}
	m, err := d.enter(ctx, uid)
	if err != nil {
		return fmt.Errorf("qemu: %w", err)
	}
	defer m.gate.leave()
	if p := m.process(); p != nil {
		if !p.halted.Load() {
			return nil
		}
		if err := d.endProcess(ctx, m, p); err != nil {
			return fmt.Errorf("qemu: %w", err)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	if err := d.start(ctx, m, owner, spec); err != nil {
		return fmt.Errorf("qemu: %w", err)
	}
	return nil
}

func (d *Driver) start(ctx context.Context, m *machine, owner int, spec node.InstanceSpec) error {
	var f files
	defer func() { f.close() }()
	l, err := d.prepare(m, spec, &f)
	if errors.Is(err, errLocked) {
		// A process that this agent does not know of never ran its guest.
		if err = m.endStrays(ctx); err == nil {
			f.close()
			f = files{}
			l, err = d.prepare(m, spec, &f)
		}
	}
	if err != nil {
		return err
	}
	args, err := argv(l)
	if err != nil {
		return err
	}
	p, err := d.spawn(owner, spec.Machine, args, &f)
	if err != nil {
		return err
	}
	f.close()
	f = files{}
	d.wg.Go(p.await)
	if err := d.launch(ctx, m, p, owner, spec); err != nil {
		return errors.Join(err, d.giveUp(m, p, owner))
	}
	m.setProcess(p)
	w := &watcher{d: d, m: m, p: p, h: handle{UID: m.uid, Owner: owner, Process: &p.id}}
	d.wg.Go(func() { w.run(statusRunning) })
	return nil
}

// launch confines a process and writes it down, and only then lets its guest
// run.
func (d *Driver) launch(ctx context.Context, m *machine, p *process, owner int, spec node.InstanceSpec) error {
	if err := m.dir.save(handle{UID: m.uid, Owner: owner, Process: &p.id}); err != nil {
		return err
	}
	if err := spare(p.id.PID); err != nil {
		return m.explain(p, err)
	}
	joinCgroups(d.c, p.id.PID, spec.Machine)
	c, err := m.connect(ctx, p)
	if err != nil {
		return m.explain(p, err)
	}
	p.setMonitor(c)
	if err := p.do(ctx, "cont", nil, nil); err != nil {
		return m.explain(p, err)
	}
	return nil
}

// connect speaks to the monitor. It gives up when the process ends.
func (m *machine) connect(ctx context.Context, p *process) (*qmp.Client, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-p.gone:
			cancel()
		case <-ctx.Done():
		}
	}()
	conn, err := m.dir.dial(ctx, monitorSock)
	if err != nil {
		return nil, err
	}
	return qmp.New(ctx, conn)
}

// explain finds what QEMU said before it ended.
func (m *machine) explain(p *process, err error) error {
	select {
	case <-p.gone:
	case <-time.After(time.Second):
		return err
	}
	said, rerr := os.ReadFile(m.dir.file(processLog))
	if rerr != nil || len(said) == 0 {
		return fmt.Errorf("process ended with %s", p.status)
	}
	return fmt.Errorf("process ended with %s: %s", p.status, lastLine(string(said)))
}

// giveUp ends a process that could not be started as it should.
func (d *Driver) giveUp(m *machine, p *process, owner int) error {
	ctx, cancel := context.WithTimeout(context.Background(), quitTimeout)
	defer cancel()
	if c := p.monitor(); c != nil {
		defer c.Close()
	}
	if err := p.kill(); err != nil {
		return err
	}
	select {
	case <-p.gone:
	case <-ctx.Done():
		return ctx.Err()
	}
	p.pidfd.Close()
	leaveCgroups(d.c, m.uid)
	return m.dir.save(handle{UID: m.uid, Owner: owner})
}
