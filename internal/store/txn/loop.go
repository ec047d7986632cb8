package txn

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"lazuli/internal/store"
)

const (
	// attempts is how often a transaction is tried before ErrConflict.
	attempts = 100
	// patience is how often it is tried freely. After that it waits for its
	// turn, so that of all the losers only one at a time is in the race and
	// each of them gets through.
	patience = 3
	// pauseMax bounds the pause between two free attempts.
	pauseMax = 4 * time.Millisecond
)

// Loop runs the transactions of one engine. Its zero value is not usable.
type Loop struct{ turn chan struct{} }

// NewLoop returns a Loop.
func NewLoop() *Loop { return &Loop{turn: make(chan struct{}, 1)} }

// Run calls attempt until it returns something else than ErrLost. It gives up
// with store.ErrConflict, or with the error of ctx.
func (l *Loop) Run(ctx context.Context, attempt func() (int64, error)) (int64, error) {
	for n := range attempts {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		rev, err := attempt()
		if !errors.Is(err, ErrLost) {
			return rev, err
		}
		switch {
		case n < patience:
			if err := pause(ctx); err != nil {
				return 0, err
			}
		case n == patience:
			if err := l.wait(ctx); err != nil {
				return 0, err
			}
			defer l.done()
		}
	}
	return 0, store.ErrConflict
}

func (l *Loop) wait(ctx context.Context) error {
	select {
	case l.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (l *Loop) done() { <-l.turn }

func pause(ctx context.Context) error {
	timer := time.NewTimer(rand.N(pauseMax))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
