package node

import (
	"testing"
	"time"
)

func TestStreak(t *testing.T) {
	s := newStreaks()
	at := time.Now()
	if got := s.wait("m", at); got != 0 {
		t.Errorf("before any crash: %v", got)
	}
	for i, want := range []time.Duration{0, 1, 2, 4, 8, 16, 32, 60, 60} {
		s.add("m", at)
		if got := s.wait("m", at); got != want*time.Second {
			t.Errorf("after crash %d: %v, want %v", i+1, got, want*time.Second)
		}
	}
	if got := s.wait("m", at.Add(2*time.Minute)); got != 0 {
		t.Errorf("later: %v, want no wait", got)
	}
	s.add("m", at.Add(time.Hour))
	if got := s.wait("m", at.Add(time.Hour)); got != 0 {
		t.Errorf("first crash of a new row: %v", got)
	}
	s.forget("m")
	if len(s.m) != 0 {
		t.Error("a machine that is gone is remembered")
	}
}
