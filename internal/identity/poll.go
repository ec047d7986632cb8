package identity

import (
	"sync"
	"time"
)

// maxPolls bounds what pollTimes remembers.
const maxPolls = 2 * maxDevices

// pollTimes remembers when each login was last asked about. It is of this
// process: who asks another one, or after a restart, is forgiven.
type pollTimes struct {
	mu sync.Mutex
	m  map[string]time.Time
}

func newPollTimes() *pollTimes { return &pollTimes{m: map[string]time.Time{}} }

// again says whether key was asked about a moment ago.
func (p *pollTimes) again(key string, now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	last, known := p.m[key]
	if len(p.m) >= maxPolls {
		clear(p.m)
	}
	p.m[key] = now
	return known && now.Sub(last) < tooSoon
}
