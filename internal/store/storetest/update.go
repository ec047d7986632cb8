package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"lazuli/internal/store"
)

var updates = map[string]func(*testing.T, store.Store){
	"OwnWrites":    testOwnWrites,
	"OneSnapshot":  testOneSnapshot,
	"ReadOnly":     testReadOnly,
	"Conflict":     testConflict,
	"NoConflict":   testNoConflict,
	"BlindWrite":   testBlindWrite,
	"ErrorOfF":     testErrorOfF,
	"NothingToDo":  testNothingToDo,
	"Together":     testTogether,
	"EmptyKey":     testEmptyKey,
	"TooLarge":     testTooLarge,
	"GivesUp":      testGivesUp,
	"CancelInside": testCancelInside,
}

func testOwnWrites(t *testing.T, s store.Store) {
	put(t, s, "a/1=old", "a/2=old", "b=old")
	update(t, s, func(tx store.Tx) {
		tx.Put("a/0", []byte("new"))
		tx.Put("a/1", []byte("lost"))
		tx.Put("a/1", []byte("new"))
		tx.Delete("a/2")
		tx.Put("a/3", []byte("lost"))
		tx.Delete("a/3")
		tx.Delete("b")
		tx.Put("b", []byte("new"))
		want := []string{"a/0=new", "a/1=new"}
		if diff := cmp.Diff(want, pairs(list(t, tx, "a/"))); diff != "" {
			t.Error(diff)
		}
		if e := get(t, tx, "a/1"); string(e.Value) != "new" || e.Revision != 0 {
			t.Errorf("own write reads %+v", e)
		}
		for _, key := range []string{"a/2", "a/3"} {
			if _, err := tx.Get(ctx(t), key); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("Get(%s) of what it deleted: %v", key, err)
			}
		}
	})
	want := []string{"a/0=new", "a/1=new", "b=new"}
	if diff := cmp.Diff(want, pairs(list(t, s, ""))); diff != "" {
		t.Error(diff)
	}
}

// testOneSnapshot writes between two reads of a transaction.
func testOneSnapshot(t *testing.T, s store.Store) {
	put(t, s, "a=1", "b/x=1")
	var seen []string
	update(t, s, func(tx store.Tx) {
		a := get(t, tx, "a")
		if len(seen) == 0 {
			put(t, s, "a=2", "b/x=2", "b/y=2")
		}
		seen = append(seen, fmt.Sprint(string(a.Value), pairs(list(t, tx, "b/")), string(get(t, tx, "b/x").Value)))
		tx.Put("c", nil)
	})
	want := []string{"1[b/x=1]1", "2[b/x=2 b/y=2]2"}
	if diff := cmp.Diff(want, seen); diff != "" {
		t.Error(diff)
	}
}

// testReadOnly reads a consistent past and needs no second run.
func testReadOnly(t *testing.T, s store.Store) {
	at := put(t, s, "a=1")
	runs := 0
	rev := update(t, s, func(tx store.Tx) {
		runs++
		get(t, tx, "a")
		put(t, s, "a=2")
		if got := pairs(list(t, tx, "")); !slices.Equal(got, []string{"a=1"}) {
			t.Errorf("list %q", got)
		}
	})
	if runs != 1 || rev != at {
		t.Errorf("%d runs, revision %d, want 1 and %d", runs, rev, at)
	}
	now := get(t, s, "a").Revision
	if rev := update(t, s, func(store.Tx) {}); rev != now {
		t.Errorf("empty transaction at %d, want %d", rev, now)
	}
}

func testBlindWrite(t *testing.T, s store.Store) {
	runs := 0
	update(t, s, func(tx store.Tx) {
		runs++
		tx.Put("a", []byte("last"))
		get(t, tx, "a") // its own, so nothing that could change
		put(t, s, "a=first")
	})
	if e := get(t, s, "a"); runs != 1 || string(e.Value) != "last" {
		t.Errorf("%d runs, value %q", runs, e.Value)
	}
}

