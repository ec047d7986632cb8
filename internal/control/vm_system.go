package control

import (
	"context"

	"lazuli/internal/compute"
	"lazuli/internal/store"
)

// beginWith has the machine be with the OS disk with the UID, which it holds,
// and returns its status. Another than before has to be made first: until then
// the machine keeps the one that it has, and lacks this one. With another the
// machine begins anew: its guest is still to be set up.
func (c *Control) beginWith(ctx context.Context, tx store.Tx, v *vm, uid string) (compute.VMStatus, *lack, error) {
	if uid == "" || uid == v.Status.OSDisk {
		return v.Status, nil, nil
	}
	os, err := compute.Disks.Get(ctx, tx, v.Spec.OSDisk.ID)
	if err != nil {
		return v.Status, nil, err
	}
	if v.Status.OSDisk != "" && os.Status.SizeBytes == 0 {
		return v.Status, &lack{os.Status.Failure, c.Now().Sub(v.ChangedAt) < patience}, nil
	}
	now, err := compute.VMs.Find(ctx, tx, v.ID)
	if err != nil || now == nil || now.UID != v.UID || now.Generation != v.Generation {
		return v.Status, nil, err
	}
	if now.Status.OSDisk != "" {
		now.Status.CreatedAt, now.Status.ReadyAt = nil, nil
	}
	now.Status.OSDisk = uid
	return now.Status, nil, compute.VMs.PutStatus(tx, now.ID, &now.Status)
}
