package quota

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestRateIsPerKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := New(2, 3, 1)
		for i, want := range []bool{true, true, true, false} {
			if got := q.Allow("a"); got != want {
				t.Errorf("request %d of a: %v", i, got)
			}
		}
		if !q.Allow("b") {
			t.Error("b pays for a")
		}
		time.Sleep(500 * time.Millisecond)
		if !q.Allow("a") || q.Allow("a") {
			t.Error("after half a second a should have exactly one more")
		}
	})
}

func TestPlaces(t *testing.T) {
	q := New(1, 1, 2)
	first, ok1 := q.Enter("a")
	_, ok2 := q.Enter("a")
	_, ok3 := q.Enter("a")
	if !ok1 || !ok2 || ok3 {
		t.Fatalf("entered %v %v %v, want two of three", ok1, ok2, ok3)
	}
	if _, ok := q.Enter("b"); !ok {
		t.Error("b waits for a")
	}
	first()
	first()
	if _, ok := q.Enter("a"); !ok {
		t.Error("no place after one was left")
	}
	if _, ok := q.Enter("a"); ok {
		t.Error("leaving twice gave two places")
	}
}

func TestKeep(t *testing.T) {
	q := New(1, 1, 1)
	leave, _ := q.Enter("gone")
	q.Allow("kept")
	q.Keep(func(k string) bool { return k == "kept" })
	leave()
	if q.Allow("kept") {
		t.Error("kept was forgotten")
	}
	if len(q.m) != 1 {
		t.Errorf("%d keys, want 1", len(q.m))
	}
}
