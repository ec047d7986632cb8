package qemu

import (
	"context"
	"errors"
	"fmt"
	"time"

	"lazuli/internal/node"
)

// detachPoll is how often a guest that was asked to let go of a disk is looked
// at.
const detachPoll = 20 * time.Millisecond

// AttachDisk plugs a data disk into a running machine.
func (d *Driver) AttachDisk(ctx context.Context, uid string, disk node.InstanceDisk) error {
	if disk.OS {
		return errors.New("qemu: the os disk of a running machine cannot be changed")
	}
	if err := checkDisk(disk); err != nil {
		return fmt.Errorf("qemu: %w", err)
	}
	return d.change(ctx, uid, func(p *process) error {
		if _, ok, err := p.disk(ctx, disk.UID); err != nil || ok {
			return err
		}
		if err := p.dropNode(ctx, nodeName(disk)); err != nil { // of an attach that was broken off
			return err
		}
		if err := p.do(ctx, "blockdev-add", blockdev(disk, d.storage()), nil); err != nil {
			return err
		}
		if err := p.do(ctx, "device_add", device(disk), nil); err != nil {
			return errors.Join(err, p.dropNode(ctx, nodeName(disk)))
		}
		return nil
	})
}

// DetachDisk takes a data disk out of a running machine.
func (d *Driver) DetachDisk(ctx context.Context, uid, diskUID string, timeout time.Duration) error {
	return d.change(ctx, uid, func(p *process) error {
		drv, ok, err := p.disk(ctx, diskUID)
		if err != nil || !ok {
			return err
		}
		if drv.Inserted != nil && drv.Inserted.NodeName == "os" {
			return errors.New("the os disk of a running machine cannot be taken out")
		}
		if err := p.do(ctx, "device_del", block{"id": deviceID(diskUID)}, nil); err != nil {
			return err
		}
		if err := p.awaitDetached(ctx, diskUID, timeout); err != nil {
			return err
		}
		if drv.Inserted == nil {
			return nil
		}
		return p.dropNode(ctx, drv.Inserted.NodeName)
	})
}

// change runs f on the machine's process while nobody else changes it.
func (d *Driver) change(ctx context.Context, uid string, f func(*process) error) error {
	m, err := d.enter(ctx, uid)
	if err != nil {
		return fmt.Errorf("qemu: %w", err)
	}
	defer m.gate.leave()
	p, err := d.running(uid)
	if err != nil {
		return err
	}
	if err := f(p); err != nil {
		return fmt.Errorf("qemu: %w", err)
	}
	return nil
}

// awaitDetached asks until the disk is gone. There is an event for it, but it
// may have come before this agent did.
func (p *process) awaitDetached(ctx context.Context, diskUID string, timeout time.Duration) error {
	deadline, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	tick := time.NewTicker(detachPoll)
	defer tick.Stop()
	for {
		if _, attached, err := p.disk(ctx, diskUID); err != nil || !attached {
			return err
		}
		select {
		case <-tick.C:
		case <-deadline.Done():
			return fmt.Errorf("the guest does not let go of the disk: %w", deadline.Err())
		}
	}
}

// dropNode closes a block node if it is there. That the file's lock is free is
// certain when it returns.
func (p *process) dropNode(ctx context.Context, name string) error {
	var nodes []struct {
		NodeName string `json:"node-name"`
	}
	if err := p.do(ctx, "query-named-block-nodes", block{"flat": true}, &nodes); err != nil {
		return err
	}
	for _, n := range nodes {
		if n.NodeName == name {
			return p.do(ctx, "blockdev-del", block{"node-name": name}, nil)
		}
	}
	return nil
}

// Grow tells a running guest the new size of a disk, and makes its file that
// large. A disk that is as large already is left alone.
func (d *Driver) Grow(ctx context.Context, uid, diskUID string, sizeBytes int64) error {
	return d.change(ctx, uid, func(p *process) error {
		drv, ok, err := p.disk(ctx, diskUID)
		if err != nil {
			return err
		}
		if !ok || drv.Inserted == nil {
			return fmt.Errorf("disk %s is not attached", diskUID)
		}
		if drv.Inserted.Image.VirtualSize >= sizeBytes {
			return nil
		}
		return p.do(ctx, "block_resize", block{"node-name": drv.Inserted.NodeName, "size": sizeBytes}, nil)
	})
}

// EjectMedium takes the provisioning medium out, if it is still in. The drive
// stays, empty.
func (d *Driver) EjectMedium(ctx context.Context, uid string) error {
	return d.change(ctx, uid, func(p *process) error {
		all, err := p.drives(ctx)
		if err != nil {
			return err
		}
		for _, drv := range all {
			if drv.QDev != mediumID || drv.Inserted == nil {
				continue
			}
			if err := p.do(ctx, "eject", block{"id": mediumID, "force": true}, nil); err != nil {
				return err
			}
		}
		return p.dropNode(ctx, mediumID)
	})
}
