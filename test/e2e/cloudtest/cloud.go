package cloudtest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"lazuli/test/guest/guestimage"
)

// Patience is how long a cloud may take for anything before a test gives up.
// It is no measure of anything: machines are emulated, and share few cores.
const Patience = 3 * time.Minute

// Cloud is a cloud under test.
type Cloud struct {
	T    testing.TB
	Host *Host
	Dir  string // the data directory
	// Flags are added to 'lazuli up'.
	Flags []string

	key    string // file of the private key
	daemon *exec.Cmd
	ended  chan struct{}
}

var (
	root     = sync.OnceValue(findRoot)
	program  = sync.OnceValues(build)
	tinyOnce = sync.OnceValues(func() (string, error) {
		return guestimage.Build(context.Background(), filepath.Join(root(), ".cache", "tiny"))
	})
)

func findRoot() string {
	dir, err := os.Getwd()
	if err != nil {
		panic(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		if dir == "/" {
			panic("the test does not run inside the module")
		}
		dir = filepath.Dir(dir)
	}
}

// build makes the program under test, so that it is never an old one.
func build() (string, error) {
	path := filepath.Join(root(), "bin", "lazuli")
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", path, "./cmd/lazuli")
	cmd.Dir = root()
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build lazuli: %w\n%s", err, out)
	}
	return path, nil
}

