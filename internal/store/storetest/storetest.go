// Package storetest is the conformance suite of package store: what every
// engine must do, as tests.
//
// It knows engines only as store.Store. An engine may also have
// Compact(ctx, rev), which is needed to test what follows a compaction.
package storetest

import (
	"context"
	"strings"
	"testing"
	"time"

	"lazuli/internal/store"
)

// Open returns an empty store that is closed when the test ends.
type Open func(t *testing.T) store.Store

// deadline bounds each test; it only decides when a hang is called a hang.
const deadline = time.Minute

var groups = map[string]map[string]func(*testing.T, store.Store){
	"Read":    reads,
	"Update":  updates,
	"Contend": contentions,
	"Watch":   watches,
	"Lease":   leases,
	"End":     ends,
	"History": histories,
}

// Run runs the suite, each test on a store of its own.
func Run(t *testing.T, open func(t *testing.T) store.Store) {
	for name, group := range groups {
		t.Run(name, func(t *testing.T) {
			for name, test := range group {
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					test(t, open(t))
				})
			}
		})
	}
}

// context returns one that ends before a hang does.
func ctx(t *testing.T) context.Context {
	c, cancel := context.WithTimeout(t.Context(), deadline)
	t.Cleanup(cancel)
	return c
}

func update(t *testing.T, s store.Store, f func(tx store.Tx)) int64 {
	t.Helper()
	rev, err := s.Update(ctx(t), func(tx store.Tx) error { f(tx); return nil })
	if err != nil {
		t.Fatalf("Update: %v", err)
	}
	return rev
}

// put writes keys in one transaction, each with its own name as value unless
// it says key=value.
func put(t *testing.T, s store.Store, pairs ...string) int64 {
	t.Helper()
	return update(t, s, func(tx store.Tx) {
		for _, pair := range pairs {
			key, value := split(pair)
			tx.Put(key, []byte(value))
		}
	})
}

func split(pair string) (key, value string) {
	key, value, ok := strings.Cut(pair, "=")
	if !ok {
		value = key
	}
	return key, value
}

func remove(t *testing.T, s store.Store, keys ...string) int64 {
	t.Helper()
	return update(t, s, func(tx store.Tx) {
		for _, key := range keys {
			tx.Delete(key)
		}
	})
}

// reader is what a Store and a Tx can both do.
type reader = store.Reader

func get(t *testing.T, r reader, key string) store.Entry {
	t.Helper()
	e, err := r.Get(ctx(t), key)
	if err != nil {
		t.Fatalf("Get(%q): %v", key, err)
	}
	return e
}

func list(t *testing.T, r reader, prefix string) []store.Entry {
	t.Helper()
	entries, err := r.List(ctx(t), prefix)
	if err != nil {
		t.Fatalf("List(%q): %v", prefix, err)
	}
	return entries
}

// pairs spells entries as put takes them.
func pairs(entries []store.Entry) []string {
	var out []string
	for _, e := range entries {
		out = append(out, e.Key+"="+string(e.Value))
	}
	return out
}

func keysOf(entries []store.Entry) []string {
	var out []string
	for _, e := range entries {
		out = append(out, e.Key)
	}
	return out
}

// compact drops the history before rev, or skips the test.
func compact(t *testing.T, s store.Store, rev int64) {
	t.Helper()
	c, ok := s.(interface {
		Compact(ctx context.Context, rev int64) error
	})
	if !ok {
		t.Skip("engine cannot be told to compact")
	}
	if err := c.Compact(ctx(t), rev); err != nil {
		t.Fatalf("Compact(%d): %v", rev, err)
	}
}
