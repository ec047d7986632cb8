package identity

import (
	"net/netip"
	"sync"
	"time"
)

// How failed logins slow down: the first few are free, then the pause doubles.
const (
	freeFailures = 5
	firstPause   = time.Second
	lastPause    = time.Minute
	maxWatched   = 10000
)

// throttle slows down who fails often. It is kept by client and address, so
// that nobody can lock a client out from elsewhere.
type throttle struct {
	mu sync.Mutex
	m  map[string]failures
}

type failures struct {
	count int
	until time.Time // no try before
	last  time.Time
}

// neighbourhood is what an address is taken for: of IPv6 its network, for a
// client may have as many addresses in it as it likes.
func neighbourhood(remote string) string {
	a, err := netip.ParseAddr(remote)
	if err != nil || a.Unmap().Is4() {
		return remote
	}
	p, _ := a.WithZone("").Prefix(64) // never fails for 64 bits
	return p.String()
}

func newThrottle() *throttle { return &throttle{m: map[string]failures{}} }

func (t *throttle) allows(who string, now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return !now.Before(t.m[who].until)
}

func (t *throttle) failed(who string, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	f := t.m[who]
	f.count, f.last = f.count+1, now
	if n := f.count - freeFailures; n >= 0 {
		f.until = now.Add(min(firstPause<<min(n, 10), lastPause))
	}
	if len(t.m) >= maxWatched {
		t.prune(now)
	}
	t.m[who] = f
}

// prune forgets those whose last failure is long ago, or everybody.
func (t *throttle) prune(now time.Time) {
	for who, f := range t.m {
		if now.Sub(f.last) > 2*lastPause {
			delete(t.m, who)
		}
	}
	if len(t.m) >= maxWatched {
		clear(t.m)
	}
}

func (t *throttle) forget(who string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.m, who)
}
