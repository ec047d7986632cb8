package node_test

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"lazuli/internal/fabric"
	"lazuli/internal/node/fake"
)

// toDisk has the machine begin anew on the OS disk uid.
func toDisk(uid string, restart bool) func(*fabric.Assignment) {
	return change(func(m *fabric.Machine) {
		m.Disks = append([]fabric.MachineDisk{{UID: uid, OS: true}}, m.Disks[1:]...)
		if restart {
			m.Restarts++
		}
	})
}

// withDisk has the node make another OS disk.
func withDisk(a *fabric.Assignment) {
	a.Disks = append(a.Disks, fabric.Disk{UID: "os2", Generation: 1, Presence: fabric.Present, SizeBytes: 1 << 30, Image: "debian-12"})
}

func (w *world) wantDisks(want ...string) {
	w.t.Helper()
	inst, _, err := fake.Hypervisor{Host: w.host}.Find(context.Background(), "m1")
	if err != nil || !cmp.Equal(inst.Disks, want) {
		w.t.Errorf("the machine runs with %v, %v, want %v", inst.Disks, err, want)
	}
}

// A machine that is to have another OS disk is restarted with it, and its guest
// is a new one.
func TestAnotherOSDisk(t *testing.T) {
	tests := map[string]func(t *testing.T, w *world){
		"with a restart": func(t *testing.T, w *world) {
			before := w.machine()
			w.assign(func(a *fabric.Assignment) { withDisk(a); toDisk("os2", true)(a) })
			r := w.wantState(fabric.MachineRunning, 2)
			w.wantDisks("os2", "data")
			if r.OSDisk != "os2" || r.ReadyAt == nil || !r.ReadyAt.After(*before.ReadyAt) {
				t.Errorf("the guest of %s was ready at %v, that of %s at %v", r.OSDisk, r.ReadyAt, before.OSDisk, before.ReadyAt)
			}
		},
		"with nothing else": func(t *testing.T, w *world) {
			w.host.FailWith(func(call, _ string) error {
				if call == "DetachDisk" || call == "AttachDisk" {
					t.Errorf("the OS disk is taken from the running guest: %s", call)
				}
				return nil
			})
			w.assign(func(a *fabric.Assignment) { withDisk(a); toDisk("os2", false)(a) })
			w.wantState(fabric.MachineRunning, 2)
			w.wantDisks("os2", "data")
		},
		"that is not there yet": func(t *testing.T, w *world) {
			before := w.machine()
			w.assign(toDisk("os2", true))
			if r := w.wantState(fabric.MachineRunning, 1); !r.StartedAt.Equal(*before.StartedAt) || r.ReadyAt == nil {
				t.Errorf("started at %v, ready at %v; want it to run since %v", r.StartedAt, r.ReadyAt, before.StartedAt)
			}
			w.wantDisks("os", "data")
			w.assign(withDisk)
			w.wantState(fabric.MachineRunning, 2)
			w.wantDisks("os2", "data")
		},
		"while it is off": func(t *testing.T, w *world) {
			w.assign(power(fabric.Stopped, false))
			w.assign(func(a *fabric.Assignment) { withDisk(a); toDisk("os2", false)(a) })
			if r := w.wantState(fabric.MachineStopped, 3); r.OSDisk != "os" || r.ReadyAt == nil {
				t.Errorf("OS disk %s, ready at %v, though it was not started since", r.OSDisk, r.ReadyAt)
			}
			w.host.SetGuests(nil)
			w.assign(power(fabric.Running, false))
			if r := w.wantState(fabric.MachineRunning, 4); r.OSDisk != "os2" || r.ReadyAt != nil {
				t.Errorf("the guest of %s was ready at %v, though nobody said so", r.OSDisk, r.ReadyAt)
			}
		},
		"whose agent dies": func(t *testing.T, w *world) {
			w.crash()
			w.want.Disks = append(w.want.Disks, fabric.Disk{UID: "os2", Generation: 1, Presence: fabric.Present, SizeBytes: 1 << 30, Image: "debian-12"})
			w.run()
			w.assign(toDisk("os2", true))
			w.crash()
			w.host.Crash("m1")
			w.run()
			w.settle()
			w.wantState(fabric.MachineRunning, 2)
			w.wantDisks("os2", "data")
		},
	}
	for name, f := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.run()
				w.assign(hello)
				w.wantState(fabric.MachineRunning, 1)
				f(t, w)
				w.crash()
			})
		})
	}
}
