package routed

import (
	"io"
	"net/netip"
	"testing"
	"time"

	"lazuli/internal/fabric"
	"lazuli/internal/node/nodetest"
)

func prefixes(s ...string) (out []netip.Prefix) {
	for _, p := range s {
		out = append(out, netip.MustParsePrefix(p))
	}
	return out
}

func ports(p ...uint16) (out []fabric.PortRange) {
	for _, n := range p {
		out = append(out, fabric.PortRange{First: n, Last: n})
	}
	return out
}

func list(rules ...fabric.Rule) fabric.RuleList { return fabric.RuleList{Rules: rules} }

// Azure's default rules, for a network of 10.0.0.0/16.
var (
	vnet      = prefixes("10.0.0.0/16")
	defaultIn = []fabric.Rule{
		{Name: "AllowVnetInBound", Priority: 65000, Allow: true, SourcePrefixes: vnet, TargetPrefixes: vnet},
		{Name: "DenyAllInBound", Priority: 65500},
	}
	defaultOut = []fabric.Rule{
		{Name: "AllowVnetOutBound", Priority: 65000, Allow: true, SourcePrefixes: vnet, TargetPrefixes: vnet},
		{Name: "AllowInternetOutBound", Priority: 65001, Allow: true, TargetPrefixes: vnet, NotTarget: true},
		{Name: "DenyAllOutBound", Priority: 65500},
	}
)

func TestGroups(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	n := nodetest.SampleNetwork("groups", 4, 5)
	samplePort(n, 5).Addresses[0].Public = netip.MustParseAddr("198.18.0.5")
	l.ensure(n)
	a, b := l.guest(n, 4), l.guest(n, 5)
	world := named(l.world)
	for _, p := range []string{":22", ":80", ":8080"} {
		listen(t, b, p)
		listen(t, world, p)
	}
	in4, out4 := b.addr.String(), worldAddr.String()
	allow := func(r fabric.Rule) fabric.Rule { r.Allow = true; return r }
	tcp := func(p ...uint16) fabric.Rule {
		return fabric.Rule{Name: "r", Protocol: "tcp", TargetPorts: ports(p...)}
	}

	for name, c := range map[string]struct {
		in, out      []fabric.RuleList // of b
		open, closed []string          // ports of b for a
		world        []string          // ports of b for the world
		shut         []string          // ports of b that the world must not reach
		goes, stays  []string          // ports of the world for b
	}{
		"none":         {open: []string{"22", "80"}, world: []string{"22"}, goes: []string{"80"}},
		"defaults":     {in: []fabric.RuleList{list(defaultIn...)}, out: []fabric.RuleList{list(defaultOut...)}, open: []string{"22"}, shut: []string{"22"}, goes: []string{"80"}},
		"a port":       {in: []fabric.RuleList{list(append([]fabric.Rule{allow(tcp(22))}, defaultIn...)...)}, world: []string{"22"}, shut: []string{"80"}},
		"several":      {in: []fabric.RuleList{list(allow(tcp(22, 80)))}, open: []string{"22", "80"}, closed: []string{"8080"}},
		"range":        {in: []fabric.RuleList{list(allow(fabric.Rule{TargetPorts: []fabric.PortRange{{First: 80, Last: 9000}}}))}, open: []string{"80", "8080"}, closed: []string{"22"}},
		"other proto":  {in: []fabric.RuleList{list(allow(fabric.Rule{Protocol: "udp"}))}, closed: []string{"22"}},
		"priority":     {in: []fabric.RuleList{list(tcp(80), allow(fabric.Rule{}))}, open: []string{"22"}, closed: []string{"80"}},
		"two tiers":    {in: []fabric.RuleList{list(allow(tcp(22, 80))), list(allow(tcp(80, 8080)))}, open: []string{"80"}, closed: []string{"22", "8080"}},
		"source":       {in: []fabric.RuleList{list(allow(fabric.Rule{SourcePrefixes: prefixes("192.0.2.0/24", "203.0.113.0/24")}))}, closed: []string{"22"}, world: []string{"22"}},
		"not source":   {in: []fabric.RuleList{list(allow(fabric.Rule{SourcePrefixes: vnet, NotSource: true}))}, closed: []string{"22"}, world: []string{"22"}},
		"no rule":      {in: []fabric.RuleList{list()}, closed: []string{"22"}},
		"target":       {in: []fabric.RuleList{list(allow(fabric.Rule{TargetPrefixes: prefixes("10.0.0.5/32")}))}, open: []string{"22"}, world: []string{"22"}},
		"out":          {out: []fabric.RuleList{list(tcp(80), allow(fabric.Rule{}))}, goes: []string{"22"}, stays: []string{"80"}, open: []string{"80"}},
		"out tiers":    {out: []fabric.RuleList{list(allow(tcp(22, 80))), list(allow(tcp(80)))}, goes: []string{"80"}, stays: []string{"22"}},
		"not internet": {out: []fabric.RuleList{list(fabric.Rule{TargetPrefixes: vnet, NotTarget: true}, allow(fabric.Rule{}))}, stays: []string{"80"}},
		"ipv6 only":    {in: []fabric.RuleList{list(fabric.Rule{SourcePrefixes: prefixes("2001:db8::/32")}, allow(fabric.Rule{SourcePrefixes: prefixes("0.0.0.0/0")}))}, open: []string{"22"}},
	} {
		samplePort(n, 5).Inbound, samplePort(n, 5).Outbound = c.in, c.out
		l.ensure(n)
		t.Log(name)
		for _, p := range c.open {
			reach(t, a, in4+":"+p, "10.0.0.4")
		}
		for _, p := range c.closed {
			unreach(t, a, in4+":"+p)
		}
		for _, p := range c.world {
			reach(t, world, "198.18.0.5:"+p, worldAddr.String())
		}
		for _, p := range c.shut {
			unreach(t, world, "198.18.0.5:"+p)
		}
		for _, p := range c.goes {
			reach(t, b, out4+":"+p, "")
		}
		for _, p := range c.stays {
			unreach(t, b, out4+":"+p)
		}
	}
}

