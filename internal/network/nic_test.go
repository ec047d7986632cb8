package network

import (
	"strings"
	"testing"

	"lazuli/internal/arm"
	"lazuli/internal/arm/armtest"
)

func nic(configs ...string) string {
	return `{"location": "local", "properties": {"ipConfigurations": [` + strings.Join(configs, ",") + `]}}`
}

func config(name, subnet string, more ...string) string {
	props := append([]string{`"subnet": {"id": "` + subnetID(subnet).String() + `"}`}, more...)
	return `{"name": "` + name + `", "properties": {` + strings.Join(props, ",") + `}}`
}

func at(address string) string {
	return `"privateIPAllocationMethod": "Static", "privateIPAddress": "` + address + `"`
}

// furnished's nic1 has 10.1.1.4 and ip1.
func TestNICRules(t *testing.T) {
	otherVNet, freeID := armtest.ID(VNetType+"/net2"), armtest.ID(PublicIPType+"/free")
	tests := map[string]struct{ body, code string }{
		"dynamic":                    {nic(config("a", "sn1")), ""},
		"static":                     {nic(config("a", "sn1", at("10.1.1.9"))), ""},
		"last usable":                {nic(config("a", "sn1", at("10.1.1.254"))), ""},
		"several":                    {nic(config("a", "sn1"), config("b", "sn1"), config("c", "sn1", at("10.1.1.5"))), ""},
		"none":                       {nic(), "InvalidParameter"},
		"static without an address":  {nic(config("a", "sn1", `"privateIPAllocationMethod": "static"`)), "InvalidParameter"},
		"static in use":              {nic(config("a", "sn1", at("10.1.1.4"))), "PrivateIPAddressInUse"},
		"static twice":               {nic(config("a", "sn1", at("10.1.1.9")), config("b", "sn1", at("10.1.1.9"))), "PrivateIPAddressInUse"},
		"gateway":                    {nic(config("a", "sn1", at("10.1.1.1"))), "PrivateIPAddressInReservedRange"},
		"fourth":                     {nic(config("a", "sn1", at("10.1.1.3"))), "PrivateIPAddressInReservedRange"},
		"broadcast":                  {nic(config("a", "sn1", at("10.1.1.255"))), "PrivateIPAddressInReservedRange"},
		"elsewhere":                  {nic(config("a", "sn1", at("10.1.2.9"))), "PrivateIPAddressNotInSubnet"},
		"not an address":             {nic(config("a", "sn1", at("x"))), "InvalidIPAddressFormat"},
		"version 6":                  {nic(config("a", "sn1", `"privateIPAddressVersion": "IPv6"`)), "InvalidParameter"},
		"same name":                  {nic(config("a", "sn1"), config("A", "sn1")), "DuplicateResourceName"},
		"two primaries":              {nic(config("a", "sn1", `"primary": true`), config("b", "sn1", `"primary": true`)), "InvalidParameter"},
		"no subnet":                  {nic(`{"name": "a", "properties": {}}`), "InvalidParameter"},
		"missing subnet":             {nic(config("a", "none")), "InvalidResourceReference"},
		"missing network":            {nic(`{"name": "a", "properties": {"subnet": {"id": "` + armtest.ID(VNetType+"/x").Child("subnets", "y").String() + `"}}}`), "InvalidResourceReference"},
		"subnet of another kind":     {nic(`{"name": "a", "properties": {"subnet": {"id": "` + nsgID.String() + `"}}}`), "LinkedInvalidPropertyId"},
		"subnet of a stranger":       {nic(strings.ReplaceAll(config("a", "sn1"), armtest.Subscription, "9")), "LinkedInvalidPropertyId"},
		"not an id":                  {nic(`{"name": "a", "properties": {"subnet": {"id": "sn1"}}}`), "LinkedInvalidPropertyId"},
		"two networks":               {nic(config("a", "sn1"), `{"name": "b", "properties": {"subnet": {"id": "`+otherVNet.Child("subnets", "sn1").String()+`"}}}`), "SubnetsNotInSameVnet"},
		"public address in use":      {nic(config("a", "sn1", `"publicIPAddress": {"id": "`+pipID.String()+`"}`)), "PublicIPAddressInUse"},
		"missing public address":     {nic(config("a", "sn1", `"publicIPAddress": {"id": "`+pipID.String()+`9"}`)), "InvalidResourceReference"},
		"many addresses":             {nic(strings.TrimSuffix(strings.Repeat(config("a", "sn1")+",", 257), ",")), "InvalidParameter"},
		"public one goes along":      {nic(config("a", "sn1", `"publicIPAddress": {"id": "`+pipID.String()+`", "properties": {"deleteOption": "Delete"}}`)), "InvalidParameter"},
		"public one, in full":        {nic(config("a", "sn1", `"publicIPAddress": {"id": "`+freeID.String()+`", "name": "x", "sku": {"name": "Basic"}, "properties": {"deleteOption": "detach", "ipAddress": "1.2.3.4", "provisioningState": "Succeeded"}}`)), ""},
		"public one with more":       {nic(config("a", "sn1", `"publicIPAddress": {"id": "`+freeID.String()+`", "properties": {"shiny": 1}}`)), "UnsupportedProperty"},
		"no public one":              {nic(config("a", "sn1", `"publicIPAddress": {"id": ""}`)), ""},
		"load balancer":              {nic(config("a", "sn1", `"loadBalancerBackendAddressPools": [{"id": "/x"}]`)), "UnsupportedProperty"},
		"bad name":                   {nic(config("a b", "sn1")), "InvalidResourceName"},
		"accelerated and forwarding": {`{"properties": {"enableAcceleratedNetworking": true, "enableIPForwarding": "true", "ipConfigurations": [` + config("a", "sn1") + `]}}`, ""},
		"host name":                  {`{"properties": {"dnsSettings": {"internalDnsNameLabel": "Web-1"}, "ipConfigurations": [` + config("a", "sn1") + `]}}`, ""},
		"bad host name":              {`{"properties": {"dnsSettings": {"internalDnsNameLabel": "web_1"}, "ipConfigurations": [` + config("a", "sn1") + `]}}`, "InvalidParameter"},
		"bad name server":            {`{"properties": {"dnsSettings": {"dnsServers": ["::1"]}, "ipConfigurations": [` + config("a", "sn1") + `]}}`, "InvalidIPAddressFormat"},
		"elastic":                    {`{"properties": {"nicType": "Elastic", "ipConfigurations": [` + config("a", "sn1") + `]}}`, "InvalidParameter"},
		"auxiliary":                  {`{"properties": {"auxiliaryMode": "MaxConnections", "ipConfigurations": [` + config("a", "sn1") + `]}}`, "InvalidParameter"},
		"untracked":                  {`{"properties": {"disableTcpStateTracking": true, "ipConfigurations": [` + config("a", "sn1") + `]}}`, "UnsupportedProperty"},
		"missing group":              {`{"properties": {"networkSecurityGroup": {"id": "` + nsgID.String() + `x"}, "ipConfigurations": [` + config("a", "sn1") + `]}}`, "InvalidResourceReference"},
		"another location":           {strings.Replace(nic(config("a", "sn1")), "local", "north", 1), "InvalidResourceReference"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := furnished(t)
			c.Put(otherVNet, vnet(`"10.2.0.0/16"`, subnet("sn1", "10.2.1.0/24")))
			c.Put(freeID, `{"location": "local"}`)
			_, err := c.Do(armtest.Request{Method: "PUT", ID: armtest.ID(NICType + "/nic2"), Body: tt.body})
			armtest.WantError(t, err, tt.code)
		})
	}
}

