package api_test

import (
	"strings"
	"testing"
)

// Statuses of writes are those that clients take; they differ by type.
func TestStatuses(t *testing.T) {
	c := newCloud(t).furnished()
	vm, disk := c.compute("virtualMachines/vm"), c.compute("disks/d")
	tagged := `{"tags":{"a":"b"}}`
	steps := []struct {
		method, path, body string
		status             int
		poll               string // "async", "async, location", "location" or none
	}{
		{"PUT", c.group("rg"), `{"location":"local"}`, 200, ""},
		{"PUT", c.group("rg2"), `{"location":"local"}`, 201, ""},
		{"PATCH", c.group("rg2"), tagged, 200, ""},
		{"HEAD", c.group("rg2"), "", 204, ""},
		{"HEAD", c.group("rg3"), "", 404, ""},
		{"DELETE", c.group("rg2"), "", 202, "location"},
		{"PUT", c.network("virtualNetworks/net"), c.vnetBody().String(), 200, ""},
		{"PUT", c.network("networkInterfaces/nic4"), c.nicBody().String(), 201, ""},
		{"PUT", c.network("networkInterfaces/nic4"), c.nicBody().String(), 200, ""},
		{"PATCH", c.network("networkInterfaces/nic4"), tagged, 200, ""},
		{"DELETE", c.network("networkInterfaces/nic4"), "", 200, ""},
		{"DELETE", c.network("networkInterfaces/nic4"), "", 204, ""},
		{"PUT", disk, c.diskBody().String(), 202, "async, location"},
		{"PUT", disk, c.diskBody().String(), 200, ""},
		{"PUT", disk, c.diskBody().with("properties.diskSizeGB", 5).String(), 202, "async, location"},
		{"PATCH", disk, tagged, 200, ""},
		{"PUT", vm, c.vmBody("nic1").String(), 201, "async"},
		{"PUT", vm, c.vmBody("nic1").String(), 200, "async"},
		{"PATCH", vm, tagged, 200, "async"},
		{"POST", vm + "/restart", "", 202, "async, location"},
		{"POST", vm + "/retrieveBootDiagnosticsData", "", 200, ""},
		{"POST", vm + "/deallocate", "", 202, "async, location"},
		{"POST", vm + "/generalize", "", 200, ""},
		{"PUT", c.compute("images/img"), `{"location":"local","properties":{"sourceVirtualMachine":{"id":"` + vm + `"}}}`, 201, "async"},
		{"PATCH", c.compute("images/img"), tagged, 200, ""},
		{"DELETE", c.compute("images/img"), "", 202, "async, location"},
		{"DELETE", vm, "", 202, "async, location"},
		{"DELETE", vm, "", 204, ""},
		{"DELETE", disk, "", 202, "async, location"},
		{"DELETE", disk, "", 204, ""},
	}
	for _, s := range steps {
		r := c.do(s.method, s.path, s.body)
		var poll []string
		if r.Header.Get("Azure-Asyncoperation") != "" {
			poll = append(poll, "async")
		}
		if r.Header.Get("Location") != "" {
			poll = append(poll, "location")
		}
		if got := strings.Join(poll, ", "); r.StatusCode != s.status || got != s.poll {
			t.Errorf("%s %s = %d, polled by %q (%.200s); want %d, %q", s.method, s.path, r.StatusCode, got, r.body, s.status, s.poll)
		}
		if last := c.await(r); last != nil && last.get("status") != "Succeeded" {
			t.Errorf("%s %s came to %s", s.method, s.path, last.body)
		}
	}
}

