package compute

import (
	"context"

	"lazuli/internal/arm"
	"lazuli/internal/network"
	"lazuli/internal/store"
)

// DeleteDisks begins the deletion of the disks that go with the machine o, once
// no node has anything of it any more, and says whether one of them is left to
// wait for: whoever deletes a machine may make another with disks of the same
// names as soon as it is gone. A disk whose deletion has failed is not waited
// for. c gives the time and new ids; nothing else of it is used.
func DeleteDisks(ctx context.Context, tx store.Tx, c *arm.Call, o *arm.Object[VM, VMStatus]) (left bool, err error) {
	for _, d := range o.Spec.AllDisks() {
		if !d.DeleteWithVM {
			continue
		}
		waits, err := deleteDisk(ctx, tx, c, o, d.ID)
		if err != nil {
			return false, err
		}
		left = left || waits
	}
	return left, nil
}

func deleteDisk(ctx context.Context, tx store.Tx, c *arm.Call, vm *vmObject, id arm.ID) (left bool, err error) {
	disk, err := Disks.Find(ctx, tx, id)
	if err != nil || disk == nil {
		return false, err
	}
	if disk.Spec.ManagedBy.Equal(vm.ID) {
		disk.Spec.ManagedBy, disk.Spec.OS = arm.ID{}, false
		disk.Status.HeldBy = arm.ID{}
		if err := Disks.PutStatus(tx, id, &disk.Status); err != nil {
			return false, err
		}
		if disk.Deleting() {
			return true, Disks.Put(ctx, tx, disk)
		}
		_, err := arm.BeginDelete(ctx, tx, Disks, disk, c)
		return true, err
	}
	if !disk.Deleting() {
		return false, nil // it is another of the same name
	}
	op, err := arm.GetOperation(ctx, tx, disk.Operation)
	return op != nil && !op.Done(), err
}

// Forget ends the deletion of the machine o, once nothing of it is left on any
// node: interfaces that go with it are deleted, its other things are free, and
// then the machine itself is gone.
func Forget(ctx context.Context, tx store.Tx, o *arm.Object[VM, VMStatus]) error {
	for _, d := range o.Spec.AllDisks() {
		if err := freeDisk(ctx, tx, o, d.ID); err != nil {
			return err
		}
	}
	for _, n := range o.Spec.NICs {
		end := network.UnplugNIC
		if n.DeleteWithVM {
			end = network.RemoveNIC
		}
		if err := end(ctx, tx, n.ID, o.ID); err != nil {
			return err
		}
	}
	DropSecrets(tx, o.UID)
	return VMs.Delete(ctx, tx, o.ID)
}

func freeDisk(ctx context.Context, tx store.Tx, vm *vmObject, id arm.ID) error {
	disk, err := Disks.Find(ctx, tx, id)
	if err != nil || disk == nil || !disk.Spec.ManagedBy.Equal(vm.ID) {
		return err
	}
	disk.Spec.ManagedBy, disk.Spec.OS = arm.ID{}, false
	return Disks.Put(ctx, tx, disk)
}
