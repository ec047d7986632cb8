package etcd

import (
	"context"
	"fmt"
	"strings"

	"lazuli/internal/store"
)

// chunk is how many entries are read at once, which is how long a read holds
// up the database's own housekeeping.
const chunk = 10_000

// Get returns the entry of key.
func (s *Store) Get(ctx context.Context, key string) (store.Entry, error) {
	e, _, err := s.get(ctx, key, 0)
	return e, err
}

// List returns the entries under prefix at one revision.
func (s *Store) List(ctx context.Context, prefix string) ([]store.Entry, error) {
	entries, _, err := s.list(ctx, prefix, 0)
	return entries, err
}

// Snapshot lists prefix and says at which revision.
func (s *Store) Snapshot(ctx context.Context, prefix string) ([]store.Entry, int64, error) {
	return s.list(ctx, prefix, 0)
}

// Page lists up to limit entries under prefix after the key after.
func (s *Store) Page(ctx context.Context, prefix, after string, limit int) ([]store.Entry, bool, error) {
	if limit <= 0 {
		return nil, false, fmt.Errorf("page of %d entries", limit)
	}
	from, end := bounds(prefix)
	if after >= from {
		from = after + "\x00"
	}
	if after > prefix && !strings.HasPrefix(after, prefix) {
		return nil, false, nil // past the last of them
	}
	var entries []store.Entry
	for rev := int64(0); ; {
		got, err := s.read(ctx, from, end, rev, min(chunk, limit-len(entries)))
		if err != nil {
			return nil, false, err
		}
		entries, rev = append(entries, got.entries...), got.rev
		if !got.more || len(entries) == limit {
			return entries, got.more, nil
		}
		from = entries[len(entries)-1].Key + "\x00"
	}
}

// get reads key at rev, or now if rev is 0, and says at which revision.
func (s *Store) get(ctx context.Context, key string, rev int64) (store.Entry, int64, error) {
	if key == "" {
		return store.Entry{}, rev, fmt.Errorf("empty key: %w", store.ErrNotFound)
	}
	got, err := s.read(ctx, key, "", rev, 1)
	if err != nil {
		return store.Entry{}, 0, err
	}
	if len(got.entries) == 0 {
		return store.Entry{}, got.rev, fmt.Errorf("%s: %w", key, store.ErrNotFound)
	}
	return got.entries[0], got.rev, nil
}

// list reads prefix at rev, or now if rev is 0, and says at which revision.
func (s *Store) list(ctx context.Context, prefix string, rev int64) ([]store.Entry, int64, error) {
	var entries []store.Entry
	from, end := bounds(prefix)
	for {
		got, err := s.read(ctx, from, end, rev, chunk)
		if err != nil {
			return nil, 0, err
		}
		entries, rev = append(entries, got.entries...), got.rev
		if !got.more {
			return entries, rev, nil
		}
		from = entries[len(entries)-1].Key + "\x00"
	}
}
