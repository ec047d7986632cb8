// Package az_test holds a cloud to the stock az: Debian's azure-cli as it is
// installed, each command a process of its own, though most are forks of one
// that has Python's libraries loaded, see fork_test.go.
//
// The scripts in testdata are themes that run side by side in one cloud, each
// in resource groups and with an az configuration of its own. They are
// testscript's, with the commands of script_test.go.
//
// Some commands of that az end in a traceback whatever the cloud, and some are
// not in the profile that it needs. docs/az.md says which, and by which others
// the scripts do the same.
package az_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"lazuli/internal/identity/bootstrap"
	"lazuli/test/fakecloud"
)

// profile is the one that Debian's az works with: its default asks for API
// versions that Debian's Python libraries do not have.
const profile = "2020-09-01-hybrid"

func TestAz(t *testing.T) {
	c := fakecloud.New(t)
	serveForks(t)
	config := login(t, c)
	t.Run("fork", func(t *testing.T) {
		testForks(t, append(environment(c, filepath.Dir(config)), "PATH="+os.Getenv("PATH")))
	})
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		Cmds:                commands,
		Setup: func(e *testscript.Env) error {
			e.Values[lastKey{}] = &last{}
			e.Vars = append(e.Vars, environment(c, e.WorkDir)...)
			e.Vars = append(e.Vars,
				"PROFILE="+profile, "ENDPOINT="+c.Endpoint, "LOCATION="+c.Location,
				"TENANT="+c.TenantID, "SUBSCRIPTION="+c.SubscriptionID, "ID="+c.ClientID, "SECRET="+c.ClientSecret)
			return os.CopyFS(filepath.Join(e.WorkDir, "azure"), os.DirFS(config))
		},
	})
}

// environment is what az is told by its environment, and nothing else: it has
// its files in dir, trusts the cloud's authority, and tells Microsoft nothing.
func environment(c *bootstrap.Admin, dir string) []string {
	return []string{
		"HOME=" + dir, "AZURE_CONFIG_DIR=" + filepath.Join(dir, "azure"),
		"REQUESTS_CA_BUNDLE=" + c.CAFile, socketName + "=" + os.Getenv(socketName), "AZURE_CORE_COLLECT_TELEMETRY=0", "AZURE_CORE_NO_COLOR=1",
		"LC_ALL=C.UTF-8",
	}
}

// login makes the configuration of an az that is logged in to a cloud whose
// node has linked.
func login(t *testing.T, c *bootstrap.Admin) (config string) {
	t.Helper()
	dir := t.TempDir()
	run := func(args ...string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), stock, args...)
		cmd.Env = append(environment(c, dir), "PATH="+os.Getenv("PATH"))
		out, err := cmd.Output()
		if exit, ok := errors.AsType[*exec.ExitError](err); ok {
			t.Fatalf("az %s: %v\n%s", strings.Join(args[:2], " "), err, exit.Stderr)
		} else if err != nil {
			t.Fatal(err)
		}
		return string(out)
	}
	// There is no flag for the directory's endpoint.
	run("cloud", "register", "--name", "lazuli", "--cloud-config",
		`{"profile":"`+profile+`","endpoints":{"resourceManager":"`+c.Endpoint+`","microsoftGraphResourceId":"`+c.Endpoint+`/"}}`)
	run("cloud", "set", "--name", "lazuli")
	run("login", "--service-principal", "--username", c.ClientID, "--password", c.ClientSecret, "--tenant", c.TenantID)
	for range 100 {
		if run("vm", "image", "list-publishers", "--location", c.Location, "--output", "tsv") != "" {
			return filepath.Join(dir, "azure")
		}
	}
	t.Fatal("no node offers images")
	return ""
}
