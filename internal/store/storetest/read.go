package storetest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"lazuli/internal/store"
)

var reads = map[string]func(*testing.T, store.Store){
	"Get":        testGet,
	"EmptyValue": testEmptyValue,
	"Prefixes":   testPrefixes,
	"Pages":      testPages,
	"PageBounds": testPageBounds,
	"Long":       testLong,
	"Snapshot":   testSnapshot,
	"OwnCopy":    testOwnCopy,
}

func testGet(t *testing.T, s store.Store) {
	if _, err := s.Get(ctx(t), "a"); !errors.Is(err, store.ErrNotFound) {
		t.Fatalf("Get of an absent key: %v", err)
	}
	if _, err := s.Get(ctx(t), ""); !errors.Is(err, store.ErrNotFound) {
		t.Fatalf("Get of the empty key: %v", err)
	}
	first := put(t, s, "a=1")
	second := put(t, s, "a=2")
	if second <= first {
		t.Fatalf("revisions %d, %d", first, second)
	}
	want := store.Entry{Key: "a", Value: []byte("2"), Created: first, Revision: second}
	if diff := cmp.Diff(want, get(t, s, "a")); diff != "" {
		t.Error(diff)
	}
	remove(t, s, "a")
	if _, err := s.Get(ctx(t), "a"); !errors.Is(err, store.ErrNotFound) {
		t.Fatalf("Get of a deleted key: %v", err)
	}
	again := put(t, s, "a=3")
	if e := get(t, s, "a"); e.Created != again || e.Revision != again {
		t.Errorf("created again at %d: %+v", again, e)
	}
}

func testEmptyValue(t *testing.T, s store.Store) {
	update(t, s, func(tx store.Tx) {
		tx.Put("nil", nil)
		tx.Put("empty", []byte{})
	})
	for _, e := range list(t, s, "") {
		if len(e.Value) != 0 {
			t.Errorf("%s = %q", e.Key, e.Value)
		}
	}
	if got := keysOf(list(t, s, "")); !slices.Equal(got, []string{"empty", "nil"}) {
		t.Errorf("keys %q", got)
	}
}

// awkward keys share prefixes, are prefixes, and hold the bytes at the ends
// of the alphabet.
var awkward = []string{
	"a", "a/", "a/1", "a/10", "a/2", "a/\xff", "a/\xff\xff", "a/\xffz", "a0", "ab",
	"a\x00", "b", "b\xff", "c", "\x00", "\x01", "\xfe\xff", "\xff", "\xff\x00", "\xff\xff", "\xff\xff\xff", "é",
}

var awkwardPrefixes = append([]string{"", "zz", "a/1/", "\xff\xff\xff\xff", "\xfe", "\xc3"}, awkward...)

// expect is what a list of prefix should hold of keys.
func expect(keys []string, prefix string) []string {
	var out []string
	for _, key := range slices.Sorted(slices.Values(keys)) {
		if strings.HasPrefix(key, prefix) {
			out = append(out, key)
		}
	}
	return out
}

func testPrefixes(t *testing.T, s store.Store) {
	put(t, s, awkward...)
	for _, prefix := range awkwardPrefixes {
		if diff := cmp.Diff(expect(awkward, prefix), keysOf(list(t, s, prefix))); diff != "" {
			t.Errorf("List(%q): %s", prefix, diff)
		}
	}
}

func testPages(t *testing.T, s store.Store) {
	put(t, s, awkward...)
	for _, prefix := range awkwardPrefixes {
		for _, limit := range []int{1, 2, 3, len(awkward) - 1, len(awkward), 1000} {
			got := pageThrough(t, s, prefix, limit)
			if diff := cmp.Diff(expect(awkward, prefix), got); diff != "" {
				t.Errorf("Page(%q, %d): %s", prefix, limit, diff)
			}
		}
	}
}

func pageThrough(t *testing.T, s store.Store, prefix string, limit int) (keys []string) {
	t.Helper()
	for after, more := "", true; more; {
		var entries []store.Entry
		var err error
		entries, more, err = s.Page(ctx(t), prefix, after, limit)
		if err != nil {
			t.Fatalf("Page(%q, %q, %d): %v", prefix, after, limit, err)
		}
		if len(entries) > limit || more && len(entries) < limit {
			t.Fatalf("Page(%q, %q, %d): %d entries, more %v", prefix, after, limit, len(entries), more)
		}
		keys = append(keys, keysOf(entries)...)
		if len(keys) > 0 {
			after = keys[len(keys)-1]
		}
	}
	return keys
}

func testPageBounds(t *testing.T, s store.Store) {
	put(t, s, "a/1", "a/3", "b/1")
	tests := map[string]struct {
		prefix, after string
		want          []string
		more          bool
	}{
		"from the start":    {"a/", "", []string{"a/1"}, true},
		"before the prefix": {"a/", "a", []string{"a/1"}, true},
		"between keys":      {"a/", "a/2", []string{"a/3"}, false},
		"the last key":      {"a/", "a/3", nil, false},
		"past the prefix":   {"a/", "b", nil, false},
		"all keys":          {"", "a/1", []string{"a/3"}, true},
	}
	for name, tt := range tests {
		got, more, err := s.Page(ctx(t), tt.prefix, tt.after, 1)
		if err != nil || more != tt.more || !slices.Equal(keysOf(got), tt.want) {
			t.Errorf("%s: %q, %v, %v", name, keysOf(got), more, err)
		}
	}
	for _, limit := range []int{0, -1} {
		if _, _, err := s.Page(ctx(t), "", "", limit); err == nil {
			t.Errorf("Page of %d entries: no error", limit)
		}
	}
}

// testLong reads more than an engine is likely to hold in one bite.
func testLong(t *testing.T, s store.Store) {
	const total, each = 21_000, 7_000
	var want []string
	for n := 0; n < total; n += each {
		var some []string
		for i := range each {
			some = append(some, fmt.Sprintf("long/%06d", n+i))
		}
		put(t, s, some...)
		want = append(want, some...)
	}
	if got := keysOf(list(t, s, "long/")); !slices.Equal(got, want) {
		t.Errorf("List: %d of %d keys", len(got), total)
	}
	for _, limit := range []int{total, total - 1, total / 2} {
		if got := pageThrough(t, s, "long/", limit); !slices.Equal(got, want) {
			t.Errorf("Page by %d: %d of %d keys", limit, len(got), total)
		}
	}
}

func testSnapshot(t *testing.T, s store.Store) {
	_, before, err := s.Snapshot(ctx(t), "none/")
	if err != nil {
		t.Fatal(err)
	}
	put(t, s, "a/1", "b/1")
	last := put(t, s, "b/2")
	entries, rev, err := s.Snapshot(ctx(t), "a/")
	if err != nil || rev != last || before >= last {
		t.Errorf("Snapshot at %d, then %d, want %d: %v", before, rev, last, err)
	}
	if got := keysOf(entries); !slices.Equal(got, []string{"a/1"}) {
		t.Errorf("Snapshot: %q", got)
	}
}

// testOwnCopy says that neither side can change the other's bytes.
func testOwnCopy(t *testing.T, s store.Store) {
	value := []byte("good")
	update(t, s, func(tx store.Tx) {
		tx.Put("a", value)
		copy(value, "evil")
		copy(get(t, tx, "a").Value, "evil")
	})
	copy(get(t, s, "a").Value, "evil")
	copy(list(t, s, "a")[0].Value, "evil")
	if got := get(t, s, "a"); string(got.Value) != "good" {
		t.Errorf("value %q", got.Value)
	}
}
