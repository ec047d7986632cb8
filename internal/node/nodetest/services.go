package nodetest

import (
	"context"
	"sync"

	"lazuli/internal/fabric"
	"lazuli/internal/node"
)

// Services is a node.Services that notes what it is told.
type Services struct {
	mu       sync.Mutex
	networks map[string]fabric.Network
	spaces   map[string]node.Namespace
	served   map[string]int
}

var _ node.Services = (*Services)(nil)

// Serve notes a network.
func (s *Services) Serve(_ context.Context, n fabric.Network, ns node.Namespace) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.networks == nil {
		s.networks, s.spaces, s.served = map[string]fabric.Network{}, map[string]node.Namespace{}, map[string]int{}
	}
	s.networks[n.UID], s.spaces[n.UID] = n, ns
	s.served[n.UID]++
	return nil
}

// Stop notes that a network is served no more.
func (s *Services) Stop(uid string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.networks, uid)
	delete(s.spaces, uid)
}

// Network is what is being served of a network.
func (s *Services) Network(uid string) (n fabric.Network, ns node.Namespace, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, ok = s.networks[uid]
	return n, s.spaces[uid], ok
}

// Served counts the calls of Serve for a network.
func (s *Services) Served(uid string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.served[uid]
}
