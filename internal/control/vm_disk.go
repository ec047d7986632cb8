package control

import (
	"context"
	"fmt"

	"lazuli/internal/arm"
	"lazuli/internal/compute"
	"lazuli/internal/fabric"
	"lazuli/internal/store"
)

// holdDisks sees to it that the machine holds all its disks. Until it does, its
// node is not told of them: a disk has one writer.
func (c *Control) holdDisks(ctx context.Context, v *vm) (lacks *lack, err error) {
	status := v.Status
	_, err = c.store.Update(ctx, func(tx store.Tx) (err error) {
		held, why, err := c.holdAll(ctx, tx, v)
		if err != nil {
			return err
		}
		lacks = nil
		if why != "" {
			lacks = &lack{&fabric.Problem{Code: "DiskNotAvailable", Message: why}, c.Now().Sub(v.ChangedAt) < patience}
		}
		var waits *lack
		status, waits, err = c.beginWith(ctx, tx, v, held[arm.Key(v.Spec.OSDisk.ID)])
		if lacks == nil {
			lacks = waits
		}
		return err
	})
	v.Status = status
	return lacks, err
}

// holdAll has the machine hold all its disks, as far as nobody else does. It
// returns the UIDs of those that it holds, by their key, and why it does not
// hold another.
func (c *Control) holdAll(ctx context.Context, tx store.Tx, v *vm) (held map[string]string, why string, err error) {
	held = map[string]string{}
	for _, id := range v.Spec.DiskIDs() {
		uid, not, err := c.holdDisk(ctx, tx, id, v)
		if err != nil {
			return nil, "", err
		}
		if not != "" {
			why = not
			continue
		}
		held[arm.Key(id)] = uid
	}
	return held, why, nil
}

// holdDisk has the machine hold a disk if nobody else does, and returns its
// UID; else it says why not.
func (c *Control) holdDisk(ctx context.Context, tx store.Tx, id arm.ID, v *vm) (uid, why string, err error) {
	d, err := compute.Disks.Find(ctx, tx, id)
	if err != nil {
		return "", "", err
	}
	if d == nil || !d.Spec.ManagedBy.Equal(v.ID) {
		return "", fmt.Sprintf("The disk %s is not the virtual machine's any more.", id.Name()), nil
	}
	s := d.Status
	switch {
	case s.HeldBy.Equal(v.ID) && s.Node == v.Status.Node:
		return d.UID, "", nil
	case !s.HeldBy.IsZero() && !s.HeldBy.Equal(v.ID):
		return "", fmt.Sprintf("The virtual machine %s has not let go of the disk %s yet.", s.HeldBy.Name(), id.Name()), nil
	case s.Node != "" && s.Node != v.Status.Node:
		return "", fmt.Sprintf("The disk %s is on the node %s, the virtual machine on %s. Detach the disk.", id.Name(), s.Node, v.Status.Node), nil
	}
	s.HeldBy, s.Node = v.ID, v.Status.Node
	return d.UID, "", compute.Disks.PutStatus(tx, d.ID, &s)
}

// letGoOfDisks clears HeldBy of the disks that the machine was to be without at
// v's generation, which its node has reached.
func (c *Control) letGoOfDisks(ctx context.Context, v *vm) error {
	disks, err := compute.Disks.List(ctx, c.mirror, arm.ID{})
	if err != nil {
		return err
	}
	for _, d := range disks {
		if !d.Status.HeldBy.Equal(v.ID) || d.Spec.ManagedBy.Equal(v.ID) {
			continue
		}
		_, err := c.store.Update(ctx, func(tx store.Tx) error {
			now, err := compute.VMs.Find(ctx, tx, v.ID)
			if err != nil || now == nil || now.UID != v.UID || now.Generation != v.Generation {
				return err
			}
			disk, err := compute.Disks.Find(ctx, tx, d.ID)
			if err != nil || disk == nil || disk.UID != d.UID || !disk.Status.HeldBy.Equal(v.ID) || disk.Spec.ManagedBy.Equal(v.ID) {
				return err
			}
			disk.Status.HeldBy = arm.ID{}
			return compute.Disks.PutStatus(tx, disk.ID, &disk.Status)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// observeDisks writes down what the node has said of the machine's disks. It
// tells of a disk right after it made it, and only then starts a machine that
// waited for it.
func (c *Control) observeDisks(ctx context.Context, v *vm) error {
	for _, d := range v.Spec.AllDisks() {
		if _, err := c.reconcileDisk(ctx, d.ID); err != nil {
			return err
		}
	}
	return nil
}
