package node_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"lazuli/internal/fabric"
	"lazuli/internal/node"
	"lazuli/internal/node/fake"
)

// world is a host, the agent on it, and a control plane that says what the
// test says.
type world struct {
	t     *testing.T
	host  *fake.Host
	dir   string
	agent *node.Agent

	mu      sync.Mutex
	want    fabric.Assignment
	news    chan struct{}
	reports map[fabric.Ref]any
	count   map[string]int // reports of machines
	node    *fabric.NodeReport
	stop    func()

	// images are the host's, unread is about those that cannot be read.
	images []fabric.NodeImage
	unread error

	isCut bool
	sever func()
}

func newWorld(t *testing.T) *world {
	w := &world{t: t, host: fake.New(), dir: t.TempDir(), reports: map[fabric.Ref]any{}, count: map[string]int{}, news: make(chan struct{}, 1)}
	t.Cleanup(func() { w.crash() })
	return w
}

// run starts the agent (again).
func (w *world) run() {
	w.t.Helper()
	a, err := node.New(node.Config{
		Name: "n1", Dir: w.dir, Hypervisor: fake.Hypervisor{Host: w.host}, Disks: fake.Disks{Host: w.host}, Networks: fake.Networks{Host: w.host},
		Medium:     func(context.Context, fabric.Machine, int) (string, error) { return "medium", nil },
		DropMedium: func(string) error { return nil },
		Images:     func() ([]fabric.NodeImage, error) { return w.images, w.unread },
		Log:        slog.New(slog.DiscardHandler),
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.host.SetGuests(a)
	w.agent = a
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		a.Run(ctx, w.connect) //nolint:errcheck // ends with ctx
	}()
	w.stop = func() { cancel(); <-done }
}

// crash ends the agent; the host goes on.
func (w *world) crash() {
	if w.stop != nil {
		w.stop()
		w.stop = nil
	}
}

// connect is the way to the control plane, unless it is cut.
func (w *world) connect(ctx context.Context) (node.Link, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.isCut {
		return nil, errors.New("connection refused")
	}
	ctx, w.sever = context.WithCancel(ctx)
	return &link{w, ctx}, nil
}

// cut ends the link to the control plane, and keeps another from being made.
func (w *world) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.isCut = true
	w.sever()
}

type link struct {
	w   *world
	cut context.Context
}

func (l *link) Assignments(ctx context.Context, f func(fabric.Message) error) error {
	for first := true; ; first = false {
		l.w.mu.Lock()
		m := fabric.Message{Full: first, Assignment: l.w.want}
		l.w.mu.Unlock()
		if err := f(m); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-l.cut.Done():
			return errors.New("session shutdown")
		case <-l.w.news:
		}
	}
}

func (l *link) Report(_ context.Context, r *fabric.Report) error {
	l.w.mu.Lock()
	defer l.w.mu.Unlock()
	if r.Node != nil {
		l.w.node = r.Node
	}
	for _, x := range r.Machines {
		l.w.count[x.UID]++
		l.w.reports[fabric.Ref{Kind: fabric.KindMachine, UID: x.UID}] = x
	}
	for _, x := range r.Disks {
		l.w.reports[fabric.Ref{Kind: fabric.KindDisk, UID: x.UID}] = x
	}
	for _, x := range r.Networks {
		l.w.reports[fabric.Ref{Kind: fabric.KindNetwork, UID: x.UID}] = x
	}
	return nil
}

func (l *link) Close() error { return nil }

// assign changes the assignment and lets the agent work until it has nothing
// more to do.
func (w *world) assign(f func(a *fabric.Assignment)) {
	w.mu.Lock()
	next := fabric.Assignment{
		Machines: slices.Clone(w.want.Machines), Disks: slices.Clone(w.want.Disks), Networks: slices.Clone(w.want.Networks),
	}
	f(&next)
	w.want = next
	w.mu.Unlock()
	select {
	case w.news <- struct{}{}:
	default:
	}
	w.settle()
}

// settle lets time pass, of the bubble's clock: not a whole number of minutes,
// at which the agent looks at everything again.
func (w *world) settle() { time.Sleep(2*time.Minute + time.Second) }

func (w *world) machine() fabric.MachineReport {
	w.mu.Lock()
	defer w.mu.Unlock()
	r, _ := w.reports[fabric.Ref{Kind: fabric.KindMachine, UID: "m1"}].(fabric.MachineReport)
	return r
}

