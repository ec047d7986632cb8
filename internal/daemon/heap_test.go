package daemon

import (
	"runtime"
	"testing"
)

func TestGCPercent(t *testing.T) {
	const mib = 1 << 20
	tests := map[string]struct {
		live, collections uint64
		before, want      int
	}{
		"nothing was collected yet":    {0, 9, 100, 100},
		"idle":                         {32 * mib, 1, 100, 100},
		"begins to work":               {32 * mib, 4, 100, 300}, // 32 in use and 96 on top are the floor
		"works on":                     {32 * mib, 2, 300, 300},
		"stops":                        {32 * mib, 1, 300, 100},
		"tiny":                         {mib, 20, 100, 800},
		"as large as the floor allows": {64 * mib, 20, 100, 100},
		"large":                        {512 * mib, 20, 100, 100},
	}
	for name, tt := range tests {
		if got := gcPercent(heap{live: tt.live}, tt.collections, tt.before); got != tt.want {
			t.Errorf("%s: %d percent, want %d", name, got, tt.want)
		}
	}
}

func TestTellCollections(t *testing.T) {
	told := make(chan struct{}, 1)
	stop := tellCollections(told)
	for range 3 {
		runtime.GC()
		<-told
	}
	stop()
}
