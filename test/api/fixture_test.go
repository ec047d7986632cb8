package api_test

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

const publicKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl someone\n"

// A body is the tree of a request's JSON.
type body map[string]any

// with is the body with what is at each path replaced by the value after it;
// a nil value removes it.
func (b body) with(edits ...any) body {
	var tree any
	if err := json.Unmarshal([]byte(b.String()), &tree); err != nil {
		panic(err)
	}
	for i := 0; i+1 < len(edits); i += 2 {
		tree = replace(tree, strings.Split(edits[i].(string), "."), edits[i+1])
	}
	return body(tree.(map[string]any))
}

func replace(tree any, path []string, value any) any {
	if len(path) == 0 {
		return value
	}
	if a, ok := tree.([]any); ok {
		i, err := strconv.Atoi(path[0])
		if err != nil {
			panic(err)
		}
		for len(a) <= i {
			a = append(a, map[string]any{})
		}
		a[i] = replace(a[i], path[1:], value)
		return slices.DeleteFunc(a, func(v any) bool { return v == nil })
	}
	m, ok := tree.(map[string]any)
	if !ok && path[0] == "0" {
		return []any{replace(nil, path[1:], value)}
	}
	if !ok {
		m = map[string]any{}
	}
	if m[path[0]] = replace(m[path[0]], path[1:], value); m[path[0]] == nil {
		delete(m, path[0])
	}
	return m
}

func (b body) String() string {
	s, err := json.Marshal(b)
	if err != nil {
		panic(err)
	}
	return string(s)
}

// parse reads a body that is a constant of a test.
func parse(s string) body {
	var b body
	if err := json.Unmarshal([]byte(s), &b); err != nil {
		panic(s + ": " + err.Error())
	}
	return b
}

func (c *cloud) vnetBody() body {
	return parse(`{"location":"local","properties":{"addressSpace":{"addressPrefixes":["10.0.0.0/16"]},
		"subnets":[{"name":"sn","properties":{"addressPrefix":"10.0.0.0/24"}}]}}`)
}

func (c *cloud) nicBody() body {
	return parse(`{"location":"local","properties":{"ipConfigurations":[{"name":"ip","properties":{"subnet":{"id":"` + c.network("virtualNetworks/net/subnets/sn") + `"}}}]}}`)
}

func (c *cloud) diskBody() body {
	return parse(`{"location":"local","properties":{"creationData":{"createOption":"Empty"},"diskSizeGB":4}}`)
}

// vmBody is a machine with the interface nic.
func (c *cloud) vmBody(nic string) body {
	return parse(`{"location":"local","properties":{
		"hardwareProfile":{"vmSize":"Standard_B1s"},
		"storageProfile":{"imageReference":{"publisher":"Debian","offer":"debian-12","sku":"12","version":"latest"}},
		"osProfile":{"computerName":"vm","adminUsername":"azureuser","adminPassword":"Str0ng!Passw0rd"},
		"networkProfile":{"networkInterfaces":[{"id":"` + c.network("networkInterfaces/"+nic) + `"}]}}}`)
}

// furnished is a cloud with the group rg, in which there is the network net
// with the subnet sn, and the interfaces nic1 to nic3.
func (c *cloud) furnished() *cloud {
	c.t.Helper()
	c.want(201, "PUT", c.group("rg"), `{"location":"local"}`)
	c.want(201, "PUT", c.network("virtualNetworks/net"), c.vnetBody().String())
	for _, n := range []string{"nic1", "nic2", "nic3"} {
		c.want(201, "PUT", c.network("networkInterfaces/"+n), c.nicBody().String())
	}
	return c
}

// withVM is a furnished cloud in which the machine vm runs on nic1, whose OS
// disk is osdisk.
func (c *cloud) withVM(edits ...any) *cloud {
	c.t.Helper()
	c.furnished()
	edits = append([]any{"properties.storageProfile.osDisk", map[string]any{"name": "osdisk", "createOption": "FromImage"}}, edits...)
	c.done("PUT", c.compute("virtualMachines/vm"), c.vmBody("nic1").with(edits...).String())
	return c
}

// everything is all that the subscription has, as its lists show it.
func (c *cloud) everything() string {
	c.t.Helper()
	var all strings.Builder
	for _, path := range []string{
		c.subscription("resourceGroups"), c.subscription("resources"),
		c.provider("Compute", "virtualMachines"), c.provider("Compute", "disks"), c.provider("Compute", "images"),
		c.provider("Network", "virtualNetworks"), c.provider("Network", "networkInterfaces"),
		c.provider("Network", "publicIPAddresses"), c.provider("Network", "networkSecurityGroups"),
	} {
		all.Write(c.want(200, "GET", path, "").body)
		all.WriteByte('\n')
	}
	return all.String()
}

// power is the machine's power state: "running".
func (c *cloud) power(vm string) string {
	c.t.Helper()
	statuses, _ := c.want(200, "GET", c.compute("virtualMachines/"+vm+"/instanceView"), "").get("statuses").([]any)
	for _, s := range statuses {
		if p, ok := strings.CutPrefix(at(s, "code").(string), "PowerState/"); ok {
			return p
		}
	}
	return ""
}

// empty deletes the group rg and holds the cloud to having nothing left, on
// the host either.
func (c *cloud) empty() {
	c.t.Helper()
	c.done("DELETE", c.group("rg"), "")
	c.refused(404, "ResourceGroupNotFound", "GET", c.group("rg"), "")
	if all := c.everything(); strings.Contains(all, `"id"`) {
		c.t.Errorf("left of the group: %s", all)
	}
	if c.host != nil {
		c.until("the host is empty", func() bool { return len(c.host.Left()) == 0 })
	}
}
