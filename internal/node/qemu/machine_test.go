package qemu

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"lazuli/internal/fabric"
	"lazuli/internal/node"
)

// rig is a driver on a host of its own, with at most one machine.
type rig struct {
	*testing.T
	*testHost
	d *Driver
}

func newRig(t *testing.T) *rig {
	t.Helper()
	return openRig(t, newTestHost(t))
}

func openRig(t *testing.T, h *testHost) *rig {
	t.Helper()
	r := &rig{T: t, testHost: h, d: h.driver(t)}
	r.attach()
	t.Cleanup(func() {
		r.check(r.d.Remove(background(t), vmUID))
		r.check(r.d.Close())
	})
	return r
}

func (r *rig) check(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}

func (r *rig) attach() []node.Instance {
	r.Helper()
	insts, err := r.d.Attach(r.Context())
	r.check(err)
	return insts
}

// restart is an agent's end and the next one's beginning.
func (r *rig) restart(meanwhile func()) []node.Instance {
	r.Helper()
	r.check(r.d.Close())
	meanwhile()
	r.d = r.driver(r.T)
	return r.attach()
}

func (r *rig) spec() node.InstanceSpec {
	r.Helper()
	owner, err := r.d.Owner(vmUID)
	r.check(err)
	d := r.disk(r.T, osUID, owner)
	d.OS = true
	return node.InstanceSpec{
		Machine: fabric.Machine{UID: vmUID, CPUs: 1, MemoryMiB: 64, Firmware: fabric.BIOS},
		Disks:   []node.InstanceDisk{d},
	}
}

func (r *rig) run(spec node.InstanceSpec) node.Instance {
	r.Helper()
	r.check(r.d.Start(r.Context(), spec))
	r.started(r.T, vmUID)
	return r.find()
}

func (r *rig) find() node.Instance {
	r.Helper()
	inst, ok, err := r.d.Find(r.Context(), vmUID)
	r.check(err)
	if !ok {
		r.Fatal("machine does not run")
	}
	return inst
}

func (r *rig) event(kind string) node.InstanceEvent {
	r.Helper()
	select {
	case e := <-r.d.Events():
		if e.Kind != kind {
			r.Fatalf("event = %+v, want %s", e, kind)
		}
		return e
	case <-time.After(2 * time.Minute):
		r.Fatalf("no event, want %s", kind)
		return node.InstanceEvent{}
	}
}

func TestProcessIsConfined(t *testing.T) {
	r := newRig(t)
	inst := r.run(r.spec())
	owner, err := r.d.Owner(vmUID)
	r.check(err)
	status := procFile(t, inst.PID, "status")
	for _, want := range []string{
		fmt.Sprintf("Uid:\t%d\t%d\t%d\t%d\n", owner, owner, owner, owner),
		fmt.Sprintf("Gid:\t%d\t%d\t%d\t%d\n", owner, owner, owner, owner),
		"Groups:\t \n", "CapPrm:\t0000000000000000\n", "CapEff:\t0000000000000000\n", "CapInh:\t0000000000000000\n",
		"NoNewPrivs:\t1\n", "Seccomp:\t2\n",
	} {
		if !strings.Contains(status, want) {
			t.Errorf("status lacks %q:\n%s", want, status)
		}
	}
	limits := procFile(t, inst.PID, "limits")
	for name, want := range map[string]string{"Max core file size": "0", "Max open files": "4096", "Max processes": "257"} {
		_, after, _ := strings.Cut(limits, name)
		if f := strings.Fields(after); len(f) < 2 || f[0] != want || f[1] != want {
			t.Errorf("%s is not %s:\n%s", name, want, limits)
		}
	}
	if session := strings.Fields(procFile(t, inst.PID, "stat"))[5]; session != fmt.Sprint(inst.PID) {
		t.Errorf("session = %s, want its own", session)
	}
	r.noSecrets(inst.PID)
}

