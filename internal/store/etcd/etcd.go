// Package etcd is the engine of package store that keeps the state on disk:
// one etcd member embedded in the process.
//
// It opens no port and no socket: the process calls its etcd directly, so
// nobody else on the machine can reach the state but through its files. An
// acknowledged write has been fsynced to the write-ahead log.
package etcd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/server/v3/embed"
	"go.etcd.io/etcd/server/v3/etcdserver/api/v3client"

	"lazuli/internal/store"
	"lazuli/internal/store/txn"
)

// Options says where the state is and how much of it may be kept.
type Options struct {
	// Dir holds the state. It is made if it does not exist.
	Dir string
	// Logger gets etcd's warnings and errors; nil is slog.Default().
	Logger *slog.Logger
	// QuotaBytes bounds the database file; 0 is 8 GiB.
	QuotaBytes int64
	// Retention and MaxRevisions bound the history kept for Watch: what is
	// older than either is dropped. 0 is an hour, and 200,000 revisions.
	Retention    time.Duration
	MaxRevisions int64
	// UnsafeNoFsync acknowledges writes that a power cut may lose. It exists
	// so that a test of durability can be seen to fail, and for nothing else.
	UnsafeNoFsync bool
}

func (o Options) withDefaults() Options {
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	o.QuotaBytes = cmp.Or(o.QuotaBytes, 8<<30)
	o.Retention = cmp.Or(o.Retention, time.Hour)
	o.MaxRevisions = cmp.Or(o.MaxRevisions, 200_000)
	return o
}

// Store is a store.Store on an embedded etcd.
type Store struct {
	log    *slog.Logger
	lock   *os.File
	member *embed.Etcd
	client *clientv3.Client
	loop   *txn.Loop
	room   room
	queue  queue

	mu     sync.Mutex
	closed bool
	calls  sync.WaitGroup // into the member, which must not stop under them
	done   chan struct{}  // closed by Close
	tasks  sync.WaitGroup
}

var _ store.Store = (*Store)(nil)

// Open opens the state in o.Dir, or begins a new one if the directory is
// empty. It fails if another process has it open, and if it is damaged or
// incomplete: existing state is never begun anew.
func Open(ctx context.Context, o Options) (*Store, error) {
	o = o.withDefaults()
	s, err := open(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("open state store %s: %w", o.Dir, err)
	}
	return s, nil
}

func open(ctx context.Context, o Options) (_ *Store, err error) {
	dir, err := openDir(o.Dir)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			dir.lock.Close()
		}
	}()
	member, err := start(ctx, o)
	if err != nil {
		return nil, err
	}
	s := newStore(o, member, dir.lock)
	if err := errors.Join(dir.begun(member), s.disarm(ctx, o.QuotaBytes)); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	s.keepReserve(o.Dir)
	s.tasks.Go(func() { s.compactLoop(o) })
	return s, nil
}

func newStore(o Options, member *embed.Etcd, lock *os.File) *Store {
	return &Store{
		log:    o.Logger,
		lock:   lock,
		member: member,
		client: v3client.New(member.Server),
		loop:   txn.NewLoop(),
		room:   room{dir: o.Dir},
		done:   make(chan struct{}),
	}
}

// enter begins a call into the member unless ctx has ended, so that a call
// under an ended ctx changes nothing; leave ends it.
func (s *Store) enter(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return store.ErrClosed
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	s.calls.Add(1)
	return nil
}

func (s *Store) leave() { s.calls.Done() }

// Close waits for the calls under way, ends the watches and stops etcd. Only
// the first Close does anything.
func (s *Store) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	close(s.done)
	s.mu.Unlock()

	s.tasks.Wait()
	s.calls.Wait()
	err := s.client.Close()
	s.member.Close()
	if errors.Is(err, context.Canceled) { // what a client without connection says
		err = nil
	}
	return errors.Join(err, s.lock.Close())
}
