package node

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"

	"lazuli/internal/fabric"
)

// How often things are looked at that nothing tells of.
const (
	pausedPoll  = time.Second      // is there room again?
	stopPoll    = time.Second      // has the guest powered off?
	silentPoll  = 5 * time.Second  // does QEMU answer again?
	missingPoll = 2 * time.Second  // is the disk or port there now?
	roomToGoOn  = 32 << 20         // bytes free before a full disk's guest goes on
	detachWait  = 20 * time.Second // for a guest to let go of a disk
)

// step is one look at one machine.
type step struct {
	*Agent
	m    fabric.Machine
	inst Instance
	runs bool
	rec  record
	// lacks says why something that the machine waits for is not there.
	lacks *fabric.Problem
}

// reconcileMachine makes a machine what it is assigned to be, and reports what
// it is.
func (a *Agent) reconcileMachine(ctx context.Context, uid string) (time.Duration, error) {
	m, ok := a.Machine(uid)
	if !ok {
		return 0, nil
	}
	s := &step{Agent: a, m: m}
	if err := s.look(ctx); err != nil {
		s.reportUnseen(ctx, err)
		return 0, err
	}
	again, err := s.act(ctx)
	if lerr := s.look(ctx); lerr != nil {
		s.reportUnseen(ctx, lerr)
		return 0, lerr
	}
	s.report(err)
	return again, err
}

func (s *step) look(ctx context.Context) (err error) {
	if s.inst, s.runs, err = s.c.Hypervisor.Find(ctx, s.m.UID); err != nil {
		return fmt.Errorf("find machine: %w", err)
	}
	if err := s.flush(ctx); err != nil {
		return err
	}
	s.rec, err = s.records.get(s.m.UID)
	return err
}

func (s *step) act(ctx context.Context) (time.Duration, error) {
	switch {
	case s.m.Presence == fabric.Absent:
		return 0, s.remove(ctx)
	case s.m.Power != fabric.Running:
		return s.stop(ctx)
	case s.halted():
		return 0, s.release(ctx)
	case s.rec.Restarts < s.m.Restarts, s.otherSystem():
		return s.restart(ctx)
	case !s.runs:
		return s.start(ctx)
	default:
		return s.tend(ctx)
	}
}

// halted says that the guest powered itself off, and nobody asked for it to
// run since.
func (s *step) halted() bool {
	return !s.runs && s.rec.HaltedAt != 0 && s.rec.HaltedAt >= s.m.PowerGeneration
}

func (s *step) update(f func(*record)) (err error) {
	s.rec, err = s.records.update(s.m.UID, f)
	return err
}

// start starts the machine, when everything that it needs is there.
func (s *step) start(ctx context.Context) (time.Duration, error) {
	if wait, err := s.noteCrash(); wait > 0 || err != nil {
		return wait, err
	}
	owner, err := s.c.Hypervisor.Owner(s.m.UID) // which takes its time, while others make the rest
	if err != nil {
		return 0, err
	}
	if ok, err := s.furnished(ctx); err != nil {
		return 0, err
	} else if !ok {
		return missingPoll, nil // what lacks has a loop of its own, which calls again
	}
	if err := s.meetGuest(); err != nil {
		return 0, err
	}
	spec := InstanceSpec{Machine: s.m}
	for _, md := range s.m.Disks {
		d, err := s.c.Disks.Open(ctx, md.UID, owner)
		if err != nil {
			return 0, fmt.Errorf("open disk: %w", err)
		}
		d.MachineDisk = md
		spec.Disks = append(spec.Disks, d)
	}
	if s.rec.ReadyAt == nil && s.m.Provision.ComputerName != "" {
		if spec.Medium, err = s.c.Medium(ctx, s.m, owner); err != nil {
			return 0, fmt.Errorf("make provisioning medium: %w", err)
		}
	}
	defer func() {
		for _, t := range spec.Taps {
			t.Close()
		}
	}()
	for _, nic := range s.m.NICs {
		tap, err := s.c.Networks.Plug(ctx, nic.NetworkUID, nic.UID)
		if err != nil {
			return 0, fmt.Errorf("plug network interface: %w", err)
		}
		spec.Taps = append(spec.Taps, tap)
	}
	// The record goes first: a machine that was started may have written.
	now := time.Now()
	if err := s.update(func(r *record) {
		r.Started, r.HaltedAt, r.AskedAt, r.Restarts = true, 0, nil, s.m.Restarts
		r.OSDisk = s.m.OSDisk()
		r.BootedAt, r.PowerGeneration, r.Answering = &now, s.m.PowerGeneration, nil
		if r.StartedAt == nil {
			r.StartedAt = &now
		}
	}); err != nil {
		return 0, err
	}
	if err := s.c.Hypervisor.Start(ctx, spec); err != nil {
		// Nothing runs that could be found crashed.
		return 0, errors.Join(fmt.Errorf("start: %w", err), s.update(func(r *record) { r.Started = false }))
	}
	s.c.Log.Info("machine started", "vm", s.m.Name, "uid", s.m.UID)
	s.guests.Add(s.m.UID)
	return 0, nil
}