// An operation can be polled in both ways at any time, also after its end.
func TestOperations(t *testing.T) {
	c := newCloud(t).furnished()
	vm := c.compute("virtualMachines/vm")
	r := c.want(201, "PUT", vm, c.vmBody("nic1").String())
	if got := r.get("properties.provisioningState"); got != "Creating" {
		t.Errorf("at first provisioningState = %v, want Creating", got)
	}
	where := r.Header.Get("Azure-Asyncoperation")
	last := *c.await(r)
	for name, want := range map[string]any{"status": "Succeeded", "error": nil} {
		if got := last.get(name); got != want {
			t.Errorf("%s = %v, want %v", name, got, want)
		}
	}
	for _, name := range []string{"id", "name", "startTime", "endTime"} {
		if last.get(name) == nil {
			t.Errorf("the operation has no %s: %s", name, last.body)
		}
	}
	if got := c.want(200, "GET", where, "").get("status"); got != "Succeeded" {
		t.Errorf("once more the status is %v", got)
	}
	if got := c.want(200, "GET", vm, "").get("properties.provisioningState"); got != "Succeeded" {
		t.Errorf("provisioningState = %v, want Succeeded", got)
	}
	r = c.want(202, "POST", vm+"/powerOff", "")
	c.await(r)
	if got := c.do("GET", r.Header.Get("Location"), ""); got.StatusCode != 200 && got.StatusCode != 204 {
		t.Errorf("the result = %d %s", got.StatusCode, got.body)
	}
	c.refused(404, "NotFound", "GET", strings.Replace(where, "/operations/", "/operations/0", 1), "")
	c.refused(404, "NotFound", "GET", c.provider("Compute", "locations/local/operations/00000000-0000-4000-8000-000000000000"), "")
	c.refused(401, "AuthenticationFailed", "GET", where, "", "Authorization", "")
}

// What is deleted goes by itself, though nobody polls the operation.
func TestDeletionByItself(t *testing.T) {
	c := newCloud(t).withVM()
	gone := func(path string) {
		t.Helper()
		c.until(path+" is gone", func() bool { return c.do("GET", path, "").StatusCode == 404 })
	}
	c.want(202, "DELETE", c.compute("virtualMachines/vm"), "")
	gone(c.compute("virtualMachines/vm"))
	c.want(202, "DELETE", c.compute("disks/osdisk"), "")
	gone(c.compute("disks/osdisk"))
	c.want(202, "DELETE", c.group("rg"), "")
	gone(c.group("rg"))
	c.until("the host is empty", func() bool { return len(c.host.Left()) == 0 })
}

func TestPreconditions(t *testing.T) {
	c := newCloud(t).withVM()
	c.want(201, "PUT", c.network("networkSecurityGroups/nsg"), anyTracked)
	c.want(201, "PUT", c.network("networkSecurityGroups/other"), anyTracked)
	c.want(201, "PUT", c.network("networkSecurityGroups/other/securityRules/r"), `{"properties":{"access":"Allow","direction":"Inbound","priority":100,"protocol":"*",
		"sourceAddressPrefix":"*","sourcePortRange":"*","destinationAddressPrefix":"*","destinationPortRange":"*"}}`)
	c.done("PUT", c.compute("disks/d"), c.diskBody().String())
	c.want(200, "PUT", c.compute("availabilitySets/set"), anyTracked)
	for name, tt := range map[string]struct{ path, change string }{
		"machine": {c.compute("virtualMachines/vm"), "tags.a"}, "network": {c.network("virtualNetworks/net"), "tags.a"},
		"interface": {c.network("networkInterfaces/nic2"), "tags.a"}, "security group": {c.network("networkSecurityGroups/nsg"), "tags.a"},
		"rule": {c.network("networkSecurityGroups/other/securityRules/r"), "properties.description"}, "disk": {c.compute("disks/d"), "tags.a"},
		"set": {c.compute("availabilitySets/set"), "tags.a"}, "group": {c.group("rg"), "tags.a"},
	} {
		t.Run(name, func(t *testing.T) { c.in(t).preconditions(tt.path, tt.change) })
	}
	path := c.network("networkSecurityGroups/new")
	c.want(201, "PUT", path, anyTracked, "If-None-Match", "*")
	c.want(200, "DELETE", path, "", "If-Match", "*")
}

