package storetest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"lazuli/internal/store"
)

// replica follows a prefix by Snapshot and Watch.
type replica struct {
	state map[string]string
	rev   int64
}

func newReplica(t *testing.T, s store.Store, prefix string) *replica {
	entries, rev, err := s.Snapshot(t.Context(), prefix)
	if err != nil {
		t.Errorf("Snapshot: %v", err)
	}
	r := &replica{state: map[string]string{}, rev: rev}
	for _, e := range entries {
		r.state[e.Key] = string(e.Value)
	}
	return r
}

func (r *replica) apply(rev int64, events []store.Event) error {
	if rev <= r.rev {
		return fmt.Errorf("revision %d after %d", rev, r.rev)
	}
	r.rev = rev
	for _, ev := range events {
		if ev.Revision != rev {
			return fmt.Errorf("event of revision %d in %d", ev.Revision, rev)
		}
		if ev.Deleted {
			delete(r.state, ev.Key)
		} else {
			r.state[ev.Key] = string(ev.Value)
		}
	}
	return nil
}

// follow watches until the key end is written, and calls each with the events
// of each revision.
func (r *replica) follow(t *testing.T, s store.Store, prefix, end string, each func(events []store.Event)) {
	err := s.Watch(t.Context(), prefix, r.rev, func(rev int64, events []store.Event) error {
		each(events)
		if err := r.apply(rev, events); err != nil {
			return err
		}
		if _, over := r.state[end]; over {
			return errEnough
		}
		return nil
	})
	if err != errEnough {
		t.Errorf("Watch: %v", err)
	}
}

func (r *replica) pairs() []string {
	var out []string
	for _, key := range slices.Sorted(maps.Keys(r.state)) {
		out = append(out, key+"="+r.state[key])
	}
	return out
}

// scribble writes and deletes at random, n transactions of several keys.
func scribble(t *testing.T, s store.Store, client, n int) {
	for i := range n {
		try(t, s, func(tx store.Tx) error {
			for k := range 3 {
				key := fmt.Sprintf("p/%d", (client*7+i*3+k*5)%20)
				if (i+k)%4 == 0 {
					tx.Delete(key)
				} else {
					tx.Put(key, fmt.Appendf(nil, "%d.%d", client, i))
				}
			}
			tx.Put(fmt.Sprintf("p/counter/%d", client), fmt.Append(nil, i))
			return nil
		})
	}
}

// testConcurrentWatches has replicas begin while others write. A gap leaves a
// replica wrong, and a duplicate is refused.
func testConcurrentWatches(t *testing.T, s store.Store) {
	const writers, each = 4, 60
	var following sync.WaitGroup
	replicas := make(chan *replica, 3*writers)
	together(writers, func(client int) {
		for range 3 {
			scribble(t, s, client, each/3)
			r := newReplica(t, s, "p/")
			replicas <- r
			following.Go(func() { r.follow(t, s, "p/", "p/end", func([]store.Event) {}) })
		}
	})
	put(t, s, "p/end")
	following.Wait()
	close(replicas)
	want := pairs(list(t, s, "p/"))
	for r := range replicas {
		if diff := cmp.Diff(want, r.pairs()); diff != "" {
			t.Error(diff)
		}
	}
}

// testSlowConsumer writes more than any buffer holds before f returns once.
func testSlowConsumer(t *testing.T, s store.Store) {
	const writes = 1500
	r := newReplica(t, s, "")
	calls, counted := 0, 0
	put(t, s, "first")
	r.follow(t, s, "", "end", func(events []store.Event) {
		for _, e := range events {
			if strings.HasPrefix(e.Key, "p/counter/") { // one for each transaction
				counted++
			}
		}
		if calls++; calls == 1 {
			together(8, func(client int) { scribble(t, s, client, writes/8) })
			put(t, s, "end")
		}
	})
	if want := writes / 8 * 8; counted != want {
		t.Errorf("%d transactions seen, want %d", counted, want)
	}
	if diff := cmp.Diff(pairs(list(t, s, "")), r.pairs()); diff != "" {
		t.Error(diff)
	}
}
