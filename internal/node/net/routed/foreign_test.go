package routed

import (
	"strings"
	"testing"

	"lazuli/internal/node/nodetest"
)

// docker is what Docker's iptables rules come to in nftables. Its container is
// 192.0.2.1, with the port 81 that is published as the host's 8080, and 80 that
// nobody may reach.
const docker = `
table ip filter {
	chain DOCKER-USER { counter return; }
	chain DOCKER { ip daddr 192.0.2.1 tcp dport 80 drop; }
	chain FORWARD { type filter hook forward priority filter; policy drop; counter jump DOCKER-USER; counter jump DOCKER; }
}
table ip nat {
	chain PREROUTING { type nat hook prerouting priority dstnat; fib daddr type local tcp dport 8080 dnat to 192.0.2.1:81; }
}`

const ufw = `
table ip filter {
	chain FORWARD { type filter hook forward priority filter; policy drop; }
}`

func TestForeignRules(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		rules  string
		closed []string
	}{
		"docker": {docker, []string{"192.0.2.1:80", "192.0.2.10:8080"}},
		"ufw":    {ufw, nil},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t)
			n := nodetest.SampleNetwork("foreign-"+name, 4)
			l.inside(l.host, "nft", c.rules)
			before := l.listing(l.host)
			l.ensure(n)
			a := l.guest(n, 4)
			for _, port := range []string{":80", ":81", ":443"} {
				listen(t, named(l.world), port)
			}
			reach(t, a, worldAddr.String()+":443", "")
			for _, address := range c.closed {
				unreach(t, a, address)
			}

			chain := func() string { return l.inside(l.host, "nft", "list", "chain", "ip", "filter", "FORWARD") }
			if got := strings.Count(chain(), `"lz-*"`); got != 2 {
				t.Errorf("%d rules of ours, want 2:\n%s", got, chain())
			}
			// Docker starts again and makes its chains anew.
			l.inside(l.host, "nft", "flush ruleset; "+c.rules)
			l.ensure(n)
			l.ensure(n)
			if got := strings.Count(chain(), `"lz-*"`); got != 2 {
				t.Errorf("%d rules of ours after a restart, want 2:\n%s", got, chain())
			}
			if got, err := l.d.Obstacles(t.Context()); err != nil || len(got) > 0 {
				t.Errorf("obstacles = %q, %v; want none", got, err)
			}
			l.must(l.d.Remove(t.Context(), n.UID))
			if after := l.listing(l.host); after != before {
				t.Errorf("rules are left:\n%s\nbefore:\n%s", after, before)
			}
		})
	}
}

func TestObstacles(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.inside(l.host, "nft", `table inet firewalld { chain filter_FORWARD { type filter hook forward priority filter + 10; policy drop; }; }`)
	got, err := l.d.Obstacles(t.Context())
	l.must(err)
	if len(got) != 1 || !strings.Contains(got[0], "filter_FORWARD of nftables table firewalld") {
		t.Errorf("obstacles = %q", got)
	}
}
