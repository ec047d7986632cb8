package api_test

import (
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v11"
)

// furnish makes one of everything that there is of networks: net with sn, nsg
// with the rule ssh, pip, and nic1 with both.
func (c *cloud) furnish() *cloud {
	c.furnished()
	c.want(201, "PUT", c.network("networkSecurityGroups/nsg"), `{"location":"local","properties":{"securityRules":[{"name":"ssh","properties":{
		"priority":100,"direction":"Inbound","access":"Allow","protocol":"Tcp","sourceAddressPrefix":"*","sourcePortRange":"*","destinationAddressPrefix":"*","destinationPortRange":"22"}}]}}`)
	c.want(201, "PUT", c.network("publicIPAddresses/pip"), `{"location":"local","sku":{"name":"Standard"},"properties":{"publicIPAllocationMethod":"Static"}}`)
	c.want(200, "PUT", c.network("networkInterfaces/nic1"), c.nicBody().with(
		"properties.networkSecurityGroup.id", c.network("networkSecurityGroups/nsg"),
		"properties.ipConfigurations.0.properties.publicIPAddress.id", c.network("publicIPAddresses/pip")).String())
	return c
}

// Each thing of networks is read by its name, with what refers to it, and gets
// other tags.
func TestNetworksAreRead(t *testing.T) {
	s := newCloud(t).furnish().sdk()
	ctx, n := t.Context(), s.network
	ip := s.cloud.network("networkInterfaces/nic1/ipConfigurations/ip")
	if got := must(n.NewPublicIPAddressesClient().Get(ctx, "rg", "pip", nil))(t); *got.Properties.IPConfiguration.ID != ip {
		t.Errorf("the address is that of %s, want %s", *got.Properties.IPConfiguration.ID, ip)
	}
	if got := must(n.NewSubnetsClient().Get(ctx, "rg", "net", "sn", nil))(t); *got.Properties.AddressPrefix != "10.0.0.0/24" {
		t.Errorf("the subnet is %s", *got.Properties.AddressPrefix)
	}
	if got := must(n.NewVirtualNetworksClient().Get(ctx, "rg", "net", nil))(t); len(got.Properties.Subnets) != 1 {
		t.Errorf("the network has %d subnets, want 1", len(got.Properties.Subnets))
	}
	if got := must(n.NewSecurityGroupsClient().Get(ctx, "rg", "nsg", nil))(t); len(got.Properties.SecurityRules) != 1 || len(got.Properties.NetworkInterfaces) != 1 {
		t.Errorf("the security group has %d rules and is on %d interfaces, want 1 and 1", len(got.Properties.SecurityRules), len(got.Properties.NetworkInterfaces))
	}
	if got := must(n.NewSecurityRulesClient().Get(ctx, "rg", "nsg", "ssh", nil))(t); *got.Properties.DestinationPortRange != "22" {
		t.Errorf("the rule is for port %s", *got.Properties.DestinationPortRange)
	}
	if got := must(n.NewInterfacesClient().Get(ctx, "rg", "nic1", nil))(t); *got.Properties.IPConfigurations[0].ID != ip {
		t.Errorf("the interface has the configuration %s, want %s", *got.Properties.IPConfigurations[0].ID, ip)
	}
	wantListed(t, 1, map[string]int{
		"security groups": listed(t, n.NewSecurityGroupsClient().NewListPager("rg", nil)),
		"addresses":       listed(t, n.NewPublicIPAddressesClient().NewListPager("rg", nil)),
	})
	wantListed(t, 3, map[string]int{"interfaces": listed(t, n.NewInterfacesClient().NewListPager("rg", nil))})
	networksAreTagged(t, s)
	s.empty()
}

func networksAreTagged(t *testing.T, s *sdk) {
	t.Helper()
	ctx, n, object := t.Context(), s.network, armnetwork.TagsObject{Tags: tags}
	for what, got := range map[string]map[string]*string{
		"address":        must(n.NewPublicIPAddressesClient().UpdateTags(ctx, "rg", "pip", object, nil))(t).Tags,
		"security group": must(n.NewSecurityGroupsClient().UpdateTags(ctx, "rg", "nsg", object, nil))(t).Tags,
		"network":        must(n.NewVirtualNetworksClient().UpdateTags(ctx, "rg", "net", object, nil))(t).Tags,
	} {
		if len(got) != 1 || *got["a"] != "b" {
			t.Errorf("the %s has the tags %v", what, got)
		}
	}
}
