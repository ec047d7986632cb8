package api_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
)

// refusal is a request that is answered with an error, and changes nothing.
type refusal struct {
	method, path string
	body         any
	status       int
	code         string
	header       []string
}

// refuse sends each request, and looks at everything that there is after it.
func (c *cloud) refuse(t *testing.T, tests map[string]refusal) {
	before := c.everything()
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c, b := c.in(t), ""
			if tt.body != nil {
				b = fmt.Sprint(tt.body)
			}
			c.refused(tt.status, tt.code, tt.method, tt.path, b, tt.header...)
			if after := c.everything(); after != before {
				t.Errorf("before %s after %s", before, after)
			}
		})
	}
}

func TestRefusedRequests(t *testing.T) {
	c := newCloud(t).withVM()
	vm, disk := c.compute("virtualMachines/vm"), c.diskBody()
	const v = "?api-version=" + version
	nobody := strings.Replace(c.group("rg"), c.SubscriptionID, "00000000-0000-0000-0000-000000000000", 1)
	c.refuse(t, map[string]refusal{
		"no version":            {"GET", vm + "?", nil, 400, "MissingApiVersionParameter", nil},
		"malformed version":     {"GET", vm + "?api-version=2025-13", nil, 400, "InvalidApiVersionParameter", nil},
		"version of letters":    {"PUT", vm + "?api-version=latest", "{}", 400, "InvalidApiVersionParameter", nil},
		"unknown subscription":  {"GET", nobody, nil, 404, "SubscriptionNotFound", nil},
		"malformed one":         {"GET", "/subscriptions/x" + v, nil, 400, "InvalidSubscriptionId", nil},
		"write in unknown":      {"PUT", nobody, `{"location":"local"}`, 404, "SubscriptionNotFound", nil},
		"unknown group":         {"PUT", strings.Replace(c.compute("disks/d"), "/rg/", "/nothing/", 1), disk, 404, "ResourceGroupNotFound", nil},
		"delete in unknown":     {"DELETE", strings.Replace(c.compute("disks/d"), "/rg/", "/nothing/", 1), nil, 404, "ResourceGroupNotFound", nil},
		"unknown namespace":     {"PUT", c.group("rg") + "/providers/Microsoft.KeyVault/vaults/a", "{}", 404, "InvalidResourceNamespace", nil},
		"unknown type":          {"PUT", c.compute("cloudServices/a"), "{}", 404, "InvalidResourceType", nil},
		"unknown child type":    {"PUT", vm + "/diagnosticRunCommands/a", "{}", 404, "InvalidResourceType", nil},
		"unknown action":        {"POST", vm + "/explode", nil, 404, "InvalidResourceType", nil},
		"action on nothing":     {"POST", vm + "2/start", nil, 404, "ResourceNotFound", nil},
		"action by GET":         {"GET", vm + "/start", nil, 405, "HttpMethodNotSupported", nil},
		"delete of a list":      {"DELETE", c.compute("virtualMachines"), nil, 405, "HttpMethodNotSupported", nil},
		"made-up method":        {"BREW", vm, nil, 405, "HttpMethodNotSupported", nil},
		"connect":               {"CONNECT", vm, nil, 405, "HttpMethodNotSupported", nil},
		"trace":                 {"TRACE", vm, nil, 405, "HttpMethodNotSupported", nil},
		"path out":              {"GET", c.compute("virtualMachines/../disks/osdisk"), nil, 400, "InvalidRequestUri", nil},
		"path out, escaped":     {"GET", c.compute("virtualMachines/%2e%2e/disks"), nil, 400, "InvalidRequestUri", nil},
		"slash in a name":       {"PUT", c.compute("disks/a%2Fb"), disk, 400, "InvalidRequestUri", nil},
		"backslash in a name":   {"PUT", c.compute("disks/a%5Cb"), disk, 400, "InvalidRequestUri", nil},
		"zero byte in a name":   {"PUT", c.compute("disks/a%00"), disk, 400, "InvalidRequestUri", nil},
		"newline in a name":     {"PUT", c.compute("disks/a%0a"), disk, 400, "InvalidRequestUri", nil},
		"not UTF-8":             {"PUT", c.compute("disks/%ff%fe"), disk, 400, "InvalidRequestUri", nil},
		"empty segment":         {"GET", c.compute("virtualMachines//vm"), nil, 400, "InvalidRequestUri", nil},
		"deep path":             {"GET", c.compute(strings.Repeat("a/b/", 50)), nil, 400, "InvalidRequestUri", nil},
		"name with a space":     {"PUT", c.compute("virtualMachines/a%20b"), c.vmBody("nic2"), 400, "InvalidResourceName", nil},
		"name with an accent":   {"PUT", c.compute("virtualMachines/%C3%A9"), c.vmBody("nic2"), 400, "InvalidResourceName", nil},
		"name with a quote":     {"PUT", c.compute("virtualMachines/a'b"), c.vmBody("nic2"), 400, "InvalidResourceName", nil},
		"name of a shell":       {"PUT", c.compute("virtualMachines/$(id)"), c.vmBody("nic2"), 400, "InvalidResourceName", nil},
		"name that ends in .":   {"PUT", c.compute("virtualMachines/a."), c.vmBody("nic2"), 400, "InvalidResourceName", nil},
		"long name":             {"PUT", c.compute("virtualMachines/" + strings.Repeat("a", 65)), c.vmBody("nic2"), 400, "InvalidResourceName", nil},
		"name as an option":     {"PUT", c.compute("disks/-rf"), disk, 400, "InvalidResourceName", nil},
		"group with a slash":    {"PUT", c.group("a%2fb"), `{"location":"local"}`, 400, "InvalidRequestUri", nil},
		"group with a dollar":   {"PUT", c.group("a$b"), `{"location":"local"}`, 400, "InvalidResourceGroup", nil},
		"group elsewhere":       {"PUT", c.group("x"), `{"location":"moon"}`, 400, "LocationNotAvailableForResourceGroup", nil},
		"group without place":   {"PUT", c.group("x"), `{}`, 400, "LocationRequired", nil},
		"page of -1":            {"GET", c.compute("virtualMachines") + v + "&$top=-1", nil, 400, "InvalidTopParameter", nil},
		"made-up page":          {"GET", c.compute("virtualMachines") + v + "&$skipToken=%21", nil, 400, "InvalidSkipToken", nil},
		"page of nobody":        {"GET", c.compute("virtualMachines") + v + "&$skipToken=cmcvdm0", nil, 400, "InvalidSkipToken", nil},
		"page of one page":      {"GET", c.network("virtualNetworks/net/subnets") + v + "&$skipToken=cmcvdm0", nil, 400, "InvalidSkipToken", nil},
		"filter of machines":    {"GET", c.compute("virtualMachines") + v + "&$filter=name%20eq%20'x'", nil, 400, "InvalidFilterInQueryString", nil},
		"filter of groups":      {"GET", c.subscription("resourceGroups") + v + "&$filter=name%20like%20'x'", nil, 400, "InvalidFilterInQueryString", nil},
		"sizes elsewhere":       {"GET", c.provider("Compute", "locations/moon/vmSizes"), nil, 400, "NoRegisteredProviderFound", nil},
		"memory kept":           {"POST", vm + "/deallocate" + v + "&hibernate=true", nil, 400, "UnsupportedProperty", nil},
		"console by hand":       {"GET", vm + "/console", nil, 426, "UpgradeRequired", nil},
		"bad escape in a query": {"GET", vm + "?api-version=%zz", nil, 400, "InvalidRequestUri", nil},
		"huge header":           {"GET", vm, nil, 431, "", []string{"X-Long", strings.Repeat("a", 2<<20)}},
	})
}

