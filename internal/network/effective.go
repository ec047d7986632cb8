package network

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"

	"lazuli/internal/fabric"
)

// platform is the address from which the platform speaks to guests: name
// service, health, the agent's wireserver.
var platform = netip.MustParsePrefix("168.63.129.16/32")

// EffectiveRules are the rules of a group, with Azure's default rules, as they
// are for the interfaces of one virtual network: what each service tag means
// is decided by its address space. They are sorted by priority. A rule whose
// tags cannot be said in one list is several of the same name and priority.
func EffectiveRules(g *NSG, addressSpace []netip.Prefix) (in, out fabric.RuleList) {
	for _, r := range slices.Concat(g.Rules, defaultRules) {
		list := &in
		if r.Direction == outbound {
			list = &out
		}
		list.Rules = append(list.Rules, resolve(&r, addressSpace)...)
	}
	for _, list := range []*fabric.RuleList{&in, &out} {
		slices.SortStableFunc(list.Rules, func(a, b fabric.Rule) int { return cmp.Compare(a.Priority, b.Priority) })
	}
	return in, out
}

// resolve makes every combination of what r's two sides and its protocol mean.
func resolve(r *Rule, space []netip.Prefix) []fabric.Rule {
	var rules []fabric.Rule
	sourcePorts, targetPorts := portsOf(r.Source.Ports), portsOf(r.Target.Ports)
	for _, source := range meaning(r.Source.Prefixes, space) {
		for _, target := range meaning(r.Target.Prefixes, space) {
			for _, protocol := range protocolsOf(r, len(sourcePorts)+len(targetPorts) > 0) {
				rules = append(rules, fabric.Rule{
					Name: r.Name, Priority: r.Priority, Allow: r.Access == allow, Protocol: protocol,
					SourcePrefixes: source.prefixes, NotSource: source.not, SourcePorts: sourcePorts,
					TargetPrefixes: target.prefixes, NotTarget: target.not, TargetPorts: targetPorts,
				})
			}
		}
	}
	return rules
}

// protocolsOf is the protocols that a rule matches; "" is any. Ports limit any
// protocol to those that have them.
func protocolsOf(r *Rule, ports bool) []string {
	switch {
	case r.Protocol != wildcard:
		return []string{strings.ToLower(r.Protocol)}
	case ports:
		return []string{"tcp", "udp"}
	}
	return []string{""}
}

// set is the addresses in prefixes, or with not those outside; none with no
// prefixes is every address.
type set struct {
	prefixes []netip.Prefix
	not      bool
}

// meaning is the sets that together are what values say.
func meaning(values []string, space []netip.Prefix) []set {
	if everything(values) {
		return []set{{}}
	}
	var plain []netip.Prefix
	var sets []set
	for _, v := range values {
		switch v {
		case tagVNet:
			plain = append(plain, space...)
		case tagLoadBalancer:
			plain = append(plain, platform)
		case tagInternet:
			sets = append(sets, set{prefixes: append(slices.Clone(space), platform), not: true})
		default:
			if p, ok := parsePrefixOrAddress(v); ok {
				plain = append(plain, p)
			}
		}
	}
	if len(plain) > 0 {
		sets = append([]set{{prefixes: plain}}, sets...)
	}
	return sets
}

// portsOf is the ranges that values say; none is every port.
func portsOf(values []string) []fabric.PortRange {
	if everything(values) {
		return nil
	}
	var ranges []fabric.PortRange
	for _, v := range values {
		if r, ok := parsePorts(v); ok {
			ranges = append(ranges, r)
		}
	}
	return ranges
}
