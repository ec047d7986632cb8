package api_test

import (
	"encoding/json"
	"fmt"
	"sync"
	"testing"
)

// claim is what several ask for at once, of which one can have it.
type claim struct {
	path func(i int) string
	body func(i int) string
	code string // for those who do not get it
}

// Of those who want one interface, disk or address at the same time exactly one
// gets it, and nothing of what the others asked for is there.
func TestRivals(t *testing.T) {
	const n = 12
	c := newCloud(t)
	c.want(201, "PUT", c.group("rg"), `{"location":"local"}`)
	c.want(201, "PUT", c.network("virtualNetworks/net"), c.vnetBody().String())
	c.want(201, "PUT", c.network("publicIPAddresses/pip"), `{"location":"local"}`)
	c.done("PUT", c.compute("disks/shared"), c.diskBody().String())
	for i := range n + 1 {
		c.want(201, "PUT", c.network(fmt.Sprint("networkInterfaces/nic", i)), c.nicBody().String())
	}
	vm := func(i int) string { return c.compute(fmt.Sprint("virtualMachines/vm", i)) }
	nic := func(i int) string { return c.network(fmt.Sprint("networkInterfaces/new", i)) }
	const config = "properties.ipConfigurations.0.properties."
	tests := map[string]claim{
		"interface": {vm, func(int) string { return c.vmBody(fmt.Sprint("nic", n)).String() }, "NicInUse"},
		"data disk": {vm, func(i int) string {
			return c.vmBody(fmt.Sprint("nic", i)).with("properties.storageProfile.dataDisks.0", map[string]any{"lun": 0, "createOption": "Attach", "name": "shared"}).String()
		}, "ConflictingUserInput"},
		"name of a disk": {vm, func(i int) string {
			return c.vmBody(fmt.Sprint("nic", i)).with("properties.storageProfile.osDisk", map[string]any{"createOption": "FromImage", "name": "mine"}).String()
		}, "ConflictingUserInput"},
		"private address": {nic, func(int) string {
			return c.nicBody().with(config+"privateIPAllocationMethod", "Static", config+"privateIPAddress", "10.0.0.99").String()
		}, "PrivateIPAddressInUse"},
		"public address": {nic, func(int) string {
			return c.nicBody().with(config+"publicIPAddress.id", c.network("publicIPAddresses/pip")).String()
		}, "PublicIPAddressInUse"},
		"public name": {func(i int) string { return c.network(fmt.Sprint("publicIPAddresses/p", i)) }, func(int) string {
			return `{"location":"local","properties":{"dnsSettings":{"domainNameLabel":"mine"}}}`
		}, "DnsRecordInUse"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := c.in(t)
			replies := make([]reply, n)
			inParallel(n, func(i int) { replies[i] = c.insist("PUT", tt.path(i), tt.body(i)) })
			won := -1
			for i, r := range replies {
				switch {
				case r.StatusCode == 201 && won < 0:
					won = i
				case r.StatusCode == 201:
					t.Errorf("%d and %d both have it", won, i)
				case r.code() != tt.code:
					t.Errorf("%d: %d %s, want %s", i, r.StatusCode, r.body, tt.code)
				default:
					c.want(404, "GET", tt.path(i), "")
				}
			}
			if won < 0 {
				t.Fatal("nobody has it")
			}
			c.await(replies[won])
			c.await(c.do("DELETE", tt.path(won), ""))
			c.do("DELETE", c.compute("disks/mine"), "")
		})
	}
}

// What is made in a thing that is being deleted at the same time is either
// there with it or goes, or is never made, with it.
func TestDeletedWhileItIsUsed(t *testing.T) {
	const rounds = 10
	c := newCloud(t)
	for round := range rounds {
		c.await(c.insist("PUT", c.group("rg"), `{"location":"local"}`))
		c.want(201, "PUT", c.network("virtualNetworks/net"), c.vnetBody().String())
		c.want(201, "PUT", c.network("networkSecurityGroups/nsg"), `{"location":"local"}`)
		guarded := c.nicBody().with("properties.networkSecurityGroup.id", c.network("networkSecurityGroups/nsg")).String()
		things := []string{c.network("virtualNetworks/net"), c.network("virtualNetworks/net/subnets/sn"), c.network("networkSecurityGroups/nsg")}
		thing := things[round%len(things)]
		inParallel(2, func(i int) {
			if i == 0 {
				c.insist("PUT", c.network("networkInterfaces/nic"), guarded)
			} else {
				c.insist("DELETE", thing, "")
			}
		})
		has := func(path string) bool { return c.do("GET", path, "").StatusCode == 200 }
		if nic := has(c.network("networkInterfaces/nic")); nic != has(thing) {
			t.Errorf("round %d: %s is there: %t; an interface that uses it: %t", round, thing, has(thing), nic)
		}
		// The group goes while things are made in it.
		var mu sync.Mutex
		codes := map[string]int{}
		inParallel(6, func(i int) {
			if i == 3 {
				c.await(c.insist("DELETE", c.group("rg"), ""))
				return
			}
			r := c.insist("PUT", c.compute(fmt.Sprint("disks/d", i)), c.diskBody().String())
			mu.Lock()
			defer mu.Unlock()
			codes[r.code()]++
		})
		for code := range codes {
			if code != "" && code != "ResourceGroupBeingDeleted" && code != "ResourceGroupNotFound" {
				t.Errorf("round %d: %v", round, codes)
			}
		}
		c.until("the group is gone", func() bool { return c.do("GET", c.group("rg"), "").StatusCode == 404 })
		if left := c.want(200, "GET", c.subscription("resources"), "").get("value").([]any); len(left) > 0 {
			b, _ := json.Marshal(left)
			t.Fatalf("round %d: left of the group: %s", round, b)
		}
	}
}

// insist is persist of what may be refused.
func (c *cloud) insist(method, path, body string) reply {
	for {
		if r := c.do(method, path, body); r.StatusCode != 503 {
			if r.StatusCode >= 500 {
				c.t.Errorf("%s %s = %d %s", method, path, r.StatusCode, r.body)
			}
			return r
		}
	}
}
