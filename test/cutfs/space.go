package cutfs

import (
	"sync"
	"syscall"
)

// space is how much may still be written where nothing was before.
type space struct {
	mu      sync.Mutex
	limited bool
	free    int64
}

// set limits what is free; a negative number ends the limit.
func (s *space) set(n int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.limited, s.free = n >= 0, max(n, 0)
}

// take reserves n bytes.
func (s *space) take(n int64) syscall.Errno {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.limited && n > s.free {
		return syscall.ENOSPC
	}
	s.free -= n
	return 0
}

// give gives n bytes back.
func (s *space) give(n int64) { s.take(-n) }

// left is what is free; limited is false when the directory's own file system
// decides.
func (s *space) left() (free int64, limited bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.free, s.limited
}

// missing is how many bytes of a range are holes, or beyond the end.
func (c *content) missing(off, length int64) (int64, error) {
	have := int64(0)
	err := eachExtent(c.file, off, off+length, func(from, to int64) error {
		have += to - from
		return nil
	})
	return length - have, err
}
