package etcd

import (
	"context"
	"errors"
	"time"

	"lazuli/internal/store"
)

// compactEvery is how often the history is looked at.
const compactEvery = time.Minute

// milestone says which revision was current at a time.
type milestone struct {
	at  time.Time
	rev int64
}

// history knows how far back the store remembers. etcd's own compactors go by
// age or by count; an hour of heavy writing would overrun the quota, so this
// goes by both.
type history struct {
	retention    time.Duration
	maxRevisions int64
	past         []milestone // oldest first
}

// advance notes that rev is current at now, and returns the revision up to
// which the history can go, 0 for none.
func (h *history) advance(now time.Time, rev int64) int64 {
	h.past = append(h.past, milestone{now, rev})
	upTo := rev - h.maxRevisions
	for len(h.past) > 0 && now.Sub(h.past[0].at) >= h.retention {
		upTo = max(upTo, h.past[0].rev)
		h.past = h.past[1:]
	}
	return max(upTo, 0)
}

func (s *Store) compactLoop(o Options) {
	h := &history{retention: o.Retention, maxRevisions: o.MaxRevisions}
	ticker := time.NewTicker(compactEvery)
	defer ticker.Stop()
	for {
		select {
		case <-s.done:
			return
		case now := <-ticker.C:
			s.compactTo(h.advance(now, s.member.Server.KV().Rev()))
			s.keepReserve(o.Dir)
		}
	}
}

func (s *Store) compactTo(rev int64) {
	if rev == 0 {
		return
	}
	err := s.Compact(context.Background(), rev)
	if err != nil && !errors.Is(err, store.ErrCompacted) && !errors.Is(err, store.ErrClosed) {
		s.log.Warn("state store not compacted", "rev", rev, "err", err)
	}
}

// Compact drops the history before revision rev. It happens by itself; this
// is for tests, and for who cannot wait.
func (s *Store) Compact(ctx context.Context, rev int64) error {
	if err := s.enter(ctx); err != nil {
		return err
	}
	defer s.leave()
	_, err := s.client.Compact(ctx, rev)
	return translate(ctx, err)
}

// revision returns the current revision.
func (s *Store) revision(ctx context.Context) (int64, error) {
	if err := s.enter(ctx); err != nil {
		return 0, err
	}
	defer s.leave()
	return s.member.Server.KV().Rev(), nil
}
