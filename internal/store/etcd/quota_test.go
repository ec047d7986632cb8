package etcd_test

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"lazuli/internal/store"
	"lazuli/internal/store/etcd"
)

// TestFull fills a small store, and opens it again with more room.
func TestFull(t *testing.T) {
	o := etcd.Options{Dir: t.TempDir(), QuotaBytes: 8 << 20, Logger: slog.New(slog.NewTextHandler(t.Output(), nil))}
	s := openWith(t, o)
	n, err := fillUp(t, s)
	if err == nil || !strings.Contains(err.Error(), "full") {
		t.Fatalf("after %d MiB: %v", n, err)
	}
	remove := func(tx store.Tx) error { tx.Delete("0"); return nil }
	if _, err := s.Update(t.Context(), remove); err != nil {
		t.Errorf("Delete in a full store: %v", err)
	}
	s.Close()
	o.QuotaBytes = 8 << 30
	if _, err := openWith(t, o).Update(t.Context(), func(tx store.Tx) error { tx.Put("a", nil); return nil }); err != nil {
		t.Errorf("with more room: %v", err)
	}
}

func openWith(t *testing.T, o etcd.Options) *etcd.Store {
	t.Helper()
	s, err := etcd.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// fillUp writes until it fails. What is written counts only when it reaches the
// database file, a tenth of a second later.
func fillUp(t *testing.T, s store.Store) (n int, err error) {
	for n = range 1000 {
		_, err = s.Update(t.Context(), func(tx store.Tx) error { tx.Put(fmt.Sprint(n), make([]byte, 1<<20)); return nil })
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// TestDefragment opens a store that is mostly air.
func TestDefragment(t *testing.T) {
	if testing.Short() {
		t.Skip("writes 150 MB")
	}
	dir := t.TempDir()
	s := openDir(t, dir)
	var rev int64
	var err error
	for range 75 {
		rev, err = s.Update(t.Context(), func(tx store.Tx) error { tx.Put("a", make([]byte, 1<<20)); return nil })
		if err != nil {
			t.Fatal(err)
		}
	}
	before := databaseSize(t, dir)
	if err := errors.Join(s.Compact(t.Context(), rev), s.Close()); err != nil {
		t.Fatal(err)
	}
	openDir(t, dir)
	if after := databaseSize(t, dir); after > before/10 {
		t.Errorf("%d bytes of %d left", after, before)
	}
}

func databaseSize(t *testing.T, dir string) int64 {
	t.Helper()
	info, err := os.Stat(filepath.Join(dir, "member", "snap", "db"))
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}
