package identity

import (
	"crypto/sha256"
	"sync"
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
