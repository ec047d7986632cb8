package network

import (
	"strconv"
	"strings"

	"lazuli/internal/arm"
	"lazuli/internal/fabric"
)

// readRule reads the security rule b; target is its path.
func readRule(target string, b *ruleBody) (Rule, error) {
	p, in := &b.Properties, below(target, "properties")
	r := Rule{Name: b.Name, Description: p.Description, Priority: p.Priority}
	if err := itemNames.Check(b.Name); err != nil {
		return r, err
	}
	if len(p.Description) > maxDescription {
		return r, arm.InvalidParameter(below(in, "description"), "The description is longer than %d characters.", maxDescription)
	}
	if p.Priority < minPriority || p.Priority > maxPriority {
		return r, arm.BadRequest("SecurityRuleInvalidPriority", "Security rule has invalid Priority. Value provided: %d. Allowed range %d-%d.", p.Priority, minPriority, maxPriority).At(below(in, "priority"))
	}
	var err error
	if r.Protocol, err = needEnum(below(in, "protocol"), p.Protocol, wildcard, "Tcp", "Udp", "Icmp", "Esp", "Ah"); err != nil {
		return r, err
	}
	if r.Access, err = needEnum(below(in, "access"), p.Access, allow, deny); err != nil {
		return r, err
	}
	if r.Direction, err = needEnum(below(in, "direction"), p.Direction, inbound, outbound); err != nil {
		return r, err
	}
	if r.Source, err = readSide(in, "source", p.SourcePrefix, p.SourcePrefixes, p.SourcePort, p.SourcePorts); err != nil {
		return r, err
	}
	if r.Target, err = readSide(in, "destination", p.TargetPrefix, p.TargetPrefixes, p.TargetPort, p.TargetPorts); err != nil {
		return r, err
	}
	return r, checkPortsFit(in, &r)
}

func needEnum(target, value string, allowed ...string) (string, error) {
	if value == "" {
		return "", arm.BadRequest("SecurityRuleParameterMissing", "A security rule needs the property '%s'.", target).At(target)
	}
	return arm.Enum(target, value, allowed...)
}

// checkPortsFit refuses ports where the protocol has none.
func checkPortsFit(target string, r *Rule) error {
	if r.Protocol == wildcard || r.Protocol == "Tcp" || r.Protocol == "Udp" {
		return nil
	}
	for name, ports := range map[string][]string{"sourcePortRange": r.Source.Ports, "destinationPortRange": r.Target.Ports} {
		if !everything(ports) {
			return arm.BadRequest("SecurityRuleInvalidPortRange", "The protocol %s has no ports. Set the port range to '*'.", r.Protocol).At(below(target, name))
		}
	}
	return nil
}

func everything(values []string) bool {
	for _, v := range values {
		if v == wildcard {
			return true
		}
	}
	return false
}

func readSide(target, side, prefix string, prefixes []string, port string, ports []string) (Side, error) {
	s := Side{PluralPrefixes: prefix == "", PluralPorts: port == ""}
	var err error
	if s.Prefixes, err = either(below(target, side+"AddressPrefix"), prefix, prefixes, readPrefixOrTag); err != nil {
		return s, err
	}
	s.Ports, err = either(below(target, side+"PortRange"), port, ports, readPorts)
	return s, err
}

// maxValues is how many prefixes or ports a side of a rule can have.
const maxValues = 4000

// either reads values that are given in one of two properties, target for one
// value and its plural for several.
func either(target, one string, several []string, read func(target, value string) (string, error)) ([]string, error) {
	plural := target + "s"
	if strings.HasSuffix(target, "Prefix") {
		plural = target + "es"
	}
	switch {
	case len(several) > maxValues:
		return nil, arm.InvalidParameter(plural, "There are %d values; a security rule has at most %d.", len(several), maxValues)
	case one != "" && len(several) > 0:
		return nil, arm.BadRequest("SecurityRuleParameterConflict", "Give '%s' or '%s', not both.", target, plural).At(target)
	case one != "":
		v, err := read(target, one)
		return []string{v}, err
	case len(several) == 0:
		return nil, arm.BadRequest("SecurityRuleParameterMissing", "A security rule needs the property '%s' or '%s'.", target, plural).At(target)
	}
	values := make([]string, len(several))
	for i, s := range several {
		v, err := read(elementOf(plural, i), s)
		if err != nil {
			return nil, err
		}
		values[i] = v
	}
	return values, nil
}

func readPrefixOrTag(target, s string) (string, error) {
	if s == wildcard || strings.EqualFold(s, "Any") {
		return wildcard, nil
	}
	if tag, ok := isTag(s); ok {
		return tag, nil
	}
	if _, ok := parsePrefixOrAddress(s); ok {
		return s, nil
	}
	return "", arm.BadRequest("SecurityRuleInvalidAddressPrefix", "Security rule has invalid Address prefix. Value provided: %s. It must be an IPv4 address or prefix, '*', or one of the tags %s, %s and %s.", s, tagVNet, tagInternet, tagLoadBalancer).At(target)
}

func readPorts(target, s string) (string, error) {
	if _, ok := parsePorts(s); !ok {
		return "", arm.BadRequest("SecurityRuleInvalidPortRange", "Security rule has invalid Port range. Value provided: %s. Value should be an integer OR integer range with '-' delimiter. Valid range 0-65535.", s).At(target)
	}
	return s, nil
}

// parsePorts reads "*", "80" and "80-90".
func parsePorts(s string) (fabric.PortRange, bool) {
	if s == wildcard {
		return fabric.PortRange{First: 0, Last: 65535}, true
	}
	first, last, ranged := strings.Cut(s, "-")
	if !ranged {
		last = first
	}
	a, err1 := strconv.ParseUint(strings.TrimSpace(first), 10, 16)
	b, err2 := strconv.ParseUint(strings.TrimSpace(last), 10, 16)
	return fabric.PortRange{First: uint16(a), Last: uint16(b)}, err1 == nil && err2 == nil && a <= b
}
