package resources

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/google/uuid"

	"lazuli/internal/arm"
	"lazuli/internal/store"
)

// How long until a group that is being deleted is looked at again, and how
// long refusals to delete a resource are taken for passing ones.
const (
	whileMoving  = 200 * time.Millisecond
	whileRefused = time.Second
	patience     = 30 * time.Second
)

// Groups deletes resource groups: first everything in them, what nobody refers
// to first, then the group.
type Groups struct {
	Store store.Store
	// Types is the whole table of types.
	Types []arm.Type
	// Now is the time; nil is time.Now.
	Now func() time.Time
}

// Reconcile makes one step towards the end of a group that is being deleted. It
// may run at any time, any number of times, and after a crash anywhere in
// itself. id is the group's, in either form.
func (g *Groups) Reconcile(ctx context.Context, id arm.ID) (again time.Duration, err error) {
	group := arm.Group(id.Subscription, id.Name())
	m, err := arm.FindGroup(ctx, g.Store, group)
	if err != nil || m == nil || !m.Deleting() {
		return 0, err
	}
	left, err := g.contents(ctx, g.Store, group)
	if err != nil {
		return 0, err
	}
	if len(left) == 0 {
		return 0, g.finish(ctx, group)
	}
	s := &sweep{Groups: g, left: left}
	if err := s.run(ctx); err != nil {
		return 0, err
	}
	switch {
	case s.moving || len(s.refused) == 0:
		return whileMoving, nil
	case g.now().Sub(*m.DeletingAt) < patience:
		return whileRefused, nil
	}
	return 0, g.giveUp(ctx, group, s.refused)
}

func (g *Groups) now() time.Time {
	if g.Now == nil {
		return time.Now()
	}
	return g.Now()
}

// contents is what lies in the group directly.
func (g *Groups) contents(ctx context.Context, r store.Reader, group arm.ID) ([]*arm.Meta, error) {
	var all []*arm.Meta
	for _, t := range topLevel(g.Types) {
		os, err := raw{Type: t.Name}.List(ctx, r, group)
		if err != nil {
			return nil, err
		}
		for _, o := range os {
			all = append(all, &o.Meta)
		}
	}
	return all, nil
}

// finish deletes the group itself, if it is still empty.
func (g *Groups) finish(ctx context.Context, group arm.ID) error {
	_, err := g.Store.Update(ctx, func(tx store.Tx) error {
		left, err := g.contents(ctx, tx, group)
		if err != nil || len(left) > 0 {
			return err
		}
		return g.end(ctx, tx, group, nil)
	})
	return err
}

// giveUp ends the deletion with what stands in its way; what is left of the
// group stays.
func (g *Groups) giveUp(ctx context.Context, group arm.ID, refused []*arm.Error) error {
	failure := arm.Conflict("ResourceGroupDeletionBlocked", "Deletion of resource group '%s' failed as %d of its resources could not be deleted. See details.", group.Name(), len(refused))
	failure.Details = refused
	_, err := g.Store.Update(ctx, func(tx store.Tx) error { return g.end(ctx, tx, group, failure) })
	return err
}

func (g *Groups) end(ctx context.Context, tx store.Tx, group arm.ID, failure *arm.Error) error {
	o, err := groups.Find(ctx, tx, arm.GroupID(group.Subscription, group.ResourceGroup))
	if err != nil || o == nil || !o.Deleting() {
		return err
	}
	if err := arm.FinishOperation(ctx, tx, o.Operation, failure, nil, g.now()); err != nil {
		return err
	}
	if failure == nil {
		return groups.Delete(ctx, tx, o.ID)
	}
	o.DeletingAt = nil
	return groups.Put(ctx, tx, o)
}

// sweep is one pass over what is left of a group.
type sweep struct {
	*Groups
	left []*arm.Meta
	// moving says that the deletion of something is under way.
	moving  bool
	refused []*arm.Error
}

// run deletes what nothing else in the group refers to. When that is nothing,
// it tries everything, for the resources to say what stands in the way.
func (s *sweep) run(ctx context.Context) error {
	var used []*arm.Meta
	for _, m := range s.left {
		if m.Deleting() {
			s.moving = true
			continue
		}
		isUsed, err := s.isUsed(ctx, m.ID)
		if err != nil {
			return err
		}
		if isUsed {
			used = append(used, m)
		} else if err := s.delete(ctx, m.ID); err != nil {
			return err
		}
	}
	if s.moving {
		return nil
	}
	for _, m := range used {
		if err := s.delete(ctx, m.ID); err != nil {
			return err
		}
	}
	return nil
}

// isUsed says whether something else that is left refers to id.
func (s *sweep) isUsed(ctx context.Context, id arm.ID) (bool, error) {
	users, err := arm.Users(ctx, s.Store, id)
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(users, func(user arm.ID) bool {
		user.Types, user.Names = user.Types[:1], user.Names[:1]
		return !user.Equal(id) && slices.ContainsFunc(s.left, func(m *arm.Meta) bool { return m.ID.Equal(user) })
	}), nil
}

// delete asks the resource's provider to delete it.
func (s *sweep) delete(ctx context.Context, id arm.ID) error {
	i := slices.IndexFunc(s.Types, func(t arm.Type) bool { return id.Is(t.Name) })
	var ids []string
	_, err := s.Store.Update(ctx, func(tx store.Tx) error {
		next := 0
		c := &arm.Call{Tx: tx, Store: s.Store, ID: id, Now: s.now(), NewID: func() string {
			if next == len(ids) {
				ids = append(ids, uuid.NewString())
			}
			next++
			return ids[next-1]
		}}
		_, err := s.Types[i].Provider.Delete(ctx, c)
		return err
	})
	ae, isARM := errors.AsType[*arm.Error](err)
	switch {
	case err == nil, isARM && ae.Status == 404:
		s.moving = true
		return nil
	case isARM && ae.Status < 500:
		s.refused = append(s.refused, ae)
		return nil
	}
	return err
}
