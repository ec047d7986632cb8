package network

import (
	"context"
	"net/netip"
	"slices"
	"strings"

	"lazuli/internal/arm"
)

// NSG is a network security group. Its rules are stored inside it.
type NSG struct {
	Rules []Rule `json:"rules,omitempty"`
}

// Rule is a security rule, as it was asked for.
type Rule struct {
	Name        string `json:"name"`
	Description string `json:"description,omitempty"`
	Protocol    string `json:"protocol"` // "Tcp", "Udp", "Icmp", "Esp", "Ah", "*"
	Access      string `json:"access"`   // "Allow", "Deny"
	Direction   string `json:"direction"`
	Priority    int    `json:"priority"`
	Source      Side   `json:"source"`
	Target      Side   `json:"target"`
}

// Side is one end of what a rule matches: prefixes or service tags, and ports.
type Side struct {
	Prefixes []string `json:"prefixes"`
	Ports    []string `json:"ports"`
	// PluralPrefixes and PluralPorts say which of the two properties the
	// values came in; they are shown in the same.
	PluralPrefixes bool `json:"pluralPrefixes,omitempty"`
	PluralPorts    bool `json:"pluralPorts,omitempty"`
}

// Words of rules.
const (
	inbound  = "Inbound"
	outbound = "Outbound"
	allow    = "Allow"
	deny     = "Deny"
	wildcard = "*"
)

// Service tags.
const (
	tagVNet         = "VirtualNetwork"
	tagInternet     = "Internet"
	tagLoadBalancer = "AzureLoadBalancer"
)

// The limits of a group.
const (
	minPriority, maxPriority = 100, 4096
	maxRules                 = 1000
	maxDescription           = 140
)

func anything() Side { return Side{Prefixes: []string{wildcard}, Ports: []string{wildcard}} }

func tagged(tag string) Side { return Side{Prefixes: []string{tag}, Ports: []string{wildcard}} }

// defaultRules are in every group, after its own.
var defaultRules = []Rule{
	{Name: "AllowVnetInBound", Description: "Allow inbound traffic from all VMs in VNET", Priority: 65000, Direction: inbound, Access: allow, Protocol: wildcard, Source: tagged(tagVNet), Target: tagged(tagVNet)},
	{Name: "AllowAzureLoadBalancerInBound", Description: "Allow inbound traffic from azure load balancer", Priority: 65001, Direction: inbound, Access: allow, Protocol: wildcard, Source: tagged(tagLoadBalancer), Target: anything()},
	{Name: "DenyAllInBound", Description: "Deny all inbound traffic", Priority: 65500, Direction: inbound, Access: deny, Protocol: wildcard, Source: anything(), Target: anything()},
	{Name: "AllowVnetOutBound", Description: "Allow outbound traffic from all VMs to all VMs in VNET", Priority: 65000, Direction: outbound, Access: allow, Protocol: wildcard, Source: tagged(tagVNet), Target: tagged(tagVNet)},
	{Name: "AllowInternetOutBound", Description: "Allow outbound traffic from all VMs to Internet", Priority: 65001, Direction: outbound, Access: allow, Protocol: wildcard, Source: anything(), Target: tagged(tagInternet)},
	{Name: "DenyAllOutBound", Description: "Deny all outbound traffic", Priority: 65500, Direction: outbound, Access: deny, Protocol: wildcard, Source: anything(), Target: anything()},
}

func nsgProvider(cfg Config) arm.Provider {
	return &arm.Tracked[nsgBody, NSG, NoStatus, *nsgBody]{
		Collection: NSGs, Locations: cfg.Locations, ShowETag: true,
		Apply: applyNSG, View: viewNSG, Remove: removeNSG,
	}
}

func applyNSG(ctx context.Context, c *arm.Call, e *arm.Edit[NSG, NoStatus], b *nsgBody) error {
	if b.Properties.Rules == nil && !e.New() {
		return nil // a body without the rules leaves them as they are
	}
	e.Spec.Rules = nil
	for i, r := range b.Properties.Rules {
		rule, err := readRule(elementOf("properties.securityRules", i), &r)
		if err != nil {
			return err
		}
		e.Spec.Rules = append(e.Spec.Rules, rule)
	}
	return checkNSG(ctx, c, e.Object, e.Was)
}

// checkNSG says whether the rules of a group may stand together.
func checkNSG(_ context.Context, _ *arm.Call, o, _ *arm.Object[NSG, NoStatus]) error {
	const target = "properties.securityRules"
	if len(o.Spec.Rules) > maxRules {
		return arm.BadRequest("MaxSecurityRulesReached", "A network security group has at most %d rules.", maxRules).At(target)
	}
	for i, r := range o.Spec.Rules {
		for _, other := range o.Spec.Rules[:i] {
			if strings.EqualFold(r.Name, other.Name) {
				return arm.BadRequest("DuplicateResourceName", "There are two rules named '%s'.", r.Name).At(target)
			}
			if r.Priority == other.Priority && r.Direction == other.Direction {
				return arm.BadRequest("SecurityRuleConflict", "Security rule %s conflicts with rule %s. Rules cannot have the same Priority and Direction.", r.Name, other.Name).At(target)
			}
		}
	}
	return nil
}

func removeNSG(ctx context.Context, c *arm.Call, o *arm.Object[NSG, NoStatus]) (bool, error) {
	nics, subnets, err := usersOf(ctx, c, o.ID)
	if err != nil {
		return false, err
	}
	var names []string
	for _, id := range slices.Concat(nics, subnets) {
		names = append(names, id.String())
	}
	if len(names) == 0 {
		return false, nil
	}
	return false, arm.BadRequest("InUseNetworkSecurityGroupCannotBeDeleted", "Network security group %s cannot be deleted because it is in use by the following resources: %s. In order to delete the Network security group, remove the association with the resource(s).", o.ID, strings.Join(names, ", "))
}

// usersOf are the interfaces and subnets that a group guards.
func usersOf(ctx context.Context, c *arm.Call, nsg arm.ID) (nics, subnets []arm.ID, err error) {
	users, err := arm.Users(ctx, c.Reader(), nsg)
	if err != nil {
		return nil, nil, err
	}
	for _, u := range users {
		if !u.Is(VNetType) {
			nics = append(nics, u)
			continue
		}
		vnet, err := VNets.Find(ctx, c.Reader(), u)
		if err != nil {
			return nil, nil, err
		}
		if vnet == nil {
			continue
		}
		for _, s := range vnet.Spec.Subnets {
			if s.NSG.Equal(nsg) {
				subnets = append(subnets, vnet.ID.Child("subnets", s.Name))
			}
		}
	}
	return nics, subnets, nil
}

// isTag says whether s is a service tag, and spells it as Azure does.
func isTag(s string) (string, bool) {
	for _, t := range []string{tagVNet, tagInternet, tagLoadBalancer} {
		if strings.EqualFold(s, t) {
			return t, true
		}
	}
	return "", false
}

// parsePrefixOrAddress reads 10.0.0.0/8, 10.0.0.1/8 (the same) and 10.0.0.1.
func parsePrefixOrAddress(s string) (netip.Prefix, bool) {
	if a, err := netip.ParseAddr(s); err == nil && a.Is4() {
		return netip.PrefixFrom(a, 32), true
	}
	p, err := netip.ParsePrefix(s)
	return p.Masked(), err == nil && p.Addr().Is4()
}
