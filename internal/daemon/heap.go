package daemon

import (
	"context"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync/atomic"
	"time"
)

const (
	// heapFloor is how many bytes the heap of who works hard may grow to before
	// it is collected, however little of it is in use. A small heap that is
	// collected each time it has doubled costs an eighth of the processor then;
	// who idles takes no more than that.
	heapFloor = 128 << 20
	heapTime  = 2 * time.Second
	// busy is how many collections in heapTime are those of who works hard.
	busy = 4
)

// growHeap adjusts the garbage collector to the work until ctx ends, and gives
// memory back when the work is over.
func growHeap(ctx context.Context) error {
	t := time.NewTicker(heapTime)
	defer t.Stop()
	defer debug.SetGCPercent(debug.SetGCPercent(usual))
	was, percent := readHeap(), 0 // the start is work too
	collected := make(chan struct{}, 1)
	defer tellCollections(collected)()
	for {
		select {
		case <-collected:
			// What is in use may have grown many times since the percentage was
			// chosen, and is not to grow as many times again.
			if p := floorPercent(readHeap().live); p < percent {
				percent = p
				debug.SetGCPercent(p)
			}
			continue
		case <-t.C:
		case <-ctx.Done():
			return ctx.Err()
		}
		is := readHeap()
		p := gcPercent(is, is.collections-was.collections, max(percent, usual))
		if was = is; p == percent {
			continue
		}
		percent = p
		debug.SetGCPercent(p)
		if p == usual {
			debug.FreeOSMemory() // what the work took
		}
	}
}

// heap is what the collector says.
type heap struct{ live, collections uint64 } // bytes in use; since the start

func readHeap() heap {
	all := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/gc/cycles/automatic:gc-cycles"}}
	metrics.Read(all)
	return heap{all[0].Value.Uint64(), all[1].Value.Uint64()}
}

// tellCollections sends to c after each collection, unless it is full.
func tellCollections(c chan<- struct{}) (stop func()) {
	var stopped atomic.Bool
	var arm func(*sentinel)
	arm = func(s *sentinel) {
		select {
		case c <- struct{}{}:
		default:
		}
		if !stopped.Load() {
			runtime.SetFinalizer(s, arm)
		}
	}
	runtime.SetFinalizer(new(sentinel), arm)
	return func() { stopped.Store(true) }
}

// sentinel is garbage that each collection finds. It has a pointer: small
// things without any may lie with others, and are found when all of them are.
type sentinel struct{ _ *byte }

// usual is Go's own percentage.
const usual = 100

// gcPercent is how much may be allocated until the next collection, in percent
// of what the last one found in use, after so many collections in heapTime at
// the percentage of before.
func gcPercent(h heap, collections uint64, before int) int {
	// What was allocated, in heaps that double: the same work is busy at either
	// percentage.
	if collections*uint64(before)/usual < busy {
		return usual
	}
	return floorPercent(h.live)
}

// floorPercent lets a heap of which so much is in use grow to heapFloor.
func floorPercent(live uint64) int {
	if live == 0 || live >= heapFloor/2 {
		return usual
	}
	return int(min(800, (heapFloor-live)*100/live))
}
