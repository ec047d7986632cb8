package node

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestRecordFactsOutliveAFullDisk(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "machines") // is missing: nothing can be written
	s := newRecords(dir)
	halt := func(r *record) { r.HaltedAt = 3 }
	if _, err := s.update("m", halt); err == nil {
		t.Fatal("an update that was not written is no error")
	}
	if r, err := s.get("m"); err != nil || r.HaltedAt != 0 {
		t.Errorf("after an update that failed: %+v, %v", r, err)
	}
	if _, err := s.note("m", halt); err == nil {
		t.Fatal("a fact that was not written is no error")
	}
	if r, err := s.get("m"); err != nil || r.HaltedAt != 3 {
		t.Errorf("after a fact that could not be written: %+v, %v", r, err)
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := s.get("m"); err != nil {
		t.Fatal(err)
	}
	again := newRecords(dir)
	if r, err := again.get("m"); err != nil || r.HaltedAt != 3 {
		t.Errorf("once there is room it is not written: %+v, %v", r, err)
	}
}

func TestRecordThatIsTheSameIsNotWritten(t *testing.T) {
	s := newRecords(t.TempDir())
	ready := time.Now()
	say := func() os.FileInfo {
		t.Helper()
		if _, err := s.update("m", func(r *record) { r.ReadyAt = &ready }); err != nil {
			t.Fatal(err)
		}
		st, err := os.Stat(s.path("m"))
		if err != nil {
			t.Fatal(err)
		}
		return st
	}
	if first, second := say(), say(); !os.SameFile(first, second) {
		t.Error("a record was written again for nothing")
	}
}

func TestRecordRemoveLeavesNothing(t *testing.T) {
	s := newRecords(t.TempDir())
	if _, err := s.update("m", func(r *record) { r.Started = true }); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(unfinished(s.path("m")), []byte("{"), 0o600); err != nil { // as a crash leaves it
		t.Fatal(err)
	}
	for range 2 {
		if err := s.remove("m"); err != nil {
			t.Fatal(err)
		}
	}
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != 0 {
		t.Errorf("left: %v", entries)
	}
}
