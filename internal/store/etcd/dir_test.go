package etcd_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"lazuli/internal/store"
	"lazuli/internal/store/etcd"
)

// fill writes n keys and returns the store's keys.
func fill(t *testing.T, s store.Store, n int) []string {
	t.Helper()
	for i := range n {
		_, err := s.Update(t.Context(), func(tx store.Tx) error {
			tx.Put(fmt.Sprintf("k%04d", i), make([]byte, 1024))
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return keys(t, s)
}

func keys(t *testing.T, s store.Store) (out []string) {
	t.Helper()
	entries, err := s.List(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		out = append(out, e.Key)
	}
	return out
}

// filled returns a closed state directory and the keys in it.
func filled(t *testing.T) (dir string, want []string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "state")
	s := openDir(t, dir)
	want = fill(t, s, 300)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return dir, want
}

func TestReopen(t *testing.T) {
	dir, want := filled(t)
	s := openDir(t, dir)
	if got := keys(t, s); !slices.Equal(got, want) {
		t.Errorf("%d of %d keys", len(got), len(want))
	}
	e, err := s.Get(t.Context(), want[0])
	if err != nil || e.Revision != e.Created || e.Revision == 0 {
		t.Errorf("%+v, %v", e, err)
	}
	rev, err := s.Update(t.Context(), func(tx store.Tx) error { tx.Delete(want[0]); return nil })
	if err != nil || rev <= e.Revision {
		t.Errorf("revision %d after %d: %v", rev, e.Revision, err)
	}
}

func TestReopenKeepsLeases(t *testing.T) {
	dir := t.TempDir()
	s := openDir(t, dir)
	id, err := s.Grant(t.Context(), 3600e9)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Update(t.Context(), func(tx store.Tx) error { tx.PutLeased("a", nil, id); return nil }); err != nil {
		t.Fatal(err)
	}
	s.Close()
	s = openDir(t, dir)
	if err := errors.Join(s.KeepAlive(t.Context(), id), s.Revoke(t.Context(), id)); err != nil {
		t.Error(err)
	}
	if got := keys(t, s); len(got) != 0 {
		t.Errorf("keys %q", got)
	}
}

func TestCopy(t *testing.T) {
	dir, want := filled(t)
	copied := filepath.Join(t.TempDir(), "copy")
	if err := os.CopyFS(copied, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	if got := keys(t, openDir(t, copied)); !slices.Equal(got, want) {
		t.Errorf("%d of %d keys", len(got), len(want))
	}
}

func TestLocked(t *testing.T) {
	dir := t.TempDir()
	s := openDir(t, dir)
	_, err := etcd.Open(t.Context(), etcd.Options{Dir: dir})
	if !errors.Is(err, etcd.ErrLocked) || !strings.Contains(err.Error(), dir) {
		t.Errorf("second Open: %v", err)
	}
	s.Close()
	openDir(t, dir)
}

// TestFirstStartCutShort says that a start that was never over has promised
// nothing, whatever it left.
func TestFirstStartCutShort(t *testing.T) {
	dir, _ := filled(t)
	write(t, filepath.Join(dir, "store.json"), `{"format":1}`)
	if err := os.RemoveAll(filepath.Join(dir, "member", "wal")); err != nil {
		t.Fatal(err)
	}
	if got := keys(t, openDir(t, dir)); len(got) != 0 {
		t.Errorf("%d keys", len(got))
	}
}

// TestPrivate says that nobody else can read the state or reach it.
func TestPrivate(t *testing.T) {
	dir, _ := filled(t)
	for _, sub := range []string{".", "member", "member/wal", "member/snap"} {
		info, err := os.Stat(filepath.Join(dir, sub))
		if err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: %v, %v", sub, info.Mode(), err)
		}
	}
}

func write(t *testing.T, name, content string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}
