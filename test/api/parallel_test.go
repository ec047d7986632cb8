package api_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"lazuli/internal/daemon"
)

// Many machines come and go at once: every write is kept, every operation
// ends, every address is given once, and nothing is left.
func TestParallelMachines(t *testing.T) {
	const n = 50
	c := newCloud(t)
	c.want(201, "PUT", c.group("rg"), `{"location":"local"}`)
	c.want(201, "PUT", c.network("virtualNetworks/net"), c.vnetBody().String())
	var mu sync.Mutex
	addresses, macs := map[any]string{}, map[any]string{}
	once := func(seen map[any]string, what any, nic string) {
		mu.Lock()
		defer mu.Unlock()
		if other, taken := seen[what]; taken {
			t.Errorf("%s and %s both have %v", nic, other, what)
		}
		seen[what] = nic
	}
	inParallel(n, func(i int) {
		nic, vm := fmt.Sprint("nic", i), c.compute(fmt.Sprint("virtualMachines/vm", i))
		made := c.persist("PUT", c.network("networkInterfaces/"+nic), c.nicBody().String())
		once(addresses, made.get("properties.ipConfigurations.0.properties.privateIPAddress"), nic)
		once(macs, made.get("properties.macAddress"), nic)
		b := c.vmBody(nic).with("tags.n", fmt.Sprint(i), "properties.storageProfile.osDisk", map[string]any{"createOption": "FromImage", "deleteOption": "Delete"},
			"properties.networkProfile.networkInterfaces.0.properties.deleteOption", "Delete")
		c.ended(c.persist("PUT", vm, b.String()))
	})
	vms := c.want(200, "GET", c.compute("virtualMachines"), "").get("value").([]any)
	if len(vms) != n || len(c.host.Running()) != n {
		t.Fatalf("%d machines are listed and %d run, want %d", len(vms), len(c.host.Running()), n)
	}
	for _, v := range vms {
		if "vm"+fmt.Sprint(at(v, "tags.n")) != at(v, "name") || at(v, "properties.provisioningState") != "Succeeded" {
			t.Errorf("machine %v has the tags %v and is %v", at(v, "name"), at(v, "tags"), at(v, "properties.provisioningState"))
		}
	}
	inParallel(n, func(i int) {
		c.ended(c.persist("DELETE", c.compute(fmt.Sprint("virtualMachines/vm", i)), ""))
	})
	c.until("nothing is left but the network", func() bool {
		left := c.host.Left()
		return !slices.ContainsFunc(left, func(s string) bool { return !strings.HasPrefix(s, "network ") })
	})
	for _, list := range []string{c.compute("virtualMachines"), c.compute("disks"), c.network("networkInterfaces")} {
		c.until(list+" is empty", func() bool { return len(c.want(200, "GET", list, "").get("value").([]any)) == 0 })
	}
	c.empty()
}

// Many writers of one resource: each write that was let in is there, none is
// lost.
func TestParallelWrites(t *testing.T) {
	const n = 20
	c := newCloud(t)
	c.want(201, "PUT", c.group("rg"), `{"location":"local"}`)
	c.want(201, "PUT", c.network("virtualNetworks/net"), c.vnetBody().String())
	inParallel(n, func(i int) {
		c.persist("PUT", c.network(fmt.Sprint("virtualNetworks/net/subnets/sn", i)), fmt.Sprintf(`{"properties":{"addressPrefix":"10.0.%d.0/24"}}`, i+1))
	})
	if got := c.want(200, "GET", c.network("virtualNetworks/net/subnets"), "").get("value").([]any); len(got) != n+1 {
		t.Errorf("%d subnets are there, want %d", len(got), n+1)
	}
	path, won := c.network("networkSecurityGroups/nsg"), 0
	var mu sync.Mutex
	inParallel(n, func(i int) {
		r := c.persist("PUT", path, fmt.Sprintf(`{"location":"local","tags":{"n":"%d"}}`, i), "If-None-Match", "*")
		mu.Lock()
		defer mu.Unlock()
		if r.StatusCode == 201 {
			won++
		} else if r.StatusCode != 412 {
			t.Errorf("PUT of what must not be there = %d %s", r.StatusCode, r.body)
		}
	})
	if won != 1 {
		t.Errorf("%d writers made the security group, want 1", won)
	}
	inParallel(n, func(int) {
		for {
			was := c.do("GET", path, "")
			count, _ := was.get("tags.count").(string)
			b := parse(string(was.body)).with("tags.count", count+"x")
			if c.persist("PUT", path, b.String(), "If-Match", was.Header.Get("Etag")).StatusCode == 200 {
				return
			}
		}
	})
	if got := c.do("GET", path, "").get("tags.count"); got != strings.Repeat("x", n) {
		t.Errorf("%d increments came to %v", n, got)
	}
}

// Machines that come at once do not get memory that there is only once.
func TestParallelPlacement(t *testing.T) {
	const n, fit = 16, 5
	c := newCloudOn(t, daemon.NodeConfig{FakeMemoryMiB: 512 + fit*1024}) // some is the host's own
	c.want(201, "PUT", c.group("rg"), `{"location":"local"}`)
	c.want(201, "PUT", c.network("virtualNetworks/net"), c.vnetBody().String())
	var mu sync.Mutex
	outcomes := map[string]int{}
	inParallel(n, func(i int) {
		nic := fmt.Sprint("nic", i)
		c.persist("PUT", c.network("networkInterfaces/"+nic), c.nicBody().String())
		last := c.await(c.persist("PUT", c.compute(fmt.Sprint("virtualMachines/vm", i)), c.vmBody(nic).String()))
		code, _ := last.get("error.code").(string)
		mu.Lock()
		defer mu.Unlock()
		outcomes[fmt.Sprint(last.get("status"), " ", code)]++
	})
	want := map[string]int{"Succeeded ": fit, "Failed AllocationFailed": n - fit}
	if diff := cmp.Diff(want, outcomes); diff != "" || len(c.host.Running()) != fit {
		t.Errorf("%d machines run, want %d; -want +got:\n%s", len(c.host.Running()), fit, diff)
	}
	c.empty()
}

func inParallel(n int, f func(i int)) {
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { f(i) })
	}
	wg.Wait()
}

// persist repeats a request that others were in the way of, as clients do. It
// may be called by any goroutine of a test.
func (c *cloud) persist(method, path, body string, header ...string) reply {
	for {
		r := c.do(method, path, body, header...)
		if r.StatusCode != http.StatusServiceUnavailable {
			if r.StatusCode >= 300 && r.StatusCode != 412 {
				c.t.Errorf("%s %s = %d %s", method, path, r.StatusCode, r.body)
			}
			return r
		}
	}
}

// ended waits for the end of a reply's operation, which must be a good one.
func (c *cloud) ended(r reply) {
	if last := c.await(r); last.get("status") != "Succeeded" {
		c.t.Errorf("%s %s came to %s", r.Request.Method, r.Request.URL.Path, last.body)
	}
}
