package api_test

import (
	"errors"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/storage/armstorage/v3"
)

// A machine names an account for its boot log, as templates do, and its log is
// had without one.
func TestStorageAccount(t *testing.T) {
	c := newCloud(t).furnished()
	clients := must(armstorage.NewClientFactory(c.SubscriptionID, c.credential(c.TenantID, c.ClientSecret), c.options()))(t)
	ctx, accounts := t.Context(), clients.NewAccountsClient()
	name := &armstorage.AccountCheckNameAvailabilityParameters{Name: ptr("bootdiags1"), Type: ptr("Microsoft.Storage/storageAccounts")}
	if got := must(accounts.CheckNameAvailability(ctx, *name, nil))(t); !*got.NameAvailable {
		t.Errorf("the name is not free: %+v", got)
	}
	made := finish(accounts.BeginCreate(ctx, "rg", "bootdiags1", armstorage.AccountCreateParameters{
		Location: ptr("local"), Kind: ptr(armstorage.KindStorageV2), SKU: &armstorage.SKU{Name: ptr(armstorage.SKUNameStandardLRS)},
		Properties: &armstorage.AccountPropertiesCreateParameters{MinimumTLSVersion: ptr(armstorage.MinimumTLSVersionTLS12)},
	}, nil))(t)
	if got := must(accounts.CheckNameAvailability(ctx, *name, nil))(t); *got.NameAvailable || *got.Reason != armstorage.ReasonAlreadyExists {
		t.Errorf("the name is free: %+v", got)
	}
	uri := *made.Properties.PrimaryEndpoints.Blob
	c.done("PUT", c.compute("virtualMachines/vm"), c.vmBody("nic1").with("properties.diagnosticsProfile.bootDiagnostics", map[string]any{"enabled": true, "storageUri": uri}).String())
	if got := c.want(200, "GET", c.compute("virtualMachines/vm"), "").get("properties.diagnosticsProfile.bootDiagnostics.storageUri"); got != uri {
		t.Errorf("the machine's account is %v, want %s", got, uri)
	}
	if log := c.want(200, "POST", c.compute("virtualMachines/vm/retrieveBootDiagnosticsData"), "").get("serialConsoleLogBlobUri"); log == nil {
		t.Error("there is no boot log")
	}
	_, err := accounts.ListKeys(ctx, "rg", "bootdiags1", nil)
	if re, ok := errors.AsType[*azcore.ResponseError](err); !ok || re.StatusCode != 409 || re.ErrorCode != "OperationNotAllowed" {
		t.Errorf("its keys: %v", err)
	}
	must(accounts.Update(ctx, "rg", "bootdiags1", armstorage.AccountUpdateParameters{Tags: map[string]*string{"a": ptr("b")}}, nil))(t)
	in := all(t, accounts.NewListByResourceGroupPager("rg", nil), func(p armstorage.AccountsClientListByResourceGroupResponse) []*armstorage.Account { return p.Value })
	everywhere := all(t, accounts.NewListPager(nil), func(p armstorage.AccountsClientListResponse) []*armstorage.Account { return p.Value })
	if len(in) != 1 || len(everywhere) != 1 || *in[0].Tags["a"] != "b" {
		t.Errorf("listed %d and %d, want 1 and 1", len(in), len(everywhere))
	}
	must(accounts.Delete(ctx, "rg", "bootdiags1", nil))(t)
	c.empty()
}
