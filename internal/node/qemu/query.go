package qemu

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"lazuli/internal/node"
	"lazuli/internal/node/qemu/qmp"
)

// What QEMU says of a machine as a whole.
const (
	statusPrelaunch     = "prelaunch" // the guest never ran
	statusRunning       = "running"
	statusShutdown      = "shutdown" // the guest powered off
	statusInternalError = "internal-error"
	statusIOError       = "io-error"
)

// runState asks what the machine as a whole is doing.
func (p *process) runState(ctx context.Context) (string, error) {
	var s struct{ Status string }
	err := p.do(ctx, "query-status", nil, &s)
	return s.Status, err
}

// drive is an entry of query-block.
type drive struct {
	QDev     string `json:"qdev"`
	IOStatus string `json:"io-status"`
	Inserted *struct {
		NodeName string `json:"node-name"`
		Image    struct {
			VirtualSize int64 `json:"virtual-size"`
		} `json:"image"`
	} `json:"inserted"`
}

// diskUID of a drive; ok is false when it is none of a disk. A virtio disk
// names itself by a path, a SCSI disk by its id.
func (d drive) diskUID() (uid string, ok bool) {
	id := strings.TrimSuffix(strings.TrimPrefix(d.QDev, "/machine/peripheral/"), "/virtio-backend")
	return strings.CutPrefix(id, devicePrefix)
}

func (p *process) drives(ctx context.Context) ([]drive, error) {
	var all []drive
	err := p.do(ctx, "query-block", nil, &all)
	return all, err
}

// disk finds the drive of a disk; ok is false when it is not attached.
func (p *process) disk(ctx context.Context, diskUID string) (drv drive, ok bool, err error) {
	all, err := p.drives(ctx)
	for _, drv := range all {
		if uid, ok := drv.diskUID(); ok && uid == diskUID {
			return drv, true, nil
		}
	}
	return drive{}, false, err
}

// findTimeout is how long a QEMU has to say what it is doing. A host that is
// busy with many guests under TCG needs some of it.
const findTimeout = 10 * time.Second

// Find says what the machine is doing. Of one whose QEMU does not answer it
// says just that.
func (d *Driver) Find(ctx context.Context, uid string) (node.Instance, bool, error) {
	m, err := d.machine(uid)
	if errors.Is(err, errBroken) {
		if _, _, err := d.attach(ctx, uid); err != nil {
			return node.Instance{}, false, fmt.Errorf("qemu: %w: %w", errBroken, err)
		}
		m, err = d.machine(uid)
	}
	if err != nil {
		return node.Instance{}, false, fmt.Errorf("qemu: %w", err)
	}
	p := m.process()
	if p == nil {
		return node.Instance{}, false, nil
	}
	inst, err := p.find(ctx, uid)
	if p.halted.Load() || m.process() != p {
		return node.Instance{}, false, nil
	}
	if err != nil && ctx.Err() == nil && unanswered(err) {
		return p.silent(uid), true, nil
	}
	if err != nil {
		return node.Instance{}, false, fmt.Errorf("qemu: %w", err)
	}
	return inst, true, nil
}

// find asks QEMU what Find tells, and has every event passed on that came
// before the answer.
func (p *process) find(ctx context.Context, uid string) (node.Instance, error) {
	ctx, cancel := context.WithTimeout(ctx, findTimeout)
	defer cancel()
	inst, err := p.instance(ctx, uid)
	if errors.Is(err, qmp.ErrClosed) || errors.Is(err, errNoMonitor) {
		p.ended(ctx) // perhaps; its watcher knows
	}
	if lerr := p.look(ctx); err == nil {
		err = lerr
	}
	return inst, err
}

// unanswered says that it is QEMU which failed, rather than what was asked of
// it.
func unanswered(err error) bool {
	return errors.Is(err, qmp.ErrClosed) || errors.Is(err, errNoMonitor) || errors.Is(err, context.DeadlineExceeded)
}

// instance asks QEMU for all that Find tells.
func (p *process) instance(ctx context.Context, uid string) (node.Instance, error) {
	inst := node.Instance{UID: uid, PID: p.id.PID, StartedAt: p.id.StartedAt, State: node.InstanceRunning}
	status, err := p.runState(ctx)
	if err != nil {
		return inst, err
	}
	drives, err := p.drives(ctx)
	if err != nil {
		return inst, err
	}
	if status != statusRunning {
		inst.State = node.InstancePaused
	}
	for _, drv := range drives {
		if diskUID, ok := drv.diskUID(); ok {
			inst.Disks = append(inst.Disks, diskUID)
		}
		if inst.State == node.InstancePaused && inst.IOStatus != "failed" {
			inst.IOStatus = worse(inst.IOStatus, drv.IOStatus)
		}
	}
	return inst, nil
}

// worse of two io-status values, where "ok" and "" are none.
func worse(a, b string) string {
	if b == "nospace" || b == "failed" {
		return b
	}
	return a
}
