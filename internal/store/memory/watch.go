package memory

import (
	"bytes"
	"context"
	"strings"

	"lazuli/internal/store"
)

// Watch calls f with each change under prefix after revision after. A slow f
// costs nothing: it reads on in the history where it left off.
func (s *Store) Watch(ctx context.Context, prefix string, after int64, f func(rev int64, events []store.Event) error) error {
	after = max(after, 0)
	for {
		next, changed, err := s.next(ctx, after)
		if err != nil {
			return err
		}
		if changed != nil {
			if err := s.wait(ctx, changed); err != nil {
				return err
			}
			continue
		}
		after = next.rev
		if events := filter(next.events, prefix); len(events) > 0 {
			if err := f(next.rev, events); err != nil {
				return err
			}
		}
	}
}

// next returns the commit that follows revision after, or what is closed when
// there may be one.
func (s *Store) next(ctx context.Context, after int64) (commit, <-chan struct{}, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if err := s.ready(ctx); err != nil {
		return commit{}, nil, err
	}
	if after+1 < s.compacted {
		return commit{}, nil, store.ErrCompacted
	}
	if i := s.since(after + 1); i < len(s.history) {
		return s.history[i], nil, nil
	}
	return commit{}, s.changed, nil
}

func (s *Store) wait(ctx context.Context, changed <-chan struct{}) error {
	select {
	case <-changed:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-s.done:
		return store.ErrClosed
	}
}

// filter copies the events under prefix.
func filter(events []store.Event, prefix string) []store.Event {
	var out []store.Event
	for _, ev := range events {
		if strings.HasPrefix(ev.Key, prefix) {
			ev.Value = bytes.Clone(ev.Value)
			out = append(out, ev)
		}
	}
	return out
}
