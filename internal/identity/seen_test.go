package identity

import (
	"fmt"
	"testing"
)

func TestSeenTokens(t *testing.T) {
	s := newSeenTokens()
	s.add("a", claims{AppID: "app"})
	if c, ok := s.get("a"); !ok || c.AppID != "app" {
		t.Errorf("get = %+v, %v", c, ok)
	}
	if _, ok := s.get("a."); ok {
		t.Error("another token is taken for one that was seen")
	}
	for i := range 2 * maxSeen {
		s.add(fmt.Sprint(i), claims{})
	}
	if len(s.m) > maxSeen {
		t.Errorf("%d tokens are remembered", len(s.m))
	}
}
