// Package mirror keeps a copy of a part of the store in memory, for those who
// read much and often. The copy follows the store within milliseconds; what is
// decided from it must stand to be decided again.
package mirror

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/google/btree"

	"lazuli/internal/store"
)

// Mirror is a copy. It is a store.Reader; it is empty until Follow has read
// the store once.
type Mirror struct {
	prefix string
	mu     sync.RWMutex
	tree   *btree.BTreeG[store.Entry]
	rev    int64
}

// New makes an empty copy of what lies under prefix.
func New(prefix string) *Mirror {
	return &Mirror{prefix: prefix, tree: btree.NewG(32, func(a, b store.Entry) bool { return a.Key < b.Key })}
}

var _ store.Reader = (*Mirror)(nil)

// Get returns the entry of key, or store.ErrNotFound.
func (m *Mirror) Get(_ context.Context, key string) (store.Entry, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if e, ok := m.tree.Get(store.Entry{Key: key}); ok {
		return e, nil
	}
	return store.Entry{}, store.ErrNotFound
}

// List returns the entries whose keys begin with prefix, in order.
func (m *Mirror) List(_ context.Context, prefix string) ([]store.Entry, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	var es []store.Entry
	m.tree.AscendGreaterOrEqual(store.Entry{Key: prefix}, func(e store.Entry) bool {
		if !strings.HasPrefix(e.Key, prefix) {
			return false
		}
		es = append(es, e)
		return true
	})
	return es, nil
}

// Follow keeps the copy up to date until ctx ends. After each change it calls
// changed with what changed; first, with everything.
func (m *Mirror) Follow(ctx context.Context, s store.Store, log *slog.Logger, changed func([]store.Event)) error {
	for {
		err := m.follow(ctx, s, changed)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if !errors.Is(err, store.ErrCompacted) {
			log.Warn("state not followed, will retry", "err", err)
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(200 * time.Millisecond):
			}
		}
	}
}

func (m *Mirror) follow(ctx context.Context, s store.Store, changed func([]store.Event)) error {
	es, rev, err := s.Snapshot(ctx, m.prefix)
	if err != nil {
		return err
	}
	changed(m.replace(es, rev))
	return s.Watch(ctx, m.prefix, rev, func(rev int64, events []store.Event) error {
		m.apply(rev, events)
		changed(events)
		return nil
	})
}

// replace takes a whole new copy, and says how it differs from the old one.
func (m *Mirror) replace(es []store.Entry, rev int64) []store.Event {
	m.mu.Lock()
	defer m.mu.Unlock()
	var events []store.Event
	fresh := btree.NewG(32, func(a, b store.Entry) bool { return a.Key < b.Key })
	for _, e := range es {
		fresh.ReplaceOrInsert(e)
		if old, ok := m.tree.Get(e); !ok || old.Revision != e.Revision {
			events = append(events, store.Event{Entry: e})
		}
	}
	m.tree.Ascend(func(old store.Entry) bool {
		if _, ok := fresh.Get(old); !ok {
			events = append(events, store.Event{Entry: store.Entry{Key: old.Key, Revision: rev}, Deleted: true})
		}
		return true
	})
	m.tree, m.rev = fresh, rev
	return events
}

func (m *Mirror) apply(rev int64, events []store.Event) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, e := range events {
		if e.Deleted {
			m.tree.Delete(e.Entry)
		} else {
			m.tree.ReplaceOrInsert(e.Entry)
		}
	}
	m.rev = rev
}

// Still is the copy as it is now, which does not change any more: what is read
// of it in several steps fits together. It costs little.
func (m *Mirror) Still() *Mirror {
	m.mu.Lock()
	defer m.mu.Unlock()
	return &Mirror{prefix: m.prefix, tree: m.tree.Clone(), rev: m.rev}
}

// Revision is the store's revision that the copy is of; 0 before the first.
func (m *Mirror) Revision() int64 {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.rev
}
