package node_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"lazuli/internal/fabric"
	"lazuli/internal/node"
)

// recordChanges says how often the record of m1 was written during n calls of f.
func (w *world) recordChanges(n int, f func(i int)) (changes int) {
	w.t.Helper()
	file := filepath.Join(w.dir, "machines", "m1.json")
	var last os.FileInfo
	for i := range n {
		f(i)
		synctest.Wait()
		fi, err := os.Stat(file)
		if err != nil {
			w.t.Fatal(err)
		}
		// Every write makes a new file.
		if last != nil && !os.SameFile(last, fi) {
			changes++
		}
		last = fi
	}
	return changes
}

// A guest can say what it likes as often as it likes; what that costs the host
// and the cloud is bounded.
func TestTalkativeGuests(t *testing.T) {
	const words = 200
	const between = 50 * time.Millisecond // 10 seconds in all
	tests := map[string]struct {
		say     func(w *world, i int)
		changes int // of the record, at most
		reports int // at most
	}{
		"ready": {func(w *world, _ int) { w.agent.Ready("m1") }, 0, 0},
		"ready or not": {func(w *world, i int) {
			w.agent.Ready("m1")
			w.agent.ProvisioningFailed("m1", fabric.Problem{Code: "X", Message: fmt.Sprint(i)})
		}, 0, 0},
		"its agent is another each time": {func(w *world, i int) {
			w.agent.AgentStatus("m1", fabric.Agent{Status: fmt.Sprint(i), ReportedAt: time.Now()})
		}, 0, 2},
		"its agent is as before": {func(w *world, i int) {
			w.agent.AgentStatus("m1", fabric.Agent{Status: "Ready", ReportedAt: time.Now()})
		}, 0, 1},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.run()
				w.assign(hello)
				w.wantState(fabric.MachineRunning, 1)
				before := w.told("m1")
				changes := w.recordChanges(words, func(i int) {
					tt.say(w, i)
					time.Sleep(between)
				})
				if changes > tt.changes {
					t.Errorf("the record was written %d times, want at most %d", changes, tt.changes)
				}
				if got := w.told("m1") - before; got > tt.reports {
					t.Errorf("the machine was reported %d times, want at most %d", got, tt.reports)
				}
				w.crash()
			})
		})
	}
}

// A guest that cannot be provisioned says why; when it says so again and again
// in other words, that is bounded too.
func TestTalkativeFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.run()
		w.host.SetGuests(sick{w})
		w.assign(hello)
		changes := w.recordChanges(200, func(i int) {
			w.agent.ProvisioningFailed("m1", fabric.Problem{Code: "X", Message: fmt.Sprint(i)})
			time.Sleep(50 * time.Millisecond)
		})
		if p := w.machine().Provisioning; p == nil || changes > 1 {
			t.Errorf("provisioning %v, record written %d times; want the failure, and one write", p, changes)
		}
		w.crash()
	})
}

// Trouble that comes and goes does not push out what else befell a machine.
func TestEventsAreNotRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.run()
		w.assign(hello)
		w.host.Crash("m1")
		w.settle()
		for range 100 {
			w.host.Fill()
			time.Sleep(20 * time.Millisecond)
			w.host.Drain()
			time.Sleep(20 * time.Millisecond)
		}
		w.settle()
		if got := w.events(); !slices.Contains(got, "Crashed") || len(got) > 10 {
			t.Errorf("events = %v, want few, and the crash among them", got)
		}
		w.wantState(fabric.MachineRunning, 1)
		w.crash()
	})
}

// What is told of a machine that is removed leaves nothing behind.
func TestEventAfterRemoval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.run()
		w.assign(hello)
		w.assign(gone)
		w.wantState(fabric.MachineGone, 2)
		w.crash()
		w.assign(func(a *fabric.Assignment) { *a = fabric.Assignment{} })
		w.run()
		w.settle()
		w.host.Tell("m1", node.EventExited, time.Now())
		w.settle()
		if left, err := os.ReadDir(filepath.Join(w.dir, "machines")); err != nil || len(left) > 0 {
			t.Errorf("records left: %v, %v", left, err)
		}
		w.crash()
	})
}
