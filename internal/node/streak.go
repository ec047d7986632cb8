package node

import (
	"sync"
	"time"
)

const (
	calmAfter  = 10 * time.Minute // after which a crash is no longer one of a row
	maxBackoff = time.Minute      // between starts of a machine that crashes
)

// streaks counts the crashes in a row of each machine. A machine that crashes
// again and again is started less and less often. The agent's own life bounds a
// row: what ended with the host did not crash.
type streaks struct {
	mu sync.Mutex
	m  map[string]streak
}

type streak struct {
	crashes int
	last    time.Time
}

func (s *streaks) crashed(uid string, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := s.m[uid]
	if at.Sub(k.last) > calmAfter {
		k.crashes = 0
	}
	s.m[uid] = streak{k.crashes + 1, at}
}

// wait is how long not to start the machine yet: not at all after the first
// crash, and then longer each time.
func (s *streaks) wait(uid string, now time.Time) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := s.m[uid]
	if k.crashes < 2 {
		return 0
	}
	return max(0, min(time.Second<<min(k.crashes-2, 10), maxBackoff)-now.Sub(k.last))
}

func (s *streaks) forget(uid string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.m, uid)
}
