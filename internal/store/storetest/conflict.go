package storetest

import (
	"errors"
	"fmt"
	"testing"

	"lazuli/internal/store"
)

// race is a transaction that reads, and what happens before it commits.
type race struct {
	read func(t *testing.T, tx store.Tx)
	then func(t *testing.T, s store.Store)
}

func reading(keys ...string) func(*testing.T, store.Tx) {
	return func(t *testing.T, tx store.Tx) {
		for _, key := range keys {
			if _, err := tx.Get(ctx(t), key); err != nil && !errors.Is(err, store.ErrNotFound) {
				t.Fatal(err)
			}
		}
	}
}

func listing(prefix string) func(*testing.T, store.Tx) {
	return func(t *testing.T, tx store.Tx) { list(t, tx, prefix) }
}

func putting(pairs ...string) func(*testing.T, store.Store) {
	return func(t *testing.T, s store.Store) { put(t, s, pairs...) }
}

func removing(keys ...string) func(*testing.T, store.Store) {
	return func(t *testing.T, s store.Store) { remove(t, s, keys...) }
}

func renewing(key string) func(*testing.T, store.Store) {
	return func(t *testing.T, s store.Store) { remove(t, s, key); put(t, s, key) }
}

// runs says how often the transaction of r ran until it was committed.
func (r race) runs(t *testing.T, s store.Store) (n int) {
	update(t, s, func(tx store.Tx) {
		n++
		r.read(t, tx)
		if n == 1 {
			r.then(t, s)
		}
		tx.Put("result", fmt.Append(nil, n))
	})
	return n
}

func (r race) test(want int, s store.Store) func(t *testing.T) {
	return func(t *testing.T) {
		remove(t, s, keysOf(list(t, s, ""))...)
		put(t, s, "a", "p/1", "p/2", "q")
		if got := r.runs(t, s); got != want {
			t.Errorf("%d runs, want %d", got, want)
		}
	}
}

func testConflict(t *testing.T, s store.Store) {
	for name, r := range map[string]race{
		"get, changed":              {reading("a"), putting("a=2")},
		"get, put the same":         {reading("a"), putting("a")},
		"get, deleted":              {reading("a"), removing("a")},
		"get, renewed":              {reading("a"), renewing("a")},
		"get absent, created":       {reading("b"), putting("b")},
		"get many, one changed":     {reading("a", "q", "none"), putting("q=2")},
		"list, inserted":            {listing("p/"), putting("p/3")},
		"list, inserted first":      {listing("p/"), putting("p/")},
		"list, inserted \\xff":      {listing("p/"), putting("p/\xff\xff")},
		"list, changed":             {listing("p/"), putting("p/2=2")},
		"list, deleted":             {listing("p/"), removing("p/1")},
		"list, all deleted":         {listing("p/"), removing("p/1", "p/2")},
		"list, renewed":             {listing("p/"), renewing("p/1")},
		"list empty, inserted":      {listing("none/"), putting("none/1")},
		"list all, inserted":        {listing(""), putting("z")},
		"list all, deleted":         {listing(""), removing("a")},
		"list \\xff, inserted":      {listing("\xff"), putting("\xff\xff")},
		"list of a key, key change": {listing("a"), putting("a=2")},
	} {
		t.Run(name, r.test(2, s))
	}
}

func testNoConflict(t *testing.T, s store.Store) {
	for name, r := range map[string]race{
		"get, other changed":        {reading("a"), putting("q=2")},
		"get absent, neighbour":     {reading("b"), putting("b0", "a0")},
		"get absent, came and went": {reading("b"), renewAway("b")},
		"list, neighbours inserted": {listing("p/"), putting("p", "p0", "o\xff")},
		"list, neighbour deleted":   {listing("p/"), removing("a", "q")},
		"list empty, none inserted": {listing("none/"), putting("none0", "none")},
		"list, came and went":       {listing("p/"), renewAway("p/3")},
	} {
		t.Run(name, r.test(1, s))
	}
}

// renewAway makes a key and deletes it again, so that all is as it was.
func renewAway(key string) func(*testing.T, store.Store) {
	return func(t *testing.T, s store.Store) { put(t, s, key); remove(t, s, key) }
}
