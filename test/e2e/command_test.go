package e2e

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"lazuli/test/e2e/cloudtest"
)

// TestCommands is about what is done in a guest by its agent: once, whatever
// ends meanwhile.
func TestCommands(t *testing.T) {
	t.Parallel()
	c := cloudtest.New(t)
	c.Up()
	r := &runner{c: c, a: c.API(), g: c.Create("cmd1")}
	defer func() { c.T = t }()
	for _, tt := range []struct {
		name string
		do   func(t *testing.T)
	}{
		{"agent", r.agent},
		{"result", r.result},
		{"killed", r.killed},
		{"restarted", r.restarted},
		{"extension", r.extension},
		{"stopped", r.stopped},
	} {
		if !t.Run(tt.name, func(t *testing.T) { c.T = t; tt.do(t) }) {
			break
		}
	}
}

type runner struct {
	c *cloudtest.Cloud
	a *cloudtest.API
	g *cloudtest.Guest
}

func (r *runner) vm() string { return r.a.ID(vmType, r.g.Name) }

// begin has the guest run a script.
func (r *runner) begin(lines ...string) (operation string) {
	r.c.T.Helper()
	op, err := r.a.Begin(context.Background(), "POST", r.vm()+"/runCommand", object{
		"commandId": "RunShellScript", "script": lines, "parameters": []object{{"name": "who", "value": "it's you"}},
	})
	if err != nil {
		r.c.T.Fatal(err)
	}
	return op
}

type outcome struct {
	Status string
	Error  struct{ Code, Message string }
	// Properties have the result of a script.
	Properties struct {
		Output struct {
			Value []struct{ Code, Message string }
		}
	}
}

func (o outcome) message() string {
	if len(o.Properties.Output.Value) != 1 {
		return fmt.Sprintf("%+v", o)
	}
	v := o.Properties.Output.Value[0]
	return v.Code + ": " + v.Message
}

// await waits for the end of an operation.
func (r *runner) await(operation string) (o outcome) {
	r.c.T.Helper()
	r.c.Eventually("the operation ends", func() error {
		if err := r.a.Ask(context.Background(), "GET", operation, nil, &o); err != nil {
			return err
		}
		if o.Status == "InProgress" {
			return errors.New("it is under way")
		}
		return nil
	})
	return o
}

func (r *runner) agent(t *testing.T) {
	r.c.Eventually("the agent is shown as ready", func() error {
		var view struct {
			VMAgent struct {
				VMAgentVersion string
				Statuses       []struct{ DisplayStatus string }
			}
		}
		if err := r.a.Ask(context.Background(), "GET", r.vm()+"/instanceView", nil, &view); err != nil {
			return err
		}
		if a := view.VMAgent; len(a.Statuses) != 1 || a.Statuses[0].DisplayStatus != "Ready" || a.VMAgentVersion != "tiny-1" {
			return fmt.Errorf("%+v", a)
		}
		return nil
	})
	t.Log("the guest's agent is shown as ready")
}

func (r *runner) result(t *testing.T) {
	got := r.await(r.begin("echo \"$1, $who\"", "echo oh >&2", "id -u", "exit 3")).message()
	want := "ProvisioningState/failed/3: Enable failed: failed to execute command: command terminated with exit status=3\n[stdout]\nit's you, it's you\n0\n\n[stderr]\noh\n"
	if got != want {
		t.Errorf("result %q, want %q", got, want)
	}
	got = r.await(r.begin("echo fine")).message()
	if want := "ProvisioningState/succeeded: Enable succeeded: \n[stdout]\nfine\n\n[stderr]\n"; got != want {
		t.Errorf("result %q, want %q", got, want)
	}
	if left := r.g.SSH("ls -A /var/lib/lazuli/commands | wc -l"); left != "0" && left != "1" {
		t.Errorf("the guest keeps %s commands", left)
	}
	t.Log("what a script writes and how it ends is told")
}

// count is a script that counts its runs, and takes a while.
const count = "echo once >>/var/lib/guest/runs; sync; echo begun; sleep 12; wc -l </var/lib/guest/runs"

func (r *runner) awaitBegun() {
	r.c.T.Helper()
	r.c.Eventually("the script has begun", func() error {
		_, err := r.g.Try("test -s /var/lib/guest/runs")
		return err
	})
}

func (r *runner) wantOnce() {
	r.c.T.Helper()
	if runs := r.g.SSH("cat /var/lib/guest/runs; rm /var/lib/guest/runs; sync"); runs != "once" {
		r.c.T.Errorf("it ran: %q, want once", runs)
	}
}

// killed kills all of lazuli in the middle of a script, twice.
func (r *runner) killed(t *testing.T) {
	op := r.begin(count)
	r.awaitBegun()
	for range 2 {
		r.c.Kill()
		r.c.Up()
	}
	got := r.await(op).message()
	if want := "ProvisioningState/succeeded: Enable succeeded: \n[stdout]\nbegun\n1\n\n[stderr]\n"; got != want {
		t.Errorf("result %q, want %q", got, want)
	}
	r.wantOnce()
	t.Log("a script outlives lazuli, runs once, and its result comes")
}

// restarted restarts the guest in the middle of a script.
func (r *runner) restarted(t *testing.T) {
	boots := r.g.Status().Boots
	op := r.begin(count)
	r.awaitBegun()
	r.g.Try("reboot -f") //nolint:errcheck // the connection ends with the guest
	r.c.Eventually("it boots again", func() error { return booted(r.g, boots) })
	if got := r.await(op); got.Status != "Failed" || got.Error.Code != "CommandResultLost" {
		t.Errorf("outcome %+v, want CommandResultLost", got)
	}
	r.wantOnce()
	t.Log("a script that its guest's restart interrupted is not run again, and that is said")
}

func (r *runner) extension(t *testing.T) {
	id := r.vm() + "/extensions/customScript"
	op, err := r.a.Begin(context.Background(), "PUT", id, object{"location": r.a.Location(), "properties": object{
		"publisher": "Microsoft.Azure.Extensions", "type": "CustomScript", "typeHandlerVersion": "2.1",
		"protectedSettings": object{"commandToExecute": "echo hidden >/var/lib/guest/custom"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if got := r.await(op); got.Status != "Succeeded" {
		t.Errorf("outcome %+v", got)
	}
	if got := r.g.SSH("cat /var/lib/guest/custom"); got != "hidden" {
		t.Errorf("the guest has %q", got)
	}
	r.a.Await(id, "Succeeded")
	t.Log("CustomScript is carried out in the guest")
}

func (r *runner) stopped(t *testing.T) {
	op := r.begin("sleep 1000")
	r.c.Do("vm", "stop", r.g.Name)
	if got := r.await(op); got.Status != "Failed" || got.Error.Code != "CommandResultLost" && got.Error.Code != "OperationNotAllowed" {
		t.Errorf("outcome %+v", got)
	}
	_, err := r.a.Begin(context.Background(), "POST", r.vm()+"/runCommand", object{"commandId": "RunShellScript", "script": []string{"true"}})
	if cloudtest.StatusOf(err) != 409 || !strings.Contains(err.Error(), "requires the VM to be running") {
		t.Errorf("on a machine that is off: %v", err)
	}
	t.Log("a script ends with its machine, and one that is off takes none")
}