// otherSystem says that the machine runs on another OS disk than it is to have.
func (s *step) otherSystem() bool {
	os := s.m.OSDisk()
	return s.runs && os != "" && len(s.inst.Disks) > 0 && !slices.Contains(s.inst.Disks, os)
}

// meetGuest forgets what was said by the guest of another OS disk than the one
// that the machine is to be started with: this one is still to be set up.
func (s *step) meetGuest() error {
	if s.rec.OSDisk == "" || s.rec.OSDisk == s.m.OSDisk() {
		return nil
	}
	s.agents.forget(s.m.UID)
	return s.update(func(r *record) {
		r.OSDisk, r.StartedAt = s.m.OSDisk(), nil
		r.ReadyAt, r.Provisioning, r.FailedAt = nil, nil, nil
	})
}

// furnished says whether the machine's disks and networks are there; else it
// notes what it lacks.
func (s *step) furnished(ctx context.Context) (bool, error) {
	for _, md := range s.m.Disks {
		if _, ok, err := s.c.Disks.Stat(ctx, md.UID); err != nil {
			return false, err
		} else if !ok {
			s.lacks = s.out.diskReport(md.UID).Problem
			return false, nil
		}
	}
	for _, nic := range s.m.NICs {
		if !s.networkReady(nic.NetworkUID) {
			s.lacks = s.out.networkReport(nic.NetworkUID).Problem
			return false, nil
		}
	}
	return true, nil
}

// noteCrash writes down that a machine which should run does not, and says how
// long to wait before it is started again.
func (s *step) noteCrash() (time.Duration, error) {
	if !s.rec.Started {
		return s.crashes.wait(s.m.UID, time.Now()), nil
	}
	now := time.Now()
	err := s.update(func(r *record) {
		r.Started = false
		r.event(now, "Restarted", "The virtual machine was not running though it should be: its process ended by itself, was ended, or the host went down. It is started again.")
	})
	s.crashes.add(s.m.UID, now)
	s.c.Log.Warn("machine was not running, will start it again", "vm", s.m.Name, "uid", s.m.UID)
	return s.crashes.wait(s.m.UID, now), err
}

// tend looks after a machine that runs as it should.
func (s *step) tend(ctx context.Context) (time.Duration, error) {
	if s.inst.State == InstanceSilent {
		return silentPoll, nil
	}
	if s.m.Provision.ComputerName == "" && s.rec.ReadyAt == nil {
		now := time.Now()
		if err := s.update(func(r *record) { r.ReadyAt = &now }); err != nil {
			return 0, err
		}
	}
	if s.rec.ReadyAt != nil {
		if err := s.c.Hypervisor.EjectMedium(ctx, s.m.UID); err != nil {
			return 0, fmt.Errorf("eject provisioning medium: %w", err)
		}
		if err := s.c.DropMedium(s.m.UID); err != nil {
			return 0, err
		}
	}
	plugged := s.plugDisks(ctx)
	if s.inst.State != InstancePaused {
		return 0, plugged
	}
	// It may be a disk that was to go which paused the guest.
	return pausedPoll, errors.Join(plugged, s.unpause(ctx))
}

// unpause lets a guest go on that an I/O error stopped, when there is hope.
func (s *step) unpause(ctx context.Context) error {
	if s.inst.IOStatus == "nospace" {
		if _, free, err := s.c.Disks.Free(); err != nil || free < roomToGoOn {
			return err
		}
	}
	now := time.Now()
	if s.resumes.wait(s.m.UID, now) > 0 {
		return nil
	}
	s.resumes.add(s.m.UID, now)
	if err := s.c.Hypervisor.Resume(ctx, s.m.UID); err != nil {
		return fmt.Errorf("resume: %w", err)
	}
	return s.update(func(r *record) {
		r.event(time.Now(), "Resumed", "The virtual machine goes on. It was paused because its host's disk %s; no write was lost.", diskTrouble(s.inst.IOStatus))
	})
}

func diskTrouble(status string) string {
	if status == "nospace" {
		return "was full"
	}
	return "failed"
}

