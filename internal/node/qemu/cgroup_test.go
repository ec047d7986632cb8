package qemu

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"lazuli/internal/fabric"
)

func TestCgroupSettings(t *testing.T) {
	v1, v2 := settings(fabric.Machine{CPUs: 2, MemoryMiB: 2048})
	diff := cmp.Diff([]setting{
		{"cpu", "cpu.shares", "2048"}, {"memory", "memory.limit_in_bytes", "3489660928"}, {"pids", "pids.max", "258"},
	}, v1, cmp.AllowUnexported(setting{}))
	if diff != "" {
		t.Error(diff)
	}
	diff = cmp.Diff([]setting{
		{"", "cpu.weight", "200"}, {"", "memory.max", "3489660928"}, {"", "pids.max", "258"},
	}, v2, cmp.AllowUnexported(setting{}))
	if diff != "" {
		t.Error(diff)
	}
}

func TestCgroupOfAll(t *testing.T) {
	for processors, want := range map[int][2]string{1: {"1024", "100"}, 64: {"65536", "6400"}, 512: {"262144", "10000"}} {
		v1, v2 := together(processors)
		if got := [2]string{v1.value, v2.value}; got != want {
			t.Errorf("together(%d) = %v, want %v", processors, got, want)
		}
	}
}

// TestEnableAsksForEach writes to a file that keeps only the last that was
// asked for.
func TestEnableAsksForEach(t *testing.T) {
	dir := t.TempDir()
	if err := enable(dir, "cpu", "memory", "pids"); err != nil {
		t.Fatal(err)
	}
	if got := readFile(t, filepath.Join(dir, "cgroup.subtree_control")); got != "+pids" {
		t.Errorf("asked for %q at once", got)
	}
	if err := enable(filepath.Join(dir, "none"), "cpu"); err == nil {
		t.Error("a group that is not there has a controller")
	}
}

// TestGroupThatIsBusyForAMoment has a mount in the place of a process: both make
// a directory busy.
func TestGroupThatIsBusyForAMoment(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "group")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, ""); err != nil {
		t.Fatal(err)
	}
	left := make(chan error, 1)
	time.AfterFunc(20*time.Millisecond, func() { left <- unix.Unmount(dir, unix.MNT_DETACH) })
	if err := removeGroup(dir); err != nil {
		t.Error(err)
	}
	if err := <-left; err != nil {
		t.Error(err)
	}
	if err := removeGroup(dir); err != nil {
		t.Errorf("a group that is gone: %v", err)
	}
}

// TestCgroupsOfAMachine holds where the host lets control groups be made, and
// that a machine runs where it does not.
func TestCgroupsOfAMachine(t *testing.T) {
	r := newRig(t)
	inst := r.run(r.spec())
	groups := procFile(t, inst.PID, "cgroup")
	made, err := filepath.Glob(filepath.Join(cgroupRoot, "*", r.config.Cgroup, vmUID))
	r.check(err)
	if len(made) > 0 && !strings.Contains(groups, "/"+r.config.Cgroup+"/"+vmUID) {
		t.Errorf("process is in\n%s, want it in %v", groups, made)
	}
	r.check(r.d.Stop(t.Context(), vmUID))
	for _, dir := range made {
		if _, err := os.Stat(dir); !os.IsNotExist(err) {
			t.Errorf("%s is left: %v", dir, err)
		}
	}
}
