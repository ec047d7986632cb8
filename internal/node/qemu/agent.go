package qemu

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"lazuli/internal/fabric"
	"lazuli/internal/node"
	"lazuli/internal/node/qemu/guest"
	"lazuli/internal/node/qemu/qga"
)

// agentID names the port of the guest's agent in QEMU.
const agentID = "agent"

// agentTimeout bounds one call of a guest's agent, which may be busy under TCG,
// and may never answer.
const agentTimeout = 15 * time.Second

// agentPort is the way to the agent of one guest. Its connection is kept as long
// as the process: an agent without one looks for it ten times a second.
type agentPort struct {
	gate gate // held by who speaks to the agent
	proc *process

	mu     sync.Mutex
	client *qga.Client // of the process proc; nil when there is none
}

// hangUp closes the connection, also under the hands of who speaks.
func (a *agentPort) hangUp() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.client != nil {
		a.client.Close() //nolint:errcheck // nothing is lost
		a.client = nil
	}
}

func (a *agentPort) connected() *qga.Client {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.client
}

func (a *agentPort) connect(c *qga.Client, p *process) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.client, a.proc = c, p
}

// withAgent calls f with the agent of a guest that runs, which answers.
func (d *Driver) withAgent(ctx context.Context, uid string, f func(ctx context.Context, c *qga.Client) error) error {
	m, err := d.machine(uid)
	if err != nil {
		return fmt.Errorf("qemu: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, agentTimeout)
	defer cancel()
	if err := m.agent.gate.enter(ctx); err != nil {
		return err
	}
	defer m.agent.gate.leave()
	c, err := d.dialAgent(ctx, m)
	if err != nil {
		return fmt.Errorf("qemu: %w", err)
	}
	if err = syncAgent(ctx, c); err == nil {
		err = f(ctx, c)
	}
	if _, refused := errors.AsType[*qga.Error](err); err != nil && !refused {
		m.agent.hangUp()
	}
	return err
}

// syncTimeout is how long an agent has to answer at all.
const syncTimeout = 5 * time.Second

func syncAgent(ctx context.Context, c *qga.Client) error {
	ctx, cancel := context.WithTimeout(ctx, syncTimeout)
	defer cancel()
	if err := c.Sync(ctx); err != nil {
		return fmt.Errorf("%w: %w", node.ErrNoAgent, err)
	}
	return nil
}

// dialAgent returns a client of the agent of the process that runs, if the
// guest has its end of the port open: what is said to nobody would be heard by
// whoever comes later.
func (d *Driver) dialAgent(ctx context.Context, m *machine) (*qga.Client, error) {
	p := m.process()
	if p != m.agent.proc {
		m.agent.hangUp()
	}
	if p == nil {
		return nil, node.ErrNoAgent
	}
	open, err := p.agentOpen(ctx)
	if err != nil {
		return nil, err
	}
	if !open {
		return nil, node.ErrNoAgent
	}
	if c := m.agent.connected(); c != nil {
		return c, nil
	}
	conn, err := m.dir.dial(ctx, agentSock)
	if err != nil {
		return nil, err
	}
	c := qga.New(conn)
	m.agent.connect(c, p)
	return c, nil
}

// agentOpen says whether an agent in the guest has opened its port. A process
// from before there was one has none.
func (p *process) agentOpen(ctx context.Context) (bool, error) {
	var devices []struct {
		Label string `json:"label"`
		Open  bool   `json:"frontend-open"`
	}
	if err := p.do(ctx, "query-chardev", nil, &devices); err != nil {
		return false, err
	}
	for _, dev := range devices {
		if dev.Label == agentID {
			return dev.Open, nil
		}
	}
	return false, nil
}

// GuestAgent says whose the answers are.
func (d *Driver) GuestAgent(ctx context.Context, uid string) (a node.GuestAgent, err error) {
	err = d.withAgent(ctx, uid, func(ctx context.Context, c *qga.Client) error {
		version, err := c.Version(ctx)
		if err != nil {
			return err
		}
		a.Version = guest.Text([]byte(version), maxVersion)
		out, err := c.Run(ctx, program(guest.Boot, "", "", nil))
		if _, refused := errors.AsType[*qga.Error](err); refused {
			return nil // it answers, and runs nothing
		}
		if err != nil {
			return err
		}
		a.Boot, err = guest.ParseBoot(out.Stdout)
		return err
	})
	return a, err
}

const maxVersion = 64

func program(v guest.Verb, boot, command string, input []byte) qga.Program {
	return qga.Program{Path: guest.Shell, Args: guest.Args(v, guest.Dir, boot, command), Input: input}
}

// BeginCommand starts a command in the guest, once.
func (d *Driver) BeginCommand(ctx context.Context, uid, boot string, c fabric.Command) error {
	_, err := d.run(ctx, uid, c.UID, program(guest.Begin, boot, c.UID, guest.Input(c)))
	return err
}

// LookAtCommand says how far a command is.
func (d *Driver) LookAtCommand(ctx context.Context, uid, boot, command string) (node.CommandProgress, error) {
	out, err := d.run(ctx, uid, command, program(guest.Look, boot, command, nil))
	if err != nil {
		return node.CommandProgress{}, err
	}
	return guest.ParseLook(out.Stdout, out.Stderr)
}

// KillCommand ends a command.
func (d *Driver) KillCommand(ctx context.Context, uid, boot, command string) error {
	_, err := d.run(ctx, uid, command, program(guest.Kill, boot, command, nil))
	return err
}

// ForgetCommand ends a command and removes what there is of it.
func (d *Driver) ForgetCommand(ctx context.Context, uid, boot, command string) error {
	_, err := d.run(ctx, uid, command, program(guest.Forget, boot, command, nil))
	return err
}

// run runs a program about a command in a guest to its end. What the agent
// refuses it refuses for good.
func (d *Driver) run(ctx context.Context, uid, command string, p qga.Program) (out qga.Output, err error) {
	if err := checkUID(command); err != nil {
		return out, fmt.Errorf("qemu: command: %w", err)
	}
	err = d.withAgent(ctx, uid, func(ctx context.Context, c *qga.Client) error {
		var err error
		out, err = c.Run(ctx, p)
		return err
	})
	if refusal, ok := errors.AsType[*qga.Error](err); ok {
		return out, &fabric.Problem{Code: "VMAgentCommandRefused", Message: "The guest's agent does not run commands: " + guest.Text([]byte(refusal.Desc), maxRefusal) + "."}
	}
	if err != nil {
		return out, err
	}
	return out, guest.Check(out.ExitCode, out.Stderr)
}

const maxRefusal = 200
