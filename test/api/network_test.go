package api_test

import (
	"slices"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v11"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources/v4"
)

func TestNetworks(t *testing.T) {
	s := newCloud(t).sdk()
	ctx := t.Context()
	must(s.resources.NewResourceGroupsClient().CreateOrUpdate(ctx, "rg", armresources.ResourceGroup{Location: ptr("local")}, nil))(t)

	nsgs, rules := s.network.NewSecurityGroupsClient(), s.network.NewSecurityRulesClient()
	nsg := finish(nsgs.BeginCreateOrUpdate(ctx, "rg", "nsg", armnetwork.SecurityGroup{Location: ptr("local")}, nil))(t)
	if len(nsg.Properties.DefaultSecurityRules) != 6 {
		t.Errorf("the group has %d default rules, want Azure's 6", len(nsg.Properties.DefaultSecurityRules))
	}
	finish(rules.BeginCreateOrUpdate(ctx, "rg", "nsg", "ssh", armnetwork.SecurityRule{Properties: &armnetwork.SecurityRulePropertiesFormat{
		Access: ptr(armnetwork.SecurityRuleAccessAllow), Direction: ptr(armnetwork.SecurityRuleDirectionInbound), Priority: ptr[int32](100),
		Protocol: ptr(armnetwork.SecurityRuleProtocolTCP), SourceAddressPrefix: ptr("*"), SourcePortRange: ptr("*"),
		DestinationAddressPrefix: ptr("*"), DestinationPortRange: ptr("22"),
	}}, nil))(t)
	if got := must(rules.Get(ctx, "rg", "nsg", "SSH", nil))(t); *got.Name != "ssh" || *got.Properties.Priority != 100 {
		t.Errorf("rule = %s %d", *got.Name, *got.Properties.Priority)
	}

	vnets, subnets := s.network.NewVirtualNetworksClient(), s.network.NewSubnetsClient()
	finish(vnets.BeginCreateOrUpdate(ctx, "rg", "net", armnetwork.VirtualNetwork{Location: ptr("local"), Properties: &armnetwork.VirtualNetworkPropertiesFormat{
		AddressSpace: &armnetwork.AddressSpace{AddressPrefixes: []*string{ptr("10.0.0.0/16")}},
	}}, nil))(t)
	subnet := finish(subnets.BeginCreateOrUpdate(ctx, "rg", "net", "sn", armnetwork.Subnet{Properties: &armnetwork.SubnetPropertiesFormat{
		AddressPrefix: ptr("10.0.1.0/24"), NetworkSecurityGroup: &armnetwork.SecurityGroup{ID: nsg.ID},
	}}, nil))(t)
	pip := finish(s.network.NewPublicIPAddressesClient().BeginCreateOrUpdate(ctx, "rg", "pip", armnetwork.PublicIPAddress{
		Location: ptr("local"), SKU: &armnetwork.PublicIPAddressSKU{Name: ptr(armnetwork.PublicIPAddressSKUNameStandard)},
		Properties: &armnetwork.PublicIPAddressPropertiesFormat{
			PublicIPAllocationMethod: ptr(armnetwork.IPAllocationMethodStatic),
			DNSSettings:              &armnetwork.PublicIPAddressDNSSettings{DomainNameLabel: ptr("web")},
		},
	}, nil))(t)
	if got := *pip.Properties.DNSSettings.Fqdn; got != "web.local.lazuli.internal" {
		t.Errorf("the address's name = %s", got)
	}
	nic := finish(s.network.NewInterfacesClient().BeginCreateOrUpdate(ctx, "rg", "nic", armnetwork.Interface{Location: ptr("local"), Properties: &armnetwork.InterfacePropertiesFormat{
		NetworkSecurityGroup: &armnetwork.SecurityGroup{ID: nsg.ID},
		IPConfigurations: []*armnetwork.InterfaceIPConfiguration{{Name: ptr("ip"), Properties: &armnetwork.InterfaceIPConfigurationPropertiesFormat{
			Subnet: &armnetwork.Subnet{ID: subnet.ID}, PublicIPAddress: &armnetwork.PublicIPAddress{ID: pip.ID},
		}}},
	}}, nil))(t)
	if got := *nic.Properties.IPConfigurations[0].Properties.PrivateIPAddress; got != "10.0.1.4" {
		t.Errorf("the interface's address = %s, want the first free one", got)
	}
	lists(t, s)
	availability(t, s)
	removeNetworks(t, s)
}

