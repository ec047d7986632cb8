package node

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"lazuli/internal/fabric"
)

// commandRecord is what the agent remembers of a command: it is written before
// the command is started, and until the command is no longer assigned.
type commandRecord struct {
	// Boot of the guest that the command was to start in; "" before that.
	Boot    string     `json:"boot,omitempty"`
	AskedAt time.Time  `json:"askedAt"`
	BegunAt *time.Time `json:"begunAt,omitempty"`
	// TimedOut says that the command was ended because it took too long.
	TimedOut bool                  `json:"timedOut,omitempty"`
	Report   *fabric.CommandReport `json:"report,omitempty"` // of its end
}

// How often a command is looked at: after a part of the time that it has taken
// already.
const (
	firstLook  = 100 * time.Millisecond
	lastLook   = 3 * time.Second
	lookPart   = 4
	agentSoon  = time.Second
	agentRetry = time.Minute
)

// reconcileGuest makes one step with what is to be done in a machine's guest,
// and finds out whether the guest's agent answers. It has a loop of its own: a
// guest may take its time to answer, or never do.
func (a *Agent) reconcileGuest(ctx context.Context, uid string) (time.Duration, error) {
	m, ok := a.Machine(uid)
	if !ok || m.Presence == fabric.Absent {
		return 0, nil
	}
	inst, runs, err := a.c.Hypervisor.Find(ctx, uid)
	if err != nil {
		return 0, fmt.Errorf("find machine: %w", err)
	}
	rec, err := a.records.get(uid)
	if err != nil {
		return 0, err
	}
	s := &step{Agent: a, m: m, inst: inst, runs: runs, rec: rec}
	next, some := s.nextCommand()
	if gone := s.unassigned(); len(gone) > 0 {
		forgotten, err := s.forgetCommand(ctx, gone[0])
		if forgotten {
			a.guests.Add(uid) // for the rest
			return 0, nil
		}
		if !some {
			return agentRetry, err
		}
	}
	if some { // whatever became of those before
		return s.doCommand(ctx, next)
	}
	return s.askAgent(ctx)
}

// unassigned are the commands that nobody asks for any more.
func (s *step) unassigned() (uids []string) {
	for uid := range s.rec.Commands {
		if !slices.ContainsFunc(s.m.Commands, func(c fabric.Command) bool { return c.UID == uid }) {
			uids = append(uids, uid)
		}
	}
	slices.Sort(uids)
	return uids
}

// nextCommand is the first that has not ended.
func (s *step) nextCommand() (fabric.Command, bool) {
	for _, c := range s.m.Commands {
		if r := s.rec.Commands[c.UID]; r == nil || r.Report == nil {
			return c, true
		}
	}
	return fabric.Command{}, false
}

// forgetCommand has the guest forget a command, if it has heard of it. That of a
// guest that does not run or answer waits until it does.
func (s *step) forgetCommand(ctx context.Context, uid string) (forgotten bool, err error) {
	if r := s.rec.Commands[uid]; r.Boot != "" {
		if !s.answers() {
			return false, nil
		}
		err := s.c.Hypervisor.ForgetCommand(ctx, s.m.UID, r.Boot, uid)
		if errors.Is(err, ErrNoAgent) {
			return false, nil
		}
		if _, refused := errors.AsType[*fabric.Problem](err); err != nil && !refused {
			return false, fmt.Errorf("forget command: %w", err)
		}
	}
	err = s.updateCommands(func(m map[string]*commandRecord) { delete(m, uid) })
	return err == nil, err
}

// answers says whether there is a guest that could answer.
func (s *step) answers() bool { return s.runs && s.inst.State == InstanceRunning }

// stays says that the machine is not to be removed: before it is, that is told,
// and then nothing may be remembered of it again.
func (s *step) stays() bool {
	m, ok := s.Machine(s.m.UID)
	return ok && m.Presence != fabric.Absent
}

// updateCommands changes what is remembered of the machine's commands. A
// machine that was removed meanwhile is not remembered again.
func (s *step) updateCommands(f func(map[string]*commandRecord)) error {
	return s.update(func(r *record) {
		if !s.stays() {
			return
		}
		if r.Commands == nil {
			r.Commands = map[string]*commandRecord{}
		}
		f(r.Commands)
	})
}