func TestRefusedContent(t *testing.T) {
	c := newCloud(t).withVM()
	disk := c.compute("disks/d")
	deep := func(n int, open, end string) string {
		return `{"properties":` + strings.Repeat(open, n) + "1" + strings.Repeat(end, n) + "}"
	}
	c.refuse(t, map[string]refusal{
		"nothing":          {"PUT", disk, nil, 400, "InvalidRequestContent", nil},
		"blank":            {"PUT", disk, " \n", 400, "InvalidRequestContent", nil},
		"not JSON":         {"PUT", disk, "location: local", 400, "InvalidRequestContent", nil},
		"cut short":        {"PUT", disk, `{"location":"loc`, 400, "InvalidRequestContent", nil},
		"array":            {"PUT", disk, `[]`, 400, "InvalidRequestContent", nil},
		"string":           {"PUT", disk, `"x"`, 400, "InvalidRequestContent", nil},
		"null":             {"PUT", disk, `null`, 400, "InvalidRequestContent", nil},
		"two values":       {"PUT", disk, `{}{}`, 400, "InvalidRequestContent", nil},
		"comment":          {"PUT", disk, `{/* */}`, 400, "InvalidRequestContent", nil},
		"not UTF-8":        {"PUT", disk, "{\"tags\":{\"a\":\"\xff\"}}", 400, "InvalidRequestContent", nil},
		"given twice":      {"PUT", disk, `{"location":"local","location":"local"}`, 400, "InvalidRequestContent", nil},
		"twice, two cases": {"PUT", disk, `{"location":"local","Location":"local","properties":{"creationData":{"createOption":"Empty"},"diskSizeGB":4}}`, 400, "InvalidRequestContent", nil},
		"deep":             {"PUT", disk, deep(1000, `{"a":`, "}"), 400, "InvalidRequestContent", nil},
		"deep arrays":      {"PUT", disk, deep(1000, "[", "]"), 400, "InvalidRequestContent", nil},
		"abyss":            {"PUT", disk, deep(1<<20, "[", "]"), 400, "InvalidRequestContent", nil},
		"large":            {"PUT", disk, `{"tags":{"a":"` + strings.Repeat("a", 4<<20) + `"}}`, 413, "RequestContentTooLarge", nil},
		"form":             {"PUT", disk, "a=b", 415, "UnsupportedMediaType", []string{"Content-Type", "application/x-www-form-urlencoded"}},
		"XML":              {"PUT", disk, "<a/>", 415, "UnsupportedMediaType", []string{"Content-Type", "text/xml"}},
		"gzip":             {"PUT", disk, "\x1f\x8b", 415, "UnsupportedMediaType", []string{"Content-Encoding", "gzip"}},
		"object for text":  {"PUT", disk, `{"location":{"a":1}}`, 400, "InvalidParameter", nil},
		"text for object":  {"PUT", disk, `{"location":"local","properties":"x"}`, 400, "InvalidParameter", nil},
		"huge number":      {"PUT", disk, `{"location":"local","properties":{"diskSizeGB":1e400}}`, 400, "InvalidParameter", nil},
		"part of a number": {"PUT", disk, c.diskBody().with("properties.diskSizeGB", 4.5), 400, "InvalidParameter", nil},
		"unknown property": {"PUT", disk, c.diskBody().with("properties.bursting", true), 400, "UnsupportedProperty", nil},
		"unknown at top":   {"PUT", disk, c.diskBody().with("extendedLocation", map[string]string{"name": "x"}), 400, "UnsupportedProperty", nil},
		"many tags":        {"PUT", disk, c.diskBody().with("tags", numbered(51)), 400, "TooManyTags", nil},
		"long tag":         {"PUT", disk, c.diskBody().with("tags", map[string]string{strings.Repeat("a", 513): "b"}), 400, "InvalidTagName", nil},
		"tag with a <":     {"PUT", disk, c.diskBody().with("tags", map[string]string{"a<b": "c"}), 400, "InvalidTagNameCharacters", nil},
		"patch of nothing": {"PATCH", disk, `{"tags":{}}`, 404, "ResourceNotFound", nil},
		"patch, not JSON":  {"PATCH", c.compute("virtualMachines/vm"), `{`, 400, "InvalidRequestContent", nil},
		"patch, unknown":   {"PATCH", c.compute("virtualMachines/vm"), `{"properties":{"x":1}}`, 400, "UnsupportedProperty", nil},
		"patch of an id":   {"PATCH", c.compute("virtualMachines/vm"), `{"location":"moon"}`, 409, "InvalidResourceLocation", nil},
	})
}

