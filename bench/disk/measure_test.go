package main

import (
	"strings"
	"testing"
)

// TestRun measures small disks once: that the tools still say what is read.
func TestRun(t *testing.T) {
	const size = 8 << 20
	targets, err := prepare(t.Context(), t.TempDir(), size)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := report(t.Context(), &out, targets, size, 1); err != nil {
		t.Fatal(err)
	}
	if lines := strings.Count(out.String(), "\n"); lines != 9 || strings.Contains(out.String(), "NaN") {
		t.Errorf("table is\n%s", out.String())
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
