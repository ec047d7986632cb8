package daemon

import (
	"context"
	"runtime/debug"
	"runtime/metrics"
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
	for {
		select {
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

// usual is Go's own percentage.
const usual = 100

// gcPercent is how much may be allocated until the next collection, in percent
// of what the last one found in use, after so many collections in heapTime at
// the percentage of before.
func gcPercent(h heap, collections uint64, before int) int {
	if h.live == 0 || h.live >= heapFloor/2 {
		return usual
	}
	grown := int(min(800, (heapFloor-h.live)*100/h.live))
	// What was allocated, in heaps that double: the same work is busy at either
	// percentage.
	if collections*uint64(before)/usual < busy {
		return usual
	}
	return grown
}
