package routed

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"lazuli/internal/fabric"
	"lazuli/internal/node/nodetest"
)

// TestKernelAgrees sends packets through groups made by chance, and wants the
// kernel to let pass what passes says.
func TestKernelAgrees(t *testing.T) {
	t.Parallel()
	const end = 9
	l := newLab(t)
	n := nodetest.SampleNetwork("agree", 4, 5)
	samplePort(n, 4).Forwarding = true // has any address
	l.ensure(n)
	a, b := l.guest(n, 4), l.guest(n, 5)
	got := make(chan string, 1000)
	for port := range 5 {
		heard := listenUDP(t, b, fmt.Sprintf(":%d", end+port))
		go func() {
			for msg := range heard {
				got <- msg
			}
		}()
	}
	sources := []string{"10.0.0.4", "10.0.0.77", "192.0.2.1", "192.0.2.200"}
	rng := rand.New(rand.NewPCG(1, 2))
	for round := range 25 {
		lists := []fabric.RuleList{chanceList(rng), chanceList(rng)}[:1+rng.IntN(2)]
		for i := range lists {
			last := fabric.Rule{Name: "end", Allow: true, Protocol: "udp", TargetPorts: ports(end)}
			lists[i].Rules = append([]fabric.Rule{last}, lists[i].Rules...)
		}
		samplePort(n, 5).Inbound = lists
		l.ensure(n)
		want := map[string]bool{}
		var frames [][]byte
		for i := range 20 {
			src, sport, dport := sources[rng.IntN(4)], uint16(1000+rng.IntN(4)), uint16(end+1+rng.IntN(4))
			body := fmt.Sprintf("%d-%d", round, i)
			want[body] = passes(lists, pkt(unix.IPPROTO_UDP, src, "10.0.0.5", sport, dport))
			frames = append(frames, udpFrame(samplePort(n, 4).MAC, src, "10.0.0.5", sport, dport, body))
		}
		last := fmt.Sprint("end-", round)
		frames = append(frames, udpFrame(samplePort(n, 4).MAC, "10.0.0.4", "10.0.0.5", 1000, end, last))
		passed := collect(t, got, want, last, func() {
			for _, f := range frames {
				a.Inject(f)
			}
		})
		for body, w := range want {
			if passed[body] != w {
				t.Fatalf("packet %s passes: %v, want %v; rules %+v", body, passed[body], w, lists)
			}
		}
	}
}

// collect reads what arrives of what send sends until the last packet and all
// that should have. A kernel that is busy may lose any, so they are sent again.
func collect(t *testing.T, got <-chan string, want map[string]bool, last string, send func()) map[string]bool {
	t.Helper()
	again := time.NewTicker(time.Second)
	defer again.Stop()
	deadline := time.After(long)
	send()
	passed, missing, ended := map[string]bool{}, 0, false
	for _, w := range want {
		if w {
			missing++
		}
	}
	for !ended || missing > 0 {
		select {
		case msg := <-got:
			body, _, _ := strings.Cut(msg, " ")
			if body == last {
				ended = true
			} else if want[body] && !passed[body] {
				missing--
			}
			passed[body] = true
		case <-again.C:
			send()
		case <-deadline:
			t.Fatalf("%d packets that pass do not come; the last one came: %v", missing, ended)
		}
	}
	return passed
}

func chanceList(rng *rand.Rand) fabric.RuleList {
	pools := []string{"10.0.0.0/16", "10.0.0.4/32", "192.0.2.0/24", "192.0.2.128/25", "0.0.0.0/0", "10.0.0.64/26"}
	pick := func() (out []netip.Prefix) {
		for range rng.IntN(3) {
			out = append(out, netip.MustParsePrefix(pools[rng.IntN(len(pools))]))
		}
		return out
	}
	span := func(base int) (out []fabric.PortRange) {
		for range rng.IntN(3) {
			first := uint16(base + rng.IntN(4))
			out = append(out, fabric.PortRange{First: first, Last: first + uint16(rng.IntN(3))})
		}
		return out
	}
	var l fabric.RuleList
	for i := range 1 + rng.IntN(5) {
		r := fabric.Rule{Name: fmt.Sprintf("r%d", i), Priority: 100 + i, Allow: rng.IntN(2) == 0, SourcePrefixes: pick(), TargetPrefixes: pick(), SourcePorts: span(1000), TargetPorts: span(10)}
		r.Protocol = []string{"", "udp", "tcp"}[rng.IntN(3)]
		r.NotSource, r.NotTarget = rng.IntN(4) == 0, rng.IntN(4) == 0
		l.Rules = append(l.Rules, r)
	}
	return l
}
