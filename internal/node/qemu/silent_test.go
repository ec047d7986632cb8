package qemu

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"lazuli/internal/node"
)

// freeze stops a process as a disk that hangs does, until the test ends or thaw
// is called.
func (r *rig) freeze(pid int) (thaw func()) {
	r.Helper()
	r.check(unix.Kill(pid, unix.SIGSTOP))
	thaw = func() { unix.Kill(pid, unix.SIGCONT) }
	r.Cleanup(thaw)
	return thaw
}

func TestSilentProcessIsShownAndCanBeStopped(t *testing.T) {
	r := newRig(t)
	pid := r.run(r.spec()).PID
	thaw := r.freeze(pid)
	if inst := r.find(); inst.State != node.InstanceSilent || inst.PID != pid {
		t.Errorf("instance = %+v, want process %d, which is silent", inst, pid)
	}
	thaw()
	r.check(r.d.command(t.Context(), vmUID, "query-status"))
	if inst := r.find(); inst.State != node.InstanceRunning {
		t.Errorf("after it answers again: %+v", inst)
	}
	r.freeze(pid)
	r.check(r.d.Stop(t.Context(), vmUID))
	if _, ok, err := r.d.Find(t.Context(), vmUID); ok || err != nil {
		t.Errorf("after Stop: Find = %v, %v", ok, err)
	}
	if len(r.d.Events()) != 0 {
		t.Errorf("event = %+v", <-r.d.Events())
	}
}

// TestWhatASilentProcessHasDone is an agent that comes back while a process
// does not answer, and hears of it only later.
func TestWhatASilentProcessHasDone(t *testing.T) {
	r := newRig(t)
	pid := r.run(r.spec()).PID
	var thaw func()
	insts := r.restart(func() {
		r.tell(t, vmUID, "o", "OFF\n")
		r.awaitShutdown(pid)
		thaw = r.freeze(pid)
	})
	if len(insts) != 1 || insts[0].State != node.InstanceSilent {
		t.Errorf("attached to %+v, want a silent machine", insts)
	}
	thaw()
	r.event(node.EventShutdown)
	r.check(r.d.Stop(t.Context(), vmUID))

	// One whose guest never ran is of no use.
	pid = r.orphan(true)
	r.restart(func() { thaw = r.freeze(pid) })
	m, err := r.d.machine(vmUID)
	r.check(err)
	p := m.process()
	thaw()
	<-p.over
	if len(r.d.Events()) != 0 {
		t.Errorf("event = %+v", <-r.d.Events())
	}
}

// awaitShutdown waits, past any driver, until QEMU has seen its guest power
// off.
func (r *rig) awaitShutdown(pid int) {
	r.Helper()
	id, err := identify(pid)
	r.check(err)
	pidfd, err := openPID(pid)
	r.check(err)
	defer pidfd.Close()
	p := newProcess(id, pidfd)
	m := &machine{uid: vmUID, dir: r.dir(vmUID)}
	for {
		state, err := m.reach(r.Context(), p)
		r.check(err)
		p.monitor().Close()
		if state == statusShutdown {
			return
		}
	}
}

func TestAttachedGuestTellsOfIOErrors(t *testing.T) {
	r := newRig(t)
	spec := r.spec()
	r.fullDisk(&spec)
	r.run(spec)
	r.restart(func() {})
	conn := r.dial(t, vmUID)
	defer conn.Close()
	_, err := conn.Write([]byte("w"))
	r.check(err)
	if e := r.event(node.EventIOError); e.Detail != "nospace" {
		t.Errorf("detail = %q", e.Detail)
	}
}

func TestCloseEndsConsoles(t *testing.T) {
	r := newRig(t)
	r.run(r.spec())
	c, err := r.d.Console(t.Context(), vmUID)
	r.check(err)
	defer c.Close()
	r.restart(func() {})
	if n, err := c.Read(make([]byte, 1)); n != 0 || err == nil {
		t.Errorf("a console of a driver that is closed reads %d, %v", n, err)
	}
}

// TestPowerOffOnAFullDisk is a guest that powers off while that cannot be
// written down: its process stays, and tells the next agent too.
func TestPowerOffOnAFullDisk(t *testing.T) {
	r := newRig(t)
	pid := r.run(r.spec()).PID
	obstacle := r.dir(vmUID).file(handleFile + ".new")
	r.check(os.Mkdir(obstacle, 0o700))
	r.tell(t, vmUID, "o", "OFF\n")
	r.event(node.EventShutdown)
	if _, ok, err := r.d.Find(t.Context(), vmUID); ok || err != nil {
		t.Errorf("Find = %v, %v, want none", ok, err)
	}
	if !alive(pid) {
		t.Fatal("the process ended before anything was written down")
	}
	r.restart(func() {})
	r.event(node.EventShutdown)
	if !alive(pid) {
		t.Fatal("the process ended before anything was written down")
	}
	m, err := r.d.machine(vmUID)
	r.check(err)
	p := m.process()
	r.check(os.Remove(obstacle))
	<-p.over
	r.restart(func() {})
	r.event(node.EventShutdown)
	r.run(r.spec())
}
