package routed

import (
	"net/netip"
	"testing"

	"lazuli/internal/fabric"
	"lazuli/internal/node/nodetest"
)

func TestPublicAddresses(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	x, y := nodetest.SampleNetwork("public-x", 4, 5, 6), nodetest.SampleNetwork("public-y", 4)
	samplePort(x, 4).Addresses[0].Public = netip.MustParseAddr("198.18.0.4")
	samplePort(x, 5).Addresses[0].Public = netip.MustParseAddr("198.18.0.5")
	samplePort(y, 4).Addresses[0].Public = netip.MustParseAddr("198.18.0.14")
	l.ensure(x)
	l.ensure(y)
	four, five, six, other := l.guest(x, 4), l.guest(x, 5), l.guest(x, 6), l.guest(y, 4)
	host, world := named(l.host), named(l.world)
	for _, at := range []place{four, five, six, other, world, host} {
		listen(t, at, ":80")
	}
	listen(t, four, ":54321")
	transitX := transitOf(t, l, x.UID)

	reach(t, world, "198.18.0.4:80", worldAddr.String())
	reach(t, world, "198.18.0.4:54321", worldAddr.String())
	reach(t, host, "198.18.0.4:80", transitX.Host.String())
	// Addresses that the world has no way to lend the host's.
	reach(t, four, worldAddr.String()+":80", hostAddr.String())
	reach(t, six, worldAddr.String()+":80", hostAddr.String())
	// Networks see each other's public addresses, and nothing else.
	reach(t, other, "198.18.0.4:80", "198.18.0.14")
	reach(t, four, "198.18.0.14:80", "198.18.0.4")
	reach(t, six, "198.18.0.14:80", transitOf(t, l, y.UID).Host.String())
	// Hairpins: a neighbour's, one's own.
	reach(t, five, "198.18.0.4:80", "198.18.0.5")
	reach(t, four, "198.18.0.4:80", "198.18.0.4")
	reach(t, six, "198.18.0.4:80", transitX.Host.String())
	for _, at := range []place{host, world, other, five} {
		if err := ping(at, "198.18.0.4", long); err != nil {
			t.Errorf("ping 198.18.0.4: %v", err)
		}
	}

	// The address moves to the other network, whose turn comes first.
	samplePort(x, 4).Addresses[0].Public = netip.Addr{}
	samplePort(y, 4).Addresses[0].Public = netip.MustParseAddr("198.18.0.4")
	l.ensure(y)
	l.ensure(x)
	reach(t, other, worldAddr.String()+":80", "")
	reach(t, world, "198.18.0.4:80", worldAddr.String())
	unreach(t, world, "198.18.0.4:54321")
	unreach(t, world, "198.18.0.14:80")
}

func TestGroupsSeePublicAddresses(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	n := nodetest.SampleNetwork("seen", 4, 5)
	samplePort(n, 4).Addresses[0].Public = netip.MustParseAddr("198.18.0.4")
	samplePort(n, 5).Addresses[0].Public = netip.MustParseAddr("198.18.0.5")
	samplePort(n, 5).Inbound = []fabric.RuleList{list(fabric.Rule{Allow: true, SourcePrefixes: prefixes("198.18.0.4/32")})}
	l.ensure(n)
	a, b := l.guest(n, 4), l.guest(n, 5)
	listen(t, b, ":80")
	reach(t, a, "198.18.0.5:80", "198.18.0.4")
	unreach(t, a, "10.0.0.5:80")
}

func TestPublicNAT(t *testing.T) {
	for name, c := range map[string]struct {
		nat  PublicNAT
		addr string
		want bool
	}{
		"benchmark range": {NATPrivate, "198.18.0.4", true},
		"rfc 1918":        {NATPrivate, "10.9.9.9", true},
		"real":            {NATPrivate, "203.0.113.9", false},
		"always":          {NATAlways, "203.0.113.9", true},
		"never":           {NATNever, "198.18.0.4", false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := c.nat.covers(netip.MustParseAddr(c.addr)); got != c.want {
				t.Errorf("covers = %v, want %v", got, c.want)
			}
		})
	}
}
