package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"lazuli/internal/fabric"
	"lazuli/internal/store"
)

// nodePrefix is where the store has what each node is: /node/<name>, a
// fabric.NodeReport. It is written when something of it changes that lasts.
const nodePrefix = "/node/"

// nodes are the nodes that have a link, and what they reported on it.
type nodes struct {
	mu sync.Mutex
	m  map[string]*linked
	// lost is when those that have no link any more had it last.
	lost map[string]time.Time
}

// linked is one node's link.
type linked struct {
	down     *fabric.Downlink
	self     *fabric.NodeReport
	machines map[string]fabric.MachineReport
	disks    map[string]fabric.DiskReport
	images   map[string]fabric.ImageReport
	networks map[string]fabric.NetworkReport
	// changed has the node's assignment made again.
	changed chan struct{}
}

func newLinked(down *fabric.Downlink) *linked {
	return &linked{
		down: down, changed: make(chan struct{}, 1),
		machines: map[string]fabric.MachineReport{}, disks: map[string]fabric.DiskReport{},
		images: map[string]fabric.ImageReport{}, networks: map[string]fabric.NetworkReport{},
	}
}

func (l *linked) signal() {
	select {
	case l.changed <- struct{}{}:
	default:
	}
}

// Linked takes note of a node's link until ctx ends. A newer link of the same
// node ends an older one.
func (c *Control) Linked(ctx context.Context, name string, down *fabric.Downlink) {
	l := newLinked(down)
	c.nodes.mu.Lock()
	old := c.nodes.m[name]
	c.nodes.m[name] = l
	delete(c.nodes.lost, name)
	c.nodes.mu.Unlock()
	if old != nil && old.down != nil {
		old.down.Close()
	}
	c.log.Info("node linked", "node", name)
	context.AfterFunc(ctx, func() {
		c.nodes.mu.Lock()
		mine := c.nodes.m[name] == l
		if mine {
			delete(c.nodes.m, name)
			c.nodes.lost[name] = c.Now()
		}
		c.nodes.mu.Unlock()
		if mine && c.ctx.Err() == nil {
			c.log.Warn("node's link is gone", "node", name)
			c.lookAtAll() // what was on it is to be told of as such
		}
	})
}

// brief is how long a node may be without a link before anything is made of
// it: both ends may restart, which nobody has to hear of.
const brief = 5 * time.Second

// away says whether the node has no link, and for how long. A control plane
// that has only started has seen none.
func (c *Control) away(name string) (since time.Duration, is bool) {
	c.nodes.mu.Lock()
	defer c.nodes.mu.Unlock()
	if c.nodes.m[name] != nil {
		return 0, false
	}
	lost, known := c.nodes.lost[name]
	if !known {
		lost = c.startedAt
	}
	return c.Now().Sub(lost), true
}

func notConnected(node string) *fabric.Problem {
	return &fabric.Problem{Code: "NodeNotConnected", Message: fmt.Sprintf("The node %s is not connected. What it runs goes on; what is asked of it is done when it is back.", node)}
}

// missing is what to say of a thing whose node has been away for too long for
// who waits; nil until then.
func (c *Control) missing(node string) *fabric.Problem {
	if since, is := c.away(node); is && since >= patience {
		return notConnected(node)
	}
	return nil
}

func (c *Control) linked(name string) *linked {
	c.nodes.mu.Lock()
	defer c.nodes.mu.Unlock()
	return c.nodes.m[name]
}

// Report takes in what a node says, and has the reconcilers look.
func (c *Control) Report(ctx context.Context, name string, r *fabric.Report) error {
	l := c.linked(name)
	if l == nil {
		return fmt.Errorf("node %s has no link", name)
	}
	if r.Node != nil {
		if err := c.putNode(ctx, name, *r.Node); err != nil {
			return fmt.Errorf("store node: %w", err)
		}
	}
	uids, first := c.note(l, r)
	c.heard(uids...)
	if first {
		c.lookAtAll() // what found no node may go to this one
	}
	if len(r.Networks) > 0 || r.Node != nil {
		l.signal()
	}
	return nil
}

// note keeps a report, and returns whom it is about, and whether it is the
// first that the node gives of itself on the link.
func (c *Control) note(l *linked, r *fabric.Report) (uids []string, first bool) {
	c.nodes.mu.Lock()
	defer c.nodes.mu.Unlock()
	if r.Node != nil {
		first = l.self == nil
		l.self = r.Node
	}
	for _, x := range r.Machines {
		l.machines[x.UID] = x
		uids = append(uids, x.UID)
	}
	for _, x := range r.Disks {
		l.disks[x.UID] = x
		uids = append(uids, x.UID)
	}
	for _, x := range r.Images {
		l.images[x.UID] = x
		uids = append(uids, x.UID)
	}
	for _, x := range r.Networks {
		l.networks[x.UID] = x
	}
	return uids, first
}

// roughBytes is how finely the store knows a node's free space.
const roughBytes = 1 << 30

// putNode keeps the store's account of a node up to date, without writing for
// every byte that a disk grows.
func (c *Control) putNode(ctx context.Context, name string, n fabric.NodeReport) error {
	n.Name = name
	n.FreeBytes -= n.FreeBytes % roughBytes
	n.StartedAt = time.Time{}
	b, err := json.Marshal(n)
	if err != nil {
		return err
	}
	_, err = c.store.Update(ctx, func(tx store.Tx) error {
		old, err := tx.Get(ctx, nodePrefix+name)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		if err == nil && string(old.Value) == string(b) {
			return nil
		}
		tx.Put(nodePrefix+name, b)
		return nil
	})
	return err
}

// Nodes reads what is known of all nodes, linked or not.
func Nodes(ctx context.Context, r store.Reader) ([]fabric.NodeReport, error) {
	es, err := r.List(ctx, nodePrefix)
	if err != nil {
		return nil, err
	}
	ns := make([]fabric.NodeReport, 0, len(es))
	for _, e := range es {
		var n fabric.NodeReport
		if err := json.Unmarshal(e.Value, &n); err != nil {
			return nil, fmt.Errorf("read %s: %w", e.Key, err)
		}
		ns = append(ns, n)
	}
	return ns, nil
}

// Images lists the platform images that some node has.
type Images struct{}

// List is each image once, however many nodes have it.
func (Images) List(ctx context.Context, r store.Reader) ([]fabric.NodeImage, error) {
	ns, err := Nodes(ctx, r)
	if err != nil {
		return nil, err
	}
	var all []fabric.NodeImage
	seen := map[string]bool{}
	for _, n := range ns {
		for _, img := range n.Images {
			if !seen[img.Name] {
				seen[img.Name] = true
				all = append(all, img)
			}
		}
	}
	return all, nil
}
