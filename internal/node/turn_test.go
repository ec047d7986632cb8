package node

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
)

func TestTurnsAreOfOneKeyEach(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turns := newTurns()
		leave := turns.take("a")
		turns.take("b")() // at once: nobody has it
		var has atomic.Bool
		go func() {
			defer turns.take("a")()
			has.Store(true)
		}()
		leave()
		synctest.Wait()
		if !has.Load() {
			t.Error("a turn that was given up was not had by who waited for it")
		}
		if len(turns.m) != 0 {
			t.Errorf("%d turns are kept of which nobody has any", len(turns.m))
		}
	})
}

// TestTurnsExclude counts without any other lock, for the race detector too.
func TestTurnsExclude(t *testing.T) {
	turns, counts := newTurns(), make([]int, 3)
	var wg sync.WaitGroup
	for i := range 300 {
		wg.Go(func() {
			defer turns.take(fmt.Sprint(i % 3))()
			counts[i%3]++
		})
	}
	wg.Wait()
	for i, n := range counts {
		if n != 100 {
			t.Errorf("counted %d of key %d, want 100", n, i)
		}
	}
}
