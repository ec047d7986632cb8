package qemu

import (
	"cmp"
	"context"
	"time"

	"lazuli/internal/node"
)

// redialAfter is how long a monitor that was lost is left alone.
const redialAfter = time.Second

// saveAfter is how long a disk that was full is left alone.
const saveAfter = time.Second

// watcher follows one process to its end. It alone writes the machine's handle
// meanwhile.
type watcher struct {
	d       *Driver
	m       *machine
	p       *process
	h       handle
	unsaved bool   // h is not as it is written down
	paused  bool   // by an I/O error that was told
	cause   string // of the end, where it is known
	often   often
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
	w.found(ctx, state)
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
		case <-w.often.due():
			w.tell()
		case <-w.saveAgain():
			if w.save(); p.halted.Load() {
				w.dismiss(ctx)
			}
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
	dial, cancel := context.WithTimeout(ctx, attachTimeout)
	defer cancel()
	state, err := w.m.reach(dial, w.p)
	if err != nil {
		w.d.c.Log.Warn("monitor does not answer, will retry", "vm", w.m.uid, "err", err)
		return
	}
	w.found(ctx, state)
}

// reach gives a process its monitor, and asks what state it is in.
func (m *machine) reach(ctx context.Context, p *process) (state string, err error) {
	c, err := m.connect(ctx, p)
	if err != nil {
		return "", err
	}
	p.setMonitor(c)
	if state, err = p.runState(ctx); err != nil {
		p.setMonitor(nil)
		c.Close()
	}
	return state, err
}

// found acts on the state that a process is in, for all that happened while
// nobody listened.
func (w *watcher) found(ctx context.Context, state string) {
	switch state {
	case statusShutdown:
		w.halt(ctx, time.Now().UTC())
	case statusPrelaunch: // its start was never finished
		w.p.stopping.Store(true)
		w.kill()
	case statusInternalError:
		w.cause = "an internal error of the hypervisor"
		w.kill()
	case statusIOError:
		w.foundPaused(ctx)
	case statusRunning:
		w.paused = false
	}
}

func (w *watcher) kill() {
	if err := w.p.kill(); err != nil {
		w.d.c.Log.Warn("process that is of no use stays", "vm", w.m.uid, "err", err)
	}
}

// foundPaused tells an I/O error of which the event was missed.
func (w *watcher) foundPaused(ctx context.Context) {
	if w.paused {
		return
	}
	inst, err := w.p.instance(ctx, w.m.uid)
	if err != nil {
		return
	}
	w.paused = true
	w.tell(node.InstanceEvent{Kind: node.EventIOError, Detail: cmp.Or(inst.IOStatus, "failed"), At: time.Now().UTC()})
}

// tell tells events of the machine, after those that were held back.
func (w *watcher) tell(events ...node.InstanceEvent) {
	for _, e := range append(w.often.held(), events...) {
		w.d.tell(w.m.uid, e.Kind, e.Detail, e.At)
	}
}

// finish tells the end of the process, after all that came before it.
func (w *watcher) finish(ctx context.Context) {
	if c := w.p.monitor(); c != nil {
		<-c.Done()
		w.hear(ctx)
	}
	w.tell()
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
	w.tell(node.InstanceEvent{Kind: kind, Detail: detail, At: at})
}

func (w *watcher) save() {
	err := w.m.dir.save(w.h)
	w.unsaved = err != nil
	if err != nil {
		w.d.c.Log.Error("handle not written, will retry", "vm", w.m.uid, "err", err)
	}
}

// saveAgain delivers when the handle is to be written once more; it is nil if
// it is as it is written down.
func (w *watcher) saveAgain() <-chan time.Time {
	if !w.unsaved {
		return nil
	}
	return time.After(saveAfter)
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
