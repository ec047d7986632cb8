package control_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"lazuli/internal/arm"
	"lazuli/internal/arm/armtest"
	"lazuli/internal/compute"
	"lazuli/internal/control"
	"lazuli/internal/fabric"
	"lazuli/internal/network"
	"lazuli/internal/node"
	"lazuli/internal/node/fake"
	"lazuli/internal/store"
)

// world is a cloud with a control plane and a node on a fake host. The control
// plane and the node's agent can die and come back; the state and the host
// stay.
type world struct {
	t     *testing.T
	cloud *armtest.Cloud
	store *mortal
	host  *fake.Host
	dir   string
	stop  func()
	// timeout is the control plane's ProvisionTimeout.
	timeout time.Duration
	// deaf guests never report that they are ready.
	deaf bool
	// late has the agent wait with its link until dial is closed.
	late bool
	dial chan struct{}
	// slow is the time from when the control plane is made until it works.
	slow time.Duration
	// memoryMiB is the node's memory; zero is this host's.
	memoryMiB int

	mu    sync.Mutex
	away  bool // the node, from the control plane
	sever func()
	// told is what a guest was last told on its provisioning medium.
	told atomic.Pointer[fabric.Provision]
}

func newWorld(t *testing.T) *world {
	net := network.Config{PublicPool: []netip.Prefix{netip.MustParsePrefix("198.18.0.0/24")}, Domain: "test"}
	w := &world{t: t, host: fake.New(), dir: shm(t)}
	w.cloud = armtest.New(t, network.Types(net), compute.Types(compute.Config{Catalogue: control.Images{}}))
	w.cloud.Now = time.Now
	w.store = &mortal{Store: w.cloud.Store}
	w.host.FailWith(func(call, uid string) error { return w.store.act("host: " + call) })
	return w
}

// mortal is a store whose user can die: at the n-th thing that it does to the
// store or the host, or right after it.
type mortal struct {
	store.Store
	mu    sync.Mutex
	log   []string // the things done
	at    int      // die here; 0: never
	after bool
	dead  bool
	// slow is how long a transaction that writes to a key with this in it waits.
	slow map[string]time.Duration
}

// wait takes the time that a transaction which does f takes.
func (m *mortal) wait(ctx context.Context, f func(store.Tx) error) {
	if len(m.slow) == 0 {
		return
	}
	var d time.Duration
	errOnlySeen := errors.New("only to see what it writes")
	m.Store.Update(ctx, func(tx store.Tx) error { //nolint:errcheck // it always fails
		r := &recording{Tx: tx}
		f(r) //nolint:errcheck // it will fail again
		for part, s := range m.slow {
			if slices.ContainsFunc(r.keys, func(k string) bool { return strings.Contains(k, part) }) {
				d = max(d, s)
			}
		}
		return errOnlySeen
	})
	time.Sleep(d)
}

var errDead = errors.New("the process is dead")

// act counts one thing that is about to be done.
func (m *mortal) act(what string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.dead {
		return errDead
	}
	m.log = append(m.log, what)
	if len(m.log) == m.at && !m.after {
		m.dead = true
		return errDead
	}
	return nil
}

// done is after it.
func (m *mortal) done() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.log) == m.at && m.after {
		m.dead = true
		return errDead
	}
	return nil
}

// did is what was done until now.
func (m *mortal) did() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.log)
}

// reborn takes note that the process died; it lives on under a new pid.
func (m *mortal) reborn() (died bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	died = m.dead
	if died {
		m.dead, m.at = false, 0
	}
	return died
}

type recording struct {
	store.Tx
	keys []string
}

func (r *recording) Put(key string, value []byte) {
	r.keys = append(r.keys, key)
	r.Tx.Put(key, value)
}

func (r *recording) Delete(key string) {
	r.keys = append(r.keys, key)
	r.Tx.Delete(key)
}

func (m *mortal) Update(ctx context.Context, f func(store.Tx) error) (int64, error) {
	m.wait(ctx, f)
	wrote := false
	rev, err := m.Store.Update(ctx, func(tx store.Tx) error {
		r := &recording{Tx: tx}
		if err := f(r); err != nil {
			return err
		}
		if len(r.keys) == 0 {
			return nil
		}
		wrote = true
		return m.act("write " + strings.Join(r.keys, " "))
	})
	if err == nil && wrote {
		err = m.done()
	}
	return rev, err
}

