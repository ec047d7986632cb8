package az_test

import (
	"context"
	"log/slog"
	"net/netip"
	"testing"

	"lazuli/internal/daemon"
	"lazuli/internal/identity/bootstrap"
	"lazuli/internal/node/fake"
)

// cloud is what its administrator has of a cloud.
type cloud struct {
	*bootstrap.Admin
	host *fake.Host
}

// newCloud runs a cloud on a host that is not there until the test ends.
func newCloud(t *testing.T) *cloud {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	dir, host := t.TempDir(), fake.New()
	sc := daemon.ServerConfig{
		DataDir: dir, Listen: "127.0.0.1:0", NodeListen: "127.0.0.1:0", Volatile: true, Log: log,
		PublicPool: []netip.Prefix{netip.MustParsePrefix("198.18.0.0/24")},
	}
	nc := daemon.NodeConfig{DataDir: dir, Join: daemon.Join{Name: "node1"}, Fake: true, FakeHost: host, Log: log}
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
		return &cloud{Admin: &c.Admin, host: host}
	case err := <-ended:
		ended <- nil
		t.Fatalf("the cloud did not start: %v", err)
		return nil
	}
}
