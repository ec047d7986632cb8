package control

import (
	"context"

	"lazuli/internal/compute"
)

// mates are the other machines of v's availability set that are on a node.
func (c *Control) mates(ctx context.Context, v *vm) ([]*vm, error) {
	if v.Spec.AvailabilitySet.IsZero() {
		return nil, nil
	}
	ids, err := compute.MembersOf(ctx, c.store, v.Spec.AvailabilitySet)
	if err != nil {
		return nil, err
	}
	var mates []*vm
	for _, id := range ids {
		m, err := compute.VMs.Find(ctx, c.store, id)
		if err != nil {
			return nil, err
		}
		if m != nil && m.UID != v.UID && m.Status.Node != "" {
			mates = append(mates, m)
		}
	}
	return mates, nil
}

// crowd is how many of the machines are on each node.
func crowd(vms []*vm) map[string]int {
	n := map[string]int{}
	for _, v := range vms {
		n[v.Status.Node]++
	}
	return n
}

// giveDomains gives a machine that has just been placed its domains. What is on
// one node goes down together, and so is in one fault domain; else the domain
// with the fewest machines is the best.
func (c *Control) giveDomains(ctx context.Context, v *vm, mates []*vm) error {
	if v.Spec.AvailabilitySet.IsZero() {
		return nil
	}
	set, err := compute.AvailabilitySets.Find(ctx, c.store, v.Spec.AvailabilitySet)
	if err != nil || set == nil {
		return err
	}
	v.Status.FaultDomain = leastUsed(set.Spec.FaultDomains, mates, func(s *compute.VMStatus) *int { return s.FaultDomain })
	v.Status.UpdateDomain = leastUsed(set.Spec.UpdateDomains, mates, func(s *compute.VMStatus) *int { return s.UpdateDomain })
	for _, m := range mates {
		if m.Status.Node == v.Status.Node && m.Status.FaultDomain != nil {
			v.Status.FaultDomain = m.Status.FaultDomain
		}
	}
	return nil
}

// leastUsed is the first of n domains that the fewest of vms are in.
func leastUsed(n int, vms []*vm, domain func(*compute.VMStatus) *int) *int {
	used := make([]int, max(n, 1))
	for _, v := range vms {
		if d := domain(&v.Status); d != nil && *d < len(used) {
			used[*d]++
		}
	}
	best := 0
	for d := range used {
		if used[d] < used[best] {
			best = d
		}
	}
	return &best
}
