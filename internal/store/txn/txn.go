// Package txn is what the engines of package store have in common: a
// transaction that remembers what it read and overlays what it wrote, and the
// rule by which a transaction that lost is tried again.
//
// It knows no engine: it reads through a store.Reader fixed at one revision
// and leaves the commit to its caller.
package txn

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"lazuli/internal/store"
)

// Limits of one transaction, the same for every engine.
const (
	// MaxBytes bounds the keys read and the keys and values written.
	MaxBytes = 8 << 20
	// MaxOps bounds the keys written, and the keys and prefixes read.
	MaxOps = 1 << 16
)

// ErrLost says that somebody else changed what an attempt had read, or that
// its snapshot is gone.
var ErrLost = errors.New("lost against another transaction")

var errEmptyKey = errors.New("empty key")

// Write is the last thing a transaction did to a key.
type Write struct {
	Key    string
	Value  []byte
	Lease  store.LeaseID
	Delete bool
}

// Tx is a store.Tx over a view of one revision.
type Tx struct {
	view     store.Reader
	reads    map[string]int64 // revision of each key seen, 0 for an absent one
	seen     map[string]store.Entry
	prefixes map[string]bool
	writes   map[string]Write
	lost     bool
}

// New returns a transaction that reads from view.
func New(view store.Reader) *Tx {
	return &Tx{
		view:     view,
		reads:    map[string]int64{},
		seen:     map[string]store.Entry{},
		prefixes: map[string]bool{},
		writes:   map[string]Write{},
	}
}

// Put writes key. It keeps no reference to value.
func (t *Tx) Put(key string, value []byte) { t.PutLeased(key, value, 0) }

// PutLeased writes key and ties it to lease.
func (t *Tx) PutLeased(key string, value []byte, lease store.LeaseID) {
	t.writes[key] = Write{Key: key, Value: bytes.Clone(value), Lease: lease}
}

// Delete deletes key if it is there.
func (t *Tx) Delete(key string) { t.writes[key] = Write{Key: key, Delete: true} }

// Get returns the transaction's own write of key, or what the view holds. The
// view is asked for a key once.
func (t *Tx) Get(ctx context.Context, key string) (store.Entry, error) {
	if w, ok := t.writes[key]; ok {
		return w.entry()
	}
	if key == "" { // which nothing is stored at; etcd has no condition on it
		return store.Entry{}, fmt.Errorf("%w: empty key", store.ErrNotFound)
	}
	if e, ok := t.seen[key]; ok {
		e.Value = bytes.Clone(e.Value)
		return e, nil
	}
	if rev, ok := t.reads[key]; ok && rev == 0 {
		return store.Entry{}, fmt.Errorf("%s: %w", key, store.ErrNotFound)
	}
	entry, err := t.view.Get(ctx, key)
	if err == nil {
		kept := entry
		kept.Value = bytes.Clone(entry.Value)
		t.seen[key] = kept
	}
	if err == nil || errors.Is(err, store.ErrNotFound) {
		t.reads[key] = entry.Revision
	}
	return entry, t.note(err)
}

// note remembers that the view is gone, whatever the caller makes of err.
func (t *Tx) note(err error) error {
	t.lost = t.lost || errors.Is(err, ErrLost)
	return err
}

func (w Write) entry() (store.Entry, error) {
	if w.Delete {
		return store.Entry{}, fmt.Errorf("%s: %w", w.Key, store.ErrNotFound)
	}
	return store.Entry{Key: w.Key, Value: bytes.Clone(w.Value)}, nil
}

// Lost says that a read failed because the view is gone, so that what the
// caller concluded means nothing.
func (t *Tx) Lost() bool { return t.lost }

// Reads returns the revision of each key that was read or listed, 0 for one
// that was absent. The commit stands only if each is still so.
func (t *Tx) Reads() map[string]int64 { return t.reads }

// Prefixes returns the prefixes that were listed, in order. The commit stands
// only if no key under them was written since.
func (t *Tx) Prefixes() []string { return slices.Sorted(maps.Keys(t.prefixes)) }

// Writes returns the writes in key order.
func (t *Tx) Writes() []Write {
	writes := make([]Write, 0, len(t.writes))
	for _, key := range slices.Sorted(maps.Keys(t.writes)) {
		writes = append(writes, t.writes[key])
	}
	return writes
}
