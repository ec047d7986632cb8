package disk

import "testing"

// TestMeasure measures small disks once: that the tools still say what is read.
func TestMeasure(t *testing.T) {
	var rows []Row
	c := Config{Dir: t.TempDir(), SizeBytes: 8 << 20, Rounds: 1, AIO: []string{"io_uring", "native"}}
	if err := Measure(t.Context(), c, func(r Row) { rows = append(rows, r) }); err != nil {
		t.Fatal(err)
	}
	if len(rows) != 8 {
		t.Errorf("%d rows, want 8", len(rows))
	}
	for _, r := range rows {
		if r.FIO <= 0 || r.RawFIO == "-" || r.OverlayRaw == "-" {
			t.Errorf("row %+v lacks a figure", r)
		}
	}
}

func TestRatio(t *testing.T) {
	iops := map[string][]float64{"a": {1, 2, 9}, "b": {2, 2, 3}}
	if got := ratio(iops, "a", "b"); got != "1.00" {
		t.Errorf("ratio = %s", got)
	}
	if got := ratio(iops, "none", "b"); got != "-" {
		t.Errorf("ratio of nothing = %s", got)
	}
}
