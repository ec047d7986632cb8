package mailbox

import (
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTake(t *testing.T) {
	m := New[int]()
	if got := m.Take(); got != nil {
		t.Errorf("took %v from an empty mailbox", got)
	}
	m.Put(1)
	m.Put(2)
	<-m.Ready()
	if diff := cmp.Diff([]int{1, 2}, m.Take()); diff != "" {
		t.Error(diff)
	}
	m.Put(3)
	<-m.Ready()
	if diff := cmp.Diff([]int{3}, m.Take()); diff != "" {
		t.Error(diff)
	}
}

func TestNothingIsMissed(t *testing.T) {
	const writers, each = 4, 500
	m := New[int]()
	var wg sync.WaitGroup
	for range writers {
		wg.Go(func() {
			for i := range each {
				m.Put(i)
			}
		})
	}
	for got := 0; got < writers*each; got += len(m.Take()) {
		<-m.Ready()
	}
	wg.Wait()
}