func (w *world) disk(uid string) fabric.DiskReport {
	w.mu.Lock()
	defer w.mu.Unlock()
	r, _ := w.reports[fabric.Ref{Kind: fabric.KindDisk, UID: uid}].(fabric.DiskReport)
	return r
}

// told is how often the machine was reported.
func (w *world) told(uid string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.count[uid]
}

func (w *world) events() []string {
	var codes []string
	for _, e := range w.machine().Events {
		codes = append(codes, e.Code)
	}
	return codes
}

func (w *world) wantState(state fabric.MachineState, generation int64) fabric.MachineReport {
	w.t.Helper()
	r := w.machine()
	if r.State != state || r.Generation != generation {
		w.t.Errorf("machine is %s at generation %d (problem %v), want %s at %d", r.State, r.Generation, r.Problem, state, generation)
	}
	return r
}

// hello is a machine with an OS disk, a data disk and a network interface.
func hello(a *fabric.Assignment) {
	a.Disks = []fabric.Disk{
		{UID: "os", Generation: 1, Presence: fabric.Present, SizeBytes: 1 << 30, Image: "debian-12"},
		{UID: "data", Generation: 1, Presence: fabric.Present, SizeBytes: 1 << 30},
	}
	a.Networks = []fabric.Network{{
		UID: "net", Generation: 1, Presence: fabric.Present,
		Ports: []fabric.Port{{UID: "nic", MachineUID: "m1", MAC: "00:0d:3a:00:00:01", Addresses: []fabric.PortAddress{{Private: netip.MustParseAddr("10.0.0.4")}}}},
	}}
	a.Machines = []fabric.Machine{{
		UID: "m1", Name: "hello", Generation: 1, PowerGeneration: 1, Presence: fabric.Present, Power: fabric.Running, CPUs: 1, MemoryMiB: 512,
		Disks:     []fabric.MachineDisk{{UID: "os", OS: true}, {UID: "data", LUN: 0}},
		NICs:      []fabric.MachineNIC{{UID: "nic", NetworkUID: "net", MAC: "00:0d:3a:00:00:01", Primary: true}},
		Provision: fabric.Provision{ComputerName: "hello", AdminUsername: "azureuser"},
	}}
}

func change(f func(m *fabric.Machine)) func(*fabric.Assignment) {
	return func(a *fabric.Assignment) {
		a.Machines[0].Generation++
		f(&a.Machines[0])
	}
}

func power(p fabric.Power, hard bool) func(*fabric.Assignment) {
	return change(func(m *fabric.Machine) { m.Power, m.PowerGeneration, m.Hard = p, m.Generation, hard })
}

// gone takes everything away.
func gone(a *fabric.Assignment) {
	a.Machines[0].Presence = fabric.Absent
	a.Machines[0].Generation++
	for i := range a.Disks {
		a.Disks[i].Presence = fabric.Absent
		a.Disks[i].Generation++
	}
	a.Networks[0].Presence = fabric.Absent
	a.Networks[0].Generation++
}

