package network

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"lazuli/internal/arm"
	"lazuli/internal/arm/armtest"
)

func vnet(space string, subnets ...string) string {
	return `{"location": "local", "properties": {"addressSpace": {"addressPrefixes": [` + space + `]}, "subnets": [` + strings.Join(subnets, ",") + `]}}`
}

func subnet(name, prefix string) string {
	return `{"name": "` + name + `", "properties": {"addressPrefix": "` + prefix + `"}}`
}

func TestVNetRules(t *testing.T) {
	tests := map[string]struct{ body, code string }{
		"two subnets":           {vnet(`"10.0.0.0/16"`, subnet("a", "10.0.0.0/24"), subnet("b", "10.0.1.0/24")), ""},
		"two prefixes":          {vnet(`"10.0.0.0/16", "192.168.0.0/24"`, subnet("a", "192.168.0.0/29")), ""},
		"subnet in plural":      {vnet(`"10.0.0.0/16"`, `{"name": "a", "properties": {"addressPrefixes": ["10.0.0.0/24"]}}`), ""},
		"subnet in both":        {vnet(`"10.0.0.0/16"`, `{"name": "a", "properties": {"addressPrefix": "10.0.0.0/24", "addressPrefixes": ["10.0.0.0/24"]}}`), ""},
		"subnet in both, other": {vnet(`"10.0.0.0/16"`, `{"name": "a", "properties": {"addressPrefix": "10.0.0.0/24", "addressPrefixes": ["10.0.1.0/24"]}}`), "InvalidParameter"},
		"two prefixes a subnet": {vnet(`"10.0.0.0/16"`, `{"name": "a", "properties": {"addressPrefixes": ["10.0.0.0/24", "10.0.1.0/24"]}}`), "UnsupportedProperty"},
		"no prefix a subnet":    {vnet(`"10.0.0.0/16"`, `{"name": "a", "properties": {}}`), "InvalidParameter"},
		"no prefix":             {vnet(``), "InvalidRequestFormat"},
		"loopback":              {vnet(`"127.0.0.0/16"`), "NetcfgInvalidVirtualNetworkAddressSpace"},
		"metadata service":      {vnet(`"10.0.0.0/16", "169.254.169.0/24"`), "NetcfgInvalidVirtualNetworkAddressSpace"},
		"platform":              {vnet(`"168.63.0.0/16"`), "NetcfgInvalidVirtualNetworkAddressSpace"},
		"beside the platform":   {vnet(`"168.63.130.0/24"`), ""},
		"multicast":             {vnet(`"224.0.0.0/16"`), "NetcfgInvalidVirtualNetworkAddressSpace"},
		"broadcast":             {vnet(`"255.0.0.0/8"`), "NetcfgInvalidVirtualNetworkAddressSpace"},
		"nowhere":               {vnet(`"0.0.0.0/8"`), "NetcfgInvalidVirtualNetworkAddressSpace"},
		"many prefixes":         {vnet(strings.TrimSuffix(strings.Repeat(`"10.0.0.0/16",`, 100_000), ",")), "InvalidParameter"},
		"many subnets":          {vnet(`"10.0.0.0/16"`, strings.TrimSuffix(strings.Repeat(subnet("a", "10.0.0.0/24")+",", 40_000), ",")), "InvalidParameter"},
		"many name servers":     {`{"properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}, "dhcpOptions": {"dnsServers": [` + strings.TrimSuffix(strings.Repeat(`"10.0.0.9",`, 21), ",") + `]}}}`, "InvalidParameter"},
		"not a prefix":          {vnet(`"10.0.0.0"`), "InvalidAddressPrefixFormat"},
		"host bits":             {vnet(`"10.0.0.1/16"`), "InvalidCIDRNotation"},
		"version 6":             {vnet(`"fd00::/48"`), "UnsupportedProperty"},
		"too large":             {vnet(`"10.0.0.0/7"`), "InvalidAddressPrefixLength"},
		"too small":             {vnet(`"10.0.0.0/30"`), "InvalidAddressPrefixLength"},
		"overlapping prefixes":  {vnet(`"10.0.0.0/16", "10.0.1.0/24"`), "NetcfgInvalidVirtualNetworkAddressSpace"},
		"overlapping subnets":   {vnet(`"10.0.0.0/16"`, subnet("a", "10.0.0.0/24"), subnet("b", "10.0.0.128/25")), "NetcfgSubnetRangesOverlap"},
		"subnet outside":        {vnet(`"10.0.0.0/16"`, subnet("a", "10.1.0.0/24")), "NetcfgInvalidSubnet"},
		"subnet larger":         {vnet(`"10.0.0.0/16"`, subnet("a", "10.0.0.0/15")), "NetcfgInvalidSubnet"},
		"same name":             {vnet(`"10.0.0.0/16"`, subnet("a", "10.0.0.0/24"), subnet("A", "10.0.1.0/24")), "DuplicateResourceName"},
		"bad subnet name":       {vnet(`"10.0.0.0/16"`, subnet("a b", "10.0.0.0/24")), "InvalidResourceName"},
		"private subnet":        {vnet(`"10.0.0.0/16"`, `{"name": "a", "properties": {"addressPrefix": "10.0.0.0/24", "defaultOutboundAccess": false}}`), "UnsupportedProperty"},
		"delegation":            {vnet(`"10.0.0.0/16"`, `{"name": "a", "properties": {"addressPrefix": "10.0.0.0/24", "delegations": [{"name": "x"}]}}`), "UnsupportedProperty"},
		"bare delegation":       {vnet(`"10.0.0.0/16"`, `{"name": "a", "properties": {"addressPrefix": "10.0.0.0/24", "delegations": [{}]}}`), "UnsupportedProperty"},
		"as terraform sends it": {vnet(`"10.0.0.0/16"`, `{"name": "a", "properties": {"addressPrefixes": ["10.0.0.0/24"], "defaultOutboundAccess": true, "delegations": [], "serviceEndpoints": [], "privateEndpointNetworkPolicies": "disabled", "privateLinkServiceNetworkPolicies": "ENABLED"}}`), ""},
		"unknown policy":        {vnet(`"10.0.0.0/16"`, `{"name": "a", "properties": {"addressPrefix": "10.0.0.0/24", "privateEndpointNetworkPolicies": "Maybe"}}`), "InvalidParameter"},
		"missing group":         {vnet(`"10.0.0.0/16"`, `{"name": "a", "properties": {"addressPrefix": "10.0.0.0/24", "networkSecurityGroup": {"id": "`+nsgID.String()+`"}}}`), "InvalidResourceReference"},
		"bad name server":       {`{"properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}, "dhcpOptions": {"dnsServers": ["x"]}}}`, "InvalidIPAddressFormat"},
		"route table":           {vnet(`"10.0.0.0/16"`, `{"name": "a", "properties": {"addressPrefix": "10.0.0.0/24", "routeTable": {"id": "/x"}}}`), "UnsupportedProperty"},
		"peering":               {`{"properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}, "virtualNetworkPeerings": [{"name": "x"}]}}`, "UnsupportedProperty"},
		"protection":            {`{"properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}, "enableDdosProtection": true}}`, "UnsupportedProperty"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := newCloud(t).Do(armtest.Request{Method: "PUT", ID: vnetID, Body: tt.body})
			armtest.WantError(t, err, tt.code)
		})
	}
}

