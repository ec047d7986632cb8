package control

import (
	"context"
	"reflect"

	"lazuli/internal/fabric"
)

// Assignments sends a node its assignment, whole and then as it changes.
func (c *Control) Assignments(ctx context.Context, name string, send func(fabric.Message) error) error {
	l := c.linked(name)
	if l == nil {
		return context.Canceled
	}
	select {
	case <-c.followed: // an assignment from half a copy would be a wrong one
	case <-ctx.Done():
		return ctx.Err()
	}
	sent := fabric.Assignment{}
	for first := true; ; first = false {
		now, err := c.plan(ctx, name)
		if err != nil {
			c.log.Error("no assignment made", "node", name, "err", err)
		} else {
			m := difference(sent, now)
			m.Full = first
			if first || !m.empty() {
				if err := send(m.Message); err != nil {
					return err
				}
			}
			sent = now
			c.forgetReports(l, m.Forget)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-l.changed:
		}
	}
}

// forgetReports drops what a node said of things that are no longer its own.
func (c *Control) forgetReports(l *linked, gone []fabric.Ref) {
	c.nodes.mu.Lock()
	defer c.nodes.mu.Unlock()
	for _, r := range gone {
		switch r.Kind {
		case fabric.KindMachine:
			delete(l.machines, r.UID)
		case fabric.KindDisk:
			delete(l.disks, r.UID)
		case fabric.KindImage:
			delete(l.images, r.UID)
		case fabric.KindNetwork:
			delete(l.networks, r.UID)
		}
	}
}

// message is a Message that can say whether there is anything in it.
type message struct{ fabric.Message }

func (m message) empty() bool {
	return len(m.Machines)+len(m.Disks)+len(m.Images)+len(m.Networks)+len(m.Forget) == 0
}

// difference is what turns the assignment was into now.
func difference(was, now fabric.Assignment) message {
	var m message
	m.Machines = changed(&m, fabric.KindMachine, was.Machines, now.Machines, func(x fabric.Machine) string { return x.UID })
	m.Disks = changed(&m, fabric.KindDisk, was.Disks, now.Disks, func(x fabric.Disk) string { return x.UID })
	m.Images = changed(&m, fabric.KindImage, was.Images, now.Images, func(x fabric.Image) string { return x.UID })
	m.Networks = changed(&m, fabric.KindNetwork, was.Networks, now.Networks, func(x fabric.Network) string { return x.UID })
	return m
}

func changed[T any](m *message, kind fabric.Kind, was, now []T, uid func(T) string) []T {
	old := make(map[string]T, len(was))
	for _, x := range was {
		old[uid(x)] = x
	}
	var out []T
	for _, x := range now {
		o, had := old[uid(x)]
		if !had || !reflect.DeepEqual(o, x) {
			out = append(out, x)
		}
		delete(old, uid(x))
	}
	for u := range old {
		m.Forget = append(m.Forget, fabric.Ref{Kind: kind, UID: u})
	}
	return out
}