func TestAgent(t *testing.T) {
	tests := map[string]func(t *testing.T, w *world){
		"create": func(t *testing.T, w *world) {
			r := w.wantState(fabric.MachineRunning, 1)
			if r.ReadyAt == nil || r.StartedAt == nil || r.BootedAt == nil {
				t.Errorf("report lacks times: %+v", r)
			}
		},
		"guest powers off and stays off": func(t *testing.T, w *world) {
			w.host.PowerOff("m1")
			w.settle()
			w.wantState(fabric.MachineStopped, 1)
			w.assign(change(func(m *fabric.Machine) { m.Metadata.VMSize = "other" }))
			w.wantState(fabric.MachineStopped, 2)
			w.assign(power(fabric.Running, false))
			w.wantState(fabric.MachineRunning, 3)
			if got, want := w.events(), []string{"GuestShutdown"}; !cmp.Equal(got, want) {
				t.Errorf("events = %v, want %v", got, want)
			}
		},
		"guest powers off while the agent is away": func(t *testing.T, w *world) {
			w.crash()
			w.host.PowerOff("m1")
			w.run()
			w.settle()
			w.wantState(fabric.MachineStopped, 1)
		},
		"an end that is told again is not news": func(t *testing.T, w *world) {
			w.host.PowerOff("m1")
			w.settle()
			at := w.machine().Events[0].At
			w.assign(power(fabric.Running, false))
			w.crash()
			w.host.Tell("m1", node.EventShutdown, at)
			w.run()
			w.settle()
			w.wantState(fabric.MachineRunning, 2)
			w.host.Crash("m1")
			w.settle()
			w.wantState(fabric.MachineRunning, 2)
			if got, want := w.events(), []string{"GuestShutdown", "Crashed", "Restarted"}; !cmp.Equal(got, want) {
				t.Errorf("events = %v, want %v", got, want)
			}
		},
		"guest reboots": func(t *testing.T, w *world) {
			before := w.machine().BootedAt
			w.host.Reboot("m1")
			w.settle()
			if r := w.wantState(fabric.MachineRunning, 1); !r.BootedAt.After(*before) {
				t.Errorf("booted at %v, want after %v", r.BootedAt, before)
			}
		},
		"crash is mended and told": func(t *testing.T, w *world) {
			w.host.Crash("m1")
			w.settle()
			w.wantState(fabric.MachineRunning, 1)
			if got, want := w.events(), []string{"Crashed", "Restarted"}; !cmp.Equal(got, want) {
				t.Errorf("events = %v, want %v", got, want)
			}
		},
		"crash while the agent is away": func(t *testing.T, w *world) {
			w.crash()
			w.host.Crash("m1")
			w.run()
			w.settle()
			w.wantState(fabric.MachineRunning, 1)
		},
		"host goes down": func(t *testing.T, w *world) {
			w.crash()
			w.host.Boot()
			w.run()
			w.settle()
			w.wantState(fabric.MachineRunning, 1)
			if !slices.Contains(w.events(), "Restarted") {
				t.Errorf("events = %v, want Restarted", w.events())
			}
		},
		"agent restarts, machine does not": func(t *testing.T, w *world) {
			before := w.machine().StartedAt
			w.crash()
			w.run()
			w.settle()
			if r := w.wantState(fabric.MachineRunning, 1); !r.StartedAt.Equal(*before) {
				t.Errorf("started at %v, want %v", r.StartedAt, before)
			}
		},
		"stop and start": func(t *testing.T, w *world) {
			w.assign(power(fabric.Stopped, false))
			if r := w.wantState(fabric.MachineStopped, 2); r.Deallocated {
				t.Error("a stopped machine is reported as deallocated")
			}
			w.assign(power(fabric.Running, false))
			w.wantState(fabric.MachineRunning, 3)
			if got := w.events(); len(got) != 0 {
				t.Errorf("events = %v, want none: all was asked for", got)
			}
		},
		"hard stop": func(t *testing.T, w *world) {
			w.assign(power(fabric.Stopped, true))
			w.wantState(fabric.MachineStopped, 2)
		},
		"deallocate": func(t *testing.T, w *world) {
			w.assign(power(fabric.Deallocated, false))
			if r := w.wantState(fabric.MachineStopped, 2); !r.Deallocated {
				t.Error("not reported as deallocated")
			}
			want := []string{"disk data", "disk os", "machine m1", "network net"}
			if got := w.host.Left(); !cmp.Equal(got, want) {
				t.Errorf("left = %v, want %v", got, want)
			}
			w.assign(power(fabric.Running, false))
			w.wantState(fabric.MachineRunning, 3)
		},
		"restart": func(t *testing.T, w *world) {
			before := w.machine().StartedAt
			w.assign(change(func(m *fabric.Machine) { m.Restarts++ }))
			if r := w.wantState(fabric.MachineRunning, 2); !r.StartedAt.After(*before) {
				t.Errorf("started at %v, want after %v", r.StartedAt, before)
			}
			if got := w.events(); len(got) != 0 {
				t.Errorf("events = %v, want none: it was asked for", got)
			}
		},
		"hot-plug": func(t *testing.T, w *world) {
			w.assign(func(a *fabric.Assignment) {
				a.Disks = append(a.Disks, fabric.Disk{UID: "more", Generation: 1, Presence: fabric.Present, SizeBytes: 1 << 20})
				a.Machines[0].Generation++
				a.Machines[0].Disks = []fabric.MachineDisk{{UID: "os", OS: true}, {UID: "more", LUN: 1}}
			})
			w.wantState(fabric.MachineRunning, 2)
			in, _, err := fake.Hypervisor{Host: w.host}.Find(t.Context(), "m1")
			if want := []string{"os", "more"}; err != nil || !cmp.Equal(in.Disks, want) {
				t.Errorf("disks = %v, %v, want %v", in.Disks, err, want)
			}
		},
		"full disk": func(t *testing.T, w *world) {
			w.host.Fill()
			w.settle()
			if r := w.wantState(fabric.MachinePaused, 1); r.Problem == nil || r.Problem.Code != "HostDiskFull" {
				t.Errorf("problem = %v, want HostDiskFull", r.Problem)
			}
			w.host.Drain()
			w.settle()
			w.wantState(fabric.MachineRunning, 1)
			if got, want := w.events(), []string{"Paused", "Resumed"}; !cmp.Equal(got, want) {
				t.Errorf("events = %v, want %v", got, want)
			}
		},
		"failing disk": func(t *testing.T, w *world) {
			var resumes atomic.Int32
			w.host.FailWith(func(call, _ string) error {
				if call == "Resume" {
					resumes.Add(1)
				}
				return nil
			})
			w.host.Spoil()
			w.settle()
			if r := w.wantState(fabric.MachinePaused, 1); r.Problem == nil || r.Problem.Code != "HostDiskFailed" {
				t.Errorf("problem = %v, want HostDiskFailed", r.Problem)
			}
			if n := resumes.Load(); n == 0 || n > 10 {
				t.Errorf("the guest was let go on %d times within two minutes, want less and less often", n)
			}
			w.host.Mend()
			w.settle()
			w.wantState(fabric.MachineRunning, 1)
		},
		"disk of a paused guest is detached": func(t *testing.T, w *world) {
			w.host.Spoil()
			w.settle()
			w.assign(func(a *fabric.Assignment) {
				a.Machines[0].Generation++
				a.Machines[0].Disks = []fabric.MachineDisk{{UID: "os", OS: true}}
			})
			w.wantState(fabric.MachinePaused, 2)
			in, _, err := fake.Hypervisor{Host: w.host}.Find(t.Context(), "m1")
			if want := []string{"os"}; err != nil || !cmp.Equal(in.Disks, want) {
				t.Errorf("disks = %v, %v, want %v", in.Disks, err, want)
			}
		},
		"silent process is shown, and let be": func(t *testing.T, w *world) {
			w.host.Hang("m1")
			w.settle()
			if r := w.wantState(fabric.MachineRunning, 0); r.Problem == nil || r.Problem.Code != "HostTimeout" {
				t.Errorf("problem = %v, want HostTimeout", r.Problem)
			}
			w.host.Wake("m1")
			w.settle()
			if r := w.wantState(fabric.MachineRunning, 1); r.Problem != nil || len(r.Events) != 0 {
				t.Errorf("after it answers again: problem = %v, events = %v", r.Problem, r.Events)
			}
		},
		"silent process is stopped after its grace": func(t *testing.T, w *world) {
			w.host.Hang("m1")
			w.assign(power(fabric.Stopped, false))
			w.wantState(fabric.MachineStopped, 2)
		},
		"silent process is stopped hard and removed": func(t *testing.T, w *world) {
			w.host.Hang("m1")
			w.assign(power(fabric.Stopped, true))
			w.wantState(fabric.MachineStopped, 2)
			w.assign(power(fabric.Running, false))
			w.host.Hang("m1")
			w.assign(func(a *fabric.Assignment) { gone(a); a.Machines[0].Generation = 4 })
			w.wantState(fabric.MachineGone, 4)
		},
		"disk of a silent process does not grow": func(t *testing.T, w *world) {
			w.host.Hang("m1")
			w.assign(func(a *fabric.Assignment) { a.Disks[1].SizeBytes *= 2; a.Disks[1].Generation++ })
			if r := w.disk("data"); r.Generation != 1 || r.Problem == nil {
				t.Errorf("disk = %+v, want one whose growth the guest was not told", r)
			}
			w.host.Wake("m1")
			w.settle()
			if r := w.disk("data"); r.Generation != 2 || r.Problem != nil {
				t.Errorf("disk = %+v, want it grown", r)
			}
		},
		"start that fails is no crash": func(t *testing.T, w *world) {
			w.assign(power(fabric.Stopped, true))
			w.host.FailWith(func(call, _ string) error {
				if call == "Start" {
					return errors.New("no memory")
				}
				return nil
			})
			w.assign(power(fabric.Running, false))
			if r := w.wantState(fabric.MachineStarting, 2); r.Problem == nil || !strings.Contains(r.Problem.Message, "no memory") {
				t.Errorf("problem = %v, want why it does not start", r.Problem)
			}
			w.host.FailWith(nil)
			w.settle()
			w.wantState(fabric.MachineRunning, 3)
			if got := w.events(); len(got) != 0 {
				t.Errorf("events = %v, want none: nothing ran that could crash", got)
			}
		},
		"remove": func(t *testing.T, w *world) {
			w.assign(gone)
			w.wantState(fabric.MachineGone, 2)
			if left := w.host.Left(); len(left) > 0 {
				t.Errorf("left = %v, want nothing", left)
			}
			if files, err := os.ReadDir(w.dir + "/machines"); err != nil || len(files) > 0 {
				t.Errorf("records left: %v, %v", files, err)
			}
		},
		"what is not mentioned is left alone": func(t *testing.T, w *world) {
			w.crash()
			w.assign(func(a *fabric.Assignment) { *a = fabric.Assignment{} })
			w.run()
			w.settle()
			if got := w.host.Running(); !cmp.Equal(got, []string{"m1"}) {
				t.Errorf("running = %v, want m1", got)
			}
		},
	}
	for name, f := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.run()
				w.assign(hello)
				f(t, w)
				w.crash()
			})
		})
	}
}

