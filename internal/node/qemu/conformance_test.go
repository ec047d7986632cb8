package qemu

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"lazuli/internal/node"
	"lazuli/internal/node/nodetest"
)

func TestConformance(t *testing.T) {
	nodetest.RunHypervisor(t, func(t *testing.T) nodetest.HypervisorHost {
		h := newTestHost(t)
		return nodetest.HypervisorHost{
			Open:     func(t *testing.T) node.Hypervisor { return h.driver(t) },
			Disk:     h.disk,
			Kill:     kill,
			PowerOff: func(t *testing.T, uid string) { h.tell(t, uid, "o", "OFF\n") },
			Reboot:   func(t *testing.T, uid string) { h.tell(t, uid, "r", "READY\n") },
			Started:  h.started,
		}
	})
}

// testHost is a directory for machines and one for disks.
type testHost struct {
	root, disks string
	config      Config
}

// newTestHost makes directories that the machines' users can pass through.
func newTestHost(t *testing.T) *testHost {
	base := t.TempDir()
	for dir := base; dir != "/" && strings.Contains(dir, "Test"); dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o711); err != nil {
			t.Fatal(err)
		}
	}
	h := &testHost{root: filepath.Join(base, "machines"), disks: base}
	h.config = Config{Root: h.root, Accelerator: tcg, AIO: "io_uring", Cgroup: "lazuli-test"}
	return h
}

func (h *testHost) driver(t *testing.T) *Driver {
	t.Helper()
	d, err := New(t.Context(), h.config)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// disk makes a raw disk that the suite's guest boots from.
func (h *testHost) disk(t *testing.T, uid string, owner int) node.InstanceDisk {
	t.Helper()
	path := filepath.Join(h.disks, uid+".raw")
	if _, err := os.Stat(path); err != nil {
		if err := os.WriteFile(path, nodetest.Guest, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(path, 32<<20); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chown(path, owner, owner); err != nil {
		t.Fatal(err)
	}
	d := node.InstanceDisk{Path: path, Format: "raw"}
	d.UID = uid
	return d
}

func (h *testHost) dir(uid string) dir { return dir(filepath.Join(h.root, uid)) }

// started waits until the guest of a machine says that it is ready.
func (h *testHost) started(t *testing.T, uid string) {
	t.Helper()
	h.waitLog(t, uid, "READY\n", 1)
}

// waitLog waits until the boot log has text n times.
func (h *testHost) waitLog(t *testing.T, uid, text string, n int) {
	t.Helper()
	deadline := time.After(2 * time.Minute)
	for {
		log, err := os.ReadFile(h.dir(uid).file(serialLog))
		if err == nil && bytes.Count(log, []byte(text)) >= n {
			return
		}
		select {
		case <-deadline:
			t.Fatalf("boot log is %q, want %d times %q", log, n, text)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func (h *testHost) dial(t *testing.T, uid string) net.Conn {
	t.Helper()
	conn, err := h.dir(uid).dial(t.Context(), serialSock)
	if err != nil {
		t.Fatal(err)
	}
	conn.SetDeadline(time.Now().Add(2 * time.Minute))
	return conn
}

// tell types a letter into a guest, past any driver, and waits for the answer.
func (h *testHost) tell(t *testing.T, uid, letter, answer string) {
	t.Helper()
	conn := h.dial(t, uid)
	defer conn.Close()
	if _, err := conn.Write([]byte(letter)); err != nil {
		t.Fatal(err)
	}
	expect(t, conn, answer)
}

func expect(t *testing.T, r interface{ Read([]byte) (int, error) }, answer string) {
	t.Helper()
	var seen []byte
	buf := make([]byte, 64)
	for !bytes.Contains(seen, []byte(answer)) {
		n, err := r.Read(buf)
		seen = append(seen, buf[:n]...)
		if err != nil {
			t.Fatalf("read %q and then %v, want %q", seen, err, answer)
		}
	}
}

// kill ends a process and returns when it has ended.
func kill(t *testing.T, inst node.Instance) {
	t.Helper()
	pidfd, err := openPID(inst.PID)
	if err != nil {
		t.Fatal(err)
	}
	defer pidfd.Close()
	if err := unix.Kill(inst.PID, unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	fds := []unix.PollFd{{Fd: int32(pidfd.Fd()), Events: unix.POLLIN}}
	for {
		if n, err := unix.Poll(fds, 30000); n == 1 {
			return
		} else if err != unix.EINTR {
			t.Fatalf("process %d stays: %v", inst.PID, err)
		}
	}
}

// background outlives the test's own context, for cleaning up.
func background(t *testing.T) context.Context { return context.WithoutCancel(t.Context()) }

// TestMain removes the parent of the machines' control groups.
func TestMain(m *testing.M) {
	if program := os.Getenv(probeEnv); program != "" {
		fmt.Println(probingAgent(program))
		os.Exit(1)
	}
	code := m.Run()
	for _, parent := range []string{"", "cpu", "memory", "pids"} {
		os.Remove(filepath.Join(cgroupRoot, parent, "lazuli-test"))
	}
	os.Exit(code)
}
