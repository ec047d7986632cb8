package qemu

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"lazuli/internal/node"
)

func TestOftenHoldsBackAndKeepsTheLatest(t *testing.T) {
	var o often
	at := time.Now()
	event := func(kind string, i int) node.InstanceEvent {
		return node.InstanceEvent{Kind: kind, At: at.Add(time.Duration(i) * time.Millisecond)}
	}
	passed := 0
	for i := range 1000 {
		if e := event(node.EventReset, i); o.pass(e, e.At) {
			passed++
		}
	}
	if passed != oftenBurst {
		t.Errorf("%d of 1000 in a second are told at once, want %d", passed, oftenBurst)
	}
	if !o.pass(event(node.EventEjected, 1000), at.Add(time.Second)) {
		t.Error("an event of one kind is held back for those of another")
	}
	if o.due() == nil {
		t.Error("what is held back is never due")
	}
	if d := cmp.Diff([]node.InstanceEvent{event(node.EventReset, 999)}, o.held()); d != "" {
		t.Errorf("held back (-want +got):\n%s", d)
	}
	if o.due() != nil {
		t.Error("nothing is held back, and that is due")
	}
	if e := event(node.EventReset, 5000); !o.pass(e, e.At) {
		t.Error("a restart is held back after four quiet seconds")
	}
}
