package compute

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
	"github.com/google/go-cmp/cmp"

	"lazuli/internal/arm"
	"lazuli/internal/arm/armtest"
	"lazuli/internal/fabric"
)

// pending is what the guest of vm1 is to do.
func pending(t testing.TB, c *armtest.Cloud) []fabric.Command {
	t.Helper()
	all, err := PendingCommands(t.Context(), c.Store, getVM(t, c))
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// report does what the reconciler does when the node says that commands ended.
func report(t testing.TB, c *armtest.Cloud, reports ...fabric.CommandReport) {
	t.Helper()
	if err := c.Update(func(call *arm.Call) error {
		o, err := VMs.Get(t.Context(), call.Tx, vmID)
		if err != nil {
			return err
		}
		s := o.Status
		if err := EndCommands(context.Background(), call.Tx, o, &s, reports, call.Now); err != nil {
			return err
		}
		return VMs.PutStatus(call.Tx, vmID, &s)
	}); err != nil {
		t.Fatal(err)
	}
}

func operation(t testing.TB, c *armtest.Cloud, id string) *arm.Operation {
	t.Helper()
	op, err := arm.GetOperation(t.Context(), c.Store, id)
	if err != nil || op == nil {
		t.Fatalf("operation %s: %v, %v", id, op, err)
	}
	return op
}

func noSecrets(t testing.TB, c *armtest.Cloud, words ...string) {
	t.Helper()
	es, err := c.Store.List(t.Context(), "/")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range es {
		for _, w := range words {
			if strings.Contains(string(e.Value), w) {
				t.Errorf("%s has %q: %s", e.Key, w, e.Value)
			}
		}
	}
}

func TestRunCommand(t *testing.T) {
	c := withVM(t)
	before := getVM(t, c)
	op := c.Post(vmID, "runCommand", `{"commandId": "runshellscript", "script": ["echo hidden", "exit 3"], "parameters": [{"name": "arg1", "value": "x"}]}`).Operation
	all := pending(t, c)
	want := []fabric.Command{{UID: getVM(t, c).Spec.Command.UID, Script: "echo hidden\nexit 3", Parameters: []fabric.Parameter{{Name: "arg1", Value: "x"}}, TimeoutSeconds: 5400}}
	if diff := cmp.Diff(want, all); diff != "" {
		t.Fatal(diff)
	}
	if vm := getVM(t, c); vm.Generation != before.Generation || vm.Operation != before.Operation || PowerState(vm) != Running {
		t.Errorf("the machine itself changes: %+v", vm.Meta)
	}
	_, err := c.Do(armtest.Request{Method: "POST", ID: vmID, Action: "runCommand", Body: `{"commandId": "RunShellScript"}`})
	armtest.WantError(t, err, "Conflict")
	report(t, c, fabric.CommandReport{UID: "another"})
	if operation(t, c, op.ID).Done() {
		t.Error("another command's end ends it")
	}
	report(t, c, fabric.CommandReport{UID: all[0].UID, ExitCode: 3, Stdout: "out\n", Stderr: "err\n"})
	noSecrets(t, c, "hidden")
	ended := operation(t, c, op.ID)
	armtest.Golden(t, "runcommand-result", ended.Result)
	armtest.FitsSDK(t, ended.Result, &armcompute.RunCommandResult{})
	if ended.Status != arm.Succeeded {
		t.Errorf("operation = %+v", ended)
	}
	if left := pending(t, c); len(left) > 0 {
		t.Errorf("pending: %+v", left)
	}
	again := c.Post(vmID, "runCommand", `{"commandId": "RunShellScript", "script": ["true"]}`).Operation
	report(t, c, fabric.CommandReport{UID: pending(t, c)[0].UID, Problem: &fabric.Problem{Code: "CommandResultLost", Message: "Lost."}})
	if got := operation(t, c, again.ID); got.Status != arm.Failed || got.Error.Code != "CommandResultLost" {
		t.Errorf("operation = %+v", got)
	}
	if n := len(getVM(t, c).Status.Commands); n != 1 {
		t.Errorf("%d outcomes are kept, want the last", n)
	}
}

func TestRunCommandRefuses(t *testing.T) {
	long := strings.Repeat("x", maxScript+1)
	tests := map[string]struct{ body, want string }{
		"nothing":             {``, "InvalidRequestContent"},
		"no command":          {`{"script": ["true"]}`, "InvalidParameter"},
		"another command":     {`{"commandId": "RunPowerShellScript"}`, "InvalidParameter"},
		"long script":         {`{"commandId": "RunShellScript", "script": ["` + long + `"]}`, "InvalidParameter"},
		"zero byte":           {`{"commandId": "RunShellScript", "script": ["a\u0000b"]}`, "InvalidParameter"},
		"unnamed parameter":   {`{"commandId": "RunShellScript", "parameters": [{"value": "x"}]}`, "InvalidParameter"},
		"parameter twice":     {`{"commandId": "RunShellScript", "parameters": [{"name": "a"}, {"name": "a"}]}`, "InvalidParameter"},
		"many parameters":     {`{"commandId": "RunShellScript", "parameters": [` + strings.Repeat(`{"name": "a"},`, 200) + `{"name": "b"}]}`, "InvalidParameter"},
		"zero in a parameter": {`{"commandId": "RunShellScript", "parameters": [{"name": "a", "value": "\u0000"}]}`, "InvalidParameter"},
		"unknown property":    {`{"commandId": "RunShellScript", "runAs": "bob"}`, "UnsupportedProperty"},
	}
	c := withVM(t)
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := c.Do(armtest.Request{Method: "POST", ID: vmID, Action: "runCommand", Body: tt.body})
			armtest.WantError(t, err, tt.want)
			if vm := getVM(t, c); vm.Spec.Command != nil {
				t.Errorf("command = %+v", vm.Spec.Command)
			}
		})
	}
}

