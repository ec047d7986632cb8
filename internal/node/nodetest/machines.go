package nodetest

import (
	"io"
	"slices"

	"lazuli/internal/fabric"
	"lazuli/internal/node"
)

func testStart(h *hv) {
	spec := h.spec(vm1, os1)
	h.check(h.Start(h.ctx(), spec))
	first := h.mustFind(vm1)
	if first.State != node.InstanceRunning || first.UID != vm1 || first.PID == 0 || first.StartedAt.IsZero() {
		h.Errorf("instance = %+v", first)
	}
	diff(h.T, "disks", []string{os1}, first.Disks)
	h.check(h.Start(h.ctx(), spec))
	if again := h.mustFind(vm1); again.PID != first.PID {
		h.Errorf("a second Start made process %d of %d", again.PID, first.PID)
	}
	h.noEvent()
}

func testStop(h *hv) {
	first := h.run(vm1, os1)
	for range 2 {
		h.check(h.Stop(h.ctx(), vm1))
		h.mustNotRun(vm1)
	}
	h.noEvent()
	if again := h.run(vm1, os1); again.PID == first.PID {
		h.Error("the machine has its old process after Stop and Start")
	}
}

func testUnknown(h *hv) {
	h.mustNotRun(vm1)
	h.check(h.Stop(h.ctx(), vm1))
	h.check(h.Remove(h.ctx(), vm1))
	if err := h.AttachDisk(h.ctx(), vm1, h.spec(vm1, os1, data1).Disks[1]); err == nil {
		h.Error("a disk was attached to a machine that does not run")
	}
	h.noEvent()
}

func testOwners(h *hv) {
	one, err := h.Owner(vm1)
	h.check(err)
	two, err := h.Owner(vm2)
	h.check(err)
	if one == two || one == 0 || two == 0 {
		h.Errorf("owners = %d, %d", one, two)
	}
	h.restart(func() {})
	again, err := h.Owner(vm1)
	h.check(err)
	if again != one {
		h.Errorf("owner = %d after a restart, was %d", again, one)
	}
}

func testOneWriter(h *hv) {
	h.run(vm1, os1)
	spec := h.spec(vm2, os2)
	spec.Disks[0].Path = h.host.Disk(h.T, os1, h.owner(vm1)).Path
	spec.Disks[0].UID = os1
	if err := h.Start(h.ctx(), spec); err == nil {
		h.Error("two machines run on one disk")
	}
	h.mustNotRun(vm2)
	h.mustFind(vm1)
	h.noEvent()
}

func (h *hv) owner(uid string) int {
	owner, err := h.Owner(uid)
	h.check(err)
	return owner
}

func testShutdown(h *hv) {
	h.run(vm1, os1)
	h.check(h.Shutdown(h.ctx(), vm1))
	h.nextEvent(vm1, node.EventShutdown)
}

func testPowerOff(h *hv) {
	h.run(vm1, os1)
	h.host.PowerOff(h.T, vm1)
	h.shownAfterTold(vm1, node.EventShutdown)
	h.noEvent()
	h.run(vm1, os1)
	h.noEvent()
}

func testKill(h *hv) {
	h.host.Kill(h.T, h.run(vm1, os1))
	h.shownAfterTold(vm1, node.EventExited)
	h.run(vm1, os1)
	h.noEvent()
}

func testReboot(h *hv) {
	first := h.run(vm1, os1)
	h.host.Reboot(h.T, vm1)
	h.nextEvent(vm1, node.EventReset)
	h.check(h.Reset(h.ctx(), vm1))
	h.nextEvent(vm1, node.EventReset)
	if again := h.mustFind(vm1); again.PID != first.PID || again.State != node.InstanceRunning {
		h.Errorf("instance = %+v, was %+v", again, first)
	}
}

func testDataDisks(h *hv) {
	h.run(vm1, os1)
	d := h.host.Disk(h.T, data1, h.owner(vm1))
	d.MachineDisk = fabric.MachineDisk{UID: data1, LUN: 7}
	for range 2 {
		h.check(h.AttachDisk(h.ctx(), vm1, d))
		diff(h.T, "disks", []string{os1, data1}, sorted(h.mustFind(vm1).Disks))
	}
	h.check(h.Grow(h.ctx(), vm1, data1, 64<<20))
	for range 2 {
		h.check(h.DetachDisk(h.ctx(), vm1, data1, patience))
		diff(h.T, "disks", []string{os1}, h.mustFind(vm1).Disks)
	}
	h.check(h.AttachDisk(h.ctx(), vm1, d))
	h.check(h.EjectMedium(h.ctx(), vm1))
	h.noEvent()
}

func sorted(s []string) []string { return slices.Sorted(slices.Values(s)) }

func testAttach(h *hv) {
	first := h.run(vm1, os1, data1)
	h.run(vm2, os2)
	insts := h.restart(func() {})
	if len(insts) != 2 {
		h.Fatalf("attached to %+v, want two machines", insts)
	}
	again := h.mustFind(vm1)
	diff(h.T, "process", first.PID, again.PID)
	diff(h.T, "disks", sorted(first.Disks), sorted(again.Disks))
	if !again.StartedAt.Equal(first.StartedAt) {
		h.Errorf("started at %v, was %v", again.StartedAt, first.StartedAt)
	}
	h.noEvent()
	h.check(h.Start(h.ctx(), h.spec(vm1, os1)))
	h.host.PowerOff(h.T, vm1)
	h.nextEvent(vm1, node.EventShutdown)
	h.host.Kill(h.T, h.mustFind(vm2))
	h.nextEvent(vm2, node.EventExited)
}

func testPowerOffAway(h *hv) {
	h.run(vm1, os1)
	h.restart(func() { h.host.PowerOff(h.T, vm1) })
	h.nextEvent(vm1, node.EventShutdown)
	h.mustNotRun(vm1)
	h.run(vm1, os1)
	h.noEvent()
}

func testKillAway(h *hv) {
	inst := h.run(vm1, os1)
	insts := h.restart(func() { h.host.Kill(h.T, inst) })
	if len(insts) != 0 {
		h.Errorf("attached to %+v", insts)
	}
	h.nextEvent(vm1, node.EventExited)
	h.mustNotRun(vm1)
	h.run(vm1, os1)
	h.noEvent()
}

func testStopAway(h *hv) {
	h.run(vm1, os1)
	h.check(h.Stop(h.ctx(), vm1))
	h.restart(func() {})
	h.mustNotRun(vm1)
	h.noEvent()
}

func testRemove(h *hv) {
	h.run(vm1, os1)
	for range 2 {
		h.check(h.Remove(h.ctx(), vm1))
		h.mustNotRun(vm1)
	}
	if insts := h.restart(func() {}); len(insts) != 0 {
		h.Errorf("attached to %+v", insts)
	}
	if log, err := h.SerialLog(vm1); err == nil {
		log.Close()
		h.Error("a removed machine has a boot log")
	}
	h.noEvent()
}

func testConsole(h *hv) {
	h.run(vm1, os1)
	log, err := h.SerialLog(vm1)
	h.check(err)
	defer log.Close()
	text, err := io.ReadAll(log)
	h.check(err)
	if len(text) == 0 {
		h.Error("boot log is empty")
	}
	c, err := h.Console(h.ctx(), vm1)
	h.check(err)
	wrote := make(chan error, 1)
	go func() {
		_, err := c.Write([]byte("p"))
		wrote <- err
	}()
	if n, err := c.Read(make([]byte, 64)); n == 0 || err != nil {
		h.Errorf("the guest answers with %d bytes, %v", n, err)
	}
	h.check(<-wrote)
	h.check(c.Close())
}
