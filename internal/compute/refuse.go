package compute

import (
	"context"

	"lazuli/internal/arm"
)

// never is an action that Azure has and that no resource of this cloud is in a
// state for. It answers as Azure does of such a resource: why is a sentence
// about the resource's name.
func never[S, T any](in arm.Collection[S, T], code, why string) arm.Action {
	return func(ctx context.Context, c *arm.Call, _ []byte) (arm.Result, error) {
		o, err := in.Get(ctx, c.Tx, c.ID)
		if err != nil {
			return arm.Result{}, err
		}
		return arm.Result{}, arm.Conflict(code, why, o.ID.Name())
	}
}

// neverOnVM are the actions on a machine that this cloud has no use for.
func neverOnVM() map[string]arm.Action {
	no := func(why string) arm.Action { return never(VMs, "OperationNotAllowed", why) }
	return map[string]arm.Action{
		"simulateEviction":                no("Operation 'simulateEviction' is not allowed on VM '%s' since it is not an Azure Spot Virtual Machine: its priority is Regular."),
		"capture":                         no("The Capture action is only supported on a Virtual Machine with blob based disks, and VM '%s' has managed ones. Please use the 'Image' resource APIs to create an Image from a managed Virtual Machine."),
		"convertToManagedDisks":           no("VM '%s' is already using managed disks."),
		"assessPatches":                   no("Operation 'assessPatches' is not allowed on VM '%s': this cloud looks after no patches. Ask the guest's own package manager."),
		"installPatches":                  no("Operation 'installPatches' is not allowed on VM '%s': this cloud looks after no patches. Use the guest's own package manager."),
		"performMaintenance":              no("Operation 'performMaintenance' is not allowed on VM '%s' since no maintenance of it is planned."),
		"migrateToVirtualMachineScaleSet": no("Operation 'migrateToVirtualMachineScaleSet' is not allowed on VM '%s': this cloud has no virtual machine scale sets."),
	}
}

// avsetActions are those on an availability set. All of them lead to scale
// sets.
func avsetActions() map[string]arm.Action {
	all := map[string]arm.Action{}
	for _, name := range []string{
		"convertToVirtualMachineScaleSet", "startMigrationToVirtualMachineScaleSet",
		"cancelMigrationToVirtualMachineScaleSet", "validateMigrationToVirtualMachineScaleSet",
	} {
		all[name] = never(AvailabilitySets, "OperationNotAllowed", "Operation '"+name+"' is not allowed on Availability Set '%s': this cloud has no virtual machine scale sets.")
	}
	return all
}

// diskActions are those on a disk: its content cannot be had by a URL.
func diskActions() map[string]arm.Action {
	const instead = "A guest that has the disk attached can read and write it."
	return map[string]arm.Action{
		"beginGetAccess": never(Disks, "OperationNotAllowed", "Disk '%s' cannot be read or written by a URL in this cloud. "+instead),
		"endGetAccess":   never(Disks, "OperationNotAllowed", "No URL was given out for disk '%s', so that none can be taken back. "+instead),
	}
}
