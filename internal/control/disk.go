package control

import (
	"cmp"
	"context"
	"errors"
	"time"

	"lazuli/internal/arm"
	"lazuli/internal/compute"
	"lazuli/internal/fabric"
	"lazuli/internal/place"
	"lazuli/internal/store"
)

type disk = arm.Object[compute.Disk, compute.DiskStatus]

// How long a node may try before what it was asked for has failed, and how
// often to look at what nothing tells of.
const (
	patience  = 30 * time.Second
	lookAgain = 200 * time.Millisecond
	waitLong  = 5 * time.Second
)

// reconcileDisk makes one step towards what a disk should be. It may run at
// any time, any number of times, and after a crash anywhere in itself.
func (c *Control) reconcileDisk(ctx context.Context, id arm.ID) (time.Duration, error) {
	d, err := compute.Disks.Find(ctx, c.store, id)
	if err != nil || d == nil {
		return 0, err
	}
	switch {
	case !d.Status.HeldBy.IsZero() && !d.Status.HeldBy.Equal(d.Spec.ManagedBy):
		return c.letGo(ctx, d)
	case d.Deleting():
		return c.removeDisk(ctx, d)
	case d.Status.Node == "":
		return c.placeDisk(ctx, d)
	default:
		return c.observeDisk(ctx, d)
	}
}

// letGo clears HeldBy when the machine that had the disk has no more of it. A
// guest may take its time for that, or never let go.
func (c *Control) letGo(ctx context.Context, d *disk) (time.Duration, error) {
	again := waitLong
	if v, err := compute.VMs.Find(ctx, c.store, d.Status.HeldBy); err != nil {
		return 0, err
	} else if v != nil && c.Now().Sub(v.ChangedAt) < patience {
		again = lookAgain
	}
	after := again
	_, err := c.store.Update(ctx, func(tx store.Tx) error {
		after = again
		now, err := compute.Disks.Find(ctx, tx, d.ID)
		if err != nil || now == nil || now.UID != d.UID {
			return err
		}
		held, err := compute.StillHeld(ctx, tx, now)
		if err != nil || held {
			return err
		}
		after = 0
		now.Status.HeldBy = arm.ID{}
		return compute.Disks.PutStatus(tx, now.ID, &now.Status)
	})
	return after, err
}

// placeDisk chooses a node for a disk of its own. One that belongs to a
// machine goes where the machine goes.
func (c *Control) placeDisk(ctx context.Context, d *disk) (time.Duration, error) {
	if !d.Spec.ManagedBy.IsZero() {
		return 0, nil
	}
	want := place.Want{Image: d.Spec.Image}
	if d.Spec.SourceUID != "" {
		source, err := compute.Disks.Find(ctx, c.store, d.Spec.Source)
		if err != nil {
			return 0, err
		}
		if source == nil || source.Status.Node == "" {
			return waitLong, nil
		}
		want.Node = source.Status.Node
	}
	ns, err := c.placeable(ctx)
	if err != nil {
		return 0, err
	}
	name, err := place.Choose(ns, want)
	if noFit, ok := errors.AsType[*place.NoFit](err); ok && !c.givesUp(noFit, d.ChangedAt) {
		return waitLong, nil
	}
	if err != nil {
		return waitLong, c.failDisk(ctx, d, &fabric.Problem{Code: "AllocationFailed", Message: err.Error()})
	}
	_, err = c.store.Update(ctx, func(tx store.Tx) error {
		now, err := compute.Disks.Find(ctx, tx, d.ID)
		if err != nil || now == nil || now.Status.Node != "" || !now.Spec.ManagedBy.IsZero() {
			return err
		}
		now.Status.Node = name
		return compute.Disks.PutStatus(tx, now.ID, &now.Status)
	})
	return 0, err
}

// observeDisk writes down what the disk's node says of it.
func (c *Control) observeDisk(ctx context.Context, d *disk) (time.Duration, error) {
	r, ok := reported(c, d.Status.Node, d.UID, func(l *linked) map[string]fabric.DiskReport { return l.disks })
	if !ok {
		return c.missDisk(ctx, d)
	}
	if r.Generation < d.Generation {
		if r.Problem == nil {
			return 0, nil
		}
		return waitLong, c.failDisk(ctx, d, r.Problem)
	}
	_, err := c.store.Update(ctx, func(tx store.Tx) error {
		now, err := compute.Disks.Find(ctx, tx, d.ID)
		if err != nil || now == nil || now.Generation != d.Generation || now.UID != d.UID {
			return err
		}
		s := now.Status
		s.ObservedGeneration, s.Failure, s.SizeBytes, s.UsedBytes = d.Generation, nil, r.SizeBytes, r.UsedBytes
		if equal(s, now.Status) {
			return nil
		}
		if err := c.finish(ctx, tx, &now.Meta, nil); err != nil {
			return err
		}
		return compute.Disks.PutStatus(tx, now.ID, &s)
	})
	return 0, err
}

