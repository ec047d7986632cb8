package api_test

import (
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/subscription/armsubscription"
)

// names of the subscriptions that the cloud shows, with their states.
func (c *cloud) subscriptions() string {
	c.t.Helper()
	var all []string
	for _, s := range c.want(200, "GET", "/subscriptions", "").get("value").([]any) {
		all = append(all, at(s, "displayName").(string)+" "+at(s, "state").(string))
	}
	return strings.Join(all, ", ")
}

func TestSubscriptions(t *testing.T) {
	c := newCloud(t)
	const alias = "/providers/Microsoft.Subscription/aliases/second"
	body := `{"properties":{"displayName":"Second","workload":"Production","billingScope":"/billingAccounts/x"}}`
	id, _ := c.want(201, "PUT", alias, body).get("properties.subscriptionId").(string)
	if again := c.want(200, "PUT", alias, body).get("properties.subscriptionId"); again != id {
		t.Errorf("the same alias again makes %v, want %s", again, id)
	}
	if got := c.want(200, "GET", alias, "").get("properties.provisioningState"); got != "Succeeded" {
		t.Errorf("the alias is %v", got)
	}
	if l, _ := c.want(200, "GET", "/providers/Microsoft.Subscription/aliases", "").get("value").([]any); len(l) != 1 {
		t.Errorf("aliases = %v", l)
	}
	second := "/subscriptions/" + id
	c.want(201, "PUT", second+"/resourceGroups/rg", `{"location":"local"}`)
	c.refused(404, "ResourceGroupNotFound", "GET", c.group("rg"), "")
	c.want(200, "POST", second+"/providers/Microsoft.Subscription/rename", `{"subscriptionName":"Zweites"}`)
	c.want(200, "POST", second+"/providers/Microsoft.Subscription/cancel", "")
	if got := c.subscriptions(); !strings.Contains(got, "Lazuli Enabled") || !strings.Contains(got, "Zweites Disabled") {
		t.Errorf("subscriptions = %s", got)
	}
	c.want(200, "GET", second+"/resourceGroups/rg", "")
	c.refused(409, "ReadOnlyDisabledSubscription", "PUT", second+"/resourceGroups/rg", `{"location":"local","tags":{"a":"b"}}`)
	c.refused(409, "ReadOnlyDisabledSubscription", "PATCH", second+"/resourceGroups/rg", `{"tags":{"a":"b"}}`)
	c.done("DELETE", second+"/resourceGroups/rg", "")
	c.want(200, "POST", second+"/providers/Microsoft.Subscription/enable", "")
	c.want(201, "PUT", second+"/resourceGroups/rg", `{"location":"local"}`)
	c.want(200, "DELETE", alias, "")
	c.refused(404, "NotFound", "GET", alias, "")
	c.want(200, "GET", second, "")
}

func TestSubscriptionsOfTheSDK(t *testing.T) {
	c := newCloud(t)
	f, err := armsubscription.NewClientFactory(c.credential(c.TenantID, c.ClientSecret), c.options())
	if err != nil {
		t.Fatal(err)
	}
	p, err := f.NewAliasClient().BeginCreate(t.Context(), "dev", armsubscription.PutAliasRequest{Properties: &armsubscription.PutAliasRequestProperties{
		DisplayName: to.Ptr("Dev"), Workload: to.Ptr(armsubscription.WorkloadDevTest), BillingScope: to.Ptr("/none"),
	}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	made, err := p.PollUntilDone(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	id := *made.Properties.SubscriptionID
	if _, err := f.NewClient().Rename(t.Context(), id, armsubscription.Name{SubscriptionName: to.Ptr("Development")}, nil); err != nil {
		t.Error(err)
	}
	if _, err := f.NewClient().Cancel(t.Context(), id, nil); err != nil {
		t.Error(err)
	}
	if _, err := f.NewClient().Enable(t.Context(), id, nil); err != nil {
		t.Error(err)
	}
	if l, err := f.NewAliasClient().List(t.Context(), nil); err != nil || len(l.Value) != 1 {
		t.Errorf("aliases = %v, %v", l.Value, err)
	}
	if _, err := f.NewAliasClient().Delete(t.Context(), "dev", nil); err != nil {
		t.Error(err)
	}
	if got := c.subscriptions(); !strings.Contains(got, "Development Enabled") {
		t.Errorf("subscriptions = %s", got)
	}
}

func TestSubscriptionsRefused(t *testing.T) {
	c := newCloud(t)
	const alias = "/providers/Microsoft.Subscription/aliases/"
	c.want(201, "PUT", alias+"taken", `{"properties":{"displayName":"Taken"}}`)
	before := c.subscriptions()
	rename := c.subscription("providers/Microsoft.Subscription/rename")
	for name, tt := range map[string]struct {
		method, path, body string
		status             int
		code               string
	}{
		"no name":          {"PUT", alias + "x", `{"properties":{}}`, 400, "InvalidParameter"},
		"long name":        {"PUT", alias + "x", `{"properties":{"displayName":"` + strings.Repeat("x", 65) + `"}}`, 400, "InvalidParameter"},
		"markup":           {"PUT", alias + "x", `{"properties":{"displayName":"<b>"}}`, 400, "InvalidParameter"},
		"other workload":   {"PUT", alias + "x", `{"properties":{"displayName":"x","workload":"Test"}}`, 400, "InvalidParameter"},
		"long scope":       {"PUT", alias + "x", `{"properties":{"displayName":"x","billingScope":"` + strings.Repeat("x", 2000) + `"}}`, 400, "InvalidParameter"},
		"an existing one":  {"PUT", alias + "x", `{"properties":{"displayName":"x","subscriptionId":"` + c.SubscriptionID + `"}}`, 400, "UnsupportedProperty"},
		"alias taken":      {"PUT", alias + "TAKEN", `{"properties":{"displayName":"Other"}}`, 409, "AliasAlreadyExists"},
		"alias with space": {"PUT", alias + "a%20b", `{"properties":{"displayName":"x"}}`, 400, "InvalidResourceName"},
		"no body":          {"PUT", alias + "x", ``, 400, "InvalidRequestContent"},
		"rename to none":   {"POST", rename, `{}`, 400, "InvalidParameter"},
		"rename, other":    {"POST", rename, `{"name":"x"}`, 400, "UnsupportedProperty"},
		"unknown":          {"POST", "/subscriptions/00000000-0000-0000-0000-000000000000/providers/Microsoft.Subscription/cancel", ``, 404, "SubscriptionNotFound"},
		"no alias":         {"GET", alias + "none", ``, 404, "NotFound"},
	} {
		t.Run(name, func(t *testing.T) { c.in(t).refused(tt.status, tt.code, tt.method, tt.path, tt.body) })
	}
	if after := c.subscriptions(); after != before {
		t.Errorf("subscriptions were %s and are %s", before, after)
	}
}