// doCommand takes a command one step on.
func (s *step) doCommand(ctx context.Context, c fabric.Command) (time.Duration, error) {
	r := s.rec.Commands[c.UID]
	if r == nil {
		r = &commandRecord{AskedAt: time.Now()}
		if err := s.updateCommands(func(m map[string]*commandRecord) { m[c.UID] = r }); err != nil {
			return 0, err
		}
	}
	switch {
	case !s.runs && (s.m.Power != fabric.Running || s.halted()):
		return 0, s.abandonCommand(c, r, "The virtual machine was stopped")
	case !s.answers():
		return agentSoon, nil
	case r.Boot == "":
		return s.beginCommand(ctx, c, r)
	}
	return s.lookAtCommand(ctx, c, r)
}

// beginCommand starts a command, of which it is first written down where.
func (s *step) beginCommand(ctx context.Context, c fabric.Command, r *commandRecord) (time.Duration, error) {
	agent, err := s.c.Hypervisor.GuestAgent(ctx, s.m.UID)
	if errors.Is(err, ErrNoAgent) {
		return agentSoon, s.waitForAgent(c, r)
	}
	if err != nil {
		return 0, fmt.Errorf("ask guest's agent: %w", err)
	}
	if err := s.hearAgent(&agent); err != nil {
		return 0, err
	}
	if agent.Boot == "" {
		return 0, s.endCommand(c, fabric.CommandReport{Problem: &fabric.Problem{Code: "VMAgentCommandRefused",
			Message: fmt.Sprintf("The guest agent of VM '%s' does not run commands. Allow it to in the guest: guest-exec must not be blocked in its configuration.", s.m.Name)}})
	}
	now := time.Now()
	r.Boot, r.BegunAt = agent.Boot, &now
	if err := s.updateCommands(func(m map[string]*commandRecord) { m[c.UID] = r }); err != nil {
		return 0, err
	}
	return s.sendCommand(ctx, c, r)
}

// sendCommand has the guest start a command; it does so once, however often it
// is told.
func (s *step) sendCommand(ctx context.Context, c fabric.Command, r *commandRecord) (time.Duration, error) {
	err := s.c.Hypervisor.BeginCommand(ctx, s.m.UID, r.Boot, c)
	if problem, ok := errors.AsType[*fabric.Problem](err); ok {
		return 0, s.endCommand(c, fabric.CommandReport{Problem: problem})
	}
	if err != nil && !errors.Is(err, ErrNoAgent) {
		return 0, fmt.Errorf("begin command: %w", err)
	}
	return firstLook, nil
}

// waitForAgent gives up on an agent that has not answered for long.
func (s *step) waitForAgent(c fabric.Command, r *commandRecord) error {
	since := r.AskedAt
	if b := s.rec.BootedAt; b != nil && b.After(since) {
		since = *b
	}
	if time.Since(since) < s.c.AgentPatience {
		return nil
	}
	return s.endCommand(c, fabric.CommandReport{Problem: &fabric.Problem{Code: "VMAgentStatusCommunicationError",
		Message: fmt.Sprintf("VM '%s' has not reported status for VM agent or extensions. Verify that the OS is up and healthy, and that the VM has the QEMU guest agent running (the package qemu-guest-agent).", s.m.Name)}})
}

// lookAtCommand asks how far a command is that was started.
func (s *step) lookAtCommand(ctx context.Context, c fabric.Command, r *commandRecord) (time.Duration, error) {
	late := time.Since(*r.BegunAt) >= time.Duration(c.TimeoutSeconds)*time.Second
	p, err := s.c.Hypervisor.LookAtCommand(ctx, s.m.UID, r.Boot, c.UID)
	switch {
	case err != nil && late:
		return 0, s.abandonCommand(c, r, "The guest's agent stopped answering")
	case errors.Is(err, ErrNoAgent):
		return agentSoon, nil
	case err != nil:
		return 0, fmt.Errorf("look at command: %w", err)
	}
	switch p.State {
	case CommandUnknown: // it never got there
		return s.sendCommand(ctx, c, r)
	case CommandRunning:
		if late {
			return lastLook, s.killCommand(ctx, c, r)
		}
		return min(max(time.Since(*r.BegunAt)/lookPart, firstLook), lastLook), nil
	case CommandEnded:
		return 0, s.endCommand(c, s.resultOf(r, p))
	}
	result := s.resultOf(r, p)
	if r.TimedOut {
		result.Problem = &fabric.Problem{Code: "VMExtensionProvisioningTimeout", Message: fmt.Sprintf("The command on VM '%s' did not finish in the allotted time (%s), and was ended.", s.m.Name, time.Duration(c.TimeoutSeconds)*time.Second)}
	} else {
		result.Problem = s.lost("The guest restarted, or ended it,")
	}
	return 0, s.endCommand(c, result)
}

