package e2e

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"lazuli/test/e2e/cloudtest"
)

// rounds is how often lazuli is killed in the middle of each kind of request.
const rounds = 4

// TestKilledInTheMiddle kills lazuli by SIGKILL while it is at a request, at a
// moment that a seed decides. A request that was acknowledged then has its
// effect; of one that was not, nobody is worse off than that it is made again.
func TestKilledInTheMiddle(t *testing.T) {
	t.Parallel()
	c := cloudtest.New(t)
	c.Up()
	a := c.API()
	k := &killer{c: c, a: a, random: rand.New(rand.NewPCG(1, 2))}
	var names, disks []string
	for i := range rounds {
		names = append(names, fmt.Sprintf("vm%d", i))
		makeNIC(a, names[i])
		disk := a.ID(diskType, fmt.Sprintf("data%d", i))
		a.Must("PUT", disk, emptyDisk(a, 1), nil)
		a.Await(disk, "Succeeded")
		disks = append(disks, disk)
	}
	stage := func(name string, f func(t *testing.T)) bool {
		defer func() { c.T = t }()
		return t.Run(name, func(t *testing.T) { c.T = t; f(t) })
	}
	_ = stage("create", func(t *testing.T) { killInCreate(t, k, names) }) &&
		stage("attach", func(t *testing.T) { killInAttach(t, k, names, disks) }) &&
		stage("stop", func(t *testing.T) { killInStop(t, k, names) }) &&
		stage("delete", func(t *testing.T) { killInDelete(t, k, names) })
}

// killer kills the cloud in the middle of requests.
type killer struct {
	c      *cloudtest.Cloud
	a      *cloudtest.API
	random *rand.Rand
}

// during makes a request, kills lazuli a moment later, starts it again, and
// makes the request again if it was not acknowledged. In even rounds the moment
// is within the request, in odd ones within what follows it. again says which
// refusal of the second request means that the first one has happened.
func (k *killer) during(t *testing.T, round int, method, path string, body any, again ...int) {
	t.Helper()
	within := 8 * time.Millisecond
	if round%2 == 1 {
		within = time.Second
	}
	after := time.Duration(k.random.Int64N(int64(within)))
	answer := make(chan error, 1)
	go func() { answer <- k.a.Ask(context.Background(), method, path, body, nil) }()
	<-time.After(after)
	k.c.Kill()
	err := <-answer
	k.c.Up()
	word := "acknowledged"
	if err != nil {
		word = "not acknowledged, and repeated"
		k.repeat(t, method, path, body, again)
	}
	t.Logf("%-6s %-8s killed after %-8s: %s", method, filepath.Base(path), after.Round(100*time.Microsecond), word)
}

func (k *killer) repeat(t *testing.T, method, path string, body any, again []int) {
	t.Helper()
	k.c.Eventually("the request is taken", func() error {
		err := k.a.Ask(context.Background(), method, path, body, nil)
		for _, status := range again {
			if cloudtest.StatusOf(err) == status {
				return nil
			}
		}
		return err
	})
}

// wantProcesses checks that each of the machines has one process, and that
// there is no other.
func (k *killer) wantProcesses(t *testing.T, names ...string) {
	t.Helper()
	want := map[string]string{}
	for _, name := range names {
		var vm cloudtest.VM
		k.a.Must("GET", k.a.ID(vmType, name), nil, &vm)
		want[vm.Properties.VMID] = name
	}
	k.c.Eventually("each machine has one process", func() error {
		got := map[string]int{}
		for _, p := range k.c.Processes() {
			got[p.Machine]++
		}
		for uid, name := range want {
			if got[uid] != 1 {
				return fmt.Errorf("%s has %d processes", name, got[uid])
			}
			delete(got, uid)
		}
		if len(got) > 0 {
			return fmt.Errorf("there are processes of other machines: %v", got)
		}
		return nil
	})
}

