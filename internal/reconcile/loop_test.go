package reconcile

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func start(t *testing.T, workers int, f Func) *Loop {
	l := New("test", workers, slog.New(slog.DiscardHandler), f)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { l.Run(ctx); close(done) }()
	t.Cleanup(func() { cancel(); <-done })
	return l
}

func TestLoopRunsEachKeyOnceForManyAdds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var runs atomic.Int32
		gate := make(chan struct{})
		l := start(t, 2, func(context.Context, string) (time.Duration, error) {
			runs.Add(1)
			<-gate
			return 0, nil
		})
		l.Add("a")
		synctest.Wait()
		for range 10 {
			l.Add("a") // while it runs: one more run
		}
		close(gate)
		synctest.Wait()
		if got := runs.Load(); got != 2 {
			t.Errorf("runs = %d, want 2", got)
		}
	})
}

func TestLoopNeverRunsAKeyTwiceAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		at := map[string]int{}
		l := start(t, 4, func(_ context.Context, key string) (time.Duration, error) {
			mu.Lock()
			at[key]++
			if at[key] > 1 {
				t.Errorf("%s runs twice at once", key)
			}
			mu.Unlock()
			time.Sleep(time.Millisecond)
			mu.Lock()
			at[key]--
			mu.Unlock()
			return 0, nil
		})
		for range 100 {
			for _, k := range []string{"a", "b", "c", "d", "e"} {
				l.Add(k)
			}
			time.Sleep(100 * time.Microsecond)
		}
		time.Sleep(time.Second)
	})
}

func TestLoopRetriesWithGrowingDelays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var at []time.Duration
		began := time.Now()
		l := start(t, 1, func(context.Context, string) (time.Duration, error) {
			at = append(at, time.Since(began))
			if len(at) < 4 {
				return 0, errors.New("no")
			}
			return 0, nil
		})
		l.Add("a")
		time.Sleep(time.Hour)
		want := []time.Duration{0, firstDelay, 3 * firstDelay, 7 * firstDelay}
		if len(at) != len(want) {
			t.Fatalf("runs at %v, want %v", at, want)
		}
		for i := range want {
			if at[i] != want[i] {
				t.Errorf("run %d at %v, want %v", i, at[i], want[i])
			}
		}
	})
}

func TestLoopRunsAgainWhenAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n int
		l := start(t, 1, func(context.Context, string) (time.Duration, error) {
			n++
			return time.Minute, nil
		})
		l.Add("a")
		time.Sleep(10*time.Minute + time.Second)
		if n != 11 {
			t.Errorf("runs = %d, want 11", n)
		}
	})
}

func TestLoopOutlivesAPanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n int
		l := start(t, 1, func(context.Context, string) (time.Duration, error) {
			if n++; n == 1 {
				panic("oh")
			}
			return 0, nil
		})
		l.Add("a")
		time.Sleep(time.Second)
		if n != 2 {
			t.Errorf("runs = %d, want 2", n)
		}
	})
}