// preconditions holds requests on what is at path, which change what is at where
// in it, to their etags.
func (c *cloud) preconditions(path, where string) {
	c.t.Helper()
	r := c.want(200, "GET", path, "")
	etag := r.Header.Get("Etag")
	if shown := r.get("etag"); etag == "" || shown != nil && shown != etag {
		c.t.Fatalf("ETag = %q, in the body %v", etag, shown)
	}
	now := parse(string(r.body))
	change := func(value string) string { return now.with(where, value).String() }
	refused := func(method, path, body string, header ...string) {
		c.t.Helper()
		c.refused(412, "PreconditionFailed", method, path, body, header...)
	}
	refused("PUT", path, change("1"), "If-None-Match", "*")
	refused("PUT", path, change("1"), "If-None-Match", etag)
	refused("PUT", path, change("1"), "If-Match", `"other"`)
	refused("DELETE", path, "", "If-Match", `"other"`)
	refused("PUT", path+"2", change("1"), "If-Match", "*")
	if patch := c.do("PATCH", path, `{"tags":{"a":"1"}}`, "If-Match", `"other"`); patch.StatusCode != 412 && patch.StatusCode != 405 {
		c.t.Errorf("PATCH = %d %s", patch.StatusCode, patch.body)
	}
	if got := c.want(200, "GET", path, "").Header.Get("Etag"); got != etag {
		c.t.Errorf("refusals changed the ETag from %s to %s", etag, got)
	}
	put := c.want(200, "PUT", path, change("2"), "If-Match", etag)
	c.await(put)
	refused("PUT", path, change("3"), "If-Match", etag)
	if got := c.want(200, "GET", path, "").get(where); got != "2" {
		c.t.Errorf("%s is %v, want that of the PUT that was let through", where, got)
	}
}

// Replies say by which ids a request is found again: the server's, the
// client's for what belongs together, and the client's own if it wants that.
func TestRequestIDs(t *testing.T) {
	c := newCloud(t)
	const id, correlation, mine = "X-Ms-Request-Id", "X-Ms-Correlation-Request-Id", "X-Ms-Client-Request-Id"
	tests := map[string]struct {
		header            []string
		correlation, mine string // "" for the server's own, and none
	}{
		"nothing":        {nil, "", ""},
		"correlated":     {[]string{correlation, "abc"}, "abc", ""},
		"its own":        {[]string{mine, "def"}, "", ""},
		"its own back":   {[]string{mine, "def", "X-Ms-Return-Client-Request-Id", "True"}, "", "def"},
		"nothing back":   {[]string{"X-Ms-Return-Client-Request-Id", "true"}, "", ""},
		"not wanted":     {[]string{mine, "def", "X-Ms-Return-Client-Request-Id", "false"}, "", ""},
		"too long a one": {[]string{correlation, strings.Repeat("a", 500)}, "", ""},
	}
	seen := map[string]bool{}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			for _, path := range []string{c.subscription(""), c.group("none")} {
				h := c.in(t).do("GET", path, "", tt.header...).Header
				if seen[h.Get(id)] || h.Get(id) == "" {
					t.Errorf("the request's id %q is not its own", h.Get(id))
				}
				seen[h.Get(id)] = true
				want := tt.correlation
				if want == "" {
					want = h.Get(id)
				}
				if h.Get(correlation) != want || h.Get(mine) != tt.mine {
					t.Errorf("%s: correlation %q, want %q; client's %q, want %q", path, h.Get(correlation), want, h.Get(mine), tt.mine)
				}
			}
		})
	}
}

