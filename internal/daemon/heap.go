package daemon

import (
	"context"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

const (
	// heapFloor is how many bytes the heap may grow to before it is collected,
	// however little of it is in use. Under load, a small heap that is
	// collected each time it has doubled costs an eighth of the processor.
	heapFloor = 128 << 20
	heapTime  = 5 * time.Second
)

// growHeap keeps the garbage collector to heapFloor until ctx ends, as what is
// in use of the heap grows and shrinks.
func growHeap(ctx context.Context) error {
	t := time.NewTicker(heapTime)
	defer t.Stop()
	defer debug.SetGCPercent(debug.SetGCPercent(100))
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	for is := 100; ; {
		metrics.Read(live)
		if p := gcPercent(live[0].Value.Uint64()); p < is*9/10 || p > is*11/10 {
			debug.SetGCPercent(p)
			is = p
		}
		select {
		case <-t.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// gcPercent is how much may be allocated until the next collection, in percent
// of the bytes that the last one found in use.
func gcPercent(live uint64) int {
	const usual, most = 100, 800
	if live == 0 || live >= heapFloor/2 {
		return usual
	}
	return int(min(most, (heapFloor-live)*100/live))
}
