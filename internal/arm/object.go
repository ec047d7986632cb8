package arm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"lazuli/internal/store"
)

// Meta is what every stored resource has. It is written by the API only.
type Meta struct {
	ID ID `json:"id"`
	// UID is a GUID given at creation. Nodes name things by it, so that a
	// resource that is deleted and made again is never taken for the old one.
	UID      string            `json:"uid"`
	Location string            `json:"location,omitempty"`
	Tags     map[string]string `json:"tags,omitempty"`
	// Generation counts the changes that somebody has to make true. Status
	// says up to which generation that was done.
	Generation int64      `json:"generation"`
	CreatedAt  time.Time  `json:"createdAt"`
	ChangedAt  time.Time  `json:"changedAt"`
	DeletingAt *time.Time `json:"deletingAt,omitempty"`
	// Operation is the id of the newest long-running operation, if any.
	Operation string `json:"operation,omitempty"`
	// Version counts the writes of meta and spec. It makes the etag, which has
	// to be known before the write is committed: it is in the reply's body.
	Version int64 `json:"version"`

	// Revision is the store's revision of the last write of meta and spec. It
	// is not stored; Get and List fill it in.
	Revision int64 `json:"-"`
}

// Deleting says that somebody asked for the resource's deletion.
func (m *Meta) Deleting() bool { return m.DeletingAt != nil }

// ETag changes with every write by the API.
func (m *Meta) ETag() string { return fmt.Sprintf(`W/"%s-%d"`, m.UID, m.Version) }

// Object is a stored resource. Spec is what the user asked for, written by the
// API. Status is what is so, written by whoever makes it true, at a key of its
// own: the two writers never meet.
type Object[S, T any] struct {
	Meta
	Spec   S
	Status T

	// from is the transaction that the object was read in, with what it
	// referred to then: who writes it back need not read it again.
	from     store.Reader
	referred map[string]ID
}

// Collection is where the resources of one type are stored.
//
//	/spec/<type>/<subscription>/<group>/<name>     {"meta":…, "spec":…}
//	/status/<type>/<subscription>/<group>/<name>   the status
//	/ref/<target's key>//<source's key>            the source's id
//
// Keys are in lower case. Listing a group or a subscription by type is
// listing a prefix.
type Collection[S, T any] struct{ Type string }

type storedSpec[S any] struct {
	Meta Meta `json:"meta"`
	Spec S    `json:"spec"`
}

// Referrer is a spec that refers to other resources. The collection keeps an
// index of references, so that "who uses this?" is a question about a prefix.
type Referrer interface{ References() []ID }

// Key is the part of the store's keys that is common to all of id's keys:
// "<type>/<subscription>/<group>/<name>", in lower case. What is on a resource
// has "<the resource's type and name>//" before its name.
func Key(id ID) string {
	on := ""
	if id.On != nil {
		on = id.On.Type() + "/" + strings.Join(id.On.Names, "/") + "//"
	}
	return fold(id.Type() + "/" + id.Subscription + "/" + id.ResourceGroup + "/" + on + strings.Join(id.Names, "/"))
}

// SpecPrefix is the prefix of the spec keys of type typ in scope: a group, a
// subscription, or everything (the zero ID).
func SpecPrefix(typ string, scope ID) string {
	p := specRoot + typ + "/"
	if scope.Subscription != "" {
		p += scope.Subscription + "/"
		if scope.ResourceGroup != "" {
			p += scope.ResourceGroup + "/"
		}
	}
	return fold(p)
}

const specRoot, statusRoot = "/spec/", "/status/"

// statusPrefix is SpecPrefix of the statuses.
func statusPrefix(typ string, scope ID) string { return statusOf(SpecPrefix(typ, scope)) }

// statusOf is the key of the status to that of the spec.
func statusOf(spec string) string { return statusRoot + strings.TrimPrefix(spec, specRoot) }

func specKey(id ID) string   { return specRoot + Key(id) }
func statusKey(id ID) string { return statusRoot + Key(id) }

// Get reads one resource; the error is NotFound(id) when there is none.
func (c Collection[S, T]) Get(ctx context.Context, r store.Reader, id ID) (*Object[S, T], error) {
	o, err := c.Find(ctx, r, id)
	if err == nil && o == nil {
		return nil, NotFound(id)
	}
	return o, err
}

