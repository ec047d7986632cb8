package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestShorten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	steps := []struct{ write, log, older string }{
		{"one\n", "one\n", ""},
		{"two\n", "one\ntwo\n", ""},
		{"three\n", "", "one\ntwo\nthree\n"},
		{"four\n", "four\n", "one\ntwo\nthree\n"},
		{"a longer line\n", "", "four\na longer line\n"},
	}
	for _, s := range steps {
		if _, err := f.WriteString(s.write); err != nil {
			t.Fatal(err)
		}
		if err := shorten(path, 8); err != nil {
			t.Fatal(err)
		}
		log, err := os.ReadFile(path)
		if err != nil || string(log) != s.log {
			t.Errorf("after %q the log is %q, %v, want %q", s.write, log, err, s.log)
		}
		older, err := os.ReadFile(path + ".1")
		if s.older != "" && err != nil || string(older) != s.older {
			t.Errorf("after %q the older log is %q, %v, want %q", s.write, older, err, s.older)
		}
	}
}
