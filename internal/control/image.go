package control

import (
	"context"
	"time"

	"lazuli/internal/arm"
	"lazuli/internal/compute"
	"lazuli/internal/fabric"
	"lazuli/internal/store"
)

type image = arm.Object[compute.Image, compute.ImageStatus]

// reconcileImage makes one step towards what an image should be.
func (c *Control) reconcileImage(ctx context.Context, id arm.ID) (time.Duration, error) {
	i, err := compute.Images.Find(ctx, c.store, id)
	if err != nil || i == nil {
		return 0, err
	}
	switch {
	case i.Deleting():
		return c.removeImage(ctx, i)
	case i.Status.Node == "":
		return c.placeImage(ctx, i)
	default:
		return c.observeImage(ctx, i)
	}
}

// placeImage puts an image where the disk is that it is made of.
func (c *Control) placeImage(ctx context.Context, i *image) (time.Duration, error) {
	source, err := compute.Disks.Find(ctx, c.store, i.Spec.SourceDisk)
	if err != nil {
		return 0, err
	}
	if source == nil || source.UID != i.Spec.SourceDiskUID {
		return 0, c.settleImage(ctx, i, func(s *compute.ImageStatus) {
			s.Failure = &fabric.Problem{Code: "ResourceNotFound", Message: "The disk that the image was to be made of is gone."}
		})
	}
	if source.Status.Node == "" {
		return waitLong, nil
	}
	_, err = c.store.Update(ctx, func(tx store.Tx) error {
		now, err := compute.Images.Find(ctx, tx, i.ID)
		if err != nil || now == nil || now.UID != i.UID {
			return err
		}
		now.Status.Node = source.Status.Node
		return compute.Images.PutStatus(tx, now.ID, &now.Status)
	})
	return 0, err
}

func (c *Control) observeImage(ctx context.Context, i *image) (time.Duration, error) {
	r, ok := reported(c, i.Status.Node, i.UID, func(l *linked) map[string]fabric.ImageReport { return l.images })
	switch {
	case !ok:
		return c.missImage(ctx, i)
	case r.Generation >= i.Generation:
		return 0, c.settleImage(ctx, i, func(s *compute.ImageStatus) { s.Failure, s.SizeBytes, s.Progress = nil, r.SizeBytes, 100 })
	case r.Problem != nil && c.Now().Sub(i.ChangedAt) > patience:
		return 0, c.settleImage(ctx, i, func(s *compute.ImageStatus) { s.Failure = r.Problem })
	}
	return waitLong, nil
}

// missImage is about an image that its node has not told of.
func (c *Control) missImage(ctx context.Context, i *image) (time.Duration, error) {
	if _, away := c.away(i.Status.Node); !away || i.Status.ObservedGeneration >= i.Generation {
		return 0, nil
	}
	p := c.missing(i.Status.Node)
	if p == nil || c.Now().Sub(i.ChangedAt) < patience {
		return waitLong, nil
	}
	return waitLong, c.settleImage(ctx, i, func(s *compute.ImageStatus) { s.Failure = p })
}

// settleImage writes that what was asked for is so, or has failed.
func (c *Control) settleImage(ctx context.Context, i *image, f func(*compute.ImageStatus)) error {
	_, err := c.store.Update(ctx, func(tx store.Tx) error {
		now, err := compute.Images.Find(ctx, tx, i.ID)
		if err != nil || now == nil || now.Generation != i.Generation || now.UID != i.UID {
			return err
		}
		s := now.Status
		s.ObservedGeneration = i.Generation
		f(&s)
		if equal(s, now.Status) {
			return nil
		}
		var failed *arm.Error
		if s.Failure != nil {
			failed = failure(s.Failure)
		}
		if err := c.finish(ctx, tx, &now.Meta, failed); err != nil {
			return err
		}
		return compute.Images.PutStatus(tx, now.ID, &s)
	})
	return err
}

func (c *Control) removeImage(ctx context.Context, i *image) (time.Duration, error) {
	if i.Status.Node != "" {
		r, ok := reported(c, i.Status.Node, i.UID, func(l *linked) map[string]fabric.ImageReport { return l.images })
		if !ok || r.Presence != fabric.Absent || r.Generation < i.Generation {
			return unremoved(ctx, c, compute.Images, i, i.Status.Node, r.Problem)
		}
	}
	return 0, forget(ctx, c, compute.Images, i)
}
