package network

import (
	"net/netip"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v11"

	"lazuli/internal/arm"
	"lazuli/internal/arm/armtest"
)

var testConfig = Config{
	Locations:  []string{"local", "north"},
	PublicPool: []netip.Prefix{netip.MustParsePrefix("198.18.0.0/24")},
	Domain:     "cloudapp.example",
}

var (
	vnetID = armtest.ID("Microsoft.Network/virtualNetworks/net1")
	nsgID  = armtest.ID("Microsoft.Network/networkSecurityGroups/nsg1")
	pipID  = armtest.ID("Microsoft.Network/publicIPAddresses/ip1")
	nicID  = armtest.ID("Microsoft.Network/networkInterfaces/nic1")
	vmID   = armtest.ID("Microsoft.Compute/virtualMachines/vm1")
)

func newCloud(t testing.TB) *armtest.Cloud { return armtest.New(t, Types(testConfig)) }

// furnished is a cloud with one of everything, made with the bodies that az
// sends.
func furnished(t testing.TB) *armtest.Cloud {
	c := newCloud(t)
	c.Put(vnetID, `{"location": "local", "properties": {"addressSpace": {"addressPrefixes": ["10.1.0.0/16"]},
		"enableDdosProtection": false, "enableVmProtection": false,
		"subnets": [{"name": "sn1", "properties": {"addressPrefix": "10.1.1.0/24"}}]}}`)
	c.Put(nsgID, `{"location": "local"}`)
	c.Put(nsgID.Child("securityRules", "ssh"), `{"name": "ssh", "properties": {"access": "Allow", "destinationAddressPrefix": "*",
		"destinationPortRange": "22", "direction": "Inbound", "priority": 100, "protocol": "*", "sourceAddressPrefix": "*", "sourcePortRange": "*"}}`)
	c.Put(pipID, `{"location": "local", "properties": {"idleTimeoutInMinutes": 4, "publicIPAddressVersion": "IPv4",
		"publicIPAllocationMethod": "Static"}, "sku": {"name": "Standard"}}`)
	c.Put(nicID, `{"location": "local", "properties": {
		"networkSecurityGroup": {"id": "`+nsgID.String()+`"},
		"ipConfigurations": [{"name": "ipconfig1", "properties": {"privateIPAllocationMethod": "Dynamic", "privateIPAddressVersion": "IPv4",
			"subnet": {"id": "`+subnetID("sn1").String()+`", "properties": {"privateEndpointNetworkPolicies": "Disabled", "privateLinkServiceNetworkPolicies": "Enabled"}},
			"publicIPAddress": {"id": "`+pipID.String()+`"}}}],
		"dnsSettings": {"dnsServers": []}, "enableIPForwarding": false}}`)
	return c
}

func subnetID(name string) arm.ID { return vnetID.Child("subnets", name) }

func TestViews(t *testing.T) {
	c := furnished(t)
	c.Put(subnetID("sn2"), `{"name": "sn2", "properties": {"addressPrefix": "10.1.2.0/24", "networkSecurityGroup": {"id": "`+nsgID.String()+`"}}}`)
	tests := map[string]struct {
		id  arm.ID
		sdk any
	}{
		"vnet":     {vnetID, &armnetwork.VirtualNetwork{}},
		"subnet":   {subnetID("sn2"), &armnetwork.Subnet{}},
		"nsg":      {nsgID, &armnetwork.SecurityGroup{}},
		"rule":     {nsgID.Child("securityRules", "ssh"), &armnetwork.SecurityRule{}},
		"publicip": {pipID, &armnetwork.PublicIPAddress{}},
		"nic":      {nicID, &armnetwork.Interface{}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := c.Get(tt.id)
			armtest.Golden(t, name, got.Body)
			armtest.FitsSDK(t, got.Body, tt.sdk)
			if got.ETag == "" || got.ETag != armtest.At(t, got.Body, "etag") {
				t.Errorf("etag = %q, in the body %v", got.ETag, armtest.At(t, got.Body, "etag"))
			}
		})
	}
}

// What a client reads it can send back, and nothing changes.
func TestEcho(t *testing.T) {
	c := furnished(t)
	for _, id := range []arm.ID{vnetID, nsgID, pipID, nicID, subnetID("sn1"), nsgID.Child("securityRules", "ssh")} {
		before := armtest.JSON(t, withoutETags(t, c.Get(id).Body))
		if c.Put(id, armtest.JSON(t, c.Get(id).Body)).Created {
			t.Errorf("%s was made anew", id)
		}
		if after := armtest.JSON(t, withoutETags(t, c.Get(id).Body)); after != before {
			t.Errorf("%s: before %s after %s", id, before, after)
		}
	}
}

func TestPutIsCreatedOnce(t *testing.T) {
	c := newCloud(t)
	body := `{"location": "Local", "tags": {"a": "b"}, "properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}}}`
	if !c.Put(vnetID, body).Created || c.Put(vnetID, body).Created {
		t.Error("want the first PUT to create, the second not to")
	}
	if got := armtest.At(t, c.Get(vnetID).Body, "location"); got != "local" {
		t.Errorf("location = %v, want local", got)
	}
	etag := c.Get(vnetID).ETag
	if again := c.Put(vnetID, body).ETag; again != etag {
		t.Errorf("a PUT that changes nothing changed the etag from %s to %s", etag, again)
	}
	patched := c.Patch(vnetID, `{"tags": {"c": "d"}}`)
	if patched.ETag == etag || armtest.At(t, patched.Body, "tags.c") != "d" || armtest.At(t, patched.Body, "tags.a") != nil {
		t.Errorf("patched = %s", armtest.JSON(t, patched.Body))
	}
}

