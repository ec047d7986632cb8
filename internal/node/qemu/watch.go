package qemu

import (
	"context"
	"encoding/json"
	"time"

	"lazuli/internal/node"
	"lazuli/internal/node/qemu/qmp"
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

// eventData holds what matters of the data of all events.
type eventData struct {
	Guest    bool   `json:"guest"`
	Reason   string `json:"reason"`
	ID       string `json:"id"`
	TrayOpen bool   `json:"tray-open"`
	Action   string `json:"action"`
	NoSpace  bool   `json:"nospace"`
}

func (w *watcher) event(ctx context.Context, ev qmp.Event) {
	var data eventData
	if len(ev.Data) > 0 && json.Unmarshal(ev.Data, &data) != nil {
		return
	}
	switch ev.Name {
	case "SHUTDOWN":
		w.shutdown(ctx, data, ev.At)
	case "RESET":
		w.d.tell(w.m.uid, node.EventReset, data.Reason, ev.At)
	case "BLOCK_IO_ERROR":
		w.ioError(data, ev.At)
	case "RESUME":
		w.paused = false
	case "DEVICE_TRAY_MOVED":
		if data.ID == mediumID && data.TrayOpen {
			w.d.tell(w.m.uid, node.EventEjected, "", ev.At)
		}
	case "STOP":
		w.stopped(ctx)
	}
}

// shutdown ends the process of a guest that powered itself off, after that is
// written down: the process stays until it is, whoever dies meanwhile.
func (w *watcher) shutdown(ctx context.Context, data eventData, at time.Time) {
	if data.Reason != "guest-shutdown" {
		w.cause = data.Reason
		return
	}
	w.halt(ctx, at)
}

func (w *watcher) halt(ctx context.Context, at time.Time) {
	switch {
	case w.p.stopping.Load():
	case w.h.Ended == nil:
		w.end(node.EventShutdown, "", at)
	default: // told by an agent before
		w.d.tell(w.m.uid, w.h.Ended.Kind, w.h.Ended.Detail, w.h.Ended.At)
	}
	w.p.halted.Store(true)
	if err := w.p.end(ctx); err != nil && ctx.Err() == nil {
		w.d.c.Log.Warn("process of a guest that powered off stays", "vm", w.m.uid, "err", err)
	}
}

// ioError tells the first error of those that paused the guest.
func (w *watcher) ioError(data eventData, at time.Time) {
	if data.Action != "stop" || w.paused {
		return
	}
	w.paused = true
	detail := "failed"
	if data.NoSpace {
		detail = "nospace"
	}
	w.d.tell(w.m.uid, node.EventIOError, detail, at)
}

// stopped ends a process whose guest can never go on.
func (w *watcher) stopped(ctx context.Context) {
	status, err := w.p.runState(ctx)
	if err != nil || status != statusInternalError {
		return
	}
	w.cause = "an internal error of the hypervisor"
	if err := w.p.kill(); err != nil {
		w.d.c.Log.Warn("process with an internal error stays", "vm", w.m.uid, "err", err)
	}
}
