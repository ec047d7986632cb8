package etcd

import clientv3 "go.etcd.io/etcd/client/v3"

// Client is etcd's own client, to compare with.
func Client(s *Store) *clientv3.Client { return s.client }
