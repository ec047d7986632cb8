package azurerm_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/hashicorp/go-azure-helpers/resourcemanager/commonids"
	"github.com/hashicorp/go-azure-sdk/resource-manager/network/2025-01-01/networkinterfaces"
	"github.com/hashicorp/go-azure-sdk/resource-manager/network/2025-01-01/networksecuritygroups"
	"github.com/hashicorp/go-azure-sdk/resource-manager/network/2025-01-01/publicipaddresses"
	"github.com/hashicorp/go-azure-sdk/resource-manager/network/2025-01-01/subnets"
	"github.com/hashicorp/go-azure-sdk/resource-manager/network/2025-01-01/virtualnetworks"
	"github.com/hashicorp/go-azure-sdk/resource-manager/resources/2022-09-01/providers"
	"github.com/hashicorp/go-azure-sdk/resource-manager/resources/2022-12-01/subscriptions"
	"github.com/hashicorp/go-azure-sdk/resource-manager/resources/2023-07-01/resourcegroups"
)

const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl someone"

// A configuration with one of each resource is applied, is planned to have
// nothing to do, and is destroyed, in azurerm's order.
func TestApplyPlanDestroy(t *testing.T) {
	p := configure(t)
	p.registers(t)
	group, pip := p.group(t), p.publicIP(t)
	network := []*resource{p.virtualNetwork(t), p.subnet(t), p.securityGroup(t), pip, p.networkInterface(t)}
	machines := []*resource{p.availabilitySet(t), p.sshKey(t), p.virtualMachine(t), p.disk(t), p.image(t)}
	others := []*resource{p.roleAssignment(t), p.lock(t), p.deployment(t)}
	all := append(append(append([]*resource{group}, network...), machines...), others...)
	for _, r := range all {
		r.create(t)
	}
	p.attach(t)
	p.reads(t)
	for i := len(all) - 1; i > 0; i-- {
		all[i].destroy(t)
		if all[i].name == "virtual_machine" {
			p.removesOSDisk(t)
		}
	}
	p.findsGroupEmpty(t)
	group.destroy(t)
}

// id is that of a resource in the group: "Microsoft.Network/virtualNetworks/net".
func (p *provider) id(rest string) string {
	return "/subscriptions/" + p.SubscriptionID + "/resourceGroups/rg/providers/" + rest
}

// in fills in what a text says in short: "ID:" before what is in the group, and
// "KEY".
func (p *provider) in(text string) string {
	return strings.NewReplacer("ID:", p.id(""), "KEY", key).Replace(text)
}

// registers does what comes before everything: azurerm looks which providers
// are registered, and registers those that it may need.
func (p *provider) registers(t *testing.T) {
	t.Helper()
	client, err := providers.NewProvidersClientWithBaseURI(p.api)
	p.use(client.Client, err)
	subscription, err := subscriptions.NewSubscriptionsClientWithBaseURI(p.api)
	p.use(subscription.Client, err)
	id := commonids.NewSubscriptionID(p.SubscriptionID)
	got, err := subscription.Get(p.ctx, id)
	if err != nil || *got.Model.State != subscriptions.SubscriptionStateEnabled {
		t.Fatalf("the subscription is %+v: %v", got.Model, err)
	}
	list, err := client.ListComplete(p.ctx, id, providers.DefaultListOperationOptions())
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range list.Items {
		if *x.RegistrationState != "Registered" {
			t.Errorf("%s is %s", *x.Namespace, *x.RegistrationState)
		}
	}
	if _, err := client.Register(p.ctx, providers.NewSubscriptionProviderID(p.SubscriptionID, "Microsoft.Compute"), providers.ProviderRegistrationRequest{}); err != nil {
		t.Error(err)
	}
}

func (p *provider) group(t *testing.T) *resource {
	c, err := resourcegroups.NewResourceGroupsClientWithBaseURI(p.api)
	p.use(c.Client, err)
	id, sent := commonids.NewResourceGroupID(p.SubscriptionID, "rg"), model[resourcegroups.ResourceGroup](t, `{"location":"local","tags":{"a":"b"}}`)
	return &resource{
		name: "resource_group", sent: sent,
		get:    func() (*http.Response, any, error) { r, err := c.Get(p.ctx, id); return r.HttpResponse, r.Model, err },
		put:    func() error { _, err := c.CreateOrUpdate(p.ctx, id, sent); return err },
		remove: func() error { return c.DeleteThenPoll(p.ctx, id, resourcegroups.DefaultDeleteOperationOptions()) },
	}
}

// findsGroupEmpty: azurerm deletes no group in which there is something.
func (p *provider) findsGroupEmpty(t *testing.T) {
	t.Helper()
	c, err := resourcegroups.NewResourceGroupsClientWithBaseURI(p.api)
	p.use(c.Client, err)
	top, expand := int64(10), "provisioningState"
	got, err := c.ResourcesListByResourceGroup(p.ctx, commonids.NewResourceGroupID(p.SubscriptionID, "rg"),
		resourcegroups.ResourcesListByResourceGroupOperationOptions{Expand: &expand, Top: &top})
	if err != nil || len(*got.Model) != 0 {
		t.Errorf("in the group there is %v: %v", tree(t, got.Model), err)
	}
}

