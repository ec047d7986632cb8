package node_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"lazuli/internal/fabric"
)

const cmd1, cmd2 = "c0000000-0000-4000-8000-000000000001", "c0000000-0000-4000-8000-000000000002"

// script is a command that takes up to an hour.
func script(uid string, lines ...string) fabric.Command {
	return fabric.Command{UID: uid, Script: strings.Join(lines, "\n"), TimeoutSeconds: 3600}
}

// withMachine is a world with a machine that runs, and commands for it.
func withMachine(t *testing.T, commands ...fabric.Command) *world {
	w := newWorld(t)
	hello(&w.want)
	w.want.Machines[0].Commands = commands
	w.run()
	return w
}

// ask changes the assignment, and does not wait.
func (w *world) ask(f func(m *fabric.Machine)) {
	w.mu.Lock()
	w.want.Machines = slices.Clone(w.want.Machines)
	f(&w.want.Machines[0])
	w.mu.Unlock()
	w.news <- struct{}{}
}

// commands changes which commands the machine is to do.
func (w *world) commands(all ...fabric.Command) {
	w.ask(func(m *fabric.Machine) { m.Commands = all })
}

func (w *world) wantCommands(want ...fabric.CommandReport) {
	w.t.Helper()
	got := w.machine().Commands
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty(), cmpopts.IgnoreFields(fabric.CommandReport{}, "StartedAt", "EndedAt"),
		cmpopts.IgnoreFields(fabric.Problem{}, "Message")); diff != "" {
		w.t.Errorf("commands (-want +got):\n%s", diff)
	}
}

func (w *world) wantRan(uids ...string) {
	w.t.Helper()
	if diff := cmp.Diff(uids, w.host.Ran("m1"), cmpopts.EquateEmpty()); diff != "" {
		w.t.Errorf("ran (-want +got):\n%s", diff)
	}
}

func TestCommandsAreDoneInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first := script(cmd1, "echo hello $1", "echo oh >&2", "sleep 20", "exit 3")
		first.Parameters = []fabric.Parameter{{Name: "who", Value: "you"}}
		w := withMachine(t, first, fabric.Command{UID: cmd2, Access: &fabric.Access{Username: "bob"}})
		time.Sleep(time.Minute)
		w.wantRan(cmd1, cmd2)
		w.wantCommands(fabric.CommandReport{UID: cmd1, ExitCode: 3, Stdout: "hello you\n", Stderr: "oh\n"}, fabric.CommandReport{UID: cmd2})
		if _, ok := w.host.User("m1", "bob"); !ok {
			t.Error("there is no user bob")
		}
		w.commands()
		time.Sleep(time.Minute)
		w.wantCommands()
		if kept := w.host.Keeps("m1"); len(kept) > 0 {
			t.Errorf("the guest keeps %v", kept)
		}
	})
}

// However often the agent ends, and whatever is done meanwhile, a command runs
// once.
func TestCommandRunsOnceWhateverEnds(t *testing.T) {
	lost := &fabric.Problem{Code: "CommandResultLost"}
	tests := map[string]struct {
		meanwhile func(w *world)
		want      fabric.CommandReport
	}{
		"the agent":           {func(w *world) { w.crash(); w.run() }, fabric.CommandReport{Stdout: "done\n"}},
		"the agent for long":  {func(w *world) { w.crash(); time.Sleep(time.Hour); w.run() }, fabric.CommandReport{Stdout: "done\n"}},
		"the guest":           {func(w *world) { w.host.Reboot("m1") }, fabric.CommandReport{Problem: lost}},
		"the process":         {func(w *world) { w.host.Crash("m1") }, fabric.CommandReport{Problem: lost}},
		"the host":            {func(w *world) { w.crash(); w.host.Boot(); w.run() }, fabric.CommandReport{Problem: lost}},
		"the guest, for good": {func(w *world) { w.host.PowerOff("m1") }, fabric.CommandReport{Problem: lost}},
		"the link":            {func(w *world) { w.cut(); w.mu.Lock(); w.isCut = false; w.mu.Unlock() }, fabric.CommandReport{Stdout: "done\n"}},
		"the guest's agent":   {func(w *world) { w.host.Silence("m1"); time.Sleep(time.Minute); w.host.Speak("m1") }, fabric.CommandReport{Stdout: "done\n"}},
		"the power, as asked": {func(w *world) {
			w.ask(func(m *fabric.Machine) { m.Power, m.PowerGeneration = fabric.Stopped, 2 })
		}, fabric.CommandReport{Problem: lost}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := withMachine(t, script(cmd1, "echo done", "sleep 30"))
				time.Sleep(15 * time.Second)
				w.wantRan(cmd1)
				tt.meanwhile(w)
				time.Sleep(2 * time.Minute)
				w.wantRan(cmd1)
				tt.want.UID = cmd1
				w.wantCommands(tt.want)
			})
		})
	}
}

func TestCommandHasATimeLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := withMachine(t, script(cmd1, "sleep 7200"), script(cmd2, "echo next"))
		time.Sleep(59 * time.Minute)
		w.wantCommands()
		time.Sleep(2 * time.Minute)
		w.wantCommands(fabric.CommandReport{UID: cmd1, Problem: &fabric.Problem{Code: "VMExtensionProvisioningTimeout"}}, fabric.CommandReport{UID: cmd2, Stdout: "next\n"})
	})
}

func TestCommandWithoutAnAgent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := withMachine(t)
		time.Sleep(time.Minute)
		w.host.Silence("m1")
		time.Sleep(2 * time.Minute)
		if a := w.machine().Agent; a != nil {
			t.Errorf("agent = %+v, though it does not answer", a)
		}
		w.commands(script(cmd1, "echo hello"))
		time.Sleep(4 * time.Minute)
		w.wantCommands()
		time.Sleep(2 * time.Minute)
		w.wantCommands(fabric.CommandReport{UID: cmd1, Problem: &fabric.Problem{Code: "VMAgentStatusCommunicationError"}})
		w.wantRan()
		w.host.Speak("m1")
		time.Sleep(3 * time.Minute)
		w.wantRan()
		w.commands()
		time.Sleep(3 * time.Minute)
		if a := w.machine().Agent; a == nil || a.Status != "Ready" || a.Version != "1.0" {
			t.Errorf("agent = %+v, want one that is ready", a)
		}
	})
}

// A guest that cannot be told to forget a command does not keep the next one
// from its end.
func TestCommandAfterOneThatIsNotForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := withMachine(t, script(cmd1, "echo hello"))
		time.Sleep(time.Minute)
		w.host.Silence("m1")
		w.commands(script(cmd2, "echo next"))
		time.Sleep(10 * time.Minute)
		w.wantCommands(fabric.CommandReport{UID: cmd2, Problem: &fabric.Problem{Code: "VMAgentStatusCommunicationError"}})
		w.host.Speak("m1")
		w.commands()
		time.Sleep(2 * time.Minute)
		w.wantRan(cmd1)
		if kept := w.host.Keeps("m1"); len(kept) > 0 {
			t.Errorf("the guest keeps %v", kept)
		}
	})
}

func TestCommandThatIsNoLongerWantedEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := withMachine(t, script(cmd1, "sleep 1000"))
		time.Sleep(time.Minute)
		w.commands(script(cmd2, "echo next"))
		time.Sleep(time.Minute)
		w.wantCommands(fabric.CommandReport{UID: cmd2, Stdout: "next\n"})
		if diff := cmp.Diff([]string{cmd2}, w.host.Keeps("m1")); diff != "" {
			t.Errorf("kept (-want +got):\n%s", diff)
		}
	})
}

func TestCommandOnAMachineThatIsOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := withMachine(t)
		time.Sleep(time.Minute)
		w.host.PowerOff("m1")
		time.Sleep(time.Second)
		w.commands(script(cmd1, "echo hello"))
		time.Sleep(time.Minute)
		w.wantCommands(fabric.CommandReport{UID: cmd1, Problem: &fabric.Problem{Code: "OperationNotAllowed"}})
		w.wantRan()
	})
}

// One that was to start, and then is not, takes its commands along.
func TestCommandOnAMachineThatNeverStarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		hello(&w.want)
		w.want.Networks = nil // which it waits for
		w.want.Machines[0].Commands = []fabric.Command{script(cmd1, "echo hello")}
		w.run()
		time.Sleep(time.Minute)
		w.wantCommands()
		w.ask(func(m *fabric.Machine) { m.Power, m.PowerGeneration = fabric.Deallocated, 2 })
		time.Sleep(time.Minute)
		w.wantCommands(fabric.CommandReport{UID: cmd1, Problem: &fabric.Problem{Code: "OperationNotAllowed"}})
		w.wantRan()
	})
}

// A machine that is removed leaves no record behind, whatever its guest does.
func TestCommandOfAMachineThatGoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := withMachine(t, script(cmd1, "sleep 1000"))
		time.Sleep(time.Minute)
		w.assign(gone)
		w.wantState(fabric.MachineGone, 2)
		if left, err := os.ReadDir(filepath.Join(w.dir, "machines")); err != nil || len(left) > 0 {
			t.Errorf("left: %v, %v", left, err)
		}
	})
}
