package qemu

import (
	"context"
	"encoding/json"
	"time"

	"lazuli/internal/node"
	"lazuli/internal/node/qemu/qmp"
)

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
		w.tellOften(node.InstanceEvent{Kind: node.EventReset, Detail: data.Reason, At: ev.At})
	case "BLOCK_IO_ERROR":
		w.ioError(data, ev.At)
	case "RESUME":
		w.paused = false
	case "DEVICE_TRAY_MOVED":
		if data.ID == mediumID && data.TrayOpen {
			w.tellOften(node.InstanceEvent{Kind: node.EventEjected, At: ev.At})
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
		w.tell(node.InstanceEvent{Kind: w.h.Ended.Kind, Detail: w.h.Ended.Detail, At: w.h.Ended.At})
	}
	w.p.halted.Store(true)
	w.dismiss(ctx)
}

// dismiss ends the process of a guest that powered off, if that is written down:
// else it goes on to say so, also to a later agent.
func (w *watcher) dismiss(ctx context.Context) {
	if w.unsaved && !w.p.stopping.Load() {
		return
	}
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
	w.tell(node.InstanceEvent{Kind: node.EventIOError, Detail: detail, At: at})
}

// stopped ends a process whose guest can never go on.
func (w *watcher) stopped(ctx context.Context) {
	status, err := w.p.runState(ctx)
	if err != nil || status != statusInternalError {
		return
	}
	w.found(ctx, status)
}
