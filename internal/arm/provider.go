package arm

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"

	"lazuli/internal/store"
)

// Tracked is the Provider of tracked resources that are kept in a Collection:
// it does what is the same for all types. B is the struct of the body, used in
// both directions, so that whatever a client reads it can send back.
type Tracked[B, S, T any, P bodyOf[B]] struct {
	Collection Collection[S, T]
	// Locations in which the resources may be; none means anywhere.
	Locations []string
	// ShowETag says that the type has an etag in its body.
	ShowETag bool
	// Apply makes the resource what the body b asks for, or says why not. It
	// checks and changes other resources in c.Tx as needed.
	Apply func(ctx context.Context, c *Call, e *Edit[S, T], b *B) error
	// View fills b, whose header is filled in already.
	View func(ctx context.Context, c *Call, o *Object[S, T], b *B) error
	// Remove says whether o may be deleted, and lets go of what it holds. With
	// later the deletion is only noted, for somebody to carry it out.
	Remove func(ctx context.Context, c *Call, o *Object[S, T]) (later bool, err error)
}

type bodyOf[B any] interface {
	*B
	header() *Header
}

// Edit is a change of a resource by PUT or PATCH. The object in it begins as a
// copy of Was, with the new location and tags, and is to be changed.
type Edit[S, T any] struct {
	*Object[S, T]
	Was *Object[S, T] // nil when the resource is new
	// was is the spec of Was as it is stored.
	was []byte
	// Action is the operation that carries out the change, when somebody has
	// to: "create", "update". The reply is asynchronous then.
	Action string
}

// New says that the resource is being made.
func (e *Edit[S, T]) New() bool { return e.Was == nil }

// Reader reads the state: in the transaction if there is one.
func (c *Call) Reader() store.Reader {
	if c.Tx != nil {
		return c.Tx
	}
	return c.Store
}

// Get answers with the resource.
func (p *Tracked[B, S, T, P]) Get(ctx context.Context, c *Call) (Result, error) {
	o, err := p.Collection.Get(ctx, c.Reader(), c.ID)
	if err != nil {
		return Result{}, err
	}
	b, err := p.view(ctx, c, o)
	return Result{Body: b, ETag: o.ETag()}, err
}

// List answers with a page of the resources in scope.
func (p *Tracked[B, S, T, P]) List(ctx context.Context, c *Call, scope ID, after string, limit int) ([]any, string, error) {
	os, next, err := p.Collection.Page(ctx, c.Store, scope, after, limit)
	if err != nil {
		return nil, "", err
	}
	items := make([]any, 0, len(os))
	for _, o := range os {
		b, err := p.view(ctx, c, o)
		if err != nil {
			return nil, "", err
		}
		items = append(items, b)
	}
	return items, next, nil
}

// Put makes or changes the resource.
func (p *Tracked[B, S, T, P]) Put(ctx context.Context, c *Call, body []byte) (Result, error) {
	was, err := p.Collection.Find(ctx, c.Tx, c.ID)
	if err != nil {
		return Result{}, err
	}
	if err := CheckPrecondition(c, metaOf(was)); err != nil {
		return Result{}, err
	}
	return p.put(ctx, c, was, body)
}

// Patch is a PUT of what the patch makes of the resource as it is.
func (p *Tracked[B, S, T, P]) Patch(ctx context.Context, c *Call, patch []byte) (Result, error) {
	was, err := p.Collection.Get(ctx, c.Tx, c.ID)
	if err != nil {
		return Result{}, err
	}
	if err := CheckPrecondition(c, &was.Meta); err != nil {
		return Result{}, err
	}
	current, err := p.view(ctx, c, was)
	if err != nil {
		return Result{}, err
	}
	body, err := Merge(current, patch)
	if err != nil {
		return Result{}, err
	}
	return p.put(ctx, c, was, body)
}

// Delete deletes the resource, or begins to.
func (p *Tracked[B, S, T, P]) Delete(ctx context.Context, c *Call) (Result, error) {
	o, err := p.Collection.Get(ctx, c.Tx, c.ID)
	if err != nil {
		return Result{}, err
	}
	if err := CheckPrecondition(c, &o.Meta); err != nil {
		return Result{}, err
	}
	if o.Deleting() {
		op, err := GetOperation(ctx, c.Tx, o.Operation)
		return Result{Operation: op}, err
	}
	later, err := p.Remove(ctx, c, o)
	if err != nil {
		return Result{}, err
	}
	if !later {
		return Result{}, p.Collection.Delete(ctx, c.Tx, o.ID)
	}
	op, err := BeginDelete(ctx, c.Tx, p.Collection, o, c)
	return Result{Operation: op}, err
}

