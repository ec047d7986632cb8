package etcd

import (
	"context"
	"errors"
	"fmt"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	"go.etcd.io/etcd/server/v3/lease"
	"go.etcd.io/etcd/server/v3/storage/mvcc"

	"lazuli/internal/store"
)

var errFull = errors.New("the state store is full")

// known says what etcd's errors are in the words of package store.
var known = map[error]error{
	rpctypes.ErrCompacted:       store.ErrCompacted,
	rpctypes.ErrRequestTooLarge: store.ErrTooLarge,
	rpctypes.ErrTooManyOps:      store.ErrTooLarge,
	rpctypes.ErrLeaseNotFound:   store.ErrNotFound,
	rpctypes.ErrStopped:         store.ErrClosed,
	rpctypes.ErrNoSpace:         errFull,
	lease.ErrLeaseNotFound:      store.ErrNotFound,
	mvcc.ErrCompacted:           store.ErrCompacted,
}

// translate returns err as package store promises it. An error under a ctx
// that has ended is the error of ctx.
func translate(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if is, ok := known[rpctypes.Error(err)]; ok {
		return fmt.Errorf("%w (etcd: %w)", is, err)
	}
	return fmt.Errorf("etcd: %w", err)
}