// TestAgentEveryCrash plays a machine's life once for each thing that the
// agent does to the host, and ends the agent right before that thing.
func TestAgentEveryCrash(t *testing.T) {
	life := []struct {
		name  string
		do    func(*fabric.Assignment)
		check func(w *world)
	}{
		{"create", hello, func(w *world) { w.wantState(fabric.MachineRunning, 1) }},
		{"attach", func(a *fabric.Assignment) {
			a.Disks = append(a.Disks, fabric.Disk{UID: "more", Generation: 1, Presence: fabric.Present, SizeBytes: 1 << 20})
			change(func(m *fabric.Machine) {
				m.Disks = append(slices.Clone(m.Disks), fabric.MachineDisk{UID: "more", LUN: 1})
			})(a)
		}, func(w *world) { w.wantState(fabric.MachineRunning, 2) }},
		{"stop", power(fabric.Stopped, true), func(w *world) { w.wantState(fabric.MachineStopped, 3) }},
		{"start", power(fabric.Running, false), func(w *world) { w.wantState(fabric.MachineRunning, 4) }},
		{"restart", change(func(m *fabric.Machine) { m.Restarts++ }), func(w *world) { w.wantState(fabric.MachineRunning, 5) }},
		{"deallocate", power(fabric.Deallocated, false), func(w *world) { w.wantState(fabric.MachineStopped, 6) }},
		{"delete", gone, func(w *world) {
			if left := w.host.Left(); len(left) > 0 {
				w.t.Errorf("left = %v, want nothing", left)
			}
		}},
	}
	play := func(t *testing.T, at int) (calls int) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			crashed := make(chan struct{}, 1)
			var mu sync.Mutex
			w.host.FailWith(func(call, uid string) error {
				mu.Lock()
				defer mu.Unlock()
				calls++
				if calls == at {
					select {
					case crashed <- struct{}{}:
					default:
					}
					return errors.New("the agent is dead")
				}
				return nil
			})
			w.run()
			for _, step := range life {
				w.assign(step.do)
				select {
				case <-crashed:
					w.crash()
					w.run()
					w.settle()
				default:
				}
				step.check(w)
				if t.Failed() {
					t.Fatalf("at %q", step.name)
				}
			}
			w.crash()
		})
		return calls
	}
	total := play(t, -1)
	if total < 15 {
		t.Fatalf("only %d calls: the host was hardly touched", total)
	}
	for n := 1; n <= total; n++ {
		t.Run(fmt.Sprint(n), func(t *testing.T) { play(t, n) })
	}
}

func TestProvisioningFailureIsReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.run()
		w.host.SetGuests(sick{w})
		w.assign(hello)
		r := w.wantState(fabric.MachineRunning, 1)
		if r.Provisioning != nil || r.ReadyAt != nil {
			t.Fatalf("ready at %v, provisioning %v, want neither yet", r.ReadyAt, r.Provisioning)
		}
		w.crash()
	})
}

// Without a control plane a node goes on with what it was assigned.
func TestWithoutControlPlane(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.run()
		w.assign(hello)
		time.Sleep(time.Second) // not at the very moment at which it looks
		w.cut()
		synctest.Wait()
		w.host.Crash("m1")
		if err := (fake.Networks{Host: w.host}).Remove(t.Context(), "net"); err != nil {
			t.Fatal(err)
		}
		w.settle()
		if got := w.host.Running(); len(got) != 1 {
			t.Errorf("running = %v, want the machine", got)
		}
		if got := w.host.Left(); !slices.Contains(got, "network net") {
			t.Errorf("on the host = %v, want the network back", got)
		}
		w.crash()
	})
}

// A machine of which nothing can be seen says so, and goes on when it can be.
func TestUnreadableRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.run()
		w.assign(hello)
		file := filepath.Join(w.dir, "machines", "m1.json")
		good, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		write := func(b []byte) {
			if err := os.WriteFile(file, b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		write([]byte("{"))
		w.assign(power(fabric.Stopped, true))
		r := w.wantState(fabric.MachineRunning, 1)
		if r.Problem == nil || !strings.Contains(r.Problem.Message, file) {
			t.Errorf("problem = %v, want one that names the file", r.Problem)
		}
		write(good)
		w.settle()
		if r := w.wantState(fabric.MachineStopped, 2); r.Problem != nil {
			t.Errorf("problem = %v, want none any more", r.Problem)
		}
		w.crash()
	})
}

