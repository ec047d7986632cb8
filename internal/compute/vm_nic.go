package compute

import (
	"context"
	"slices"

	"lazuli/internal/arm"
	"lazuli/internal/network"
)

const nicsTarget = "properties.networkProfile.networkInterfaces"

func needNIC() error {
	return arm.InvalidParameter(nicsTarget, "A virtual machine needs at least one network interface.")
}

// applyNICs makes the machine's interfaces those of the body. Once the machine
// exists, that takes it to be deallocated.
func applyNICs(ctx context.Context, c *arm.Call, e *vmEdit, bodies []nicReference) error {
	now, err := readNICs(ctx, c, e, bodies)
	if err != nil {
		return err
	}
	before := e.Spec.NICs
	if e.Was != nil && !samePlugs(before, now) && PowerState(e.Was) != Deallocated {
		return arm.Conflict("AddingOrDeletingNetworkInterfacesOnARunningVirtualMachineNotSupported", "Network interfaces cannot be added to or removed from a running virtual machine. Deallocate VM %s first.", e.ID.Name()).At(nicsTarget)
	}
	for _, n := range before {
		if slices.ContainsFunc(now, func(x VMNIC) bool { return x.ID.Equal(n.ID) }) {
			continue
		}
		if err := network.UnplugNIC(ctx, c.Tx, n.ID, e.ID); err != nil {
			return err
		}
	}
	for _, n := range now {
		if err := network.PlugNIC(ctx, c.Tx, n.ID, e.ID, n.Primary); err != nil {
			return err
		}
	}
	e.Spec.NICs = now
	return nil
}

// samePlugs says whether both are the same interfaces with the same first one.
func samePlugs(a, b []VMNIC) bool {
	return slices.EqualFunc(a, b, func(x, y VMNIC) bool { return x.ID.Equal(y.ID) && x.Primary == y.Primary })
}

// readNICs reads the interfaces of a body, the primary one first, which all
// exist and are in one virtual network.
func readNICs(ctx context.Context, c *arm.Call, e *vmEdit, bodies []nicReference) ([]VMNIC, error) {
	if len(bodies) == 0 {
		return nil, needNIC()
	}
	var nics []VMNIC
	primaries, networkUID := 0, ""
	for i := range bodies {
		n, uid, err := readNIC(ctx, c, e, elementOf(nicsTarget, i), &bodies[i])
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(nics, func(x VMNIC) bool { return x.ID.Equal(n.ID) }) {
			return nil, arm.InvalidParameter(elementOf(nicsTarget, i)+".id", "Network interface '%s' is given twice.", n.ID.Name())
		}
		if networkUID != "" && uid != networkUID {
			return nil, arm.BadRequest("SubnetsNotInSameVnet", "The network interfaces of VM %s are not in the same virtual network.", e.ID.Name()).At(nicsTarget)
		}
		networkUID = uid
		if n.Primary {
			primaries++
		}
		nics = append(nics, n)
	}
	if len(nics) == 1 {
		nics[0].Primary, primaries = true, 1
	}
	if primaries != 1 {
		return nil, arm.BadRequest("VirtualMachineMustHaveOneNetworkInterfaceAsPrimary", "Virtual machine %s must have one network interface set as the primary; %d are.", e.ID.Name(), primaries).At(nicsTarget)
	}
	slices.SortStableFunc(nics, func(a, b VMNIC) int {
		switch {
		case a.Primary == b.Primary:
			return 0
		case a.Primary:
			return -1
		}
		return 1
	})
	return nics, nil
}

func readNIC(ctx context.Context, c *arm.Call, e *vmEdit, target string, b *nicReference) (n VMNIC, networkUID string, err error) {
	if b.ID.IsZero() {
		return n, "", arm.InvalidParameter(target+".id", "A network interface needs its id.")
	}
	nic, err := arm.Linked(ctx, c.Tx, network.NICs, &e.Meta, target+".id", b.ID)
	if err != nil {
		return n, "", err
	}
	option, err := arm.Enum(target+".properties.deleteOption", b.Properties.DeleteOption, detach, deleteIt)
	if err != nil {
		return n, "", err
	}
	n = VMNIC{ID: nic.ID, DeleteWithVM: option == deleteIt, Primary: b.Properties.Primary != nil && *b.Properties.Primary}
	return n, nic.Spec.NetworkUID, nil
}
