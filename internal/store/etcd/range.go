package etcd

import (
	"context"

	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/pkg/v3/traceutil"
	"go.etcd.io/etcd/server/v3/storage/mvcc"

	"lazuli/internal/store"
)

// found is what a read found: up to its limit of entries, the revision it read
// at, and whether there are more.
type found struct {
	entries []store.Entry
	rev     int64
	more    bool
}

// read reads [from, end) at rev, or now if rev is 0. An end of "" reads the
// key from alone, "\x00" everything that follows it.
//
// It asks the database and not etcd's client, which would count all that is in
// the range to return a part. What this member has applied is as good as asking
// a majority while it is the only one: it acknowledges no write before.
func (s *Store) read(ctx context.Context, from, end string, rev int64, limit int) (found, error) {
	if err := s.enter(ctx); err != nil {
		return found{}, err
	}
	defer s.leave()
	defer endOnPanic()
	// One key is read faster than the list of what is not yet in the file is
	// copied, which keeps long reads from holding up writes.
	mode, until := mvcc.SharedBufReadTxMode, []byte(nil)
	if end != "" {
		mode, until = mvcc.ConcurrentReadTxMode, rangeEnd(end)
	}
	tx := s.member.Server.KV().Read(mode, traceutil.TODO())
	defer tx.End()
	got, err := tx.Range(ctx, []byte(from), until, mvcc.RangeOptions{Rev: rev, Limit: int64(limit) + 1})
	if err != nil {
		return found{}, translate(ctx, err)
	}
	if rev == 0 {
		rev = got.Rev
	}
	more := len(got.KVs) > limit
	if more {
		got.KVs = got.KVs[:limit]
	}
	return found{entriesOf(got.KVs), rev, more}, nil
}

// bounds returns the range of the keys that begin with prefix.
func bounds(prefix string) (from, end string) {
	if prefix == "" {
		return "\x00", "\x00"
	}
	return prefix, clientv3.GetPrefixRangeEnd(prefix)
}

// rangeEnd spells the end of a range as the database does, where empty, not
// "\x00", is without end.
func rangeEnd(end string) []byte {
	if end == "\x00" {
		return []byte{}
	}
	return []byte(end)
}

func entriesOf(kvs []*mvccpb.KeyValue) []store.Entry {
	entries := make([]store.Entry, 0, len(kvs))
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
