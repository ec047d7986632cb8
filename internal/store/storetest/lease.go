package storetest

import (
	"errors"
	"slices"
	"testing"
	"time"

	"lazuli/internal/store"
)

var leases = map[string]func(*testing.T, store.Store){
	"Expire":    testExpire,
	"KeepAlive": testKeepAlive,
	"Revoke":    testRevoke,
	"Unknown":   testUnknownLease,
	"Reattach":  testReattach,
	"BadTTL":    testBadTTL,
}

// hour is a lease that does not end during a test; brief is the shortest that
// every engine takes as it is.
const (
	hour  = time.Hour
	brief = time.Second
)

func grant(t *testing.T, s store.Store, ttl time.Duration) store.LeaseID {
	t.Helper()
	id, err := s.Grant(ctx(t), ttl)
	if err != nil || id == 0 {
		t.Fatalf("Grant(%v): %x, %v", ttl, id, err)
	}
	return id
}

func putLeased(t *testing.T, s store.Store, key string, id store.LeaseID) int64 {
	t.Helper()
	return update(t, s, func(tx store.Tx) { tx.PutLeased(key, nil, id) })
}

func testExpire(t *testing.T, s store.Store) {
	begin := time.Now()
	id := grant(t, s, brief)
	rev := putLeased(t, s, "a", id)
	put(t, s, "stays")
	collect(t, s, "a", rev, batches(1))
	if took := time.Since(begin); took < brief*9/10 || took > 10*brief {
		t.Errorf("ended after %v", took)
	}
	if got := keysOf(list(t, s, "")); !slices.Equal(got, []string{"stays"}) {
		t.Errorf("keys %q", got)
	}
	if err := s.KeepAlive(ctx(t), id); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("KeepAlive of what has ended: %v", err)
	}
}

func testKeepAlive(t *testing.T, s store.Store) {
	id := grant(t, s, brief)
	rev := putLeased(t, s, "a", id)
	ticker := time.NewTicker(brief / 5)
	defer ticker.Stop()
	for range 12 {
		<-ticker.C
		if err := s.KeepAlive(ctx(t), id); err != nil {
			t.Fatalf("KeepAlive: %v", err)
		}
	}
	get(t, s, "a")
	collect(t, s, "a", rev, batches(1))
}

func testRevoke(t *testing.T, s store.Store) {
	id := grant(t, s, hour)
	putLeased(t, s, "a", id)
	putLeased(t, s, "b", id)
	if err := s.Revoke(ctx(t), id); err != nil {
		t.Fatal(err)
	}
	if got := list(t, s, ""); len(got) != 0 {
		t.Errorf("keys %q", keysOf(got))
	}
	if err := s.Revoke(ctx(t), id); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("second Revoke: %v", err)
	}
}

func testUnknownLease(t *testing.T, s store.Store) {
	_, err := s.Update(ctx(t), func(tx store.Tx) error {
		tx.Put("a", nil)
		tx.PutLeased("b", nil, 4711)
		return nil
	})
	if !errors.Is(err, store.ErrNotFound) || len(list(t, s, "")) != 0 {
		t.Errorf("PutLeased: %v, %q", err, keysOf(list(t, s, "")))
	}
	if err := s.KeepAlive(ctx(t), 4711); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("KeepAlive: %v", err)
	}
}

// testReattach says that the last write of a key decides on its lease.
func testReattach(t *testing.T, s store.Store) {
	first, second := grant(t, s, hour), grant(t, s, hour)
	for _, key := range []string{"freed", "moved", "kept"} {
		putLeased(t, s, key, first)
	}
	put(t, s, "freed", "taken")
	putLeased(t, s, "moved", second)
	putLeased(t, s, "taken", second)
	if err := s.Revoke(ctx(t), first); err != nil {
		t.Fatal(err)
	}
	if got := keysOf(list(t, s, "")); !slices.Equal(got, []string{"freed", "moved", "taken"}) {
		t.Errorf("after the first: %q", got)
	}
	if err := s.Revoke(ctx(t), second); err != nil {
		t.Fatal(err)
	}
	if got := keysOf(list(t, s, "")); !slices.Equal(got, []string{"freed"}) {
		t.Errorf("after the second: %q", got)
	}
}

func testBadTTL(t *testing.T, s store.Store) {
	for _, ttl := range []time.Duration{0, -1} {
		if _, err := s.Grant(ctx(t), ttl); err == nil {
			t.Errorf("Grant(%v): no error", ttl)
		}
	}
}
