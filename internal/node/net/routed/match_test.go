package routed

import (
	"net/netip"
	"testing"

	"golang.org/x/sys/unix"

	"lazuli/internal/fabric"
)

func pkt(proto byte, from, to string, sport, dport uint16) packet {
	return packet{proto, addrNumber(netip.MustParseAddr(from)), addrNumber(netip.MustParseAddr(to)), sport, dport}
}

func TestPasses(t *testing.T) {
	ssh := fabric.Rule{Name: "ssh", Priority: 100, Allow: true, Protocol: "tcp", TargetPorts: ports(22)}
	deny := fabric.Rule{Name: "deny", Priority: 200}
	for name, c := range map[string]struct {
		lists []fabric.RuleList
		p     packet
		want  bool
	}{
		"no list":             {nil, pkt(unix.IPPROTO_TCP, "192.0.2.1", "10.0.0.4", 1000, 80), true},
		"empty list":          {[]fabric.RuleList{{}}, pkt(unix.IPPROTO_TCP, "192.0.2.1", "10.0.0.4", 1000, 80), false},
		"allowed":             {[]fabric.RuleList{list(ssh, deny)}, pkt(unix.IPPROTO_TCP, "192.0.2.1", "10.0.0.4", 1000, 22), true},
		"other port":          {[]fabric.RuleList{list(ssh, deny)}, pkt(unix.IPPROTO_TCP, "192.0.2.1", "10.0.0.4", 1000, 23), false},
		"other protocol":      {[]fabric.RuleList{list(ssh, deny)}, pkt(unix.IPPROTO_UDP, "192.0.2.1", "10.0.0.4", 1000, 22), false},
		"first match decides": {[]fabric.RuleList{list(deny, ssh)}, pkt(unix.IPPROTO_TCP, "192.0.2.1", "10.0.0.4", 1000, 22), false},
		"every list":          {[]fabric.RuleList{list(ssh), list(deny)}, pkt(unix.IPPROTO_TCP, "192.0.2.1", "10.0.0.4", 1000, 22), false},
		"any protocol, a port": {
			[]fabric.RuleList{list(fabric.Rule{Allow: true, TargetPorts: ports(53)})}, pkt(unix.IPPROTO_UDP, "192.0.2.1", "10.0.0.4", 1000, 53), true,
		},
		"any protocol, a port, icmp": {
			[]fabric.RuleList{list(fabric.Rule{Allow: true, TargetPorts: ports(0, 53)})}, pkt(unix.IPPROTO_ICMP, "192.0.2.1", "10.0.0.4", 0, 0), false,
		},
		"any port, icmp": {
			[]fabric.RuleList{list(fabric.Rule{Allow: true, TargetPorts: []fabric.PortRange{{First: 0, Last: 65535}}})}, pkt(unix.IPPROTO_ICMP, "192.0.2.1", "10.0.0.4", 0, 0), true,
		},
		"internet in": {[]fabric.RuleList{list(defaultIn...)}, pkt(unix.IPPROTO_TCP, "192.0.2.1", "10.0.0.4", 1000, 22), false},
		"vnet in":     {[]fabric.RuleList{list(defaultIn...)}, pkt(unix.IPPROTO_TCP, "10.0.9.1", "10.0.0.4", 1000, 22), true},
		"internet":    {[]fabric.RuleList{list(defaultOut...)}, pkt(unix.IPPROTO_TCP, "10.0.0.4", "192.0.2.1", 1000, 22), true},
	} {
		t.Run(name, func(t *testing.T) {
			if got := passes(c.lists, c.p); got != c.want {
				t.Errorf("passes = %v, want %v", got, c.want)
			}
		})
	}
}

func TestMatchRefuses(t *testing.T) {
	for name, r := range map[string]fabric.Rule{
		"protocol":  {Protocol: "gre"},
		"icmp port": {Protocol: "icmp", TargetPorts: ports(8)},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := matchOf(r); err == nil {
				t.Error("no error")
			}
		})
	}
}
