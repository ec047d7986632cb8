package cli

import (
	"context"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"lazuli/internal/daemon"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"lazuli": func() { os.Exit(Run(context.Background(), New(Config{Version: "1.2.3"}))) },
	})
}

// TestScripts runs the scripts in testdata, each against a whole cloud of its
// own whose only node runs no machines but behaves as if.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		Setup: func(e *testscript.Env) error {
			dir, home := filepath.Join(e.WorkDir, "cloud"), filepath.Join(e.WorkDir, "home")
			if err := os.MkdirAll(home, 0o755); err != nil {
				return err
			}
			e.Setenv("LAZULI_CREDENTIALS", filepath.Join(dir, "admin.json"))
			e.Setenv("HOME", home)
			stop, err := startCloud(dir)
			e.Defer(func() {
				if err := stop(); err != nil {
					e.T().Log("the cloud ended:", err)
				}
			})
			return err
		},
	})
}

// startCloud runs a cloud until stop is called, which says why it ended.
func startCloud(dir string) (stop func() error, err error) {
	log := slog.New(slog.DiscardHandler)
	ctx, cancel := context.WithCancel(context.Background())
	ready, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- daemon.Up(ctx, daemon.ServerConfig{
			DataDir: dir, Listen: "127.0.0.1:0", NodeListen: "127.0.0.1:0", Volatile: true, Log: log,
			PublicPool: []netip.Prefix{netip.MustParsePrefix("198.18.0.0/24")},
		}, daemon.NodeConfig{DataDir: dir, Join: daemon.Join{Name: "node1"}, Fake: true, Log: log}, func(*daemon.Server) { close(ready) })
	}()
	select {
	case <-ready:
		return func() error { cancel(); return <-ended }, nil
	case err := <-ended:
		cancel()
		return func() error { return nil }, err
	}
}