// killCommand ends a command that takes too long. Why it ended is written down
// first.
func (s *step) killCommand(ctx context.Context, c fabric.Command, r *commandRecord) error {
	r.TimedOut = true
	if err := s.updateCommands(func(m map[string]*commandRecord) { m[c.UID] = r }); err != nil {
		return err
	}
	if err := s.c.Hypervisor.KillCommand(ctx, s.m.UID, r.Boot, c.UID); err != nil {
		return fmt.Errorf("end command: %w", err)
	}
	return nil
}

func (s *step) resultOf(r *commandRecord, p CommandProgress) fabric.CommandReport {
	return fabric.CommandReport{ExitCode: p.ExitCode, Stdout: text(p.Stdout), Stderr: text(p.Stderr), StartedAt: r.BegunAt}
}

// abandonCommand ends a command that nothing more will be heard of.
func (s *step) abandonCommand(c fabric.Command, r *commandRecord, why string) error {
	if r.Boot == "" {
		return s.endCommand(c, fabric.CommandReport{Problem: &fabric.Problem{Code: "OperationNotAllowed",
			Message: fmt.Sprintf("%s before the command was started on VM '%s'. It was not run.", why, s.m.Name)}})
	}
	return s.endCommand(c, fabric.CommandReport{StartedAt: r.BegunAt, Problem: s.lost(why)})
}

func (s *step) lost(why string) *fabric.Problem {
	return &fabric.Problem{Code: "CommandResultLost", Message: fmt.Sprintf("%s while the command ran on VM '%s', so that its result is lost. It is not run again: look in the guest at what it has done.", why, s.m.Name)}
}

// endCommand writes down how a command ended, and has it reported.
func (s *step) endCommand(c fabric.Command, report fabric.CommandReport) error {
	report.UID, report.EndedAt = c.UID, time.Now()
	if err := s.updateCommands(func(m map[string]*commandRecord) {
		if r := m[c.UID]; r != nil {
			r.Report = &report
		}
	}); err != nil {
		return err
	}
	s.c.Log.Info("command ended", "vm", s.m.Name, "command", c.UID)
	s.machines.Add(s.m.UID) // which reports it
	s.guests.Add(s.m.UID)   // for the next one
	return nil
}

// ended are the reports on the assigned commands that have ended.
func (s *step) ended() (all []fabric.CommandReport) {
	for _, c := range s.m.Commands {
		if r := s.rec.Commands[c.UID]; r != nil && r.Report != nil {
			all = append(all, *r.Report)
		}
	}
	return all
}

// askAgent finds out whether the guest's agent answers. One that does not is
// asked again soon while the guest may be booting, and then ever more rarely.
func (s *step) askAgent(ctx context.Context) (time.Duration, error) {
	if !s.answers() {
		return 0, nil
	}
	agent, err := s.c.Hypervisor.GuestAgent(ctx, s.m.UID)
	if err == nil {
		return agentRetry, s.hearAgent(&agent)
	}
	if err := s.hearAgent(nil); err != nil {
		return 0, err
	}
	since := s.inst.StartedAt
	if b := s.rec.BootedAt; b != nil && b.After(since) {
		since = *b
	}
	return min(max(time.Since(since)/lookPart, agentSoon), agentRetry), nil
}

// hearAgent notes which agent answers, nil for none, and has it reported when
// that is news.
func (s *step) hearAgent(g *GuestAgent) error {
	was := s.rec.Answering
	if g == nil && was == nil || g != nil && was != nil && was.Version == g.Version {
		return nil
	}
	err := s.update(func(r *record) {
		switch {
		case !s.stays():
		case g == nil:
			r.Answering = nil
		default:
			r.Answering = &fabric.Agent{Version: g.Version, Status: "Ready", Message: "Guest Agent is running", ReportedAt: time.Now()}
		}
	})
	s.machines.Add(s.m.UID)
	return err
}

// text is what a guest wrote, as it can be stored.
func text(b []byte) string {
	return strings.ToValidUTF8(string(b[max(0, len(b)-fabric.MaxOutput):]), "?")
}
