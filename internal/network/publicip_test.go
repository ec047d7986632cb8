package network

import (
	"fmt"
	"net/netip"
	"testing"

	"lazuli/internal/arm/armtest"
)

func TestPublicIPRules(t *testing.T) {
	tests := map[string]struct {
		body, code string
		method     string // that is shown
	}{
		"as az makes it":       {`{"location": "local", "properties": {"publicIPAllocationMethod": null}}`, "", "Dynamic"},
		"standard":             {`{"sku": {"name": "standard"}}`, "", "Static"},
		"as terraform":         {`{"sku": {"name": "Standard", "tier": "Regional"}, "zones": [], "properties": {"ddosSettings": {"protectionMode": "VirtualNetworkInherited"}, "ipTags": [], "idleTimeoutInMinutes": 4, "publicIPAddressVersion": "IPv4", "publicIPAllocationMethod": "Static"}}`, "", "Static"},
		"standard and dynamic": {`{"sku": {"name": "Standard"}, "properties": {"publicIPAllocationMethod": "Dynamic"}}`, "InvalidParameter", ""},
		"zones":                {`{"sku": {"name": "Standard"}, "zones": ["1", "2"]}`, "", "Static"},
		"zone four":            {`{"sku": {"name": "Standard"}, "zones": ["4"]}`, "InvalidParameter", ""},
		"global":               {`{"sku": {"name": "Standard", "tier": "Global"}}`, "InvalidParameter", ""},
		"version 6":            {`{"properties": {"publicIPAddressVersion": "IPv6"}}`, "InvalidParameter", ""},
		"protected":            {`{"properties": {"ddosSettings": {"protectionMode": "Enabled"}}}`, "InvalidParameter", ""},
		"deleted with its VM":  {`{"properties": {"deleteOption": "Delete"}}`, "InvalidParameter", ""},
		"tagged":               {`{"properties": {"ipTags": [{"tag": "x"}]}}`, "UnsupportedProperty", ""},
		"of a prefix":          {`{"properties": {"publicIPPrefix": {"id": "/x"}}}`, "UnsupportedProperty", ""},
		"idle not at all":      {`{"properties": {"idleTimeoutInMinutes": 0}}`, "InvalidParameter", ""},
		"idle as ever":         {`{"properties": {"idleTimeoutInMinutes": null}}`, "", "Dynamic"},
		"idle too short":       {`{"properties": {"idleTimeoutInMinutes": 3}}`, "InvalidParameter", ""},
		"idle too long":        {`{"properties": {"idleTimeoutInMinutes": 31}}`, "InvalidParameter", ""},
		"named":                {`{"properties": {"dnsSettings": {"domainNameLabel": "web-1"}}}`, "", "Dynamic"},
		"badly named":          {`{"properties": {"dnsSettings": {"domainNameLabel": "Web"}}}`, "InvalidDomainNameLabel", ""},
		"reverse name":         {`{"properties": {"dnsSettings": {"reverseFqdn": "a.b."}}}`, "UnsupportedProperty", ""},
		"name taken":           {`{"properties": {"dnsSettings": {"domainNameLabel": "taken"}}}`, "DnsRecordInUse", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := newCloud(t)
			c.Put(armtest.ID(PublicIPType+"/other"), `{"properties": {"dnsSettings": {"domainNameLabel": "taken"}}}`)
			res, err := c.Do(armtest.Request{Method: "PUT", ID: pipID, Body: tt.body})
			armtest.WantError(t, err, tt.code)
			if err == nil && armtest.At(t, res.Body, "properties.publicIPAllocationMethod") != tt.method {
				t.Errorf("made %s", armtest.JSON(t, res.Body))
			}
		})
	}
}

func TestPublicIPKeepsItsAddress(t *testing.T) {
	c := furnished(t)
	address := armtest.At(t, c.Get(pipID).Body, "properties.ipAddress")
	steps := []struct{ body, code string }{
		{`{"sku": {"name": "Standard"}, "properties": {"idleTimeoutInMinutes": 10}}`, ""},
		{`{"properties": {"dnsSettings": {"domainNameLabel": "one"}}}`, ""},
		{`{"properties": {"dnsSettings": {"domainNameLabel": "two"}}}`, ""},
		{`{"properties": {}}`, ""},
		{`{"sku": {"name": "Basic"}}`, "PropertyChangeNotAllowed"},
		{`{"zones": []}`, ""},
		{`{"zones": [""]}`, "InvalidParameter"},
		{`{"zones": ["1"]}`, "ResourceAvailabilityZonesCannotBeModified"},
	}
	for _, s := range steps {
		_, err := c.Do(armtest.Request{Method: "PUT", ID: pipID, Body: s.body})
		armtest.WantError(t, err, s.code)
		if got := armtest.At(t, c.Get(pipID).Body, "properties.ipAddress"); got != address {
			t.Errorf("after %s the address is %v, was %v", s.body, got, address)
		}
	}
	// The names it had are free again.
	c.Put(armtest.ID(PublicIPType+"/a"), `{"properties": {"dnsSettings": {"domainNameLabel": "one"}}}`)
	got := c.Put(armtest.ID(PublicIPType+"/b"), `{"properties": {"dnsSettings": {"domainNameLabel": "two"}}}`)
	if fqdn := armtest.At(t, got.Body, "properties.dnsSettings.fqdn"); fqdn != "two.local.cloudapp.example" {
		t.Errorf("fqdn = %v", fqdn)
	}
}

func TestPublicIPSKUInUse(t *testing.T) {
	c := newCloud(t)
	c.Put(vnetID, vnet(`"10.1.0.0/16"`, subnet("sn1", "10.1.1.0/24")))
	c.Put(pipID, `{}`)
	c.Put(nicID, nic(config("a", "sn1", `"publicIPAddress": {"id": "`+pipID.String()+`"}`)))
	_, err := c.Do(armtest.Request{Method: "PUT", ID: pipID, Body: `{"sku": {"name": "Standard"}}`})
	armtest.WantError(t, err, "PropertyChangeNotAllowed")
	c.Put(nicID, nic(config("a", "sn1")))
	c.Put(pipID, `{"sku": {"name": "Standard"}}`)
}

func TestPublicPoolIsExhausted(t *testing.T) {
	cfg := testConfig
	cfg.PublicPool = []netip.Prefix{netip.MustParsePrefix("198.18.0.0/28"), netip.MustParsePrefix("198.18.9.9/32")}
	c := armtest.New(t, Types(cfg))
	seen := map[any]bool{}
	for i := range 15 {
		seen[armtest.At(t, c.Put(armtest.ID(fmt.Sprintf("%s/ip%d", PublicIPType, i)), `{}`).Body, "properties.ipAddress")] = true
	}
	if len(seen) != 15 || !seen["198.18.9.9"] || seen["198.18.0.0"] || seen["198.18.0.15"] {
		t.Errorf("addresses = %v", seen)
	}
	late := armtest.ID(PublicIPType + "/late")
	_, err := c.Do(armtest.Request{Method: "PUT", ID: late, Body: `{}`})
	armtest.WantError(t, err, "PublicIPAddressPoolExhausted")
	c.Delete(armtest.ID(PublicIPType + "/ip3"))
	c.Put(late, `{}`)
}