func TestNICChanges(t *testing.T) {
	tests := map[string]struct {
		body, code string
		addresses  []string // in the order of the view
	}{
		"keeps its address":       {nic(config("ipconfig1", "sn1")), "", []string{"10.1.1.4"}},
		"made static, as it is":   {nic(config("ipconfig1", "sn1", `"privateIPAllocationMethod": "Static"`)), "", []string{"10.1.1.4"}},
		"another address":         {nic(config("ipconfig1", "sn1", at("10.1.1.77"))), "", []string{"10.1.1.77"}},
		"another subnet":          {nic(config("ipconfig1", "sn2")), "", []string{"10.1.2.4"}},
		"another configuration":   {nic(config("x", "sn1")), "", []string{"10.1.1.4"}},
		"one more, first":         {nic(config("x", "sn1"), config("ipconfig1", "sn1", `"primary": true`)), "", []string{"10.1.1.4", "10.1.1.5"}},
		"its address to a new":    {nic(config("ipconfig1", "sn1", at("10.1.1.5")), config("x", "sn1", at("10.1.1.4"))), "", []string{"10.1.1.5", "10.1.1.4"}},
		"a wish for a dynamic":    {nic(config("ipconfig1", "sn1", `"privateIPAddress": "10.1.1.8"`)), "", []string{"10.1.1.8"}},
		"an address of the other": {nic(config("ipconfig1", "sn1", at("10.1.1.200"))), "PrivateIPAddressInUse", nil},
		"another network":         {nic(`{"name": "a", "properties": {"subnet": {"id": "` + armtest.ID(VNetType+"/net2").Child("subnets", "s").String() + `"}}}`), "SubnetsNotInSameVnet", nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := furnished(t)
			c.Put(subnetID("sn2"), subnet("sn2", "10.1.2.0/24"))
			c.Put(armtest.ID(VNetType+"/net2"), vnet(`"10.2.0.0/16"`, subnet("s", "10.2.0.0/24")))
			c.Put(armtest.ID(NICType+"/nic2"), nic(config("a", "sn1", at("10.1.1.200"))))
			mac := armtest.At(t, c.Get(nicID).Body, "properties.macAddress")
			_, err := c.Do(armtest.Request{Method: "PUT", ID: nicID, Body: tt.body})
			armtest.WantError(t, err, tt.code)
			if tt.addresses == nil {
				tt.addresses = []string{"10.1.1.4"}
			}
			body := c.Get(nicID).Body
			for i, want := range tt.addresses {
				if got := armtest.At(t, body, "properties.ipConfigurations."+string(rune('0'+i))+".properties.privateIPAddress"); got != want {
					t.Errorf("address %d = %v, want %s", i, got, want)
				}
			}
			if got := armtest.At(t, body, "properties.macAddress"); got != mac {
				t.Errorf("MAC = %v, was %v", got, mac)
			}
		})
	}
}