func procFile(t *testing.T, pid int, name string) string {
	t.Helper()
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// noSecrets checks that the process has nothing of the machine's directory but
// what it was given open, and that nobody else can look into it.
func (r *rig) noSecrets(pid int) {
	st, err := os.Stat(string(r.dir(vmUID)))
	r.check(err)
	if st.Mode().Perm() != 0o700 {
		r.Errorf("directory has mode %v", st.Mode())
	}
	if cwd, err := os.Readlink(fmt.Sprintf("/proc/%d/cwd", pid)); err != nil || cwd != "/" {
		r.Errorf("process is in %s, %v", cwd, err)
	}
}

func TestStartSaysWhatQEMUSaid(t *testing.T) {
	tests := map[string]struct {
		change func(*node.InstanceSpec)
		want   string
	}{
		"no disk":     {func(s *node.InstanceSpec) { s.Disks[0].Path = "/nonexistent" }, "/nonexistent"},
		"not a qcow2": {func(s *node.InstanceSpec) { s.Disks[0].Format = "qcow2" }, "not in qcow2 format"},
		"not its own": {func(s *node.InstanceSpec) { os.Chown(s.Disks[0].Path, 0, 0) }, "Permission denied"},
		"no medium":   {func(s *node.InstanceSpec) { s.Medium = "/nonexistent.iso" }, "/nonexistent.iso"},
		"missing tap": {func(s *node.InstanceSpec) { s.Machine.NICs = make([]fabric.MachineNIC, 1) }, "0 taps"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			spec := r.spec()
			tt.change(&spec)
			err := r.d.Start(t.Context(), spec)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("err = %v, want one with %q", err, tt.want)
			}
			if _, ok, err := r.d.Find(t.Context(), vmUID); ok || err != nil {
				t.Errorf("Find = %v, %v", ok, err)
			}
			if len(r.restart(func() {})) != 0 || len(r.d.Events()) != 0 {
				t.Error("something is left of a start that failed")
			}
		})
	}
}

// TestOrphan is an agent that ends after it started a process and before it
// wrote that down, or before it let the guest run.
func TestOrphan(t *testing.T) {
	tests := map[string]bool{"not written down": false, "written down": true}
	for name, written := range tests {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			pid := r.orphan(written)
			if insts := r.restart(func() {}); len(insts) != 0 {
				t.Errorf("attached to %+v", insts)
			}
			if alive(pid) {
				t.Errorf("process %d, whose guest never ran, is alive", pid)
			}
			if len(r.d.Events()) != 0 {
				t.Errorf("event = %+v", <-r.d.Events())
			}
			r.run(r.spec())
		})
	}
}

// orphan does the first part of Start.
func (r *rig) orphan(written bool) int {
	r.Helper()
	spec := r.spec()
	m, err := r.d.machine(vmUID)
	r.check(err)
	var f files
	defer f.close()
	l, err := r.d.prepare(m, spec, &f)
	r.check(err)
	args, err := argv(l)
	r.check(err)
	owner, err := r.d.Owner(vmUID)
	r.check(err)
	p, err := r.d.spawn(owner, spec.Machine, args, &f)
	r.check(err)
	p.pidfd.Close()
	if written {
		r.check(m.dir.save(handle{UID: vmUID, Owner: owner, Process: &p.id}))
	}
	return p.id.PID
}

func alive(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && !strings.Contains(string(stat), ") Z ")
}

func TestOrphanInTheWayOfStart(t *testing.T) {
	r := newRig(t)
	pid := r.orphan(false)
	inst := r.run(r.spec())
	if inst.PID == pid || alive(pid) {
		t.Errorf("process %d of a broken start is alive beside %d", pid, inst.PID)
	}
}

// TestHandleOfAnotherProcess is a number that the kernel used again.
func TestHandleOfAnotherProcess(t *testing.T) {
	tests := map[string]func(*identity){
		"started at another time": func(id *identity) { id.StartTicks++ },
		"before the host's boot":  func(id *identity) { id.BootID = "another" },
		"no such process":         func(id *identity) { id.PID = 1 << 22 },
	}
	for name, change := range tests {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			owner, err := r.d.Owner(vmUID)
			r.check(err)
			r.restart(func() {
				id, err := identify(os.Getpid())
				r.check(err)
				change(&id)
				r.check(r.dir(vmUID).save(handle{UID: vmUID, Owner: owner, Process: &id}))
			})
			e := r.event(node.EventExited)
			if name == "before the host's boot" && e.Detail != "the host was restarted" {
				t.Errorf("detail = %q", e.Detail)
			}
		})
	}
}

func TestEndingIsToldUntilStart(t *testing.T) {
	r := newRig(t)
	r.run(r.spec())
	r.tell(t, vmUID, "o", "OFF\n")
	first := r.event(node.EventShutdown)
	for range 2 {
		r.restart(func() {})
		if again := r.event(node.EventShutdown); !again.At.Equal(first.At) {
			t.Errorf("told again with %v, was %v", again.At, first.At)
		}
	}
	r.run(r.spec())
	r.check(r.d.Stop(t.Context(), vmUID))
	r.restart(func() {})
	if len(r.d.Events()) != 0 {
		t.Errorf("event = %+v after Start and Stop", <-r.d.Events())
	}
}