// A location is the same in any spelling that Azure's clients use.
func TestLocations(t *testing.T) {
	c := newCloud(t)
	for i, name := range []string{"local", "Local", "LOCAL", "lo cal", " Local "} {
		group := c.group("rg" + string(rune('a'+i)))
		c.want(201, "PUT", group, body{"location": name}.String())
		if got := c.want(200, "PUT", group, body{"location": name}.String()).get("location"); got != "local" {
			t.Errorf("%q is shown as %v", name, got)
		}
		disk := group + "/providers/Microsoft.Compute/disks/d"
		c.done("PUT", disk, c.diskBody().with("location", name).String())
		if got := c.want(200, "GET", disk, "").get("location"); got != "local" {
			t.Errorf("%q of a disk is shown as %v", name, got)
		}
		c.want(200, "GET", c.provider("Compute", "locations/"+strings.ReplaceAll(name, " ", "%20")+"/vmSizes"), "")
	}
}

// Everything that ARM names is the same in any case: segments of paths, names,
// ids, properties and values of enums. Names are shown as they were given at
// first.
func TestCase(t *testing.T) {
	c := newCloud(t).furnished()
	vm := c.compute("virtualMachines/VM1")
	shout := strings.NewReplacer(
		`"properties"`, `"PROPERTIES"`, `"vmSize"`, `"VMSIZE"`, `"hardwareProfile"`, `"HardwareProfile"`, `"storageProfile"`, `"storageprofile"`,
		"Standard_B1s", "STANDARD_b1S", "Debian", "DEBIAN", "latest", "LATEST", "/resourceGroups/rg/", "/RESOURCEGROUPS/RG/",
		"/networkInterfaces/nic1", "/NETWORKinterfaces/NIC1", "Microsoft.Network", "MICROSOFT.network", `"location"`, `"Location"`, `"local"`, `"Local"`,
	)
	b := c.vmBody("nic1").with("properties.storageProfile.osDisk", map[string]any{"createOption": "fromimage", "Caching": "readonly", "deleteoption": "DELETE", "diskSizeGb": 5})
	c.done("PUT", strings.Replace(vm, "/resourceGroups/rg/providers/Microsoft.Compute", "/RESOURCEGROUPS/rG/Providers/microsoft.COMPUTE", 1), shout.Replace(b.String()))
	for name, path := range map[string]string{"as given": vm, "lower": strings.ToLower(vm), "upper": strings.ToUpper(vm)} {
		t.Run(name, func(t *testing.T) {
			r := c.in(t).want(200, "GET", path, "")
			for where, want := range map[string]any{
				"name": "VM1", "type": "Microsoft.Compute/virtualMachines", "id": vm, "location": "local",
				"properties.hardwareProfile.vmSize": "Standard_B1s", "properties.storageProfile.osDisk.createOption": "FromImage",
				"properties.storageProfile.osDisk.caching": "ReadOnly", "properties.storageProfile.osDisk.deleteOption": "Delete",
				"properties.storageProfile.osDisk.diskSizeGB":      5.0,
				"properties.networkProfile.networkInterfaces.0.id": c.network("networkInterfaces/nic1"),
			} {
				if got := r.get(where); got != want {
					t.Errorf("%s = %v, want %v", where, got, want)
				}
			}
		})
	}
	c.done("POST", strings.ToLower(vm)+"/POWEROFF?SKIPSHUTDOWN=True&API-Version="+version, "")
	if got := c.power("vm1"); got != "stopped" {
		t.Errorf("after POWEROFF the machine is %s", got)
	}
	c.refused(400, "NicInUse", "DELETE", strings.ToUpper(c.network("networkInterfaces/nic1")), "")
	c.done("PUT", strings.ToUpper(vm), c.vmBody("NIC1").with("tags", map[string]string{"A": "B"}).String())
	if n := len(c.want(200, "GET", c.provider("Compute", "virtualMachines"), "").get("value").([]any)); n != 1 {
		t.Errorf("there are %d machines, want one under all its names", n)
	}
	c.done("DELETE", strings.ToLower(vm), "")
	c.empty()
}
