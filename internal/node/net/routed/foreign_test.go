package routed

import (
	"strings"
	"testing"

	"lazuli/internal/node/nodetest"
)

// docker is what Docker's iptables rules come to in nftables.
const docker = `
table ip filter {
	chain DOCKER-USER { counter return; }
	chain FORWARD { type filter hook forward priority filter; policy drop; counter jump DOCKER-USER; }
}`

const ufw = `
table ip filter {
	chain FORWARD { type filter hook forward priority filter; policy drop; }
}`

func TestForeignRules(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ rules, chain string }{
		"docker": {docker, "DOCKER-USER"},
		"ufw":    {ufw, "FORWARD"},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t)
			n := nodetest.SampleNetwork("foreign-"+name, 4)
			l.inside(l.host, "nft", c.rules)
			before := l.inside(l.host, "nft", "list", "ruleset")
			l.ensure(n)
			a := l.guest(n, 4)
			listen(t, named(l.world), ":80")
			reach(t, a, worldAddr.String()+":80", "")

			chain := func() string { return l.inside(l.host, "nft", "list", "chain", "ip", "filter", c.chain) }
			if got := strings.Count(chain(), `"lz-*"`); got != 2 {
				t.Errorf("%d rules of ours, want 2:\n%s", got, chain())
			}
			// Docker starts again and makes its chains anew.
			l.inside(l.host, "nft", "delete table ip filter; "+c.rules)
			l.ensure(n)
			l.ensure(n)
			if got := strings.Count(chain(), `"lz-*"`); got != 2 {
				t.Errorf("%d rules of ours after a restart, want 2:\n%s", got, chain())
			}
			if got, err := l.d.Obstacles(t.Context()); err != nil || len(got) > 0 {
				t.Errorf("obstacles = %q, %v; want none", got, err)
			}
			l.must(l.d.Remove(t.Context(), n.UID))
			if after := l.inside(l.host, "nft", "list", "ruleset"); after != before {
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
