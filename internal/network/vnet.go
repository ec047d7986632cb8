package network

import (
	"context"
	"net/netip"
	"strings"

	"lazuli/internal/arm"
)

// VNet is a virtual network. Its subnets are stored inside it.
type VNet struct {
	AddressSpace []netip.Prefix `json:"addressSpace"`
	DNSServers   []netip.Addr   `json:"dnsServers,omitempty"`
	Subnets      []Subnet       `json:"subnets,omitempty"`
}

// Subnet is a part of a virtual network.
type Subnet struct {
	Name   string       `json:"name"`
	Prefix netip.Prefix `json:"prefix"`
	NSG    arm.ID       `json:"nsg,omitzero"`
	// Plural says that the prefix came as a list of one, and is shown so.
	Plural bool `json:"plural,omitempty"`
	// EndpointPolicies and LinkPolicies are about private endpoints, of which
	// there are none: they are only kept.
	EndpointPolicies string `json:"endpointPolicies,omitempty"`
	LinkPolicies     string `json:"linkPolicies,omitempty"`
	DefaultOutbound  *bool  `json:"defaultOutbound,omitempty"`
}

// References are the security groups of the subnets.
func (v VNet) References() []arm.ID {
	var ids []arm.ID
	for _, s := range v.Subnets {
		ids = append(ids, s.NSG)
	}
	return ids
}

// Subnet finds a subnet by name; nil when there is none.
func (v *VNet) Subnet(name string) *Subnet {
	for i := range v.Subnets {
		if strings.EqualFold(v.Subnets[i].Name, name) {
			return &v.Subnets[i]
		}
	}
	return nil
}

func vnetProvider(cfg Config) arm.Provider {
	return &arm.Tracked[vnetBody, VNet, NoStatus, *vnetBody]{
		Collection: VNets, Locations: cfg.Locations, ShowETag: true,
		Apply: applyVNet, View: viewVNet, Remove: removeVNet,
	}
}

func applyVNet(ctx context.Context, c *arm.Call, e *arm.Edit[VNet, NoStatus], b *vnetBody) error {
	v := &e.Spec
	if err := checkCounts(&b.Properties); err != nil {
		return err
	}
	_, err := arm.Enum("properties.privateEndpointVNetPolicies", b.Properties.PrivateEndpointVNetPolicies, disabled)
	if err != nil {
		return err
	}
	if v.AddressSpace, err = readPrefixes("properties.addressSpace.addressPrefixes", b.Properties.AddressSpace.AddressPrefixes); err != nil {
		return err
	}
	if v.DNSServers, err = readNameServers("properties.dhcpOptions.dnsServers", b.Properties.DHCPOptions.DNSServers); err != nil {
		return err
	}
	// A body without the subnets leaves them as they are; one with an empty
	// list removes them.
	if b.Properties.Subnets != nil {
		v.Subnets = nil
		for i, s := range *b.Properties.Subnets {
			read, err := readSubnet(ctx, c, &e.Meta, elementOf("properties.subnets", i), &s)
			if err != nil {
				return err
			}
			v.Subnets = append(v.Subnets, read)
		}
	}
	return checkVNet(ctx, c, e.Object, e.Was)
}

// The limits of a virtual network. Bodies are held to them before each part is
// compared with all others.
const (
	maxPrefixes = 500
	maxSubnets  = 3000
)

func checkCounts(p *vnetProperties) error {
	if n := len(p.AddressSpace.AddressPrefixes); n > maxPrefixes {
		return arm.InvalidParameter("properties.addressSpace.addressPrefixes", "There are %d address prefixes; a virtual network has at most %d.", n, maxPrefixes)
	}
	if p.Subnets != nil {
		return checkSubnetCount(len(*p.Subnets))
	}
	return nil
}

func checkSubnetCount(n int) error {
	if n <= maxSubnets {
		return nil
	}
	return arm.InvalidParameter("properties.subnets", "There are %d subnets; a virtual network has at most %d.", n, maxSubnets)
}

// forbidden are what no virtual network may have addresses of: guests reach the
// platform and themselves there, or nobody at all.
var forbidden = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),
	netip.MustParsePrefix("127.0.0.0/8"),
	platform,
	netip.MustParsePrefix("169.254.0.0/16"),
	netip.MustParsePrefix("224.0.0.0/3"),
}

