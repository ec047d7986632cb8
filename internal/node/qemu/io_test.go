package qemu

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"lazuli/internal/node"
)

// fullDisk makes a file system of 16 MiB and fills it but for a sparse disk of
// the guest's. empty makes room.
func (r *rig) fullDisk(spec *node.InstanceSpec) (empty func()) {
	r.Helper()
	image, mountpoint := filepath.Join(r.disks, "fs.img"), filepath.Join(r.disks, "fs")
	r.check(os.WriteFile(image, nil, 0o600))
	r.check(os.Truncate(image, 16<<20))
	r.check(os.Mkdir(mountpoint, 0o755))
	r.command("mkfs.ext4", "-q", "-O", "^has_journal", image)
	r.command("mount", "-o", "loop", image, mountpoint)
	r.Cleanup(func() { r.command("umount", "-l", mountpoint) })

	old := spec.Disks[0].Path
	spec.Disks[0].Path = filepath.Join(mountpoint, "disk.raw")
	r.command("cp", "--sparse=always", "--preserve=ownership", old, spec.Disks[0].Path)
	ballast := filepath.Join(mountpoint, "ballast")
	f, err := os.Create(ballast)
	r.check(err)
	defer f.Close()
	chunk := make([]byte, 4096)
	for err == nil {
		_, err = f.Write(chunk)
	}
	r.check(f.Sync())
	return func() { r.check(os.Remove(ballast)); unix.Sync() }
}

func (r *rig) command(name string, args ...string) {
	r.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		r.Fatalf("%s %v: %v: %s", name, args, err, out)
	}
}

func TestFullHostPausesGuest(t *testing.T) {
	r := newRig(t)
	spec := r.spec()
	empty := r.fullDisk(&spec)
	r.run(spec)
	conn := r.dial(t, vmUID)
	_, err := conn.Write([]byte("w"))
	r.check(err)
	r.check(conn.Close())
	if e := r.event(node.EventIOError); e.Detail != "nospace" {
		t.Errorf("detail = %q", e.Detail)
	}
	r.mustBePaused()

	r.check(r.d.Resume(t.Context(), vmUID)) // for nothing
	r.event(node.EventIOError)
	r.mustBePaused()

	// A new agent finds it so.
	insts := r.restart(func() {})
	if len(insts) != 1 || insts[0].IOStatus != "nospace" {
		t.Errorf("attached to %+v", insts)
	}
	empty()
	r.check(r.d.Resume(t.Context(), vmUID))
	r.waitLog(t, vmUID, "W+\n", 1)
	if inst := r.find(); inst.State != node.InstanceRunning || inst.IOStatus != "" {
		t.Errorf("instance = %+v", inst)
	}
	if len(r.d.Events()) != 0 {
		t.Errorf("event = %+v", <-r.d.Events())
	}
}

func TestDiskOfAPausedGuestIsDetached(t *testing.T) {
	r := newRig(t)
	spec := r.spec()
	empty := r.fullDisk(&spec)
	r.run(spec)
	owner, err := r.d.Owner(vmUID)
	r.check(err)
	data := r.disk(t, dataUID, owner)
	conn := r.dial(t, vmUID)
	_, err = conn.Write([]byte("w"))
	r.check(err)
	r.check(conn.Close())
	r.event(node.EventIOError)
	r.check(r.d.AttachDisk(t.Context(), vmUID, data))
	r.check(r.d.DetachDisk(t.Context(), vmUID, dataUID, time.Minute))
	if disks := r.find().Disks; slices.Contains(disks, dataUID) {
		t.Errorf("disks = %v", disks)
	}
	empty()
	r.check(r.d.Resume(t.Context(), vmUID))
	r.waitLog(t, vmUID, "W+\n", 1)
}

func (r *rig) mustBePaused() {
	r.Helper()
	if inst := r.find(); inst.State != node.InstancePaused || inst.IOStatus != "nospace" {
		r.Fatalf("instance = %+v", inst)
	}
}