func numbered(n int) map[string]string {
	m := map[string]string{}
	for i := range n {
		m[fmt.Sprint("t", i)] = "v"
	}
	return m
}

func TestRefusedMachines(t *testing.T) {
	c := newCloud(t).withVM()
	disk := func(props ...any) map[string]any {
		d := map[string]any{"lun": 0, "createOption": "Empty", "diskSizeGB": 4}
		for i := 0; i+1 < len(props); i += 2 {
			d[props[i].(string)] = props[i+1]
		}
		return d
	}
	osDisk := func(size any) map[string]any { return map[string]any{"createOption": "FromImage", "diskSizeGB": size} }
	const disks, os, image, nics = "properties.storageProfile.dataDisks", "properties.osProfile.", "properties.storageProfile.imageReference.", "properties.networkProfile.networkInterfaces"
	nic := func(name string) map[string]any { return map[string]any{"id": c.network("networkInterfaces/" + name)} }
	bad := "InvalidParameter"
	tests := map[string]struct {
		edits  []any
		status int
		code   string
	}{
		"unknown image":               {[]any{image + "offer", "windows-95"}, 404, "PlatformImageNotFound"},
		"unknown version":             {[]any{image + "version", "9.9.9"}, 404, "PlatformImageNotFound"},
		"image without SKU":           {[]any{image + "sku", nil}, 400, bad},
		"image that is not there":     {[]any{"properties.storageProfile.imageReference", map[string]any{"id": c.compute("images/none")}}, 400, "InvalidResourceReference"},
		"image that is a disk":        {[]any{"properties.storageProfile.imageReference", map[string]any{"id": c.compute("disks/osdisk")}}, 400, "LinkedInvalidPropertyId"},
		"image of no form":            {[]any{"properties.storageProfile.imageReference", map[string]any{"id": "../../etc/passwd"}}, 400, "LinkedInvalidPropertyId"},
		"unknown size":                {[]any{"properties.hardwareProfile.vmSize", "Standard_Z1"}, 400, bad},
		"no size":                     {[]any{"properties.hardwareProfile.vmSize", ""}, 400, bad},
		"elsewhere":                   {[]any{"location", "moon"}, 400, "LocationNotAvailableForResourceType"},
		"unknown property":            {[]any{"properties.proximityPlacementGroup", map[string]any{"id": "x"}}, 400, "UnsupportedProperty"},
		"unknown property, deep":      {[]any{os + "linuxConfiguration.enableVMAgentPlatformUpdates", true}, 400, "UnsupportedProperty"},
		"identity":                    {[]any{"identity", map[string]any{"type": "SystemAssigned"}}, 400, "UnsupportedProperty"},
		"spot":                        {[]any{"properties.priority", "Spot"}, 400, bad},
		"small OS disk":               {[]any{"properties.storageProfile.osDisk", osDisk(1)}, 400, bad},
		"negative OS disk":            {[]any{"properties.storageProfile.osDisk", osDisk(-1)}, 400, bad},
		"large OS disk":               {[]any{"properties.storageProfile.osDisk", osDisk(40000)}, 400, bad},
		"negative disk":               {[]any{disks, []any{disk("diskSizeGB", -4)}}, 400, bad},
		"disk of 0":                   {[]any{disks, []any{disk("diskSizeGB", 0)}}, 400, bad},
		"large disk":                  {[]any{disks, []any{disk("diskSizeGB", 32768)}}, 400, bad},
		"overflowing disk":            {[]any{disks, []any{disk("diskSizeGB", uint64(1)<<63)}}, 400, bad},
		"LUN of 64":                   {[]any{disks, []any{disk("lun", 64)}}, 400, bad},
		"LUN of -1":                   {[]any{disks, []any{disk("lun", -1)}}, 400, bad},
		"LUN twice":                   {[]any{disks, []any{disk(), disk()}}, 400, bad},
		"too many disks":              {[]any{disks, []any{disk(), disk("lun", 1), disk("lun", 2)}}, 409, "OperationNotAllowed"},
		"disk with a strange name":    {[]any{disks, []any{disk("name", "../x")}}, 400, "InvalidResourceName"},
		"disk that is not there":      {[]any{disks, []any{disk("createOption", "Attach", "name", "none", "diskSizeGB", nil)}}, 400, "InvalidResourceReference"},
		"disk option":                 {[]any{disks, []any{disk("createOption", "Restore")}}, 400, bad},
		"caching":                     {[]any{disks, []any{disk("caching", "Magic")}}, 400, bad},
		"no interface":                {[]any{nics, []any{}}, 400, bad},
		"interface that is not there": {[]any{nics, []any{nic("none")}}, 400, "InvalidResourceReference"},
		"interface twice":             {[]any{nics, []any{nic("nic2"), nic("nic2")}}, 400, bad},
		"interface in another case":   {[]any{nics, []any{nic("nic2"), nic("NIC2")}}, 400, bad},
		"interface that is a subnet":  {[]any{nics, []any{map[string]any{"id": c.network("virtualNetworks/net/subnets/sn")}}}, 400, "LinkedInvalidPropertyId"},
		"interface of no form":        {[]any{nics, []any{map[string]any{"id": "/nic2"}}}, 400, "LinkedInvalidPropertyId"},
		"interface of another cloud":  {[]any{nics, []any{map[string]any{"id": strings.Replace(c.network("networkInterfaces/nic2"), c.SubscriptionID, "00000000-0000-0000-0000-000000000000", 1)}}}, 400, "LinkedInvalidPropertyId"},
		"too many interfaces":         {[]any{nics, []any{map[string]any{"id": c.network("networkInterfaces/nic2"), "properties": map[string]any{"primary": true}}, nic("nic3"), nic("nic1")}}, 400, "NicInUse"},
		"no profile":                  {[]any{"properties.osProfile", nil}, 400, bad},
		"root":                        {[]any{os + "adminUsername", "root"}, 400, bad},
		"user with a space":           {[]any{os + "adminUsername", "a b"}, 400, bad},
		"user as an option":           {[]any{os + "adminUsername", "-rf"}, 400, bad},
		"user with a newline":         {[]any{os + "adminUsername", "a\nroot"}, 400, bad},
		"no user":                     {[]any{os + "adminUsername", nil}, 400, bad},
		"computer with an underscore": {[]any{os + "computerName", "a_b"}, 400, bad},
		"computer of digits":          {[]any{os + "computerName", "42"}, 400, bad},
		"computer with a newline":     {[]any{os + "computerName", "a\nb"}, 400, bad},
		"short password":              {[]any{os + "adminPassword", "Ab1!"}, 400, bad},
		"simple password":             {[]any{os + "adminPassword", "abcdefghijklmnop"}, 400, bad},
		"long password":               {[]any{os + "adminPassword", strings.Repeat("Ab1!", 20)}, 400, bad},
		"password with a newline":     {[]any{os + "adminPassword", "Str0ng!Passw0rd\n"}, 400, bad},
		"no password, no key":         {[]any{os + "adminPassword", nil}, 400, bad},
		"key that is none":            {[]any{os + "linuxConfiguration.ssh.publicKeys", []any{map[string]any{"keyData": "ssh-rsa x"}}}, 400, bad},
		"two keys in one":             {[]any{os + "linuxConfiguration.ssh.publicKeys", []any{map[string]any{"keyData": publicKey + publicKey}}}, 400, bad},
		"key with options":            {[]any{os + "linuxConfiguration.ssh.publicKeys", []any{map[string]any{"keyData": `command="id" ` + publicKey}}}, 400, bad},
		"key elsewhere":               {[]any{os + "linuxConfiguration.ssh.publicKeys", []any{map[string]any{"keyData": publicKey, "path": "/etc/passwd"}}}, 400, bad},
		"custom data":                 {[]any{os + "customData", "not base64!"}, 400, bad},
		"large custom data":           {[]any{os + "customData", base64.StdEncoding.EncodeToString(make([]byte, 64<<10+1))}, 400, bad},
		"user data":                   {[]any{"properties.userData", "%%%"}, 400, bad},
		"two zones":                   {[]any{"zones", []any{"1", "2"}}, 400, bad},
		"zone of none":                {[]any{"zones", []any{"9"}}, 400, bad},
	}
	table := map[string]refusal{}
	for name, tt := range tests {
		table[name] = refusal{"PUT", c.compute("virtualMachines/new"), c.vmBody("nic2").with(tt.edits...), tt.status, tt.code, nil}
	}
	c.refuse(t, table)
	c.done("PUT", c.compute("virtualMachines/new"), c.vmBody("nic2").String())
}

