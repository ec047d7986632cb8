package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// table is what was measured so far.
type table struct{ rows [][6]string }

// add adds a row: what, measured, peer, ratio, goal; and the load.
func (t *table) add(what, measured, peer, ratio, goal string) {
	t.rows = append(t.rows, [6]string{what, measured, peer, ratio, goal, load()})
}

func (t *table) print(out io.Writer) {
	w := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	defer w.Flush()
	fmt.Fprintln(w, "what\tmeasured\tpeer\tratio\tgoal\tload")
	for _, r := range t.rows {
		fmt.Fprintln(w, strings.Join(r[:], "\t"))
	}
}

// median of no values is 0.
func median[T ~int64 | ~float64](all []T) T {
	if len(all) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(all))
	mid := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[mid]
	}
	return (sorted[mid-1] + sorted[mid]) / 2
}

// quantile of values, of which there is at least one.
func quantile(all []time.Duration, q float64) time.Duration {
	sorted := slices.Sorted(slices.Values(all))
	return sorted[min(len(sorted)-1, int(q*float64(len(sorted))))]
}

// pairs are two things measured in turn.
type pairs[T ~int64 | ~float64] struct{ ours, peers []T }

func (p *pairs[T]) add(ours, peer T) {
	p.ours, p.peers = append(p.ours, ours), append(p.peers, peer)
}

// ratio is the median of the ratios of the pairs.
func (p *pairs[T]) ratio() string {
	var all []float64
	for i := range p.ours {
		if p.peers[i] != 0 {
			all = append(all, float64(p.ours[i])/float64(p.peers[i]))
		}
	}
	if len(all) == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f", median(all))
}

// difference of the pairs, as a median.
func (p *pairs[T]) difference() T {
	var all []T
	for i := range p.ours {
		all = append(all, p.ours[i]-p.peers[i])
	}
	return median(all)
}

func ms(d time.Duration) string {
	if d > -100*time.Millisecond && d < 100*time.Millisecond {
		return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000)
	}
	return fmt.Sprintf("%d ms", d.Milliseconds())
}

func mib(bytes float64) string { return fmt.Sprintf("%.1f MiB", bytes/(1<<20)) }

// load is the load average of the last minute.
func load() string {
	b, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "?"
	}
	first, _, _ := strings.Cut(string(b), " ")
	return first
}
