package node

import (
	"sync"
	"time"
)

const (
	calmAfter  = 10 * time.Minute // after which what happens is no longer one of a row
	maxBackoff = time.Minute      // between attempts
)

// streaks counts what happens to each machine in a row: that it crashes, or is
// let go on after an I/O error. What happens again and again is put right less
// and less often. The agent's own life bounds a row: what ended with the host
// did not crash.
type streaks struct {
	mu *sync.Mutex
	m  map[string]streak
}

type streak struct {
	times int
	last  time.Time
}

func newStreaks() streaks { return streaks{mu: new(sync.Mutex), m: map[string]streak{}} }

func (s streaks) add(uid string, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := s.m[uid]
	if at.Sub(k.last) > calmAfter {
		k.times = 0
	}
	s.m[uid] = streak{k.times + 1, at}
}

// wait is how long not to try yet: not at all after the first time, and then
// longer each time.
func (s streaks) wait(uid string, now time.Time) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := s.m[uid]
	if k.times < 2 {
		return 0
	}
	return max(0, min(time.Second<<min(k.times-2, 10), maxBackoff)-now.Sub(k.last))
}

func (s streaks) forget(uid string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.m, uid)
}
