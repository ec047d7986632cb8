package api_test

import (
	"testing"
)

// A lock keeps what it is on, and all in it, from what it forbids; of a deletion
// also all around it.
func TestWhatLocksForbid(t *testing.T) {
	vm := func(c *cloud) string { return c.compute("virtualMachines/vm") }
	tests := map[string]struct {
		on     func(*cloud) string
		level  string
		method string
		path   func(*cloud) string
		locked bool
	}{
		"delete itself":        {vm, "CanNotDelete", "DELETE", vm, true},
		"change itself":        {vm, "CanNotDelete", "PATCH", vm, false},
		"act on it":            {vm, "CanNotDelete", "POST", func(c *cloud) string { return vm(c) + "/restart" }, false},
		"change, read-only":    {vm, "ReadOnly", "PATCH", vm, true},
		"act on it, read-only": {vm, "ReadOnly", "POST", func(c *cloud) string { return vm(c) + "/restart" }, true},
		"read it, read-only":   {vm, "ReadOnly", "GET", vm, false},
		"delete around":        {vm, "CanNotDelete", "DELETE", func(c *cloud) string { return c.group("rg") }, true},
		"change around":        {vm, "ReadOnly", "PATCH", func(c *cloud) string { return c.group("rg") }, false},
		"delete inside":        {func(c *cloud) string { return c.group("rg") }, "CanNotDelete", "DELETE", vm, true},
		"make inside":          {func(c *cloud) string { return c.group("rg") }, "ReadOnly", "PUT", func(c *cloud) string { return c.network("publicIPAddresses/p") }, true},
		"in the subscription":  {func(c *cloud) string { return c.subscription("") }, "CanNotDelete", "DELETE", vm, true},
		"the parent":           {func(c *cloud) string { return c.network("virtualNetworks/spare/subnets/sn") }, "CanNotDelete", "DELETE", func(c *cloud) string { return c.network("virtualNetworks/spare") }, true},
		"beside":               {func(c *cloud) string { return c.network("networkInterfaces/nic2") }, "ReadOnly", "DELETE", func(c *cloud) string { return c.network("networkInterfaces/nic3") }, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := newCloud(t).withVM()
			c.want(201, "PUT", c.network("virtualNetworks/spare"), c.vnetBody().String())
			c.lock(tt.on(c), "l", tt.level)
			before := c.everything()
			r := c.do(tt.method, tt.path(c), `{"location":"local"}`)
			if locked := r.StatusCode == 409 && r.code() == "ScopeLocked"; locked != tt.locked {
				t.Fatalf("%s = %d %s, want locked: %t", tt.method, r.StatusCode, r.body, tt.locked)
			}
			if tt.locked && c.everything() != before {
				t.Error("what is refused has changed something")
			}
			c.await(r)
			c.want(200, "DELETE", tt.on(c)+"/providers/Microsoft.Authorization/locks/l", "")
			if tt.locked && tt.method == "DELETE" {
				c.done("DELETE", tt.path(c), "")
			}
		})
	}
}

// A machine's deletion does not take along a disk that is locked.
func TestLockedDiskStays(t *testing.T) {
	c := newCloud(t).withVM("properties.storageProfile.osDisk.deleteOption", "Delete")
	c.lock(c.compute("disks/osdisk"), "l", "CanNotDelete")
	c.refused(409, "ScopeLocked", "DELETE", c.compute("virtualMachines/vm"), "")
	c.want(200, "GET", c.compute("virtualMachines/vm"), "")
	c.want(200, "DELETE", c.compute("disks/osdisk")+"/providers/Microsoft.Authorization/locks/l", "")
	c.done("DELETE", c.compute("virtualMachines/vm"), "")
}

// A subnet goes neither by itself nor by being left out of its network when it is
// locked, and takes along what is assigned on it.
func TestLockedSubnetStays(t *testing.T) {
	c := newCloud(t)
	c.want(201, "PUT", c.group("rg"), `{"location":"local"}`)
	vnet, subnet := c.network("virtualNetworks/net"), c.network("virtualNetworks/net/subnets/sn")
	c.want(201, "PUT", vnet, c.vnetBody().String())
	without := c.vnetBody().with("properties.subnets", []any{}).String()
	m := c.member("m")
	c.give(m, reader, subnet)
	m.want(200, "GET", subnet, "")
	c.lock(subnet, "l", "CanNotDelete")
	c.refused(409, "ScopeLocked", "DELETE", subnet, "")
	c.refused(409, "ScopeLocked", "PUT", vnet, without)
	c.want(200, "DELETE", subnet+"/providers/Microsoft.Authorization/locks/l", "")
	c.want(200, "PUT", vnet, without)
	c.want(200, "PUT", vnet, c.vnetBody().String())
	m.refused(403, "AuthorizationFailed", "GET", subnet, "")
}

func TestLocksListed(t *testing.T) {
	c := newCloud(t).furnished()
	nic := c.network("networkInterfaces/nic1")
	c.lock(c.subscription(""), "s", "CanNotDelete")
	c.lock(c.group("rg"), "g", "CanNotDelete")
	c.lock(nic, "n", "ReadOnly")
	for path, want := range map[string]int{
		c.subscription("") + "/providers/Microsoft.Authorization/locks":                                          3,
		c.subscription("") + "/providers/Microsoft.Authorization/locks?$filter=atScope()&api-version=2016-09-01": 1,
		c.group("rg") + "/providers/Microsoft.Authorization/locks":                                               3,
		nic + "/providers/Microsoft.Authorization/locks":                                                         3,
		c.network("networkInterfaces/nic2") + "/providers/Microsoft.Authorization/locks":                         2,
	} {
		if got := len(c.want(200, "GET", path, "").get("value").([]any)); got != want {
			t.Errorf("%s has %d locks, want %d", path, got, want)
		}
	}
}
