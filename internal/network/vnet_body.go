package network

import (
	"context"

	"lazuli/internal/arm"
)

type vnetBody struct {
	arm.Header
	Properties vnetProperties `json:"properties"`
}

type vnetProperties struct {
	AddressSpace struct {
		AddressPrefixes []string `json:"addressPrefixes"`
	} `json:"addressSpace"`
	DHCPOptions struct {
		DNSServers []string `json:"dnsServers"`
	} `json:"dhcpOptions,omitzero"`
	Subnets                     *[]subnetBody `json:"subnets,omitempty"`
	PrivateEndpointVNetPolicies string        `json:"privateEndpointVNetPolicies,omitempty"`
	ProvisioningState           string        `json:"provisioningState,omitempty" arm:"readonly"`
	ResourceGUID                string        `json:"resourceGuid,omitempty" arm:"readonly"`
}

type subnetBody struct {
	ID         string           `json:"id,omitempty" arm:"readonly"`
	Name       string           `json:"name,omitempty"`
	Type       string           `json:"type,omitempty" arm:"readonly"`
	Etag       string           `json:"etag,omitempty" arm:"readonly"`
	Properties subnetProperties `json:"properties"`
}

type subnetProperties struct {
	AddressPrefix         string     `json:"addressPrefix,omitempty"`
	AddressPrefixes       []string   `json:"addressPrefixes,omitempty"`
	NSG                   *reference `json:"networkSecurityGroup,omitempty"`
	DefaultOutboundAccess *bool      `json:"defaultOutboundAccess,omitempty"`
	EndpointPolicies      string     `json:"privateEndpointNetworkPolicies,omitempty"`
	LinkPolicies          string     `json:"privateLinkServiceNetworkPolicies,omitempty"`
	Delegations           []struct{} `json:"delegations"` // always empty, as Azure shows it
	ProvisioningState     string     `json:"provisioningState,omitempty" arm:"readonly"`

	_ struct{} `arm:"readonly=ipConfigurations,purpose"`
}

// reference is another resource in a body. Clients send back more of it than
// its id; only that counts.
type reference struct {
	ID arm.ID   `json:"id"`
	_  struct{} `arm:"readonly=name,type,etag,location,tags,properties,sku,zones,resourceGroup"`
}

func refer(id arm.ID) *reference {
	if id.IsZero() {
		return nil
	}
	return &reference{ID: id}
}

func (r *reference) target() arm.ID {
	if r == nil {
		return arm.ID{}
	}
	return r.ID
}

const succeeded = "Succeeded"

// Policies of subnets for private endpoints and services.
const (
	enabled  = "Enabled"
	disabled = "Disabled"
)

func viewVNet(_ context.Context, _ *arm.Call, o *arm.Object[VNet, NoStatus], b *vnetBody) error {
	p := &b.Properties
	p.AddressSpace.AddressPrefixes = text(o.Spec.AddressSpace)
	p.DHCPOptions.DNSServers = text(o.Spec.DNSServers)
	subnets := make([]subnetBody, 0, len(o.Spec.Subnets))
	for i := range o.Spec.Subnets {
		subnets = append(subnets, viewSubnet(o, &o.Spec.Subnets[i]))
	}
	p.Subnets = &subnets
	p.PrivateEndpointVNetPolicies = disabled
	p.ProvisioningState, p.ResourceGUID = succeeded, o.UID
	return nil
}

func viewSubnet(o *arm.Object[VNet, NoStatus], s *Subnet) subnetBody {
	b := subnetBody{
		ID: o.ID.Child("subnets", s.Name).String(), Name: s.Name, Type: SubnetType, Etag: o.ETag(),
		Properties: subnetProperties{
			NSG: refer(s.NSG), DefaultOutboundAccess: s.DefaultOutbound,
			EndpointPolicies: s.EndpointPolicies, LinkPolicies: s.LinkPolicies,
			Delegations: []struct{}{}, ProvisioningState: succeeded,
		},
	}
	if s.Plural {
		b.Properties.AddressPrefixes = []string{s.Prefix.String()}
	} else {
		b.Properties.AddressPrefix = s.Prefix.String()
	}
	return b
}

// readSubnet reads the subnet b of the virtual network of m; target is its
// path.
func readSubnet(ctx context.Context, c *arm.Call, m *arm.Meta, target string, b *subnetBody) (Subnet, error) {
	if err := itemNames.Check(b.Name); err != nil {
		return Subnet{}, err
	}
	p := &b.Properties
	s := Subnet{Name: b.Name, DefaultOutbound: p.DefaultOutboundAccess, Plural: p.AddressPrefix == ""}
	target = below(target, "properties")
	if p.DefaultOutboundAccess != nil && !*p.DefaultOutboundAccess {
		return s, arm.Unsupported(below(target, "defaultOutboundAccess"))
	}
	if len(p.Delegations) > 0 {
		return s, arm.Unsupported(below(target, "delegations"))
	}
	var err error
	if s.Prefix, err = readSubnetPrefix(target, p); err != nil {
		return s, err
	}
	if s.EndpointPolicies, err = arm.Enum(below(target, "privateEndpointNetworkPolicies"), orElse(p.EndpointPolicies, disabled), enabled, disabled, "NetworkSecurityGroupEnabled", "RouteTableEnabled"); err != nil {
		return s, err
	}
	if s.LinkPolicies, err = arm.Enum(below(target, "privateLinkServiceNetworkPolicies"), orElse(p.LinkPolicies, enabled), enabled, disabled); err != nil {
		return s, err
	}
	nsg, err := arm.Linked(ctx, c.Tx, NSGs, m, below(target, "networkSecurityGroup.id"), p.NSG.target())
	if nsg != nil {
		s.NSG = nsg.ID
	}
	return s, err
}
