package txn

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"lazuli/internal/store"
)

// A transaction that loses is tried again: freely at first, then in turn with
// the other losers, so that only one of them at a time is in the race. If it
// still loses, against those who have only come, they are held back for it.
const (
	attempts = 32 // before store.ErrConflict
	patience = 3  // attempts before it waits for its turn
	hunger   = 8  // attempts before others are held back
	// pauseMax bounds the pause before a free attempt.
	pauseMax = 4 * time.Millisecond
	// yieldMax bounds how long an attempt is held back. Nothing depends on
	// it but the order of the winners.
	yieldMax = 10 * time.Millisecond
)

// Loop runs the transactions of one engine.
type Loop struct {
	turn chan struct{} // holds an element while a loser has the turn

	mu      sync.Mutex
	starved chan struct{} // closed when the starving one is through; nil if none is
}

// NewLoop returns a Loop.
func NewLoop() *Loop { return &Loop{turn: make(chan struct{}, 1)} }

// Run calls attempt until it returns something else than ErrLost. It gives up
// with store.ErrConflict, or with the error of ctx.
func (l *Loop) Run(ctx context.Context, attempt func() (int64, error)) (int64, error) {
	for n := range attempts {
		leave, err := l.admit(ctx, n)
		defer leave()
		if err != nil {
			return 0, err
		}
		rev, err := attempt()
		if !errors.Is(err, ErrLost) {
			return rev, err
		}
	}
	return 0, store.ErrConflict
}

// admit waits until attempt n may begin. What it returns is called when the
// transaction is over.
func (l *Loop) admit(ctx context.Context, n int) (leave func(), err error) {
	leave = func() {}
	switch {
	case n == hunger:
		leave = l.starve()
	case n == patience:
		leave, err = l.takeTurn(ctx)
	case n < patience:
		err = l.yield(ctx)
		if n > 0 && err == nil {
			err = wait(ctx, nil, rand.N(pauseMax))
		}
	}
	if err == nil {
		err = ctx.Err()
	}
	return leave, err
}

func (l *Loop) takeTurn(ctx context.Context) (leave func(), err error) {
	select {
	case l.turn <- struct{}{}:
		return func() { <-l.turn }, nil
	case <-ctx.Done():
		return func() {}, ctx.Err()
	}
}

// starve holds back attempts that begin from now on. Only who has the turn
// may starve, so there is one at most.
func (l *Loop) starve() (leave func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.starved = make(chan struct{})
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		close(l.starved)
		l.starved = nil
	}
}

// yield waits for who starves, for a while.
func (l *Loop) yield(ctx context.Context) error {
	l.mu.Lock()
	starved := l.starved
	l.mu.Unlock()
	if starved == nil {
		return nil
	}
	return wait(ctx, starved, yieldMax)
}

// wait waits until done is closed or d is over.
func wait(ctx context.Context, done <-chan struct{}, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}
