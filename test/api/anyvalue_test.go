package api_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// readOnly are the paths of what clients read and send back, and nobody asks
// for: anything is taken there, and nothing comes of it.
var readOnly = regexp.MustCompile(`^((properties\.(subnets|securityRules|ipConfigurations)\.\d+\.)?(id|type|etag|properties\.provisioningState)` +
	`|name|managedBy|sku\.tier|properties\.(resourceGuid|vmId|timeCreated|storageProfile\.imageReference\.exactVersion` +
	`|diskSizeBytes|diskState|uniqueId|creationData\.sourceUniqueId` +
	`|macAddress|vnetEncryptionSupported|dnsSettings\.(appliedDnsServers|internalFqdn|internalDomainNameSuffix|fqdn)` +
	`|ipAddress|ipConfiguration|defaultSecurityRules|networkInterfaces))(\.|$)`)

// Any value anywhere in any body is refused, and nothing changes, or it is what
// the resource has from then on.
func TestAnyValueAnywhere(t *testing.T) {
	c := newCloud(t).withVM("tags.a", "b", "zones.0", "1", "properties.diagnosticsProfile.bootDiagnostics.enabled", false)
	c.want(201, "PUT", c.network("networkSecurityGroups/nsg"), `{"location":"local","properties":{"securityRules":[{"name":"r","properties":{
		"priority":100,"direction":"Inbound","access":"Allow","protocol":"Tcp","sourceAddressPrefix":"*","sourcePortRange":"*","destinationAddressPrefix":"10.0.0.0/8","destinationPortRanges":["22","80-90"]}}]}}`)
	c.want(201, "PUT", c.network("publicIPAddresses/pip"), `{"location":"local","sku":{"name":"Standard"},"zones":["1"],"properties":{"dnsSettings":{"domainNameLabel":"abc"}}}`)
	c.want(201, "PUT", c.network("networkInterfaces/nic9"), c.nicBody().with(
		"properties.networkSecurityGroup.id", c.network("networkSecurityGroups/nsg"), "properties.dnsSettings.dnsServers.0", "1.1.1.1",
		"properties.dnsSettings.internalDnsNameLabel", "x", "properties.ipConfigurations.0.properties.publicIPAddress.id", c.network("publicIPAddresses/pip")).String())
	c.done("PUT", c.compute("disks/d"), c.diskBody().String())
	c.done("PUT", c.compute("disks/copy"), `{"location":"local","properties":{"creationData":{"createOption":"Copy","sourceResourceId":"`+c.compute("disks/d")+`"}}}`)
	c.done("PUT", c.compute("images/img"), `{"location":"local","properties":{"storageProfile":{"osDisk":{"osType":"Linux","osState":"Generalized","managedDisk":{"id":"`+c.compute("disks/d")+`"}}}}}`)
	for _, path := range []string{
		c.compute("virtualMachines/vm"), c.compute("disks/d"), c.compute("disks/osdisk"), c.compute("disks/copy"), c.compute("images/img"),
		c.network("virtualNetworks/net"), c.network("virtualNetworks/net/subnets/sn"), c.network("networkInterfaces/nic9"),
		c.network("publicIPAddresses/pip"), c.network("networkSecurityGroups/nsg"), c.network("networkSecurityGroups/nsg/securityRules/r"), c.group("rg"),
	} {
		t.Run(strings.TrimPrefix(path, c.group("rg")+"/providers/"), func(t *testing.T) { c.in(t).tryAnyValue(path) })
	}
}

// tryAnyValue puts values everywhere into the resource at path.
func (c *cloud) tryAnyValue(path string) {
	values := []any{true, -1, 7, "x", "1", strings.Repeat("y", 3000), c.compute("disks/d"), []any{"x"}, map[string]any{"a": 1}, nil, "Delete"}
	is := c.want(200, "GET", path, "").json()
	for _, where := range pathsOf(is, "") {
		if readOnly.MatchString(where) {
			continue
		}
		for _, v := range values {
			r := c.do("PUT", path, body(is).with(where, v).String())
			if r.StatusCode < 300 {
				c.await(r)
			}
			now := c.want(200, "GET", path, "").json()
			same := withoutETags(body(now).String()) == withoutETags(body(is).String())
			switch {
			case r.StatusCode >= 500:
				c.t.Errorf("%s = %.50v: %d %s", where, v, r.StatusCode, r.body)
			case r.StatusCode >= 400 && !same:
				c.t.Errorf("%s = %.50v is refused, and changed %s to %s", where, v, body(is), body(now))
			case r.StatusCode < 300 && same && v != nil && !alike(at(now, where), v):
				c.t.Errorf("%s = %.50v is taken, and is %v", where, v, at(now, where))
			}
			if !same {
				c.await(c.do("PUT", path, body(is).String()))
				is = c.want(200, "GET", path, "").json() // some changes are for good
			}
		}
	}
}

// pathsOf is the paths of everything in a body.
func pathsOf(tree any, at string) (all []string) {
	below := func(name string, v any) {
		p := strings.TrimPrefix(at+"."+name, ".")
		all = append(append(all, p), pathsOf(v, p)...)
	}
	switch v := tree.(type) {
	case map[string]any:
		for name, x := range v {
			below(name, x)
		}
	case []any:
		for i, x := range v {
			below(strconv.Itoa(i), x)
		}
	}
	slices.Sort(all)
	return all
}

// alike says that two values are the same but for case, and numbers as text.
func alike(a, b any) bool {
	x, err1 := json.Marshal(a)
	y, err2 := json.Marshal(b)
	return err1 == nil && err2 == nil && string(x) == string(y) || reflect.DeepEqual(a, b) ||
		strings.EqualFold(fmt.Sprint(a), fmt.Sprint(b))
}