// Program is the path of the lazuli that is tested.
func Program(t testing.TB) string {
	t.Helper()
	p, err := program()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// New makes a cloud in a directory of its own and does not start it. The tiny
// guest is in its catalogue. When the test ends everything of it is taken away.
func New(t testing.TB) *Cloud {
	t.Helper()
	dir, err := os.MkdirTemp("", "lazuli-e2e-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	c := NewIn(t, dir)
	AddTiny(t, dir)
	return c
}

// NewIn is New in a directory that exists, and without an image.
func NewIn(t testing.TB, dir string) *Cloud {
	t.Helper()
	Program(t)
	if err := os.Chmod(dir, 0o711); err != nil {
		t.Fatal(err)
	}
	c := &Cloud{T: t, Host: NewHost(t), Dir: dir}
	t.Cleanup(c.Destroy)
	c.makeKey()
	return c
}

// makeKey makes the key by which the test logs in, outside the data directory.
func (c *Cloud) makeKey() {
	c.T.Helper()
	c.key = filepath.Join(c.T.TempDir(), "id_ed25519")
	if out, err := exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", c.key).CombinedOutput(); err != nil {
		c.T.Fatalf("make key: %v\n%s", err, out)
	}
}

// AddTiny puts the tiny guest into the catalogue of a data directory.
func AddTiny(t testing.TB, dir string) {
	t.Helper()
	image, err := tinyOnce()
	if err != nil {
		t.Fatal(err)
	}
	to := filepath.Join(dir, "images", "tiny")
	if err := os.MkdirAll(to, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"disk.qcow2", "image.json"} {
		if out, err := exec.Command("cp", "--sparse=always", filepath.Join(image, name), filepath.Join(to, name)).CombinedOutput(); err != nil {
			t.Fatalf("copy image: %v\n%s", err, out)
		}
	}
}

// Up starts the daemon and waits until the API answers.
func (c *Cloud) Up() {
	c.T.Helper()
	if err := c.TryUp(); err != nil {
		c.T.Fatal(err)
	}
}

// TryUp is Up for when it may fail.
func (c *Cloud) TryUp() error {
	if err := c.Start(); err != nil {
		return err
	}
	for deadline := time.Now().Add(Patience); time.Now().Before(deadline); {
		select {
		case <-c.ended:
			return fmt.Errorf("the daemon ended at once:\n%s", c.Log(20))
		case <-time.After(20 * time.Millisecond):
		}
		if _, err := os.Stat(filepath.Join(c.Dir, "lazuli.pid")); err == nil {
			return nil
		}
	}
	return fmt.Errorf("the daemon does not come up:\n%s", c.Log(20))
}

// Start starts the daemon and does not wait.
func (c *Cloud) Start() error {
	os.Remove(filepath.Join(c.Dir, "lazuli.pid")) //nolint:errcheck // of a daemon that was killed
	log, err := os.OpenFile(c.LogPath(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	p, err := program()
	if err != nil {
		return err
	}
	cmd := c.Host.Command(context.Background(), p, append([]string{"up", "--foreground", "--data-dir", c.Dir}, c.Flags...)...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return err
	}
	c.daemon, c.ended = cmd, make(chan struct{})
	go func(ended chan struct{}) { cmd.Wait(); close(ended) }(c.ended) //nolint:errcheck // it is killed often
	return nil
}

// LogPath is the daemon's log. It lies beside the data directory, which may be
// on a file system that a test takes away.
func (c *Cloud) LogPath() string { return c.Dir + ".log" }

// Log is the end of the daemon's log.
func (c *Cloud) Log(lines int) string {
	b, err := os.ReadFile(c.LogPath())
	if err != nil {
		return err.Error()
	}
	all := strings.Split(strings.TrimSpace(string(b)), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

// Kill ends the daemon as kill -9 does. Machines run on.
func (c *Cloud) Kill() { c.signal(syscall.SIGKILL) }

// Down ends the daemon as a service manager does. Machines run on.
func (c *Cloud) Down() { c.signal(syscall.SIGTERM) }

func (c *Cloud) signal(sig syscall.Signal) {
	c.T.Helper()
	if c.daemon == nil {
		return
	}
	c.daemon.Process.Signal(sig) //nolint:errcheck // it may have ended
	select {
	case <-c.ended:
	case <-time.After(Patience):
		c.T.Errorf("the daemon does not end:\n%s", c.Log(20))
		c.daemon.Process.Kill() //nolint:errcheck // likewise
		<-c.ended
	}
	c.daemon = nil
}

// Machines are the processes of QEMU of this cloud, by the UID of the machine.
func (c *Cloud) Machines() map[string]int {
	pids := map[string]int{}
	procs, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		return pids
	}
	for _, p := range procs {
		b, err := os.ReadFile(p)
		if err != nil || !bytes.Contains(b, []byte("qemu-system")) || !bytes.Contains(b, []byte(c.Dir+"/")) {
			continue
		}
		args := strings.Split(string(b), "\x00")
		pid, _ := strconv.Atoi(strings.Split(p, "/")[2])
		for i, a := range args {
			if a == "-uuid" && i+1 < len(args) {
				pids[args[i+1]] = pid
			}
		}
	}
	return pids
}

// KillMachines ends all of QEMU, as kill -9 does. A daemon that runs may have
// started others by the time that it returns.
func (c *Cloud) KillMachines() {
	killed := c.Machines()
	for _, pid := range killed {
		syscall.Kill(pid, syscall.SIGKILL) //nolint:errcheck // it may have ended
	}
	c.Eventually("QEMU is gone", func() error {
		for uid, pid := range c.Machines() {
			if killed[uid] == pid {
				return fmt.Errorf("process %d of machine %s", pid, uid)
			}
		}
		return nil
	})
}

// Destroy takes away everything of the cloud, whatever state it is in.
func (c *Cloud) Destroy() {
	c.Kill()
	c.KillMachines()
	if c.T.Failed() {
		c.T.Logf("the daemon's log ends:\n%s", c.Log(40))
	}
	for _, ns := range c.Namespaces() {
		exec.Command("ip", "netns", "delete", ns).Run() //nolint:errcheck // it may have gone
	}
	os.Remove(c.LogPath()) //nolint:errcheck // only a log
}

// Namespaces are the network namespaces of the cloud's virtual networks.
func (c *Cloud) Namespaces() []string {
	var names []string
	files, _ := filepath.Glob(filepath.Join(c.Dir, "networks", "*.json"))
	for _, f := range files {
		uid := strings.ReplaceAll(strings.TrimSuffix(filepath.Base(f), ".json"), "-", "")
		if len(uid) >= 12 {
			names = append(names, "lz-"+uid[:12])
		}
	}
	return names
}

// Run runs a lazuli command and returns what it prints on stdout.
func (c *Cloud) Run(args ...string) (string, error) {
	return c.RunContext(context.Background(), args...)
}

// RunContext is Run that is killed at the end of ctx.
func (c *Cloud) RunContext(ctx context.Context, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*Patience)
	defer cancel()
	p, err := program()
	if err != nil {
		return "", err
	}
	cmd := c.Host.Command(ctx, p, append([]string{"--data-dir", c.Dir}, args...)...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	cmd.Env = append(os.Environ(), "HOME="+c.Dir)
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("lazuli %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(errs.String()))
	}
	return out.String(), nil
}

// Do is Run that must succeed.
func (c *Cloud) Do(args ...string) string {
	c.T.Helper()
	out, err := c.Run(args...)
	if err != nil {
		c.T.Fatalf("%v\nThe daemon's log ends:\n%s", err, c.Log(20))
	}
	return out
}

// JSON is Do with -o json, read into v.
func (c *Cloud) JSON(v any, args ...string) {
	c.T.Helper()
	out := c.Do(append(args, "-o", "json")...)
	if err := json.Unmarshal([]byte(out), v); err != nil {
		c.T.Fatalf("lazuli %s prints no JSON: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// Eventually waits until f has no error.
func (c *Cloud) Eventually(what string, f func() error) {
	c.T.Helper()
	if err := Wait(f); err != nil {
		c.T.Fatalf("%s: not yet: %v\nThe daemon's log ends:\n%s", what, err, c.Log(20))
	}
}

// Wait calls f until it has no error or patience is at its end.
func Wait(f func() error) error { return WaitFor(Patience, f) }

// WaitFor is Wait with another patience.
func WaitFor(patience time.Duration, f func() error) error {
	err := errors.New("not tried")
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		if err = f(); err == nil {
			return nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	return err
}
