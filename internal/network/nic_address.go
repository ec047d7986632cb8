package network

import (
	"context"
	"net/netip"
	"slices"

	"lazuli/internal/arm"
	"lazuli/internal/store"
)

// ipConfig is an address of an interface while it is being found.
type ipConfig struct {
	IPConfig
	target string // its path in the body
	subnet *Subnet
	space  space
}

// applyIPConfigs gives the interface its addresses. One that had an address in
// the same subnet keeps it, unless another is asked for.
func applyIPConfigs(ctx context.Context, c *arm.Call, e *arm.Edit[NIC, NoStatus], bodies []ipConfigBody) error {
	configs, err := readIPConfigs(ctx, c, e, bodies)
	if err != nil {
		return err
	}
	if e.Was != nil {
		releaseAddresses(c.Tx, &e.Was.Spec)
	}
	for i := range configs {
		if cfg := &configs[i]; cfg.Address.IsValid() {
			if err := cfg.take(ctx, c.Tx, e.ID); err != nil {
				return err
			}
		}
	}
	for i := range configs {
		if cfg := &configs[i]; !cfg.Address.IsValid() {
			if err := cfg.find(ctx, c.Tx, e.ID); err != nil {
				return err
			}
		}
	}
	e.Spec.Configs = nil
	for _, cfg := range configs {
		e.Spec.Configs = append(e.Spec.Configs, cfg.IPConfig)
	}
	slices.SortStableFunc(e.Spec.Configs, func(a, b IPConfig) int {
		switch {
		case a.Primary == b.Primary:
			return 0
		case a.Primary:
			return -1
		}
		return 1
	})
	return nil
}

// take claims the address that is asked for.
func (c *ipConfig) take(ctx context.Context, tx store.Tx, nic arm.ID) error {
	target := below(c.target, "properties.privateIPAddress")
	if !c.subnet.Prefix.Contains(c.Address) {
		return arm.BadRequest("PrivateIPAddressNotInSubnet", "Private static IP address %s does not belong to the range of subnet prefix %s.", c.Address, c.subnet.Prefix).At(target)
	}
	if reserved(c.subnet.Prefix, c.Address) {
		return arm.BadRequest("PrivateIPAddressInReservedRange", "Private static IP address %s falls within reserved IP range of subnet prefix %s: the first %d addresses and the last.", c.Address, c.subnet.Prefix, reservedFirst).At(target)
	}
	// The interface's own claims are gone by now, so that one that is found
	// is another's, or of another configuration in this very body.
	other, err := c.space.holder(ctx, tx, c.Address.String())
	if err != nil {
		return err
	}
	if !other.IsZero() {
		return arm.BadRequest("PrivateIPAddressInUse", "IP configuration %s is using the private IP address %s which is already allocated to resource %s.", c.Name, c.Address, other).At(target)
	}
	_, err = c.space.claim(ctx, tx, c.Address.String(), nic)
	return err
}

// find claims the first free address.
func (c *ipConfig) find(ctx context.Context, tx store.Tx, nic arm.ID) error {
	taken, err := c.space.held(ctx, tx)
	if err != nil {
		return err
	}
	a, ok := firstFree(c.subnet.Prefix, taken)
	if !ok {
		return arm.BadRequest("SubnetIsFull", "Subnet %s with address prefix %s does not have enough capacity for 1 IP addresses. Use another subnet, or delete network interfaces that are not needed.", c.subnet.Name, c.subnet.Prefix).At(c.target)
	}
	c.Address = a
	_, err = c.space.claim(ctx, tx, a.String(), nic)
	return err
}

func releaseAddresses(tx store.Tx, n *NIC) {
	for _, c := range n.Configs {
		addressesOf(n.NetworkUID, c.Subnet.Name()).release(tx, c.Address.String())
	}
}

// maxConfigs is how many addresses an interface can have.
const maxConfigs = 256

// readIPConfigs reads the configurations of a body, of which one is primary,
// and decides which addresses they ask for or keep.
func readIPConfigs(ctx context.Context, c *arm.Call, e *arm.Edit[NIC, NoStatus], bodies []ipConfigBody) ([]ipConfig, error) {
	const list = "properties.ipConfigurations"
	if len(bodies) == 0 {
		return nil, arm.InvalidParameter(list, "A network interface needs at least one IP configuration.")
	}
	if len(bodies) > maxConfigs {
		return nil, arm.InvalidParameter(list, "There are %d IP configurations; a network interface has at most %d.", len(bodies), maxConfigs)
	}
	primaries := 0
	configs := make([]ipConfig, len(bodies))
	for i := range bodies {
		cfg, err := readIPConfig(ctx, c, e, elementOf(list, i), &bodies[i])
		if err != nil {
			return nil, err
		}
		for _, other := range configs[:i] {
			if err := cfg.checkBeside(&other); err != nil {
				return nil, err
			}
		}
		if cfg.Primary {
			primaries++
		}
		configs[i] = cfg
	}
	if primaries > 1 {
		return nil, arm.InvalidParameter(list, "Only one IP configuration can be the primary one.")
	}
	if primaries == 0 {
		configs[0].Primary = true
	}
	return configs, nil
}

func (c *ipConfig) keep(was *NIC) {
	if before := was.config(c.Name); before != nil && before.Subnet.Equal(c.Subnet) {
		c.Address = before.Address
	}
}

func (c *ipConfig) askedFor(address string) (netip.Addr, error) {
	return readAddress(below(c.target, "properties.privateIPAddress"), address)
}
