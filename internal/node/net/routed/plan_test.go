package routed

import (
	"net/netip"
	"strings"
	"testing"

	"lazuli/internal/fabric"
	"lazuli/internal/node/nodetest"
)

func TestPlanRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		change func(n *fabric.Network)
		want   string
	}{
		"path as uid":   {func(n *fabric.Network) { n.UID = "../x" }, "not a uid"},
		"no uid":        {func(n *fabric.Network) { n.UID = "" }, "not a uid"},
		"port's uid":    {func(n *fabric.Network) { n.Ports[0].UID = "a/b" }, "not a uid"},
		"mac":           {func(n *fabric.Network) { n.Ports[0].MAC = "x" }, "not the mac"},
		"multicast mac": {func(n *fabric.Network) { n.Ports[0].MAC = "01:00:5e:00:00:01" }, "not the mac"},
		"ipv6":          {func(n *fabric.Network) { n.Ports[0].Addresses[0].Private = netip.MustParseAddr("fd00::4") }, "not an ipv4 address"},
		"other subnet":  {func(n *fabric.Network) { n.Ports[0].Addresses[0].Private = netip.MustParseAddr("10.1.0.4") }, "not an ipv4 address"},
		"ipv6 public":   {func(n *fabric.Network) { n.Ports[0].Addresses[0].Public = netip.MustParseAddr("2001:db8::1") }, "not an ipv4 address"},
		"gateway":       {func(n *fabric.Network) { n.Ports[0].Addresses[0].Private = gateway }, "gateway"},
		"same address":  {func(n *fabric.Network) { n.Ports[1].Addresses = n.Ports[0].Addresses }, "two ports"},
		"same port":     {func(n *fabric.Network) { n.Ports[1] = n.Ports[0] }, "two ports"},
		"unknown protocol": {func(n *fabric.Network) {
			n.Ports[0].Inbound = []fabric.RuleList{list(fabric.Rule{Name: "r", Protocol: "gre"})}
		}, "rule r"},
	} {
		t.Run(name, func(t *testing.T) {
			n := nodetest.SampleNetwork("plan", 4, 5)
			c.change(&n)
			if _, err := planOf(n, transit{}); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error = %v, want one with %q", err, c.want)
			}
		})
	}
}

func TestRefusedNetworkLeavesNothing(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	n := nodetest.SampleNetwork("refused", 4)
	n.Ports[0].MAC = ""
	if err := l.d.Ensure(t.Context(), n); err == nil {
		t.Fatal("no error")
	}
	if got, err := l.d.List(t.Context()); err != nil || len(got) > 0 {
		t.Errorf("networks = %v, %v; want none", got, err)
	}
}

func TestNames(t *testing.T) {
	for name, c := range map[string]struct{ uid, want string }{
		"random":             {"7f3b2a10-5c4d-4e6f-8a9b-0c1d2e3f4a5b", "7f3b2a105c4d"},
		"random, in capital": {"7F3B2A10-5C4D-4E6F-8A9B-0C1D2E3F4A5B", "7f3b2a105c4d"},
		"of the time":        {"01980000-0000-7000-8000-000000000001", "a51b33720f1c"},
		"no uuid":            {"net-1", "17d5a8f04ffc"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := shortName(c.uid); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
			if len(networkName(c.uid)) > 15 || len(portName(c.uid)) > 15 {
				t.Error("names are too long for devices")
			}
		})
	}
}

func TestChooseTransit(t *testing.T) {
	pool := netip.MustParsePrefix("100.64.0.0/29") // four pairs, of which three are used
	taken := map[transit]bool{}
	for range 3 {
		got, err := chooseTransit(pool, "n", func(x transit) bool { return taken[x] })
		if err != nil {
			t.Fatal(err)
		}
		if taken[got] || !pool.Contains(got.Router) || got.Router != got.Host.Next() || got.Host.As4()[3]%2 != 0 || got.Host == pool.Addr() {
			t.Errorf("chose %v, after %v", got, taken)
		}
		taken[got] = true
	}
	if got, err := chooseTransit(pool, "n", func(x transit) bool { return taken[x] }); err == nil {
		t.Errorf("chose %v from a pool that is full", got)
	}
	wide := netip.MustParsePrefix("100.64.0.0/10")
	free := func(transit) bool { return false }
	a, _ := chooseTransit(wide, "a", free)
	again, _ := chooseTransit(wide, "a", free)
	b, _ := chooseTransit(wide, "b", free)
	if a != again || a == b || !wide.Contains(a.Router) {
		t.Errorf("a = %v, then %v; b = %v", a, again, b)
	}
}
