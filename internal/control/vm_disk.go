package control

import (
	"context"

	"lazuli/internal/arm"
	"lazuli/internal/compute"
	"lazuli/internal/store"
)

// diskIDs are the machine's disks, the OS disk first.
func diskIDs(v *vm) []arm.ID {
	ids := []arm.ID{v.Spec.OSDisk.ID}
	for _, d := range v.Spec.DataDisks {
		ids = append(ids, d.ID)
	}
	return ids
}

// holdDisks sees to it that the machine holds all its disks. Until it does, its
// node is not told of them: a disk has one writer.
func (c *Control) holdDisks(ctx context.Context, v *vm) (done bool, err error) {
	_, err = c.store.Update(ctx, func(tx store.Tx) error {
		done = true
		for _, id := range diskIDs(v) {
			held, err := c.holdDisk(ctx, tx, id, v)
			if err != nil {
				return err
			}
			done = done && held
		}
		return nil
	})
	return done, err
}

// holdDisk has the machine hold a disk if nobody else does.
func (c *Control) holdDisk(ctx context.Context, tx store.Tx, id arm.ID, v *vm) (held bool, err error) {
	d, err := compute.Disks.Find(ctx, tx, id)
	if err != nil || d == nil {
		return false, err
	}
	s := d.Status
	switch {
	case !d.Spec.ManagedBy.Equal(v.ID):
		return false, nil
	case s.HeldBy.Equal(v.ID) && s.Node == v.Status.Node:
		return true, nil
	case !s.HeldBy.IsZero() && !s.HeldBy.Equal(v.ID), s.Node != "" && s.Node != v.Status.Node:
		return false, nil
	}
	s.HeldBy, s.Node = v.ID, v.Status.Node
	return true, compute.Disks.PutStatus(tx, d.ID, &s)
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