func TestGuestMustRun(t *testing.T) {
	script := armtest.Request{Method: "POST", ID: vmID, Action: "runCommand", Body: `{"commandId": "RunShellScript", "script": ["true"]}`}
	extension := armtest.Request{Method: "PUT", ID: vmID.Child("extensions", "x"), Body: customBody(`{"commandToExecute": "true"}`)}
	tests := map[string]struct {
		do   func(c *armtest.Cloud)
		want string
	}{
		"off":           {func(c *armtest.Cloud) { c.Post(vmID, "powerOff", ""); settleVM(t, c, vmID) }, "OperationNotAllowed"},
		"going off":     {func(c *armtest.Cloud) { c.Post(vmID, "deallocate", "") }, "OperationNotAllowed"},
		"off by itself": {func(c *armtest.Cloud) { settleVM(t, c, vmID, func(s *VMStatus) { s.State = fabric.MachineStopped }) }, "OperationNotAllowed"},
		"being deleted": {func(c *armtest.Cloud) { c.Delete(vmID) }, "OperationNotAllowed"},
		"restarting":    {func(c *armtest.Cloud) { c.Post(vmID, "restart", "") }, ""},
		"extensions refused": {func(c *armtest.Cloud) {
			if err := c.Update(func(call *arm.Call) error {
				o, err := VMs.Get(t.Context(), call.Tx, vmID)
				if err != nil {
					return err
				}
				o.Spec.OS.RefuseExtensions = true
				return VMs.Put(t.Context(), call.Tx, o)
			}); err != nil {
				t.Fatal(err)
			}
		}, "OperationNotAllowed"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := withVM(t)
			tt.do(c)
			for _, r := range []armtest.Request{script, extension} {
				_, err := c.Do(r)
				armtest.WantError(t, err, tt.want)
			}
		})
	}
}

// What is asked for of a machine that goes ends with it.
func TestCancelCommands(t *testing.T) {
	c := withVM(t)
	script := c.Post(vmID, "runCommand", `{"commandId": "RunShellScript", "script": ["echo hidden"]}`).Operation
	extension := c.Put(vmID.Child("extensions", "x"), customBody(`{"commandToExecute": "echo hidden"}`)).Operation
	if err := c.Update(func(call *arm.Call) error { return CancelCommands(t.Context(), call.Tx, getVM(t, c), time.Now()) }); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{script.ID, extension.ID} {
		if op := operation(t, c, id); op.Status != arm.Canceled {
			t.Errorf("operation = %+v", op)
		}
	}
	noSecrets(t, c, "hidden")
}

func TestCommandDocuments(t *testing.T) {
	c := newCloud(t)
	path := "/subscriptions/" + armtest.Subscription + "/providers/Microsoft.Compute/locations/local/runCommands"
	for rest, sdk := range map[string]any{"": &armcompute.RunCommandListResult{}, "/runshellscript": &armcompute.RunCommandDocument{}} {
		r, err := c.GetPath(Endpoints(testConfig), path+rest, "")
		if err != nil {
			t.Fatal(err)
		}
		armtest.FitsSDK(t, r.Body, sdk)
	}
	_, err := c.GetPath(Endpoints(testConfig), path+"/ifconfig", "")
	armtest.WantError(t, err, "NotFound")
}

func FuzzScript(f *testing.F) {
	f.Add([]byte(`{"commandId": "RunShellScript", "script": ["a"], "parameters": [{"name": "a", "value": "b"}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		cmd, err := readScript(body)
		if err == nil {
			if _, err := json.Marshal(cmd); err != nil || len(cmd.Script) > maxScript {
				t.Errorf("%d bytes, %v", len(cmd.Script), err)
			}
			return
		}
		if _, ok := errors.AsType[*arm.Error](err); !ok {
			t.Errorf("err = %v", err)
		}
	})
}

// customBody is the body of an extension that runs a script.
func customBody(protected string) string {
	return extensionOf("Microsoft.Azure.Extensions", "CustomScript", "2.1", fmt.Sprintf(`"protectedSettings": %s`, protected))
}

func extensionOf(publisher, kind, version, more string) string {
	return fmt.Sprintf(`{"location": "local", "properties": {"publisher": %q, "type": %q, "typeHandlerVersion": %q, %s}}`, publisher, kind, version, more)
}
