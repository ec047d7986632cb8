package api_test

import (
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/storage/armstorage/v3"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/subscription/armsubscription"
)

func TestStorageAccountsByTheirClient(t *testing.T) {
	s := newCloud(t).furnished().sdk()
	ctx, accounts := t.Context(), s.storage.NewAccountsClient()
	free := func() bool {
		got := must(accounts.CheckNameAvailability(ctx, armstorage.AccountCheckNameAvailabilityParameters{Name: ptr("bootlogs"), Type: ptr("Microsoft.Storage/storageAccounts")}, nil))(t)
		return *got.NameAvailable
	}
	if !free() {
		t.Error("the name is taken by nobody")
	}
	finish(accounts.BeginCreate(ctx, "rg", "bootlogs", armstorage.AccountCreateParameters{
		Location: ptr("local"), Kind: ptr(armstorage.KindStorageV2), SKU: &armstorage.SKU{Name: ptr(armstorage.SKUNameStandardLRS)},
	}, nil))(t)
	must(accounts.Update(ctx, "rg", "bootlogs", armstorage.AccountUpdateParameters{Tags: tags}, nil))(t)
	if got := must(accounts.GetProperties(ctx, "rg", "bootlogs", nil))(t); *got.Tags["a"] != "b" || free() {
		t.Errorf("the account has the tags %v; its name is free: %t", got.Tags, free())
	}
	wantListed(t, 1, map[string]int{
		"in the group":        listed(t, accounts.NewListByResourceGroupPager("rg", nil)),
		"in the subscription": listed(t, accounts.NewListPager(nil)),
	})
	must(accounts.Delete(ctx, "rg", "bootlogs", nil))(t)
	s.empty()
}

// A subscription is made by an alias, named, disabled and enabled again.
func TestSubscriptionsByTheirClient(t *testing.T) {
	s := newCloud(t).sdk()
	ctx, aliases, client, subscriptions := t.Context(), s.accounts.NewAliasClient(), s.accounts.NewClient(), s.accounts.NewSubscriptionsClient()
	made := finish(aliases.BeginCreate(ctx, "two", armsubscription.PutAliasRequest{Properties: &armsubscription.PutAliasRequestProperties{
		DisplayName: ptr("Two"), Workload: ptr(armsubscription.WorkloadProduction), BillingScope: ptr("/billingAccounts/x"),
	}}, nil))(t)
	id := *made.Properties.SubscriptionID
	if got := must(aliases.Get(ctx, "two", nil))(t); *got.Properties.SubscriptionID != id {
		t.Errorf("the alias is of %s, want %s", *got.Properties.SubscriptionID, id)
	}
	if got := must(aliases.List(ctx, nil))(t); len(got.Value) != 1 {
		t.Errorf("there are %d aliases, want 1", len(got.Value))
	}
	must(client.Rename(ctx, id, armsubscription.Name{SubscriptionName: ptr("Zwei")}, nil))(t)
	must(client.Cancel(ctx, id, nil))(t)
	if got := must(subscriptions.Get(ctx, id, nil))(t); *got.DisplayName != "Zwei" || *got.State != armsubscription.SubscriptionStateDisabled {
		t.Errorf("the subscription %s is %s", *got.DisplayName, *got.State)
	}
	must(client.Enable(ctx, id, nil))(t)
	must(aliases.Delete(ctx, "two", nil))(t)
	wantListed(t, 2, map[string]int{"subscriptions": listed(t, subscriptions.NewListPager(nil))})
	wantListed(t, 1, map[string]int{
		"places":  listed(t, subscriptions.NewListLocationsPager(id, nil)),
		"tenants": listed(t, s.accounts.NewTenantsClient().NewListPager(nil)),
	})
}

// What was done is in the account of it.
func TestActivityByItsClient(t *testing.T) {
	s := newCloud(t).furnished().sdk()
	since := "eventTimestamp ge '" + time.Now().Add(-time.Hour).UTC().Format(time.RFC3339) + "' and resourceGroupName eq 'rg'"
	if n := listed(t, s.monitor.NewActivityLogsClient().NewListPager(since, nil)); n < 5 {
		t.Errorf("%d events are listed of the making of five things", n)
	}
	if listed(t, s.monitor.NewEventCategoriesClient().NewListPager(nil)) == 0 {
		t.Error("there are no kinds of events")
	}
	listed(t, s.monitor.NewTenantActivityLogsClient().NewListPager(nil))
}

// The place's lists of networks are read by their clients.
func TestNetworksOfThePlace(t *testing.T) {
	s := newCloud(t).furnished().sdk()
	if listed(t, s.network.NewUsagesClient().NewListPager("local", nil)) == 0 {
		t.Error("there are no limits")
	}
	if got := must(s.network.NewServiceTagsClient().List(t.Context(), "local", nil))(t); *got.Type != "Microsoft.Network/serviceTags" {
		t.Errorf("of service tags there is %s", *got.Type)
	}
}
