package identity

import (
	"crypto/sha256"
	"sync"

	"lazuli/internal/store"
)

// maxSeen bounds how many tokens are remembered.
const maxSeen = 4096

// seenTokens remembers tokens whose signature was found to be right, which
// takes longer to find out than most requests. Whether a token has expired, and
// whom it is of, is to be looked at each time.
type seenTokens struct {
	mu sync.Mutex
	m  map[[sha256.Size]byte]claims
}

func newSeenTokens() *seenTokens { return &seenTokens{m: map[[sha256.Size]byte]claims{}} }

func (s *seenTokens) get(raw string) (claims, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.m[sha256.Sum256([]byte(raw))]
	return c, ok
}

// add forgets all when there is no room: each is found out again.
func (s *seenTokens) add(raw string, c claims) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.m) >= maxSeen {
		clear(s.m)
	}
	s.m[sha256.Sum256([]byte(raw))] = c
}

// seenPrincipals remembers what the entries of principals say, which takes
// longer to read than to find out that they did not change. What is remembered
// is shared, and not to be changed.
type seenPrincipals struct {
	mu sync.Mutex
	m  map[string]seenPrincipal // by key
}

type seenPrincipal struct {
	*Principal
	revision int64
}

func newSeenPrincipals() *seenPrincipals { return &seenPrincipals{m: map[string]seenPrincipal{}} }

// read is decodePrincipal.
func (s *seenPrincipals) read(e store.Entry) (*Principal, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p, ok := s.m[e.Key]; ok && p.revision == e.Revision {
		return p.Principal, nil
	}
	p, err := decodePrincipal(e)
	if err != nil {
		return nil, err
	}
	if len(s.m) >= maxSeen {
		clear(s.m)
	}
	s.m[e.Key] = seenPrincipal{p, e.Revision}
	return p, nil
}
