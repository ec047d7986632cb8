package control_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"lazuli/internal/arm"
	"lazuli/internal/arm/armtest"
	"lazuli/internal/compute"
)

// inWorld runs f in a world of its own, whose clock is the bubble's.
func inWorld(t *testing.T, f func(w *world)) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.run()
		w.settle()
		f(w)
		w.crash()
	})
}

// synctestWorld is inWorld for who starts the world by himself.
func synctestWorld(t *testing.T, f func(w *world)) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		f(w)
		w.crash()
	})
}

func TestVM(t *testing.T) {
	tests := map[string]func(w *world){
		"create": func(w *world) {
			w.wantPower(compute.Running)
			w.wantRunning(1)
			if got, want := w.left(), []string{"disk", "disk", "machine", "network", "tap"}; !cmp.Equal(got, want) {
				w.t.Errorf("on the host = %v, want %v", got, want)
			}
		},
		"stop and start": func(w *world) {
			w.power("powerOff")
			w.settle()
			w.wantPower(compute.Stopped)
			w.wantRunning(0)
			w.power("start")
			w.settle()
			w.wantPower(compute.Running)
		},
		"deallocate and start": func(w *world) {
			w.power("deallocate")
			w.settle()
			w.wantPower(compute.Deallocated)
			w.power("start")
			w.settle()
			w.wantPower(compute.Running)
		},
		"restart": func(w *world) {
			before := w.vm().Status.StartedAt
			w.power("restart")
			w.settle()
			w.wantPower(compute.Running)
			if after := w.vm().Status.StartedAt; !after.After(*before) {
				w.t.Errorf("started at %v, want after %v", after, before)
			}
		},
		"guest powers off": func(w *world) {
			w.host.PowerOff(w.vm().UID)
			w.settle()
			w.wantPower(compute.Stopped)
			w.power("start")
			w.settle()
			w.wantPower(compute.Running)
		},
		"crash": func(w *world) {
			w.host.Crash(w.vm().UID)
			w.settle()
			w.wantPower(compute.Running)
			if len(w.vm().Status.Events) == 0 {
				w.t.Error("the machine's record does not tell of the crash")
			}
		},
		"detach, and attach to another": func(w *world) {
			w.do("PUT", vmPath, vmBody(""))
			w.settle()
			w.wantPower(compute.Running)
			d := w.disk("web1-data")
			if !d.Status.HeldBy.IsZero() || !d.Spec.ManagedBy.IsZero() {
				w.t.Errorf("disk is held by %v, managed by %v, want nobody", d.Status.HeldBy, d.Spec.ManagedBy)
			}
			w.do("PUT", vmPath, vmBody(fmt.Sprintf(`{"lun": 3, "createOption": "Attach", "managedDisk": {"id": "%s"}}`, d.ID)))
			w.settle()
			w.wantPower(compute.Running)
			if d := w.disk("web1-data"); !d.Status.HeldBy.Equal(w.vm().ID) {
				w.t.Errorf("disk is held by %v, want the VM", d.Status.HeldBy)
			}
		},
		"delete keeps the data disk": func(w *world) {
			r := w.do("DELETE", vmPath, "")
			w.settle()
			if w.vm() != nil {
				w.t.Error("the VM is still there")
			}
			w.wantOperation(r.Operation.ID, arm.Succeeded, "")
			if got, want := w.left(), []string{"disk"}; !cmp.Equal(got, want) {
				w.t.Errorf("on the host = %v, want %v: the data disk", got, want)
			}
			if w.disk("web1-os") != nil {
				w.t.Error("the OS disk is still there, though it was to go")
			}
			w.do("DELETE", "Microsoft.Compute/disks/web1-data", "")
			w.do("DELETE", nicPath, "")
			w.settle()
			if left := w.host.Left(); len(left) > 0 {
				w.t.Errorf("left = %v, want nothing", left)
			}
		},
		"control plane and agent restart": func(w *world) {
			before := w.vm().Status.StartedAt
			w.crash()
			w.wantRunning(1)
			w.run()
			w.settle()
			w.wantPower(compute.Running)
			if after := w.vm().Status.StartedAt; !after.Equal(*before) {
				w.t.Errorf("started at %v, want %v", after, before)
			}
		},
		"host boots": func(w *world) {
			w.crash()
			w.host.Boot()
			w.run()
			w.settle()
			w.wantPower(compute.Running)
			w.wantRunning(1)
		},
		"full disk": func(w *world) {
			w.host.Fill()
			w.settle()
			if p := w.vm().Status.Problem; p == nil || p.Code != "HostDiskFull" {
				w.t.Errorf("problem = %v, want HostDiskFull", p)
			}
			w.host.Drain()
			w.settle()
			w.wantPower(compute.Running)
			if p := w.vm().Status.Problem; p != nil {
				w.t.Errorf("problem = %v, want none any more", p)
			}
		},
		"nothing is written when nothing changes": func(w *world) {
			before := len(w.store.did())
			time.Sleep(time.Hour)
			for _, what := range w.store.did()[before:] {
				if strings.HasPrefix(what, "write") {
					w.t.Errorf("an idle cloud writes: %s", what)
				}
			}
		},
	}
	for name, f := range tests {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				w.t = t
				w.putNetwork()
				w.do("PUT", vmPath, vmBody(newData))
				w.settle()
				f(w)
			})
		})
	}
}

