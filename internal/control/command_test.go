package control_test

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"lazuli/internal/arm"
	"lazuli/internal/arm/armtest"
	"lazuli/internal/compute"
)

// script has the guest of web1 run a script.
func (w *world) script(lines ...string) *arm.Operation {
	w.t.Helper()
	body, err := json.Marshal(map[string]any{"commandId": "RunShellScript", "script": lines})
	if err != nil {
		w.t.Fatal(err)
	}
	r, err := w.cloud.Do(armtest.Request{Method: "POST", ID: armtest.ID(vmPath), Action: "runCommand", Body: string(body)})
	if err != nil {
		w.t.Fatal(err)
	}
	return r.Operation
}

// extension has web1 changed by an extension.
func (w *world) extension(name, publisher, kind, version, protected string) *arm.Operation {
	w.t.Helper()
	return w.do("PUT", vmPath+"/extensions/"+name, fmt.Sprintf(`{"location": "local", "properties": {"publisher": "%s", "type": "%s", "typeHandlerVersion": "%s", "settings": {}, "protectedSettings": %s}}`,
		publisher, kind, version, protected)).Operation
}

func (w *world) ended(id string) *arm.Operation {
	w.t.Helper()
	op, err := arm.GetOperation(context.Background(), w.cloud.Store, id)
	if err != nil || op == nil {
		w.t.Fatalf("operation %s: %v, %v", id, op, err)
	}
	return op
}

// wantScript checks what the last script came to, and that it ran once.
func (w *world) wantScript(stdout, stderr string) {
	w.t.Helper()
	v := w.vm()
	op := w.ended(v.Spec.Command.Operation)
	want := fmt.Sprintf("Enable succeeded: \n[stdout]\n%s\n[stderr]\n%s", stdout, stderr)
	var got struct{ Value []struct{ Message string } }
	if err := json.Unmarshal(op.Result, &got); err != nil || op.Status != arm.Succeeded || len(got.Value) != 1 || got.Value[0].Message != want {
		w.t.Errorf("operation is %s (%v), result %s (%v), want %q", op.Status, op.Error, op.Result, err, want)
	}
	if ran := w.host.Ran(v.UID); len(ran) != 1 || ran[0] != v.Spec.Command.UID {
		w.t.Errorf("ran %v, want %s once", ran, v.Spec.Command.UID)
	}
	if kept := w.host.Keeps(v.UID); len(kept) > 0 {
		w.t.Errorf("the guest keeps %v", kept)
	}
}

// withGuest has the machine web1 running.
func withGuest(t *testing.T, f func(w *world)) {
	inWorld(t, func(w *world) {
		w.putNetwork()
		w.do("PUT", vmPath, vmBody(""))
		w.settle()
		f(w)
	})
}

func TestCommandsGoOnBesideTheMachine(t *testing.T) {
	tests := map[string]struct {
		meanwhile func(w *world)
		status    arm.OperationStatus
		code      string
	}{
		"nothing":       {func(*world) {}, arm.Succeeded, ""},
		"an update":     {func(w *world) { w.do("PUT", vmPath, vmBody(newData)) }, arm.Succeeded, ""},
		"a stop":        {func(w *world) { w.power("powerOff") }, arm.Failed, "CommandResultLost"},
		"a restart":     {func(w *world) { w.power("restart") }, arm.Failed, "CommandResultLost"},
		"a deletion":    {func(w *world) { w.do("DELETE", vmPath, "") }, arm.Canceled, "OperationPreempted"},
		"both crashing": {func(w *world) { w.crash(); w.run() }, arm.Succeeded, ""},
		"node's way":    {func(w *world) { w.leave(); time.Sleep(time.Hour); w.comeBack() }, arm.Succeeded, ""},
		"own reboot":    {func(w *world) { w.host.Reboot(w.vm().UID) }, arm.Failed, "CommandResultLost"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			withGuest(t, func(w *world) {
				op := w.script("echo hello", "sleep 60")
				time.Sleep(20 * time.Second)
				if got := w.ended(op.ID); got.Done() {
					t.Errorf("the operation has ended: %+v", got)
				}
				tt.meanwhile(w)
				w.settle()
				w.settle()
				w.wantOperation(op.ID, tt.status, tt.code)
				if v := w.vm(); v != nil && v.Status.ObservedGeneration != v.Generation {
					t.Errorf("generation %d of %d", v.Status.ObservedGeneration, v.Generation)
				}
				w.wantSecrets(false)
			})
		})
	}
}

func TestExtensions(t *testing.T) {
	withGuest(t, func(w *world) {
		uid := w.vm().UID
		access := w.extension("enablevmaccess", "Microsoft.OSTCExtensions", "VMAccessForLinux", "1.5", `{"username": "bob", "password": "Correct-Horse-1"}`)
		custom := w.extension("cs", "Microsoft.Azure.Extensions", "CustomScript", "2.1", `{"commandToExecute": "exit 3"}`)
		w.settle()
		w.wantOperation(access.ID, arm.Succeeded, "")
		w.wantOperation(custom.ID, arm.Failed, "VMExtensionProvisioningError")
		if a, ok := w.host.User(uid, "bob"); !ok || a.Password != "Correct-Horse-1" {
			t.Errorf("bob = %+v, %v", a, ok)
		}
		w.wantSecrets(false)
		again := w.extension("cs", "Microsoft.Azure.Extensions", "CustomScript", "2.1", `{"commandToExecute": "echo fine"}`)
		w.settle()
		w.wantOperation(again.ID, arm.Succeeded, "")
		if same := w.extension("cs", "Microsoft.Azure.Extensions", "CustomScript", "2.1", `{"commandToExecute": "echo fine"}`); same != nil {
			t.Errorf("the same again is carried out: %+v", same)
		}
		w.do("DELETE", vmPath+"/extensions/cs", "")
		w.settle()
		v := w.vm()
		if len(v.Spec.Extensions) != 1 || len(v.Status.Commands) != 1 {
			t.Errorf("extensions %+v, status %+v", v.Spec.Extensions, v.Status.Commands)
		}
		if kept := w.host.Keeps(uid); len(kept) > 0 {
			t.Errorf("the guest keeps %v", kept)
		}
	})
}

// An extension that is deleted while it is carried out is ended.
func TestExtensionDeletedWhileItRuns(t *testing.T) {
	withGuest(t, func(w *world) {
		op := w.extension("cs", "Microsoft.Azure.Extensions", "CustomScript", "2.1", `{"commandToExecute": "sleep 1000"}`)
		w.settle()
		w.do("DELETE", vmPath+"/extensions/cs", "")
		w.settle()
		w.wantOperation(op.ID, arm.Canceled, "OperationPreempted")
		if kept := w.host.Keeps(w.vm().UID); len(kept) > 0 {
			t.Errorf("the guest keeps %v", kept)
		}
	})
}

// The agent of a guest is shown as ready when it answers.
func TestAgentIsShown(t *testing.T) {
	withGuest(t, func(w *world) {
		if a := w.vm().Status.Agent; a == nil || a.Status != "Ready" {
			t.Errorf("agent = %+v", a)
		}
		if p := compute.PowerState(w.vm()); p != compute.Running {
			t.Errorf("power = %s", p)
		}
	})
}