// lists: every list of networks names what there is.
func lists(t *testing.T, s *sdk) {
	t.Helper()
	n := s.network
	counts := map[string]int{
		"networks in the group": len(all(t, n.NewVirtualNetworksClient().NewListPager("rg", nil), func(p armnetwork.VirtualNetworksClientListResponse) []*armnetwork.VirtualNetwork { return p.Value })),
		"networks":              len(all(t, n.NewVirtualNetworksClient().NewListAllPager(nil), func(p armnetwork.VirtualNetworksClientListAllResponse) []*armnetwork.VirtualNetwork { return p.Value })),
		"subnets":               len(all(t, n.NewSubnetsClient().NewListPager("rg", "net", nil), func(p armnetwork.SubnetsClientListResponse) []*armnetwork.Subnet { return p.Value })),
		"security groups":       len(all(t, n.NewSecurityGroupsClient().NewListAllPager(nil), func(p armnetwork.SecurityGroupsClientListAllResponse) []*armnetwork.SecurityGroup { return p.Value })),
		"rules":                 len(all(t, n.NewSecurityRulesClient().NewListPager("rg", "nsg", nil), func(p armnetwork.SecurityRulesClientListResponse) []*armnetwork.SecurityRule { return p.Value })),
		"interfaces":            len(all(t, n.NewInterfacesClient().NewListAllPager(nil), func(p armnetwork.InterfacesClientListAllResponse) []*armnetwork.Interface { return p.Value })),
		"addresses": len(all(t, n.NewPublicIPAddressesClient().NewListAllPager(nil), func(p armnetwork.PublicIPAddressesClientListAllResponse) []*armnetwork.PublicIPAddress {
			return p.Value
		})),
	}
	for what, n := range counts {
		if n != 1 {
			t.Errorf("%s: %d are listed, want 1", what, n)
		}
	}
	tagged := must(n.NewInterfacesClient().UpdateTags(t.Context(), "rg", "nic", armnetwork.TagsObject{Tags: map[string]*string{"a": ptr("b")}}, nil))(t)
	if *tagged.Tags["a"] != "b" || len(tagged.Properties.IPConfigurations) != 1 {
		t.Errorf("after the tags, tags = %v and %d addresses", tagged.Tags, len(tagged.Properties.IPConfigurations))
	}
}

// availability: what is taken is said to be, with others to take.
func availability(t *testing.T, s *sdk) {
	t.Helper()
	vnets := s.network.NewVirtualNetworksClient()
	for address, free := range map[string]bool{"10.0.1.4": false, "10.0.1.5": true, "10.0.1.1": false} {
		got := must(vnets.CheckIPAddressAvailability(t.Context(), "rg", "net", address, nil))(t)
		if *got.Available != free || !free && !slices.ContainsFunc(got.AvailableIPAddresses, func(a *string) bool { return *a == "10.0.1.5" }) {
			t.Errorf("%s is available = %t, others %d; want %t", address, *got.Available, len(got.AvailableIPAddresses), free)
		}
	}
	client, err := armnetwork.NewManagementClient(s.SubscriptionID, s.credential(s.TenantID, s.ClientSecret), s.options())
	if err != nil {
		t.Fatal(err)
	}
	for label, free := range map[string]bool{"web": false, "other": true} {
		if got := must(client.CheckDNSNameAvailability(t.Context(), "local", label, nil))(t); *got.Available != free {
			t.Errorf("the name %s is available = %t, want %t", label, *got.Available, free)
		}
	}
}

// removeNetworks: what is used stays, and goes once it is not.
func removeNetworks(t *testing.T, s *sdk) {
	t.Helper()
	for path, code := range map[string]string{
		"virtualNetworks/net/subnets/sn": "InUseSubnetCannotBeDeleted",
		"virtualNetworks/net":            "InUseSubnetCannotBeDeleted",
		"publicIPAddresses/pip":          "PublicIPAddressCannotBeDeleted",
		"networkSecurityGroups/nsg":      "InUseNetworkSecurityGroupCannotBeDeleted",
	} {
		s.refused(400, code, "DELETE", s.cloud.network(path), "")
	}
	ctx := t.Context()
	finish(s.network.NewInterfacesClient().BeginDelete(ctx, "rg", "nic", nil))(t)
	finish(s.network.NewSubnetsClient().BeginDelete(ctx, "rg", "net", "sn", nil))(t)
	finish(s.network.NewSecurityRulesClient().BeginDelete(ctx, "rg", "nsg", "ssh", nil))(t)
	finish(s.network.NewSecurityGroupsClient().BeginDelete(ctx, "rg", "nsg", nil))(t)
	finish(s.network.NewPublicIPAddressesClient().BeginDelete(ctx, "rg", "pip", nil))(t)
	finish(s.network.NewVirtualNetworksClient().BeginDelete(ctx, "rg", "net", nil))(t)
	s.empty()
}
