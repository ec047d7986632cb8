package identity

import (
	"fmt"
	"testing"

	"lazuli/internal/store"
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

func TestSeenPrincipals(t *testing.T) {
	s := newSeenPrincipals()
	read := func(key string, revision int64, name string) string {
		p, err := s.read(store.Entry{Key: key, Revision: revision, Value: []byte(`{"name":"` + name + `"}`)})
		if err != nil {
			t.Fatal(err)
		}
		return p.Name
	}
	if got := read("a", 1, "alice"); got != "alice" {
		t.Errorf("read as %q", got)
	}
	if got := read("a", 1, "what is remembered"); got != "alice" {
		t.Errorf("read again, as %q", got)
	}
	if got := read("a", 2, "bob"); got != "bob" {
		t.Errorf("after a change, read as %q", got)
	}
	if _, err := s.read(store.Entry{Key: "a", Revision: 3, Value: []byte("{")}); err == nil {
		t.Error("what cannot be read was taken for what is remembered")
	}
	for i := range 2 * maxSeen {
		read(fmt.Sprint(i), 1, "x")
	}
	if len(s.m) > maxSeen {
		t.Errorf("%d principals are remembered", len(s.m))
	}
}
