package etcd

import (
	"context"
	"fmt"
	"math"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/server/v3/lease"

	"lazuli/internal/store"
)

// Grant makes a lease. Its ttl is rounded up to whole seconds.
func (s *Store) Grant(ctx context.Context, ttl time.Duration) (store.LeaseID, error) {
	if ttl <= 0 {
		return 0, fmt.Errorf("lease of %v", ttl)
	}
	if err := s.enter(ctx); err != nil {
		return 0, err
	}
	defer s.leave()
	resp, err := s.client.Grant(ctx, int64(math.Ceil(ttl.Seconds())))
	if err != nil {
		return 0, translate(ctx, err)
	}
	return store.LeaseID(resp.ID), nil
}

// KeepAlive renews the lease.
func (s *Store) KeepAlive(ctx context.Context, id store.LeaseID) error {
	if err := s.enter(ctx); err != nil {
		return err
	}
	defer s.leave()
	_, err := s.member.Server.LeaseRenew(ctx, lease.LeaseID(id))
	return leaseError(ctx, id, err)
}

// Revoke ends the lease and deletes its keys.
func (s *Store) Revoke(ctx context.Context, id store.LeaseID) error {
	if err := s.enter(ctx); err != nil {
		return err
	}
	defer s.leave()
	_, err := s.client.Revoke(ctx, clientv3.LeaseID(id))
	return leaseError(ctx, id, err)
}

func leaseError(ctx context.Context, id store.LeaseID, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("lease %x: %w", id, translate(ctx, err))
}
