package etcd

import (
	"context"

	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"

	"lazuli/internal/store"
)

// read reads [from, end) at rev, or now if rev is 0. An end of "" reads the
// key from alone, "\x00" everything that follows it.
//
// The read asks this member and no other, which is as good as asking a
// majority while it is the only one: it acknowledges no write before it has
// applied it.
func (s *Store) read(ctx context.Context, from, end string, rev int64, limit int) (*clientv3.GetResponse, error) {
	if err := s.enter(ctx); err != nil {
		return nil, err
	}
	defer s.leave()
	opts := []clientv3.OpOption{clientv3.WithSerializable(), clientv3.WithRev(rev), clientv3.WithLimit(int64(limit))}
	if end != "" {
		opts = append(opts, clientv3.WithRange(end))
	}
	got, err := s.client.Get(ctx, from, opts...)
	return got, translate(ctx, err)
}

// bounds returns the range of the keys that begin with prefix.
func bounds(prefix string) (from, end string) {
	if prefix == "" {
		return "\x00", "\x00"
	}
	return prefix, clientv3.GetPrefixRangeEnd(prefix)
}

func appendEntries(entries []store.Entry, kvs []*mvccpb.KeyValue) []store.Entry {
	for _, kv := range kvs {
		entries = append(entries, entry(kv))
	}
	return entries
}

func entry(kv *mvccpb.KeyValue) store.Entry {
	return store.Entry{
		Key:      string(kv.Key),
		Value:    kv.Value,
		Created:  kv.CreateRevision,
		Revision: kv.ModRevision,
	}
}