func (w *world) disk(name string) *arm.Object[compute.Disk, compute.DiskStatus] {
	w.t.Helper()
	d, err := compute.Disks.Find(context.Background(), w.cloud.Store, armtest.ID("Microsoft.Compute/disks/"+name))
	if err != nil {
		w.t.Fatal(err)
	}
	return d
}

func TestDisk(t *testing.T) {
	inWorld(t, func(w *world) {
		w.do("PUT", "Microsoft.Compute/disks/d1", `{"location": "local", "properties": {"creationData": {"createOption": "Empty"}, "diskSizeGB": 4}}`)
		w.settle()
		d := w.disk("d1")
		w.wantOperation(d.Operation, arm.Succeeded, "")
		if d.Status.Node != "n1" || d.Status.SizeBytes != 4<<30 {
			w.t.Errorf("status = %+v, want 4 GiB on n1", d.Status)
		}
		r := w.do("DELETE", "Microsoft.Compute/disks/d1", "")
		w.settle()
		w.wantOperation(r.Operation.ID, arm.Succeeded, "")
		if left := w.host.Left(); len(left) > 0 || w.disk("d1") != nil {
			w.t.Errorf("left = %v, want nothing", left)
		}
	})
}

// Who asks for a machine as soon as it is made finds its disks made too.
func TestDisksAreMadeBeforeTheMachine(t *testing.T) {
	synctestWorld(t, func(w *world) {
		w.store.slow = map[string]time.Duration{"/disks/": time.Second}
		w.run()
		w.settle()
		w.putNetwork()
		op := w.do("PUT", vmPath, vmBody(newData)).Operation
		for range 600 {
			if v := w.vm(); v.Status.ObservedGeneration == v.Generation {
				break
			}
			time.Sleep(100 * time.Millisecond)
		}
		w.wantOperation(op.ID, arm.Succeeded, "")
		for _, name := range []string{"web1-os", "web1-data"} {
			if d := w.disk(name); d.Status.ObservedGeneration != d.Generation {
				w.t.Errorf("disk %s is not shown as made", name)
			}
		}
	})
}

func TestProvisioningTimesOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.timeout, w.deaf = 10*time.Minute, true
		w.run()
		w.settle()
		w.putNetwork()
		op := w.do("PUT", vmPath, vmBody("")).Operation
		w.settle()
		w.wantOperation(op.ID, arm.InProgress, "")
		time.Sleep(10 * time.Minute)
		w.wantOperation(op.ID, arm.Failed, "OSProvisioningTimedOut")
		w.wantRunning(1) // as on Azure, it may still make it
		w.crash()
	})
}

