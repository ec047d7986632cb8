package rights

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"lazuli/internal/arm"
	"lazuli/internal/store"
	"lazuli/internal/store/memory"
	"lazuli/internal/store/storetest"
)

// The store with its rights is a store like any other.
func TestConformance(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Store {
		s, err := Open(t.Context(), memory.New(memory.Options{}), slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		return s
	})
}

// What is written is in force when the write returns, in both directions.
func TestRightsAreNeverBehind(t *testing.T) {
	c := newCloud(t)
	for range 200 {
		c.assign(one, group, ReaderID, alice)
		if !c.may(alice, readVM, vm) {
			t.Fatal("a role that was given is not there")
		}
		if _, err := c.delete(group.Extension(AssignmentType, one)); err != nil {
			t.Fatal(err)
		}
		if c.may(alice, readVM, vm) {
			t.Fatal("a role that was taken away is still there")
		}
	}
}

// Many who write at once each find their own write.
func TestManyWriters(t *testing.T) {
	c := newCloud(t)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			g := arm.Group(sub, strings.Repeat("x", i+1))
			for range 20 {
				_, err := c.Update(t.Context(), func(tx store.Tx) error {
					return putAssignment(tx, &Assignment{Name: one[:35] + string(rune('0'+i)), At: g.String(), RoleID: ReaderID, PrincipalID: alice})
				})
				if err != nil || !c.may(alice, readVM, g) {
					t.Errorf("writer %d: %v, or its role is not there", i, err)
				}
				_, err = c.Update(t.Context(), func(tx store.Tx) error { return Drop(t.Context(), tx, g) })
				if err != nil || c.may(alice, readVM, g) {
					t.Errorf("writer %d: %v, or its role is still there", i, err)
				}
			}
		})
	}
	wg.Wait()
}

// A restart finds what was written, by whomever.
func TestReopen(t *testing.T) {
	c := newCloud(t)
	c.assign(one, group, ReaderID, alice)
	c.lock("l", group, ReadOnly)
	again, err := Open(t.Context(), keep{c.under}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if !again.May(arm.Principal{ObjectID: alice}, readVM, vm) || again.CheckLocks(t.Context(), again, writeVM, vm) == nil || !again.IsAdministrator(strings.ToUpper(admin)) {
		t.Error("the second start finds other rights")
	}
}

// keep is a store that is not closed by who uses it.
type keep struct{ store.Store }

func (keep) Close() error { return nil }

func TestOpenOfWhatIsClosed(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	st := memory.New(memory.Options{})
	st.Close()
	if s, err := Open(ctx, st, slog.New(slog.DiscardHandler)); err == nil {
		s.Close()
		t.Error("a closed store has rights")
	}
}

// What is on a resource goes in the transaction in which the resource does.
func TestGoesWithItsResource(t *testing.T) {
	c := newCloud(t)
	machines := arm.Collection[struct{}, struct{}]{Type: vm.Type()}
	c.update(func(tx store.Tx) error {
		return errors.Join(machines.Put(t.Context(), tx, &arm.Object[struct{}, struct{}]{Meta: arm.Meta{ID: vm}}))
	})
	c.assign(one, vm, ReaderID, alice)
	c.assign(two, vm.Child("extensions", "x"), ReaderID, alice)
	c.assign(three, group, ReaderID, bob)
	c.lock("l", vm, CanNotDelete)
	c.update(func(tx store.Tx) error { return machines.Delete(t.Context(), tx, vm) })
	if c.may(alice, readVM, vm) || c.may(alice, readVM, vm.Child("extensions", "x")) {
		t.Error("what was assigned on a resource outlives it")
	}
	if !c.may(bob, readVM, vm) {
		t.Error("what was assigned above went too")
	}
	if err := c.CheckLocks(t.Context(), c, deleteVM, vm); err != nil {
		t.Errorf("a lock outlives its resource: %v", err)
	}
	left, err := c.List(t.Context(), prefix)
	if err != nil || len(left) != 4 { // two assignments, with their names
		t.Errorf("left are %d keys, %v", len(left), err)
	}
	// The name can be given again.
	c.assign(one, group, ReaderID, alice)
}

// A resource that is put again in the transaction that deleted it stays.
func TestReplacedStays(t *testing.T) {
	c := newCloud(t)
	machines := arm.Collection[struct{}, struct{}]{Type: vm.Type()}
	o := &arm.Object[struct{}, struct{}]{Meta: arm.Meta{ID: vm}}
	c.update(func(tx store.Tx) error { return machines.Put(t.Context(), tx, o) })
	c.assign(one, vm, ReaderID, alice)
	c.update(func(tx store.Tx) error {
		return errors.Join(machines.Delete(t.Context(), tx, vm), machines.Put(t.Context(), tx, &arm.Object[struct{}, struct{}]{Meta: arm.Meta{ID: vm}}))
	})
	if !c.may(alice, readVM, vm) {
		t.Error("a role on a resource that was replaced is gone")
	}
}

// What cannot be read gives no rights, and is no reason to stop.
func TestUnreadable(t *testing.T) {
	c := newCloud(t)
	c.update(func(tx store.Tx) error {
		tx.Put(assignmentPrefix+"//x", []byte("?"))
		tx.Put(rolePrefix+"x", []byte("?"))
		tx.Put(lockPrefix+"/subscriptions/s//x", []byte("?"))
		return nil
	})
	c.assign(one, group, ReaderID, alice)
	if !c.may(alice, readVM, vm) {
		t.Error("what is readable is not read")
	}
}

// noReads is a store that must not be read any more.
type noReads struct {
	store.Store
	t *testing.T
}

func (n noReads) Get(_ context.Context, key string) (store.Entry, error) {
	n.t.Errorf("%s is read", key)
	return store.Entry{}, store.ErrNotFound
}

func (n noReads) List(_ context.Context, prefix string) ([]store.Entry, error) {
	n.t.Errorf("%s is listed", prefix)
	return nil, nil
}

// A request costs no read of the store to find out whether it may be made.
func TestAskingReadsNothing(t *testing.T) {
	c := newCloud(t)
	c.assign(one, group, ReaderID, alice)
	c.lock("l", subID, CanNotDelete)
	s := *c.Store
	s.Store = noReads{c.under, t}
	p := arm.Principal{ObjectID: alice}
	if !s.May(p, readVM, vm) || !s.MayWithin(p, readVM, subID) || !s.Sees(p, subID) || s.IsAdministrator(alice) {
		t.Error("the answers are others")
	}
	if err := s.CheckLocks(t.Context(), s, writeVM, vm); err != nil {
		t.Error(err)
	}
}

func BenchmarkMay(b *testing.B) {
	c := newCloud(b)
	c.assign(one, subID, ReaderID, alice)
	p, action := arm.Principal{ObjectID: alice}, readVM
	b.ReportAllocs()
	for b.Loop() {
		if !c.May(p, action, vm) {
			b.Fatal("no")
		}
	}
}
