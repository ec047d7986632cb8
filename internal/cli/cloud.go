package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	azcloud "github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v11"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources/v4"
)

// cloud is the client of one cloud.
type cloud struct {
	*credentials
	transport *transport
	token     azcore.TokenCredential
	compute   *armcompute.ClientFactory
	network   *armnetwork.ClientFactory
	resources *armresources.ClientFactory
}

// Retries bridge a restart of the server, while something is waited for. An
// internal error is told at once: it would be the same again.
var retries = policy.RetryOptions{
	MaxRetries:    8,
	RetryDelay:    200 * time.Millisecond,
	MaxRetryDelay: 2 * time.Second,
	StatusCodes:   []int{408, 429, 502, 503, 504},
}

func newCloud(cred *credentials) (*cloud, error) {
	t, err := newTransport(cred)
	if err != nil {
		return nil, err
	}
	options := azcore.ClientOptions{
		Cloud: azcloud.Configuration{
			ActiveDirectoryAuthorityHost: cred.Endpoint + "/",
			Services: map[azcloud.ServiceName]azcloud.ServiceConfiguration{
				azcloud.ResourceManager: {Endpoint: cred.Endpoint, Audience: cred.Endpoint + "/"},
			},
		},
		Transport: t,
		Retry:     retries,
		Telemetry: policy.TelemetryOptions{ApplicationID: "lazuli"},
	}
	c := &cloud{credentials: cred, transport: t}
	c.token, err = azidentity.NewClientSecretCredential(cred.TenantID, cred.ClientID, cred.ClientSecret,
		&azidentity.ClientSecretCredentialOptions{ClientOptions: options, DisableInstanceDiscovery: true})
	if err != nil {
		return nil, fmt.Errorf("use credentials in %s: %w", cred.file, err)
	}
	return c, c.makeFactories(&arm.ClientOptions{ClientOptions: options, DisableRPRegistration: true})
}

func (c *cloud) makeFactories(o *arm.ClientOptions) (err error) {
	if c.compute, err = armcompute.NewClientFactory(c.SubscriptionID, c.token, o); err != nil {
		return err
	}
	if c.network, err = armnetwork.NewClientFactory(c.SubscriptionID, c.token, o); err != nil {
		return err
	}
	c.resources, err = armresources.NewClientFactory(c.SubscriptionID, c.token, o)
	return err
}

// bearer is a token for requests that no client of the SDK makes.
func (c *cloud) bearer(ctx context.Context) (string, error) {
	t, err := c.token.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{c.Endpoint + "//.default"}})
	return t.Token, err
}

// wait waits for a long-running operation. It is called with what a Begin
// method has returned.
func wait[T any](ctx context.Context, p *runtime.Poller[T], err error) (T, error) {
	if err != nil {
		return *new(T), err
	}
	return p.PollUntilDone(ctx, &runtime.PollUntilDoneOptions{Frequency: time.Second})
}

// all reads the pages of a list.
func all[P, T any](ctx context.Context, pager *runtime.Pager[P], items func(P) []*T) ([]*T, error) {
	var list []*T
	for pager.More() {
		page, err := pager.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		list = append(list, items(page)...)
	}
	return list, nil
}

// value is what p points to, or nothing. The SDK has pointers everywhere.
func value[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

// nameOf and groupOf are parts of an ARM id; "" when it is not one.
func nameOf(id *string) string {
	r, err := arm.ParseResourceID(value(id))
	if err != nil {
		return ""
	}
	return r.Name
}

func groupOf(id *string) string {
	r, err := arm.ParseResourceID(value(id))
	if err != nil {
		return ""
	}
	return r.ResourceGroupName
}
