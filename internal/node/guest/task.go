package guest

import (
	"context"
	"strings"
)

// run serves one socket until ctx ends or the socket breaks. When it returns,
// the socket is closed and nothing that it started goes on.
type run func(ctx context.Context) error

// task is a run that goes on.
type task struct {
	cancel context.CancelFunc
	done   chan struct{}
}

// start runs r. If it ends with an error of its own, failed is told.
func start(r run, failed func(error)) *task {
	ctx, cancel := context.WithCancel(context.Background())
	t := &task{cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(t.done)
		defer cancel()
		if err := r(ctx); err != nil && ctx.Err() == nil {
			failed(err)
		}
	}()
	return t
}

func (t *task) running() bool {
	select {
	case <-t.done:
		return false
	default:
		return true
	}
}

func (t *task) stop() {
	t.cancel()
	<-t.done
}

func cutPort(name string) (uid string, ok bool) { return strings.CutPrefix(name, portPrefix) }
