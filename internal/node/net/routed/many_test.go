package routed

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"lazuli/internal/fabric"
	"lazuli/internal/node/nodetest"
)

func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	before := l.listing(l.host)
	var networks []fabric.Network
	for i := range 20 {
		n := nodetest.SampleNetwork(fmt.Sprintf("many-%d", i), 4)
		n.Ports[0].Addresses[0].Public = netip.AddrFrom4([4]byte{198, 18, 0, byte(100 + i)})
		networks = append(networks, n)
	}
	each := func(f func(n fabric.Network) error) {
		var wg sync.WaitGroup
		for _, n := range networks {
			wg.Go(func() {
				if err := f(n); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
	}
	each(func(n fabric.Network) error { return l.d.Ensure(context.Background(), n) })
	seen := map[transit]bool{}
	for _, s := range l.d.all() {
		seen[s.Transit] = true
	}
	if len(seen) != len(networks) {
		t.Errorf("%d transits for %d networks", len(seen), len(networks))
	}
	first, last := l.guest(networks[0], 4), l.guest(networks[19], 4)
	listen(t, last, ":80")
	reach(t, first, "198.18.0.119:80", "198.18.0.100")
	reach(t, named(l.world), "198.18.0.119:80", worldAddr.String())
	each(func(n fabric.Network) error { return l.d.Remove(context.Background(), n.UID) })
	if after := l.listing(l.host); after != before {
		t.Errorf("left on the host:\n%s", after)
	}
}

// TestLargeNetwork has more rules than fit a socket's default buffer.
func TestLargeNetwork(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	n := nodetest.SampleNetwork("large")
	for host := byte(4); host < 64; host++ {
		n.Ports = append(n.Ports, nodetest.SampleNetwork(n.UID, host).Ports...)
		var rules []fabric.Rule
		for i := range 30 {
			rules = append(rules, fabric.Rule{
				Name: fmt.Sprintf("rule-%d-%d", host, i), Priority: 100 + i, Allow: true, Protocol: "tcp",
				SourcePrefixes: prefixes("192.0.2.0/24", "198.51.100.0/24", fmt.Sprintf("10.%d.%d.0/24", host, i)), TargetPorts: ports(22, 80, 443, uint16(i)),
			})
		}
		n.Ports[len(n.Ports)-1].Inbound = []fabric.RuleList{list(rules...)}
	}
	l.ensure(n)
	l.ensure(n)
	rules := l.inside(networkName(n.UID), "nft", "list", "table", "ip", "lazuli")
	if got := strings.Count(rules, "comment"); got != 60*30 {
		t.Errorf("%d rules, want %d", got, 60*30)
	}
	n.Ports = n.Ports[:1]
	l.ensure(n)
}

func BenchmarkEnsureNew(b *testing.B) {
	l, ctx := benchLab(b)
	i := 0
	for b.Loop() {
		n := nodetest.SampleNetwork(fmt.Sprintf("bench-%d", i), 4)
		i++
		start := time.Now()
		if err := l.Ensure(ctx, n); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(time.Since(start).Microseconds())/1000, "last-ms")
		b.StopTimer()
		if err := l.Remove(ctx, n.UID); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}

func BenchmarkEnsureUnchanged(b *testing.B) {
	l, ctx := benchLab(b)
	n := nodetest.SampleNetwork("bench", 4)
	for b.Loop() {
		if err := l.Ensure(ctx, n); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEnsurePort(b *testing.B) {
	l, ctx := benchLab(b)
	n := nodetest.SampleNetwork("bench", 4, 5)
	less := n
	less.Ports = n.Ports[:1]
	for b.Loop() {
		b.StopTimer()
		if err := l.Ensure(ctx, less); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		if err := l.Ensure(ctx, n); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkMemory makes networks and says what each takes of this process.
func BenchmarkMemory(b *testing.B) {
	l, ctx := benchLab(b)
	const count = 100
	for b.Loop() {
		before := rss(b)
		for i := range count {
			if err := l.Ensure(ctx, nodetest.SampleNetwork(fmt.Sprintf("memory-%d", i), 4)); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(rss(b)-before)/count, "KiB/network")
		for i := range count {
			if err := l.Remove(ctx, fmt.Sprintf("memory-%d", i)); err != nil {
				b.Fatal(err)
			}
		}
	}
}

func rss(b *testing.B) int {
	raw, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Fatal(err)
	}
	var kib int
	_, after, _ := strings.Cut(string(raw), "VmRSS:")
	fmt.Sscan(after, &kib)
	return kib
}

func benchLab(b *testing.B) (*Driver, context.Context) {
	b.Helper()
	name := fmt.Sprintf("bench%d", labs.Add(1))
	if err := createSpace(name); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { removeSpace(name) })
	d, err := New(context.Background(), Options{Dir: b.TempDir(), Host: spaceDir + "/" + name}, &nodetest.Services{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { d.Close() })
	return d, context.Background()
}
