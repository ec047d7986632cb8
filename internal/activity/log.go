package activity

import (
	"cmp"
	"context"
	"log/slog"
	"time"

	"lazuli/internal/arm"
	"lazuli/internal/store"
)

// Config is what a Log is told.
type Config struct {
	Store store.Store
	Log   *slog.Logger
	// Keep is how long events are kept; zero is 90 days.
	Keep time.Duration
	// MaxBytes is how much of them is kept, the newest; zero is 64 MiB.
	MaxBytes int64
	// Now is the time; nil is time.Now.
	Now func() time.Time
}

// What is kept of those who say nothing else.
const (
	defaultKeep  = 90 * 24 * time.Hour
	defaultBytes = 64 << 20
)

// Limits of what waits to be written.
const (
	maxWaiting = 4096
	maxBatch   = 128
	batchTime  = 250 * time.Millisecond
	sweepTime  = time.Minute
)

// Log is the activity log.
type Log struct {
	Config
	waiting chan *arm.Event
	sizes   *sizes
}

// New makes a Log. Nothing of what Record is given is written before Run.
func New(c Config) *Log {
	c.Keep, c.MaxBytes = cmp.Or(c.Keep, defaultKeep), cmp.Or(c.MaxBytes, defaultBytes)
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return &Log{Config: c, waiting: make(chan *arm.Event, maxWaiting), sizes: newSizes()}
}

// Record keeps an event, a moment later. When more than can be written are
// waiting, it is lost, and the daemon's log says so.
func (l *Log) Record(e *arm.Event) {
	select {
	case l.waiting <- e:
	default:
		l.Log.Warn("activity lost, too much waits to be written", "action", e.Action, "principal", e.Principal.ObjectID, "code", e.Code)
	}
}

// Run writes and sweeps until ctx ends; then it writes what waits.
func (l *Log) Run(ctx context.Context) error {
	counted := make(chan struct{})
	go func() {
		defer close(counted)
		l.count(ctx)
	}()
	defer func() { <-counted }()
	sweep := time.NewTicker(sweepTime)
	defer sweep.Stop()
	for {
		select {
		case e := <-l.waiting:
			l.write(ctx, l.gather(ctx, e))
		case <-sweep.C:
			if err := l.Sweep(ctx); err != nil && ctx.Err() == nil {
				l.Log.Warn("activity not swept, will retry", "err", err)
			}
		case <-ctx.Done():
			l.drain(context.WithoutCancel(ctx))
			return ctx.Err()
		}
	}
}

// gather waits a little for more to be written with first.
func (l *Log) gather(ctx context.Context, first *arm.Event) []*arm.Event {
	batch, after := []*arm.Event{first}, time.NewTimer(batchTime)
	defer after.Stop()
	for len(batch) < maxBatch {
		select {
		case e := <-l.waiting:
			batch = append(batch, e)
		case <-after.C:
			return batch
		case <-ctx.Done():
			return batch
		}
	}
	return batch
}

// drain writes what waits at the end, if that can be done soon.
func (l *Log) drain(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	for len(l.waiting) > 0 {
		l.write(ctx, l.gather(ctx, <-l.waiting))
	}
}

func (l *Log) write(ctx context.Context, batch []*arm.Event) {
	_, err := l.Store.Update(context.WithoutCancel(ctx), func(tx store.Tx) error {
		for _, e := range batch {
			if err := arm.PutEvent(tx, e); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		l.Log.Warn("activity lost, it could not be written", "events", len(batch), "err", err)
	}
}
