package activity

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"lazuli/internal/arm"
	"lazuli/internal/store"
	"lazuli/internal/store/memory"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func event(n int, at time.Time) *arm.Event {
	return &arm.Event{ID: fmt.Sprintf("%08d", n), At: at, Scope: "/subscriptions/s/resourceGroups/rg", Action: "x/write", Principal: arm.Principal{ObjectID: "o"}, Status: arm.EventFailed, Correlation: fmt.Sprint(n)}
}

func newStore(t *testing.T) *memory.Store {
	t.Helper()
	s := memory.New(memory.Options{})
	t.Cleanup(func() { s.Close() })
	return s
}

func put(t *testing.T, s store.Store, es ...*arm.Event) {
	t.Helper()
	_, err := s.Update(t.Context(), func(tx store.Tx) (err error) {
		for _, e := range es {
			err = errors.Join(err, arm.PutEvent(tx, e))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func kept(t *testing.T, s store.Store) int {
	t.Helper()
	es, err := s.List(t.Context(), arm.EventPrefix)
	if err != nil {
		t.Fatal(err)
	}
	return len(es)
}

// counting counts the transactions.
type counting struct {
	store.Store
	n int
}

func (c *counting) Update(ctx context.Context, f func(store.Tx) error) (int64, error) {
	c.n++
	return c.Store.Update(ctx, f)
}

func TestRecordsAreWrittenTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &counting{Store: newStore(t)}
		l := New(Config{Store: s})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- l.Run(ctx) }()
		for i := range 50 {
			l.Record(event(i, time.Now()))
		}
		time.Sleep(2 * batchTime)
		synctest.Wait()
		if kept(t, s) != 50 || s.n != 1 {
			t.Errorf("%d events in %d transactions, want 50 in one", kept(t, s), s.n)
		}
		// The end writes what waits.
		for i := range 300 {
			l.Record(event(100+i, time.Now()))
		}
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("Run = %v", err)
		}
		if kept(t, s) != 350 {
			t.Errorf("after the end there are %d events, want 350", kept(t, s))
		}
	})
}

// Who records does not wait, whatever happens.
func TestTooMuchIsLost(t *testing.T) {
	l := New(Config{Store: newStore(t)})
	for i := range maxWaiting + 10 {
		l.Record(event(i, at))
	}
	if len(l.waiting) != maxWaiting {
		t.Errorf("%d wait, want %d", len(l.waiting), maxWaiting)
	}
}

// counted runs the counting until it has seen what there is.
func counted(t *testing.T, l *Log, f func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); l.count(ctx) }()
	synctest.Wait()
	f()
	synctest.Wait()
	cancel()
	<-ended
}

func TestSweep(t *testing.T) {
	now := at.Add(time.Hour)
	size := int64(0)
	for i := range 10 {
		e := event(i, at.Add(time.Duration(i)*time.Minute))
		s := memory.New(memory.Options{})
		put(t, s, e)
		es, _ := s.List(t.Context(), "")
		size = int64(len(es[0].Key) + len(es[0].Value))
		s.Close()
	}
	tests := map[string]struct {
		keep  time.Duration
		bytes int64
		want  int
	}{
		"all":                {2 * time.Hour, 100 * size, 10},
		"half are old":       {55 * time.Minute, 100 * size, 5},
		"all are old":        {time.Minute, 100 * size, 0},
		"three have room":    {2 * time.Hour, 3*size + size/2, 3},
		"exactly four":       {2 * time.Hour, 4 * size, 4},
		"none has room":      {2 * time.Hour, 1, 0},
		"old before no room": {55 * time.Minute, 8 * size, 5},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStore(t)
				l := New(Config{Store: s, Keep: tt.keep, MaxBytes: tt.bytes, Now: func() time.Time { return now }})
				counted(t, l, func() {
					for i := range 10 {
						put(t, s, event(i, at.Add(time.Duration(i)*time.Minute)))
					}
					synctest.Wait()
					if err := l.Sweep(t.Context()); err != nil {
						t.Fatal(err)
					}
				})
				if got := kept(t, s); got != tt.want {
					t.Errorf("%d are kept, want %d", got, tt.want)
				}
				if l.sizes.total != int64(tt.want)*size || len(l.sizes.keys) != tt.want {
					t.Errorf("counted are %d bytes in %d events, want %d in %d", l.sizes.total, len(l.sizes.keys), int64(tt.want)*size, tt.want)
				}
				// It is the newest that are kept.
				es, _ := s.List(t.Context(), arm.EventPrefix)
				for i, entry := range es {
					if want := fmt.Sprintf("%08d", 9-i); !strings.HasSuffix(entry.Key, want) {
						t.Errorf("kept is %s, want %s", entry.Key, want)
					}
				}
			})
		})
	}
}

// A restart counts what is there.
func TestCountsWhatWasThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore(t)
		put(t, s, event(1, at), event(2, at))
		l := New(Config{Store: s})
		counted(t, l, func() { put(t, s, event(2, at)) }) // again
		if len(l.sizes.keys) != 2 || l.sizes.total == 0 {
			t.Errorf("%d events are counted, want 2", len(l.sizes.keys))
		}
	})
}

func TestMinuteOf(t *testing.T) {
	e := event(1, at.Add(59*time.Second))
	prefix, minute, ok := minuteOf(e.Key())
	if !ok || prefix != arm.EventKeys("s") || minute != at.Unix()/60 {
		t.Errorf("minuteOf = %s, %d, %t", prefix, minute, ok)
	}
	for _, key := range []string{"", "activity/s/", "activity/s/short", "activity/s/zzzzzzzzzzzzzzzz-1"} {
		if _, _, ok := minuteOf(key); ok {
			t.Errorf("%q has a time", key)
		}
	}
}
