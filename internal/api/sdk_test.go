package api_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	azarm "github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	azcloud "github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources/v4"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armsubscriptions/v2"

	"lazuli/internal/arm"
	"lazuli/internal/resources"
	"lazuli/internal/store"
)

// sdk is what Azure's own clients need to speak to c.
func (c *cloud) sdk(tenant, secret string) (azcore.TokenCredential, *azarm.ClientOptions) {
	c.t.Helper()
	client := azcore.ClientOptions{
		Transport: c.Client(),
		Retry:     policy.RetryOptions{MaxRetries: -1},
		Cloud: azcloud.Configuration{
			ActiveDirectoryAuthorityHost: c.URL + "/",
			Services: map[azcloud.ServiceName]azcloud.ServiceConfiguration{
				azcloud.ResourceManager: {Endpoint: c.URL, Audience: c.URL + "/"},
			},
		},
	}
	cred, err := azidentity.NewClientSecretCredential(tenant, testClient, secret, &azidentity.ClientSecretCredentialOptions{
		ClientOptions: client, DisableInstanceDiscovery: true,
	})
	if err != nil {
		c.t.Fatal(err)
	}
	return cred, &azarm.ClientOptions{ClientOptions: client}
}

func ptr[T any](v T) *T { return &v }

// control carries out what runs, until the test ends.
func (c *cloud) control() {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	groups := &resources.Groups{Store: c.store, Types: c.types}
	go func() {
		defer close(ended)
		for ctx.Err() == nil {
			es, err := c.store.List(ctx, "/spec/microsoft.resources/")
			if err != nil {
				return
			}
			for _, g := range decodeGroups(es) {
				if _, err := groups.Reconcile(ctx, g); err != nil && ctx.Err() == nil {
					c.t.Error(err)
				}
			}
			c.finishWidgets(ctx)
			select {
			case <-ctx.Done():
			case <-time.After(5 * time.Millisecond):
			}
		}
	}()
	c.t.Cleanup(func() { cancel(); <-ended })
}

func TestGoSDK(t *testing.T) {
	for name, tenant := range map[string]string{"tenant id": testTenant, "adfs": "adfs"} {
		t.Run(name, func(t *testing.T) {
			c := newCloud(t)
			c.control()
			cred, opts := c.sdk(tenant, testSecret)
			lifeOfAWidget(t, cred, opts)
		})
	}
}

func lifeOfAWidget(t *testing.T, cred azcore.TokenCredential, opts *azarm.ClientOptions) {
	ctx := t.Context()
	groups, err := armresources.NewResourceGroupsClient(testSub, cred, opts)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := groups.CreateOrUpdate(ctx, "rg1", armresources.ResourceGroup{Location: ptr("local")}, nil); err != nil {
		t.Fatal(err)
	}
	if there, err := groups.CheckExistence(ctx, "rg1", nil); err != nil || !there.Success {
		t.Errorf("CheckExistence = %v, %v; want it there", there.Success, err)
	}
	all, err := armresources.NewClient(testSub, cred, opts)
	if err != nil {
		t.Fatal(err)
	}
	put, err := all.BeginCreateOrUpdateByID(ctx, widgets+"/w1", "2025-04-01", armresources.GenericResource{
		Location: ptr("Local"), Properties: map[string]any{"size": 5},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := put.PollUntilDone(ctx, nil)
	if err != nil || *got.Name != "w1" || *got.Location != "local" {
		t.Fatalf("the widget = %+v, %v", got.GenericResource, err)
	}
	names := 0
	for pager := all.NewListByResourceGroupPager("rg1", &armresources.ClientListByResourceGroupOptions{Expand: ptr("provisioningState")}); pager.More(); {
		p, err := pager.NextPage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range p.Value {
			names++
			if *r.ProvisioningState != "Succeeded" {
				t.Errorf("provisioningState of %s = %s", *r.ID, *r.ProvisioningState)
			}
		}
	}
	if names != 1 {
		t.Errorf("the group lists %d resources, want 1", names)
	}
	_, err = all.GetByID(ctx, widgets+"/w2", "2025-04-01", nil)
	if re, ok := errors.AsType[*azcore.ResponseError](err); !ok || re.StatusCode != 404 || re.ErrorCode != "ResourceNotFound" {
		t.Errorf("GetByID of nothing = %v, want 404 ResourceNotFound", err)
	}
	removeGroup(t, groups)
	subscriptionsAndProviders(t, cred, opts)
}

func removeGroup(t *testing.T, groups *armresources.ResourceGroupsClient) {
	t.Helper()
	del, err := groups.BeginDelete(t.Context(), "rg1", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := del.PollUntilDone(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if there, err := groups.CheckExistence(t.Context(), "rg1", nil); err != nil || there.Success {
		t.Errorf("CheckExistence after the end = %v, %v; want it gone", there.Success, err)
	}
}

func subscriptionsAndProviders(t *testing.T, cred azcore.TokenCredential, opts *azarm.ClientOptions) {
	ctx := t.Context()
	subs, err := armsubscriptions.NewClient(cred, opts)
	if err != nil {
		t.Fatal(err)
	}
	p, err := subs.NewListPager(nil).NextPage(ctx)
	if err != nil || len(p.Value) != 1 || *p.Value[0].SubscriptionID != testSub {
		t.Errorf("subscriptions = %v, %v; want ours only", p.Value, err)
	}
	l, err := subs.NewListLocationsPager(testSub, nil).NextPage(ctx)
	if err != nil || len(l.Value) != 1 || *l.Value[0].Name != "local" {
		t.Errorf("locations = %v, %v", l.Value, err)
	}
	providers, err := armresources.NewProvidersClient(testSub, cred, opts)
	if err != nil {
		t.Fatal(err)
	}
	if r, err := providers.Register(ctx, "Microsoft.Fake", nil); err != nil || *r.RegistrationState != "Registered" {
		t.Errorf("Register = %v, %v", r.Provider, err)
	}
}

func TestGoSDKWrongSecret(t *testing.T) {
	c := newCloud(t)
	cred, opts := c.sdk(testTenant, "wrong")
	groups, err := armresources.NewResourceGroupsClient(testSub, cred, opts)
	if err != nil {
		t.Fatal(err)
	}
	_, err = groups.Get(t.Context(), "rg1", nil)
	if ae, ok := errors.AsType[*azidentity.AuthenticationFailedError](err); !ok || ae.RawResponse.StatusCode != http.StatusUnauthorized {
		t.Errorf("Get = %v, want a failed authentication", err)
	}
}

func decodeGroups(es []store.Entry) []arm.ID {
	var ids []arm.ID
	for _, e := range es {
		o, err := arm.Collection[struct{}, struct{}]{Type: arm.GroupType}.DecodeSpec(e)
		if err == nil {
			ids = append(ids, o.ID)
		}
	}
	return ids
}
