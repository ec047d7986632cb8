package nodetest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"lazuli/internal/fabric"
	"lazuli/internal/node"
)

// HypervisorHost is an empty host with the hypervisor under test.
type HypervisorHost struct {
	// Open starts an agent's driver. It is called again after the driver before
	// was closed. The suite attaches it.
	Open func(t *testing.T) node.Hypervisor
	// Disk makes a disk of that UID, from which a machine can boot, and gives
	// it to owner.
	Disk func(t *testing.T, uid string, owner int) node.InstanceDisk
	// Kill ends the machine's process as kill -9 does.
	Kill func(t *testing.T, inst node.Instance)
	// PowerOff and Reboot make the guest do so by itself. They are called when
	// the guest has started, with or without a driver.
	PowerOff, Reboot func(t *testing.T, uid string)
	// Started waits until the guest can do so.
	Started func(t *testing.T, uid string)
}

// UIDs of the suite.
const (
	vm1, vm2 = "11111111-0000-4000-8000-000000000001", "11111111-0000-4000-8000-000000000002"
	os1, os2 = "22222222-0000-4000-8000-000000000001", "22222222-0000-4000-8000-000000000002"
	data1    = "33333333-0000-4000-8000-000000000001"
)

// patience bounds waits for things that happen by themselves.
const patience = 2 * time.Minute

// RunHypervisor runs the suite; each test gets a host of its own.
func RunHypervisor(t *testing.T, newHost func(*testing.T) HypervisorHost) {
	tests := map[string]func(*hv){
		"start is idempotent":               testStart,
		"stop is idempotent and silent":     testStop,
		"unknown machines":                  testUnknown,
		"owners are stable and distinct":    testOwners,
		"a disk has one machine":            testOneWriter,
		"shutdown is obeyed":                testShutdown,
		"power off is told before shown":    testPowerOff,
		"kill is told before shown":         testKill,
		"reboot keeps the process":          testReboot,
		"data disks come and go":            testDataDisks,
		"a machine outlives the agent":      testAttach,
		"power off with no agent is told":   testPowerOffAway,
		"kill with no agent is told apart":  testKillAway,
		"stop with no events after restart": testStopAway,
		"remove forgets":                    testRemove,
		"boot log and console":              testConsole,
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			h := &hv{T: t, host: newHost(t)}
			h.open()
			t.Cleanup(h.clear)
			test(h)
		})
	}
}

// hv is one test's host and the driver that is open on it.
type hv struct {
	*testing.T
	host HypervisorHost
	node.Hypervisor
}

// ctx outlives the test's own context, for cleaning up.
func (h *hv) ctx() context.Context { return context.WithoutCancel(h.T.Context()) }

func (h *hv) open() []node.Instance {
	h.Helper()
	h.Hypervisor = h.host.Open(h.T)
	insts, err := h.Attach(h.ctx())
	h.check(err)
	return insts
}

// restart is an agent's end and the next one's beginning.
func (h *hv) restart(meanwhile func()) []node.Instance {
	h.Helper()
	h.check(h.Close())
	meanwhile()
	return h.open()
}

func (h *hv) clear() {
	for _, uid := range []string{vm1, vm2} {
		h.check(h.Remove(h.ctx(), uid))
	}
	h.check(h.Close())
}

func (h *hv) check(err error) {
	h.Helper()
	if err != nil {
		h.Fatal(err)
	}
}

func (h *hv) spec(vmUID string, disks ...string) node.InstanceSpec {
	h.Helper()
	owner, err := h.Owner(vmUID)
	h.check(err)
	spec := node.InstanceSpec{Machine: fabric.Machine{UID: vmUID, Name: "web", CPUs: 1, MemoryMiB: 64, Firmware: fabric.BIOS}}
	for i, uid := range disks {
		d := h.host.Disk(h.T, uid, owner)
		d.MachineDisk = fabric.MachineDisk{UID: uid, OS: i == 0, LUN: max(0, i-1)}
		spec.Disks = append(spec.Disks, d)
		spec.Machine.Disks = append(spec.Machine.Disks, d.MachineDisk)
	}
	return spec
}

// run starts a machine and waits for its guest.
func (h *hv) run(vmUID string, disks ...string) node.Instance {
	h.Helper()
	h.check(h.Start(h.ctx(), h.spec(vmUID, disks...)))
	h.host.Started(h.T, vmUID)
	return h.mustFind(vmUID)
}

func (h *hv) mustFind(uid string) node.Instance {
	h.Helper()
	inst, ok, err := h.Find(h.ctx(), uid)
	h.check(err)
	if !ok {
		h.Fatalf("machine %s does not run", uid)
	}
	return inst
}

func (h *hv) mustNotRun(uid string) {
	h.Helper()
	_, ok, err := h.Find(h.ctx(), uid)
	h.check(err)
	if ok {
		h.Fatalf("machine %s runs", uid)
	}
}

// nextEvent waits for an event of that kind; one of another fails the test.
func (h *hv) nextEvent(uid, kind string) node.InstanceEvent {
	h.Helper()
	select {
	case e := <-h.Events():
		if e.UID != uid || e.Kind != kind || e.At.IsZero() {
			h.Fatalf("event = %+v, want %s of %s", e, kind, uid)
		}
		return e
	case <-time.After(patience):
		h.Fatalf("no event, want %s of %s", kind, uid)
		return node.InstanceEvent{}
	}
}

func (h *hv) noEvent() {
	h.Helper()
	select {
	case e := <-h.Events():
		h.Fatalf("event = %+v, want none", e)
	default:
	}
}

// shownAfterTold polls until the machine is shown not to run, and then expects
// its event to be there already.
func (h *hv) shownAfterTold(uid, kind string) {
	h.Helper()
	deadline := time.After(patience)
	for {
		_, ok, err := h.Find(h.ctx(), uid)
		h.check(err)
		if !ok {
			break
		}
		select {
		case <-deadline:
			h.Fatalf("machine %s runs on", uid)
		case <-time.After(5 * time.Millisecond):
		}
	}
	select {
	case e := <-h.Events():
		if e.Kind != kind {
			h.Fatalf("event = %+v, want %s", e, kind)
		}
	default:
		h.Fatalf("the machine is shown to be gone, and %s was not told", kind)
	}
}

func diff(t *testing.T, what string, want, got any) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Fatal(fmt.Sprintf("%s (-want +got):\n", what), d)
	}
}
