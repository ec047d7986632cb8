package txn

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"lazuli/internal/store"
)

func TestRunReturns(t *testing.T) {
	mine := errors.New("mine")
	tests := map[string]struct {
		losses int
		err    error
	}{
		"at once":         {0, nil},
		"an error":        {0, mine},
		"after losing":    {1, nil},
		"in its turn":     {patience + 1, nil},
		"when starving":   {hunger + 1, nil},
		"at the last try": {attempts - 1, mine},
	}
	for name, tt := range tests {
		synctest.Test(t, func(t *testing.T) {
			n := 0
			rev, err := NewLoop().Run(t.Context(), func() (int64, error) {
				if n++; n <= tt.losses {
					return 0, ErrLost
				}
				return 7, tt.err
			})
			if rev != 7 || err != tt.err || n != tt.losses+1 {
				t.Errorf("%s: %d, %v after %d attempts", name, rev, err, n)
			}
		})
	}
}

func TestRunGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, n := NewLoop(), 0
		for round := range 2 { // the second finds the turn free again
			n = 0
			_, err := l.Run(t.Context(), func() (int64, error) { n++; return 0, ErrLost })
			if !errors.Is(err, store.ErrConflict) || n != attempts {
				t.Errorf("round %d: %v after %d attempts", round, err, n)
			}
		}
		if l.starved != nil || len(l.turn) != 0 {
			t.Error("something is still held")
		}
	})
}

// TestRunEnds says that a ctx ends a transaction wherever it waits.
func TestRunEnds(t *testing.T) {
	for losses := range hunger + 2 {
		synctest.Test(t, func(t *testing.T) {
			l, n := NewLoop(), 0
			ctx, cancel := context.WithCancel(t.Context())
			_, err := l.Run(ctx, func() (int64, error) {
				if n++; n > losses {
					cancel()
				}
				return 0, ErrLost
			})
			if !errors.Is(err, context.Canceled) || n != losses+1 || len(l.turn) != 0 || l.starved != nil {
				t.Errorf("%d losses: %v after %d", losses, err, n)
			}
		})
	}
}

// TestTurn says that a loser waits while another has the turn.
func TestTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewLoop()
		leave, err := l.takeTurn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		go l.Run(t.Context(), func() (int64, error) {
			if n++; n <= patience {
				return 0, ErrLost
			}
			return 0, nil
		})
		time.Sleep(time.Hour)
		synctest.Wait()
		if n != patience {
			t.Errorf("%d attempts without the turn, want %d", n, patience)
		}
		leave()
		synctest.Wait()
		if n != patience+1 {
			t.Errorf("%d attempts in all", n)
		}
	})
}

// TestYield says that who comes waits for who starves, but not for ever.
func TestYield(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewLoop()
		leave := l.starve()
		come := func() time.Duration {
			begin := time.Now()
			if _, err := l.Run(t.Context(), func() (int64, error) { return 0, nil }); err != nil {
				t.Error(err)
			}
			return time.Since(begin)
		}
		if waited := come(); waited != yieldMax {
			t.Errorf("held back for %v", waited)
		}
		time.AfterFunc(time.Millisecond, leave)
		if waited := come(); waited != time.Millisecond {
			t.Errorf("held back for %v", waited)
		}
		if waited := come(); waited != 0 {
			t.Errorf("held back for %v", waited)
		}
	})
}
