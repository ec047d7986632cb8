package etcd

import (
	"bytes"
	"context"
	"time"

	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/server/v3/storage/mvcc"

	"lazuli/internal/store"
)

// Watch calls f with each change under prefix after revision after.
//
// It listens to the database itself and not through etcd's client, which
// would buffer without bound for a slow f. Here a slow f is set aside, and
// served from the history when it has caught up.
func (s *Store) Watch(ctx context.Context, prefix string, after int64, f func(rev int64, events []store.Event) error) error {
	stream, err := s.watch(ctx, prefix, max(after, 0)+1)
	if err != nil {
		return err
	}
	defer stream.Close()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-s.done:
			return store.ErrClosed
		case resp := <-stream.Chan():
			if err := s.deliver(ctx, resp, f); err != nil {
				return err
			}
		}
	}
}

func (s *Store) watch(ctx context.Context, prefix string, rev int64) (mvcc.WatchStream, error) {
	if err := s.enter(ctx); err != nil {
		return nil, err
	}
	defer s.leave()
	stream := s.member.Server.Watchable().NewWatchStream()
	from, end := bounds(prefix)
	_, err := stream.Watch(ctx, clientv3.AutoWatchID, []byte(from), rangeEnd(end), rev)
	if err != nil {
		stream.Close()
		return nil, translate(ctx, err)
	}
	return stream, nil
}

// deliver calls f once for each revision in resp. The database never splits a
// revision between two responses.
func (s *Store) deliver(ctx context.Context, resp mvcc.WatchResponse, f func(int64, []store.Event) error) error {
	if resp.CompactRevision != 0 {
		return store.ErrCompacted
	}
	for rest := resp.Events; len(rest) > 0; {
		rev := rest[0].Kv.ModRevision
		var events []store.Event
		for len(rest) > 0 && rest[0].Kv.ModRevision == rev {
			events, rest = append(events, event(rest[0])), rest[1:]
		}
		if err := s.awaitReadable(ctx, rev); err != nil {
			return err
		}
		if err := f(rev, events); err != nil {
			return err
		}
	}
	return nil
}

// unreadable is how long to wait for a transaction that is about to end.
const unreadable = 20 * time.Microsecond

// awaitReadable waits until what was written at rev can be read: the database
// tells watches of a transaction just before it ends. Who is told that something
// was made, and then does not find it, would take it for deleted.
func (s *Store) awaitReadable(ctx context.Context, rev int64) error {
	for s.member.Server.KV().Rev() < rev {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-s.done:
			return store.ErrClosed
		case <-time.After(unreadable):
		}
	}
	return ctx.Err()
}

// event copies e, which all watches share.
func event(e *mvccpb.Event) store.Event {
	out := store.Event{Entry: entry(e.Kv), Deleted: e.Type == mvccpb.Event_DELETE}
	out.Value = bytes.Clone(out.Value)
	return out
}
