// Package fakecloud runs whole clouds in the process of a test, on hosts that run
// no machines but behave as if. It is for clients that speak to the API from
// outside.
package fakecloud

import (
	"context"
	"log/slog"
	"net/netip"
	"testing"

	"lazuli/internal/daemon"
	"lazuli/internal/identity/bootstrap"
)

// New runs a cloud, on a host that runs no machines but behaves as if,
// until the test ends.
func New(t testing.TB) *bootstrap.Admin {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	dir := t.TempDir()
	sc := daemon.ServerConfig{
		DataDir: dir, Listen: "127.0.0.1:0", NodeListen: "127.0.0.1:0", Volatile: true, Log: log,
		PublicPool: []netip.Prefix{netip.MustParsePrefix("198.18.0.0/24")},
	}
	nc := daemon.NodeConfig{DataDir: dir, Join: daemon.Join{Name: "node1"}, Fake: true, Log: log}
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
