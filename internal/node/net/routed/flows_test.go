package routed

import (
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"lazuli/internal/fabric"
	"lazuli/internal/node/nodetest"
)

// tracks is a TCP flow as the kernel tells of it: who called whom by which
// address, and who answers whom.
func tracks(from, asked, to, seen string, port uint16) *netlink.ConntrackFlow {
	ip := func(s string) net.IP { return net.ParseIP(s).To4() }
	return &netlink.ConntrackFlow{
		Forward: netlink.IPTuple{Protocol: unix.IPPROTO_TCP, SrcIP: ip(from), DstIP: ip(asked), SrcPort: 1000, DstPort: port},
		Reverse: netlink.IPTuple{Protocol: unix.IPPROTO_TCP, SrcIP: ip(to), DstIP: ip(seen), SrcPort: port, DstPort: 1000},
	}
}

func TestFlowsThatCouldNotBegin(t *testing.T) {
	n := nodetest.SampleNetwork("flows", 4, 5)
	n.Ports[0].Addresses[0].Public = netip.MustParseAddr("198.18.0.4")
	ssh := fabric.Rule{Allow: true, Protocol: "tcp", TargetPorts: ports(22)}
	n.Ports[0].Inbound = []fabric.RuleList{list(ssh)}
	n.Ports[1].Outbound = []fabric.RuleList{list(fabric.Rule{Protocol: "tcp", TargetPorts: ports(25)}, fabric.Rule{Allow: true})}
	p, err := planOf(n, transit{netip.MustParseAddr("100.64.0.2"), netip.MustParseAddr("100.64.0.3")})
	if err != nil {
		t.Fatal(err)
	}
	f := newFlowFilter(p)
	for name, c := range map[string]struct {
		flow *netlink.ConntrackFlow
		ends bool
	}{
		"in, allowed":                 {tracks("192.0.2.1", "198.18.0.4", "10.0.0.4", "192.0.2.1", 22), false},
		"in, denied":                  {tracks("192.0.2.1", "198.18.0.4", "10.0.0.4", "192.0.2.1", 80), true},
		"in, by an address of before": {tracks("192.0.2.1", "198.18.0.9", "10.0.0.4", "192.0.2.1", 22), true},
		"between, allowed":            {tracks("10.0.0.5", "10.0.0.4", "10.0.0.4", "10.0.0.5", 22), false},
		"between, denied":             {tracks("10.0.0.5", "10.0.0.4", "10.0.0.4", "10.0.0.5", 80), true},
		"out, allowed":                {tracks("10.0.0.5", "192.0.2.1", "192.0.2.1", "100.64.0.3", 80), false},
		"out, denied":                 {tracks("10.0.0.5", "192.0.2.1", "192.0.2.1", "100.64.0.3", 25), true},
		"out, as public":              {tracks("10.0.0.4", "192.0.2.1", "192.0.2.1", "198.18.0.4", 80), false},
		"out, as public of before":    {tracks("10.0.0.4", "192.0.2.1", "192.0.2.1", "198.18.0.9", 80), true},
		"out, as nobody before":       {tracks("10.0.0.4", "192.0.2.1", "192.0.2.1", "100.64.0.3", 80), true},
		"hairpin, way out":            {tracks("10.0.0.5", "198.18.0.4", "198.18.0.4", "100.64.0.3", 80), false},
		"port that is gone":           {tracks("10.0.0.9", "192.0.2.1", "192.0.2.1", "100.64.0.3", 80), true},
		"platform":                    {tracks("10.0.0.4", "168.63.129.16", "168.63.129.16", "10.0.0.4", 80), false},
		"gateway":                     {tracks("10.0.0.4", "10.0.0.1", "10.0.0.1", "10.0.0.4", 80), false},
		"senseless":                   {&netlink.ConntrackFlow{}, true},
	} {
		t.Run(name, func(t *testing.T) {
			if got := f.MatchConntrackFlow(c.flow); got != c.ends {
				t.Errorf("ends = %v, want %v", got, c.ends)
			}
		})
	}
}

func TestServicesMoveToANewNamespace(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	n := nodetest.SampleNetwork("moved", 4)
	l.ensure(n)
	l.must(removeSpace(networkName(n.UID)))
	if _, err := os.Stat(filepath.Join(spaceDir, networkName(n.UID))); err == nil {
		t.Fatal("the namespace is still named")
	}
	l.ensure(n)
	if got := l.services.Served(n.UID); got != 2 {
		t.Errorf("served %d times, want twice", got)
	}
	_, ns, _ := l.services.Network(n.UID)
	c, err := ns.ListenPort(nodetest.PortUID(n.UID, 4))
	l.must(err)
	defer c.Close()
	l.guest(n, 4).Inject(udpFrame(samplePort(n, 4).MAC, "0.0.0.0", "255.255.255.255", 68, 67, "discover"))
	expect(t, c, "discover")
}