func TestRefusedDisksAndNetworks(t *testing.T) {
	c := newCloud(t).withVM()
	disk, image, nic, vnet := c.compute("disks/d"), c.compute("images/i"), c.network("networkInterfaces/nic2"), c.network("virtualNetworks/net")
	subnets := func(prefixes ...string) body {
		var list []any
		for i, p := range prefixes {
			name := "sn"
			if i > 0 {
				name += fmt.Sprint(i)
			}
			list = append(list, map[string]any{"name": name, "properties": map[string]any{"addressPrefix": p}})
		}
		return c.vnetBody().with("properties.subnets", list)
	}
	ip := func(address string) body {
		return c.nicBody().with("properties.ipConfigurations.0.properties.privateIPAddress", address, "properties.ipConfigurations.0.properties.privateIPAllocationMethod", "Static")
	}
	rule := func(edits ...any) body {
		return parse(`{"properties":{"access":"Allow","direction":"Inbound","priority":100,"protocol":"Tcp","sourceAddressPrefix":"*","sourcePortRange":"*","destinationAddressPrefix":"*","destinationPortRange":"22"}}`).with(edits...)
	}
	c.want(201, "PUT", c.network("networkSecurityGroups/nsg"), `{"location":"local"}`)
	c.want(201, "PUT", c.network("networkSecurityGroups/nsg/securityRules/first"), rule().String())
	another := c.network("networkSecurityGroups/nsg/securityRules/second")
	c.refuse(t, map[string]refusal{
		"disk of 0":             {"PUT", disk, c.diskBody().with("properties.diskSizeGB", 0), 400, "InvalidParameter", nil},
		"disk of -1":            {"PUT", disk, c.diskBody().with("properties.diskSizeGB", -1), 400, "InvalidParameter", nil},
		"disk without a size":   {"PUT", disk, c.diskBody().with("properties.diskSizeGB", nil), 400, "InvalidParameter", nil},
		"disk too large":        {"PUT", disk, c.diskBody().with("properties.diskSizeGB", 32768), 400, "InvalidParameter", nil},
		"disk beyond numbers":   {"PUT", disk, c.diskBody().with("properties.diskSizeGB", "9223372036854775808"), 400, "InvalidParameter", nil},
		"disk of words":         {"PUT", disk, c.diskBody().with("properties.diskSizeGB", "big"), 400, "InvalidParameter", nil},
		"disk of no kind":       {"PUT", disk, c.diskBody().with("sku.name", "Floppy"), 400, "InvalidParameter", nil},
		"disk of no origin":     {"PUT", disk, c.diskBody().with("properties.creationData", nil), 400, "InvalidParameter", nil},
		"disk of a strange one": {"PUT", disk, c.diskBody().with("properties.creationData.createOption", "Import"), 400, "InvalidParameter", nil},
		"copy of nothing":       {"PUT", disk, c.diskBody().with("properties.creationData", map[string]any{"createOption": "Copy", "sourceResourceId": c.compute("disks/none")}), 400, "InvalidResourceReference", nil},
		"copy of itself":        {"PUT", disk, c.diskBody().with("properties.creationData", map[string]any{"createOption": "Copy", "sourceResourceId": disk}), 400, "InvalidResourceReference", nil},
		"copy of a path":        {"PUT", disk, c.diskBody().with("properties.creationData", map[string]any{"createOption": "Copy", "sourceResourceId": "/etc/passwd"}), 400, "LinkedInvalidPropertyId", nil},
		"disk that shrinks":     {"PATCH", c.compute("disks/osdisk"), `{"properties":{"diskSizeGB":1}}`, 409, "OperationNotAllowed", nil},
		"image of nothing":      {"PUT", image, `{"location":"local","properties":{}}`, 400, "InvalidParameter", nil},
		"image of a running VM": {"PUT", image, `{"location":"local","properties":{"sourceVirtualMachine":{"id":"` + c.compute("virtualMachines/vm") + `"}}}`, 409, "OperationNotAllowed", nil},
		"image of a used disk":  {"PUT", image, `{"location":"local","properties":{"storageProfile":{"osDisk":{"osType":"Linux","osState":"Generalized","managedDisk":{"id":"` + c.compute("disks/osdisk") + `"}}}}}`, 409, "OperationNotAllowed", nil},
		"generalize as it runs": {"POST", c.compute("virtualMachines/vm/generalize"), nil, 409, "OperationNotAllowed", nil},
		"log for too long":      {"POST", c.compute("virtualMachines/vm/retrieveBootDiagnosticsData?sasUriExpirationTimeInMinutes=99999&api-version=" + version), nil, 400, "InvalidParameter", nil},

		"subnets that overlap":    {"PUT", vnet, subnets("10.0.0.0/24", "10.0.0.128/25"), 400, "NetcfgSubnetRangesOverlap", nil},
		"subnet that overlaps":    {"PUT", vnet + "/subnets/two", `{"properties":{"addressPrefix":"10.0.0.0/23"}}`, 400, "NetcfgSubnetRangesOverlap", nil},
		"subnet outside":          {"PUT", vnet + "/subnets/two", `{"properties":{"addressPrefix":"10.1.0.0/24"}}`, 400, "NetcfgInvalidSubnet", nil},
		"subnet that is no range": {"PUT", vnet + "/subnets/two", `{"properties":{"addressPrefix":"10.0.1.0"}}`, 400, "InvalidAddressPrefixFormat", nil},
		"subnet too small":        {"PUT", vnet + "/subnets/two", `{"properties":{"addressPrefix":"10.0.1.0/30"}}`, 400, "InvalidAddressPrefixLength", nil},
		"subnet of a host":        {"PUT", vnet + "/subnets/two", `{"properties":{"addressPrefix":"10.0.1.7/24"}}`, 400, "InvalidCIDRNotation", nil},
		"subnet of IPv6":          {"PUT", vnet + "/subnets/two", `{"properties":{"addressPrefix":"fd00::/64"}}`, 400, "UnsupportedProperty", nil},
		"subnet of nothing":       {"PUT", vnet + "2/subnets/two", `{"properties":{"addressPrefix":"10.0.1.0/24"}}`, 404, "ParentResourceNotFound", nil},
		"network of no space":     {"PUT", vnet + "2", `{"location":"local","properties":{}}`, 400, "InvalidRequestFormat", nil},
		"network of words":        {"PUT", vnet + "2", c.vnetBody().with("properties.addressSpace.addressPrefixes", []any{"ten"}), 400, "InvalidAddressPrefixFormat", nil},
		"network that overlaps":   {"PUT", vnet + "2", c.vnetBody().with("properties.addressSpace.addressPrefixes", []any{"10.0.0.0/16", "10.0.1.0/24"}), 400, "NetcfgInvalidVirtualNetworkAddressSpace", nil},
		"subnets of one name":     {"PUT", vnet + "2", c.vnetBody().with("properties.subnets", []any{map[string]any{"name": "a", "properties": map[string]any{"addressPrefix": "10.0.1.0/24"}}, map[string]any{"name": "A", "properties": map[string]any{"addressPrefix": "10.0.2.0/24"}}}), 400, "DuplicateResourceName", nil},

		"address elsewhere":        {"PUT", nic, ip("10.0.1.4"), 400, "PrivateIPAddressNotInSubnet", nil},
		"address of the gateway":   {"PUT", nic, ip("10.0.0.1"), 400, "PrivateIPAddressInReservedRange", nil},
		"address of the network":   {"PUT", nic, ip("10.0.0.0"), 400, "PrivateIPAddressInReservedRange", nil},
		"address of broadcast":     {"PUT", nic, ip("10.0.0.255"), 400, "PrivateIPAddressInReservedRange", nil},
		"address taken":            {"PUT", nic, ip("10.0.0.4"), 400, "PrivateIPAddressInUse", nil},
		"address of words":         {"PUT", nic, ip("ten"), 400, "InvalidIPAddressFormat", nil},
		"static address of none":   {"PUT", nic + "x", c.nicBody().with("properties.ipConfigurations.0.properties.privateIPAllocationMethod", "Static"), 400, "InvalidParameter", nil},
		"interface in no subnet":   {"PUT", nic, c.nicBody().with("properties.ipConfigurations.0.properties.subnet", nil), 400, "InvalidParameter", nil},
		"interface of nothing":     {"PUT", nic, c.nicBody().with("properties.ipConfigurations", []any{}), 400, "InvalidParameter", nil},
		"subnet that is not there": {"PUT", nic, c.nicBody().with("properties.ipConfigurations.0.properties.subnet.id", vnet+"/subnets/none"), 400, "InvalidResourceReference", nil},
		"public one not there":     {"PUT", nic, c.nicBody().with("properties.ipConfigurations.0.properties.publicIPAddress.id", c.network("publicIPAddresses/none")), 400, "InvalidResourceReference", nil},

		"priority taken":      {"PUT", another, rule(), 400, "SecurityRuleConflict", nil},
		"priority too low":    {"PUT", another, rule("properties.priority", 99), 400, "SecurityRuleInvalidPriority", nil},
		"priority too high":   {"PUT", another, rule("properties.priority", 4097), 400, "SecurityRuleInvalidPriority", nil},
		"port of words":       {"PUT", another, rule("properties.priority", 200, "properties.destinationPortRange", "ssh"), 400, "SecurityRuleInvalidPortRange", nil},
		"ports backwards":     {"PUT", another, rule("properties.priority", 200, "properties.destinationPortRange", "90-80"), 400, "SecurityRuleInvalidPortRange", nil},
		"port too high":       {"PUT", another, rule("properties.priority", 200, "properties.destinationPortRange", "65536"), 400, "SecurityRuleInvalidPortRange", nil},
		"prefix of words":     {"PUT", another, rule("properties.priority", 200, "properties.sourceAddressPrefix", "home; drop"), 400, "SecurityRuleInvalidAddressPrefix", nil},
		"unknown protocol":    {"PUT", another, rule("properties.priority", 200, "properties.protocol", "Carrier pigeon"), 400, "InvalidParameter", nil},
		"rule of no group":    {"PUT", c.network("networkSecurityGroups/none/securityRules/a"), rule(), 404, "ParentResourceNotFound", nil},
		"public name":         {"PUT", c.network("publicIPAddresses/p"), `{"location":"local","properties":{"dnsSettings":{"domainNameLabel":"A_b"}}}`, 400, "InvalidDomainNameLabel", nil},
		"public IPv6":         {"PUT", c.network("publicIPAddresses/p"), `{"location":"local","properties":{"publicIPAddressVersion":"IPv6"}}`, 400, "InvalidParameter", nil},
		"dynamic as standard": {"PUT", c.network("publicIPAddresses/p"), `{"location":"local","sku":{"name":"Standard"},"properties":{"publicIPAllocationMethod":"Dynamic"}}`, 400, "InvalidParameter", nil},
	})
}
