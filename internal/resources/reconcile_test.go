package resources

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"lazuli/internal/arm"
	"lazuli/internal/store"
	"lazuli/internal/store/memory"
)

const sub = "11111111-2222-3333-4444-555555555555"

// thing is what the tests' groups are full of.
type thing struct {
	Needs   []arm.ID `json:"needs,omitempty"`
	Refuses bool     `json:"refuses,omitempty"`
	Slow    bool     `json:"slow,omitempty"`
}

func (th *thing) References() []arm.ID { return th.Needs }

// thingProvider deletes things that nobody refers to, slow ones later.
type thingProvider struct {
	arm.Provider
	things  arm.Collection[thing, struct{}]
	deleted *[]string
}

func (p thingProvider) Delete(ctx context.Context, c *arm.Call) (arm.Result, error) {
	o, err := p.things.Get(ctx, c.Tx, c.ID)
	if err != nil {
		return arm.Result{}, err
	}
	users, err := arm.Users(ctx, c.Tx, c.ID)
	if err != nil {
		return arm.Result{}, err
	}
	if o.Spec.Refuses || len(users) > 0 {
		return arm.Result{}, arm.Conflict("InUse", "%s is in use.", c.ID.Name())
	}
	*p.deleted = append(*p.deleted, c.ID.Name())
	if o.Spec.Slow {
		_, err := arm.BeginDelete(ctx, c.Tx, p.things, o, c)
		return arm.Result{}, err
	}
	return arm.Result{}, p.things.Delete(ctx, c.Tx, c.ID)
}

type world struct {
	t       *testing.T
	store   *memory.Store
	groups  *Groups
	now     time.Time
	deleted []string
	op      string
}

var typeNames = []string{"Microsoft.A/disks", "Microsoft.A/machines", "Microsoft.B/nets"}

