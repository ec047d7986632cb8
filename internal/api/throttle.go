package api

import (
	"cmp"
	"fmt"
	"math"
	"net/http"
	"strings"
	"sync"
	"time"

	"lazuli/internal/arm"
)

// Limits are how many requests a principal may make of a subscription: so many
// at once, and so many a second from then on. Zero is the default.
type Limits struct {
	Reads, Writes, Deletes Rate
}

// Rate is the size of a bucket of requests, and how fast it fills.
type Rate struct {
	Burst     int
	PerSecond float64
}

// The defaults are beyond what clients of one principal do who work for anything:
// they keep the others from who went wild.
var defaultLimits = Limits{
	Reads:   Rate{200_000, 10_000},
	Writes:  Rate{100_000, 5_000},
	Deletes: Rate{100_000, 5_000},
}

func (r Rate) or(d Rate) Rate {
	return Rate{cmp.Or(r.Burst, d.Burst), cmp.Or(r.PerSecond, d.PerSecond)}
}

// maxBuckets bounds how many principals' buckets are known; those that are full
// are forgotten first, as they say nothing.
const maxBuckets = 10000

// throttle counts requests by principal, subscription and kind.
type throttle struct {
	mu      sync.Mutex
	limits  [3]Rate // by kind
	buckets map[bucketKey]*bucket
}

// kind is reads, writes or deletes.
type kind int

const (
	reads kind = iota
	writes
	deletes
)

func (k kind) String() string { return [...]string{"Reads", "Writes", "Deletes"}[k] }

func kindOf(method string) kind {
	switch method {
	case http.MethodGet, http.MethodHead:
		return reads
	case http.MethodDelete:
		return deletes
	}
	return writes
}

type bucketKey struct {
	principal, subscription string
	kind                    kind
}

// bucket is how many requests were left at a time.
type bucket struct {
	left float64
	at   time.Time
}

func newThrottle(l Limits) *throttle {
	return &throttle{
		limits:  [3]Rate{l.Reads.or(defaultLimits.Reads), l.Writes.or(defaultLimits.Writes), l.Deletes.or(defaultLimits.Deletes)},
		buckets: map[bucketKey]*bucket{},
	}
}

// take takes one request out of the bucket. It says how many are left, or how
// long it takes until there is one.
func (t *throttle) take(k bucketKey, now time.Time) (left int, wait time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	r := t.limits[k.kind]
	b := t.buckets[k]
	if b == nil {
		t.makeRoom(now)
		b = &bucket{left: float64(r.Burst), at: now}
		t.buckets[k] = b
	}
	b.fill(r, now)
	if b.left < 1 {
		return 0, time.Duration((1 - b.left) / r.PerSecond * float64(time.Second))
	}
	b.left--
	return int(b.left), 0
}

func (b *bucket) fill(r Rate, now time.Time) {
	if d := now.Sub(b.at); d > 0 {
		b.left, b.at = min(float64(r.Burst), b.left+d.Seconds()*r.PerSecond), now
	}
}

// makeRoom forgets the buckets that are full again, or all when none is.
func (t *throttle) makeRoom(now time.Time) {
	if len(t.buckets) < maxBuckets {
		return
	}
	for k, b := range t.buckets {
		if b.fill(t.limits[k.kind], now); b.left >= float64(t.limits[k.kind].Burst) {
			delete(t.buckets, k)
		}
	}
	if len(t.buckets) >= maxBuckets {
		clear(t.buckets)
	}
}

// checkQuota takes the request out of its principal's bucket, and notes in h
// how many are left. What the cloud asks of itself is not counted.
func (q *request) checkQuota(h http.Header) error {
	if q.base == "https://"+internalHost {
		return nil
	}
	k := bucketKey{strings.ToLower(q.principal.ObjectID), strings.ToLower(q.target.id.Subscription), kindOf(q.Method)}
	scope := "Subscription"
	if k.subscription == "" {
		scope = "Tenant"
	}
	left, wait := q.s.throttle.take(k, q.s.Now())
	h.Set("X-Ms-Ratelimit-Remaining-"+scope+"-"+k.kind.String(), fmt.Sprint(left))
	if wait == 0 {
		return nil
	}
	seconds := int(math.Ceil(wait.Seconds()))
	h.Set("Retry-After", fmt.Sprint(seconds))
	return arm.StatusError(http.StatusTooManyRequests, scope+"RequestsThrottled", "Number of requests for subscription '%s' and operation '%s' exceeded the backend storage limit. Please try again after '%d' seconds.",
		q.target.id.Subscription, strings.ToLower(k.kind.String()), seconds)
}
