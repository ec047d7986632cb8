package qemu

import (
	"fmt"
	"os"
	"testing"

	"lazuli/internal/fabric"
	"lazuli/internal/node"
)

// ten machines, for what is done to all of a host's at once.
func tenSpecs(r *rig) []node.InstanceSpec {
	var specs []node.InstanceSpec
	for i := range 10 {
		uid := fmt.Sprintf("44444444-0000-4000-8000-%012d", i)
		owner, err := r.d.Owner(uid)
		r.check(err)
		d := r.disk(r.T, fmt.Sprintf("55555555-0000-4000-8000-%012d", i), owner)
		d.OS = true
		specs = append(specs, node.InstanceSpec{
			Machine: fabric.Machine{UID: uid, CPUs: 1, MemoryMiB: 32, Firmware: fabric.BIOS},
			Disks:   []node.InstanceDisk{d},
		})
	}
	return specs
}

func TestAttachMany(t *testing.T) {
	r := newRig(t)
	specs := tenSpecs(r)
	pids := map[string]int{}
	for _, s := range specs {
		r.check(r.d.Start(t.Context(), s))
		t.Cleanup(func() { r.check(r.d.Remove(background(t), s.Machine.UID)) })
		inst, _, err := r.d.Find(t.Context(), s.Machine.UID)
		r.check(err)
		pids[inst.UID] = inst.PID
	}
	insts := r.restart(func() {})
	if len(insts) != len(specs) {
		t.Fatalf("attached to %d machines, want %d", len(insts), len(specs))
	}
	for _, inst := range insts {
		if pids[inst.UID] != inst.PID || len(inst.Disks) != 1 {
			t.Errorf("instance = %+v, want process %d", inst, pids[inst.UID])
		}
	}
}

func TestOneAgent(t *testing.T) {
	r := newRig(t)
	if second, err := New(t.Context(), r.config); err == nil {
		second.Close()
		t.Error("two agents have one directory")
	}
}

func TestAttachSweepsBrokenDirectories(t *testing.T) {
	r := newRig(t)
	path := string(r.dir(vmUID))
	r.restart(func() {
		r.check(os.MkdirAll(path, 0o700))
		r.check(os.WriteFile(r.dir(vmUID).file(serialLog), []byte("old"), 0o600))
	})
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("a directory without a handle is still there: %v", err)
	}
}

func TestBrokenHandle(t *testing.T) {
	r := newRig(t)
	_, err := r.d.Owner(vmUID)
	r.check(err)
	path := r.dir(vmUID).file(handleFile)
	r.restart(func() { r.check(os.WriteFile(path, []byte("{"), 0o600)) })
	if _, _, err := r.d.Find(t.Context(), vmUID); err == nil {
		t.Error("a machine is shown not to run that nothing is known of")
	}
	if _, err := r.d.Owner(vmUID); err == nil {
		t.Error("a handle that cannot be read was overwritten")
	}
	r.restart(func() { r.check(os.Remove(path)) })
}

// TestBrokenHandleIsMended is a trouble that passes while the agent runs.
func TestBrokenHandleIsMended(t *testing.T) {
	r := newRig(t)
	pid := r.run(r.spec()).PID
	path := r.dir(vmUID).file(handleFile)
	good, err := os.ReadFile(path)
	r.check(err)
	r.restart(func() { r.check(os.WriteFile(path, []byte("{"), 0o600)) })
	if _, _, err := r.d.Find(t.Context(), vmUID); err == nil {
		t.Error("a machine is shown of which nothing is known")
	}
	r.check(os.WriteFile(path, good, 0o600))
	if inst := r.find(); inst.PID != pid || inst.State != node.InstanceRunning {
		t.Errorf("instance = %+v, want process %d", inst, pid)
	}
	r.tell(t, vmUID, "o", "OFF\n")
	r.event(node.EventShutdown)
}
