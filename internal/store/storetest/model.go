package storetest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"lazuli/internal/store"
)

// model is the state as a map. Each run has a prefix of its own, since all
// runs share a store.
type model struct {
	ctx   context.Context
	store store.Store
	root  string
	state map[string]string
}

// testModel runs random transactions and compares each read, what is left,
// and what a watch tells of it, with a map.
func testModel(t *testing.T, s store.Store) {
	run := 0
	rapid.Check(t, func(rt *rapid.T) {
		run++
		m := &model{ctx: t.Context(), store: s, root: fmt.Sprintf("run%d/", run), state: map[string]string{}}
		for range rapid.IntRange(1, 12).Draw(rt, "transactions") {
			m.transact(rt)
			m.compare(rt, s, m.state, "")
		}
	})
	checkWatch(t, s)
}

func (m *model) must(t *rapid.T, err error) {
	if err != nil {
		t.Fatalf("store: %v", err)
	}
}

var (
	modelKeys   = rapid.SampledFrom([]string{"a", "a/", "a/b", "a/b/c", "a0", "b", "\x00", "\xff", "\xff\xff"})
	modelPrefix = rapid.SampledFrom([]string{"", "a", "a/", "a/b", "b", "c", "\xff", "\xff\xff\xff"})
	modelValues = rapid.StringN(0, 4, 8)
	errAbort    = errors.New("abort")
)

// transact runs one transaction that may abort. What it draws is drawn before,
// as the store may run it more than once.
func (m *model) transact(t *rapid.T) {
	steps := rapid.SliceOfN(rapid.Custom(drawStep), 0, 8).Draw(t, "steps")
	abort := rapid.Bool().Draw(t, "abort")
	var next map[string]string
	_, err := m.store.Update(m.ctx, func(tx store.Tx) error {
		next = maps.Clone(m.state)
		for _, st := range steps {
			m.apply(t, tx, next, st)
		}
		if abort {
			return errAbort
		}
		return nil
	})
	if abort && err == errAbort {
		return
	}
	m.must(t, err)
	m.state = next
}

type step struct{ kind, key, value string }

func drawStep(t *rapid.T) step {
	kind := rapid.SampledFrom([]string{"put", "put", "delete", "get", "list"}).Draw(t, "kind")
	if kind == "list" {
		return step{kind, modelPrefix.Draw(t, "prefix"), ""}
	}
	return step{kind, modelKeys.Draw(t, "key"), modelValues.Draw(t, "value")}
}

func (m *model) apply(t *rapid.T, tx store.Tx, state map[string]string, st step) {
	switch st.kind {
	case "put":
		tx.Put(m.root+st.key, []byte(st.value))
		state[st.key] = st.value
	case "delete":
		tx.Delete(m.root + st.key)
		delete(state, st.key)
	case "get":
		e, err := tx.Get(m.ctx, m.root+st.key)
		want, ok := state[st.key]
		if ok != (err == nil) || string(e.Value) != want {
			t.Fatalf("Get(%q) = %q, %v; want %q", st.key, e.Value, err, want)
		}
	case "list":
		m.compare(t, tx, state, st.key)
	}
}

// compare lists prefix and compares it with state.
func (m *model) compare(t *rapid.T, r store.Reader, state map[string]string, prefix string) {
	entries, err := r.List(m.ctx, m.root+prefix)
	m.must(t, err)
	var want []string
	for _, key := range slices.Sorted(maps.Keys(state)) {
		if strings.HasPrefix(key, prefix) {
			want = append(want, m.root+key+"="+state[key])
		}
	}
	if got := pairs(entries); !slices.Equal(got, want) {
		t.Fatalf("List(%q) = %q, want %q", prefix, got, want)
	}
}

// checkWatch replays the whole history and compares it with what is left.
func checkWatch(t *testing.T, s store.Store) {
	put(t, s, "end")
	r := &replica{state: map[string]string{}}
	r.follow(t, s, "", "end", func([]store.Event) {})
	if got, want := r.pairs(), pairs(list(t, s, "")); !slices.Equal(got, want) {
		t.Errorf("watched %q, want %q", got, want)
	}
}
