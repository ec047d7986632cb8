package api_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v11"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources/v4"

	"lazuli/internal/api"
	"lazuli/internal/daemon"
)

// A poller goes on from its token in another process, after both the server and
// the node were killed.
func TestPollerGoesOnElsewhere(t *testing.T) {
	a := newApart(t, program(t))
	admin := a.admin()
	node := a.node(a.join("node1"))
	s := join(t, admin, nil).furnished().sdk()
	node.kill() // so that the machine is not there before the token is
	begun, err := s.vms().BeginCreateOrUpdate(t.Context(), "rg", "vm", s.machine("nic1"), nil)
	if err != nil {
		t.Fatal(err)
	}
	token := must(begun.ResumeToken())(t)
	a.server.kill()
	a.server.start()
	node.start()
	other := join(t, a.admin(), nil).sdk()
	made := finish(other.vms().BeginCreateOrUpdate(t.Context(), "", "", armcompute.VirtualMachine{}, &armcompute.VirtualMachinesClientBeginCreateOrUpdateOptions{ResumeToken: token}))(t)
	if *made.Name != "vm" || *made.Properties.ProvisioningState != "Succeeded" {
		t.Errorf("made: %s, which is %s", *made.Name, *made.Properties.ProvisioningState)
	}
}

// A poller of what fails comes to the error, with its code and what to do.
func TestPollerOfWhatFails(t *testing.T) {
	c := newCloudOn(t, daemon.NodeConfig{FakeMemoryMiB: 600})
	s := c.furnished().sdk()
	p, err := s.vms().BeginCreateOrUpdate(t.Context(), "rg", "vm", s.machine("nic1"), nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = p.PollUntilDone(t.Context(), nil)
	re, ok := errors.AsType[*azcore.ResponseError](err)
	if !ok || re.ErrorCode != "AllocationFailed" || !strings.Contains(err.Error(), "message") {
		t.Errorf("the poller came to %v", err)
	}
	s.empty()
}

// Who gives up waiting has given up nothing else: what was begun comes to its
// end.
func TestPollerIsGivenUp(t *testing.T) {
	s := newCloud(t).furnished().sdk()
	s.host.FailWith(func(call, _ string) error {
		if strings.Contains(strings.ToLower(call), "start") {
			return errors.New("not now")
		}
		return nil
	})
	p, err := s.vms().BeginCreateOrUpdate(t.Context(), "rg", "vm", s.machine("nic1"), nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.PollUntilDone(ctx, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("given up, the poller came to %v", err)
	}
	s.host.FailWith(nil)
	must(p.PollUntilDone(t.Context(), &runtime.PollUntilDoneOptions{Frequency: time.Second}))(t)
	if got := s.power("vm"); got != "running" {
		t.Errorf("the machine is %s", got)
	}
	s.empty()
}

// counted counts the answers with a status.
type counted struct {
	status int
	n      *atomic.Int32
}

func (c counted) Do(r *policy.Request) (*http.Response, error) {
	resp, err := r.Next()
	if err == nil && resp.StatusCode == c.status {
		c.n.Add(1)
	}
	return resp, err
}

// A client that is throttled waits as long as it is told, and comes through.
func TestClientIsThrottled(t *testing.T) {
	c := newCloud(t, func(sc *daemon.ServerConfig) {
		sc.Limits.Writes = api.Rate{Burst: 1, PerSecond: 0.5}
	})
	throttled := counted{http.StatusTooManyRequests, new(atomic.Int32)}
	options := c.options()
	options.Retry = policy.RetryOptions{MaxRetries: 20}
	options.PerRetryPolicies = []policy.Policy{throttled}
	cred := c.credential(c.TenantID, c.ClientSecret)
	groups := must(armresources.NewResourceGroupsClient(c.SubscriptionID, cred, options))(t)
	addresses := must(armnetwork.NewPublicIPAddressesClient(c.SubscriptionID, cred, options))(t)
	must(groups.CreateOrUpdate(t.Context(), "rg", armresources.ResourceGroup{Location: ptr("local")}, nil))(t)
	inParallel(4, func(i int) { // all at once: whatever the machine, some come too soon
		p, err := addresses.BeginCreateOrUpdate(t.Context(), "rg", fmt.Sprint("a", i), armnetwork.PublicIPAddress{Location: ptr("local")}, nil)
		if err == nil {
			_, err = p.PollUntilDone(t.Context(), nil)
		}
		if err != nil {
			t.Error(err)
		}
	})
	if throttled.n.Load() == 0 {
		t.Error("nothing was throttled")
	}
	wantListed(t, 4, map[string]int{"addresses": listed(t, addresses.NewListPager("rg", nil))})
}
