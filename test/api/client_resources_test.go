package api_test

import (
	"slices"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources/v4"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armsubscriptions/v2"
)

func TestResourceGroups(t *testing.T) {
	s := newCloud(t).sdk()
	ctx, groups := t.Context(), s.resources.NewResourceGroupsClient()
	exists := func() bool { return must(groups.CheckExistence(ctx, "rg", nil))(t).Success }
	if exists() {
		t.Error("there is a group that nobody made")
	}
	must(groups.CreateOrUpdate(ctx, "rg", armresources.ResourceGroup{Location: ptr("local")}, nil))(t)
	if !exists() {
		t.Error("the group that was made is not there")
	}
	must(groups.Update(ctx, "rg", armresources.ResourceGroupPatchable{Tags: tags}, nil))(t)
	if got := must(groups.Get(ctx, "RG", nil))(t); *got.Name != "rg" || *got.Tags["a"] != "b" || *got.Properties.ProvisioningState != "Succeeded" {
		t.Errorf("the group is %+v", got)
	}
	wantListed(t, 1, map[string]int{
		"groups":         listed(t, groups.NewListPager(nil)),
		"groups by tag":  listed(t, groups.NewListPager(&armresources.ResourceGroupsClientListOptions{Filter: ptr("tagName eq 'a' and tagValue eq 'b'")})),
		"first of them":  listed(t, groups.NewListPager(&armresources.ResourceGroupsClientListOptions{Top: ptr[int32](1)})),
		"no others also": 1 + listed(t, groups.NewListPager(&armresources.ResourceGroupsClientListOptions{Filter: ptr("tagName eq 'x'")})),
	})
	s.want(201, "PUT", s.cloud.network("publicIPAddresses/pip"), `{"location":"local"}`)
	exported := finish(groups.BeginExportTemplate(ctx, "rg", armresources.ExportTemplateRequest{Resources: []*string{ptr("*")}}, nil))(t)
	if resources, _ := exported.Template.(map[string]any)["resources"].([]any); len(resources) != 1 {
		t.Errorf("the template of the group is %v", exported.Template)
	}
	finish(groups.BeginDelete(ctx, "rg", nil))(t)
	if exists() {
		t.Error("the group is still there")
	}
}

// The client of any resource, by its id and by the parts of it, makes and
// changes what the clients of types do.
func TestAnyResource(t *testing.T) {
	s := newCloud(t).furnished().sdk()
	ctx, things, v := t.Context(), s.resources.NewClient(), version
	id := s.cloud.network("publicIPAddresses/byid")
	body := armresources.GenericResource{Location: ptr("local"), SKU: &armresources.SKU{Name: ptr("Standard")}, Properties: map[string]any{"publicIPAllocationMethod": "Static"}}
	made := finish(things.BeginCreateOrUpdateByID(ctx, id, v, body, nil))(t)
	if p, _ := made.Properties.(map[string]any); *made.ID != id || p["provisioningState"] != "Succeeded" {
		t.Errorf("made: %s with %v", *made.ID, made.Properties)
	}
	finish(things.BeginUpdateByID(ctx, id, v, armresources.GenericResource{Tags: tags}, nil))(t)
	if got := must(things.GetByID(ctx, id, v, nil))(t); *got.Tags["a"] != "b" || *got.SKU.Name != "Standard" {
		t.Errorf("by its id the address is %+v", got)
	}
	// This client has no way to say that a resource has no parent.
	const namespace, parent, kind = "Microsoft.Network", "virtualNetworks/net", "subnets"
	subnet := armresources.GenericResource{Properties: map[string]any{"addressPrefix": "10.0.1.0/24"}}
	finish(things.BeginCreateOrUpdate(ctx, "rg", namespace, parent, kind, "byparts", v, subnet, nil))(t)
	got := must(things.Get(ctx, "rg", namespace, parent, kind, "byparts", v, nil))(t)
	if p := got.Properties.(map[string]any); p["addressPrefix"] != "10.0.1.0/24" {
		t.Errorf("by its parts the subnet is %v", p)
	}
	exist := func(want bool) {
		t.Helper()
		byID := must(things.CheckExistenceByID(ctx, id, v, nil))(t).Success
		byParts := must(things.CheckExistence(ctx, "rg", namespace, parent, kind, "byparts", v, nil))(t).Success
		if byID != want || byParts != want {
			t.Errorf("the addresses exist: %t and %t, want %t", byID, byParts, want)
		}
	}
	exist(true)
	wantListed(t, 5, map[string]int{
		"in the group":        listed(t, things.NewListByResourceGroupPager("rg", nil)),
		"in the subscription": listed(t, things.NewListPager(nil)),
		"by pages":            listed(t, things.NewListPager(&armresources.ClientListOptions{Top: ptr[int32](2)})),
	})
	wantListed(t, 1, map[string]int{
		"of a type": listed(t, things.NewListPager(&armresources.ClientListOptions{Filter: ptr("resourceType eq 'Microsoft.Network/publicIPAddresses'"), Expand: ptr("provisioningState,createdTime")})),
		"by tag":    listed(t, things.NewListByResourceGroupPager("rg", &armresources.ClientListByResourceGroupOptions{Filter: ptr("tagName eq 'a' and tagValue eq 'b'")})),
	})
	finish(things.BeginDeleteByID(ctx, id, v, nil))(t)
	finish(things.BeginDelete(ctx, "rg", namespace, parent, kind, "byparts", v, nil))(t)
	exist(false)
	s.empty()
}