// Find is Get, but nil without an error when there is none.
func (c Collection[S, T]) Find(ctx context.Context, r store.Reader, id ID) (*Object[S, T], error) {
	e, err := r.Get(ctx, specKey(id))
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return c.decode(ctx, r, e)
}

func (c Collection[S, T]) decode(ctx context.Context, r store.Reader, e store.Entry) (*Object[S, T], error) {
	st, err := r.Get(ctx, statusOf(e.Key))
	if errors.Is(err, store.ErrNotFound) {
		return c.decodeBoth(r, e, nil)
	}
	if err != nil {
		return nil, err
	}
	return c.decodeBoth(r, e, &st)
}

// decodeBoth reads a spec, and its status if it has one.
func (c Collection[S, T]) decodeBoth(r store.Reader, e store.Entry, st *store.Entry) (*Object[S, T], error) {
	o, err := c.DecodeSpec(e)
	if err != nil {
		return nil, err
	}
	if tx, ok := r.(store.Tx); ok {
		o.from, o.referred = tx, references(&o.Spec)
	}
	if st == nil {
		return o, nil
	}
	if err := json.Unmarshal(st.Value, &o.Status); err != nil {
		return nil, fmt.Errorf("read %s: %w", st.Key, err)
	}
	return o, nil
}

// DecodeSpec reads an entry under /spec/ as a resource without its status.
func (c Collection[S, T]) DecodeSpec(e store.Entry) (*Object[S, T], error) {
	var s storedSpec[S]
	if err := json.Unmarshal(e.Value, &s); err != nil {
		return nil, fmt.Errorf("read %s: %w", e.Key, err)
	}
	o := &Object[S, T]{Meta: s.Meta, Spec: s.Spec}
	o.Revision = e.Revision
	return o, nil
}

// Put writes meta and spec, and keeps the index of references. It raises the
// version. It does not write the status and does not change the generation. What
// the transaction deleted is not put back by it.
func (c Collection[S, T]) Put(ctx context.Context, tx store.Tx, o *Object[S, T]) error {
	o.Version++
	b, err := json.Marshal(storedSpec[S]{o.Meta, o.Spec})
	if err != nil {
		return err
	}
	was := o.referred
	if o.from != tx {
		old, err := c.Find(ctx, tx, o.ID)
		if err != nil {
			return err
		}
		if was = nil; old != nil {
			was = references(&old.Spec)
		}
	}
	now := references(&o.Spec)
	for k := range was {
		if _, kept := now[k]; !kept {
			tx.Delete(refKey(was[k], o.ID))
		}
	}
	for k, target := range now {
		if _, had := was[k]; !had {
			tx.Put(refKey(target, o.ID), []byte(o.ID.String()))
		}
	}
	tx.Put(specKey(o.ID), b)
	o.from, o.referred = tx, now
	return nil
}

// PutStatus writes the status of id.
func (c Collection[S, T]) PutStatus(tx store.Tx, id ID, status *T) error {
	b, err := json.Marshal(status)
	if err != nil {
		return err
	}
	tx.Put(statusKey(id), b)
	return nil
}

// Delete removes the resource, its status and its references to others. It is
// nothing to delete what does not exist.
func (c Collection[S, T]) Delete(ctx context.Context, tx store.Tx, id ID) error {
	o, err := c.Find(ctx, tx, id)
	if err != nil || o == nil {
		return err
	}
	for _, target := range references(&o.Spec) {
		tx.Delete(refKey(target, id))
	}
	tx.Delete(specKey(id))
	tx.Delete(statusKey(id))
	return nil
}

func references(spec any) map[string]ID {
	m := map[string]ID{}
	if r, ok := spec.(Referrer); ok {
		for _, id := range r.References() {
			if !id.IsZero() {
				m[Key(id)] = id
			}
		}
	}
	return m
}

func refKey(target, source ID) string { return "/ref/" + Key(target) + "//" + Key(source) }

// Users lists the resources that refer to target.
func Users(ctx context.Context, r store.Reader, target ID) ([]ID, error) {
	es, err := r.List(ctx, "/ref/"+Key(target)+"//")
	if err != nil {
		return nil, err
	}
	ids := make([]ID, 0, len(es))
	for _, e := range es {
		id, err := ParseID(string(e.Value))
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", e.Key, err)
		}
		ids = append(ids, id)
	}
	return ids, nil
}
