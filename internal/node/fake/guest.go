package fake

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"lazuli/internal/fabric"
	"lazuli/internal/node"
)

// The guests of a fake host have an agent and a shell that knows echo (also to
// >&2), sleep, exit, true, uname, whoami and comments, with the parameters of a
// script as $1 and $name. Whatever else is run is not found. They run nothing on
// the host.

// guest is what a machine's disk remembers of commands, and who may log in.
type guest struct {
	commands map[string]*command
	ran      []string // the UIDs of all commands ever started
	users    map[string]fabric.Access
	mute     bool // no agent answers
}

type command struct {
	ends     time.Time
	killed   bool
	progress node.CommandProgress // at the end
}

// Silence has the agent of a guest answer no more, and Speak again.
func (h *Host) Silence(uid string) { h.setMute(uid, true) }

// Speak ends what Silence began.
func (h *Host) Speak(uid string) { h.setMute(uid, false) }

func (h *Host) setMute(uid string, mute bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.guest(uid).mute = mute
}

// Ran are the UIDs of the commands that a guest started, in order.
func (h *Host) Ran(uid string) []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.guest(uid).ran)
}

// Keeps are the UIDs of the commands of which a guest keeps something.
func (h *Host) Keeps(uid string) (all []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for c := range h.guest(uid).commands {
		all = append(all, c)
	}
	slices.Sort(all)
	return all
}

// User says how a user of a guest was last made.
func (h *Host) User(uid, name string) (fabric.Access, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	a, ok := h.guest(uid).users[name]
	return a, ok
}

// guest is called with mu held.
func (h *Host) guest(uid string) *guest {
	g := h.inside[uid]
	if g == nil {
		g = &guest{commands: map[string]*command{}, users: map[string]fabric.Access{}}
		h.inside[uid] = g
	}
	return g
}

// ask returns with the lock held, unless no agent answers.
func (h *Host) ask(uid string) (g *guest, boot string, err error) {
	h.mu.Lock()
	return h.locked(uid)
}

// tell is ask for what has an effect.
func (h *Host) tell(call, uid string) (g *guest, boot string, err error) {
	if err := h.begin(call, uid); err != nil {
		return nil, "", err
	}
	return h.locked(uid)
}

func (h *Host) locked(uid string) (g *guest, boot string, err error) {
	m := h.machines[uid]
	if m == nil || !m.runs || m.hangs || m.inst.State != node.InstanceRunning || h.guest(uid).mute {
		h.mu.Unlock()
		return nil, "", node.ErrNoAgent
	}
	return h.guest(uid), fmt.Sprintf("boot-%d", m.booted), nil
}

// GuestAgent is a fake's own.
func (h Hypervisor) GuestAgent(_ context.Context, uid string) (node.GuestAgent, error) {
	_, boot, err := h.ask(uid)
	if err != nil {
		return node.GuestAgent{}, err
	}
	defer h.mu.Unlock()
	return node.GuestAgent{Version: "1.0", Boot: boot}, nil
}

// BeginCommand starts a command, once.
func (h Hypervisor) BeginCommand(_ context.Context, uid, boot string, c fabric.Command) error {
	g, now, err := h.tell("BeginCommand", uid)
	if err != nil {
		return err
	}
	defer h.mu.Unlock()
	if now != boot || g.commands[c.UID] != nil {
		return nil
	}
	g.ran = append(g.ran, c.UID)
	x := &command{ends: time.Now()}
	if c.Access != nil {
		g.allow(c.Access)
		x.progress.State = node.CommandEnded
	} else {
		var lasts time.Duration
		x.progress, lasts = interpret(c)
		x.ends = x.ends.Add(lasts)
	}
	g.commands[c.UID] = x
	return nil
}

func (g *guest) allow(a *fabric.Access) {
	delete(g.users, a.RemoveUser)
	if a.Username != "" {
		g.users[a.Username] = *a
	}
}

// LookAtCommand says how far a command is.
func (h Hypervisor) LookAtCommand(_ context.Context, uid, boot, command string) (node.CommandProgress, error) {
	g, now, err := h.ask(uid)
	if err != nil {
		return node.CommandProgress{}, err
	}
	defer h.mu.Unlock()
	c := g.commands[command]
	switch {
	case c == nil && now == boot:
		return node.CommandProgress{State: node.CommandUnknown}, nil
	case c == nil || c.killed:
		return node.CommandProgress{State: node.CommandBroken}, nil
	case c.over():
		return c.progress, nil
	}
	return node.CommandProgress{State: node.CommandRunning}, nil
}

func (c *command) over() bool { return !time.Now().Before(c.ends) }

// interrupt ends the commands of a guest that ends. It is called with mu held.
func (h *Host) interrupt(uid string) {
	for _, c := range h.guest(uid).commands {
		c.killed = c.killed || !c.over()
	}
}

// KillCommand ends a command.
func (h Hypervisor) KillCommand(_ context.Context, uid, boot, command string) error {
	g, now, err := h.tell("KillCommand", uid)
	if err != nil {
		return err
	}
	defer h.mu.Unlock()
	if c := g.commands[command]; c != nil && now == boot && !c.over() {
		c.killed = true
	}
	return nil
}

// ForgetCommand forgets a command.
func (h Hypervisor) ForgetCommand(_ context.Context, uid, _, command string) error {
	g, _, err := h.tell("ForgetCommand", uid)
	if err != nil {
		return err
	}
	defer h.mu.Unlock()
	delete(g.commands, command)
	return nil
}

// programs are those that only write.
var programs = map[string][]byte{"true": {}, "uname": []byte("Linux\n"), "whoami": []byte("root\n")}

// notFound is what a shell says of a program that there is not.
const notFound = 127

// interpret says what a script comes to, and how long it takes.
func interpret(c fabric.Command) (p node.CommandProgress, lasts time.Duration) {
	p.State = node.CommandEnded
	for line := range strings.Lines(c.Script) {
		line = strings.TrimSpace(line)
		word, rest, _ := strings.Cut(substitute(line, c.Parameters), " ")
		p.ExitCode = 0
		switch {
		case word == "" || strings.HasPrefix(word, "#"):
		case word == "echo":
			to := &p.Stdout
			if text, ok := strings.CutSuffix(rest, ">&2"); ok {
				rest, to = strings.TrimSpace(text), &p.Stderr
			}
			*to = append(*to, strings.Trim(rest, `"'`)+"\n"...)
		case programs[word] != nil:
			p.Stdout = append(p.Stdout, programs[word]...)
		case word == "sleep":
			n, _ := strconv.ParseFloat(rest, 64)
			lasts += time.Duration(n * float64(time.Second))
		case word == "exit":
			p.ExitCode, _ = strconv.Atoi(rest)
			return p, lasts
		default:
			p.Stderr = append(p.Stderr, "sh: "+word+": not found\n"...)
			p.ExitCode = notFound
		}
	}
	return p, lasts
}

func substitute(line string, parameters []fabric.Parameter) string {
	for i, p := range parameters {
		line = strings.ReplaceAll(line, "$"+strconv.Itoa(i+1), p.Value)
		line = strings.ReplaceAll(line, "$"+p.Name, p.Value)
	}
	return line
}