func TestPreconditions(t *testing.T) {
	c := furnished(t)
	body := `{"location": "local"}`
	tests := map[string]struct {
		req  armtest.Request
		code string
	}{
		"create only":       {armtest.Request{Method: "PUT", ID: nsgID, Body: body, IfNoneMatch: "*"}, "PreconditionFailed"},
		"other etag":        {armtest.Request{Method: "PUT", ID: nsgID, Body: body, IfMatch: `W/"x-1"`}, "PreconditionFailed"},
		"delete other etag": {armtest.Request{Method: "DELETE", ID: pipID, IfMatch: `W/"x-1"`}, "PreconditionFailed"},
		"patch other etag":  {armtest.Request{Method: "PATCH", ID: pipID, Body: `{}`, IfMatch: `W/"x-1"`}, "PreconditionFailed"},
		"child other etag":  {armtest.Request{Method: "PUT", ID: subnetID("sn1"), Body: `{"properties":{"addressPrefix":"10.1.1.0/24"}}`, IfMatch: `W/"x-1"`}, "PreconditionFailed"},
		"update only":       {armtest.Request{Method: "PUT", ID: subnetID("no"), Body: `{"properties":{"addressPrefix":"10.1.9.0/24"}}`, IfMatch: `*`}, "PreconditionFailed"},
		"right etag":        {armtest.Request{Method: "PUT", ID: nsgID, Body: body, IfMatch: c.Get(nsgID).ETag}, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := c.Do(tt.req)
			armtest.WantError(t, err, tt.code)
		})
	}
}

func TestList(t *testing.T) {
	c := newCloud(t)
	for _, name := range []string{"a1", "b1", "c1", "d1", "e1"} {
		c.Put(nsgID.Scope().Resource(NSGType, name), `{"location": "local"}`)
	}
	c.Put(nsgID.Scope().Resource(NSGType, "a1").Child("securityRules", "r1"), rule("", `"priority": 100`))
	if got := c.List(NSGType, nsgID.Scope()); len(got) != 5 {
		t.Errorf("listed %d groups, want 5", len(got))
	}
	if got := c.List(NSGType, arm.ID{Subscription: "other"}); len(got) != 0 {
		t.Errorf("listed %d groups in another subscription, want none", len(got))
	}
	if got := c.List(RuleType, nsgID.Scope().Resource(NSGType, "a1")); len(got) != 1 {
		t.Errorf("listed %d rules, want 1", len(got))
	}
}

func TestDeleteInOrder(t *testing.T) {
	c := furnished(t)
	c.Put(subnetID("sn2"), `{"properties": {"addressPrefix": "10.1.2.0/24", "networkSecurityGroup": {"id": "`+nsgID.String()+`"}}}`)
	steps := []struct {
		id   arm.ID
		code string
	}{
		{vnetID, "InUseSubnetCannotBeDeleted"},
		{subnetID("sn1"), "InUseSubnetCannotBeDeleted"},
		{pipID, "PublicIPAddressCannotBeDeleted"},
		{nsgID, "InUseNetworkSecurityGroupCannotBeDeleted"},
		{nicID, ""},
		{nicID, "ResourceNotFound"},
		{pipID, ""},
		{nsgID, "InUseNetworkSecurityGroupCannotBeDeleted"}, // by sn2
		{nsgID.Child("securityRules", "ssh"), ""},
		{nsgID.Child("securityRules", "ssh"), "NotFound"},
		{subnetID("sn2"), ""},
		{subnetID("sn2"), "NotFound"},
		{nsgID, ""},
		{vnetID, ""},
		{subnetID("sn1"), "ResourceNotFound"},
	}
	for _, s := range steps {
		_, err := c.Do(armtest.Request{Method: "DELETE", ID: s.id})
		armtest.WantError(t, err, s.code)
	}
	entries, err := c.Store.List(t.Context(), "/")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		t.Errorf("%s is left behind", e.Key)
	}
}

func TestNamesAndLocations(t *testing.T) {
	c := newCloud(t)
	tests := map[string]struct{ name, body, code string }{
		"begins with a dash":    {"-a", `{"location": "local"}`, "InvalidResourceName"},
		"ends with a dot":       {"a.", `{"location": "local"}`, "InvalidResourceName"},
		"one letter":            {"a", `{"location": "local"}`, ""},
		"unknown location":      {"b", `{"location": "moon"}`, "LocationNotAvailableForResourceType"},
		"location of the group": {"d", `{}`, ""},
		"spelled otherwise":     {"e", `{"LOCATION": "No Rth"}`, ""},
		"unknown property":      {"f", `{"properties": {"shiny": 1}}`, "UnsupportedProperty"},
		"unknown but empty":     {"g", `{"properties": {"shiny": null}}`, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := c.Do(armtest.Request{Method: "PUT", ID: armtest.ID(NSGType + "/" + tt.name), Body: tt.body})
			armtest.WantError(t, err, tt.code)
		})
	}
	_, err := c.Do(armtest.Request{Method: "PUT", ID: armtest.ID(NSGType + "/a"), Body: `{"location": "north"}`})
	armtest.WantError(t, err, "InvalidResourceLocation")
}

// withoutETags is body without what changes with every write.
func withoutETags(t *testing.T, body any) any {
	var strip func(v any) any
	strip = func(v any) any {
		switch v := v.(type) {
		case map[string]any:
			delete(v, "etag")
			for k := range v {
				v[k] = strip(v[k])
			}
		case []any:
			for i := range v {
				v[i] = strip(v[i])
			}
		}
		return v
	}
	return strip(armtest.Tree(t, body))
}
