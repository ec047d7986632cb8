package mirror

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"

	"lazuli/internal/store"
	"lazuli/internal/store/memory"
)

// follow has a mirror follow a store until the test ends.
func follow(t *testing.T, s store.Store) *Mirror {
	m := New("/")
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		m.Follow(ctx, s, slog.New(slog.DiscardHandler), func([]store.Event) {}) //nolint:errcheck // ends with ctx
		close(ended)
	}()
	t.Cleanup(func() { cancel(); <-ended })
	return m
}

func update(t *testing.T, s store.Store, f func(tx store.Tx)) {
	t.Helper()
	if _, err := s.Update(t.Context(), func(tx store.Tx) error { f(tx); return nil }); err != nil {
		t.Fatal(err)
	}
}

func TestStillStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := memory.New(memory.Options{})
		defer s.Close()
		update(t, s, func(tx store.Tx) { tx.Put("/a", []byte("1")); tx.Put("/b", []byte("1")) })
		m := follow(t, s)
		synctest.Wait()
		still := m.Still()
		update(t, s, func(tx store.Tx) { tx.Put("/a", []byte("2")); tx.Delete("/b"); tx.Put("/c", []byte("2")) })
		synctest.Wait()

		for _, key := range []string{"/a", "/b"} {
			if e, err := still.Get(t.Context(), key); err != nil || string(e.Value) != "1" {
				t.Errorf("the still copy has %s = %q, %v; want 1", key, e.Value, err)
			}
		}
		if es, err := still.List(t.Context(), "/"); err != nil || len(es) != 2 {
			t.Errorf("the still copy lists %d entries, %v; want 2", len(es), err)
		}
		if e, err := m.Get(t.Context(), "/a"); err != nil || string(e.Value) != "2" {
			t.Errorf("the mirror has /a = %q, %v; want 2", e.Value, err)
		}
		if _, err := m.Get(t.Context(), "/b"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("the mirror has /b: %v", err)
		}
		if still.Revision() >= m.Revision() {
			t.Errorf("the still copy is of revision %d, the mirror of %d", still.Revision(), m.Revision())
		}
	})
}