// Operations are there for a day after their end, those that run for ever.
func TestOldOperationsGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.deaf, w.timeout = true, 1000*time.Hour
		w.run()
		w.settle()
		w.putNetwork()
		runs := w.do("PUT", vmPath, vmBody("")).Operation
		ended := w.do("PUT", "Microsoft.Compute/disks/d1", `{"location": "local", "properties": {"creationData": {"createOption": "Empty"}, "diskSizeGB": 4}}`).Operation
		w.settle()
		w.wantOperation(ended.ID, arm.Succeeded, "")
		time.Sleep(23 * time.Hour)
		w.wantOperation(ended.ID, arm.Succeeded, "")
		time.Sleep(2 * time.Hour)
		if op, err := arm.GetOperation(t.Context(), w.cloud.Store, ended.ID); op != nil || err != nil {
			t.Errorf("a day after its end the operation is %+v, %v", op, err)
		}
		w.wantOperation(runs.ID, arm.InProgress, "")
		w.crash()
	})
}

// A guest is told its secrets at each start until it is ready, whoever ends
// meanwhile; then they are nowhere any more.
func TestSecretsLastUntilTheGuestIsReady(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.deaf = true
		w.run()
		w.settle()
		w.putNetwork()
		w.do("PUT", vmPath, vmBody(""))
		w.settle()
		w.wantSecrets(true)
		w.crash()
		w.host.Boot()
		w.told.Store(nil)
		w.run()
		w.settle()
		w.wantSecrets(true)
		w.crash()
		w.host.Boot()
		w.deaf = false
		w.told.Store(nil)
		w.run()
		w.settle()
		w.wantPower(compute.Running)
		w.wantSecrets(false)
		w.crash()
	})
}

// A machine that goes before its guest is ready takes its secrets along.
func TestSecretsGoWithTheMachine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.deaf = true
		w.run()
		w.settle()
		w.putNetwork()
		w.do("PUT", vmPath, vmBody(""))
		w.settle()
		w.do("DELETE", vmPath, "")
		w.settle()
		w.wantSecrets(false)
		w.crash()
	})
}

func TestNoRoom(t *testing.T) {
	inWorld(t, func(w *world) {
		w.putNetwork()
		op := w.do("PUT", vmPath, strings.Replace(vmBody(""), "Standard_B1s", "Standard_E32s_v5", 1)).Operation
		w.settle()
		w.wantOperation(op.ID, arm.Failed, "AllocationFailed")
		r := w.do("DELETE", vmPath, "")
		w.settle()
		w.wantOperation(r.Operation.ID, arm.Succeeded, "")
	})
}