// BeginDelete notes that o is to be deleted, and starts the operation.
func BeginDelete[S, T any](ctx context.Context, tx store.Tx, in Collection[S, T], o *Object[S, T], c *Call) (*Operation, error) {
	now := c.Now
	o.DeletingAt = &now
	o.Generation++
	op, err := StartOperation(ctx, tx, &o.Meta, c.NewID(), "delete", now)
	if err != nil {
		return nil, err
	}
	return op, in.Put(ctx, tx, o)
}

func (p *Tracked[B, S, T, P]) put(ctx context.Context, c *Call, was *Object[S, T], body []byte) (Result, error) {
	b := new(B)
	if err := Decode(body, b); err != nil {
		return Result{}, err
	}
	e, err := p.edit(c, was, P(b).header())
	if err != nil {
		return Result{}, err
	}
	if err := p.Apply(ctx, c, e, b); err != nil {
		return Result{}, err
	}
	op, err := p.write(ctx, c, e)
	if err != nil {
		return Result{}, err
	}
	v, err := p.view(ctx, c, e.Object)
	return Result{Body: v, ETag: e.ETag(), Created: was == nil, Operation: op}, err
}

// edit begins a change of was, or of a new resource.
func (p *Tracked[B, S, T, P]) edit(c *Call, was *Object[S, T], h *Header) (*Edit[S, T], error) {
	e := &Edit[S, T]{Was: was}
	if was == nil {
		e.Object = &Object[S, T]{Meta: Meta{
			ID: c.ID.Scope().Resource(p.Collection.Type, c.ID.Names...), UID: c.NewID(),
			CreatedAt: c.Now, ChangedAt: c.Now,
		}}
		return e, h.apply(c, &e.Meta, false, p.Locations)
	}
	if was.Deleting() {
		return nil, Conflict("ResourceBeingDeleted", "The resource '%s' is being deleted. Wait until it is gone and try again.", was.ID.Name())
	}
	if err := e.copyWas(); err != nil {
		return nil, err
	}
	return e, h.apply(c, &e.Meta, true, p.Locations)
}

// copyWas makes the object a copy of Was, with a spec and tags that share nothing
// with it.
func (e *Edit[S, T]) copyWas() (err error) {
	o := *e.Was
	o.Tags, o.Spec = maps.Clone(o.Tags), *new(S)
	if e.was, err = json.Marshal(e.Was.Spec); err != nil {
		return err
	}
	e.Object = &o
	return json.Unmarshal(e.was, &o.Spec)
}

// write stores the change, if it is one, and starts its operation.
func (p *Tracked[B, S, T, P]) write(ctx context.Context, c *Call, e *Edit[S, T]) (*Operation, error) {
	changed, err := e.changed()
	if err != nil || !changed && e.Action == "" {
		return nil, err
	}
	if e.New() || e.Action != "" {
		e.Generation++ // else there is nothing that somebody has to make true
	}
	if err := c.checkLinks(ctx, e.ID, e.referred, references(&e.Spec)); err != nil {
		return nil, err
	}
	e.ChangedAt = c.Now
	var op *Operation
	if e.Action != "" {
		if op, err = StartOperation(ctx, c.Tx, &e.Meta, c.NewID(), e.Action, c.Now); err != nil {
			return nil, err
		}
	}
	return op, p.Collection.Put(ctx, c.Tx, e.Object)
}

// changed says whether there is anything to write.
func (e *Edit[S, T]) changed() (bool, error) {
	if e.Was == nil || !maps.Equal(e.Tags, e.Was.Tags) {
		return true, nil
	}
	is, err := json.Marshal(e.Spec)
	return !bytes.Equal(e.was, is), err
}

func (p *Tracked[B, S, T, P]) view(ctx context.Context, c *Call, o *Object[S, T]) (*B, error) {
	b := new(B)
	P(b).header().show(&o.Meta, p.Collection.Type, p.ShowETag)
	if err := p.View(ctx, c, o, b); err != nil {
		return nil, fmt.Errorf("show %s: %w", o.ID, err)
	}
	return b, nil
}

func metaOf[S, T any](o *Object[S, T]) *Meta {
	if o == nil {
		return nil
	}
	return &o.Meta
}