// sn1 has an interface in it, sn2 has none.
func TestVNetChanges(t *testing.T) {
	tests := map[string]struct{ body, code string }{
		"without subnets":       {`{"properties": {"addressSpace": {"addressPrefixes": ["10.1.0.0/16"]}}}`, ""},
		"subnets null":          {`{"properties": {"addressSpace": {"addressPrefixes": ["10.1.0.0/16"]}, "subnets": null}}`, ""},
		"more space":            {vnet(`"10.1.0.0/16", "10.2.0.0/16"`, subnet("sn1", "10.1.1.0/24")), ""},
		"less space":            {`{"properties": {"addressSpace": {"addressPrefixes": ["10.2.0.0/16"]}}}`, "NetcfgInvalidSubnet"},
		"no subnets":            {vnet(`"10.1.0.0/16"`), "InUseSubnetCannotBeDeleted"},
		"used subnet moves":     {vnet(`"10.1.0.0/16"`, subnet("sn1", "10.1.7.0/24")), "InUsePrefixCannotBeDeleted"},
		"used subnet grows":     {vnet(`"10.1.0.0/16"`, subnet("sn1", "10.1.0.0/23")), "InUsePrefixCannotBeDeleted"},
		"unused subnet goes":    {vnet(`"10.1.0.0/16"`, subnet("sn1", "10.1.1.0/24")), ""},
		"unused subnet moves":   {vnet(`"10.1.0.0/16"`, subnet("sn1", "10.1.1.0/24"), subnet("sn2", "10.1.9.0/24")), ""},
		"name in other letters": {vnet(`"10.1.0.0/16"`, subnet("SN1", "10.1.1.0/24")), ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := furnished(t)
			c.Put(subnetID("sn2"), subnet("sn2", "10.1.2.0/24"))
			_, err := c.Do(armtest.Request{Method: "PUT", ID: vnetID, Body: tt.body})
			armtest.WantError(t, err, tt.code)
		})
	}
}

