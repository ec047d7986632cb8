package qmp

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// startQEMU runs a QEMU without a guest, whose monitor is already listening.
func startQEMU(t *testing.T) net.Conn {
	path := filepath.Join(t.TempDir(), "qmp.sock")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	l.SetUnlinkOnClose(false)
	fd, err := l.File()
	if err != nil {
		t.Fatal(err)
	}
	defer fd.Close()
	cmd := exec.CommandContext(t.Context(), "qemu-system-x86_64", "-S", "-M", "none", "-nodefaults", "-no-user-config",
		"-display", "none", "-chardev", "socket,id=qmp,fd=3,server=on,wait=off", "-mon", "chardev=qmp,mode=control")
	cmd.ExtraFiles = []*os.File{fd}
	cmd.Stderr = t.Output()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Wait() }) // the test's context is over by then
	conn, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

func TestRealQEMU(t *testing.T) {
	c, err := New(t.Context(), startQEMU(t))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var status struct{ Status string }
	if err := c.Do(t.Context(), "query-status", nil, &status); err != nil {
		t.Fatal(err)
	}
	if status.Status != "prelaunch" {
		t.Errorf("status = %q", status.Status)
	}
	if err := c.Do(t.Context(), "no-such-command", nil, nil); err == nil {
		t.Error("an unknown command succeeded")
	}
	if err := c.Do(t.Context(), "cont", nil, nil); err != nil {
		t.Fatal(err)
	}
	evs := c.Events()
	if len(evs) != 1 || evs[0].Name != "RESUME" || evs[0].At.IsZero() {
		t.Errorf("events = %+v, want RESUME before the answer", evs)
	}
	if err := c.Do(t.Context(), "quit", nil, nil); err != nil {
		t.Fatal(err)
	}
	<-c.Done()
}
