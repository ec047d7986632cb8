package txn

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"lazuli/internal/store"
)

// fixed is a view of what never changes.
type fixed []store.Entry

func (v fixed) Get(_ context.Context, key string) (store.Entry, error) {
	for _, e := range v {
		if e.Key == key {
			e.Value = slices.Clone(e.Value)
			return e, nil
		}
	}
	return store.Entry{}, store.ErrNotFound
}

func (v fixed) List(context.Context, string) ([]store.Entry, error) { return slices.Clone(v), nil }

// gone is a view whose revision was compacted.
type gone struct{}

func (gone) Get(context.Context, string) (store.Entry, error)    { return store.Entry{}, ErrLost }
func (gone) List(context.Context, string) ([]store.Entry, error) { return nil, ErrLost }

// TestRecord says what a transaction remembers for its commit.
func TestRecord(t *testing.T) {
	tx := New(fixed{{Key: "a", Revision: 5}, {Key: "b", Revision: 6}})
	ctx := t.Context()
	tx.Get(ctx, "none")
	tx.Get(ctx, "a")
	tx.Put("own", []byte("1"))
	tx.Get(ctx, "own")
	tx.List(ctx, "")
	tx.Delete("own")
	tx.PutLeased("b", []byte("2"), 9)
	if diff := cmp.Diff(map[string]int64{"none": 0, "a": 5, "b": 6}, tx.Reads()); diff != "" {
		t.Errorf("reads: %s", diff)
	}
	if diff := cmp.Diff([]string{""}, tx.Prefixes()); diff != "" {
		t.Errorf("prefixes: %s", diff)
	}
	want := []Write{{Key: "b", Value: []byte("2"), Lease: 9}, {Key: "own", Delete: true}}
	if diff := cmp.Diff(want, tx.Writes()); diff != "" {
		t.Errorf("writes: %s", diff)
	}
	if tx.Lost() || tx.Check() != nil {
		t.Errorf("lost %v, check %v", tx.Lost(), tx.Check())
	}
}

// TestLost says that a view that is gone is noticed even if the error is not.
func TestLost(t *testing.T) {
	for name, read := range map[string]func(*Tx) error{
		"Get":  func(tx *Tx) error { _, err := tx.Get(t.Context(), "a"); return err },
		"List": func(tx *Tx) error { _, err := tx.List(t.Context(), "a"); return err },
	} {
		tx := New(gone{})
		if err := read(tx); !errors.Is(err, ErrLost) || !tx.Lost() {
			t.Errorf("%s: %v, lost %v", name, err, tx.Lost())
		}
		if len(tx.Reads())+len(tx.Prefixes()) != 0 {
			t.Errorf("%s: remembers what it has not read", name)
		}
	}
}

func TestCheck(t *testing.T) {
	tests := map[string]struct {
		f    func(tx *Tx)
		want error
	}{
		"nothing":    {func(*Tx) {}, nil},
		"just fits":  {func(tx *Tx) { tx.Put("k", make([]byte, MaxBytes-1)) }, nil},
		"too long":   {func(tx *Tx) { tx.Put("k", make([]byte, MaxBytes)) }, store.ErrTooLarge},
		"too many":   {func(tx *Tx) { putMany(tx, MaxOps+1) }, store.ErrTooLarge},
		"just many":  {func(tx *Tx) { putMany(tx, MaxOps) }, nil},
		"empty key":  {func(tx *Tx) { tx.Put("", nil) }, errEmptyKey},
		"empty gone": {func(tx *Tx) { tx.Delete("") }, errEmptyKey},
	}
	for name, tt := range tests {
		tx := New(fixed{})
		tt.f(tx)
		if err := tx.Check(); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", name, err, tt.want)
		}
	}
}

func putMany(tx *Tx, n int) {
	for i := range n {
		tx.Put(string(rune('a'+i%26))+string(rune(0x10000+i)), nil)
	}
}

// counted is a view that counts what it is asked for.
type counted struct {
	store.Reader
	gets int
}

func (v *counted) Get(ctx context.Context, key string) (store.Entry, error) {
	v.gets++
	return v.Reader.Get(ctx, key)
}

// TestAskedOnce says that a view is asked for a key once, be it there or not.
func TestAskedOnce(t *testing.T) {
	v := &counted{Reader: fixed{{Key: "a", Value: []byte("1"), Revision: 5}}}
	tx := New(v)
	for range 3 {
		if e, err := tx.Get(t.Context(), "a"); err != nil || string(e.Value) != "1" {
			t.Errorf("Get = %v, %v", e, err)
		} else {
			e.Value[0] = 'x' // the caller's own
		}
		if _, err := tx.Get(t.Context(), "none"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("Get = %v", err)
		}
	}
	if v.gets != 2 {
		t.Errorf("asked %d times, want 2", v.gets)
	}
}
