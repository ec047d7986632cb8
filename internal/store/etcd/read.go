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
	entries, rev := []store.Entry(nil), int64(0)
	for {
		got, err := s.read(ctx, from, end, rev, min(chunk, limit-len(entries)))
		if err != nil {
			return nil, false, err
		}
		entries = appendEntries(entries, got.Kvs)
		if !got.More || len(entries) == limit {
			return entries, got.More, nil
		}
		from, rev = entries[len(entries)-1].Key+"\x00", got.Header.Revision
	}
}

// get reads key at rev, or now if rev is 0, and says at which revision.
func (s *Store) get(ctx context.Context, key string, rev int64) (store.Entry, int64, error) {
	if key == "" {
		return store.Entry{}, rev, fmt.Errorf("empty key: %w", store.ErrNotFound)
	}
	got, err := s.read(ctx, key, "", rev, 0)
	if err != nil {
		return store.Entry{}, 0, err
	}
	if rev == 0 {
		rev = got.Header.Revision
	}
	if len(got.Kvs) == 0 {
		return store.Entry{}, rev, fmt.Errorf("%s: %w", key, store.ErrNotFound)
	}
	return entry(got.Kvs[0]), rev, nil
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
		if rev == 0 {
			rev = got.Header.Revision
		}
		entries = appendEntries(entries, got.Kvs)
		if !got.More {
			return entries, rev, nil
		}
		from = entries[len(entries)-1].Key + "\x00"
	}
}
