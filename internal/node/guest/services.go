// Package guest is what a guest with Azure's own agents (cloud-init, the Azure
// Linux agent) asks of its platform: an address by DHCP, names by DNS, metadata
// at 169.254.169.254 and the wireserver at 168.63.129.16.
//
// It implements node.Services. It knows networks, their ports and machines, and
// gets its sockets from a node.Namespace; it must not know QEMU, netlink or the
// store. Who asks is decided by two things that a guest cannot choose: the
// network that the socket is in, and the source address (for DHCP, the device),
// which the network's anti-spoofing rules make certain.
package guest

import (
	"context"
	"log/slog"
	"sync"

	"lazuli/internal/fabric"
	"lazuli/internal/node"
	"lazuli/internal/node/guest/nameserver"
	"lazuli/internal/node/guest/wireserver"
)

// Sink takes in what guests report; node.Agent is one.
type Sink = wireserver.Reporter

// Config is what Services need.
type Config struct {
	// Machine says what the node knows of a machine. It is called for each
	// request, and must be quick.
	Machine func(machineUID string) (fabric.Machine, bool)
	Report  Sink
	Logger  *slog.Logger
	// ResolvConf names the host's resolvers; "" is /etc/resolv.conf.
	ResolvConf string
}

// Services serves the guests of all networks of the node.
type Services struct {
	conf    Config
	forward *nameserver.Forwarder

	mu       sync.Mutex
	networks map[string]*network
}

var _ node.Services = (*Services)(nil)

// New makes Services that serve nobody yet.
func New(c Config) *Services {
	if c.ResolvConf == "" {
		c.ResolvConf = "/etc/resolv.conf"
	}
	return &Services{conf: c, forward: nameserver.NewForwarder(c.ResolvConf), networks: map[string]*network{}}
}

// Serve starts the services of a network, or brings them up to date: sockets
// that are open stay open, and guests notice nothing. What could not be opened
// is in the error and is tried again the next time; the rest is served.
//
// A port whose socket was closed by its Namespace (its device is gone) gets a
// new one the next time.
func (s *Services) Serve(ctx context.Context, n fabric.Network, ns node.Namespace) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	nw, ok := s.networks[n.UID]
	if !ok {
		nw = newNetwork(n, s.conf, s.forward)
		s.networks[n.UID] = nw
	}
	s.mu.Unlock()
	return nw.update(n, ns)
}

// Stop ends the services of a network, and returns when they have ended.
func (s *Services) Stop(networkUID string) {
	s.mu.Lock()
	nw, ok := s.networks[networkUID]
	delete(s.networks, networkUID)
	s.mu.Unlock()
	if ok {
		nw.stop()
	}
}

// Close stops all networks.
func (s *Services) Close() {
	s.mu.Lock()
	all := s.networks
	s.networks = map[string]*network{}
	s.mu.Unlock()
	for _, nw := range all {
		nw.stop()
	}
}
