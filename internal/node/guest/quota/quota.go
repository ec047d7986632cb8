// Package quota shares out what the node spends on answering guests, so that
// one guest can use up neither what is the others' nor the host's memory.
//
// It knows keys and counts; it must not know what is asked for.
package quota

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Quota bounds, for each key, how much is asked in a time and how much is under
// way at once. It is safe for concurrent use.
type Quota struct {
	perSecond rate.Limit
	burst     int
	atOnce    int

	mu sync.Mutex
	m  map[string]*share
}

type share struct {
	limiter  *rate.Limiter
	underway int
}

// New makes a quota of perSecond requests a second, after a burst, and of
// atOnce requests at the same time, for each key.
func New(perSecond float64, burst, atOnce int) *Quota {
	return &Quota{perSecond: rate.Limit(perSecond), burst: burst, atOnce: atOnce, m: map[string]*share{}}
}

// Allow takes one request from the key's rate, if there is one.
func (q *Quota) Allow(key string) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.share(key).limiter.AllowN(time.Now(), 1)
}

// Enter takes one of the key's places, if one is free. The place is given back
// by leave, which may be called more than once.
func (q *Quota) Enter(key string) (leave func(), ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	s := q.share(key)
	if s.underway >= q.atOnce {
		return nil, false
	}
	s.underway++
	return sync.OnceFunc(func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		s.underway--
	}), true
}

// Keep forgets every key for which keep is false. What is under way for it may
// still be left.
func (q *Quota) Keep(keep func(key string) bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for key := range q.m {
		if !keep(key) {
			delete(q.m, key)
		}
	}
}

func (q *Quota) share(key string) *share {
	s, ok := q.m[key]
	if !ok {
		s = &share{limiter: rate.NewLimiter(q.perSecond, q.burst)}
		q.m[key] = s
	}
	return s
}
