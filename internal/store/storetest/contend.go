package storetest

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"

	"lazuli/internal/store"
)

var contentions = map[string]func(*testing.T, store.Store){
	"Counter":  testCounter,
	"Bank":     testBank,
	"Sequence": testSequence,
}

// together runs f in n goroutines and waits for them.
func together(n int, f func(i int)) {
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { f(i) })
	}
	wg.Wait()
}

// try is update for goroutines other than the test's own.
func try(t *testing.T, s store.Store, f func(tx store.Tx) error) bool {
	_, err := s.Update(t.Context(), f)
	if err != nil {
		t.Errorf("Update: %v", err)
	}
	return err == nil
}

func number(t *testing.T, r reader, key string) (int, error) {
	e, err := r.Get(t.Context(), key)
	if err != nil {
		return 0, ignoreNotFound(err)
	}
	return strconv.Atoi(string(e.Value))
}

func increment(t *testing.T, key string, by int) func(tx store.Tx) error {
	return func(tx store.Tx) error {
		n, err := number(t, tx, key)
		tx.Put(key, fmt.Append(nil, n+by))
		return err
	}
}

// testCounter has everybody at one key: no increment is lost, and none fails.
func testCounter(t *testing.T, s store.Store) {
	const clients, each = 32, 20
	together(clients, func(int) {
		for range each {
			try(t, s, increment(t, "counter", 1))
		}
	})
	if n, err := number(t, s, "counter"); n != clients*each || err != nil {
		t.Errorf("counter %d, want %d: %v", n, clients*each, err)
	}
}

const accounts, funds = 6, 100

func account(i int) string { return fmt.Sprint("account/", i) }

func sum(entries []store.Entry) (total int) {
	for _, e := range entries {
		n, _ := strconv.Atoi(string(e.Value))
		total += n
	}
	return total
}

// testBank moves money about while others count it.
func testBank(t *testing.T, s store.Store) {
	for i := range accounts {
		put(t, s, fmt.Sprintf("%s=%d", account(i), funds))
	}
	together(8, func(client int) {
		for range 25 {
			if client%4 == 0 {
				audit(t, s)
			} else {
				transfer(t, s, rand.IntN(accounts), rand.IntN(accounts))
			}
		}
	})
	audit(t, s)
}

func transfer(t *testing.T, s store.Store, from, to int) {
	try(t, s, func(tx store.Tx) error {
		if err := increment(t, account(from), -1)(tx); err != nil {
			return err
		}
		return increment(t, account(to), +1)(tx)
	})
}

// audit counts in a list, and key by key in a transaction.
func audit(t *testing.T, s store.Store) {
	entries, err := s.List(t.Context(), "account/")
	if got := sum(entries); got != accounts*funds || err != nil {
		t.Errorf("the bank lists %d, want %d: %v", got, accounts*funds, err)
	}
	total := 0
	try(t, s, func(tx store.Tx) error {
		total = 0
		for i := range accounts {
			n, err := number(t, tx, account(i))
			if err != nil {
				return err
			}
			total += n
		}
		return nil
	})
	if total != accounts*funds {
		t.Errorf("the bank holds %d, want %d", total, accounts*funds)
	}
}

// testSequence has everybody take the next number by counting a list, which
// only works if a list notices what is inserted.
func testSequence(t *testing.T, s store.Store) {
	const clients, each = 8, 10
	together(clients, func(client int) {
		for range each {
			try(t, s, func(tx store.Tx) error {
				taken, err := tx.List(t.Context(), "seq/")
				tx.Put(fmt.Sprintf("seq/%04d", len(taken)), fmt.Append(nil, client))
				return err
			})
		}
	})
	entries := list(t, s, "seq/")
	for _, e := range entries {
		if e.Created != e.Revision {
			t.Errorf("%s was taken twice", e.Key)
		}
	}
	if len(entries) != clients*each {
		t.Errorf("%d numbers taken, want %d", len(entries), clients*each)
	}
}
