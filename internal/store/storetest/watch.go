package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"lazuli/internal/store"
)

var watches = map[string]func(*testing.T, store.Store){
	"Events":       testEvents,
	"Prefixes":     testWatchPrefixes,
	"Resume":       testResume,
	"FutureStart":  testFutureStart,
	"Concurrent":   testConcurrentWatches,
	"SlowConsumer": testSlowConsumer,
	"Compacted":    testCompacted,
	"ErrorOfF":     testWatchErrorOfF,
	"Cancel":       testWatchCancel,
	"Lease":        testWatchLease,
	"Readable":     testReadable,
}

// batch is one call of Watch's function.
type batch struct {
	Rev    int64
	Events []store.Event
}

var errEnough = errors.New("enough")

// collect watches until enough says so.
func collect(t *testing.T, s store.Store, prefix string, after int64, enough func([]batch) bool) []batch {
	t.Helper()
	var got []batch
	err := s.Watch(ctx(t), prefix, after, func(rev int64, events []store.Event) error {
		got = append(got, batch{rev, slices.Clone(events)})
		if enough(got) {
			return errEnough
		}
		return nil
	})
	if err != errEnough {
		t.Errorf("Watch(%q, %d): %v after %d batches", prefix, after, err, len(got))
	}
	return got
}

func batches(n int) func([]batch) bool {
	return func(got []batch) bool { return len(got) >= n }
}

// until stops at the batch of revision rev.
func until(rev int64) func([]batch) bool {
	return func(got []batch) bool { return got[len(got)-1].Rev >= rev }
}

func testEvents(t *testing.T, s store.Store) {
	r1 := put(t, s, "p/b=1", "p/a=1", "p/c=1", "q=1")
	put(t, s, "q=2")
	r2 := update(t, s, func(tx store.Tx) {
		tx.Put("p/a", []byte("2"))
		tx.Delete("p/b")
		tx.Delete("p/absent")
	})
	r3 := put(t, s, "p/b=3")
	want := []batch{
		{r1, []store.Event{written("p/a=1", r1, r1), written("p/b=1", r1, r1), written("p/c=1", r1, r1)}},
		{r2, []store.Event{written("p/a=2", r1, r2), deleted("p/b", r2)}},
		{r3, []store.Event{written("p/b=3", r3, r3)}},
	}
	if diff := cmp.Diff(want, collect(t, s, "p/", 0, batches(3))); diff != "" {
		t.Error(diff)
	}
}

func written(pair string, created, rev int64) store.Event {
	key, value := split(pair)
	return store.Event{Entry: store.Entry{Key: key, Value: []byte(value), Created: created, Revision: rev}}
}

func deleted(key string, rev int64) store.Event {
	return store.Event{Entry: store.Entry{Key: key, Revision: rev}, Deleted: true}
}

func testWatchPrefixes(t *testing.T, s store.Store) {
	put(t, s, awkward...)
	for _, prefix := range awkwardPrefixes {
		want := expect(awkward, prefix)
		if len(want) == 0 {
			continue
		}
		var got []string
		for _, ev := range collect(t, s, prefix, 0, batches(1))[0].Events {
			got = append(got, ev.Key)
		}
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("Watch(%q): %s", prefix, diff)
		}
	}
}

// testResume begins again after each revision that a first watch saw.
func testResume(t *testing.T, s store.Store) {
	var last int64
	for i := range 10 {
		put(t, s, fmt.Sprintf("q=%d", i))
		last = put(t, s, fmt.Sprintf("p/%d", i%3), fmt.Sprintf("p/x=%d", i))
	}
	all := collect(t, s, "p/", 0, until(last))
	for i, b := range all[:len(all)-1] {
		if diff := cmp.Diff(all[i+1:], collect(t, s, "p/", b.Rev, until(last))); diff != "" {
			t.Errorf("after %d: %s", b.Rev, diff)
		}
	}
}

func testFutureStart(t *testing.T, s store.Store) {
	now := put(t, s, "a=0")
	var writer sync.WaitGroup
	writer.Go(func() {
		for i := range 4 {
			try(t, s, increment(t, "a", i))
		}
	})
	if got := collect(t, s, "", now+2, batches(1)); got[0].Rev != now+3 {
		t.Errorf("first revision %d, want %d", got[0].Rev, now+3)
	}
	writer.Wait()
}

func testWatchErrorOfF(t *testing.T, s store.Store) {
	put(t, s, "a")
	put(t, s, "b")
	if got := collect(t, s, "", 0, batches(1)); len(got) != 1 {
		t.Errorf("%d calls after the error", len(got))
	}
}

func testWatchCancel(t *testing.T, s store.Store) {
	put(t, s, "a")
	c, cancel := context.WithCancel(ctx(t))
	err := s.Watch(c, "", 0, func(int64, []store.Event) error { cancel(); return nil })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("canceled in f: %v", err)
	}
	err = s.Watch(c, "", 0, func(int64, []store.Event) error { t.Error("called"); return nil })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("canceled before: %v", err)
	}
}

func testCompacted(t *testing.T, s store.Store) {
	first := put(t, s, "p/a=1", "p/gone=1")
	remove(t, s, "p/gone")
	at := put(t, s, "p/a=2")
	compact(t, s, at)
	err := s.Watch(ctx(t), "p/", first, func(rev int64, _ []store.Event) error {
		return fmt.Errorf("event of revision %d", rev)
	})
	if !errors.Is(err, store.ErrCompacted) {
		t.Errorf("Watch of what is gone: %v", err)
	}
	last := put(t, s, "p/a=3")
	want := []batch{{last, []store.Event{written("p/a=3", first, last)}}}
	if diff := cmp.Diff(want, collect(t, s, "p/", at, batches(1))); diff != "" {
		t.Error(diff)
	}
	if got := pairs(list(t, s, "")); !slices.Equal(got, []string{"p/a=3"}) {
		t.Errorf("state %q", got)
	}
}

func testWatchLease(t *testing.T, s store.Store) {
	id := grant(t, s, hour)
	rev := update(t, s, func(tx store.Tx) {
		tx.PutLeased("a", nil, id)
		tx.PutLeased("b", nil, id)
	})
	if err := s.Revoke(ctx(t), id); err != nil {
		t.Fatal(err)
	}
	got := collect(t, s, "", rev, batches(1))
	if diff := cmp.Diff([]store.Event{deleted("a", got[0].Rev), deleted("b", got[0].Rev)}, got[0].Events); diff != "" {
		t.Error(diff)
	}
}

// testReadable has what a watch tells be there to be read: who is told that
// something was made, and then does not find it, takes it for deleted.
func testReadable(t *testing.T, s store.Store) {
	const writers, writes = 8, 250
	rev := put(t, s, "before=x")
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range writes {
				put(t, s, fmt.Sprintf("/readable/%d/%d=x", w, i))
			}
		})
	}
	left := writers * writes
	err := s.Watch(ctx(t), "/readable/", rev, func(_ int64, events []store.Event) error {
		for _, e := range events {
			if got, err := s.Get(ctx(t), e.Key); err != nil || got.Revision < e.Revision {
				return fmt.Errorf("%s was written at %d, and is read at %d: %w", e.Key, e.Revision, got.Revision, err)
			}
		}
		if left -= len(events); left == 0 {
			return errEnough
		}
		return nil
	})
	if err != errEnough {
		t.Error(err)
	}
	wg.Wait()
}