// TestEveryCrash plays a cloud's life once for each thing that the control
// plane or the agent does to the state or the host, and ends both right before
// and right after that thing. Whatever the moment, the end is the same.
func TestEveryCrash(t *testing.T) {
	life := []struct {
		name string
		do   func(w *world)
		ok   func(w *world)
	}{
		{"create", func(w *world) { w.putNetwork(); w.do("PUT", vmPath, vmBody(newData)) }, func(w *world) {
			w.wantPower(compute.Running)
			w.wantRunning(1)
			w.wantSecrets(false)
		}},
		{"detach", func(w *world) { w.do("PUT", vmPath, vmBody("")) }, func(w *world) {
			w.wantPower(compute.Running)
			if d := w.disk("web1-data"); !d.Status.HeldBy.IsZero() {
				w.t.Errorf("detached disk is held by %v", d.Status.HeldBy)
			}
		}},
		{"attach", func(w *world) {
			w.do("PUT", vmPath, vmBody(fmt.Sprintf(`{"lun": 0, "createOption": "Attach", "managedDisk": {"id": "%s"}}`, armtest.ID("Microsoft.Compute/disks/web1-data"))))
		}, func(w *world) { w.wantPower(compute.Running) }},
		{"stop", func(w *world) { w.power("powerOff") }, func(w *world) { w.wantPower(compute.Stopped); w.wantRunning(0) }},
		{"start", func(w *world) { w.power("start") }, func(w *world) { w.wantPower(compute.Running); w.wantRunning(1) }},
		{"restart", func(w *world) { w.power("restart") }, func(w *world) { w.wantPower(compute.Running); w.wantRunning(1) }},
		{"command", func(w *world) { w.script("echo hello") }, func(w *world) { w.wantScript("hello\n", ""); w.wantSecrets(false) }},
		{"reimage", func(w *world) { w.told.Store(nil); w.reimage() }, func(w *world) {
			if d := w.disk("web1-os"); d != nil {
				w.t.Errorf("the old OS disk is still there: %+v", d)
			}
			w.reimaged("")
			w.wantRunning(1)
		}},
		{"deallocate", func(w *world) { w.power("deallocate") }, func(w *world) { w.wantPower(compute.Deallocated) }},
		{"delete", func(w *world) { w.do("DELETE", vmPath, "") }, func(w *world) {
			if got := w.left(); w.vm() != nil || !cmp.Equal(got, []string{"disk"}) {
				w.t.Errorf("left = %v, VM %v; want the data disk only", got, w.vm())
			}
		}},
		{"delete the rest", func(w *world) {
			w.do("DELETE", "Microsoft.Compute/disks/web1-data", "")
			w.do("DELETE", nicPath, "")
			w.do("DELETE", vnetPath, "")
		}, func(w *world) {
			es, err := w.cloud.Store.List(context.Background(), "/spec/")
			if err != nil {
				w.t.Fatal(err)
			}
			status, err := w.cloud.Store.List(context.Background(), "/status/")
			if err != nil {
				w.t.Fatal(err)
			}
			refs, err := w.cloud.Store.List(context.Background(), "/ref/")
			if err != nil {
				w.t.Fatal(err)
			}
			if left := w.host.Left(); len(left)+len(status)+len(refs) > 0 {
				w.t.Errorf("left on the host %v, in the store %v %v", left, status, refs)
			}
			for _, e := range es {
				if !strings.Contains(e.Key, "resourcegroups") {
					w.t.Errorf("left in the store: %s", e.Key)
				}
			}
		}},
	}
	play := func(t *testing.T, at int, after bool) (log []string) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			w.store.at, w.store.after = at, after
			w.run()
			w.settle()
			for _, step := range life {
				step.do(w)
				w.settle()
				step.ok(w)
				if t.Failed() {
					did := w.store.did()
					t.Errorf("at %q; the last things done:\n%s", step.name, strings.Join(did[max(0, len(did)-12):], "\n"))
					break
				}
			}
			w.crash()
			log = w.store.did()
		})
		return log
	}
	log := play(t, 0, false)
	total := len(log)
	if total < 40 {
		t.Fatalf("only %d things done: %v", total, log)
	}
	if os.Getenv("LAZULI_LOG") != "" {
		t.Log(strings.Join(log, "\n"))
	}
	for n := 1; n <= total; n++ {
		for _, after := range []bool{false, true} {
			t.Run(fmt.Sprintf("%d %v", n, after), func(t *testing.T) { play(t, n, after) })
		}
	}
}

// What found no node goes to the first that comes, at once.
func TestNodeComesLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.run()
		w.settle() // the node is known from now on
		w.crash()
		w.putNetwork()
		w.do("PUT", vmPath, vmBody(""))
		w.late = true
		w.run()
		synctest.Wait() // the control plane has looked, and found no node
		close(w.dial)
		time.Sleep(100 * time.Millisecond) // less than it waits between two looks
		if v := w.vm(); v.Status.Node == "" {
			t.Error("the machine is not placed yet")
		}
		w.settle()
		w.wantPower(compute.Running)
		w.crash()
	})
}
