package storage

import (
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/storage/armstorage/v3"

	"lazuli/internal/arm"
	"lazuli/internal/arm/armtest"
)

var (
	testConfig = Config{Locations: []string{"local"}, Domain: "cloud.example"}
	accountID  = armtest.ID("Microsoft.Storage/storageAccounts/bootdiags1")
)

// quickstart is how templates ask for an account.
const quickstart = `{"location": "local", "sku": {"name": "Standard_LRS"}, "kind": "Storage", "properties": {}}`

func newCloud(t testing.TB) *armtest.Cloud { return armtest.New(t, Types(testConfig)) }

func TestAccount(t *testing.T) {
	c := newCloud(t)
	res := c.Put(accountID, quickstart)
	if res.Operation != nil {
		t.Error("making one takes time")
	}
	armtest.FitsSDK(t, res.Body, &armstorage.Account{})
	for path, want := range map[string]any{
		"properties.primaryEndpoints.blob": "https://bootdiags1.blob.storage.cloud.example/",
		"properties.provisioningState":     "Succeeded",
		"properties.primaryLocation":       "local",
		"sku.tier":                         "Standard",
		"kind":                             "Storage",
	} {
		if got := armtest.At(t, res.Body, path); got != want {
			t.Errorf("%s = %v, want %v", path, got, want)
		}
	}
	c.Put(accountID, armtest.JSON(t, c.Get(accountID).Body)) // what is read can be sent back
	c.Patch(accountID, `{"tags": {"a": "b"}, "sku": {"name": "Premium_LRS"}}`)
	if got := armtest.At(t, c.Get(accountID).Body, "sku.tier"); got != "Premium" {
		t.Errorf("tier = %v", got)
	}
	if got := len(c.List(AccountType, accountID.Scope())); got != 1 {
		t.Errorf("listed %d, want 1", got)
	}
	c.Delete(accountID)
	c.Put(accountID, quickstart) // the name is free again
}

func TestSettingsAreKept(t *testing.T) {
	c := newCloud(t)
	c.Put(accountID, `{"location": "local", "sku": {"name": "standard_lrs"}, "kind": "storagev2", "identity": {"type": "None"}, "properties": {
		"supportsHttpsTrafficOnly": true, "minimumTlsVersion": "TLS1_2", "allowBlobPublicAccess": false, "accessTier": "Hot",
		"networkAcls": {"bypass": "AzureServices", "defaultAction": "Allow"}, "encryption": {"keySource": "Microsoft.Storage", "services": {"blob": {"enabled": true}}}}}`)
	body := c.Get(accountID).Body
	armtest.FitsSDK(t, body, &armstorage.Account{})
	for path, want := range map[string]any{
		"sku.name": "Standard_LRS", "kind": "StorageV2", "properties.supportsHttpsTrafficOnly": true, "properties.minimumTlsVersion": "TLS1_2",
		"properties.allowBlobPublicAccess": false, "properties.networkAcls.defaultAction": "Allow", "properties.encryption.services.blob.enabled": true,
	} {
		if got := armtest.At(t, body, path); got != want {
			t.Errorf("%s = %v, want %v", path, got, want)
		}
	}
}

func TestRefusedAccounts(t *testing.T) {
	with := func(old, new string) string { return strings.Replace(quickstart, old, new, 1) }
	tests := map[string]struct{ name, body, code string }{
		"good":             {"abc", quickstart, ""},
		"a short name":     {"ab", quickstart, "InvalidResourceName"},
		"a long name":      {strings.Repeat("a", 25), quickstart, "InvalidResourceName"},
		"capitals":         {"Abcd", quickstart, "InvalidResourceName"},
		"no SKU":           {"abc", with(`"sku": {"name": "Standard_LRS"}, `, ""), "InvalidParameter"},
		"another SKU":      {"abc", with("Standard_LRS", "Golden_LRS"), "InvalidParameter"},
		"no kind":          {"abc", with(`"kind": "Storage", `, ""), "InvalidParameter"},
		"another kind":     {"abc", with(`"kind": "Storage"`, `"kind": "Drawer"`), "InvalidParameter"},
		"elsewhere":        {"abc", with("local", "moon"), "LocationNotAvailableForResourceType"},
		"unknown property": {"abc", with(`"properties": {}`, `"properties": {"customDomain": {"name": "x"}}`), "UnsupportedProperty"},
		"an identity":      {"abc", with(`"kind"`, `"identity": {"type": "SystemAssigned"}, "kind"`), "InvalidParameter"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := newCloud(t)
			_, err := c.Do(armtest.Request{Method: "PUT", ID: armtest.ID(AccountType + "/" + tt.name), Body: tt.body})
			armtest.WantError(t, err, tt.code)
		})
	}
}

// A name is one account's in the whole cloud.
func TestNamesAreTakenOnce(t *testing.T) {
	c := newCloud(t)
	c.Put(accountID, quickstart)
	other := accountID
	other.ResourceGroup = "rg2"
	_, err := c.Do(armtest.Request{Method: "PUT", ID: other, Body: quickstart})
	armtest.WantError(t, err, "StorageAccountAlreadyTaken")
	tests := map[string]struct {
		body, reason, code string
	}{
		"free":         {`{"name": "another1", "type": "Microsoft.Storage/storageAccounts"}`, "", ""},
		"taken":        {`{"name": "bootdiags1"}`, "AlreadyExists", ""},
		"not a name":   {`{"name": "A"}`, "AccountNameInvalid", ""},
		"another type": {`{"name": "abc", "type": "Microsoft.Compute/disks"}`, "", "InvalidParameter"},
		"nothing":      {"", "", "InvalidRequestContent"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var res arm.Result
			err := c.Update(func(call *arm.Call) (err error) {
				call.Body = []byte(tt.body)
				res, err = Endpoints(testConfig)[0].Handle(t.Context(), call, nil)
				return err
			})
			armtest.WantError(t, err, tt.code)
			if tt.code != "" {
				return
			}
			armtest.FitsSDK(t, res.Body, &armstorage.CheckNameAvailabilityResult{})
			if got := res.Body.(nameAvailability); got.Reason != tt.reason || got.Available != (tt.reason == "") {
				t.Errorf("answer = %+v, want %q", got, tt.reason)
			}
		})
	}
}

func TestThereAreNoKeys(t *testing.T) {
	c := newCloud(t)
	c.Put(accountID, quickstart)
	for action := range Types(testConfig)[0].Actions {
		_, err := c.Do(armtest.Request{Method: "POST", ID: accountID, Action: action})
		armtest.WantError(t, err, "OperationNotAllowed")
		_, err = c.Do(armtest.Request{Method: "POST", ID: armtest.ID(AccountType + "/nothing"), Action: action})
		armtest.WantError(t, err, "ResourceNotFound")
	}
}
