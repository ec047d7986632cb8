package cli

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files")

// golden compares got with a file in testdata.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

func TestTable(t *testing.T) {
	tab := &table{columns: []string{"NAME", "STATE", "IMAGE"}}
	tab.add("web1", "running", "debian-12")
	tab.add("a-very-long-name", "", "")
	tab.add("żółw", "stopped", "a\x1b[31mb\tc\nd")
	var b bytes.Buffer
	if err := tab.print(&b); err != nil {
		t.Fatal(err)
	}
	golden(t, "table.golden", b.Bytes())
}

func TestFields(t *testing.T) {
	f := &fields{}
	f.add("Name", "web1")
	f.add("Empty", "")
	f.add("Data disk", "data1, 4 GiB")
	var b bytes.Buffer
	if err := f.print(&b); err != nil {
		t.Fatal(err)
	}
	golden(t, "fields.golden", b.Bytes())
}

func TestAge(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	for ago, want := range map[time.Duration]string{
		-time.Hour: "0s", 0: "0s", 90 * time.Second: "90s", 2 * time.Minute: "2m", 90 * time.Minute: "90m",
		3*time.Hour + time.Minute: "3h", 47 * time.Hour: "47h", 48 * time.Hour: "2d", 1000 * time.Hour: "41d",
	} {
		at := now.Add(-ago)
		if got := age(&at, now); got != want {
			t.Errorf("age of %s = %q, want %q", ago, got, want)
		}
	}
	if got := age(nil, now); got != "" {
		t.Errorf("age of nothing = %q", got)
	}
}
