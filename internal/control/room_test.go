package control_test

import (
	"fmt"
	"strings"
	"testing"

	"lazuli/internal/arm"
	"lazuli/internal/arm/armtest"
	"lazuli/internal/compute"
)

// forOne is the memory of a node that has room for one machine of 1 GiB.
const forOne = 512 + 1024

// inSmallWorld runs f in a world whose node has room for one machine, which
// runs there: web1.
func inSmallWorld(t *testing.T, f func(w *world)) {
	synctestWorld(t, func(w *world) {
		w.t, w.memoryMiB = t, forOne
		w.run()
		w.settle()
		w.putNetwork()
		w.do("PUT", vmPath, vmBody(""))
		w.settle()
		w.wantPower(compute.Running)
		f(w)
	})
}

// web2 is what is said of web1, of another machine.
var web2 = strings.NewReplacer("web1", "web2", "nic1", "nic2")

// putOther asks for a second machine.
func (w *world) putOther() *arm.Operation {
	w.t.Helper()
	w.do("PUT", web2.Replace(nicPath), fmt.Sprintf(`{"location": "local", "properties": {"ipConfigurations": [{"name": "a", "properties": {"subnet": {"id": "%s/subnets/default"}}}]}}`, armtest.ID(vnetPath)))
	return w.do("PUT", web2.Replace(vmPath), web2.Replace(vmBody(""))).Operation
}

// A machine that gave its memory back gets it again only when it is there.
func TestStartNeedsRoom(t *testing.T) {
	inSmallWorld(t, func(w *world) {
		w.power("deallocate")
		w.settle()
		op := w.putOther()
		w.settle()
		w.wantOperation(op.ID, arm.Succeeded, "")
		op = w.power("start").Operation
		w.settle()
		w.wantOperation(op.ID, arm.Failed, "AllocationFailed")
		w.wantRunning(1)
		if got := compute.PowerState(w.vm()); got != compute.Deallocated {
			t.Errorf("power = %s, want %s", got, compute.Deallocated)
		}
		w.crash()
		w.run()
		w.settle()
		w.wantRunning(1)
		w.do("DELETE", web2.Replace(vmPath), "")
		w.settle()
		op = w.power("start").Operation
		w.settle()
		w.wantOperation(op.ID, arm.Succeeded, "")
		w.wantPower(compute.Running)
	})
}

// A machine that is stopped, or only being deallocated, keeps its memory.
func TestStoppedMachineKeepsItsRoom(t *testing.T) {
	inSmallWorld(t, func(w *world) {
		w.power("powerOff")
		w.settle()
		op := w.putOther()
		w.settle()
		w.wantOperation(op.ID, arm.Failed, "AllocationFailed")
		w.do("DELETE", web2.Replace(vmPath), "")
		w.power("start")
		w.settle()
		w.wantPower(compute.Running)
	})
}

// A machine does not become larger than there is room for, and is none the
// worse for having been asked to.
func TestResizeNeedsRoom(t *testing.T) {
	larger := strings.Replace(vmBody(""), "Standard_B1s", "Standard_B1ms", 1)
	inSmallWorld(t, func(w *world) {
		before := w.vm().Status.StartedAt
		op := w.do("PUT", vmPath, larger).Operation
		w.settle()
		w.wantOperation(op.ID, arm.Failed, "AllocationFailed")
		w.wantRunning(1)
		if s := w.vm().Status; !s.StartedAt.Equal(*before) || s.MemoryMiB != 1024 {
			t.Errorf("status = %+v, want a machine that was not touched", s)
		}
		w.power("powerOff")
		w.settle()
		w.wantRunning(0)
		op = w.power("start").Operation
		w.settle()
		w.wantOperation(op.ID, arm.Failed, "AllocationFailed")
		w.wantRunning(0)
		w.do("PUT", vmPath, vmBody(""))
		w.settle()
		w.wantPower(compute.Running)
	})
}

// A smaller machine makes room.
func TestResizeMakesRoom(t *testing.T) {
	smaller := strings.Replace(vmBody(""), "Standard_B1s", "Standard_B1ls", 1)
	inSmallWorld(t, func(w *world) {
		w.do("PUT", vmPath, smaller)
		w.settle()
		w.wantPower(compute.Running)
		if s := w.vm().Status; s.MemoryMiB != 512 {
			t.Errorf("the machine has %d MiB, want 512", s.MemoryMiB)
		}
	})
}
