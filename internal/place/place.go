// Package place chooses nodes. It is a pure function of what it is told: it
// reads no store and keeps nothing, so the same question has the same answer.
package place

import (
	"cmp"
	"fmt"
	"slices"
)

// Node is what placement knows of a node.
type Node struct {
	Name      string
	CPUs      int
	MemoryMiB int
	FreeBytes int64 // of the file system of the disks
	// UsedMiB is the memory of the machines that are placed there.
	UsedMiB int
	// Images are the names of the images there.
	Images []string
	// Ready says that the node is connected.
	Ready bool
}

// Want is what a machine or disk needs of its node.
type Want struct {
	CPUs      int
	MemoryMiB int
	// Node is where its disks already are; "" when they are nowhere yet.
	Node string
	// Image must be on the node; "" for none.
	Image string
	// Apart is how many machines there are on each node that this one should
	// not go down with. Where there are fewest is best, but any node will do.
	Apart map[string]int
}

// reservedMiB is left to the host and to what runs beside machines.
const reservedMiB = 512

// NoFit is the error of Choose.
type NoFit struct {
	Reason string
	// Waiting says that a node that is not connected might fit.
	Waiting bool
}

func (e *NoFit) Error() string { return e.Reason }

// Choose picks among the nodes that fit the one with the fewest machines to be
// apart from, and of those the one with the most memory free. CPUs may be
// shared, memory may not. The error is a *NoFit.
func Choose(nodes []Node, w Want) (string, error) {
	if len(nodes) == 0 {
		return "", &NoFit{"no node has joined this cloud: start one with 'lazuli node'", true}
	}
	var fit []Node
	why := map[string]int{}
	for _, n := range nodes {
		if reason := w.refuses(n); reason != "" {
			why[reason]++
			continue
		}
		fit = append(fit, n)
	}
	if len(fit) == 0 {
		return "", &NoFit{"no node fits: " + summary(why), why[notConnected] > 0}
	}
	best := slices.MinFunc(fit, func(a, b Node) int {
		return cmp.Or(cmp.Compare(w.Apart[a.Name], w.Apart[b.Name]), -cmp.Compare(a.free(), b.free()), cmp.Compare(a.Name, b.Name))
	})
	return best.Name, nil
}

func (n Node) free() int { return n.MemoryMiB - reservedMiB - n.UsedMiB }

const notConnected = "not connected"

func (w Want) refuses(n Node) string {
	switch {
	case w.Node != "" && n.Name != w.Node:
		return "without its disks"
	case !n.Ready:
		return notConnected
	case w.CPUs > n.CPUs*cpuShare:
		return fmt.Sprintf("with fewer than %d processors", (w.CPUs+cpuShare-1)/cpuShare)
	case w.MemoryMiB > n.free():
		return fmt.Sprintf("with less than %d MiB of memory free", w.MemoryMiB)
	case w.Image != "" && !slices.Contains(n.Images, w.Image):
		return fmt.Sprintf("without the image %s", w.Image)
	}
	return ""
}

// cpuShare is how many virtual processors of one machine a processor may carry.
const cpuShare = 4

func summary(why map[string]int) string {
	var parts []string
	for reason, n := range why {
		parts = append(parts, fmt.Sprintf("%d %s", n, reason))
	}
	slices.Sort(parts)
	s := parts[0]
	for _, p := range parts[1:] {
		s += ", " + p
	}
	return s
}