func TestSubnetIsFull(t *testing.T) {
	c := furnished(t)
	c.Put(subnetID("tiny"), subnet("tiny", "10.1.200.0/29"))
	id := func(name string) arm.ID { return armtest.ID(NICType + "/" + name) }
	for i, name := range []string{"a", "b", "c"} {
		got := armtest.At(t, c.Put(id(name), nic(config("x", "tiny"))).Body, "properties.ipConfigurations.0.properties.privateIPAddress")
		if want := "10.1.200." + string(rune('4'+i)); got != want {
			t.Errorf("%s has %v, want %s", name, got, want)
		}
	}
	_, err := c.Do(armtest.Request{Method: "PUT", ID: id("d"), Body: nic(config("x", "tiny"))})
	armtest.WantError(t, err, "SubnetIsFull")
	c.Delete(id("b"))
	if got := armtest.At(t, c.Put(id("d"), nic(config("x", "tiny"))).Body, "properties.ipConfigurations.0.properties.privateIPAddress"); got != "10.1.200.5" {
		t.Errorf("d has %v, want 10.1.200.5, which is free again", got)
	}
}

func TestPlug(t *testing.T) {
	c := furnished(t)
	other := armtest.ID("Microsoft.Compute/virtualMachines/vm2")
	try := func(code string, f func(call *arm.Call) error) {
		t.Helper()
		armtest.WantError(t, c.Update(f), code)
	}
	plug := func(vm arm.ID) func(*arm.Call) error {
		return func(call *arm.Call) error { return PlugNIC(t.Context(), call.Tx, nicID, vm, true) }
	}
	unplug := func(vm arm.ID) func(*arm.Call) error {
		return func(call *arm.Call) error { return UnplugNIC(t.Context(), call.Tx, nicID, vm) }
	}
	remove := func(vm arm.ID) func(*arm.Call) error {
		return func(call *arm.Call) error { return RemoveNIC(t.Context(), call.Tx, nicID, vm) }
	}
	try("", plug(vmID))
	try("", plug(vmID)) // again
	try("NicInUse", plug(other))
	try("", unplug(other)) // is nothing
	_, err := c.Do(armtest.Request{Method: "DELETE", ID: nicID})
	armtest.WantError(t, err, "NicInUse")
	try("NicInUse", remove(other))
	body := c.Get(nicID).Body
	if armtest.At(t, body, "properties.virtualMachine.id") != vmID.String() || armtest.At(t, body, "properties.primary") != true {
		t.Errorf("plugged: %s", armtest.JSON(t, body))
	}
	// A change of the interface does not unplug it.
	c.Put(nicID, nic(config("ipconfig1", "sn1")))
	try("NicInUse", plug(other))
	try("", unplug(vmID))
	try("", plug(other))
	try("", remove(other))
	try("", remove(other)) // again
	try("ResourceNotFound", plug(vmID))
	c.Delete(pipID)
}