func TestExitDetail(t *testing.T) {
	r := newRig(t)
	kill(t, r.run(r.spec()))
	if e := r.event(node.EventExited); e.Detail != "signal: killed" {
		t.Errorf("detail = %q", e.Detail)
	}
}

func TestOSDiskStays(t *testing.T) {
	r := newRig(t)
	spec := r.spec()
	r.run(spec)
	if err := r.d.DetachDisk(t.Context(), vmUID, osUID, time.Second); err == nil {
		t.Error("the os disk was detached")
	}
	if err := r.d.AttachDisk(t.Context(), vmUID, spec.Disks[0]); err == nil {
		t.Error("a second os disk was attached")
	}
}

// TestBrokenAttach leaves a block node without a device, as an agent does that
// ends between the two.
func TestBrokenAttach(t *testing.T) {
	r := newRig(t)
	r.run(r.spec())
	owner, err := r.d.Owner(vmUID)
	r.check(err)
	disk := r.disk(t, dataUID, owner)
	disk.LUN = 3
	p, err := r.d.running(vmUID)
	r.check(err)
	r.check(p.do(t.Context(), "blockdev-add", blockdev(disk, r.d.storage()), nil))
	r.check(r.d.AttachDisk(t.Context(), vmUID, disk))
	if !slices.Contains(r.find().Disks, dataUID) {
		t.Error("disk is not attached")
	}
	missing := disk
	missing.UID, missing.LUN, missing.Path = imgUID, 4, "/nonexistent"
	if err := r.d.AttachDisk(t.Context(), vmUID, missing); err == nil {
		t.Error("a missing disk was attached")
	}
	taken := r.disk(t, imgUID, owner)
	taken.LUN = 3
	if err := r.d.AttachDisk(t.Context(), vmUID, taken); err == nil {
		t.Error("a disk was attached to a lun that is taken")
	}
	if !slices.Contains(r.find().Disks, dataUID) {
		t.Error("the disk on the lun is gone")
	}
}

func TestGrowReachesFile(t *testing.T) {
	r := newRig(t)
	spec := r.spec()
	r.run(spec)
	for _, size := range []int64{64 << 20, 48 << 20} {
		r.check(r.d.Grow(t.Context(), vmUID, osUID, size))
		if st, err := os.Stat(spec.Disks[0].Path); err != nil || st.Size() != 64<<20 {
			t.Errorf("after Grow to %d the file has %d bytes, %v", size, st.Size(), err)
		}
	}
}

func TestMediumIsReadableByNobodyElse(t *testing.T) {
	r := newRig(t)
	spec := r.spec()
	spec.Medium = filepath.Join(r.disks, "medium.iso")
	r.check(os.WriteFile(spec.Medium, make([]byte, 1<<16), 0o600))
	r.run(spec)
	for range 2 {
		r.check(r.d.EjectMedium(t.Context(), vmUID))
	}
	p, err := r.d.running(vmUID)
	r.check(err)
	drives, err := p.drives(t.Context())
	r.check(err)
	i := slices.IndexFunc(drives, func(d drive) bool { return d.QDev == mediumID })
	if i < 0 || drives[i].Inserted != nil {
		t.Errorf("drives = %+v, want an empty one", drives)
	}
	r.check(r.d.Reset(t.Context(), vmUID))
	r.waitLog(t, vmUID, "READY\n", 2)
}

func TestUEFIKeepsItsVariables(t *testing.T) {
	r := newRig(t)
	spec := r.spec()
	spec.Machine.Firmware = fabric.UEFI
	spec.Machine.MemoryMiB = 128
	r.check(r.d.Start(t.Context(), spec))
	r.waitLog(t, vmUID, "BdsDxe: ", 1) // the firmware looks for something to boot
	r.check(r.d.Stop(t.Context(), vmUID))
	vars := r.dir(vmUID).file(varsFile(spec.Machine.OSDisk()))
	r.check(os.WriteFile(vars, make([]byte, 540672), 0o600))
	r.check(r.d.Start(t.Context(), spec))
	r.check(r.d.Stop(t.Context(), vmUID))
	if data, err := os.ReadFile(vars); err != nil || len(data) != 540672 {
		t.Errorf("variables: %d bytes, %v", len(data), err)
	}
}
