package compute

import (
	"context"

	"lazuli/internal/arm"
	"lazuli/internal/network"
	"lazuli/internal/store"
)

// Forget ends the deletion of the machine o, once nothing of it is left on any
// node: disks and interfaces that go with it are deleted, the others are free,
// and then the machine itself is gone. Disks that are deleted have a deletion
// of their own, which is begun. c gives the time and new ids; nothing else of
// it is used.
func Forget(ctx context.Context, tx store.Tx, c *arm.Call, o *arm.Object[VM, VMStatus]) error {
	for _, d := range append([]VMDisk{o.Spec.OSDisk}, o.Spec.DataDisks...) {
		if err := forgetDisk(ctx, tx, c, o, &d); err != nil {
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

func forgetDisk(ctx context.Context, tx store.Tx, c *arm.Call, vm *vmObject, d *VMDisk) error {
	disk, err := Disks.Find(ctx, tx, d.ID)
	if err != nil || disk == nil || !disk.Spec.ManagedBy.Equal(vm.ID) {
		return err
	}
	disk.Spec.ManagedBy, disk.Spec.OS = arm.ID{}, false
	if !d.DeleteWithVM || disk.Deleting() {
		return Disks.Put(ctx, tx, disk)
	}
	_, err = arm.BeginDelete(ctx, tx, Disks, disk, c)
	return err
}