// checkVNet says whether a virtual network may be as it is now. was is nil
// when it is new.
func checkVNet(ctx context.Context, c *arm.Call, o, was *arm.Object[VNet, NoStatus]) error {
	if err := checkAddressSpace(&o.Spec); err != nil {
		return err
	}
	if err := checkSubnets(o.ID.Name(), &o.Spec); err != nil {
		return err
	}
	if was == nil {
		return nil
	}
	for _, old := range was.Spec.Subnets {
		if err := checkSubnetChange(ctx, c, was.ID, &old, o.Spec.Subnet(old.Name)); err != nil {
			return err
		}
	}
	return nil
}

func checkAddressSpace(v *VNet) error {
	const target = "properties.addressSpace.addressPrefixes"
	if len(v.AddressSpace) == 0 {
		return arm.BadRequest("InvalidRequestFormat", "A virtual network needs at least one address prefix, like 10.0.0.0/16.").At(target)
	}
	for i, p := range v.AddressSpace {
		for _, f := range forbidden {
			if p.Overlaps(f) {
				return arm.BadRequest("NetcfgInvalidVirtualNetworkAddressSpace", "The address prefix %s overlaps with %s, which cannot be in a virtual network.", p, f).At(target)
			}
		}
		for _, q := range v.AddressSpace[:i] {
			if p.Overlaps(q) {
				return arm.BadRequest("NetcfgInvalidVirtualNetworkAddressSpace", "The address prefixes %s and %s overlap.", q, p).At(target)
			}
		}
	}
	return nil
}

func checkSubnets(vnet string, v *VNet) error {
	const target = "properties.subnets"
	if err := checkSubnetCount(len(v.Subnets)); err != nil {
		return err
	}
	for i, s := range v.Subnets {
		if !inside(s.Prefix, v.AddressSpace) {
			return arm.BadRequest("NetcfgInvalidSubnet", "Subnet '%s' is not valid in virtual network '%s': its address range %s is not within the address space.", s.Name, vnet, s.Prefix).At(target)
		}
		for _, other := range v.Subnets[:i] {
			if strings.EqualFold(s.Name, other.Name) {
				return arm.BadRequest("DuplicateResourceName", "There are two subnets named '%s'.", s.Name).At(target)
			}
			if s.Prefix.Overlaps(other.Prefix) {
				return arm.BadRequest("NetcfgSubnetRangesOverlap", "Subnet '%s' is not valid because its IP address range overlaps with that of subnet '%s' in virtual network '%s'.", s.Name, other.Name, vnet).At(target)
			}
		}
	}
	return nil
}

func inside(p netip.Prefix, space []netip.Prefix) bool {
	for _, q := range space {
		if q.Bits() <= p.Bits() && q.Contains(p.Addr()) {
			return true
		}
	}
	return false
}

// checkSubnetChange refuses to take away a subnet, or its addresses, from
// under a network interface or a lock. now is nil when the subnet goes, and with
// it what is assigned on it.
func checkSubnetChange(ctx context.Context, c *arm.Call, vnet arm.ID, old, now *Subnet) error {
	if now != nil && now.Prefix == old.Prefix {
		return nil
	}
	id := vnet.Child("subnets", old.Name)
	users, err := arm.Users(ctx, c.Tx, id)
	if err != nil {
		return err
	}
	if len(users) == 0 && now != nil {
		return nil
	}
	if len(users) == 0 {
		if err := c.CheckUnlocked(ctx, SubnetType+"/delete", id); err != nil {
			return err
		}
		return c.DropRights(ctx, id)
	}
	if now == nil {
		return arm.BadRequest("InUseSubnetCannotBeDeleted", "Subnet %s is in use by %s and cannot be deleted. In order to delete the subnet, delete all the resources within the subnet.", old.Name, users[0])
	}
	return arm.BadRequest("InUsePrefixCannotBeDeleted", "The address prefix %s of subnet %s is in use by %s and cannot be changed. Delete the resources within the subnet first.", old.Prefix, old.Name, users[0])
}

func removeVNet(ctx context.Context, c *arm.Call, o *arm.Object[VNet, NoStatus]) (bool, error) {
	for _, s := range o.Spec.Subnets {
		if err := checkSubnetChange(ctx, c, o.ID, &s, nil); err != nil {
			return false, err
		}
	}
	return false, nil
}
