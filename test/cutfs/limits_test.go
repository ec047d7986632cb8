package cutfs

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestSetFree(t *testing.T) {
	const mib = 1 << 20
	d := newDisk(t, Strict)
	dir := d.on()
	if err := d.fs.SetFree(2 * mib); err != nil {
		t.Fatal(err)
	}
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil || int64(st.Bavail)*st.Bsize != 2*mib {
		t.Errorf("statfs: %d free, %v", int64(st.Bavail)*st.Bsize, err)
	}
	a, b := filepath.Join(dir, "a"), filepath.Join(dir, "b")
	for _, s := range []struct {
		name string
		do   func() error
		want error
	}{
		{"what fits", func() error { return os.WriteFile(a, make([]byte, mib), 0o600) }, nil},
		{"the same again", func() error { return putAt("a", string(make([]byte, mib)), 0)(dir) }, nil},
		{"more than there is", func() error { return os.WriteFile(b, make([]byte, 2*mib), 0o600) }, syscall.ENOSPC},
		{"a hole takes nothing", func() error { return os.Truncate(a, 100*mib) }, nil},
		{"removal gives it back", func() error { return errors.Join(os.Remove(a), os.Remove(b), syncPath(".")(dir)) }, nil},
		{"so that more fits", func() error { return os.WriteFile(b, make([]byte, 2*mib), 0o600) }, nil},
		{"truncation gives it back", func() error { return os.Truncate(b, 0) }, nil},
		{"so that more fits again", func() error { return os.WriteFile(a, make([]byte, 2*mib), 0o600) }, nil},
		{"without a limit", func() error { return errors.Join(d.fs.SetFree(-1), os.WriteFile(b, make([]byte, 4*mib), 0o600)) }, nil},
	} {
		if err := s.do(); !errors.Is(err, s.want) {
			t.Errorf("%s: %v, want %v", s.name, err, s.want)
		}
	}
}

func TestAfterACutEverythingFails(t *testing.T) {
	d := newDisk(t, Strict)
	dir := d.on()
	f, err := os.Create(filepath.Join(dir, "a"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := d.fs.Cut(1, 0); err != nil {
		t.Fatal(err)
	}
	for name, do := range map[string]func() error{
		"write":  func() error { _, err := f.Write([]byte("x")); return err },
		"fsync":  f.Sync,
		"create": func() error { _, err := os.Create(filepath.Join(dir, "b")); return err },
		"mkdir":  func() error { return os.Mkdir(filepath.Join(dir, "d"), 0o755) },
		"remove": func() error { return syscall.Unlink(filepath.Join(dir, "a")) },
		"rename": func() error { return os.Rename(filepath.Join(dir, "a"), filepath.Join(dir, "c")) },
	} {
		if err := do(); !errors.Is(err, syscall.EIO) {
			t.Errorf("%s: %v, want %v", name, err, syscall.EIO)
		}
	}
	if _, err := d.fs.Cut(1, 0); err == nil {
		t.Error("the power was cut twice")
	}
}

func TestMountRefusesWhatIsMounted(t *testing.T) {
	d := newDisk(t, Strict)
	d.on()
	if _, err := Mount(d.backing, t.TempDir(), Options{}); err == nil || !strings.Contains(err.Error(), "not closed") {
		t.Errorf("err = %v", err)
	}
	if _, err := Mount(filepath.Join(d.backing, "nothing"), t.TempDir(), Options{}); err == nil {
		t.Error("a directory that does not exist was mounted")
	}
}

func TestClosedIsClosed(t *testing.T) {
	d := newDisk(t, Strict)
	d.on()
	d.off()
	if err := d.fs.Close(); err != nil {
		t.Errorf("closed twice: %v", err)
	}
	if _, err := d.fs.Cut(1, 0); !errors.Is(err, os.ErrClosed) {
		t.Errorf("cut after close: %v, want %v", err, os.ErrClosed)
	}
}

// TestACallerThatDiesLeavesOrder kills the process that has mounted.
func TestACallerThatDiesLeavesOrder(t *testing.T) {
	d := newDisk(t, Strict)
	stop := apart(t, "mount", d.backing+" "+d.target)
	steps{put("a", "1", 0)}.run(t, d.target)
	stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for range 1000 {
		if _, err := os.Stat(filepath.Join(d.backing, pool)); errors.Is(err, os.ErrNotExist) {
			break
		}
		<-tick.C
	}
	if got := tree(t, d.backing); got != "a=1" {
		t.Errorf("left %q", got)
	}
}

// TestTooMuchUnsyncedBecomesDurable: what is kept to be lost is bounded.
func TestTooMuchUnsyncedBecomesDurable(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "a"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	c := &content{file: f}
	for i := range int64(100) {
		if err := c.do(change{kind: write, off: i << 20, length: 1 << 20, data: make([]byte, 1<<20)}); err != nil {
			t.Fatal(err)
		}
	}
	if c.unsynced > maxUnsynced || len(c.log) < 32 {
		t.Errorf("%d bytes in %d changes are remembered", c.unsynced, len(c.log))
	}
}