func newWorld(t *testing.T, o memory.Options) *world {
	t.Helper()
	w := &world{t: t, store: memory.New(o), now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	t.Cleanup(func() { w.store.Close() })
	w.groups = &Groups{Store: w.store, Types: Types("local"), Now: func() time.Time { return w.now }}
	for _, n := range typeNames {
		w.groups.Types = append(w.groups.Types, arm.Type{
			Name: n, Tracked: true, Provider: thingProvider{things: arm.Collection[thing, struct{}]{Type: n}, deleted: &w.deleted},
		})
	}
	return w
}

func (w *world) update(f func(ctx context.Context, tx store.Tx) error) {
	w.t.Helper()
	if _, err := w.store.Update(w.t.Context(), func(tx store.Tx) error { return f(w.t.Context(), tx) }); err != nil {
		w.t.Fatal(err)
	}
}

func thingID(group, name string) arm.ID {
	typ := map[byte]string{'d': typeNames[0], 'm': typeNames[1], 'n': typeNames[2]}[name[0]|' ']
	return arm.Group(sub, group).Resource(typ, name)
}

// add makes a thing; its type is the first letter of its name.
func (w *world) add(group, name string, th thing) {
	w.t.Helper()
	w.update(func(ctx context.Context, tx store.Tx) error {
		id := thingID(group, name)
		return arm.Collection[thing, struct{}]{Type: id.Type()}.Put(ctx, tx, &arm.Object[thing, struct{}]{Meta: arm.Meta{ID: id}, Spec: th})
	})
}

func (w *world) addGroup(name string) {
	w.t.Helper()
	w.update(func(ctx context.Context, tx store.Tx) error {
		return groups.Put(ctx, tx, &arm.Object[Group, Group]{Meta: arm.Meta{ID: arm.GroupID(sub, name), Location: "local"}})
	})
}

// deleteGroup asks for the group's deletion, as the API does.
func (w *world) deleteGroup(name string) {
	w.t.Helper()
	w.update(func(ctx context.Context, tx store.Tx) error {
		c := &arm.Call{Tx: tx, Store: w.store, ID: arm.GroupID(sub, name), Now: w.now, NewID: func() string { return "op" }}
		res, err := w.groups.Types[0].Provider.Delete(ctx, c)
		if err == nil {
			w.op = res.Operation.ID
		}
		return err
	})
}

// endSlow carries out the deletions that are under way.
func (w *world) endSlow() {
	w.t.Helper()
	w.update(func(ctx context.Context, tx store.Tx) error {
		for _, n := range typeNames {
			c := arm.Collection[thing, struct{}]{Type: n}
			os, err := c.List(ctx, tx, arm.ID{})
			if err != nil {
				return err
			}
			for _, o := range os {
				if o.Deleting() {
					if err := c.Delete(ctx, tx, o.ID); err != nil {
						return err
					}
				}
			}
		}
		return nil
	})
}

// settle reconciles the group until it wants no more.
func (w *world) settle(name string) {
	w.t.Helper()
	for range 100 {
		again, err := w.groups.Reconcile(w.t.Context(), arm.Group(sub, name))
		if err != nil {
			w.t.Fatal(err)
		}
		if again == 0 {
			return
		}
		w.endSlow()
		w.now = w.now.Add(again)
	}
	w.t.Fatal("the group's deletion does not end")
}

func (w *world) operation() *arm.Operation {
	w.t.Helper()
	op, err := arm.GetOperation(w.t.Context(), w.store, w.op)
	if err != nil {
		w.t.Fatal(err)
	}
	return op
}

func (w *world) exists(group string) bool {
	w.t.Helper()
	m, err := arm.FindGroup(w.t.Context(), w.store, arm.Group(sub, group))
	if err != nil {
		w.t.Fatal(err)
	}
	return m != nil
}

// fill makes a group like a real one: a machine, its interface and disk, a
// network.
func (w *world) fill() {
	w.addGroup("rg")
	w.addGroup("rg-other")
	w.add("rg", "d1", thing{})
	w.add("rg", "n1", thing{})
	w.add("rg", "n2", thing{Needs: []arm.ID{thingID("rg", "n1")}})
	w.add("rg", "m1", thing{Needs: []arm.ID{thingID("rg", "n2"), thingID("RG", "D1")}, Slow: true})
	w.add("rg-other", "d9", thing{})
}

func TestGroupDeletion(t *testing.T) {
	w := newWorld(t, memory.Options{})
	w.fill()
	w.deleteGroup("rg")
	w.settle("rg")
	if op := w.operation(); op.Status != arm.Succeeded || w.exists("rg") {
		t.Errorf("the operation = %+v, the group exists: %t", op, w.exists("rg"))
	}
	if at := func(n string) int { return slices.Index(w.deleted, n) }; at("m1") > at("n2") || at("n2") > at("n1") || at("m1") > at("d1") {
		t.Errorf("deleted in the order %v, want users before what they use", w.deleted)
	}
	if slices.Contains(w.deleted, "d9") || !w.exists("rg-other") {
		t.Error("another group was touched")
	}
}

func TestGroupIsLeftAlone(t *testing.T) {
	w := newWorld(t, memory.Options{})
	w.fill()
	w.settle("rg")
	w.settle("none")
	if len(w.deleted) != 0 || !w.exists("rg") {
		t.Errorf("a group that nobody deletes lost %v", w.deleted)
	}
}

func TestGroupDeletionBlocked(t *testing.T) {
	w := newWorld(t, memory.Options{})
	w.fill()
	w.add("rg", "d2", thing{Refuses: true})
	w.add("rg-other", "m9", thing{Needs: []arm.ID{thingID("rg", "n1")}})
	w.deleteGroup("rg")
	w.settle("rg")
	op := w.operation()
	if op.Status != arm.Failed || op.Error.Code != "ResourceGroupDeletionBlocked" || len(op.Error.Details) != 2 {
		t.Errorf("the operation = %+v, want ResourceGroupDeletionBlocked by two", op.Error)
	}
	m, err := arm.FindGroup(t.Context(), w.store, arm.Group(sub, "rg"))
	if err != nil || m == nil || m.Deleting() {
		t.Errorf("the group = %+v, %v; want it there and usable again", m, err)
	}
}

func TestGroupDeletionWithCycle(t *testing.T) {
	w := newWorld(t, memory.Options{})
	w.addGroup("rg")
	w.add("rg", "d1", thing{Needs: []arm.ID{thingID("rg", "n1")}})
	w.add("rg", "n1", thing{Needs: []arm.ID{thingID("rg", "d1")}})
	w.deleteGroup("rg")
	w.settle("rg")
	if op := w.operation(); op.Status != arm.Failed {
		t.Errorf("the operation = %+v, want a failure that names both", op)
	}
}

// The deletion goes on after the loss of any of its writes.
func TestGroupDeletionEveryCrash(t *testing.T) {
	errLost := errors.New("lost")
	for n := 0; ; n++ {
		writes, armed := 0, false
		w := newWorld(t, memory.Options{BeforeCommit: func(int64, []string) error {
			if writes++; armed && writes == n+1 {
				return errLost
			}
			return nil
		}})
		w.fill()
		w.deleteGroup("rg")
		writes, armed = 0, true
		lost := false
		for range 20 {
			if _, err := w.groups.Reconcile(t.Context(), arm.GroupID(sub, "rg")); err != nil {
				if !errors.Is(err, errLost) {
					t.Fatal(err)
				}
				lost = true
				break
			}
			armed = false
			w.endSlow()
			armed = true
		}
		armed = false
		w.settle("rg")
		if op := w.operation(); op.Status != arm.Succeeded || w.exists("rg") {
			t.Errorf("after losing write %d: %s", n, fmt.Sprint(op.Status, op.Error))
		}
		if !lost {
			return
		}
	}
}
