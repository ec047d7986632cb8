package daemon

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"

	"lazuli/internal/arm"
	"lazuli/internal/rights"
	"lazuli/internal/store"
	"lazuli/internal/store/etcd"
)

// withState works on the state of a cloud that does not run.
func withState(t *testing.T, dir string, f func(ctx context.Context, tx store.Tx) error) {
	t.Helper()
	st, err := etcd.Open(t.Context(), etcd.Options{Dir: filepath.Join(dir, "state"), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	if _, err := st.Update(t.Context(), func(tx store.Tx) error { return f(t.Context(), tx) }); err != nil {
		t.Fatal(err)
	}
}

// The administrator of a cloud from before there were roles is its Owner when it
// starts again, and is not made one anew when somebody else is.
func TestOwnerOfAnOlderCloud(t *testing.T) {
	dir, log := filepath.Join(t.TempDir(), "data"), slog.New(slog.DiscardHandler)
	s, stop := up(t, dir, log)
	admin := s.Cloud.AdminObjectID
	if !s.rights.IsAdministrator(admin) {
		t.Error("nobody is Owner of a new cloud")
	}
	stop()
	withState(t, dir, func(ctx context.Context, tx store.Tx) error {
		es, err := tx.List(ctx, "/rights/")
		for _, e := range es {
			tx.Delete(e.Key)
		}
		return err
	})
	s, stop = up(t, dir, log)
	if !s.rights.IsAdministrator(admin) {
		t.Error("nobody is Owner of a cloud from before there were roles")
	}
	stop()
	const other = "99999999-0000-0000-0000-000000000001"
	withState(t, dir, func(ctx context.Context, tx store.Tx) error {
		es, err := tx.List(ctx, "/rights/assignment//")
		for _, e := range es {
			tx.Delete(e.Key)
		}
		if err == nil {
			err = rights.EnsureAdministrator(ctx, transaction{Tx: tx}, rights.Assignment{Name: other, PrincipalID: other})
		}
		return err
	})
	if s, _ = up(t, dir, log); s.rights.IsAdministrator(admin) || !s.rights.IsAdministrator(other) {
		t.Error("who is no Owner any more is made one again")
	}
	kind, err := principalKind(t.Context(), s.store, admin)
	if err != nil || kind != arm.KindServicePrincipal {
		t.Errorf("the administrator is %q, %v", kind, err)
	}
	if kind, err = principalKind(t.Context(), s.store, other); err != nil || kind != "" {
		t.Errorf("nobody is %q, %v", kind, err)
	}
}

// transaction is a store whose updates are all in one transaction.
type transaction struct {
	store.Store
	store.Tx
}

func (x transaction) Update(_ context.Context, f func(store.Tx) error) (int64, error) {
	return 0, f(x.Tx)
}

func (x transaction) Get(ctx context.Context, key string) (store.Entry, error) {
	return x.Tx.Get(ctx, key)
}

func (x transaction) List(ctx context.Context, prefix string) ([]store.Entry, error) {
	return x.Tx.List(ctx, prefix)
}
