package routed

import (
	"errors"
	"fmt"
	"slices"

	"golang.org/x/sys/unix"

	"lazuli/internal/fabric"
)

// match is the condition of one rule.
type match struct {
	protocols        []byte // empty: any
	source, target   spanSet
	sourcePorts      spanSet
	targetPorts      spanSet
	allow, withPorts bool
}

var protocolNumbers = map[string]byte{
	"tcp": unix.IPPROTO_TCP, "udp": unix.IPPROTO_UDP, "icmp": unix.IPPROTO_ICMP, "esp": unix.IPPROTO_ESP, "ah": unix.IPPROTO_AH,
}

// matchOf is the condition of r. As in Azure, a rule for any protocol that
// names ports is about TCP and UDP.
func matchOf(r fabric.Rule) (match, error) {
	m := match{
		allow:       r.Allow,
		source:      prefixSet(r.SourcePrefixes, r.NotSource),
		target:      prefixSet(r.TargetPrefixes, r.NotTarget),
		sourcePorts: portSet(r.SourcePorts),
		targetPorts: portSet(r.TargetPorts),
	}
	m.withPorts = !m.sourcePorts.all() || !m.targetPorts.all()
	if r.Protocol == "" {
		if m.withPorts {
			m.protocols = []byte{unix.IPPROTO_TCP, unix.IPPROTO_UDP}
		}
		return m, nil
	}
	n, ok := protocolNumbers[r.Protocol]
	if !ok {
		return m, fmt.Errorf("%q is not a protocol", r.Protocol)
	}
	if m.withPorts && n != unix.IPPROTO_TCP && n != unix.IPPROTO_UDP {
		return m, errors.New("ports go with tcp and udp only")
	}
	m.protocols = []byte{n}
	return m, nil
}

// never says that no packet can match.
func (m match) never() bool {
	return m.source.none || m.target.none || m.sourcePorts.none || m.targetPorts.none
}

// packet is what rules look at.
type packet struct {
	protocol               byte
	source, target         uint32
	sourcePort, targetPort uint16
}

func (m match) matches(p packet) bool {
	if len(m.protocols) > 0 && !slices.Contains(m.protocols, p.protocol) {
		return false
	}
	if m.withPorts && (!m.sourcePorts.contains(uint32(p.sourcePort)) || !m.targetPorts.contains(uint32(p.targetPort))) {
		return false
	}
	return m.source.contains(p.source) && m.target.contains(p.target)
}

// passes says whether all lists let p through: what the chains in the kernel
// do, once more, for flows that were let through before the rules were these.
func passes(lists []fabric.RuleList, p packet) bool {
	for _, l := range lists {
		if !allows(l, p) {
			return false
		}
	}
	return true
}

func allows(l fabric.RuleList, p packet) bool {
	for _, r := range l.Rules {
		if m, err := matchOf(r); err == nil && m.matches(p) {
			return m.allow
		}
	}
	return false
}
