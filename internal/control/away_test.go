package control_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"lazuli/internal/arm"
	"lazuli/internal/compute"
	"lazuli/internal/store"
)

const diskPath = "Microsoft.Compute/disks/d1"

func diskBody(gib int) string {
	return fmt.Sprintf(`{"location": "local", "properties": {"creationData": {"createOption": "Empty"}, "diskSizeGB": %d}}`, gib)
}

// What is asked for while a node is away ends with an error that says so, and
// is done when the node is back.
func TestNodeIsAway(t *testing.T) {
	tests := map[string]struct {
		ask  func(w *world) string // the operation
		then func(w *world)
	}{
		"stop": {func(w *world) string { return w.power("powerOff").Operation.ID }, func(w *world) {
			v := w.vm()
			if compute.PowerState(v) != compute.Stopped || v.Status.Failure != nil || v.Status.ObservedGeneration != v.Generation {
				w.t.Errorf("status = %+v, want stopped and nothing wrong", v.Status)
			}
		}},
		"delete": {func(w *world) string { return w.do("DELETE", vmPath, "").Operation.ID }, func(w *world) {
			if v := w.vm(); v != nil {
				w.t.Errorf("the machine is still there: %+v", v.Status)
			}
		}},
		"grow a disk": {func(w *world) string { return w.do("PUT", diskPath, diskBody(8)).Operation.ID }, func(w *world) {
			if d := w.disk("d1"); d.Status.SizeBytes != 8<<30 || d.Status.Failure != nil {
				w.t.Errorf("status = %+v, want 8 GiB and nothing wrong", d.Status)
			}
		}},
		"delete a disk": {func(w *world) string { return w.do("DELETE", diskPath, "").Operation.ID }, func(w *world) {
			if d := w.disk("d1"); d != nil {
				w.t.Errorf("the disk is still there: %+v", d.Status)
			}
		}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				w.t = t
				w.putNetwork()
				w.do("PUT", vmPath, vmBody(newData))
				w.do("PUT", diskPath, diskBody(4))
				w.settle()
				w.leave()
				w.settle()
				if p := w.vm().Status.Problem; p == nil || p.Code != "NodeNotConnected" {
					t.Errorf("problem = %v, want NodeNotConnected", p)
				}
				op := tt.ask(w)
				time.Sleep(10 * time.Second)
				w.wantOperation(op, arm.InProgress, "")
				w.settle()
				w.wantOperation(op, arm.Failed, "NodeNotConnected")
				w.crash() // a control plane that has only started knows no better
				w.run()
				w.settle()
				w.comeBack()
				w.settle()
				tt.then(w)
				w.wantOperation(op, arm.Failed, "NodeNotConnected")
				if v := w.vm(); v != nil && v.Status.Problem != nil {
					t.Errorf("problem = %v, want none any more", v.Status.Problem)
				}
			})
		})
	}
}

// An operation that is under way lives through a restart of the control plane,
// however long ago it began.
func TestRestartDuringLongOperation(t *testing.T) {
	synctestWorld(t, func(w *world) {
		w.deaf = true
		w.run()
		w.settle()
		w.putNetwork()
		op := w.do("PUT", vmPath, vmBody("")).Operation
		w.settle()
		before := len(w.store.did())
		for range 3 {
			w.crash()
			w.run()
			w.settle()
		}
		w.wantOperation(op.ID, arm.InProgress, "")
		for _, what := range w.store.did()[before:] {
			if strings.HasPrefix(what, "write") {
				w.t.Errorf("a restart writes: %s", what)
			}
		}
	})
}

// A control plane may be made long before it works, and nodes with it.
func TestSlowStart(t *testing.T) {
	inWorld(t, func(w *world) {
		w.putNetwork()
		w.do("PUT", vmPath, vmBody(""))
		w.settle()
		w.crash()
		op := w.power("powerOff").Operation
		time.Sleep(time.Hour)
		w.slow, w.late = 2*patience, true
		w.run()
		time.Sleep(time.Second)
		close(w.dial)
		w.settle()
		w.wantOperation(op.ID, arm.Succeeded, "")
		w.wantPower(compute.Stopped)
	})
}

// patience is the control plane's.
const patience = 30 * time.Second

// A disk on another node cannot be attached. That is said, and the machine can
// still be deleted.
func TestDiskElsewhere(t *testing.T) {
	inWorld(t, func(w *world) {
		w.putNetwork()
		w.do("PUT", vmPath, vmBody(""))
		w.do("PUT", diskPath, diskBody(4))
		w.settle()
		d := w.disk("d1")
		d.Status.Node = "n2"
		if _, err := w.cloud.Store.Update(context.Background(), func(tx store.Tx) error {
			return compute.Disks.PutStatus(tx, d.ID, &d.Status)
		}); err != nil {
			t.Fatal(err)
		}
		op := w.do("PUT", vmPath, vmBody(fmt.Sprintf(`{"lun": 0, "createOption": "Attach", "managedDisk": {"id": "%s"}}`, d.ID))).Operation
		w.settle()
		w.wantOperation(op.ID, arm.Failed, "DiskNotAvailable")
		w.host.Crash(w.vm().UID) // the machine is looked after all the same
		w.settle()
		if events := w.vm().Status.Events; len(events) == 0 {
			t.Error("the machine's record does not tell of the crash")
		}
		r := w.do("DELETE", vmPath, "")
		w.settle()
		w.wantOperation(r.Operation.ID, arm.Succeeded, "")
		if w.vm() != nil {
			t.Error("the machine is still there")
		}
	})
}

// A deletion that the node cannot carry out ends with what it says, and goes on.
func TestDeletionThatFails(t *testing.T) {
	inWorld(t, func(w *world) {
		w.do("PUT", diskPath, diskBody(4))
		w.settle()
		w.host.FailWith(func(call, _ string) error {
			if call == "RemoveDisk" {
				return fmt.Errorf("it is mounted")
			}
			return nil
		})
		r := w.do("DELETE", diskPath, "")
		w.settle()
		w.wantOperation(r.Operation.ID, arm.Failed, "HostError")
		w.host.FailWith(nil)
		w.settle()
		if w.disk("d1") != nil {
			t.Error("the disk is still there")
		}
	})
}
