package cutfs

import (
	"math/rand/v2"
	"slices"
)

// Order says what makes names durable: see the package comment.
type Order int

// The orders.
const (
	Strict Order = iota
	Journal
)

// directory is what a directory has: for the programs, and on storage.
type directory struct {
	live, durable map[string]*node
}

func newDirectory() *directory {
	return &directory{live: map[string]*node{}, durable: map[string]*node{}}
}

// entry is a name that a change sets, or removes (node is nil).
type entry struct {
	dir  *directory
	name string
	node *node
}

// nameChange is one change of names, which is atomic. It becomes durable with
// the directory home.
type nameChange struct {
	home    *directory
	entries []entry
}

// names are the changes of names that are not durable, oldest first.
type names struct {
	order   Order
	pending []*nameChange
}

// do carries out a change and remembers it.
func (n *names) do(home *directory, entries ...entry) {
	for _, e := range entries {
		e.set(e.dir.live)
	}
	n.pending = append(n.pending, &nameChange{home, entries})
}

func (e entry) set(m map[string]*node) {
	if e.node == nil {
		delete(m, e.name)
	} else {
		m[e.name] = e.node
	}
}

// syncDir makes durable what syncing the directory makes durable.
func (n *names) syncDir(d *directory) {
	n.commit(n.needed(func(_ int, c *nameChange) bool { return n.order == Journal || c.home == d }))
}

// syncFile makes durable what syncing any file makes durable.
func (n *names) syncFile() {
	if n.order == Journal {
		n.commit(n.needed(func(int, *nameChange) bool { return true }))
	}
}

// cut keeps of the changes that are not durable what chance keeps.
func (n *names) cut(r *rand.Rand, rep *Report) {
	total := len(n.pending)
	keep := chance(r, total)
	if n.order == Journal {
		last := r.IntN(total + 1)
		keep = func(i int) bool { return i < last }
	}
	kept := n.needed(func(i int, _ *nameChange) bool { return keep(i) })
	n.commit(kept)
	rep.Kept += total - len(n.pending)
	rep.Dropped += len(n.pending)
	n.pending = nil
}

// needed says which changes are to become durable when those that want says
// are: with each also the earlier ones of the same names.
func (n *names) needed(want func(i int, c *nameChange) bool) []bool {
	need := make([]bool, len(n.pending))
	for i, c := range n.pending {
		need[i] = want(i, c)
	}
	type key struct {
		dir  *directory
		name string
	}
	touched := map[key]bool{}
	for i, c := range slices.Backward(n.pending) {
		for _, e := range c.entries {
			need[i] = need[i] || touched[key{e.dir, e.name}]
		}
		if need[i] {
			for _, e := range c.entries {
				touched[key{e.dir, e.name}] = true
			}
		}
	}
	return need
}

func (n *names) commit(need []bool) {
	var rest []*nameChange
	for i, c := range n.pending {
		if !need[i] {
			rest = append(rest, c)
			continue
		}
		for _, e := range c.entries {
			e.set(e.dir.durable)
		}
	}
	n.pending = rest
}
