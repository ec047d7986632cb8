package api

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"lazuli/internal/arm"
	"lazuli/internal/store"
)

// read carries out a request that reads: f sees the store itself.
func (q *request) read(f func(ctx context.Context, c *arm.Call) error) error {
	tx, ids := store.Tx(readTx{q.s.Store}), &idSource{}
	if q.trial != nil {
		tx, ids = q.trial.tx, &q.trial.ids
	}
	c, err := q.call(q.Context(), tx, ids)
	if err != nil {
		return err
	}
	return f(q.Context(), c)
}

// write carries out a request that may write, in a transaction.
func (q *request) write(f func(ctx context.Context, c *arm.Call) (arm.Result, error)) (arm.Result, error) {
	if q.trial != nil {
		return q.try(f)
	}
	var result arm.Result
	ids := &idSource{}
	_, err := q.s.Store.Update(q.Context(), func(tx store.Tx) error {
		ids.next = 0
		var err error
		result, err = q.change(tx, ids, f)
		return err
	})
	if err != nil {
		return arm.Result{}, err
	}
	return result, nil
}

// change carries out a request in the transaction tx.
func (q *request) change(tx store.Tx, ids *idSource, f func(ctx context.Context, c *arm.Call) (arm.Result, error)) (arm.Result, error) {
	noted := &noting{Tx: tx}
	c, err := q.call(q.Context(), noted, ids)
	if err != nil {
		return arm.Result{}, err
	}
	if err := q.checkGroupStays(c); err != nil {
		return arm.Result{}, err
	}
	result, err := f(q.Context(), c)
	if err != nil {
		return arm.Result{}, err
	}
	return result, q.noteDone(noted, result)
}

// call makes the Call, and holds the request to the principal's rights, to its
// subscription and group, which exist, and to the locks.
func (q *request) call(ctx context.Context, tx store.Tx, ids *idSource) (*arm.Call, error) {
	c := &arm.Call{
		Tx: tx, Store: q.s.Store, ID: q.target.id, Query: q.query, Body: q.body,
		IfMatch: q.list("If-Match"), IfNoneMatch: q.list("If-None-Match"),
		Principal: q.principal, Now: q.s.Now(), NewID: ids.newID,
		SignURL: func(path, uid string, ttl time.Duration) string {
			return q.base + q.s.sign.sign(path, uid, q.s.Now().Add(ttl))
		},
	}
	q.groupLeaves = ""
	if c.ID.IsZero() {
		return c, q.authorise(c)
	}
	sub, err := arm.FindSubscription(ctx, tx, c.ID.Subscription)
	if err != nil {
		return nil, err
	}
	if sub == nil || !strings.EqualFold(sub.TenantID, q.principal.TenantID) {
		return nil, arm.NotFound(arm.ID{Subscription: c.ID.Subscription})
	}
	c.ID.Subscription = sub.ID
	q.account.scope = c.ID
	if err := q.authorise(c); err != nil {
		return nil, err
	}
	if err := q.checkEnabled(sub); err != nil {
		return nil, err
	}
	if err := q.findGroup(ctx, c); err != nil {
		return nil, err
	}
	return c, q.s.Rights.CheckLocks(ctx, tx, c.Action, c.ID)
}

func (q *request) findGroup(ctx context.Context, c *arm.Call) error {
	if c.ID.ResourceGroup == "" {
		return nil
	}
	group, err := arm.FindGroup(ctx, c.Tx, c.ID)
	if err != nil {
		return err
	}
	if group == nil {
		return arm.NotFound(c.ID.Scope())
	}
	c.ID.ResourceGroup, c.GroupLocation = group.ID.Name(), group.Location
	if group.Deleting() {
		q.groupLeaves = group.ID.Name()
	}
	return q.s.checkBase(ctx, c)
}

// checkBase holds an extension resource to a resource that it is on, and that
// exists.
func (s *Server) checkBase(ctx context.Context, c *arm.Call) error {
	if c.ID.On == nil {
		return nil
	}
	on := *c.ID.On
	on.ResourceGroup = c.ID.ResourceGroup
	c.ID.On = &on
	base := *c
	base.ID = on
	typ, _ := s.routes.lookup(on)
	if typ == nil {
		return arm.NotFound(on)
	}
	_, err := typ.Provider.Get(ctx, &base)
	return err
}

// checkEnabled keeps a disabled subscription as it is, but for what deletes in
// it or changes itself.
func (q *request) checkEnabled(sub *arm.Subscription) error {
	switch {
	case !sub.Disabled, strings.HasPrefix(q.need.action, "Microsoft.Subscription/"), q.Method == http.MethodGet, q.Method == http.MethodHead, q.Method == http.MethodDelete:
		return nil
	}
	return arm.Conflict("ReadOnlyDisabledSubscription", "The subscription '%s' is disabled and therefore marked as read only. You cannot perform any write actions on this subscription until it is re-enabled.", sub.ID)
}

// checkGroupStays refuses to change what is in a group that is being deleted.
func (q *request) checkGroupStays(c *arm.Call) error {
	if q.groupLeaves == "" || q.Method == http.MethodDelete {
		return nil
	}
	return arm.Conflict("ResourceGroupBeingDeleted", "The resource group '%s' is being deleted, so nothing in it can be made or changed.", q.groupLeaves)
}

// list is a header that may be given in several lines, in one.
func (q *request) list(header string) string {
	return strings.Join(q.Header.Values(header), ",")
}

// idSource makes GUIDs, the same ones again when next is set back.
type idSource struct {
	made []string
	next int
}

func (s *idSource) newID() string {
	if s.next == len(s.made) {
		s.made = append(s.made, uuid.NewString())
	}
	s.next++
	return s.made[s.next-1]
}

// readTx is the store as a transaction for what only reads.
type readTx struct{ store.Reader }

func (readTx) Put(key string, _ []byte) { panic("write of " + key + " in a read") }
func (readTx) PutLeased(key string, _ []byte, _ store.LeaseID) {
	panic("write of " + key + " in a read")
}
func (readTx) Delete(key string) { panic("delete of " + key + " in a read") }
