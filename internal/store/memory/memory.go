// Package memory is the engine of package store for tests: fast, and gone
// when the process ends.
//
// It behaves as store/etcd does, history and leases included, and passes the
// same conformance suite. On top it can be told to lose a write, which is how
// a test crashes its subject between any two of them.
package memory

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"

	"lazuli/internal/store"
	"lazuli/internal/store/txn"
)

// Options changes how the engine behaves.
type Options struct {
	// BeforeCommit is called before each commit of an Update with the
	// revision it would get and the keys it would write, in order. Its error
	// makes Update return that error with nothing written. It must not call
	// the store.
	BeforeCommit func(rev int64, keys []string) error
	// MaxRevisions bounds the history kept for Watch; 0 is 100,000.
	MaxRevisions int64
}

// Store is a store.Store in memory.
type Store struct {
	opts Options
	loop *txn.Loop

	mu        sync.RWMutex
	rev       int64
	compacted int64
	keys      []string // all that have versions, sorted
	versions  map[string][]version
	history   []commit // oldest first
	leases    map[store.LeaseID]*lease
	lastLease store.LeaseID
	changed   chan struct{} // closed and replaced with each commit
	closed    bool
	done      chan struct{} // closed by Close
}

// version is what a key was from a revision on.
type version struct {
	store.Event
	lease store.LeaseID
}

// commit is the changes of one revision.
type commit struct {
	rev    int64
	events []store.Event
}

var _ store.Store = (*Store)(nil)

// New returns an empty store.
func New(o Options) *Store {
	o.MaxRevisions = cmp.Or(o.MaxRevisions, 100_000)
	return &Store{
		opts:     o,
		loop:     txn.NewLoop(),
		rev:      1,
		versions: map[string][]version{},
		leases:   map[store.LeaseID]*lease{},
		changed:  make(chan struct{}),
		done:     make(chan struct{}),
	}
}

// ready says whether a call may go on. The caller holds the mutex.
func (s *Store) ready(ctx context.Context) error {
	if s.closed {
		return store.ErrClosed
	}
	return ctx.Err()
}

// Close ends the watches and the leases' timers.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	close(s.done)
	for _, l := range s.leases {
		l.timer.Stop()
	}
	return nil
}

// Compact drops the history before revision rev. It happens by itself when
// there is much of it.
func (s *Store) Compact(ctx context.Context, rev int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch err := s.ready(ctx); {
	case err != nil:
		return err
	case rev <= s.compacted:
		return store.ErrCompacted
	case rev > s.rev:
		return fmt.Errorf("compact at %d: now is %d", rev, s.rev)
	}
	s.compact(rev)
	return nil
}

func (s *Store) compact(rev int64) {
	s.compacted = rev
	s.history = slices.Clone(s.history[s.since(rev):])
	s.keys = slices.DeleteFunc(s.keys, func(key string) bool {
		kept := compactVersions(s.versions[key], rev)
		if len(kept) == 0 {
			delete(s.versions, key)
			return true
		}
		s.versions[key] = kept
		return false
	})
}

// compactVersions keeps what the key was at rev and after.
func compactVersions(vs []version, rev int64) []version {
	i := at(vs, rev)
	if i >= 0 && vs[i].Deleted {
		i++
	}
	return slices.Clone(vs[max(i, 0):])
}

// since returns the index of the first commit at rev or later.
func (s *Store) since(rev int64) int {
	i, _ := slices.BinarySearchFunc(s.history, rev, func(c commit, rev int64) int { return cmp.Compare(c.rev, rev) })
	return i
}