func TestProvidersByTheirClient(t *testing.T) {
	s := newCloud(t).sdk()
	ctx, providers := t.Context(), s.resources.NewProvidersClient()
	all := all(t, providers.NewListPager(nil), func(p armresources.ProvidersClientListResponse) []*armresources.Provider { return p.Value })
	for _, p := range all {
		got := must(providers.Get(ctx, *p.Namespace, nil))(t)
		if *got.RegistrationState != "Registered" || len(got.ResourceTypes) != len(p.ResourceTypes) || *got.ID != s.subscription("providers/"+*p.Namespace) {
			t.Errorf("%s is %s, with %d types", *got.ID, *got.RegistrationState, len(got.ResourceTypes))
		}
		if got := must(providers.Register(ctx, *p.Namespace, nil))(t); *got.RegistrationState != "Registered" {
			t.Errorf("once registered %s is %s", *p.Namespace, *got.RegistrationState)
		}
	}
	if !slices.ContainsFunc(all, func(p *armresources.Provider) bool { return *p.Namespace == "Microsoft.Compute" }) {
		t.Errorf("among the %d providers there is none of compute", len(all))
	}
	wantListed(t, len(all), map[string]int{"without a subscription": listed(t, providers.NewListAtTenantScopePager(nil))})
	if got := must(providers.GetAtTenantScope(ctx, "Microsoft.Compute", nil))(t); *got.Namespace != "Microsoft.Compute" {
		t.Errorf("without a subscription there is %s", *got.Namespace)
	}
	types := must(s.resources.NewProviderResourceTypesClient().List(ctx, "Microsoft.Compute", nil))(t)
	if !slices.ContainsFunc(types.Value, func(t *armresources.ProviderResourceType) bool { return *t.ResourceType == "virtualMachines" }) {
		t.Errorf("among the %d types of compute there are no machines", len(types.Value))
	}
}

// Tags are put on anything by its scope, and their names are kept beside.
func TestTagsByTheirClient(t *testing.T) {
	s := newCloud(t).furnished().sdk()
	ctx, client, net := t.Context(), s.resources.NewTagsClient(), s.cloud.network("virtualNetworks/net")
	on := func(name, value string) *armresources.Tags {
		return &armresources.Tags{Tags: map[string]*string{name: &value}}
	}
	finish(client.BeginCreateOrUpdateAtScope(ctx, net, armresources.TagsResource{Properties: on("a", "1")}, nil))(t)
	finish(client.BeginUpdateAtScope(ctx, net, armresources.TagsPatchResource{Operation: ptr(armresources.TagsPatchOperationMerge), Properties: on("b", "2")}, nil))(t)
	if got := must(client.GetAtScope(ctx, net, nil))(t).Properties.Tags; len(got) != 2 || *got["a"] != "1" || *got["b"] != "2" {
		t.Errorf("the network has the tags %v", got)
	}
	must(client.CreateOrUpdate(ctx, "c", nil))(t)
	must(client.CreateOrUpdateValue(ctx, "c", "3", nil))(t)
	wantListed(t, 3, map[string]int{"names": listed(t, client.NewListPager(nil))})
	must(client.DeleteValue(ctx, "c", "3", nil))(t)
	must(client.Delete(ctx, "c", nil))(t)
	finish(client.BeginDeleteAtScope(ctx, net, nil))(t)
	wantListed(t, 0, map[string]int{"names at the end": listed(t, client.NewListPager(nil))})
}

func TestSubscriptionsAreRead(t *testing.T) {
	s := newCloud(t).sdk()
	client := s.subscriptions.NewClient()
	if got := must(client.Get(t.Context(), s.SubscriptionID, nil))(t); *got.SubscriptionID != s.SubscriptionID || *got.State != armsubscriptions.SubscriptionStateEnabled {
		t.Errorf("the subscription is %s and %s", *got.SubscriptionID, *got.State)
	}
	wantListed(t, 1, map[string]int{
		"subscriptions": listed(t, client.NewListPager(nil)),
		"places":        listed(t, client.NewListLocationsPager(s.SubscriptionID, nil)),
		"tenants":       listed(t, s.subscriptions.NewTenantsClient().NewListPager(nil)),
	})
}
