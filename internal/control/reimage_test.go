package control_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"lazuli/internal/arm"
	"lazuli/internal/arm/armtest"
	"lazuli/internal/compute"
	"lazuli/internal/node/fake"
)

// reimage asks for a new OS disk, with the secrets that the machine was made
// with.
func (w *world) reimage() arm.Result {
	w.t.Helper()
	r, err := w.cloud.Do(armtest.Request{
		Method: "POST", ID: armtest.ID(vmPath), Action: "reimage",
		Body: `{"osProfile": {"adminPassword": "Correct-Horse-1", "customData": "aGFsbG8="}}`,
	})
	if err != nil {
		w.t.Fatalf("reimage: %v", err)
	}
	return r
}

// osDisk is the machine's OS disk as it was asked for.
func (w *world) osDisk() *arm.Object[compute.Disk, compute.DiskStatus] {
	w.t.Helper()
	return w.disk(w.vm().Spec.OSDisk.ID.Name())
}

// wantDisks checks which disks the machine has on the host.
func (w *world) wantDisks(uids ...string) {
	w.t.Helper()
	inst, _, err := fake.Hypervisor{Host: w.host}.Find(context.Background(), w.vm().UID)
	if err != nil {
		w.t.Fatal(err)
	}
	if got := slices.Sorted(slices.Values(inst.Disks)); !cmp.Equal(got, slices.Sorted(slices.Values(uids))) {
		w.t.Errorf("the machine runs with %v, want %v", got, uids)
	}
}

// reimaged checks that the machine is what a reimage makes of it: its old OS
// disk is gone, its guest was told everything again, its data disk is there.
func (w *world) reimaged(old string) {
	w.t.Helper()
	w.wantPower(compute.Running)
	w.wantSecrets(false)
	now := w.osDisk()
	if now.UID == old || w.vm().Status.ReadyAt == nil || w.vm().Status.OSDisk != now.UID {
		w.t.Errorf("OS disk %s, was %s; status %+v", now.UID, old, w.vm().Status)
	}
	w.wantDisks(now.UID, w.disk("web1-data").UID)
	if slices.Contains(w.host.Left(), "disk "+old) {
		w.t.Errorf("the old content is still there: %v", w.host.Left())
	}
}

func TestReimage(t *testing.T) {
	tests := map[string]func(w *world, old string){
		"runs": func(w *world, old string) {
			op := w.reimage().Operation
			w.settle()
			w.wantOperation(op.ID, arm.Succeeded, "")
			w.reimaged(old)
		},
		"twice": func(w *world, old string) {
			w.reimage()
			w.settle()
			w.reimaged(old)
			old = w.osDisk().UID
			w.reimage()
			w.settle()
			w.reimaged(old)
		},
		"is off and stays so": func(w *world, old string) {
			w.power("powerOff")
			w.settle()
			w.reimage()
			w.settle()
			w.wantPower(compute.Stopped)
			w.power("start")
			w.settle()
			w.reimaged(old)
		},
		"is deallocated and stays so": func(w *world, old string) {
			w.power("deallocate")
			w.settle()
			w.reimage()
			w.settle()
			w.wantPower(compute.Deallocated)
			w.power("start")
			w.settle()
			w.reimaged(old)
		},
		"turned itself off": func(w *world, old string) {
			w.host.PowerOff(w.vm().UID)
			w.settle()
			w.reimage()
			w.settle()
			w.reimaged(old)
		},
		"host goes down": func(w *world, old string) {
			w.reimage()
			w.crash()
			w.host.Boot()
			w.run()
			w.settle()
			w.reimaged(old)
		},
		"old disk is to stay": func(w *world, old string) {
			w.do("PATCH", vmPath, `{"properties": {"storageProfile": {"osDisk": {"deleteOption": "Detach"}}}}`)
			w.settle()
			w.reimage()
			w.settle()
			w.wantPower(compute.Running)
			d := w.disk("web1-os")
			if d.UID != old || !d.Spec.ManagedBy.IsZero() || !d.Status.HeldBy.IsZero() {
				w.t.Errorf("the old disk is %+v %+v, want it nobody's", d.Spec, d.Status)
			}
			w.wantDisks(w.osDisk().UID, w.disk("web1-data").UID)
		},
		"deleted meanwhile": func(w *world, old string) {
			w.reimage()
			w.do("DELETE", vmPath, "")
			w.settle()
			if got := w.left(); w.vm() != nil || !cmp.Equal(got, []string{"disk"}) {
				w.t.Errorf("left = %v, want the data disk only", got)
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
				w.told.Store(nil)
				f(w, w.osDisk().UID)
			})
		})
	}
}

