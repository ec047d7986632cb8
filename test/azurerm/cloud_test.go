// Package azurerm_test holds the cloud to the clients that Terraform's azurerm
// provider is made of (hashicorp/go-azure-sdk), in the versions of the API that
// the provider uses: they log in as it does, and do with each resource what it
// does to make, read, change and delete one.
package azurerm_test

import (
	"context"
	stdlog "log"
	"net/http"
	"testing"
	"time"

	"github.com/hashicorp/go-azure-sdk/sdk/auth"
	sdkclient "github.com/hashicorp/go-azure-sdk/sdk/client"
	"github.com/hashicorp/go-azure-sdk/sdk/client/resourcemanager"
	"github.com/hashicorp/go-azure-sdk/sdk/environments"

	"lazuli/internal/identity/bootstrap"
	"lazuli/test/fakecloud"
)

// provider is what azurerm has once it is configured.
type provider struct {
	*bootstrap.Admin
	ctx  context.Context
	api  environments.Api
	auth auth.Authorizer
}

// configure logs in to a new cloud as azurerm does that is told its metadata
// host. Programs of Go read SSL_CERT_FILE once: one test of the process can.
func configure(t *testing.T) *provider {
	t.Helper()
	admin := fakecloud.New(t)
	stdlog.SetOutput(t.Output()) // the clients say there what they ask for
	t.Setenv("SSL_CERT_FILE", admin.CAFile)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	t.Cleanup(cancel)
	env, err := environments.FromEndpoint(ctx, admin.Endpoint)
	if err != nil {
		t.Fatal(err)
	}
	authorizer, err := auth.NewAuthorizerFromCredentials(ctx, auth.Credentials{
		Environment: *env, TenantID: admin.TenantID, ClientID: admin.ClientID, ClientSecret: admin.ClientSecret,
		EnableAuthenticatingUsingClientSecret: true,
	}, env.ResourceManager)
	if err != nil {
		t.Fatal(err)
	}
	return &provider{admin, ctx, env.ResourceManager, authorizer}
}

// use gives a client what azurerm gives it, and has it poll at once: by itself
// it looks whether something is deleted each ten seconds.
func (p *provider) use(c *resourcemanager.Client, err error) {
	if err != nil {
		panic(err)
	}
	c.Authorizer = p.auth
	c.AppendResponseMiddleware(func(_ *http.Request, r *http.Response) (*http.Response, error) {
		if r.Header == nil {
			return r, nil
		}
		r.Header.Set(sdkclient.SkipPollingDelayHeader, "true")
		return r, nil
	})
}
