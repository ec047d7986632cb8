package api_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"lazuli/internal/daemon"
	"lazuli/internal/identity/bootstrap"
)

// built is where lazuli itself is, as it is now. TestMain takes it away.
var built = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "lazuli-api-")
	if err != nil {
		return "", err
	}
	cmd := exec.Command("go", "build", "-o", filepath.Join(dir, "lazuli"), "lazuli/cmd/lazuli")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return dir, fmt.Errorf("build lazuli: %w\n%s", err, out)
	}
	return dir, nil
})

var isBuilt bool

func TestMain(m *testing.M) {
	code := m.Run()
	if isBuilt {
		if dir, _ := built(); dir != "" {
			_ = os.RemoveAll(dir) // it is below the host's directory for what can go
		}
	}
	if code == 0 && wholeRun() {
		code = reportUncalled()
	}
	os.Exit(code)
}

func program(t testing.TB) string {
	t.Helper()
	isBuilt = true
	dir, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "lazuli")
}

// process is a lazuli that runs, and can be killed and started again.
type process struct {
	t    testing.TB
	args []string
	log  *output
	cmd  *exec.Cmd
}

// output is what a process says, readable meanwhile.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

func start(t testing.TB, args ...string) *process {
	t.Helper()
	p := &process{t: t, args: args, log: &output{}}
	p.start()
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			t.Logf("%s %s said:\n%s", filepath.Base(args[0]), args[1], p.log)
		}
	})
	return p
}

func (p *process) start() {
	p.t.Helper()
	p.cmd = exec.Command(p.args[0], p.args[1:]...)
	p.cmd.Stdout, p.cmd.Stderr = p.log, p.log
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
}

// kill is kill -9, and waits for the end.
func (p *process) kill() {
	if p.cmd.ProcessState != nil {
		return
	}
	_ = p.cmd.Process.Kill() // it may have ended by itself
	_ = p.cmd.Wait()         // which says that it was killed
}

// freeAddress is an address that nobody listened at a moment ago.
func freeAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// apart is a control plane in a process of its own, to which nodes join.
type apart struct {
	t             testing.TB
	program       string
	dir, api, ctl string // data directory and addresses
	server        *process
}

func newApart(t testing.TB, program string) *apart {
	t.Helper()
	a := &apart{t: t, program: program, dir: filepath.Join(t.TempDir(), "server"), api: freeAddress(t), ctl: freeAddress(t)}
	a.server = start(t, program, "server", "--data-dir", a.dir, "--listen", a.api, "--node-listen", a.ctl)
	return a
}

// admin is the credentials, once the API answers.
func (a *apart) admin() *bootstrap.Admin {
	a.t.Helper()
	insecure := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	waiting := (&cloud{t: a.t})
	waiting.until("the API listens and the credentials are there", func() bool {
		_, err := os.Stat(filepath.Join(a.dir, "admin.json"))
		if err != nil {
			return false
		}
		r, err := insecure.Get("https://" + a.api)
		if err == nil {
			r.Body.Close()
		}
		return err != nil && strings.Contains(err.Error(), "certificate") // it answers, and is not known here
	})
	b, err := os.ReadFile(filepath.Join(a.dir, "admin.json"))
	if err != nil {
		a.t.Fatal(err)
	}
	var admin bootstrap.Admin
	if err := json.Unmarshal(b, &admin); err != nil {
		a.t.Fatal(err)
	}
	return &admin
}

// join makes the file with which a node joins.
func (a *apart) join(name string) string {
	a.t.Helper()
	file := filepath.Join(a.t.TempDir(), name+".json")
	if out, err := exec.Command(a.program, "server", "join", name, "--data-dir", a.dir, "--server", a.ctl, "--out", file).CombinedOutput(); err != nil {
		a.t.Fatalf("server join: %v\n%s", err, out)
	}
	if i, err := os.Stat(file); err != nil || i.Mode().Perm() != 0o600 {
		a.t.Errorf("the join file's mode = %v (%v), want it nobody else's: %o", i.Mode(), err, fs.FileMode(0o600))
	}
	return file
}

