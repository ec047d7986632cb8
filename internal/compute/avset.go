package compute

import (
	"context"
	"strings"

	"lazuli/internal/arm"
	"lazuli/internal/store"
)

// AvailabilitySet is a number of machines of which as few as possible should
// go down together: placement keeps them on different nodes where it can.
type AvailabilitySet struct {
	SKU           string `json:"sku"`
	FaultDomains  int    `json:"faultDomains"`
	UpdateDomains int    `json:"updateDomains"`
}

// The kinds of availability sets. A Classic one is for disks that there are
// none of here, so that it stays empty until it is made Aligned.
const (
	classic = "Classic"
	aligned = "Aligned"
)

// How many domains an availability set may have, and has when nothing is said.
const (
	maxFaultDomains, defaultFaultDomains   = 3, 3
	maxUpdateDomains, defaultUpdateDomains = 20, 5
)

type (
	avsetObject = arm.Object[AvailabilitySet, NoStatus]
	avsetEdit   = arm.Edit[AvailabilitySet, NoStatus]
)

type avsetBody struct {
	arm.Header
	SKU        *avsetSKU       `json:"sku,omitempty"`
	Properties avsetProperties `json:"properties"`
}

type avsetSKU struct {
	Name string `json:"name,omitempty"`

	_ struct{} `arm:"readonly=tier,capacity"`
}

type avsetProperties struct {
	FaultDomains  *int        `json:"platformFaultDomainCount,omitempty"`
	UpdateDomains *int        `json:"platformUpdateDomainCount,omitempty"`
	VMs           []reference `json:"virtualMachines" arm:"readonly"`

	_ struct{} `arm:"readonly=statuses,virtualMachineScaleSetMigrationInfo"`
}

func avsetProvider(cfg Config) arm.Provider {
	return &arm.Tracked[avsetBody, AvailabilitySet, NoStatus, *avsetBody]{
		Collection: AvailabilitySets, Locations: cfg.Locations,
		Apply: func(_ context.Context, _ *arm.Call, e *avsetEdit, b *avsetBody) error {
			if err := applySKU(e, b.SKU); err != nil {
				return err
			}
			p := &b.Properties
			return firstError(
				applyDomains(e, "platformFaultDomainCount", "fault", p.FaultDomains, &e.Spec.FaultDomains, defaultFaultDomains, maxFaultDomains),
				applyDomains(e, "platformUpdateDomainCount", "update", p.UpdateDomains, &e.Spec.UpdateDomains, defaultUpdateDomains, maxUpdateDomains),
			)
		},
		View: viewAvailabilitySet,
		Remove: func(ctx context.Context, c *arm.Call, o *avsetObject) (bool, error) {
			vms, err := MembersOf(ctx, c.Tx, o.ID)
			if err == nil && len(vms) > 0 {
				err = arm.Conflict("OperationNotAllowed", "Availability Set '%s' cannot be deleted. Before deleting an Availability Set please ensure that it does not contain any VM: '%s' is in it.", o.ID.Name(), vms[0].Name())
			}
			return false, err
		},
	}
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func applySKU(e *avsetEdit, b *avsetSKU) error {
	if e.New() {
		e.Spec.SKU = classic
	}
	if b == nil {
		return nil
	}
	sku, err := arm.Enum("sku.name", b.Name, classic, aligned)
	switch {
	case err != nil:
		return err
	case sku == classic && e.Spec.SKU == aligned:
		return arm.Conflict("OperationNotAllowed", "Changing availability set SKU from 'Aligned' to 'Classic' is not allowed.").At("sku.name")
	}
	e.Spec.SKU = orElse(sku, e.Spec.SKU)
	return nil
}

// applyDomains sets how many domains of a kind the set has, which cannot change.
func applyDomains(e *avsetEdit, property, kind string, given, is *int, otherwise, most int) error {
	switch {
	case given == nil && e.New():
		*is = otherwise
	case given == nil:
	case *given < 1 || *given > most:
		return arm.InvalidParameter("properties."+property, "The specified %s domain count %d must fall in the range 1 to %d.", kind, *given, most)
	case !e.New() && *given != *is:
		return notAllowed(property)
	default:
		*is = *given
	}
	return nil
}

func viewAvailabilitySet(ctx context.Context, c *arm.Call, o *avsetObject, b *avsetBody) error {
	s := &o.Spec
	b.SKU = &avsetSKU{Name: s.SKU}
	b.Properties.FaultDomains, b.Properties.UpdateDomains = &s.FaultDomains, &s.UpdateDomains
	b.Properties.VMs = []reference{}
	vms, err := MembersOf(ctx, c.Reader(), o.ID)
	for _, id := range vms {
		b.Properties.VMs = append(b.Properties.VMs, reference{ID: id})
	}
	return err
}

// MembersOf are the machines in the availability set.
func MembersOf(ctx context.Context, r store.Reader, set arm.ID) ([]arm.ID, error) {
	users, err := arm.Users(ctx, r, set)
	if err != nil {
		return nil, err
	}
	var vms []arm.ID
	for _, id := range users {
		if id.Is(VMType) {
			vms = append(vms, id)
		}
	}
	return vms, nil
}

const avsetTarget = "properties.availabilitySet.id"

// readAvailabilitySet puts a new machine into the set that its body names.
func readAvailabilitySet(ctx context.Context, c *arm.Call, e *vmEdit, b *reference) error {
	set, err := arm.Linked(ctx, c.Tx, AvailabilitySets, &e.Meta, avsetTarget, b.target())
	if err != nil || set == nil {
		return err
	}
	switch {
	case !strings.EqualFold(set.ID.ResourceGroup, e.ID.ResourceGroup):
		return arm.InvalidParameter(avsetTarget, "Availability Set '%s' and VM '%s' are not in the same resource group.", set.ID.Name(), e.ID.Name())
	case len(e.Spec.Zones) > 0:
		return arm.BadRequest("BadRequest", "Virtual Machine cannot be created because both Availability Zone and Availability Set were specified. Deploying an Availability Set to an Availability Zone isn't supported.").At(avsetTarget)
	case set.Spec.SKU != aligned:
		return arm.BadRequest("BadRequest", "Addition of a VM with managed disks to non-managed Availability Set or addition of a VM with blob based disks to managed Availability Set is not supported. Please create an Availability Set with 'managed' property set in order to add a VM with managed disks to it: the SKU of '%s' is to be Aligned.", set.ID.Name()).At(avsetTarget)
	}
	e.Spec.AvailabilitySet = set.ID
	return nil
}
