package node

import (
	"runtime"
	"testing"
)

// The assignment and the outbox have a lock each. Who looks at both must not
// hold one while it waits for the other: somebody else takes them the other way
// round.
func TestLooksAtNetworkWithOneLockAtATime(t *testing.T) {
	a := &Agent{desired: newDesired(), out: newOutbox()}
	a.mu.Lock()
	done := make(chan struct{})
	go func() {
		defer close(done)
		a.networkReady("net")
	}()
	for range 10000 {
		runtime.Gosched()
		if !a.out.mu.TryLock() {
			t.Error("the outbox is locked by who waits for the assignment")
			break
		}
		a.out.mu.Unlock()
	}
	a.mu.Unlock()
	<-done
}