func (a *apart) node(join string) *process {
	a.t.Helper()
	return start(a.t, a.program, "node", "--driver", "fake", "--join", join, "--data-dir", filepath.Join(a.t.TempDir(), "node"), "-v")
}

// A control plane and a node apart, each killed at any time, go on with what
// they were told.
func TestProcessesApart(t *testing.T) {
	a := newApart(t, program(t))
	admin := a.admin()
	node := a.node(a.join("node1"))
	c := join(t, admin, nil).withVM("properties.storageProfile.dataDisks.0", map[string]any{"lun": 0, "createOption": "Empty", "diskSizeGB": 4, "name": "data"})
	before := c.everything()
	settled := func(what string) {
		t.Helper()
		c.until(what+": the machine runs", func() bool { return c.power("vm") == "running" })
		c.done("POST", c.compute("virtualMachines/vm/restart"), "")
	}

	node.kill()
	if after := c.everything(); after != before {
		t.Errorf("as the node died, before %s after %s", before, after)
	}
	node.start()
	settled("the node was killed")

	a.server.kill()
	a.server.start()
	if again := a.admin(); *again != *admin {
		t.Errorf("the credentials changed from %+v to %+v", admin, again)
	}
	c = join(t, admin, nil)
	if after := c.everything(); withoutETags(after) != withoutETags(before) {
		t.Errorf("as the server died, before %s after %s", before, after)
	}
	settled("the server was killed")

	// Acknowledged, and killed at once.
	r := c.want(202, "POST", c.compute("virtualMachines/vm/deallocate"), "")
	a.server.kill()
	node.kill()
	a.server.start()
	a.admin()
	c.client.CloseIdleConnections()
	node.start()
	if last := c.await(r); last.get("status") != "Succeeded" {
		t.Errorf("the deallocation came to %s", last.body)
	}
	if got := c.power("vm"); got != "deallocated" {
		t.Errorf("the machine is %s, want deallocated", got)
	}
	c.empty()
}

// withoutETags drops what differs after every write.
func withoutETags(s string) string {
	for {
		i := strings.Index(s, `"etag":"`)
		if i < 0 {
			return s
		}
		end := strings.Index(s[i:], `",`)
		s = s[:i] + s[i+end+2:]
	}
}

// Nodes and servers that are not of one cloud do not speak to each other.
func TestNodesOfOtherClouds(t *testing.T) {
	program := program(t)
	ours, theirs := newApart(t, program), newApart(t, program)
	admin := ours.admin()
	theirs.admin()
	read := func(file string) (j daemon.Join) {
		b, err := os.ReadFile(file)
		if err == nil {
			err = json.Unmarshal(b, &j)
		}
		if err != nil {
			t.Fatal(err)
		}
		return j
	}
	mine, foreign := read(ours.join("node1")), read(theirs.join("node1"))
	foreign.Server = ours.ctl
	forged := foreign
	forged.CA = mine.CA
	const unknown = "certificate signed by unknown authority"
	for name, tt := range map[string]struct {
		join     daemon.Join
		by, says string // who says what of it
	}{
		"another cloud's node":       {foreign, "node", unknown},
		"that trusts our server too": {forged, "server", unknown},
	} {
		t.Run(name, func(t *testing.T) {
			b, err := json.Marshal(tt.join)
			if err != nil {
				t.Fatal(err)
			}
			file := filepath.Join(t.TempDir(), "join.json")
			if err := os.WriteFile(file, b, 0o600); err != nil {
				t.Fatal(err)
			}
			node := ours.node(file)
			log := map[string]*output{"node": node.log, "server": ours.server.log}[tt.by]
			(&cloud{t: t}).until("the node is refused", func() bool { return strings.Contains(log.String(), tt.says) })
			node.kill()
		})
	}
	if said := ours.server.log.String(); strings.Contains(said, "node linked") {
		t.Errorf("the server let a node in: %s", said)
	}
	ours.node(ours.join("node1"))
	join(t, admin, nil)
}