func testErrorOfF(t *testing.T, s store.Store) {
	at := put(t, s, "a=1")
	mine := errors.New("mine")
	_, err := s.Update(ctx(t), func(tx store.Tx) error {
		tx.Put("a", []byte("2"))
		tx.Put("b", nil)
		return mine
	})
	if err != mine {
		t.Errorf("error %v, want it as it is", err)
	}
	_, err = s.Update(ctx(t), func(tx store.Tx) error {
		_, err := tx.Get(ctx(t), "b")
		tx.Put("b", nil)
		return err
	})
	if !errors.Is(err, store.ErrNotFound) {
		t.Errorf("error %v, want not found", err)
	}
	_, now, _ := s.Snapshot(ctx(t), "")
	if got := pairs(list(t, s, "")); now != at || !slices.Equal(got, []string{"a=1"}) {
		t.Errorf("revision %d, want %d; %q", now, at, got)
	}
}

func testNothingToDo(t *testing.T, s store.Store) {
	at := put(t, s, "a")
	if rev := remove(t, s, "b", "c"); rev != at {
		t.Errorf("deleting nothing made revision %d of %d", rev, at)
	}
}

func testTogether(t *testing.T, s store.Store) {
	var keys []string
	for i := range 300 {
		keys = append(keys, fmt.Sprintf("k%03d", i))
	}
	rev := put(t, s, keys...)
	for _, e := range list(t, s, "k") {
		if e.Revision != rev {
			t.Fatalf("%s at %d, want %d", e.Key, e.Revision, rev)
		}
	}
}

func testEmptyKey(t *testing.T, s store.Store) {
	_, err := s.Update(ctx(t), func(tx store.Tx) error {
		tx.Put("a", nil)
		tx.Put("", nil)
		return nil
	})
	if got := list(t, s, ""); err == nil || len(got) != 0 {
		t.Errorf("error %v, %d entries", err, len(got))
	}
	update(t, s, func(tx store.Tx) {
		if _, err := tx.Get(ctx(t), ""); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("Get of the empty key in a transaction: %v", err)
		}
		tx.Put("a", nil)
	})
}

func testTooLarge(t *testing.T, s store.Store) {
	for name, f := range map[string]func(tx store.Tx){
		"value": func(tx store.Tx) { tx.Put("big", make([]byte, 9<<20)) },
		"sum": func(tx store.Tx) {
			for i := range 9 {
				tx.Put(fmt.Sprint("big", i), make([]byte, 1<<20))
			}
		},
		"operations": func(tx store.Tx) {
			for i := range 1<<16 + 1 {
				tx.Put(fmt.Sprint("big", i), nil)
			}
		},
	} {
		_, err := s.Update(ctx(t), func(tx store.Tx) error { f(tx); return nil })
		if !errors.Is(err, store.ErrTooLarge) {
			t.Errorf("%s: %v, want too large", name, err)
		}
	}
	update(t, s, func(tx store.Tx) { tx.Put("fits", make([]byte, 7<<20)) })
	if got := keysOf(list(t, s, "")); !slices.Equal(got, []string{"fits"}) {
		t.Errorf("keys %q", got)
	}
}

// testGivesUp makes a transaction lose each time.
func testGivesUp(t *testing.T, s store.Store) {
	runs := 0
	_, err := s.Update(ctx(t), func(tx store.Tx) error {
		_, err := tx.Get(ctx(t), "a")
		put(t, s, fmt.Sprintf("a=%d", runs))
		runs++
		tx.Put("won", nil)
		return ignoreNotFound(err)
	})
	if !errors.Is(err, store.ErrConflict) || runs < 2 {
		t.Errorf("after %d runs: %v", runs, err)
	}
	if got := keysOf(list(t, s, "")); !slices.Equal(got, []string{"a"}) {
		t.Errorf("keys %q", got)
	}
}

func ignoreNotFound(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	return err
}

func testCancelInside(t *testing.T, s store.Store) {
	c, cancel := context.WithCancel(ctx(t))
	_, err := s.Update(c, func(tx store.Tx) error {
		tx.Put("a", nil)
		cancel()
		return nil
	})
	if !errors.Is(err, context.Canceled) || len(list(t, s, "")) > 0 {
		t.Errorf("error %v, %q written", err, keysOf(list(t, s, "")))
	}
}
