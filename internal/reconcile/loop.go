// Package reconcile runs reconcilers: functions that, given a key, make one
// step towards what is wanted of the thing with that key, and forget.
//
// It knows when to call, not what for.
package reconcile

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"
)

// Func makes one step for key. It may run at any time, any number of times,
// and after a crash anywhere in itself; for one key it never runs twice at
// once. It says after which time to be called again (zero: when the key is
// added again). An error is tried again with growing delays.
type Func func(ctx context.Context, key string) (again time.Duration, err error)

// Delays after errors: doubling from the first to the last.
const (
	firstDelay = 50 * time.Millisecond
	lastDelay  = 15 * time.Second
)

// Loop calls a Func for keys that were added.
type Loop struct {
	name    string
	f       Func
	workers int
	log     *slog.Logger

	mu      sync.Mutex
	waiting []string        // keys to run, in order
	queued  map[string]bool // keys in waiting
	running map[string]bool // true: added again meanwhile
	timers  map[string]*time.Timer
	errors  map[string]int // in a row
	wake    chan struct{}
	closed  bool
}

// New makes a loop that runs f for up to workers keys at once.
func New(name string, workers int, log *slog.Logger, f Func) *Loop {
	return &Loop{
		name: name, f: f, workers: workers, log: log,
		queued: map[string]bool{}, running: map[string]bool{},
		timers: map[string]*time.Timer{}, errors: map[string]int{},
		wake: make(chan struct{}, 1),
	}
}

// Add asks for a run of key, soon. It may be called before Run.
func (l *Loop) Add(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.add(key)
}

func (l *Loop) add(key string) {
	if l.closed {
		return
	}
	if t := l.timers[key]; t != nil {
		t.Stop()
		delete(l.timers, key)
	}
	if _, runs := l.running[key]; runs {
		l.running[key] = true
		return
	}
	if l.queued[key] {
		return
	}
	l.queued[key] = true
	l.waiting = append(l.waiting, key)
	l.signal()
}

func (l *Loop) signal() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// Run runs the loop until ctx ends, and returns when the last Func has.
func (l *Loop) Run(ctx context.Context) {
	var wg sync.WaitGroup
	for range l.workers {
		wg.Go(func() { l.work(ctx) })
	}
	wg.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	for _, t := range l.timers {
		t.Stop()
	}
}

func (l *Loop) work(ctx context.Context) {
	for {
		key, ok := l.take()
		if !ok {
			select {
			case <-ctx.Done():
				l.signal() // the next worker
				return
			case <-l.wake:
			}
			continue
		}
		if ctx.Err() != nil {
			return
		}
		again, err := l.call(ctx, key)
		l.done(ctx, key, again, err)
	}
}

func (l *Loop) take() (string, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.waiting) == 0 {
		return "", false
	}
	key := l.waiting[0]
	l.waiting = l.waiting[1:]
	delete(l.queued, key)
	l.running[key] = false
	if len(l.waiting) > 0 {
		l.signal()
	}
	return key, true
}

// call keeps a panic in one key from ending the others.
func (l *Loop) call(ctx context.Context, key string) (again time.Duration, err error) {
	defer func() {
		if p := recover(); p != nil {
			l.log.Error("reconciler panicked", "loop", l.name, "key", key, "panic", p, "stack", string(debug.Stack()))
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return l.f(ctx, key)
}

func (l *Loop) done(ctx context.Context, key string, again time.Duration, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	dirty := l.running[key]
	delete(l.running, key)
	if err != nil {
		again = l.delay(key)
		if ctx.Err() == nil && !errors.Is(err, context.Canceled) {
			l.log.Warn("will retry", "loop", l.name, "key", key, "after", again, "err", err)
		}
	} else {
		delete(l.errors, key)
	}
	switch {
	case dirty && err == nil:
		l.add(key)
	case again > 0 && !l.closed:
		l.timers[key] = time.AfterFunc(again, func() { l.Add(key) })
	}
}

func (l *Loop) delay(key string) time.Duration {
	n := l.errors[key]
	l.errors[key] = n + 1
	return min(firstDelay<<min(n, 20), lastDelay)
}
