package node

import (
	"context"
	"io"
	"sync"
	"time"

	"lazuli/internal/fabric"
)

// How often what a guest says of itself is passed on: news, and that it is as
// it was. A guest may talk much faster, to do harm or because it is broken, and
// each word that is passed on is a write to the state of the whole cloud.
const (
	newsEvery      = 10 * time.Second
	heartbeatEvery = 5 * time.Minute
)

// agents is what guests' agents said, as far as it is passed on. It need not
// outlive the agent: they say it every few seconds.
type agents struct {
	mu sync.Mutex
	m  map[string]heardAgent
}

func newAgents() agents {
	return agents{m: map[string]heardAgent{}}
}

type heardAgent struct {
	fabric.Agent
	at time.Time // by the agent's own clock
}

func (a *agents) get(uid string) *fabric.Agent {
	a.mu.Lock()
	defer a.mu.Unlock()
	if s, ok := a.m[uid]; ok {
		return &s.Agent
	}
	return nil
}

// hear says whether what the guest's agent says is to be passed on.
func (a *agents) hear(uid string, s fabric.Agent, now time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	was, had := a.m[uid]
	wait := heartbeatEvery
	if was.Status != s.Status || was.Version != s.Version || was.Message != s.Message {
		wait = newsEvery
	}
	if had && now.Sub(was.at) < wait {
		return false
	}
	a.m[uid] = heardAgent{s, now}
	return true
}

func (a *agents) forget(uid string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.m, uid)
}

// Ready is called when a guest reports that it is ready. The first time sticks.
func (a *Agent) Ready(uid string) {
	now := time.Now()
	a.note(uid, func(r *record) {
		if r.ReadyAt == nil {
			r.ReadyAt = &now
		}
		r.Provisioning = nil
	})
}

// ProvisioningFailed is called when a guest reports that it could not be
// provisioned.
func (a *Agent) ProvisioningFailed(uid string, p fabric.Problem) {
	now := time.Now()
	a.note(uid, func(r *record) {
		if r.ReadyAt != nil || r.FailedAt != nil && within(newsEvery, *r.FailedAt, now) {
			return
		}
		if r.Provisioning == nil || *r.Provisioning != p {
			r.Provisioning, r.FailedAt = &p, &now
		}
	})
}

// AgentStatus is called when a guest's agent says how it is.
func (a *Agent) AgentStatus(uid string, s fabric.Agent) {
	if _, ok := a.Machine(uid); ok && a.agents.hear(uid, s, time.Now()) {
		a.machines.Add(uid)
	}
}

// note writes down what a guest says. What it has said before costs nothing
// but reading the record.
func (a *Agent) note(uid string, f func(*record)) {
	if _, ok := a.Machine(uid); !ok {
		return
	}
	changed, err := a.records.note(uid, f)
	if err != nil {
		a.c.Log.Error("machine's record not written", "vm", uid, "err", err)
	}
	if changed || err != nil {
		a.machines.Add(uid)
	}
}

// watchEvents writes down what happens to machines by itself. One goroutine
// does so, in order; flush waits for it.
func (a *Agent) watchEvents(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case e := <-a.c.Hypervisor.Events():
			a.heard(e)
		case done := <-a.flushes:
			a.drain()
			close(done)
		}
	}
}

func (a *Agent) drain() {
	for {
		select {
		case e := <-a.c.Hypervisor.Events():
			a.heard(e)
		default:
			return
		}
	}
}

// flush returns when every event that had been delivered is written down. A
// hypervisor delivers an event before Find shows what it explains, so after a
// Find and a flush the record knows why.
func (a *Agent) flush(ctx context.Context) error {
	done := make(chan struct{})
	select {
	case a.flushes <- done:
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (a *Agent) heard(e InstanceEvent) {
	m, assigned := a.Machine(e.UID)
	var f func(*record)
	switch e.Kind {
	case EventReset:
		f = func(r *record) {
			r.BootedAt = &e.At
			r.event(e.At, "GuestReboot", "The guest restarted.")
		}
	case EventShutdown:
		f = func(r *record) {
			if r.firstTold(e.At) {
				a.powerOff(r, m, e.At)
			}
		}
	case EventExited:
		f = func(r *record) {
			if r.firstTold(e.At) && r.Started && r.AskedAt == nil {
				r.event(e.At, "Crashed", "The process of the virtual machine ended unexpectedly: %s.", e.Detail)
			}
		}
	case EventIOError:
		f = func(r *record) {
			r.event(e.At, "Paused", "The virtual machine was paused because the host's disk %s.", diskTrouble(e.Detail))
		}
	}
	if f != nil && a.records.has(e.UID) {
		if _, err := a.records.note(e.UID, f); err != nil {
			a.c.Log.Error("machine's record not written", "vm", e.UID, "err", err)
		}
	}
	if assigned {
		a.machines.Add(e.UID)
	}
}

// powerOff notes that the guest powered itself off. When it had been asked to,
// that is how a stop or a restart goes on.
func (a *Agent) powerOff(r *record, m fabric.Machine, at time.Time) {
	if r.AskedAt != nil {
		return
	}
	r.Started = false
	r.HaltedAt = max(m.PowerGeneration, r.PowerGeneration, 1)
	r.event(at, "GuestShutdown", "The guest powered itself off. Start the virtual machine to run it again.")
}

// SerialLog and Console are what the control plane asks for on the link.
func (a *Agent) SerialLog(uid string) (io.ReadCloser, error) { return a.c.Hypervisor.SerialLog(uid) }

// Console opens the serial port of a machine.
func (a *Agent) Console(ctx context.Context, uid string) (io.ReadWriteCloser, error) {
	return a.c.Hypervisor.Console(ctx, uid)
}
