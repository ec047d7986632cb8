// Package azurerm_test holds the cloud to the clients that Terraform's azurerm
// provider is made of (hashicorp/go-azure-sdk), in the versions of the API that
// the provider uses: they log in as it does, and do with each resource what it
// does to make, read, change and delete one.
package azurerm_test

import (
	"context"
	stdlog "log"
	"log/slog"
	"net/http"
	"net/netip"
	"testing"
	"time"

	"github.com/hashicorp/go-azure-sdk/sdk/auth"
	sdkclient "github.com/hashicorp/go-azure-sdk/sdk/client"
	"github.com/hashicorp/go-azure-sdk/sdk/client/resourcemanager"
	"github.com/hashicorp/go-azure-sdk/sdk/environments"

	"lazuli/internal/daemon"
	"lazuli/internal/identity/bootstrap"
	"lazuli/internal/node/fake"
)

// newCloud runs a cloud on a host that is not there until the test ends.
func newCloud(t *testing.T) *bootstrap.Admin {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	dir := t.TempDir()
	sc := daemon.ServerConfig{
		DataDir: dir, Listen: "127.0.0.1:0", NodeListen: "127.0.0.1:0", Volatile: true, Log: log,
		PublicPool: []netip.Prefix{netip.MustParsePrefix("198.18.0.0/24")},
	}
	nc := daemon.NodeConfig{DataDir: dir, Join: daemon.Join{Name: "node1"}, Fake: true, FakeHost: fake.New(), Log: log}
	ctx, cancel := context.WithCancel(context.Background())
	ready, ended := make(chan *bootstrap.Cloud, 1), make(chan error, 1)
	go func() {
		ended <- daemon.Up(ctx, sc, nc, func(s *daemon.Server) { ready <- s.Cloud })
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the cloud ended: %v", err)
		}
	})
	select {
	case c := <-ready:
		return &c.Admin
	case err := <-ended:
		ended <- nil
		t.Fatalf("the cloud did not start: %v", err)
		return nil
	}
}

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
	admin := newCloud(t)
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
