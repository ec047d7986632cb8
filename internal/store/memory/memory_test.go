package memory_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"lazuli/internal/store"
	"lazuli/internal/store/memory"
	"lazuli/internal/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t *testing.T) store.Store {
	s := memory.New(memory.Options{})
	t.Cleanup(func() { s.Close() })
	return s
}

func TestConformance(t *testing.T) { storetest.Run(t, open) }

// TestBeforeCommit loses each write of a sequence in turn, as a crash does.
func TestBeforeCommit(t *testing.T) {
	crash := errors.New("crash")
	for lost := range 3 {
		var seen [][]string
		s := memory.New(memory.Options{BeforeCommit: func(rev int64, keys []string) error {
			seen = append(seen, keys)
			if rev != int64(2+len(seen)-1) {
				t.Errorf("commit %d at revision %d", len(seen), rev)
			}
			if len(seen) > lost {
				return crash
			}
			return nil
		}})
		err := three(t, s)
		entries, rev, _ := s.Snapshot(t.Context(), "")
		if err != crash || len(entries) != 2*lost || rev != int64(1+lost) {
			t.Errorf("losing %d: %v, %d entries at %d", lost, err, len(entries), rev)
		}
		if got := seen[lost]; !slices.IsSorted(got) || len(got) != 2 {
			t.Errorf("keys %q", got)
		}
	}
}

// three makes three writes and stops at the first that fails.
func three(t *testing.T, s store.Store) error {
	for i := range 3 {
		_, err := s.Update(t.Context(), func(tx store.Tx) error {
			tx.Put(fmt.Sprint("b", i), nil)
			tx.Put(fmt.Sprint("a", i), nil)
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// TestReadsNeedNoCommit says that the hook hears of writes only.
func TestReadsNeedNoCommit(t *testing.T) {
	s := memory.New(memory.Options{BeforeCommit: func(int64, []string) error { return errors.New("called") }})
	_, err := s.Update(t.Context(), func(tx store.Tx) error { _, err := tx.List(t.Context(), ""); return err })
	if err != nil {
		t.Error(err)
	}
}

func TestHistoryIsBounded(t *testing.T) {
	s := memory.New(memory.Options{MaxRevisions: 10})
	for i := range 100 {
		if _, err := s.Update(t.Context(), func(tx store.Tx) error { tx.Put("a", fmt.Append(nil, i)); return nil }); err != nil {
			t.Fatal(err)
		}
	}
	err := s.Watch(t.Context(), "", 1, func(int64, []store.Event) error { return errors.New("called") })
	if !errors.Is(err, store.ErrCompacted) {
		t.Errorf("Watch from the start: %v", err)
	}
	if e, err := s.Get(t.Context(), "a"); err != nil || string(e.Value) != "99" || e.Created != 2 {
		t.Errorf("%+v, %v", e, err)
	}
}

// TestLeaseTime has leases end to the second, on synctest's clock.
func TestLeaseTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := memory.New(memory.Options{})
		defer s.Close()
		id, err := s.Grant(t.Context(), time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Update(t.Context(), func(tx store.Tx) error { tx.PutLeased("a", nil, id); return nil }); err != nil {
			t.Fatal(err)
		}
		time.Sleep(59 * time.Second)
		if err := s.KeepAlive(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute - 1)
		if _, err := s.Get(t.Context(), "a"); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		if _, err := s.Get(t.Context(), "a"); !errors.Is(err, store.ErrNotFound) {
			t.Error(err)
		}
	})
}

func BenchmarkUpdate(b *testing.B) {
	s := memory.New(memory.Options{})
	value := make([]byte, 1024)
	for i := 0; b.Loop(); i++ {
		key := fmt.Sprint(i % 1000)
		s.Update(b.Context(), func(tx store.Tx) error {
			tx.Get(b.Context(), key)
			tx.Put(key, value)
			return nil
		})
	}
}