// A clock that is set back does not give a guest for ever to shut down.
func TestStopAfterClockWasSetBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.run()
		w.assign(hello)
		w.crash()
		file := filepath.Join(w.dir, "machines", "m1.json")
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		later := time.Now().Add(24 * time.Hour).Format(time.RFC3339)
		b = append([]byte(`{"askedAt":"`+later+`",`), b[1:]...)
		if err := os.WriteFile(file, b, 0o600); err != nil {
			t.Fatal(err)
		}
		w.host.Hang("m1")
		w.run()
		w.assign(power(fabric.Stopped, false))
		w.wantState(fabric.MachineStopped, 2)
		w.crash()
	})
}

// sick is a guest that says nothing.
type sick struct{ *world }

func (sick) Ready(string)                              {}
func (sick) ProvisioningFailed(string, fabric.Problem) {}

func TestNodeReport(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.run()
		w.settle()
		w.crash()
		if n := w.node; n == nil || n.CPUs < 1 || n.MemoryMiB < 1 || n.DiskBytes < 1 || n.Accelerator != "fake" {
			t.Errorf("node = %+v", n)
		}
	})
}

// An image that cannot be read costs the host nothing but that image.
func TestUnreadableImage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.images, w.unread = []fabric.NodeImage{{Name: "good"}}, errors.New("image bad: read image.json")
		w.run()
		w.assign(func(*fabric.Assignment) {})
		w.mu.Lock()
		if w.node == nil || len(w.node.Images) != 1 || w.node.Images[0].Name != "good" {
			t.Errorf("the node's report is %+v, want one with the good image", w.node)
		}
		w.mu.Unlock()
		w.crash()
	})
}

// A machine that waits for what cannot be made says why, and runs when it can.
func TestMachineLacksSomething(t *testing.T) {
	for call, uid := range map[string]string{"ensure disk": "os", "ensure network": "net"} {
		t.Run(call, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.host.FailWith(func(_, id string) error {
					if id == uid {
						return errors.New("cannot be made")
					}
					return nil
				})
				w.run()
				w.assign(hello)
				r := w.wantState(fabric.MachineStarting, 0)
				if r.Problem == nil || !strings.Contains(r.Problem.Message, "cannot be made") {
					t.Errorf("the machine's problem is %v, want why its part cannot be made", r.Problem)
				}
				w.host.FailWith(nil)
				w.settle()
				if r := w.wantState(fabric.MachineRunning, 1); r.Problem != nil {
					t.Errorf("the machine runs, with the problem %v", r.Problem)
				}
				w.crash()
			})
		})
	}
}