// run starts the control plane and the agent (again).
func (w *world) run() {
	w.t.Helper()
	log := slog.New(slog.DiscardHandler)
	c := control.New(control.Config{Store: w.store, Log: log, Domain: "test", ProvisionTimeout: w.timeout})
	a, err := node.New(node.Config{
		Name: "n1", Dir: w.dir, Hypervisor: fake.Hypervisor{Host: w.host}, Disks: fake.Disks{Host: w.host}, Networks: fake.Networks{Host: w.host},
		Medium: func(_ context.Context, m fabric.Machine, _ int) (string, error) {
			w.told.Store(&m.Provision)
			return "medium", nil
		},
		DropMedium: func(string) error { return nil },
		Images:     func() ([]fabric.NodeImage, error) { return fake.Images(), nil },
		Log:        log,
		MemoryMiB:  w.memoryMiB,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	if !w.deaf {
		w.host.SetGuests(a)
	} else {
		w.host.SetGuests(nil)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	time.Sleep(w.slow)
	wg.Go(func() { c.Run(ctx) }) //nolint:errcheck // ends with ctx
	w.dial = make(chan struct{})
	dial := w.dial
	if !w.late {
		close(dial)
	}
	wg.Go(func() {
		a.Run(ctx, func(context.Context) (node.Link, error) { <-dial; return w.connect(c) }) //nolint:errcheck // ends with ctx
	})
	w.stop = func() { cancel(); wg.Wait() }
}

// crash ends both.
func (w *world) crash() {
	if w.stop != nil {
		w.stop()
		w.stop = nil
	}
}

// connect makes the node's link, unless the node is away.
func (w *world) connect(c *control.Control) (node.Link, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.away {
		return nil, errors.New("connection refused")
	}
	l := newLink(c)
	w.sever = func() { l.Close() }
	return l, nil
}

// leave takes the node away from the control plane, and comeBack brings it back.
func (w *world) leave() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.away = true
	w.sever()
}

func (w *world) comeBack() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.away = false
}

// link is a node's link without a network.
type link struct {
	c      *control.Control
	ctx    context.Context
	cancel context.CancelFunc
}

func newLink(c *control.Control) *link {
	l := &link{c: c}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	c.Linked(l.ctx, "n1", nil)
	return l
}

func (l *link) Assignments(ctx context.Context, f func(fabric.Message) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(l.ctx, cancel)()
	return l.c.Assignments(ctx, "n1", f)
}

func (l *link) Report(ctx context.Context, r *fabric.Report) error {
	return l.c.Report(ctx, "n1", r)
}

func (l *link) Close() error { l.cancel(); return nil }

// settle lets everybody work until there is nothing more to do. It revives who
// died.
func (w *world) settle() {
	time.Sleep(65 * time.Second) // of the bubble's clock
	if w.store.reborn() {
		w.crash()
		w.run()
		time.Sleep(65 * time.Second)
	}
}

func (w *world) do(method, rest, body string) arm.Result {
	w.t.Helper()
	id, action := armtest.ID(rest), ""
	if method == "POST" {
		id, action = id.Parent(), id.Name()
	}
	r, err := w.cloud.Do(armtest.Request{Method: method, ID: id, Action: action, Body: body})
	if err != nil {
		w.t.Fatalf("%s %s: %v", method, rest, err)
	}
	return r
}

// power is a POST on the machine web1.
func (w *world) power(action string) arm.Result {
	w.t.Helper()
	r, err := w.cloud.Do(armtest.Request{Method: "POST", ID: armtest.ID("Microsoft.Compute/virtualMachines/web1"), Action: action})
	if err != nil {
		w.t.Fatalf("%s: %v", action, err)
	}
	return r
}

const (
	vmPath   = "Microsoft.Compute/virtualMachines/web1"
	nicPath  = "Microsoft.Network/networkInterfaces/nic1"
	vnetPath = "Microsoft.Network/virtualNetworks/net1"
)

func vmBody(more string) string {
	return fmt.Sprintf(`{"location": "local", "properties": {
		"hardwareProfile": {"vmSize": "Standard_B1s"},
		"storageProfile": {
			"imageReference": {"publisher": "Debian", "offer": "debian-12", "sku": "12", "version": "latest"},
			"osDisk": {"createOption": "FromImage", "name": "web1-os", "deleteOption": "Delete"},
			"dataDisks": [%s]
		},
		"osProfile": {"computerName": "web1", "adminUsername": "azureuser", "adminPassword": "Correct-Horse-1", "customData": "aGFsbG8="},
		"networkProfile": {"networkInterfaces": [{"id": "%s"}]}
	}}`, more, armtest.ID(nicPath))
}

const newData = `{"lun": 0, "createOption": "Empty", "diskSizeGB": 4, "name": "web1-data"}`

// putNetwork makes the network that a machine needs.
func (w *world) putNetwork() {
	w.t.Helper()
	w.do("PUT", vnetPath, `{"location": "local", "properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}, "subnets": [{"name": "default", "properties": {"addressPrefix": "10.0.0.0/24"}}]}}`)
	w.do("PUT", nicPath, fmt.Sprintf(`{"location": "local", "properties": {"ipConfigurations": [{"name": "a", "properties": {"subnet": {"id": "%s/subnets/default"}}}]}}`, armtest.ID(vnetPath)))
}

func (w *world) vm() *arm.Object[compute.VM, compute.VMStatus] {
	w.t.Helper()
	v, err := compute.VMs.Find(context.Background(), w.cloud.Store, armtest.ID(vmPath))
	if err != nil {
		w.t.Fatal(err)
	}
	return v
}

// wantPower checks the machine's state, and that what was asked for is done.
func (w *world) wantPower(state string) {
	w.t.Helper()
	v := w.vm()
	if v == nil {
		w.t.Fatal("there is no VM")
	}
	if got := compute.PowerState(v); got != state || v.Status.ObservedGeneration != v.Generation || v.Status.Failure != nil {
		w.t.Errorf("power = %s, generation %d of %d, failure %v; want %s and done\nstatus %+v", got, v.Status.ObservedGeneration, v.Generation, v.Status.Failure, state, v.Status)
	}
	w.wantOperation(v.Operation, arm.Succeeded, "")
}

func (w *world) wantOperation(id string, status arm.OperationStatus, code string) {
	w.t.Helper()
	op, err := arm.GetOperation(context.Background(), w.cloud.Store, id)
	if err != nil || op == nil {
		w.t.Fatalf("operation %s: %v, %v", id, op, err)
	}
	if op.Status != status || code != "" && (op.Error == nil || op.Error.Code != code) {
		w.t.Errorf("operation %s is %s (%v), want %s %s", op.Action, op.Status, op.Error, status, code)
	}
}

// wantSecrets checks that the guest was told its secrets, and whether they are
// still in the store.
func (w *world) wantSecrets(kept bool) {
	w.t.Helper()
	if p := w.told.Load(); p == nil || p.AdminPassword != "Correct-Horse-1" || p.CustomData != "aGFsbG8=" || !p.HasCustomData {
		w.t.Errorf("the guest was told %+v", p)
	}
	es, err := w.cloud.Store.List(context.Background(), "/")
	if err != nil {
		w.t.Fatal(err)
	}
	found := false
	for _, e := range es {
		if v := string(e.Value); strings.Contains(v, "Correct-Horse-1") || strings.Contains(v, "aGFsbG8=") || strings.HasPrefix(e.Key, "/secret/") {
			found = true
			if !kept {
				w.t.Errorf("there is a secret in %s: %s", e.Key, e.Value)
			}
		}
	}
	if kept && !found {
		w.t.Error("the secrets are gone, though the guest is not ready")
	}
}

// wantRunning checks which machines the host runs, by how many.
func (w *world) wantRunning(n int) {
	w.t.Helper()
	if got := w.host.Running(); len(got) != n {
		w.t.Errorf("running = %v, want %d", got, n)
	}
}

// kinds counts what is left on the host.
func (w *world) left() []string {
	var kinds []string
	for _, l := range w.host.Left() {
		kind, _, _ := strings.Cut(l, " ")
		kinds = append(kinds, kind)
	}
	slices.Sort(kinds)
	return kinds
}

// shm is a directory in memory: the agent syncs its records, which costs time
// and says nothing here.
func shm(t *testing.T) string {
	dir, err := os.MkdirTemp("/dev/shm", "lazuli-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}