// plugDisks attaches and detaches data disks of a running machine.
func (s *step) plugDisks(ctx context.Context) error {
	wanted := map[string]bool{}
	for _, md := range s.m.Disks {
		wanted[md.UID] = true
	}
	for _, uid := range s.inst.Disks {
		if wanted[uid] {
			continue
		}
		if err := s.c.Hypervisor.DetachDisk(ctx, s.m.UID, uid, detachWait); err != nil {
			return fmt.Errorf("detach disk: %w", err)
		}
		s.disks.Add(uid)
	}
	for _, md := range s.m.Disks {
		if slices.Contains(s.inst.Disks, md.UID) {
			continue
		}
		if err := s.plugDisk(ctx, md); err != nil {
			return fmt.Errorf("attach disk: %w", err)
		}
	}
	return nil
}

func (s *step) plugDisk(ctx context.Context, md fabric.MachineDisk) error {
	if _, ok, err := s.c.Disks.Stat(ctx, md.UID); err != nil || !ok {
		s.lacks = s.out.diskReport(md.UID).Problem
		return err // its own loop makes it, and calls again
	}
	owner, err := s.c.Hypervisor.Owner(s.m.UID)
	if err != nil {
		return err
	}
	d, err := s.c.Disks.Open(ctx, md.UID, owner)
	if err != nil {
		return err
	}
	d.MachineDisk = md
	return s.c.Hypervisor.AttachDisk(ctx, s.m.UID, d)
}

// stop ends a machine, by the guest's own hand where there is time for that.
func (s *step) stop(ctx context.Context) (time.Duration, error) {
	if again, err := s.down(ctx, s.m.Hard); again > 0 || err != nil {
		return again, err
	}
	if err := s.update(func(r *record) { r.Started, r.AskedAt, r.Restarts = false, nil, s.m.Restarts }); err != nil {
		return 0, err
	}
	return 0, s.release(ctx)
}

// restart takes the machine down; the next step starts it. For another OS disk
// it does so only when that is there.
func (s *step) restart(ctx context.Context) (time.Duration, error) {
	if s.otherSystem() {
		if ok, err := s.furnished(ctx); err != nil || !ok {
			return missingPoll, err
		}
	}
	if again, err := s.down(ctx, false); again > 0 || err != nil {
		return again, err
	}
	if err := s.update(func(r *record) { r.Started, r.AskedAt, r.HaltedAt = false, nil, 0 }); err != nil {
		return 0, err
	}
	return s.start(ctx)
}

// down brings a machine's process to its end; it says when to look again while
// the guest is still at it.
func (s *step) down(ctx context.Context, hard bool) (time.Duration, error) {
	if !s.runs {
		return 0, nil
	}
	now := time.Now()
	if hard || s.inst.State == InstancePaused || s.rec.AskedAt != nil && now.Sub(*s.rec.AskedAt) >= s.c.ShutdownGrace {
		return 0, s.end(ctx)
	}
	// A time to come is one of before the clock was set back.
	if s.rec.AskedAt == nil || s.rec.AskedAt.After(now) {
		if err := s.update(func(r *record) { r.AskedAt = &now }); err != nil {
			return 0, err
		}
	}
	if s.inst.State == InstanceSilent {
		return stopPoll, nil
	}
	// Said every time: a guest that is still booting does not hear it.
	if err := s.c.Hypervisor.Shutdown(ctx, s.m.UID); err != nil {
		return 0, fmt.Errorf("ask guest to power off: %w", err)
	}
	return stopPoll, nil
}

func (s *step) end(ctx context.Context) error {
	if err := s.c.Hypervisor.Stop(ctx, s.m.UID); err != nil {
		return fmt.Errorf("stop: %w", err)
	}
	return nil
}

// release gives back what a machine that does not run has no need of.
func (s *step) release(ctx context.Context) error {
	if s.m.Power != fabric.Deallocated {
		return nil
	}
	return s.unplug(ctx)
}

func (s *step) unplug(ctx context.Context) error {
	for _, nic := range s.m.NICs {
		if err := s.c.Networks.Unplug(ctx, nic.NetworkUID, nic.UID); err != nil {
			return fmt.Errorf("unplug network interface: %w", err)
		}
	}
	return nil
}

// remove takes away the machine and all that is its own; its disks are not.
func (s *step) remove(ctx context.Context) error {
	// The process and its taps take as long to go as each other.
	var wg sync.WaitGroup
	var ended error
	wg.Go(func() { ended = s.c.Hypervisor.Remove(ctx, s.m.UID) })
	unplugged := s.unplug(ctx)
	wg.Wait()
	if ended != nil {
		return fmt.Errorf("remove: %w", ended)
	}
	if unplugged != nil {
		return unplugged
	}
	if err := s.c.DropMedium(s.m.UID); err != nil {
		return err
	}
	if err := s.records.remove(s.m.UID); err != nil {
		return err
	}
	s.crashes.forget(s.m.UID)
	s.resumes.forget(s.m.UID)
	s.agents.forget(s.m.UID)
	for _, d := range s.m.Disks {
		s.disks.Add(d.UID)
	}
	return nil
}