func TestSubnetRules(t *testing.T) {
	c := furnished(t)
	tests := map[string]struct {
		req  armtest.Request
		code string
	}{
		"in no network": {armtest.Request{Method: "PUT", ID: armtest.ID(VNetType+"/none").Child("subnets", "a"), Body: subnet("a", "10.1.3.0/24")}, "ParentResourceNotFound"},
		"overlapping":   {armtest.Request{Method: "PUT", ID: subnetID("a"), Body: subnet("a", "10.1.1.0/25")}, "NetcfgSubnetRangesOverlap"},
		"used moves":    {armtest.Request{Method: "PUT", ID: subnetID("sn1"), Body: subnet("sn1", "10.1.3.0/24")}, "InUsePrefixCannotBeDeleted"},
		"not JSON":      {armtest.Request{Method: "PUT", ID: subnetID("a"), Body: `{`}, "InvalidRequestContent"},
		"get none":      {armtest.Request{Method: "GET", ID: subnetID("x")}, "NotFound"},
		"name is fixed": {armtest.Request{Method: "PUT", ID: subnetID("SN1"), Body: subnet("other", "10.1.1.0/24")}, ""},
		"with a group":  {armtest.Request{Method: "PUT", ID: subnetID("sn1"), Body: `{"properties": {"addressPrefix": "10.1.1.0/24", "networkSecurityGroup": {"id": "` + nsgID.String() + `"}}}`}, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := c.Do(tt.req)
			armtest.WantError(t, err, tt.code)
		})
	}
	if got := len(c.List(SubnetType, vnetID)); got != 1 {
		t.Errorf("the network has %d subnets, want 1", got)
	}
}

// Children are listed in pages, in the order of their names.
func TestSubnetPages(t *testing.T) {
	c := furnished(t)
	for i, name := range []string{"b", "A", "c"} {
		c.Put(subnetID(name), subnet(name, fmt.Sprintf("10.1.%d.0/24", i+10)))
	}
	o, err := VNets.Get(t.Context(), c.Store, vnetID)
	if err != nil {
		t.Fatal(err)
	}
	for limit, want := range map[int][]string{1: {"A", "b", "c", "sn1"}, 3: {"A b c", "sn1"}, 4: {"A b c sn1"}, 9: {"A b c sn1"}} {
		var pages []string
		for after, more := "", true; more; more = after != "" {
			items, next, err := subnetProvider().List(t.Context(), &arm.Call{Store: c.Store}, o.ID, after, limit)
			if err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, i := range items {
				names = append(names, i.(subnetBody).Name)
			}
			pages, after = append(pages, strings.Join(names, " ")), next
		}
		if diff := cmp.Diff(want, pages); diff != "" {
			t.Errorf("by %d: -want +got:\n%s", limit, diff)
		}
	}
}
