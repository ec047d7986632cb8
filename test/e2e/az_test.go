package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"lazuli/test/e2e/cloudtest"
)

// azure is az, as lazuli has set it up.
type azure struct {
	c *cloudtest.Cloud
}

// run runs one command; code is what it exits with.
func (a *azure) run(args ...string) (out []byte, code int) {
	a.c.T.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*cloudtest.Patience)
	defer cancel()
	cmd := a.c.Host.Command(ctx, "az", args...)
	var said bytes.Buffer
	cmd.Stderr = &said
	cmd.Env = append(os.Environ(), "HOME="+a.c.Dir, "REQUESTS_CA_BUNDLE="+filepath.Join(a.c.Dir, "ca.crt"), "AZURE_CORE_COLLECT_TELEMETRY=0")
	out, err := cmd.Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && exit.Exited() {
		a.c.T.Logf("az %s exits with %d: %s", strings.Join(args, " "), exit.ExitCode(), said.Bytes())
		return out, exit.ExitCode()
	} else if err != nil {
		a.c.T.Fatalf("az %s: %v: %s", strings.Join(args, " "), err, said.Bytes())
	}
	return out, 0
}

// do is run that must succeed, and reads what it prints.
func (a *azure) do(v any, args ...string) {
	a.c.T.Helper()
	out, code := a.run(args...)
	if code != 0 {
		a.c.T.Fatalf("az fails. The daemon's log ends:\n%s", a.c.Log(20))
	}
	if v == nil {
		return
	}
	if err := json.Unmarshal(out, v); err != nil {
		a.c.T.Fatalf("az %s prints no JSON: %v\n%s", strings.Join(args, " "), err, out)
	}
}

func (a *azure) wantPower(vm, want string) {
	a.c.T.Helper()
	var got string
	if a.do(&got, "vm", "show", "-d", "-g", "default", "-n", vm, "--query", "powerState"); got != want {
		a.c.T.Errorf("az shows %s as %q, want %q", vm, got, want)
	}
}

// TestAz is the life of a machine by Azure's own command line: what that says
// of the guest is so.
func TestAz(t *testing.T) {
	t.Parallel()
	c := cloudtest.New(t)
	c.Up()
	c.Do("az-setup", "--apply")
	a := &azure{c}
	a.do(nil, "group", "create", "-n", "default", "-l", "local") // where lazuli looks for it too
	var made struct{ PowerState, PublicIPAddress string }
	a.do(&made, "vm", "create", "-g", "default", "-n", "az1", "--image", "Tiny", "--size", "Standard_B1ls",
		"--admin-username", "azureuser", "--ssh-key-values", c.PublicKey(), "--public-ip-sku", "Standard")
	g := c.Guest("az1")
	if made.PowerState != "VM running" || made.PublicIPAddress != g.IP {
		t.Errorf("az made %+v, want it running at %s", made, g.IP)
	}
	boots := g.Status().Boots
	t.Log("a machine that az made is logged in to at the address that az shows")

	var result struct {
		Value []struct{ Code, Message string }
	}
	a.do(&result, "vm", "run-command", "invoke", "-g", "default", "-n", "az1", "--command-id", "RunShellScript", "--scripts", "echo $1 from $(hostname)", "--parameters", "hello")
	if v := result.Value; len(v) != 1 || v[0].Code != "ProvisioningState/succeeded" || !strings.Contains(v[0].Message, "[stdout]\nhello from az1\n") {
		t.Errorf("the command came to %+v", v)
	}
	t.Log("a command is run in the guest")

	a.do(nil, "vm", "stop", "-g", "default", "-n", "az1")
	a.wantPower("az1", "VM stopped")
	if _, err := g.Try("true"); err == nil {
		t.Error("the guest answers though it is stopped")
	}
	a.do(nil, "vm", "start", "-g", "default", "-n", "az1")
	a.wantPower("az1", "VM running")
	if again := g.Status().Boots; again != boots+1 {
		t.Errorf("the guest has booted %d times, and %d before", again, boots)
	}
	t.Log("it is stopped and started, and is the same guest")

	a.do(nil, "vm", "delete", "-g", "default", "-n", "az1", "--yes")
	if _, code := a.run("vm", "show", "-g", "default", "-n", "az1"); code != 3 {
		t.Errorf("az shows the machine that was deleted: exit code %d, want 3", code)
	}
	if left := c.Machines(); len(left) != 0 {
		t.Errorf("processes are left: %v", left)
	}
	a.do(nil, "group", "delete", "-n", "default", "--yes")
	t.Log("deleted, nothing of it runs")
}
