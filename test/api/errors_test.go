package api_test

import (
	"strings"
	"testing"
)

// TestErrorTable sends bad requests and wants the code and status that Azure
// documents for each, or that its clients are known to act on. What a client
// does with it: creates (takes it for "is not there yet"), logs in, waits and
// sends it again, or stops and shows it to somebody, who has to change the
// request ("stops") or something else first ("in use").
func TestErrorTable(t *testing.T) {
	c := newCloud(t).withVM()
	c.furnishErrors()
	vm, nic2, net := c.compute("virtualMachines/vm"), c.network("networkInterfaces/nic2"), c.network("virtualNetworks/net")
	disk, nsg, pip := c.compute("disks/data"), c.network("networkSecurityGroups/nsg"), c.network("publicIPAddresses/pip")
	const v, ip = "?api-version=" + version, "properties.ipConfigurations.0.properties."
	nobody := "/subscriptions/00000000-0000-0000-0000-000000000000"
	rule := parse(`{"properties":{"access":"Allow","direction":"Inbound","priority":100,"protocol":"Tcp","sourceAddressPrefix":"*","sourcePortRange":"*","destinationAddressPrefix":"*","destinationPortRange":"22"}}`)
	image := func(edits ...any) body {
		return c.vmBody("nic2").with(edits...)
	}
	tests := map[string]struct {
		method, path string
		body         any
		status       int
		code, client string
	}{
		"no token":             {"GET", "-" + vm, nil, 401, "AuthenticationFailed", "logs in"},
		"no version":           {"GET", vm + "?", nil, 400, "MissingApiVersionParameter", "stops"},
		"bad version":          {"GET", vm + "?api-version=1", nil, 400, "InvalidApiVersionParameter", "stops"},
		"no subscription":      {"GET", nobody + "/resourceGroups", nil, 404, "SubscriptionNotFound", "stops"},
		"bad subscription":     {"GET", "/subscriptions/x/resourceGroups", nil, 400, "InvalidSubscriptionId", "stops"},
		"no group":             {"GET", c.group("none"), nil, 404, "ResourceGroupNotFound", "creates"},
		"in no group":          {"GET", c.group("none") + "/providers/Microsoft.Compute/disks/d", nil, 404, "ResourceGroupNotFound", "creates"},
		"delete of no group":   {"DELETE", c.group("none"), nil, 404, "ResourceGroupNotFound", "stops"},
		"no machine":           {"GET", c.compute("virtualMachines/none"), nil, 404, "ResourceNotFound", "creates"},
		"action on none":       {"POST", c.compute("virtualMachines/none/start"), nil, 404, "ResourceNotFound", "stops"},
		"patch of none":        {"PATCH", c.compute("disks/none"), `{}`, 404, "ResourceNotFound", "stops"},
		"no subnet":            {"GET", net + "/subnets/none", nil, 404, "NotFound", "creates"},
		"subnet of no network": {"PUT", net + "9/subnets/s", `{"properties":{"addressPrefix":"10.0.1.0/24"}}`, 404, "ParentResourceNotFound", "stops"},
		"no namespace":         {"GET", c.group("rg") + "/providers/Microsoft.Sql/servers/s", nil, 404, "InvalidResourceNamespace", "stops"},
		"no type":              {"GET", c.compute("cloudServices/s"), nil, 404, "InvalidResourceType", "stops"},
		"no provider":          {"POST", c.subscription("providers/Microsoft.Sql/register"), nil, 404, "InvalidResourceNamespace", "stops"},
		"no such verb":         {"PATCH", net + "/subnets/sn", `{}`, 405, "HttpMethodNotSupported", "stops"},
		"not JSON":             {"PUT", disk, `{`, 400, "InvalidRequestContent", "stops"},
		"no content":           {"PUT", disk, nil, 400, "InvalidRequestContent", "stops"},
		"too much content":     {"PUT", disk, `{"tags":{"a":"` + strings.Repeat("a", 4<<20) + `"}}`, 413, "RequestContentTooLarge", "stops"},
		"unknown property":     {"PUT", disk, c.diskBody().with("properties.x", 1), 400, "UnsupportedProperty", "stops"},
		"bad filter":           {"GET", c.subscription("resources") + v + "&$filter=colour+eq+'x'", nil, 400, "InvalidFilterInQueryString", "stops"},

		"group's name":          {"PUT", c.group("a$b"), anyTracked, 400, "InvalidResourceGroup", "stops"},
		"group's place":         {"PUT", c.group("new"), `{"location":"moon"}`, 400, "LocationNotAvailableForResourceGroup", "stops"},
		"group moves":           {"PUT", c.group("rg"), `{"location":"moon"}`, 409, "InvalidResourceGroupLocation", "stops"},
		"group of no place":     {"PUT", c.group("new"), `{}`, 400, "LocationRequired", "stops"},
		"group's resources":     {"POST", c.group("rg/moveResources"), `{}`, 409, "ResourceMoveNotSupported", "stops"},
		"many tags":             {"PUT", c.group("rg"), body{"location": "local", "tags": numbered(51)}, 400, "TooManyTags", "stops"},
		"name of a tag":         {"PATCH", c.group("rg"), `{"tags":{"a<b":""}}`, 400, "InvalidTagNameCharacters", "stops"},
		"tags of a subnet":      {"PUT", net + "/subnets/sn/providers/Microsoft.Resources/tags/default", `{"properties":{"tags":{}}}`, 400, "ResourceTypeDoesNotSupportTags", "stops"},
		"resource's name":       {"PUT", c.network("virtualNetworks/n"), c.vnetBody(), 400, "InvalidResourceName", "stops"},
		"resource's place":      {"PUT", c.compute("disks/new"), c.diskBody().with("location", "moon"), 400, "LocationNotAvailableForResourceType", "stops"},
		"resource moves":        {"PUT", disk, c.diskBody().with("location", "moon"), 409, "InvalidResourceLocation", "stops"},
		"list of another place": {"GET", c.provider("Compute", "locations/moon/vmSizes"), nil, 400, "NoRegisteredProviderFound", "stops"},

		"size of a machine":    {"PUT", c.compute("virtualMachines/new"), image("properties.hardwareProfile.vmSize", "Huge"), 400, "InvalidParameter", "stops"},
		"user root":            {"PUT", c.compute("virtualMachines/new"), image("properties.osProfile.adminUsername", "root"), 400, "InvalidParameter", "stops"},
		"weak password":        {"PUT", c.compute("virtualMachines/new"), image("properties.osProfile.adminPassword", "x"), 400, "InvalidParameter", "stops"},
		"no such image":        {"PUT", c.compute("virtualMachines/new"), image("properties.storageProfile.imageReference.offer", "none"), 404, "PlatformImageNotFound", "stops"},
		"no such version":      {"PUT", c.compute("virtualMachines/new"), image("properties.storageProfile.imageReference.version", "0.0.1"), 404, "PlatformImageNotFound", "stops"},
		"no own image":         {"PUT", c.compute("virtualMachines/new"), image("properties.storageProfile.imageReference", map[string]any{"id": c.compute("images/none")}), 400, "InvalidResourceReference", "stops"},
		"no interface":         {"PUT", c.compute("virtualMachines/new"), c.vmBody("none"), 400, "InvalidResourceReference", "stops"},
		"interface is in use":  {"PUT", c.compute("virtualMachines/new"), c.vmBody("nic1"), 400, "NicInUse", "in use"},
		"id of no form":        {"PUT", c.compute("virtualMachines/new"), image("properties.networkProfile.networkInterfaces.0.id", "nic1"), 400, "LinkedInvalidPropertyId", "stops"},
		"two disks on a LUN":   {"PUT", c.compute("virtualMachines/new"), image("properties.storageProfile.dataDisks", []any{parse(`{"lun":0,"createOption":"Empty","diskSizeGB":4}`), parse(`{"lun":0,"createOption":"Empty","diskSizeGB":4}`)}), 400, "InvalidParameter", "stops"},
		"too many disks":       {"PUT", c.compute("virtualMachines/new"), image("properties.storageProfile.dataDisks", []any{parse(`{"lun":0,"createOption":"Empty","diskSizeGB":4}`), parse(`{"lun":1,"createOption":"Empty","diskSizeGB":4}`), parse(`{"lun":2,"createOption":"Empty","diskSizeGB":4}`)}), 409, "OperationNotAllowed", "stops"},
		"another user":         {"PATCH", vm, `{"properties":{"osProfile":{"adminUsername":"other"}}}`, 409, "PropertyChangeNotAllowed", "stops"},
		"another image":        {"PATCH", vm, `{"properties":{"storageProfile":{"imageReference":{"version":"0.0.1"}}}}`, 409, "PropertyChangeNotAllowed", "stops"},
		"generalized, running": {"POST", vm + "/generalize", nil, 409, "OperationNotAllowed", "stops"},
		"image of a running":   {"PUT", c.compute("images/new"), `{"location":"local","properties":{"sourceVirtualMachine":{"id":"` + vm + `"}}}`, 409, "OperationNotAllowed", "stops"},
		"etag that was":        {"PUT*", vm, c.vmBody("nic1"), 412, "PreconditionFailed", "stops"},

		"disk is in use":      {"DELETE", c.compute("disks/osdisk"), nil, 409, "OperationNotAllowed", "in use"},
		"disk shrinks":        {"PATCH", disk, `{"properties":{"diskSizeGB":1}}`, 409, "OperationNotAllowed", "stops"},
		"disk is too large":   {"PUT", c.compute("disks/new"), c.diskBody().with("properties.diskSizeGB", 99999), 400, "InvalidParameter", "stops"},
		"disk is of no kind":  {"PUT", c.compute("disks/new"), c.diskBody().with("sku.name", "Tape"), 400, "InvalidParameter", "stops"},
		"copy of no disk":     {"PUT", c.compute("disks/new"), c.diskBody().with("properties.creationData", map[string]any{"createOption": "Copy", "sourceResourceId": c.compute("disks/none")}), 400, "InvalidResourceReference", "stops"},
		"set is in use":       {"DELETE", c.compute("availabilitySets/set"), nil, 409, "OperationNotAllowed", "in use"},
		"set of many domains": {"PUT", c.compute("availabilitySets/new"), `{"location":"local","sku":{"name":"Aligned"},"properties":{"platformFaultDomainCount":9}}`, 400, "InvalidParameter", "stops"},
		"key that is none":    {"PUT", c.compute("sshPublicKeys/new"), `{"location":"local","properties":{"publicKey":"x"}}`, 400, "InvalidParameter", "stops"},

		"subnet is in use":      {"DELETE", net + "/subnets/sn", nil, 400, "InUseSubnetCannotBeDeleted", "in use"},
		"network is in use":     {"DELETE", net, nil, 400, "InUseSubnetCannotBeDeleted", "in use"},
		"used subnet is gone":   {"PUT", net, c.vnetBody().with("properties.subnets.0.name", "other"), 400, "InUseSubnetCannotBeDeleted", "in use"},
		"interface of machine":  {"DELETE", c.network("networkInterfaces/nic1"), nil, 400, "NicInUse", "in use"},
		"address is in use":     {"DELETE", pip, nil, 400, "PublicIPAddressCannotBeDeleted", "in use"},
		"group is in use":       {"DELETE", nsg, nil, 400, "InUseNetworkSecurityGroupCannotBeDeleted", "in use"},
		"address of another":    {"PUT", nic2, c.nicBody().with(ip+"publicIPAddress.id", pip), 400, "PublicIPAddressInUse", "in use"},
		"subnet lies outside":   {"PUT", net + "/subnets/new", `{"properties":{"addressPrefix":"10.9.0.0/24"}}`, 400, "NetcfgInvalidSubnet", "stops"},
		"subnets overlap":       {"PUT", net + "/subnets/new", `{"properties":{"addressPrefix":"10.0.0.0/25"}}`, 400, "NetcfgSubnetRangesOverlap", "stops"},
		"prefix of no form":     {"PUT", net + "/subnets/new", `{"properties":{"addressPrefix":"x"}}`, 400, "InvalidAddressPrefixFormat", "stops"},
		"prefix of a host":      {"PUT", net + "/subnets/new", `{"properties":{"addressPrefix":"10.0.1.1/24"}}`, 400, "InvalidCIDRNotation", "stops"},
		"interface, no subnet":  {"PUT", nic2, c.nicBody().with(ip+"subnet.id", net+"/subnets/none"), 400, "InvalidResourceReference", "stops"},
		"two networks":          {"PUT", nic2, c.nicBody().with("properties.ipConfigurations.0.properties.primary", true, "properties.ipConfigurations.1", map[string]any{"name": "b", "properties": map[string]any{"subnet": map[string]any{"id": c.network("virtualNetworks/net2/subnets/sn")}}}), 400, "SubnetsNotInSameVnet", "stops"},
		"taken address":         {"PUT", nic2, c.nicBody().with(ip+"privateIPAddress", "10.0.0.4", ip+"privateIPAllocationMethod", "Static"), 400, "PrivateIPAddressInUse", "stops"},
		"address lies outside":  {"PUT", nic2, c.nicBody().with(ip+"privateIPAddress", "10.9.0.4", ip+"privateIPAllocationMethod", "Static"), 400, "PrivateIPAddressNotInSubnet", "stops"},
		"address of Azure":      {"PUT", nic2, c.nicBody().with(ip+"privateIPAddress", "10.0.0.1", ip+"privateIPAllocationMethod", "Static"), 400, "PrivateIPAddressInReservedRange", "stops"},
		"network of no space":   {"PUT", c.network("virtualNetworks/new"), anyTracked, 400, "InvalidRequestFormat", "stops"},
		"rules of one priority": {"PUT", nsg + "/securityRules/b", rule, 400, "SecurityRuleConflict", "stops"},
		"port of no form":       {"PUT", nsg + "/securityRules/b", rule.with("properties.priority", 200, "properties.destinationPortRange", "x"), 400, "SecurityRuleInvalidPortRange", "stops"},
		"prefix of a rule":      {"PUT", nsg + "/securityRules/b", rule.with("properties.priority", 200, "properties.sourceAddressPrefix", "x y"), 400, "SecurityRuleInvalidAddressPrefix", "stops"},
		"name is taken":         {"PUT", c.network("publicIPAddresses/new"), `{"location":"local","properties":{"dnsSettings":{"domainNameLabel":"taken"}}}`, 400, "DnsRecordInUse", "stops"},
		"dynamic, standard":     {"PUT", c.network("publicIPAddresses/new"), `{"location":"local","sku":{"name":"Standard"},"properties":{"publicIPAllocationMethod":"Dynamic"}}`, 400, "InvalidParameter", "stops"},

		"locked":        {"DELETE", c.compute("disks/locked"), nil, 409, "ScopeLocked", "in use"},
		"locked group":  {"DELETE", c.group("rg"), nil, 409, "ScopeLocked", "in use"},
		"no deployment": {"GET", c.group("rg") + "/providers/Microsoft.Resources/deployments/none", nil, 404, "DeploymentNotFound", "creates"},
		"no operation":  {"GET", c.provider("Compute", "locations/local/operations/00000000-0000-4000-8000-000000000000"), nil, 404, "NotFound", "stops"},
		"no role":       {"GET", c.provider("Authorization", "roleDefinitions/00000000-0000-4000-8000-000000000000"), nil, 404, "RoleDefinitionDoesNotExist", "stops"},
	}
	if len(tests) < 60 {
		t.Errorf("there are %d rows", len(tests))
	}
	etag := c.want(200, "GET", vm, "").Header.Get("Etag")
	before := c.everything()
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c, b, header := c.in(t), "", []string{}
			switch s := tt.body.(type) {
			case string:
				b = s
			case body:
				b = s.String()
			}
			if strings.HasPrefix(tt.path, "-") {
				header = append(header, "Authorization", "")
			}
			if strings.HasSuffix(tt.method, "*") {
				header = append(header, "If-Match", `"not `+etag+`"`)
			}
			c.refused(tt.status, tt.code, strings.TrimSuffix(tt.method, "*"), strings.TrimPrefix(tt.path, "-"), b, header...)
		})
	}
	if after := c.everything(); after != before {
		t.Errorf("before %s after %s", before, after)
	}
}