func killInCreate(t *testing.T, k *killer, names []string) {
	for i, name := range names {
		k.during(t, i, "PUT", k.a.ID(vmType, name), vmBody(k.c, k.a, name, k.a.ID(nicType, name)))
	}
	for _, name := range names {
		k.a.Await(k.a.ID(vmType, name), "Succeeded")
		if host := k.c.Guest(name).Status().Hostname; host != name {
			t.Errorf("the guest of %s is named %s", name, host)
		}
	}
	k.wantProcesses(t, names...)
}

// killInAttach gives two machines two disks each, the most that their size
// may have, while they write to those that they have.
func killInAttach(t *testing.T, k *killer, names, disks []string) {
	for i := range disks {
		name, had := names[i%2], i/2
		id, lun := k.a.ID(vmType, name), fmt.Sprintf("lun%d", had)
		g := k.c.Guest(name)
		stop := g.Listen()
		g.Append("root")
		k.during(t, i, "PATCH", id, dataDisks([]string{disks[i%2], disks[i%2+2]}[:1+had]...))
		k.a.Await(id, "Succeeded")
		g.Append(lun)
		g.AwaitMore(3, lun)
		k.wantProcesses(t, k.machines()...)
		wantAllAcked(g, 1+had)
		stop()
	}
}

// machines are the names of the machines that there are.
func (k *killer) machines() []string {
	var list struct {
		Value []cloudtest.VM `json:"value"`
	}
	k.a.Must("GET", k.a.Group("default")+"/providers/"+vmType, nil, &list)
	var names []string
	for _, vm := range list.Value {
		names = append(names, vm.Name)
	}
	return names
}

func wantAllAcked(g *cloudtest.Guest, disks int) {
	g.WantAcked("root")
	for i := range disks {
		g.WantAcked(fmt.Sprintf("lun%d", i))
	}
}

// killInStop stops each machine while it writes, and starts it again. The first
// two have two data disks each.
func killInStop(t *testing.T, k *killer, names []string) {
	var guests []*cloudtest.Guest
	for i, name := range names {
		g, id := k.c.Guest(name), k.a.ID(vmType, name)
		guests = append(guests, g)
		g.Append("root")
		defer g.Listen()()
		g.AwaitMore(3, "root")
		uid, action := g.VMID(), "/powerOff"
		if i >= len(names)/2 {
			action = "/deallocate"
		}
		// While the first request is at work, a second one of its kind is refused.
		k.during(t, i, "POST", id+action, nil, http.StatusConflict)
		k.c.Eventually(name+" is stopped", func() error { return k.power(id, "stopped", "deallocated") })
		for _, p := range k.c.Processes() {
			if p.Machine == uid {
				t.Errorf("process %d still runs %s", p.PID, name)
			}
		}
		k.a.Await(id, "Succeeded")
		k.a.Must("POST", id+"/start", nil, nil)
	}
	for i, g := range guests {
		disks := 0
		if i < 2 {
			disks = 2
		}
		wantAllAcked(g, disks)
	}
	k.wantProcesses(t, names...)
}

// power says whether the machine's power state is one of those wanted.
func (k *killer) power(id string, want ...string) error {
	var view struct {
		Statuses []struct{ Code string } `json:"statuses"`
	}
	if err := k.a.Ask(context.Background(), "GET", id+"/instanceView", nil, &view); err != nil {
		return err
	}
	for _, s := range view.Statuses {
		for _, w := range want {
			if strings.EqualFold(s.Code, "PowerState/"+w) {
				return nil
			}
		}
	}
	return fmt.Errorf("its statuses are %v", view.Statuses)
}

func killInDelete(t *testing.T, k *killer, names []string) {
	for i, name := range names {
		k.during(t, i, "DELETE", k.a.ID(vmType, name), nil)
		k.a.Await(k.a.ID(vmType, name), "")
		k.wantProcesses(t, names[i+1:]...)
	}
	for _, pattern := range []string{"machines/*-*-*", "media/*", "agent/machines/*"} {
		left, err := filepath.Glob(filepath.Join(k.c.Dir, pattern))
		if err != nil || len(left) > 0 {
			t.Errorf("left: %v (%v)", left, err)
		}
	}
	for i := range names {
		k.a.Await(k.a.ID(diskType, fmt.Sprintf("data%d", i)), "Succeeded")
	}
}