func (a *Agent) networkReady(uid string) bool {
	n, ok := a.network(uid)
	r := a.out.networkReport(uid)
	return ok && r.Presence == fabric.Present && r.Generation == n.Generation
}

// report says what the machine is now. failure is what the step ended with.
func (s *step) report(failure error) {
	r := fabric.MachineReport{
		UID: s.m.UID, Generation: s.m.Generation, Restarts: s.rec.Restarts,
		BootedAt: s.rec.BootedAt, OSDisk: s.rec.OSDisk, ReadyAt: s.rec.ReadyAt, Provisioning: s.rec.Provisioning,
		Events: s.rec.Events, Agent: s.agents.get(s.m.UID), Commands: s.ended(),
	}
	if r.Agent == nil { // none that reports by itself
		r.Agent = s.rec.Answering
	}
	switch {
	case s.runs && s.inst.State == InstancePaused:
		r.State = fabric.MachinePaused
		r.Problem = pausedProblem(s.inst.IOStatus)
	case s.runs:
		r.State = fabric.MachineRunning
	case s.m.Presence == fabric.Absent && failure == nil:
		r.State = fabric.MachineGone
	case s.m.Power == fabric.Running && !s.halted():
		r.State = fabric.MachineStarting
	default:
		r.State = fabric.MachineStopped
		r.Deallocated = s.m.Power == fabric.Deallocated && failure == nil
	}
	if s.runs && s.inst.State == InstanceSilent {
		r.Problem = silentProblem(s.inst.PID)
	}
	if s.runs {
		r.StartedAt, r.Accelerator = &s.inst.StartedAt, s.c.Hypervisor.Accelerator()
	}
	switch {
	case failure != nil:
		r.Problem = problem(failure)
	case s.lacks != nil:
		r.Problem = s.lacks
	}
	if !s.reached(r) {
		r.Generation = s.m.Generation - 1
	}
	s.out.machine(r)
}

// reportUnseen says that nothing can be seen of the machine, so that nothing is
// done for it. What was last seen stands.
func (s *step) reportUnseen(ctx context.Context, err error) {
	if ctx.Err() != nil {
		return
	}
	r := s.out.machineReport(s.m.UID)
	if r.UID == "" {
		r.UID, r.State = s.m.UID, fabric.MachineFailed
	}
	r.Generation, r.Problem = s.m.Generation-1, problem(err)
	s.out.machine(r)
}

// reached says that the machine is as its assignment wants it.
func (s *step) reached(r fabric.MachineReport) bool {
	if r.Problem != nil && r.State != fabric.MachinePaused {
		return false
	}
	switch {
	case s.m.Presence == fabric.Absent:
		return r.State == fabric.MachineGone
	case s.m.Power == fabric.Running:
		return s.halted() || s.runs && s.rec.Restarts >= s.m.Restarts && s.sameDisks()
	case s.m.Power == fabric.Deallocated:
		return r.Deallocated
	default:
		return r.State == fabric.MachineStopped
	}
}

func (s *step) sameDisks() bool {
	if len(s.inst.Disks) != len(s.m.Disks) {
		return false
	}
	return !slices.ContainsFunc(s.m.Disks, func(d fabric.MachineDisk) bool { return !slices.Contains(s.inst.Disks, d.UID) })
}

func pausedProblem(status string) *fabric.Problem {
	if status == "nospace" {
		return &fabric.Problem{Code: "HostDiskFull", Message: "The host's disk is full. The virtual machine is paused and has lost nothing; it goes on by itself when there is room. Free space in the host's data directory."}
	}
	return &fabric.Problem{Code: "HostDiskFailed", Message: "The host's disk answered with an error. The virtual machine is paused; it goes on when the disk works again. See the host's kernel log."}
}

func silentProblem(pid int) *fabric.Problem {
	return &fabric.Problem{Code: "HostTimeout", Message: fmt.Sprintf("The process that runs the virtual machine (number %d on the host) does not answer: the host's disk may hang. Stop the virtual machine to end the process.", pid)}
}

func problem(err error) *fabric.Problem {
	if os.IsTimeout(err) {
		return &fabric.Problem{Code: "HostTimeout", Message: err.Error()}
	}
	return &fabric.Problem{Code: "HostError", Message: err.Error()}
}
