package qemu

import (
	"time"

	"golang.org/x/time/rate"

	"lazuli/internal/node"
)

// A guest can restart, or open a tray, a thousand times a second, and whoever
// hears of it has work to do each time. So it is told at once for a while, and
// then about once a second, the latest each time.
const (
	oftenEvery = time.Second
	oftenBurst = 5
)

// often holds back events that a guest makes too many of.
type often struct {
	limits map[string]*rate.Limiter // by kind
	queue  []node.InstanceEvent     // at most one of each kind, in order
}

// pass says whether e is to be told now; if not, it is held, in the place of an
// earlier one of its kind.
func (o *often) pass(e node.InstanceEvent, now time.Time) bool {
	limit, ok := o.limits[e.Kind]
	if !ok {
		if o.limits == nil {
			o.limits = map[string]*rate.Limiter{}
		}
		limit = rate.NewLimiter(rate.Every(oftenEvery), oftenBurst)
		o.limits[e.Kind] = limit
	}
	kept := o.queue[:0]
	for _, held := range o.queue {
		if held.Kind != e.Kind {
			kept = append(kept, held)
		}
	}
	o.queue = kept
	if limit.AllowN(now, 1) {
		return true
	}
	o.queue = append(o.queue, e)
	return false
}

// held takes what is held back.
func (o *often) held() []node.InstanceEvent {
	out := o.queue
	o.queue = nil
	return out
}

// due delivers when what is held back is to be told; nil if nothing is.
func (o *often) due() <-chan time.Time {
	if len(o.queue) == 0 {
		return nil
	}
	return time.After(oftenEvery)
}

// tellOften tells an event that may be one of very many.
func (w *watcher) tellOften(e node.InstanceEvent) {
	if w.often.pass(e, time.Now()) {
		w.tell(e)
	}
}
