package activity

import (
	"context"
	"errors"
	"hash/maphash"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"lazuli/internal/arm"
	"lazuli/internal/store"
)

// sizes is how many bytes of events there are, by subscription and minute. They
// are counted in memory: what is to go can be said without reading it.
type sizes struct {
	mu    sync.Mutex
	of    map[string]map[int64]int64 // prefix of keys: minute: bytes
	keys  map[uint64]int64           // size of each key's entry, by the key's hash: there are many
	seed  maphash.Seed
	total int64
}

func newSizes() *sizes {
	return &sizes{of: map[string]map[int64]int64{}, keys: map[uint64]int64{}, seed: maphash.MakeSeed()}
}

// count follows the events until ctx ends.
func (l *Log) count(ctx context.Context) {
	for ctx.Err() == nil {
		err := l.countOnce(ctx)
		if ctx.Err() == nil && !errors.Is(err, store.ErrCompacted) {
			l.Log.Warn("activity not counted, will retry", "err", err)
			select {
			case <-ctx.Done():
			case <-time.After(time.Second):
			}
		}
	}
}

func (l *Log) countOnce(ctx context.Context) error {
	es, rev, err := l.Store.Snapshot(ctx, arm.EventPrefix)
	if err != nil {
		return err
	}
	l.sizes.reset(es)
	return l.Store.Watch(ctx, arm.EventPrefix, rev, func(_ int64, events []store.Event) error {
		for _, e := range events {
			l.sizes.set(e.Key, int64(len(e.Key)+len(e.Value)), e.Deleted)
		}
		return nil
	})
}

func (s *sizes) reset(es []store.Entry) {
	s.mu.Lock()
	s.of, s.keys, s.total = map[string]map[int64]int64{}, map[uint64]int64{}, 0
	s.mu.Unlock()
	for _, e := range es {
		s.set(e.Key, int64(len(e.Key)+len(e.Value)), false)
	}
}

func (s *sizes) set(key string, size int64, deleted bool) {
	prefix, minute, ok := minuteOf(key)
	if !ok {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	hash := maphash.String(s.seed, key)
	size -= s.keys[hash]
	if deleted {
		size = -s.keys[hash]
		delete(s.keys, hash)
	} else {
		s.keys[hash] += size
	}
	if s.of[prefix] == nil {
		s.of[prefix] = map[int64]int64{}
	}
	s.of[prefix][minute] += size
	if s.of[prefix][minute] == 0 {
		delete(s.of[prefix], minute)
	}
	s.total += size
}

// minuteOf is the minute that a key's time is in, and what is before the time.
func minuteOf(key string) (prefix string, minute int64, ok bool) {
	i := strings.LastIndexByte(key, '/') + 1
	if len(key) < i+16 {
		return "", 0, false
	}
	inverted, err := strconv.ParseInt(key[i:i+16], 16, 64)
	return key[:i], (1<<63 - 1 - inverted) / int64(time.Minute), err == nil
}

// old are the prefixes of keys with the time up to which events are to go: all
// that were kept long enough, and of the rest the oldest minutes, for what is
// left to be within the bound.
func (s *sizes) old(before time.Time, maxBytes int64) map[string]time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	cut := before.UnixNano() / int64(time.Minute)
	all := map[int64]int64{}
	for _, minutes := range s.of {
		for m, n := range minutes {
			all[m] += n
		}
	}
	left := s.total
	for _, m := range slices.Sorted(maps.Keys(all)) {
		if m >= cut && left <= maxBytes {
			break
		}
		left -= all[m]
		cut = max(cut, m+1)
	}
	out := map[string]time.Time{}
	for prefix, minutes := range s.of {
		for m := range minutes {
			if m < cut {
				out[prefix] = time.Unix(0, cut*int64(time.Minute)-1)
				break
			}
		}
	}
	return out
}

// Sweep deletes what is too old or too much. It works on what was counted.
func (l *Log) Sweep(ctx context.Context) error {
	for prefix, last := range l.sizes.old(l.Now().Add(-l.Keep), l.MaxBytes) {
		for {
			es, more, err := l.Store.Page(ctx, prefix, prefix+arm.EventTime(last), maxBatch)
			if err != nil {
				return err
			}
			if err := l.delete(ctx, es); err != nil {
				return err
			}
			if !more {
				break
			}
		}
	}
	return nil
}

func (l *Log) delete(ctx context.Context, es []store.Entry) error {
	_, err := l.Store.Update(ctx, func(tx store.Tx) error {
		for _, e := range es {
			tx.Delete(e.Key)
		}
		return nil
	})
	return err
}
