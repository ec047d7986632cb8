package etcd

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"lazuli/internal/store"
	"lazuli/internal/store/txn"
)

// steps makes a transaction: "r key", "l prefix", "w key", "d key", "lease key".
func steps(t *testing.T, view store.Reader, all ...string) *txn.Tx {
	t.Helper()
	tx := txn.New(view)
	for _, step := range all {
		verb, key, _ := strings.Cut(step, " ")
		var err error
		switch verb {
		case "r":
			_, err = tx.Get(t.Context(), key)
		case "l":
			_, err = tx.List(t.Context(), key)
		case "w":
			tx.Put(key, []byte("new"))
		case "d":
			tx.Delete(key)
		case "lease":
			tx.PutLeased(key, nil, 7)
		default:
			t.Fatalf("step %q", step)
		}
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			t.Fatal(err)
		}
	}
	return tx
}

func openInside(t *testing.T) *Store {
	s, err := Open(t.Context(), Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestBatchTakes(t *testing.T) {
	s := openInside(t)
	tests := map[string]struct {
		first, second []string
		want          bool
	}{
		"keys of their own":           {[]string{"r a", "w a"}, []string{"r b", "w b"}, true},
		"both read":                   {[]string{"r a", "w b"}, []string{"r a", "w c"}, true},
		"both list":                   {[]string{"l p/", "w b"}, []string{"l p/", "w c"}, true},
		"both write":                  {[]string{"w a"}, []string{"w a"}, false},
		"one writes, one deletes":     {[]string{"w a"}, []string{"d a"}, false},
		"reads what is written":       {[]string{"w a"}, []string{"r a", "w b"}, false},
		"writes what is read":         {[]string{"r a", "w b"}, []string{"w a"}, false},
		"deletes what is read":        {[]string{"r a", "d b"}, []string{"d a"}, false},
		"lists what is written":       {[]string{"w p/x"}, []string{"l p/", "w b"}, false},
		"writes under what is listed": {[]string{"l p/", "w b"}, []string{"w p/x"}, false},
		"lists what is read":          {[]string{"r p/x", "w b"}, []string{"l p/", "w c"}, true},
		"deletes what is listed":      {[]string{"l p/", "d b"}, []string{"d p/x"}, false},
		"lists everything":            {[]string{"w b"}, []string{"l ", "w c"}, false},
		"both delete":                 {[]string{"d a"}, []string{"d b", "d c"}, true},
		"only one writes":             {[]string{"w a"}, []string{"d b"}, false},
		"one deletes and writes":      {[]string{"w a"}, []string{"d b", "w c"}, true},
		"a lease first":               {[]string{"lease a"}, []string{"w b"}, false},
		"a lease second":              {[]string{"w a"}, []string{"lease b"}, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			b := newBatch()
			first := waiting(t, s, tt.first...)
			if !b.takes(first) {
				t.Fatal("an empty batch takes nothing")
			}
			b.add(first)
			if got := b.takes(waiting(t, s, tt.second...)); got != tt.want {
				t.Errorf("takes the second: %v, want %v", got, tt.want)
			}
		})
	}
}

// waiting is a transaction that waits to be written.
func waiting(t *testing.T, s *Store, all ...string) *commit {
	v := &view{store: s}
	tx := steps(t, v, all...)
	rev, err := v.revision(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return &commit{ctx: t.Context(), tx: tx, writes: tx.Writes(), rev: rev, done: make(chan outcome, 1)}
}

func TestBatchBounds(t *testing.T) {
	s := openInside(t)
	for i := range 3 * batchCommits {
		s.queue.waiting = append(s.queue.waiting, waiting(t, s, fmt.Sprint("w ", i)))
	}
	large := waiting(t, s)
	large.tx.Put("large", make([]byte, batchBytes))
	large.writes = large.tx.Writes()
	s.queue.waiting = append(s.queue.waiting, large)
	var sizes []int
	for b := s.queue.next(); b != nil; b = s.queue.next() {
		sizes = append(sizes, len(b.commits))
	}
	if want := []int{batchCommits, batchCommits, batchCommits, 1}; !slices.Equal(sizes, want) {
		t.Errorf("batches of %v, want %v", sizes, want)
	}
}

// TestBatchIsApart says that what is written together succeeds and fails each
// for itself.
func TestBatchIsApart(t *testing.T) {
	s := openInside(t)
	ended, end := context.WithCancel(t.Context())
	stale := waiting(t, s, "r a", "w stale")
	behind := waiting(t, s, "l p/", "w behind")
	if _, err := s.Update(t.Context(), func(tx store.Tx) error { tx.Put("a", nil); return nil }); err != nil {
		t.Fatal(err)
	}
	good, other := waiting(t, s, "r a", "w good"), waiting(t, s, "w p/other", "d none")
	canceled := waiting(t, s, "w canceled")
	canceled.ctx = ended
	end()
	after := waiting(t, s, "r good", "w after") // what good writes
	s.queue.mu.Lock()
	s.queue.waiting, s.queue.writing = []*commit{stale, good, canceled, other, behind, after}, true
	s.queue.mu.Unlock()
	s.calls.Add(1)
	s.writeOn(s.queue.next())
	got := map[string]outcome{
		"stale": <-stale.done, "good": <-good.done, "other": <-other.done, "canceled": <-canceled.done, "behind": <-behind.done, "after": <-after.done,
	}
	for name, want := range map[string]error{
		"stale": txn.ErrLost, "good": nil, "other": nil, "canceled": context.Canceled, "behind": txn.ErrLost, "after": txn.ErrLost,
	} {
		if !errors.Is(got[name].err, want) || (want == nil) != (got[name].err == nil) {
			t.Errorf("%s: %v, want %v", name, got[name].err, want)
		}
	}
	if got["good"].rev != got["other"].rev || got["good"].rev == 0 {
		t.Errorf("written at %d and %d, want together", got["good"].rev, got["other"].rev)
	}
	es, err := s.List(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, e := range es {
		keys = append(keys, e.Key)
	}
	if want := []string{"a", "good", "p/other"}; !slices.Equal(keys, want) {
		t.Errorf("the store has %q, want %q", keys, want)
	}
	if _, err := s.Update(t.Context(), func(tx store.Tx) error { tx.Put("next", nil); return nil }); err != nil {
		t.Errorf("the next: %v", err)
	}
}
