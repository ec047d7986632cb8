package etcd_test

import (
	"log/slog"
	"testing"

	"lazuli/internal/store"
	"lazuli/internal/store/etcd"
	"lazuli/internal/store/storetest"
)

func open(t *testing.T) store.Store { return openDir(t, t.TempDir()) }

func openDir(t *testing.T, dir string) *etcd.Store {
	t.Helper()
	s, err := etcd.Open(t.Context(), etcd.Options{Dir: dir, Logger: slog.New(slog.NewTextHandler(t.Output(), nil))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return s
}

func TestConformance(t *testing.T) { storetest.Run(t, open) }
