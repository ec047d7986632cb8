package rights

import (
	"context"
	"errors"
	"log/slog"
	"strings"

	"lazuli/internal/arm"
	"lazuli/internal/store"
	"lazuli/internal/store/mirror"
)

// Store is the store of the cloud with its rights: who reads and writes the
// state through it finds that
//
//   - no Update that changed rights returns before the rights have changed;
//   - what is assigned and locked on a resource goes with it.
type Store struct {
	store.Store
	x     *index
	stop  context.CancelFunc
	ended chan struct{}
}

// Open reads the rights in s, and follows them until Close. Others may write
// them too: that is seen a moment later.
func Open(ctx context.Context, s store.Store, log *slog.Logger) (*Store, error) {
	follow, stop := context.WithCancel(context.WithoutCancel(ctx))
	out := &Store{Store: s, x: newIndex(), stop: stop, ended: make(chan struct{})}
	read := out.moved()
	go out.follow(follow, log)
	select {
	case <-read:
		return out, nil
	case <-out.ended:
	case <-ctx.Done():
	}
	stop()
	<-out.ended
	return nil, errors.Join(ctx.Err(), errors.New("read rights: the state could not be read"))
}

// follow keeps the index as the store is.
func (s *Store) follow(ctx context.Context, log *slog.Logger) {
	defer close(s.ended)
	m := mirror.New(prefix)
	_ = m.Follow(ctx, s.Store, log, func(events []store.Event) {
		if err := s.x.apply(m.Revision(), events); err != nil {
			log.Error("rights cannot be read", "err", err)
		}
	})
}

// Close ends the following, and the store.
func (s *Store) Close() error {
	s.stop()
	<-s.ended
	return s.Store.Close()
}

func (s *Store) moved() <-chan struct{} {
	s.x.mu.RLock()
	defer s.x.mu.RUnlock()
	return s.x.moved
}

// Update is that of the store. When f changed rights, it returns when they are
// in force.
func (s *Store) Update(ctx context.Context, f func(tx store.Tx) error) (int64, error) {
	var t *tx
	rev, err := s.Store.Update(ctx, func(inner store.Tx) error {
		t = &tx{Tx: inner, ctx: ctx}
		if err := f(t); err != nil {
			return err
		}
		return t.dropGone()
	})
	if err != nil || !t.rights {
		return rev, err
	}
	return rev, s.await(ctx, rev)
}

// await returns when the rights are those of the revision or later.
func (s *Store) await(ctx context.Context, rev int64) error {
	for {
		s.x.mu.RLock()
		there, moved := s.x.rev >= rev, s.x.moved
		s.x.mu.RUnlock()
		if there {
			return nil
		}
		select {
		case <-moved:
		case <-s.ended:
			return store.ErrClosed
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// tx notes what a transaction does to rights, and which resources it deletes.
type tx struct {
	store.Tx
	// ctx is that of the Update that the transaction is.
	ctx    context.Context
	rights bool
	gone   map[string]arm.ID
	err    error
}

const specPrefix = "/spec/"

func (t *tx) Put(key string, value []byte) {
	t.note(key)
	delete(t.gone, key)
	t.Tx.Put(key, value)
}

func (t *tx) Delete(key string) {
	t.note(key)
	if strings.HasPrefix(key, specPrefix) {
		t.noteGone(key)
	}
	t.Tx.Delete(key)
}

func (t *tx) note(key string) { t.rights = t.rights || strings.HasPrefix(key, prefix) }

func (t *tx) noteGone(key string) {
	e, err := t.Get(t.ctx, key)
	if errors.Is(err, store.ErrNotFound) {
		return
	}
	if err == nil {
		var spec *struct{ Meta arm.Meta }
		if spec, err = decode[struct{ Meta arm.Meta }](e); err == nil {
			if t.gone == nil {
				t.gone = map[string]arm.ID{}
			}
			t.gone[key] = spec.Meta.ID
		}
	}
	t.err = errors.Join(t.err, err)
}

func (t *tx) dropGone() error {
	if t.err != nil {
		return t.err
	}
	for _, id := range t.gone {
		if err := Drop(t.ctx, t, id); err != nil {
			return err
		}
	}
	return t.err
}