func TestResetOfAPausedGuest(t *testing.T) {
	r := newRig(t)
	spec := r.spec()
	r.fullDisk(&spec)
	r.run(spec)
	conn := r.dial(t, vmUID)
	_, err := conn.Write([]byte("w"))
	r.check(err)
	r.check(conn.Close())
	r.event(node.EventIOError)
	r.check(r.d.Reset(t.Context(), vmUID))
	r.waitLog(t, vmUID, "READY\n", 2)
}

func TestConsolesShare(t *testing.T) {
	r := newRig(t)
	r.run(r.spec())
	one, err := r.d.Console(t.Context(), vmUID)
	r.check(err)
	two, err := r.d.Console(t.Context(), vmUID)
	r.check(err)
	_, err = one.Write([]byte("p"))
	r.check(err)
	expect(t, one, "PONG\n")
	expect(t, two, "PONG\n")
	r.check(one.Close())
	if n, err := one.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		t.Errorf("a closed console reads %d, %v", n, err)
	}
	_, err = two.Write([]byte("p"))
	r.check(err)
	expect(t, two, "PONG\n")
	r.check(two.Close())

	// The port is free again, and the end of the machine ends who has it open.
	three, err := r.d.Console(t.Context(), vmUID)
	r.check(err)
	r.check(r.d.Stop(t.Context(), vmUID))
	if _, err := io.ReadAll(three); err != nil {
		t.Error(err)
	}
	r.check(three.Close())
	if _, err := r.d.Console(t.Context(), vmUID); err == nil {
		t.Error("a stopped machine has a console")
	}
}

func TestSlowConsoleLosesAndGuestGoesOn(t *testing.T) {
	r := newRig(t)
	r.run(r.spec())
	slow, err := r.d.Console(t.Context(), vmUID)
	r.check(err)
	defer slow.Close()
	fast, err := r.d.Console(t.Context(), vmUID)
	r.check(err)
	defer fast.Close()
	m, err := r.d.machine(vmUID)
	r.check(err)
	for range 2 * backlog { // as if the guest had written that much
		m.console.spread([]byte("x"))
		expect(t, fast, "x")
	}
	_, err = fast.Write([]byte("p"))
	r.check(err)
	expect(t, fast, "PONG\n")
}

func TestBootLogIsBounded(t *testing.T) {
	const keep = 64 << 10
	h := newTestHost(t)
	h.config.SerialLogBytes = keep
	r := openRig(t, h)
	r.run(r.spec())
	path := r.dir(vmUID).file(serialLog)
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	r.check(err)
	_, err = f.Write(make([]byte, 10*keep))
	r.check(err)
	r.check(f.Close())
	r.command("sync", path)

	m, err := r.d.machine(vmUID)
	r.check(err)
	r.d.trim(m)
	var st unix.Stat_t
	r.check(unix.Stat(path, &st))
	if used := st.Blocks * 512; used > 2*keep {
		t.Errorf("log takes %d bytes of the disk", used)
	}
	r.tell(t, vmUID, "p", "PONG\n") // QEMU appends where it was
	r.waitLog(t, vmUID, "PONG\n", 1)
	log, err := r.d.SerialLog(vmUID)
	r.check(err)
	defer log.Close()
	text, err := io.ReadAll(log)
	r.check(err)
	if len(text) != keep || string(text[keep-5:]) != "PONG\n" {
		t.Errorf("log has %d bytes and ends in %q", len(text), text[max(0, len(text)-5):])
	}

	r.check(r.d.Stop(t.Context(), vmUID))
	r.check(r.d.Start(t.Context(), r.spec()))
	r.waitLog(t, vmUID, "READY\n", 1)
	if st, err := os.Stat(path); err != nil || st.Size() > 2*keep {
		t.Errorf("after a restart the log has %d bytes, %v", st.Size(), err)
	}
}