// A new OS disk that cannot be made takes nothing from the machine: it runs on
// the one that it has, and the operation says why.
func TestReimageThatCannotBe(t *testing.T) {
	inWorld(t, func(w *world) {
		w.putNetwork()
		w.do("PUT", vmPath, vmBody(newData))
		w.settle()
		old, ran := w.osDisk().UID, w.vm().Status.StartedAt
		w.host.FailWith(func(call, uid string) error {
			if call == "EnsureDisk" && uid != old && uid != w.disk("web1-data").UID {
				return errors.New("no room")
			}
			return nil
		})
		op := w.reimage().Operation
		w.settle()
		w.wantOperation(op.ID, arm.Failed, "HostError")
		w.wantDisks(old, w.disk("web1-data").UID)
		if v := w.vm(); !v.Status.StartedAt.Equal(*ran) {
			w.t.Errorf("the machine was started at %v, want it to run since %v", v.Status.StartedAt, ran)
		}
		w.host.FailWith(nil)
		w.settle()
		w.wantRunning(1)
		w.wantDisks(w.osDisk().UID, w.disk("web1-data").UID)
	})
}

// The old OS disk of a machine that is off stays until the new one is there,
// and the operation says so.
func TestReimageThatCannotBeWhileOff(t *testing.T) {
	inWorld(t, func(w *world) {
		w.putNetwork()
		w.do("PUT", vmPath, vmBody(newData))
		w.settle()
		w.power("deallocate")
		w.settle()
		old := w.osDisk().UID
		w.host.FailWith(func(call, uid string) error {
			if call == "EnsureDisk" && uid != old && uid != w.disk("web1-data").UID {
				return errors.New("no room")
			}
			return nil
		})
		op := w.reimage().Operation
		w.settle()
		w.wantOperation(op.ID, arm.Failed, "HostError")
		if d := w.disk("web1-os"); d == nil || !d.Status.HeldBy.Equal(w.vm().ID) || !slices.Contains(w.host.Left(), "disk "+old) {
			t.Errorf("the old disk is %+v, on the host there is %v", d, w.host.Left())
		}
		w.host.FailWith(nil)
		w.settle()
		if left := w.host.Left(); slices.Contains(left, "disk "+old) || !slices.Contains(left, "disk "+w.osDisk().UID) {
			t.Errorf("on the host there is %v, want the new disk only", left)
		}
		w.power("start")
		w.settle()
		w.reimaged(old)
	})
}

// The operation waits for the guest of the new disk, whatever the old one said.
func TestReimageWaitsForTheGuest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.timeout = 10 * time.Minute
		w.run()
		w.settle()
		w.putNetwork()
		w.do("PUT", vmPath, vmBody(newData))
		w.settle()
		w.wantPower(compute.Running)
		w.host.SetGuests(nil)
		op := w.reimage().Operation
		w.settle()
		w.wantOperation(op.ID, arm.InProgress, "")
		w.wantSecrets(true)
		time.Sleep(10 * time.Minute)
		w.wantOperation(op.ID, arm.Failed, "OSProvisioningTimedOut")
		w.crash()
	})
}

// A running machine is never without an OS disk, and never starts with two: at
// no time is anything else told to its node than a change of all at once.
func TestReimageTellsTheNodeOfOneOSDisk(t *testing.T) {
	inWorld(t, func(w *world) {
		w.putNetwork()
		w.do("PUT", vmPath, vmBody(newData))
		w.settle()
		var mu sync.Mutex
		var calls []string
		w.host.FailWith(func(call, uid string) error {
			mu.Lock()
			defer mu.Unlock()
			calls = append(calls, call)
			return nil
		})
		w.reimage()
		w.settle()
		mu.Lock()
		defer mu.Unlock()
		for _, call := range calls {
			if strings.HasPrefix(call, "Detach") || strings.HasPrefix(call, "Attach") || call == "RemoveNetwork" || call == "Remove" {
				w.t.Errorf("a reimage does %s: %v", call, calls)
			}
		}
	})
}
