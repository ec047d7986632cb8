package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"lazuli/test/e2e/cloudtest"
)

// many is how many machines are made and deleted at a time.
const many = 20

// TestManyAtOnce makes machines in parallel and then deletes them in parallel,
// some of them while they boot. Nothing of them is left anywhere.
func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	c := cloudtest.New(t)
	c.Up()
	before := append(c.Traces(), "file machines/next-owner") // of the first machine, and then of all
	names := make([]string, many)
	for i := range names {
		names[i] = fmt.Sprintf("vm%02d", i)
	}
	inParallel(t, names, func(name string) error {
		_, err := c.Run("vm", "create", name, "--image", "tiny", "--size", "Standard_B1ls", "--ssh-key", c.PublicKey(), "--no-wait")
		return err
	})
	if t.Failed() {
		return
	}
	c.Eventually("half of the machines run", func() error {
		if n := len(c.Processes()); n < many/2 {
			return fmt.Errorf("%d of %d", n, many)
		}
		return nil
	})
	uids, namespaces := machineUIDs(c), c.Namespaces()
	t.Logf("%d machines made in parallel; %d run", many, len(uids))
	inParallel(t, names, func(name string) error {
		_, err := c.Run("vm", "delete", name, "--yes")
		return err
	})
	t.Logf("%d machines deleted in parallel", many)
	c.Eventually("nothing is left on the host", func() error {
		if diff := cmp.Diff(sorted(before), sorted(c.Traces())); diff != "" {
			return fmt.Errorf("before and after:\n%s", diff)
		}
		return nil
	})
	wantGone(t, "/run/netns", namespaces)
	for _, controller := range []string{"", "cpu", "memory", "pids"} {
		wantGone(t, filepath.Join("/sys/fs/cgroup", controller, "lazuli"), uids)
	}
	t.Logf("no process, namespace, device, address, route, rule, control group or file is left")
	wantLists(t, c, map[string]string{vmType: "", diskType: "", nicType: "", publicIPType: "", "Microsoft.Network/networkSecurityGroups": "", vnetType: "default-vnet"})
	c.Down()
	wantKeys(t, c)
	t.Logf("no key is left but the group's and the network's")
}

func inParallel(t *testing.T, names []string, f func(name string) error) {
	t.Helper()
	var wg sync.WaitGroup
	for _, name := range names {
		wg.Go(func() {
			if err := f(name); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

func sorted(s []string) []string {
	s = slices.Clone(s)
	slices.Sort(s)
	return slices.Compact(s)
}

func machineUIDs(c *cloudtest.Cloud) []string {
	var uids []string
	for _, p := range c.Processes() {
		uids = append(uids, p.Machine)
	}
	return uids
}

func wantGone(t *testing.T, dir string, names []string) {
	t.Helper()
	for _, name := range names {
		if _, err := os.Lstat(filepath.Join(dir, name)); err == nil {
			t.Errorf("%s is left in %s", name, dir)
		}
	}
}

// wantLists checks what the API lists of each type, by name.
func wantLists(t *testing.T, c *cloudtest.Cloud, want map[string]string) {
	t.Helper()
	a := c.API()
	for kind, names := range want {
		var list struct {
			Value []struct{ Name string } `json:"value"`
		}
		a.Must("GET", a.Group("default")+"/providers/"+kind, nil, &list)
		var got []string
		for _, v := range list.Value {
			got = append(got, v.Name)
		}
		if s := strings.Join(got, " "); s != names {
			t.Errorf("the API lists %q of %s, want %q", s, kind, names)
		}
	}
}

// wantKeys checks that the state has nothing but a group and a network, and
// what is no one's: the log of operations, the nodes, identities.
func wantKeys(t *testing.T, c *cloudtest.Cloud) {
	t.Helper()
	for _, key := range c.Keys() {
		switch strings.Split(key, "/")[1] {
		case "spec", "status", "ref", "claim":
		default:
			continue
		}
		if !strings.Contains(key, "resourcegroups") && !strings.Contains(key, "default-vnet") {
			t.Errorf("the key %s is left", key)
		}
	}
}
