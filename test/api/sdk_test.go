package api_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	azarm "github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	azcloud "github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/authorization/armauthorization/v3"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/monitor/armmonitor"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v11"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armdeployments"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armlocks"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources/v4"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armsubscriptions/v2"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/storage/armstorage/v3"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/subscription/armsubscription"
)

// checked is a transport that holds every answer to the SDK's own structs.
type checked struct{ c *cloud }

func (x checked) Do(r *http.Request) (*http.Response, error) {
	resp, err := x.c.client.Do(r)
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	resp.Body.Close()
	fitsSDK(x.c.t, resp, b)
	note(resp)
	resp.Body = io.NopCloser(bytes.NewReader(b))
	return resp, nil
}

func (c *cloud) options() *azarm.ClientOptions {
	return &azarm.ClientOptions{ClientOptions: azcore.ClientOptions{
		Transport: checked{c}, Retry: policy.RetryOptions{MaxRetries: -1},
		Cloud: azcloud.Configuration{
			ActiveDirectoryAuthorityHost: c.Endpoint + "/",
			Services: map[azcloud.ServiceName]azcloud.ServiceConfiguration{
				azcloud.ResourceManager: {Endpoint: c.Endpoint, Audience: c.Endpoint + "/"},
			},
		},
	}}
}

func (c *cloud) credential(tenant, secret string) azcore.TokenCredential {
	c.t.Helper()
	cred, err := azidentity.NewClientSecretCredential(tenant, c.ClientID, secret, &azidentity.ClientSecretCredentialOptions{
		ClientOptions: c.options().ClientOptions, DisableInstanceDiscovery: true,
	})
	if err != nil {
		c.t.Fatal(err)
	}
	return cred
}

// sdk is the factories of Azure's clients.
type sdk struct {
	*cloud
	compute       *armcompute.ClientFactory
	network       *armnetwork.ClientFactory
	resources     *armresources.ClientFactory
	subscriptions *armsubscriptions.ClientFactory
	deployments   *armdeployments.ClientFactory
	locks         *armlocks.ClientFactory
	authorization *armauthorization.ClientFactory
	monitor       *armmonitor.ClientFactory
	storage       *armstorage.ClientFactory
	accounts      *armsubscription.ClientFactory
}

// factories are all of them by the names of their modules.
func (s *sdk) factories() map[string]any {
	return map[string]any{
		"armcompute": s.compute, "armnetwork": s.network, "armresources": s.resources, "armsubscriptions": s.subscriptions,
		"armdeployments": s.deployments, "armlocks": s.locks, "armauthorization": s.authorization, "armmonitor": s.monitor,
		"armstorage": s.storage, "armsubscription": s.accounts,
	}
}

// sdk makes clients that log in as the administrator. Their calls go through
// the policies.
func (c *cloud) sdk(policies ...policy.Policy) *sdk {
	c.t.Helper()
	id, cred, options := c.SubscriptionID, c.credential(c.TenantID, c.ClientSecret), c.options()
	options.PerCallPolicies = policies
	return &sdk{
		cloud:         c,
		compute:       must(armcompute.NewClientFactory(id, cred, options))(c.t),
		network:       must(armnetwork.NewClientFactory(id, cred, options))(c.t),
		resources:     must(armresources.NewClientFactory(id, cred, options))(c.t),
		subscriptions: must(armsubscriptions.NewClientFactory(cred, options))(c.t),
		deployments:   must(armdeployments.NewClientFactory(id, cred, options))(c.t),
		locks:         must(armlocks.NewClientFactory(id, cred, options))(c.t),
		authorization: must(armauthorization.NewClientFactory(id, cred, options))(c.t),
		monitor:       must(armmonitor.NewClientFactory(id, cred, options))(c.t),
		storage:       must(armstorage.NewClientFactory(id, cred, options))(c.t),
		accounts:      must(armsubscription.NewClientFactory(cred, options))(c.t),
	}
}

// must is v, of a call that must work.
func must[T any](v T, err error) func(t testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// finish polls an operation to its end, which must be a good one.
func finish[T any](p *runtime.Poller[T], err error) func(t testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return must(p.PollUntilDone(t.Context(), nil))(t)
	}
}

// all is the items of all pages.
func all[P, T any](t testing.TB, pager *runtime.Pager[P], items func(P) []*T) (got []*T) {
	t.Helper()
	for pager.More() {
		got = append(got, items(must(pager.NextPage(t.Context()))(t))...)
	}
	return got
}

func ptr[T any](v T) *T { return &v }

func (r reply) anything() (v any) {
	r.t.Helper()
	if err := json.Unmarshal(r.body, &v); err != nil {
		r.t.Fatal(err)
	}
	return v
}
