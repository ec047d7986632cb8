package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// guest is the running guest.
type guest struct {
	boots int

	mu    sync.Mutex
	state state
	fs    map[string]string // disk ("root", "lun0") to the state it was mounted in
	ready bool

	acks *acks
}

// state is what the guest keeps on its disk.
type state struct {
	VMID      string   `json:"vmId"`
	Hostname  string   `json:"hostname"`
	User      string   `json:"user"`
	KeysPath  string   `json:"keysPath"`
	Password  string   `json:"password,omitempty"`  // SHA-256, hexadecimal; "" for none
	Mounts    []string `json:"mounts,omitempty"`    // data disks
	Workloads []string `json:"workloads,omitempty"` // disks that are appended to
}

const stateFile = stateDir + "/state.json"

func (g *guest) loadState() {
	b, err := os.ReadFile(stateFile)
	if err == nil {
		err = json.Unmarshal(b, &g.state)
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		logf("state err=%q", err)
	}
	if g.state.Hostname != "" {
		unix.Sethostname([]byte(g.state.Hostname)) //nolint:errcheck // root may
	}
}

// change changes the state, on disk too.
func (g *guest) change(f func(*state)) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	f(&g.state)
	b, err := json.Marshal(g.state)
	if err != nil {
		return err
	}
	return writeSynced(stateFile, b)
}

func (g *guest) now() state {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.state
}

// vmID is the platform's id of the machine, as cloud-init reads it.
func vmID() string {
	b, _ := os.ReadFile("/sys/class/dmi/id/product_uuid")
	return strings.ToLower(strings.TrimSpace(string(b)))
}

// join brings the guest into the network, provisions it when the machine is not
// the one that it was provisioned on, serves SSH and reports Ready.
func (g *guest) join() error {
	ctx := context.Background()
	if err := networkUp(ctx); err != nil {
		return err
	}
	if id := vmID(); g.now().VMID != id {
		if err := g.provision(ctx, id); err != nil {
			logf("provisioning failed err=%q", err)
			return errors.Join(err, report(ctx, err))
		}
	}
	for _, w := range g.now().Workloads {
		if err := g.startAppending(w); err != nil {
			logf("workload disk=%s err=%q", w, err)
		}
	}
	if err := g.serveSSH(); err != nil {
		return err
	}
	logf("ssh seconds=%s", uptime())
	if err := report(ctx, nil); err != nil {
		return err
	}
	g.mu.Lock()
	g.ready = true
	g.mu.Unlock()
	logf("ready seconds=%s hostname=%s", uptime(), g.now().Hostname)
	return nil
}

// provision makes the guest the machine id: medium, IMDS, user, keys, and the
// script in the custom data.
func (g *guest) provision(ctx context.Context, id string) error {
	env, err := readMedium()
	if err != nil {
		return err
	}
	inst, err := askIMDS(ctx)
	if err != nil {
		return err
	}
	if got := strings.ToLower(inst.Compute.VMID); got != id {
		return fmt.Errorf("imds says this is machine %s, the firmware %s", got, id)
	}
	if n := inst.Compute.OSProfile.ComputerName; n != "" {
		env.HostName = n // as in cloud-init, IMDS has the last word
	}
	if err := os.RemoveAll(hostKeys); err != nil {
		return err
	}
	next := state{VMID: id, Hostname: env.HostName, User: env.UserName}
	if !env.NoPassword && env.Password != "" {
		next.Password = digest(env.Password)
	}
	if next.KeysPath, err = addUser(env); err != nil {
		return err
	}
	if err := unix.Sethostname([]byte(env.HostName)); err != nil {
		return err
	}
	if err := os.WriteFile("/etc/hostname", []byte(env.HostName+"\n"), 0o644); err != nil {
		return err
	}
	if err := ejectMedium(); err != nil {
		return err
	}
	if err := g.change(func(s *state) { *s = next }); err != nil {
		return err
	}
	return runCustomData(env.CustomData)
}

func digest(password string) string {
	h := sha256.Sum256([]byte(password))
	return hex.EncodeToString(h[:])
}

// addUser makes the user, whose id is 0: the guest has nobody else to be
// protected from it, and sudo has nothing to do.
func addUser(env environment) (keysPath string, err error) {
	home := "/home/" + env.UserName
	passwd := fmt.Sprintf("%s:x:0:0::%s:/bin/sh\nroot:x:0:0::/root:/bin/sh\n", env.UserName, home)
	if err := os.WriteFile("/etc/passwd", []byte(passwd), 0o644); err != nil {
		return "", err
	}
	keysPath = home + "/.ssh/authorized_keys"
	files := map[string]string{keysPath: ""}
	for _, k := range env.Keys {
		if k.Path != "" {
			keysPath = path.Clean("/" + k.Path)
		}
		files[keysPath] += strings.TrimSpace(k.Value) + "\n"
	}
	for p, keys := range files {
		if err := os.MkdirAll(filepath.Dir(p), 0o700); err != nil {
			return "", err
		}
		if err := writeSynced(p, []byte(keys)); err != nil {
			return "", err
		}
	}
	return keysPath, nil
}

// runCustomData keeps the custom data where waagent would, and runs it when it
// is a script.
func runCustomData(b []byte) error {
	if len(b) == 0 {
		return nil
	}
	const file = "/var/lib/waagent/CustomData"
	if err := writeSynced(file, b); err != nil {
		return err
	}
	if !strings.HasPrefix(string(b), "#!") {
		return nil
	}
	out, err := exec.Command("/bin/sh", file).CombinedOutput()
	logf("custom data out=%q err=%v", out, err)
	return nil
}

const (
	medium       = "/dev/sr0"
	mediumTarget = "/run/medium"
	cdromEject   = 0x5309
	cdromLock    = 0x5329
)

// readMedium reads ovf-env.xml from the provisioning medium, which may take a
// moment to appear.
func readMedium() (env environment, err error) {
	if err := os.MkdirAll(mediumTarget, 0o755); err != nil {
		return env, err
	}
	for range each(20*time.Millisecond, 10*time.Second) {
		for _, kind := range []string{"udf", "iso9660"} {
			if err = unix.Mount(medium, mediumTarget, kind, unix.MS_RDONLY, ""); err == nil {
				break
			}
		}
		if err == nil {
			break
		}
	}
	if err != nil {
		return env, fmt.Errorf("provisioning medium %s: %w", medium, err)
	}
	b, err := os.ReadFile(mediumTarget + "/ovf-env.xml")
	if err := errors.Join(err, unix.Unmount(mediumTarget, 0)); err != nil {
		return env, err
	}
	return parseEnvironment(b)
}

// ejectMedium opens the tray, so that the platform takes the secrets away.
func ejectMedium() error {
	fd, err := unix.Open(medium, unix.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return fmt.Errorf("eject: %w", err)
	}
	defer unix.Close(fd)
	unix.IoctlSetInt(fd, cdromLock, 0) //nolint:errcheck // the ejection says it
	if err := unix.IoctlSetInt(fd, cdromEject, 0); err != nil {
		return fmt.Errorf("eject: %w", err)
	}
	return nil
}
