package memory

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"lazuli/internal/store"
)

// Get returns the entry of key.
func (s *Store) Get(ctx context.Context, key string) (store.Entry, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if err := s.ready(ctx); err != nil {
		return store.Entry{}, err
	}
	return s.get(key, s.rev)
}

// List returns the entries under prefix.
func (s *Store) List(ctx context.Context, prefix string) ([]store.Entry, error) {
	entries, _, err := s.Snapshot(ctx, prefix)
	return entries, err
}

// Snapshot lists prefix and says at which revision.
func (s *Store) Snapshot(ctx context.Context, prefix string) ([]store.Entry, int64, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if err := s.ready(ctx); err != nil {
		return nil, 0, err
	}
	return s.list(prefix, s.rev), s.rev, nil
}

// Page lists up to limit entries under prefix after the key after.
func (s *Store) Page(ctx context.Context, prefix, after string, limit int) ([]store.Entry, bool, error) {
	if limit <= 0 {
		return nil, false, fmt.Errorf("page of %d entries", limit)
	}
	entries, err := s.List(ctx, prefix)
	if err != nil {
		return nil, false, err
	}
	entries = slices.DeleteFunc(entries, func(e store.Entry) bool { return e.Key <= after })
	more := len(entries) > limit
	return entries[:min(limit, len(entries))], more, nil
}

// get returns the entry of key at rev. The caller holds the mutex.
func (s *Store) get(key string, rev int64) (store.Entry, error) {
	vs := s.versions[key]
	if i := at(vs, rev); i >= 0 && !vs[i].Deleted {
		return vs[i].copyEntry(), nil
	}
	return store.Entry{}, fmt.Errorf("%s: %w", key, store.ErrNotFound)
}

// list returns the entries under prefix at rev. The caller holds the mutex.
func (s *Store) list(prefix string, rev int64) []store.Entry {
	var entries []store.Entry
	for _, key := range s.under(prefix) {
		if e, err := s.get(key, rev); err == nil {
			entries = append(entries, e)
		}
	}
	return entries
}

// under returns all keys with prefix that have versions, deleted ones too.
func (s *Store) under(prefix string) []string {
	i, _ := slices.BinarySearch(s.keys, prefix)
	n := i
	for n < len(s.keys) && strings.HasPrefix(s.keys[n], prefix) {
		n++
	}
	return s.keys[i:n]
}

// at returns the index of the version that holds at rev, -1 if none does.
func at(vs []version, rev int64) int {
	i, _ := slices.BinarySearchFunc(vs, rev+1, func(v version, rev int64) int { return cmp.Compare(v.Revision, rev) })
	return i - 1
}

func (v version) copyEntry() store.Entry {
	e := v.Entry
	e.Value = bytes.Clone(e.Value)
	return e
}
