package api_test

import (
	"testing"

	"lazuli/internal/api"
)

// Who asks too much is told to wait, and others are not.
func TestTooManyRequests(t *testing.T) {
	c := withGroup(t, func(c *api.Config) { c.Limits.Writes = api.Rate{Burst: 3, PerSecond: 0.1} })
	put := func() reply { return c.do("PUT", widgets+"/w1?"+version, `{"properties":{}}`) }
	for i, left := range []string{"1", "0"} {
		if r := put(); r.StatusCode >= 300 || r.Header.Get("X-Ms-Ratelimit-Remaining-Subscription-Writes") != left {
			t.Errorf("PUT %d = %d with %s left, want %s", i, r.StatusCode, r.Header.Get("X-Ms-Ratelimit-Remaining-Subscription-Writes"), left)
		}
	}
	r := put()
	if r.StatusCode != 429 || r.code() != "SubscriptionRequestsThrottled" || r.Header.Get("Retry-After") == "" {
		t.Errorf("PUT = %d %s, Retry-After %q, want to be told to wait", r.StatusCode, r.code(), r.Header.Get("Retry-After"))
	}
	c.expect(200, "GET", widgets+"/w1?"+version, "")
	c.expect(200, "DELETE", widgets+"/w1?"+version, "")
}