func TestRuleChangeCutsOnlyWhatItForbids(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	n := nodetest.SampleNetwork("cut", 4, 5)
	l.ensure(n)
	a, b := l.guest(n, 4), l.guest(n, 5)
	listen(t, b, ":22")
	listen(t, b, ":80")
	listen(t, named(l.world), ":80")
	kept, _, err := dial(a, "10.0.0.5:22", long)
	l.must(err)
	cut, _, err := dial(a, "10.0.0.5:80", long)
	l.must(err)
	out, _, err := dial(b, worldAddr.String()+":80", long)
	l.must(err)
	samplePort(n, 5).Inbound = []fabric.RuleList{list(fabric.Rule{Allow: true, Protocol: "tcp", TargetPorts: ports(22)})}
	l.ensure(n)
	echoes(t, kept, true)
	echoes(t, cut, false)
	echoes(t, out, true)

	// The agent forgets what it has done; the flows do not suffer.
	l.must(l.d.Close())
	l.start()
	l.ensure(n)
	echoes(t, kept, true)
	echoes(t, out, true)
}

func echoes(t *testing.T, c interface {
	io.ReadWriteCloser
	SetDeadline(time.Time) error
}, want bool) {
	t.Helper()
	patience := short
	if want {
		patience = long
	}
	c.SetDeadline(time.Now().Add(patience))
	b := make([]byte, 2)
	_, err := c.Write([]byte("hi"))
	if err == nil {
		_, err = io.ReadFull(c, b)
	}
	if (err == nil) != want {
		t.Errorf("echo: %v, want one: %v", err, want)
	}
}

// To look at every flow takes as long as to make the rules: it is done only
// when one may have to end.
func TestFlowsAreLookedAtOnlyWhenOneMayEnd(t *testing.T) {
	t.Parallel()
	sample := func(change func(*fabric.Network), hosts ...byte) fabric.Network {
		n := nodetest.SampleNetwork("look", hosts...)
		if change != nil {
			change(&n)
		}
		return n
	}
	deny := func(n *fabric.Network) { n.Ports[0].Inbound = []fabric.RuleList{list()} }
	wider := func(n *fabric.Network) { n.Prefixes = append(n.Prefixes, netip.MustParsePrefix("192.0.2.0/24")) }
	public := func(n *fabric.Network) { n.Ports[0].Addresses[0].Public = netip.MustParseAddr("198.18.0.4") }
	tests := map[string]struct {
		now     fabric.Network
		forgets bool
		want    bool
	}{
		"a port more":               {now: sample(nil, 4, 5)},
		"a port less":               {now: sample(nil), want: true},
		"another rule":              {now: sample(deny, 4), want: true},
		"a public address":          {now: sample(public, 4, 5), want: true},
		"a wider network":           {now: sample(wider, 4, 5), want: true},
		"after the agent came back": {now: sample(nil, 4, 5), forgets: true, want: true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			l := newLab(t)
			l.ensure(sample(nil, 4))
			if tt.forgets {
				l.must(l.d.Close())
				l.start()
			}
			looked := false
			l.d.did = func(change string) error {
				looked = looked || change == "cut flows"
				return nil
			}
			l.ensure(tt.now)
			if looked != tt.want {
				t.Errorf("flows were looked at: %v, want %v", looked, tt.want)
			}
		})
	}
}
