package etcd_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"lazuli/internal/store/etcd"
)

// TestDamaged opens directories that have lost something. Each is refused in
// words, and left as it was.
func TestDamaged(t *testing.T) {
	tests := map[string]struct {
		damage func(t *testing.T, dir string)
		want   string
	}{
		"member gone":      {drop("member"), "no write-ahead log"},
		"log gone":         {drop("member/wal"), "no write-ahead log"},
		"database gone":    {drop("member/snap/db"), "no such file"},
		"mark gone":        {drop("store.json"), "store.json is missing"},
		"mark damaged":     {overwrite("store.json", "{"), "damaged: store.json"},
		"mark of tomorrow": {overwrite("store.json", `{"format":2,"cluster":"1"}`), "format 2"},
		"mark of another":  {overwrite("store.json", `{"format":1,"cluster":"1"}`), "store.json says 1"},
		"log cut off":      {cutOff("member/wal/0000000000000000-0000000000000000.wal"), "the database holds entry"},
		"log damaged":      {scratch("member/wal/0000000000000000-0000000000000000.wal"), "damaged: "},
		"database empty":   {overwrite("member/snap/db", ""), "damaged"},
		"database rubbish": {overwrite("member/snap/db", strings.Repeat("rubbish", 10_000)), "damaged"},
		"database cut off": {cutOff("member/snap/db"), "cut off at"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, _ := filled(t)
			tt.damage(t, dir)
			before := files(t, dir)
			s, err := etcd.Open(t.Context(), etcd.Options{Dir: dir})
			if err == nil {
				s.Close()
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
			if after := files(t, dir); name != "mark of another" && after != before {
				t.Errorf("files changed from %s to %s", before, after)
			}
		})
	}
}

func drop(name string) func(*testing.T, string) {
	return func(t *testing.T, dir string) {
		if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
}

func overwrite(name, content string) func(*testing.T, string) {
	return func(t *testing.T, dir string) { write(t, filepath.Join(dir, name), content) }
}

func cutOff(name string) func(*testing.T, string) {
	return func(t *testing.T, dir string) {
		if err := os.Truncate(filepath.Join(dir, name), 3*4096); err != nil {
			t.Fatal(err)
		}
	}
}

// scratch damages some bytes amid a file.
func scratch(name string) func(*testing.T, string) {
	return func(t *testing.T, dir string) {
		f, err := os.OpenFile(filepath.Join(dir, name), os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if _, err := f.WriteAt([]byte("scratch"), 200); err != nil {
			t.Fatal(err)
		}
	}
}

// files names every file under dir.
func files(t *testing.T, dir string) string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		names = append(names, path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(names, " ")
}
