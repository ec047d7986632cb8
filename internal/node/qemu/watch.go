package qemu

import (
	"context"
	"time"

	"lazuli/internal/node"
)

// redialAfter is how long a monitor that was lost is left alone.
const redialAfter = time.Second

// watcher follows one process to its end. It alone writes the machine's handle
// meanwhile.
type watcher struct {
	d      *Driver
	m      *machine
	p      *process
	h      handle
	paused bool   // by an I/O error that was told
	cause  string // of the end, where it is known
}

// run passes on what happens to a process until it is gone and all is written
// down and told, or the driver is closed. The state is the one that it was
// found in.
func (w *watcher) run(state string) {
	d, p := w.d, w.p
	defer close(p.over)
	defer p.pidfd.Close() // ends await
	defer func() {
		if c := p.monitor(); c != nil {
			c.Close()
		}
	}()
	ctx, cancel := d.closeContext()
	defer cancel()
	if state == statusShutdown {
		w.halt(ctx, time.Now().UTC())
	}
	for {
		ready, done, redial := w.channels()
		select {
		case <-ready:
			w.hear(ctx)
		case <-done:
			w.hear(ctx)
			p.setMonitor(nil)
		case <-redial:
			w.redial(ctx)
		case look := <-p.looks:
			w.hear(ctx)
			close(look)
		case <-p.gone:
			w.finish(ctx)
			return
		case <-d.closing:
			return
		}
	}
}

// channels are those that matter in the monitor's present state.
func (w *watcher) channels() (ready, done <-chan struct{}, redial <-chan time.Time) {
	if c := w.p.monitor(); c != nil {
		return c.Ready(), c.Done(), nil
	}
	return nil, nil, time.After(redialAfter)
}

func (w *watcher) redial(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, attachTimeout)
	defer cancel()
	c, err := w.m.connect(ctx, w.p)
	if err != nil {
		w.d.c.Log.Warn("monitor does not answer, will retry", "vm", w.m.uid, "err", err)
		return
	}
	w.p.setMonitor(c)
}

// finish tells the end of the process, after all that came before it.
func (w *watcher) finish(ctx context.Context) {
	if c := w.p.monitor(); c != nil {
		<-c.Done()
		w.hear(ctx)
	}
	switch {
	case w.p.stopping.Load():
		w.h.Ended = nil
	case w.h.Ended == nil:
		w.end(node.EventExited, w.exitDetail(), time.Now().UTC())
	}
	w.h.Process = nil
	w.save()
	leaveCgroups(w.d.c, w.m.uid)
	w.m.setProcess(nil)
}

func (w *watcher) exitDetail() string {
	if w.cause != "" {
		return w.p.status + " after " + w.cause
	}
	return w.p.status
}

// end writes down how the machine ended by itself, and then tells it.
func (w *watcher) end(kind, detail string, at time.Time) {
	w.h.Ended = &ending{Kind: kind, Detail: detail, At: at}
	w.save()
	w.d.tell(w.m.uid, kind, detail, at)
}

func (w *watcher) save() {
	if err := w.m.dir.save(w.h); err != nil {
		w.d.c.Log.Error("handle not written", "vm", w.m.uid, "err", err)
	}
}

// hear passes on the events that came.
func (w *watcher) hear(ctx context.Context) {
	c := w.p.monitor()
	if c == nil {
		return
	}
	for _, ev := range c.Events() {
		w.event(ctx, ev)
	}
}
