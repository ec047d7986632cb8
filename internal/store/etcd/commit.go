package etcd

import (
	"context"
	"slices"
	"strings"
	"sync"

	clientv3 "go.etcd.io/etcd/client/v3"

	"lazuli/internal/store/txn"
)

// Transactions that come while another is being written wait for it, and are
// then written together: one entry of the log and one revision for all of them,
// each with a condition of its own. Under load, what an entry costs is shared by
// many; a transaction that comes alone goes at once.
const (
	// batchCommits and batchBytes bound what is written together.
	batchCommits = 128
	batchBytes   = 1 << 20
)

// commit is a transaction that is to be written.
type commit struct {
	ctx    context.Context
	tx     *txn.Tx
	writes []txn.Write
	rev    int64 // that tx read at
	done   chan outcome
}

type outcome struct {
	rev int64
	err error
}

// end tells who waits. It is called once.
func (c *commit) end(rev int64, err error) { c.done <- outcome{rev, err} }

// queue is what waits to be written.
type queue struct {
	mu      sync.Mutex
	waiting []*commit
	writing bool // there is somebody who does
}

// commit makes the writes of tx if what it read at rev is still so.
func (s *Store) commit(ctx context.Context, tx *txn.Tx, writes []txn.Write, rev int64) (int64, error) {
	if err := s.enter(ctx); err != nil {
		return 0, err
	}
	defer s.leave()
	c := &commit{ctx: ctx, tx: tx, writes: writes, rev: rev, done: make(chan outcome, 1)}
	if s.queue.join(c) {
		s.writeFirst(c)
	}
	select {
	case o := <-c.done:
		return o.rev, o.err
	case <-ctx.Done():
	}
	select {
	case o := <-c.done: // what is known is told
		return o.rev, o.err
	default:
		return 0, ctx.Err()
	}
}

// join has c wait if somebody writes; else c is to be written by who asks.
func (q *queue) join(c *commit) (first bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.writing {
		q.waiting = append(q.waiting, c)
		return false
	}
	q.writing = true
	return true
}

// writeFirst writes c, and has what came meanwhile written behind its back.
func (s *Store) writeFirst(c *commit) {
	b := newBatch()
	b.add(c)
	s.queue.lose(b, s.write(b))
	if b := s.queue.next(); b != nil {
		s.calls.Add(1)
		go s.writeOn(b)
	}
}

// writeOn writes b, and then until nothing waits.
func (s *Store) writeOn(b *batch) {
	defer s.leave()
	for ; b != nil; b = s.queue.next() {
		s.queue.lose(b, s.write(b))
	}
}

// next takes the transactions out of the queue that can be written together;
// nil when there are none.
func (q *queue) next() *batch {
	q.mu.Lock()
	defer q.mu.Unlock()
	b := newBatch()
	var rest []*commit
	for _, c := range q.waiting {
		switch {
		case c.ctx.Err() != nil:
			c.end(0, c.ctx.Err())
		case b.takes(c):
			b.add(c)
		default:
			rest = append(rest, c)
		}
	}
	q.waiting = rest
	if len(b.commits) == 0 {
		q.writing = false
		return nil
	}
	return b
}

// lose ends those that wait and have read what b changed at rev since; there is
// no need to ask.
func (q *queue) lose(b *batch, rev int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	var rest []*commit
	for _, c := range q.waiting {
		if c.rev < rev && b.changed(c.tx) {
			c.end(0, txn.ErrLost)
		} else {
			rest = append(rest, c)
		}
	}
	q.waiting = rest
}

// write writes a batch, and returns the revision at which it was, 0 if it was
// not.
func (s *Store) write(b *batch) int64 {
	defer endOnPanic()
	ctx := context.Background() // the member's own limit of time applies
	if len(b.commits) == 1 {
		ctx = b.commits[0].ctx
	}
	ops := make([]clientv3.Op, len(b.commits))
	for i, c := range b.commits {
		ops[i] = clientv3.OpTxn(compares(c.tx, c.rev), operations(c.writes), nil)
	}
	resp, err := s.client.Txn(ctx).Then(ops...).Commit()
	if err != nil {
		for _, c := range b.commits {
			c.end(0, translate(c.ctx, err))
		}
		return 0
	}
	for i, c := range b.commits {
		if !resp.Responses[i].GetResponseTxn().Succeeded {
			b.drop(c)
			c.end(0, txn.ErrLost)
			continue
		}
		c.end(resp.Header.Revision, nil)
	}
	return resp.Header.Revision
}

// batch are transactions of which none reads or writes what another writes, so
// that it does not matter which is first.
type batch struct {
	commits  []*commit
	bytes    int
	reads    map[string]bool
	prefixes map[string]bool
	writes   map[string]bool
	leased   bool
	deletes  bool // and nothing else
}

func newBatch() *batch {
	return &batch{reads: map[string]bool{}, prefixes: map[string]bool{}, writes: map[string]bool{}}
}

// takes says whether c may be in the batch. One with a lease, which may have
// ended, is alone: its error is its own. One that only deletes may be written
// when the store is full, so it is not put together with one that may not.
func (b *batch) takes(c *commit) bool {
	if len(b.commits) == 0 {
		return true
	}
	if b.leased || len(b.commits) == batchCommits || b.bytes+c.tx.Size() > batchBytes || b.deletes != onlyDeletes(c.writes) || b.changed(c.tx) {
		return false
	}
	for _, w := range c.writes {
		if w.Lease != 0 || b.writes[w.Key] || b.reads[w.Key] || underAny(b.prefixes, w.Key) {
			return false
		}
	}
	return true
}

// changed says whether the batch writes what tx has read.
func (b *batch) changed(tx *txn.Tx) bool {
	for key := range tx.Reads() {
		if b.writes[key] {
			return true
		}
	}
	for _, prefix := range tx.Prefixes() {
		for key := range b.writes {
			if strings.HasPrefix(key, prefix) {
				return true
			}
		}
	}
	return false
}

func onlyDeletes(writes []txn.Write) bool {
	return !slices.ContainsFunc(writes, func(w txn.Write) bool { return !w.Delete })
}

func underAny(prefixes map[string]bool, key string) bool {
	for prefix := range prefixes {
		if strings.HasPrefix(key, prefix) {
			return true
		}
	}
	return false
}

func (b *batch) add(c *commit) {
	b.commits, b.bytes, b.deletes = append(b.commits, c), b.bytes+c.tx.Size(), onlyDeletes(c.writes)
	for key := range c.tx.Reads() {
		b.reads[key] = true
	}
	for _, prefix := range c.tx.Prefixes() {
		b.prefixes[prefix] = true
	}
	for _, w := range c.writes {
		b.writes[w.Key] = true
		b.leased = b.leased || w.Lease != 0
	}
}

// drop forgets what a transaction of the batch did not write after all.
func (b *batch) drop(c *commit) {
	for _, w := range c.writes {
		delete(b.writes, w.Key)
	}
}
