package memory

import (
	"context"
	"fmt"
	"slices"

	"lazuli/internal/store"
	"lazuli/internal/store/txn"
)

// Update runs f in a transaction.
func (s *Store) Update(ctx context.Context, f func(tx store.Tx) error) (int64, error) {
	return s.loop.Run(ctx, func() (int64, error) { return s.attempt(ctx, f) })
}

func (s *Store) attempt(ctx context.Context, f func(tx store.Tx) error) (int64, error) {
	view := &view{store: s}
	tx := txn.New(view)
	err := f(tx)
	if tx.Lost() {
		return 0, txn.ErrLost
	}
	if err != nil {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.ready(ctx); err != nil {
		return 0, err
	}
	view.settle()
	return s.commit(tx, view.rev)
}

// commit writes what tx wrote if what it read at rev is still so.
func (s *Store) commit(tx *txn.Tx, rev int64) (int64, error) {
	writes := tx.Writes()
	if len(writes) == 0 {
		return rev, nil
	}
	if err := tx.Check(); err != nil {
		return 0, err
	}
	if !s.holds(tx, rev) {
		return 0, txn.ErrLost
	}
	if err := s.checkLeases(writes); err != nil {
		return 0, err
	}
	if err := s.beforeCommit(writes); err != nil {
		return 0, err
	}
	s.apply(writes)
	return s.rev, nil
}

func (s *Store) beforeCommit(writes []txn.Write) error {
	if s.opts.BeforeCommit == nil {
		return nil
	}
	keys := make([]string, len(writes))
	for i, w := range writes {
		keys[i] = w.Key
	}
	return s.opts.BeforeCommit(s.rev+1, keys)
}

// holds says whether everything tx read at rev is still so.
func (s *Store) holds(tx *txn.Tx, rev int64) bool {
	for key, seen := range tx.Reads() {
		if e, _ := s.get(key, s.rev); e.Revision != seen {
			return false
		}
	}
	for _, prefix := range tx.Prefixes() {
		for _, key := range s.under(prefix) {
			if e, err := s.get(key, s.rev); err == nil && e.Revision > rev {
				return false
			}
		}
	}
	return true
}

// apply makes writes the next revision, unless they change nothing.
func (s *Store) apply(writes []txn.Write) {
	next := commit{rev: s.rev + 1}
	for _, w := range writes {
		if ev, ok := s.write(w, next.rev); ok {
			next.events = append(next.events, ev)
		}
	}
	if len(next.events) == 0 {
		return
	}
	s.rev = next.rev
	s.history = append(s.history, next)
	close(s.changed)
	s.changed = make(chan struct{})
	if keep := s.opts.MaxRevisions; int64(len(s.history)) > 2*keep {
		s.compact(s.rev - keep)
	}
}

func (s *Store) write(w txn.Write, rev int64) (store.Event, bool) {
	old, err := s.get(w.Key, s.rev)
	if w.Delete && err != nil {
		return store.Event{}, false
	}
	ev := store.Event{Entry: store.Entry{Key: w.Key, Revision: rev}, Deleted: w.Delete}
	if !w.Delete {
		ev.Value, ev.Created = w.Value, rev
		if err == nil {
			ev.Created = old.Created
		}
	}
	s.attach(w)
	s.record(version{ev, w.Lease})
	return ev, true
}

func (s *Store) record(v version) {
	if _, ok := s.versions[v.Key]; !ok {
		i, _ := slices.BinarySearch(s.keys, v.Key)
		s.keys = slices.Insert(s.keys, i, v.Key)
	}
	s.versions[v.Key] = append(s.versions[v.Key], v)
}

// view reads at the revision of its first read.
type view struct {
	store *Store
	rev   int64
}

func (v *view) settle() {
	if v.rev == 0 {
		v.rev = v.store.rev
	}
}

// begin fixes the revision and checks that it can still be read.
func (v *view) begin(ctx context.Context) error {
	if err := v.store.ready(ctx); err != nil {
		return err
	}
	v.settle()
	if v.rev < v.store.compacted {
		return fmt.Errorf("revision %d: %w", v.rev, txn.ErrLost)
	}
	return nil
}

// Get returns the entry of key at the view's revision.
func (v *view) Get(ctx context.Context, key string) (store.Entry, error) {
	v.store.mu.RLock()
	defer v.store.mu.RUnlock()
	if err := v.begin(ctx); err != nil {
		return store.Entry{}, err
	}
	return v.store.get(key, v.rev)
}

// List returns the entries under prefix at the view's revision.
func (v *view) List(ctx context.Context, prefix string) ([]store.Entry, error) {
	v.store.mu.RLock()
	defer v.store.mu.RUnlock()
	if err := v.begin(ctx); err != nil {
		return nil, err
	}
	return v.store.list(prefix, v.rev), nil
}