// furnishErrors makes what stands in the way of requests.
func (c *cloud) furnishErrors() {
	c.t.Helper()
	c.want(201, "PUT", c.network("virtualNetworks/net2"), c.vnetBody().String())
	c.want(201, "PUT", c.network("publicIPAddresses/pip"), `{"location":"local","properties":{"dnsSettings":{"domainNameLabel":"taken"}}}`)
	c.want(201, "PUT", c.network("networkSecurityGroups/nsg"), `{"location":"local","properties":{"securityRules":[{"name":"a","properties":{"access":"Allow","direction":"Inbound","priority":100,
		"protocol":"*","sourceAddressPrefix":"*","sourcePortRange":"*","destinationAddressPrefix":"*","destinationPortRange":"*"}}]}}`)
	c.want(200, "PUT", c.network("networkInterfaces/nic3"), c.nicBody().with("properties.networkSecurityGroup.id", c.network("networkSecurityGroups/nsg"),
		"properties.ipConfigurations.0.properties.publicIPAddress.id", c.network("publicIPAddresses/pip")).String())
	c.want(200, "PUT", c.compute("availabilitySets/set"), `{"location":"local","sku":{"name":"Aligned"},"properties":{"platformFaultDomainCount":2}}`)
	c.done("PUT", c.compute("virtualMachines/inset"), c.vmBody("nic3").with("properties.availabilitySet.id", c.compute("availabilitySets/set")).String())
	for _, d := range []string{"data", "locked"} {
		c.done("PUT", c.compute("disks/"+d), c.diskBody().String())
	}
	c.want(201, "PUT", c.compute("disks/locked/providers/Microsoft.Authorization/locks/mine"), `{"properties":{"level":"CanNotDelete"}}`)
}