func (p *provider) virtualNetwork(t *testing.T) *resource {
	c, err := virtualnetworks.NewVirtualNetworksClientWithBaseURI(p.api)
	p.use(c.Client, err)
	id := commonids.NewVirtualNetworkID(p.SubscriptionID, "rg", "net")
	sent := model[virtualnetworks.VirtualNetwork](t, `{"location":"local","properties":{"addressSpace":{"addressPrefixes":["10.0.0.0/16"]},"dhcpOptions":{"dnsServers":["1.1.1.1"]}}}`)
	return &resource{
		name: "virtual_network", sent: sent,
		get: func() (*http.Response, any, error) {
			r, err := c.Get(p.ctx, id, virtualnetworks.DefaultGetOperationOptions())
			return r.HttpResponse, r.Model, err
		},
		put:    func() error { return c.CreateOrUpdateThenPoll(p.ctx, id, sent) },
		remove: func() error { return c.DeleteThenPoll(p.ctx, id) },
	}
}

func (p *provider) subnet(t *testing.T) *resource {
	c, err := subnets.NewSubnetsClientWithBaseURI(p.api)
	p.use(c.Client, err)
	id := commonids.NewSubnetID(p.SubscriptionID, "rg", "net", "internal")
	sent := model[subnets.Subnet](t, `{"properties":{"addressPrefix":"10.0.2.0/24","privateEndpointNetworkPolicies":"Disabled","privateLinkServiceNetworkPolicies":"Enabled","defaultOutboundAccess":true}}`)
	return &resource{
		name: "subnet", sent: sent,
		get: func() (*http.Response, any, error) {
			r, err := c.Get(p.ctx, id, subnets.DefaultGetOperationOptions())
			return r.HttpResponse, r.Model, err
		},
		put:    func() error { return c.CreateOrUpdateThenPoll(p.ctx, id, sent) },
		remove: func() error { return c.DeleteThenPoll(p.ctx, id) },
	}
}

func (p *provider) securityGroup(t *testing.T) *resource {
	c, err := networksecuritygroups.NewNetworkSecurityGroupsClientWithBaseURI(p.api)
	p.use(c.Client, err)
	id := networksecuritygroups.NewNetworkSecurityGroupID(p.SubscriptionID, "rg", "nsg")
	sent := model[networksecuritygroups.NetworkSecurityGroup](t, `{"location":"local","properties":{"securityRules":[{"name":"ssh","properties":{"priority":100,"direction":"Inbound","access":"Allow",
		"protocol":"Tcp","sourceAddressPrefix":"*","sourcePortRange":"*","destinationAddressPrefix":"*","destinationPortRange":"22"}}]}}`)
	return &resource{
		name: "network_security_group", sent: sent,
		get: func() (*http.Response, any, error) {
			r, err := c.Get(p.ctx, id, networksecuritygroups.DefaultGetOperationOptions())
			return r.HttpResponse, r.Model, err
		},
		put:    func() error { return c.CreateOrUpdateThenPoll(p.ctx, id, sent) },
		remove: func() error { return c.DeleteThenPoll(p.ctx, id) },
	}
}

func (p *provider) publicIP(t *testing.T) *resource {
	c, err := publicipaddresses.NewPublicIPAddressesClientWithBaseURI(p.api)
	p.use(c.Client, err)
	id := commonids.NewPublicIPAddressID(p.SubscriptionID, "rg", "pip")
	sent := model[publicipaddresses.PublicIPAddress](t, `{"location":"local","sku":{"name":"Standard","tier":"Regional"},"properties":{
		"publicIPAllocationMethod":"Static","publicIPAddressVersion":"IPv4","idleTimeoutInMinutes":4,"ddosSettings":{"protectionMode":"VirtualNetworkInherited"}}}`)
	return &resource{
		name: "public_ip", sent: sent,
		get: func() (*http.Response, any, error) {
			r, err := c.Get(p.ctx, id, publicipaddresses.DefaultGetOperationOptions())
			return r.HttpResponse, r.Model, err
		},
		put:    func() error { return c.CreateOrUpdateThenPoll(p.ctx, id, sent) },
		remove: func() error { return c.DeleteThenPoll(p.ctx, id) },
	}
}

func (p *provider) networkInterface(t *testing.T) *resource {
	c, err := networkinterfaces.NewNetworkInterfacesClientWithBaseURI(p.api)
	p.use(c.Client, err)
	id := commonids.NewNetworkInterfaceID(p.SubscriptionID, "rg", "nic")
	sent := model[networkinterfaces.NetworkInterface](t, p.in(`{"location":"local","properties":{"enableAcceleratedNetworking":false,"enableIPForwarding":false,
		"networkSecurityGroup":{"id":"ID:Microsoft.Network/networkSecurityGroups/nsg"},
		"ipConfigurations":[{"name":"internal","properties":{"primary":true,"privateIPAddressVersion":"IPv4","privateIPAllocationMethod":"Dynamic",
		"subnet":{"id":"ID:Microsoft.Network/virtualNetworks/net/subnets/internal"},"publicIPAddress":{"id":"ID:Microsoft.Network/publicIPAddresses/pip"}}}]}}`))
	return &resource{
		name: "network_interface", sent: sent,
		get: func() (*http.Response, any, error) {
			r, err := c.Get(p.ctx, id, networkinterfaces.DefaultGetOperationOptions())
			return r.HttpResponse, r.Model, err
		},
		put:    func() error { return c.CreateOrUpdateThenPoll(p.ctx, id, sent) },
		remove: func() error { return c.DeleteThenPoll(p.ctx, id) },
	}
}
