package storetest

import (
	"context"
	"errors"
	"testing"

	"lazuli/internal/store"
)

var ends = map[string]func(*testing.T, store.Store){
	"Canceled":       testCanceled,
	"Closed":         testClosed,
	"CloseWatching":  testCloseWatching,
	"CloseFromWatch": testCloseFromWatch,
	"CloseUnderLoad": testCloseUnderLoad,
}

// calls is every call that needs the engine.
func calls(c context.Context, s store.Store) map[string]error {
	out := map[string]error{}
	_, out["Get"] = s.Get(c, "a")
	_, out["List"] = s.List(c, "")
	_, _, out["Snapshot"] = s.Snapshot(c, "")
	_, _, out["Page"] = s.Page(c, "", "", 1)
	_, out["Update"] = s.Update(c, func(tx store.Tx) error { tx.Put("a", nil); return nil })
	_, out["Update, read"] = s.Update(c, func(tx store.Tx) error { _, err := tx.Get(c, "a"); return err })
	_, out["Update, empty"] = s.Update(c, func(store.Tx) error { return nil })
	_, out["Grant"] = s.Grant(c, hour)
	out["KeepAlive"] = s.KeepAlive(c, 1)
	out["Revoke"] = s.Revoke(c, 1)
	out["Watch"] = s.Watch(c, "", 0, func(int64, []store.Event) error { return errEnough })
	return out
}

func testCanceled(t *testing.T, s store.Store) {
	put(t, s, "a")
	c, cancel := context.WithCancel(ctx(t))
	cancel()
	for name, err := range calls(c, s) {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func testClosed(t *testing.T, s store.Store) {
	put(t, s, "a")
	for range 2 {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	}
	for name, err := range calls(ctx(t), s) {
		if !errors.Is(err, store.ErrClosed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func testCloseWatching(t *testing.T, s store.Store) {
	put(t, s, "a")
	const watchers = 4
	seen, ended := make(chan struct{}, watchers), make(chan error, watchers)
	for range watchers {
		go func() {
			ended <- s.Watch(ctx(t), "", 0, func(int64, []store.Event) error { seen <- struct{}{}; return nil })
		}()
	}
	for range watchers {
		<-seen
	}
	if err := s.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	for range watchers {
		if err := <-ended; !errors.Is(err, store.ErrClosed) {
			t.Errorf("Watch: %v", err)
		}
	}
}

func testCloseFromWatch(t *testing.T, s store.Store) {
	put(t, s, "a")
	err := s.Watch(ctx(t), "", 0, func(int64, []store.Event) error { return s.Close() })
	if !errors.Is(err, store.ErrClosed) {
		t.Errorf("Watch: %v", err)
	}
}

// testCloseUnderLoad closes amid calls; each either works or says so.
func testCloseUnderLoad(t *testing.T, s store.Store) {
	const clients = 8
	started := make(chan struct{}, clients)
	closed := make(chan error)
	go func() {
		for range clients {
			<-started
		}
		closed <- s.Close()
	}()
	together(clients, func(int) {
		for n := 0; ; n++ {
			_, err := s.Update(t.Context(), increment(t, "counter", 1))
			if n == 5 {
				started <- struct{}{}
			}
			if err != nil {
				if !errors.Is(err, store.ErrClosed) {
					t.Errorf("Update: %v", err)
				}
				return
			}
		}
	})
	if err := <-closed; err != nil {
		t.Errorf("Close: %v", err)
	}
}
