package qemu

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
)

// Shutdown presses the power button.
func (d *Driver) Shutdown(ctx context.Context, uid string) error {
	return d.command(ctx, uid, "system_powerdown")
}

// Reset restarts the guest, also one that an error has paused.
func (d *Driver) Reset(ctx context.Context, uid string) error {
	if err := d.command(ctx, uid, "system_reset"); err != nil {
		return err
	}
	return d.command(ctx, uid, "cont")
}

// Resume lets a paused guest go on. What it was writing is written first.
func (d *Driver) Resume(ctx context.Context, uid string) error {
	return d.command(ctx, uid, "cont")
}

// command runs a monitor command that neither takes nor returns anything.
func (d *Driver) command(ctx context.Context, uid, name string) error {
	p, err := d.running(uid)
	if err != nil {
		return err
	}
	if err := p.do(ctx, name, nil, nil); err != nil {
		return fmt.Errorf("qemu: %w", err)
	}
	return nil
}

// running returns the machine's process, or an error if none runs its guest.
func (d *Driver) running(uid string) (*process, error) {
	m, err := d.machine(uid)
	if err != nil {
		return nil, fmt.Errorf("qemu: %w", err)
	}
	p := m.process()
	if p == nil || p.halted.Load() {
		return nil, fmt.Errorf("qemu: %w", errNotRunning)
	}
	return p, nil
}

// Stop ends the machine's process and returns when it is gone. An ending that
// the machine had by itself is not told any more.
func (d *Driver) Stop(ctx context.Context, uid string) error {
	m, err := d.enter(ctx, uid)
	if err != nil {
		return fmt.Errorf("qemu: %w", err)
	}
	defer m.gate.leave()
	if err := d.stop(ctx, m); err != nil {
		return fmt.Errorf("qemu: stop: %w", err)
	}
	return nil
}

func (d *Driver) stop(ctx context.Context, m *machine) error {
	if p := m.process(); p != nil {
		if err := d.endProcess(ctx, m, p); err != nil {
			return err
		}
	}
	h, err := m.dir.load()
	if err != nil || h.UID == "" || h.Process == nil && h.Ended == nil {
		return err
	}
	h.Process, h.Ended = nil, nil
	return m.dir.save(h)
}

// endProcess ends p and returns when that is written down.
func (d *Driver) endProcess(ctx context.Context, m *machine, p *process) error {
	p.stopping.Store(true)
	if err := p.end(ctx); err != nil {
		return err
	}
	select {
	case <-p.over:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Remove ends the machine and forgets everything about it. The handle goes
// last but for the directory: until then Attach finds the machine.
func (d *Driver) Remove(ctx context.Context, uid string) error {
	m, err := d.enter(ctx, uid)
	if err != nil {
		return fmt.Errorf("qemu: %w", err)
	}
	defer m.gate.leave()
	if err := d.stop(ctx, m); err != nil {
		return fmt.Errorf("qemu: remove: %w", err)
	}
	m.console.end()
	leaveCgroups(d.c, uid)
	if err := m.dir.remove(); err != nil {
		return fmt.Errorf("qemu: remove: %w", err)
	}
	d.owners.release(uid)
	return nil
}

// remove deletes the directory. One without a handle is the rest of a removal,
// or the beginning of a machine that was never started.
func (d dir) remove() error {
	if err := os.RemoveAll(d.file(handleFile)); err != nil {
		return err
	}
	if err := os.RemoveAll(string(d)); err != nil {
		return err
	}
	return syncDir(filepath.Dir(string(d)))
}
