// Package store keeps the state of the cloud: keys and values under
// transactions, watches and leases.
//
// It knows how to keep bytes, not what they mean. An acknowledged write is on
// stable storage. The engines (store/etcd and store/memory) pass the same
// conformance suite, store/storetest.
package store

import (
	"context"
	"errors"
	"time"
)

// Errors of every engine; test with errors.Is.
var (
	// ErrNotFound says that the key does not exist.
	ErrNotFound = errors.New("not found")
	// ErrCompacted says that a watch asked for a revision whose history is
	// gone. List again and watch from the revision that List returned.
	ErrCompacted = errors.New("revision compacted")
	// ErrConflict says that a transaction kept losing against others. It is
	// safe to try again.
	ErrConflict = errors.New("transaction conflict")
	// ErrTooLarge says that a value or transaction is over the engine's limit.
	ErrTooLarge = errors.New("value too large")
	// ErrNoSpace says that the host's disk is full. Nothing was written; it is
	// safe to try again when there is room.
	ErrNoSpace = errors.New("no space left for the state")
	// ErrClosed says that the engine was closed.
	ErrClosed = errors.New("store closed")
)

// Entry is one key with its value.
type Entry struct {
	Key   string
	Value []byte
	// Created and Revision are the store's revisions at which the key was
	// created and last written. Revisions grow; they are never reused.
	// Revision is 0 in what a transaction reads of its own writes.
	Created, Revision int64
}

// Reader reads the state. A Tx and a Store are both Readers.
type Reader interface {
	// Get returns the entry of key, or ErrNotFound.
	Get(ctx context.Context, key string) (Entry, error)
	// List returns the entries whose keys begin with prefix, in key order.
	List(ctx context.Context, prefix string) ([]Entry, error)
}

// Tx is one transaction. What it reads is one consistent snapshot overlaid
// with its own writes; its writes happen all together or not at all. The last
// write of a key counts. It is for one goroutine, and only until f returns.
type Tx interface {
	Reader
	Put(key string, value []byte)
	// PutLeased puts a key that goes when the lease ends.
	PutLeased(key string, value []byte, lease LeaseID)
	Delete(key string)
}

// Event is one change of one key. Value is nil and Created 0 when Deleted.
type Event struct {
	Entry
	Deleted bool
}

// LeaseID names a lease. Zero is no lease.
type LeaseID int64

// Store is an engine.
type Store interface {
	Reader
	// Snapshot lists a prefix and says at which revision, to watch from.
	Snapshot(ctx context.Context, prefix string) ([]Entry, int64, error)
	// Page lists up to limit entries whose keys begin with prefix and sort
	// after the key after ("" from the start), and says if there are more.
	Page(ctx context.Context, prefix, after string, limit int) (entries []Entry, more bool, err error)
	// Update runs f in a transaction and commits what it wrote if everything
	// it read (single keys, and prefixes including keys that appeared or
	// disappeared) is still so; else it runs f again, so f must have no
	// effect beyond tx. An error of f ends the transaction with nothing
	// written and is returned as it is. It returns the revision of the commit
	// (of the read when f wrote nothing), which is also that of others that were
	// committed with it and had nothing to do with it. After an error of the
	// commit other than ErrConflict and ErrTooLarge (ctx ended, the store does
	// not answer in time or became full by it), it may have happened.
	// f should list only what it decides by: each listed entry is compared again
	// at the commit.
	Update(ctx context.Context, f func(tx Tx) error) (int64, error)
	// Watch calls f with each change under prefix after revision after, in
	// order, changes of one revision in one call. It returns when ctx ends
	// (its error), when f returns an error (that error), with ErrCompacted, or
	// with ErrClosed. A slow f holds up nobody, unless it falls behind the
	// history that is kept.
	Watch(ctx context.Context, prefix string, after int64, f func(rev int64, events []Event) error) error
	// Grant makes a lease that ends ttl after its last KeepAlive, or a little
	// later: engines may round ttl up to whole seconds, and a restart of the
	// engine begins the ttl anew.
	Grant(ctx context.Context, ttl time.Duration) (LeaseID, error)
	// KeepAlive renews the lease once; ErrNotFound when it has ended.
	KeepAlive(ctx context.Context, id LeaseID) error
	// Revoke ends the lease and deletes its keys.
	Revoke(ctx context.Context, id LeaseID) error
	// Close ends the engine and frees what it holds.
	Close() error
}
