package qemu

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// fakeQEMU is a program that answers as a QEMU whose guests end as script says.
func fakeQEMU(t *testing.T, script string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "qemu")
	text := "#!/bin/sh\ncase \"$*\" in --version) echo 'QEMU emulator version 7.2.22 (Debian 1:7.2)'; exit;; esac\necho \"$*\" >>" +
		path + ".calls\n" + script
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{filepath.Dir(path), filepath.Dir(filepath.Dir(path))} {
		if err := os.Chmod(dir, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	return path
}

func calls(t *testing.T, program string) int {
	t.Helper()
	data, err := os.ReadFile(program + ".calls")
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return strings.Count(string(data), "\n")
}

func probeConfig(t *testing.T, program string) Config {
	return Config{Root: newTestHost(t).disks, QEMU: program}.withDefaults()
}

func TestProbe(t *testing.T) {
	tests := map[string]struct {
		script     string
		mode       os.FileMode
		accel, aio string
		why        string
	}{
		"kvm works":             {"exit 85", 0o666, kvm, "io_uring", ""},
		"kvm refuses":           {"case \"$*\" in *'accel kvm'*) echo no such thing >&2; exit 1;; esac; exit 85", 0o666, tcg, "io_uring", "no such thing"},
		"kvm crashes the guest": {"case \"$*\" in *'accel kvm'*) exit 0;; esac; exit 85", 0o666, tcg, "io_uring", "ended with"},
		"kvm is root's alone":   {"exit 85", 0o600, tcg, "io_uring", "open to its owner only"},
		"native only":           {"case \"$*\" in *io_uring*) exit 1;; esac; exit 85", 0o660, kvm, "native", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := probeConfig(t, fakeQEMU(t, tt.script))
			device := filepath.Join(c.Root, "kvm")
			if err := os.WriteFile(device, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(device, tt.mode); err != nil {
				t.Fatal(err)
			}
			var h Host
			if err := h.try(t.Context(), c, device); err != nil {
				t.Fatal(err)
			}
			if h.Accelerator != tt.accel || h.AIO != tt.aio || !strings.Contains(h.Why, tt.why) || (h.Why == "") != (tt.why == "") {
				t.Errorf("host = %+v, want %s, %s, %q", h, tt.accel, tt.aio, tt.why)
			}
		})
	}
}

func TestProbeGivesUpOnAHangingGuest(t *testing.T) {
	c := probeConfig(t, fakeQEMU(t, "exec sleep 1000"))
	err := tryGuest(t.Context(), c, "", kvm, "io_uring", nil, 200*time.Millisecond)
	if err == nil || !strings.Contains(err.Error(), "was not done within") {
		t.Errorf("err = %v", err)
	}
}

func TestProbeClearsWhatOthersLeft(t *testing.T) {
	c := probeConfig(t, fakeQEMU(t, "exit 85"))
	old, young := filepath.Join(c.Root, "probe-1.img"), filepath.Join(c.Root, "probe-2.img")
	for path, age := range map[string]time.Duration{old: time.Hour, young: time.Second} {
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, time.Time{}, time.Now().Add(-age)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Probe(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	left, err := filepath.Glob(filepath.Join(c.Root, probeFiles))
	if err != nil || len(left) != 1 || left[0] != young {
		t.Errorf("left = %v, %v, want what another probe may be using", left, err)
	}
}

// probeEnv makes the test's program an agent that tries a guest.
const probeEnv = "LAZULI_TEST_PROBE"

func probingAgent(program string) error {
	c := Config{QEMU: program}.withDefaults()
	return tryGuest(context.Background(), c, "", tcg, "native", nil, time.Hour)
}

// TestProbeEndsWithTheAgent kills an agent while it tries a guest that hangs.
func TestProbeEndsWithTheAgent(t *testing.T) {
	program := fakeQEMU(t, "echo $$ >\"$0.pid\"\nexec sleep 1000")
	if err := unix.Mkfifo(program+".pid", 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(program+".pid", 0o666); err != nil {
		t.Fatal(err)
	}
	agent := exec.Command(os.Args[0])
	agent.Env = append(os.Environ(), probeEnv+"="+program)
	if err := agent.Start(); err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(readFile(t, program+".pid")))
	if err != nil {
		t.Fatal(err)
	}
	pidfd, err := openPID(pid)
	if err != nil {
		t.Fatal(err)
	}
	defer pidfd.Close()
	if err := agent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	agent.Wait()
	fds := []unix.PollFd{{Fd: int32(pidfd.Fd()), Events: unix.POLLIN}}
	for {
		n, err := unix.Poll(fds, 30_000)
		if err == unix.EINTR {
			continue
		}
		if n != 1 {
			t.Errorf("process %d, which was tried, outlives the agent", pid)
			unix.Kill(pid, unix.SIGKILL)
		}
		return
	}
}

func TestProbeNeedsAWorkingQEMU(t *testing.T) {
	for name, program := range map[string]string{
		"broken":  fakeQEMU(t, "echo cannot do it >&2; exit 1"),
		"missing": "/nonexistent/qemu",
	} {
		t.Run(name, func(t *testing.T) {
			if d, err := New(t.Context(), probeConfig(t, program)); err == nil {
				d.Close()
				t.Error("New succeeded")
			}
		})
	}
}

func TestProbeIsRemembered(t *testing.T) {
	program := fakeQEMU(t, "exit 85")
	c := probeConfig(t, program)
	first, err := probeHost(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	tried := calls(t, program)
	again, err := probeHost(t.Context(), c)
	if err != nil || again != first || calls(t, program) != tried {
		t.Errorf("host = %+v, %v after %d calls, was %+v", again, err, calls(t, program)-tried, first)
	}
	c.Accelerator = kvm
	if h, err := probeHost(t.Context(), c); err != nil || h.Accelerator != kvm || h.AIO != first.AIO {
		t.Errorf("configured host = %+v, %v", h, err)
	}
	forgotten := first
	forgotten.BootID = "another"
	data := strings.ReplaceAll(readFile(t, filepath.Join(c.Root, hostFile)), first.BootID, forgotten.BootID)
	if err := os.WriteFile(filepath.Join(c.Root, hostFile), []byte(data), 0o600); err != nil {
		t.Fatal(err)
	}
	c.Accelerator = ""
	if _, err := Probe(t.Context(), c); err != nil || calls(t, program) == tried {
		t.Errorf("nothing was tried after the host's boot, %v", err)
	}
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestProbeReal boots the probe's guest.
func TestProbeReal(t *testing.T) {
	h := newTestHost(t)
	c := Config{Root: h.disks}.withDefaults()
	image, err := writeProbe(c.Root)
	if err != nil {
		t.Fatal(err)
	}
	for _, aio := range []string{"io_uring", "native"} {
		if err := tryGuest(t.Context(), c, image, tcg, aio, nil, 20*time.Second); err != nil {
			t.Errorf("%s: %v", aio, err)
		}
	}
}
