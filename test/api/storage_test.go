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

// quickstart is how templates of Azure's quickstarts make a machine with an
// account for its boot log and a set that it is in.
const quickstart = `{
	"$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#", "contentVersion": "1.0.0.0",
	"parameters": {"adminPassword": {"type": "securestring"}, "location": {"type": "string", "defaultValue": "[resourceGroup().location]"}},
	"variables": {"account": "[concat('bootdiags', uniqueString(resourceGroup().id))]"},
	"resources": [
		{"type": "Microsoft.Storage/storageAccounts", "apiVersion": "2022-09-01", "name": "[variables('account')]", "location": "[parameters('location')]",
			"sku": {"name": "Standard_LRS"}, "kind": "Storage"},
		{"type": "Microsoft.Compute/availabilitySets", "apiVersion": "2022-11-01", "name": "set", "location": "[parameters('location')]",
			"sku": {"name": "Aligned"}, "properties": {"platformFaultDomainCount": 2, "platformUpdateDomainCount": 2}},
		{"type": "Microsoft.Compute/virtualMachines", "apiVersion": "2022-11-01", "name": "vm", "location": "[parameters('location')]",
			"dependsOn": ["[resourceId('Microsoft.Storage/storageAccounts', variables('account'))]", "[resourceId('Microsoft.Compute/availabilitySets', 'set')]"],
			"properties": {
				"availabilitySet": {"id": "[resourceId('Microsoft.Compute/availabilitySets', 'set')]"},
				"hardwareProfile": {"vmSize": "Standard_B1s"},
				"osProfile": {"computerName": "vm", "adminUsername": "azureuser", "adminPassword": "[parameters('adminPassword')]"},
				"storageProfile": {"imageReference": {"publisher": "Debian", "offer": "debian-12", "sku": "12", "version": "latest"},
					"osDisk": {"createOption": "FromImage", "managedDisk": {"storageAccountType": "StandardSSD_LRS"}}},
				"networkProfile": {"networkInterfaces": [{"id": "[resourceId('Microsoft.Network/networkInterfaces', 'nic1')]"}]},
				"diagnosticsProfile": {"bootDiagnostics": {"enabled": true,
					"storageUri": "[reference(resourceId('Microsoft.Storage/storageAccounts', variables('account'))).primaryEndpoints.blob]"}}}}],
	"outputs": {"blob": {"type": "string", "value": "[reference(variables('account')).primaryEndpoints.blob]"}}}`

func TestQuickstartWithAccountAndSet(t *testing.T) {
	c := newCloud(t).furnished()
	body := template(quickstart, `{"adminPassword": {"value": "Str0ng!Passw0rd"}}`)
	blob := c.deployed("Succeeded", c.deployment("first"), body).get("properties.outputs.blob.value")
	vm := c.want(200, "GET", c.compute("virtualMachines/vm"), "")
	if got := vm.get("properties.diagnosticsProfile.bootDiagnostics.storageUri"); got != blob || blob == nil {
		t.Errorf("the machine's account is %v, want %v", got, blob)
	}
	if got := c.want(200, "GET", c.compute("availabilitySets/set"), "").get("properties.virtualMachines.0.id"); got != vm.get("id") {
		t.Errorf("in the set is %v, want %v", got, vm.get("id"))
	}
	for name, change := range c.changes(c.deployment("again"), body) {
		if change != "NoChange" {
			t.Errorf("once more, %s is %s", name, change)
		}
	}
	c.deployed("Succeeded", c.deployment("again"), body)
	c.empty()
}
