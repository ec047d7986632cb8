package daemon

import "testing"

func TestGCPercent(t *testing.T) {
	for live, want := range map[uint64]int{
		0:         100, // nothing was collected yet
		1 << 20:   800, // not beyond what a heap grows by in a blink
		32 << 20:  300, // 32 in use and 96 on top are the floor
		64 << 20:  100, // and from there on as usual
		512 << 20: 100,
	} {
		if got := gcPercent(live); got != want {
			t.Errorf("%d MiB in use: %d percent, want %d", live>>20, got, want)
		}
	}
}
