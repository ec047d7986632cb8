package etcd

import (
	"context"
	"errors"

	clientv3 "go.etcd.io/etcd/client/v3"

	"lazuli/internal/store"
	"lazuli/internal/store/txn"
)

// Update runs f in a transaction. Reads are free of locks; the commit is one
// etcd transaction that compares what was read.
func (s *Store) Update(ctx context.Context, f func(tx store.Tx) error) (int64, error) {
	return s.loop.Run(ctx, func() (int64, error) { return s.attempt(ctx, f) })
}

func (s *Store) attempt(ctx context.Context, f func(tx store.Tx) error) (int64, error) {
	view := &view{store: s}
	tx := txn.New(view)
	err := f(tx)
	if tx.Lost() {
		return 0, txn.ErrLost
	}
	if err != nil {
		return 0, err
	}
	writes := tx.Writes()
	if len(writes) == 0 {
		return view.revision(ctx)
	}
	if err := tx.Check(); err != nil {
		return 0, err
	}
	if err := s.room.take(tx.Size()); err != nil {
		return 0, err
	}
	return s.commit(ctx, tx, writes, view.rev)
}

// compares says that everything tx read at rev is still so: no key was
// changed or deleted, and no key was written under a listed prefix.
func compares(tx *txn.Tx, rev int64) []clientv3.Cmp {
	var cmps []clientv3.Cmp
	for key, seen := range tx.Reads() {
		cmps = append(cmps, clientv3.Compare(clientv3.ModRevision(key), "=", seen))
	}
	for _, prefix := range tx.Prefixes() {
		from, end := bounds(prefix)
		cmps = append(cmps, clientv3.Compare(clientv3.ModRevision(from), "<", rev+1).WithRange(end))
	}
	return cmps
}

func operations(writes []txn.Write) []clientv3.Op {
	ops := make([]clientv3.Op, 0, len(writes))
	for _, w := range writes {
		if w.Delete {
			ops = append(ops, clientv3.OpDelete(w.Key))
		} else {
			ops = append(ops, clientv3.OpPut(w.Key, string(w.Value), clientv3.WithLease(clientv3.LeaseID(w.Lease))))
		}
	}
	return ops
}

// view reads at the revision of its first read.
type view struct {
	store *Store
	rev   int64
}

// Get returns the entry of key at the view's revision.
func (v *view) Get(ctx context.Context, key string) (store.Entry, error) {
	e, rev, err := v.store.get(ctx, key, v.rev)
	return e, v.settle(rev, err)
}

// List returns the entries under prefix at the view's revision.
func (v *view) List(ctx context.Context, prefix string) ([]store.Entry, error) {
	entries, rev, err := v.store.list(ctx, prefix, v.rev)
	return entries, v.settle(rev, err)
}

func (v *view) settle(rev int64, err error) error {
	v.rev = max(v.rev, rev)
	if errors.Is(err, store.ErrCompacted) {
		return txn.ErrLost
	}
	return err
}

// revision returns the revision read at, or the current one if nothing was.
func (v *view) revision(ctx context.Context) (int64, error) {
	if v.rev > 0 {
		return v.rev, nil
	}
	return v.store.revision(ctx)
}
