package api

import (
	"fmt"
	"testing"
	"time"
)

func TestThrottle(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	th := newThrottle(Limits{Writes: Rate{Burst: 3, PerSecond: 2}})
	k := bucketKey{"p", "s", writes}
	for want := 2; want >= 0; want-- {
		if left, wait := th.take(k, now); left != want || wait != 0 {
			t.Fatalf("take = %d, %v, want %d left", left, wait, want)
		}
	}
	if _, wait := th.take(k, now); wait != 500*time.Millisecond {
		t.Errorf("with none left one is to wait %v, want half a second", wait)
	}
	for name, other := range map[string]bucketKey{"principal": {"q", "s", writes}, "subscription": {"p", "t", writes}, "kind": {"p", "s", reads}} {
		if _, wait := th.take(other, now); wait != 0 {
			t.Errorf("another %s is to wait %v", name, wait)
		}
	}
	if left, wait := th.take(k, now.Add(500*time.Millisecond)); left != 0 || wait != 0 {
		t.Errorf("after the wait: take = %d, %v", left, wait)
	}
	if left, _ := th.take(k, now.Add(time.Hour)); left != 2 {
		t.Errorf("after an hour %d are left, want no more than the bucket holds", left)
	}
	// A clock that goes back gives nothing.
	if left, _ := th.take(k, now); left != 1 {
		t.Errorf("earlier %d are left, want 1", left)
	}
}

func TestThrottleIsBounded(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	th := newThrottle(Limits{})
	empty := bucketKey{"busy", "s", writes}
	for range defaultLimits.Writes.Burst {
		th.take(empty, now)
	}
	for i := range 3 * maxBuckets {
		th.take(bucketKey{fmt.Sprint(i), "s", reads}, now.Add(time.Duration(i)*10*time.Microsecond))
	}
	if len(th.buckets) > maxBuckets {
		t.Errorf("%d buckets are known, want at most %d", len(th.buckets), maxBuckets)
	}
	// Who has used up his own is not forgotten for the sake of those who have not.
	if left, wait := th.take(empty, now.Add(300*time.Millisecond)); left > 2000 && wait == 0 {
		t.Errorf("%d are left to who had used up all", left)
	}
}

func TestDefaultsAreGenerous(t *testing.T) {
	now := time.Now()
	th := newThrottle(Limits{})
	for _, kind := range []kind{reads, writes, deletes} {
		for range 5000 {
			if _, wait := th.take(bucketKey{"p", "s", kind}, now); wait != 0 {
				t.Fatalf("5000 %v at once are throttled", kind)
			}
		}
	}
}
