package routed

import (
	"context"
	"testing"

	"lazuli/internal/node"
	"lazuli/internal/node/nodetest"
)

func TestPromises(t *testing.T) {
	nodetest.RunNetworks(t, true, func(t *testing.T) nodetest.NetworksOf {
		l := newLab(t)
		l.must(l.d.Close())
		return func(t *testing.T, s node.Services) node.Networks {
			d, err := New(context.Background(), l.options(), s)
			if err != nil {
				t.Fatal(err)
			}
			return d
		}
	})
}

func TestGuestsTalk(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	n := nodetest.SampleNetwork("talk", 4, 5)
	l.ensure(n)
	a, b := l.guest(n, 4), l.guest(n, 5)
	t.Log(l.inside(networkName(n.UID), "nft", "list", "ruleset"))
	t.Log(l.inside(networkName(n.UID), "ip", "route"))
	for _, to := range []string{"10.0.0.1", "10.0.0.5", "169.254.169.254", "168.63.129.16", worldAddr.String()} {
		if err := ping(a, to, long); err != nil {
			t.Errorf("ping %s: %v", to, err)
		}
	}
	listen(t, b, ":80")
	reach(t, a, "10.0.0.5:80", "10.0.0.4")
}
