package memory

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"lazuli/internal/store"
	"lazuli/internal/store/txn"
)

// lease is a lease that has not ended.
type lease struct {
	ttl   time.Duration
	ends  time.Time
	timer *time.Timer
	keys  map[string]bool
}

// Grant makes a lease.
func (s *Store) Grant(ctx context.Context, ttl time.Duration) (store.LeaseID, error) {
	if ttl <= 0 {
		return 0, fmt.Errorf("lease of %v", ttl)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.ready(ctx); err != nil {
		return 0, err
	}
	s.lastLease++
	id := s.lastLease
	s.leases[id] = &lease{
		ttl:   ttl,
		ends:  time.Now().Add(ttl),
		timer: time.AfterFunc(ttl, func() { s.expire(id) }),
		keys:  map[string]bool{},
	}
	return id, nil
}

// KeepAlive renews the lease.
func (s *Store) KeepAlive(ctx context.Context, id store.LeaseID) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	l, err := s.lease(ctx, id)
	if err != nil {
		return err
	}
	l.ends = time.Now().Add(l.ttl)
	l.timer.Reset(l.ttl)
	return nil
}

// Revoke ends the lease and deletes its keys.
func (s *Store) Revoke(ctx context.Context, id store.LeaseID) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	l, err := s.lease(ctx, id)
	if err != nil {
		return err
	}
	s.end(id, l)
	return nil
}

func (s *Store) lease(ctx context.Context, id store.LeaseID) (*lease, error) {
	if err := s.ready(ctx); err != nil {
		return nil, err
	}
	l, ok := s.leases[id]
	if !ok {
		return nil, fmt.Errorf("lease %x: %w", id, store.ErrNotFound)
	}
	return l, nil
}

// expire ends the lease unless it was renewed while the timer fired.
func (s *Store) expire(id store.LeaseID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l, ok := s.leases[id]; ok && !s.closed && !time.Now().Before(l.ends) {
		s.end(id, l)
	}
}

func (s *Store) end(id store.LeaseID, l *lease) {
	l.timer.Stop()
	delete(s.leases, id)
	var deletes []txn.Write
	for _, key := range slices.Sorted(maps.Keys(l.keys)) {
		deletes = append(deletes, txn.Write{Key: key, Delete: true})
	}
	s.apply(deletes)
}

// checkLeases says whether every lease of writes is there.
func (s *Store) checkLeases(writes []txn.Write) error {
	for _, w := range writes {
		if _, ok := s.leases[w.Lease]; w.Lease != 0 && !ok {
			return fmt.Errorf("lease %x: %w", w.Lease, store.ErrNotFound)
		}
	}
	return nil
}

// attach moves the key of w from the lease it had to the one it gets.
func (s *Store) attach(w txn.Write) {
	if vs := s.versions[w.Key]; len(vs) > 0 {
		if l, ok := s.leases[vs[len(vs)-1].lease]; ok {
			delete(l.keys, w.Key)
		}
	}
	if l, ok := s.leases[w.Lease]; ok {
		l.keys[w.Key] = true
	}
}