// missDisk is about a disk that its node has not told of.
func (c *Control) missDisk(ctx context.Context, d *disk) (time.Duration, error) {
	if _, away := c.away(d.Status.Node); !away || d.Status.ObservedGeneration >= d.Generation {
		return 0, nil
	}
	if p := c.missing(d.Status.Node); p != nil {
		return waitLong, c.failDisk(ctx, d, p)
	}
	return waitLong, nil
}

// failDisk ends the operation on a disk with an error, when there was patience
// enough. The node goes on trying.
func (c *Control) failDisk(ctx context.Context, d *disk, p *fabric.Problem) error {
	_, err := c.store.Update(ctx, func(tx store.Tx) error {
		now, err := compute.Disks.Find(ctx, tx, d.ID)
		if err != nil || now == nil || now.Generation != d.Generation || c.Now().Sub(now.ChangedAt) < patience {
			return err
		}
		s := now.Status
		s.ObservedGeneration, s.Failure = d.Generation, p
		if equal(s, now.Status) {
			return nil
		}
		if err := c.finish(ctx, tx, &now.Meta, failure(p)); err != nil {
			return err
		}
		return compute.Disks.PutStatus(tx, now.ID, &s)
	})
	return err
}

// removeDisk forgets the disk when its node has deleted it.
func (c *Control) removeDisk(ctx context.Context, d *disk) (time.Duration, error) {
	if d.Status.Node != "" {
		r, ok := reported(c, d.Status.Node, d.UID, func(l *linked) map[string]fabric.DiskReport { return l.disks })
		if !ok || r.Presence != fabric.Absent || r.Generation < d.Generation {
			return unremoved(ctx, c, compute.Disks, d, d.Status.Node, r.Problem)
		}
	}
	err := forget(ctx, c, compute.Disks, d)
	if vm, ok := c.goesAfter.LoadAndDelete(d.ID.String()); ok {
		c.add(vm.(arm.ID))
	}
	return 0, err
}

// unremoved is about a deletion that its node has not carried out yet; p is
// what the node says of it. When it goes on for too long, its operation ends
// with the reason; the deletion stands.
func unremoved[S, T any](ctx context.Context, c *Control, in arm.Collection[S, T], o *arm.Object[S, T], node string, p *fabric.Problem) (time.Duration, error) {
	_, away := c.away(node)
	if away {
		p = c.missing(node)
	}
	switch {
	case p == nil && !away:
		return 0, nil
	case p == nil, c.Now().Sub(*o.DeletingAt) < patience:
		return waitLong, nil
	}
	_, err := c.store.Update(ctx, func(tx store.Tx) error {
		now, err := in.Find(ctx, tx, o.ID)
		if err != nil || now == nil || now.UID != o.UID {
			return err
		}
		return c.finish(ctx, tx, &now.Meta, failure(p))
	})
	return waitLong, err
}

// forget removes a resource that is gone, and ends its deletion.
func forget[S, T any](ctx context.Context, c *Control, in arm.Collection[S, T], o *arm.Object[S, T]) error {
	_, err := c.store.Update(ctx, func(tx store.Tx) error {
		now, err := in.Find(ctx, tx, o.ID)
		if err != nil || now == nil || now.UID != o.UID {
			return err
		}
		if err := c.finish(ctx, tx, &now.Meta, nil); err != nil {
			return err
		}
		return in.Delete(ctx, tx, now.ID)
	})
	return err
}

// reported is what a node said of the thing uid.
func reported[R any](c *Control, node, uid string, of func(*linked) map[string]R) (r R, ok bool) {
	l := c.linked(node)
	if l == nil {
		return r, false
	}
	c.nodes.mu.Lock()
	defer c.nodes.mu.Unlock()
	r, ok = of(l)[uid]
	return r, ok
}

// failure is a problem as a client sees it.
func failure(p *fabric.Problem) *arm.Error {
	return arm.Conflict(cmp.Or(p.Code, "InternalOperationError"), "%s", p.Message)
}
