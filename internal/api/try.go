package api

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"lazuli/internal/arm"
	"lazuli/internal/store"
)

// trial is a row of requests each of which sees what those before it did, and
// of which nothing stays.
type trial struct {
	tx  store.Tx
	ids idSource
}

// errTried ends the transaction of a trial that went to its end.
var errTried = errors.New("tried")

// Try has f make requests that are answered as if they were carried out, in
// one transaction that is undone. What the API refuses is an *arm.Error, and
// changes nothing for the requests after it. Lists show what is stored. f may
// be called more than once, and must not use do after it returned.
func (s *Server) Try(ctx context.Context, f func(do func(context.Context, Request) (*Response, error)) error) error {
	_, err := s.Store.Update(ctx, func(tx store.Tx) error {
		t := &trial{tx: tx}
		err := f(func(ctx context.Context, in Request) (*Response, error) { return s.do(ctx, in, t) })
		if err == nil {
			err = errTried
		}
		return err
	})
	if errors.Is(err, errTried) {
		return nil
	}
	return err
}

// try carries out a request of a trial.
func (q *request) try(f func(ctx context.Context, c *arm.Call) (arm.Result, error)) (arm.Result, error) {
	l := &layer{Tx: q.trial.tx, written: map[string][]byte{}}
	res, err := q.change(l, &q.trial.ids, f)
	if err != nil {
		return arm.Result{}, err
	}
	l.keep()
	return res, nil
}

// layer is a transaction within one, that can be left without a trace.
type layer struct {
	store.Tx
	written map[string][]byte // nil: deleted
}

func (l *layer) Put(key string, value []byte) {
	if value == nil {
		value = []byte{}
	}
	l.written[key] = value
}

// PutLeased puts a key. Nothing that a trial writes lives so long that the
// lease would matter.
func (l *layer) PutLeased(key string, value []byte, _ store.LeaseID) { l.Put(key, value) }

func (l *layer) Delete(key string) { l.written[key] = nil }

func (l *layer) Get(ctx context.Context, key string) (store.Entry, error) {
	value, ok := l.written[key]
	switch {
	case !ok:
		return l.Tx.Get(ctx, key)
	case value == nil:
		return store.Entry{}, store.ErrNotFound
	}
	return store.Entry{Key: key, Value: value}, nil
}

func (l *layer) List(ctx context.Context, prefix string) ([]store.Entry, error) {
	es, err := l.Tx.List(ctx, prefix)
	if err != nil {
		return nil, err
	}
	es = slices.DeleteFunc(slices.Clone(es), func(e store.Entry) bool { _, ok := l.written[e.Key]; return ok })
	for _, key := range slices.Sorted(maps.Keys(l.written)) {
		if value := l.written[key]; value != nil && strings.HasPrefix(key, prefix) {
			es = append(es, store.Entry{Key: key, Value: value})
		}
	}
	slices.SortFunc(es, func(a, b store.Entry) int { return strings.Compare(a.Key, b.Key) })
	return es, nil
}

// keep has the transaction below take what was written.
func (l *layer) keep() {
	for key, value := range l.written {
		if value == nil {
			l.Tx.Delete(key)
		} else {
			l.Tx.Put(key, value)
		}
	}
}
