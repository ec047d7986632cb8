package routed

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// namespace is the node.Namespace of a network. It keeps nothing open: each
// call goes to the namespace that has the network's name then.
type namespace struct {
	driver  *Driver
	network *network
	uid     string
}

func (n *namespace) do(f func() error) error {
	s, err := namedSpace(networkName(n.uid))
	if err != nil {
		return err
	}
	defer s.Close()
	return s.do(f)
}

// Listen is net.Listen in the network. The address must be literal.
func (n *namespace) Listen(network, address string) (l net.Listener, err error) {
	err = n.do(func() (err error) {
		l, err = net.Listen(network, address)
		return err
	})
	return l, err
}

// ListenPacket is net.ListenPacket in the network. The address must be literal.
func (n *namespace) ListenPacket(network, address string) (c net.PacketConn, err error) {
	err = n.do(func() (err error) {
		c, err = net.ListenPacket(network, address)
		return err
	})
	return c, err
}

// ListenPort receives what one port sends to UDP port 67. It goes on when the
// port's tap is made anew.
func (n *namespace) ListenPort(portUID string) (net.PacketConn, error) {
	dev := portName(portUID)
	conf := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		return control(c, func(fd int) error {
			return errors.Join(
				unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1),
				unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_BROADCAST, 1),
				unix.BindToDevice(fd, dev))
		})
	}}
	var pc net.PacketConn
	var link *net.Interface
	err := n.do(func() (err error) {
		if link, err = net.InterfaceByName(dev); err != nil {
			return err
		}
		pc, err = conf.ListenPacket(context.Background(), "udp4", ":67")
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("listen on port %s: %w", portUID, err)
	}
	s := &portSocket{UDPConn: pc.(*net.UDPConn), dev: dev, index: link.Index, in: &n.network.sockets}
	s.in.add(s)
	return s, nil
}

func control(c syscall.RawConn, f func(fd int) error) error {
	var inner error
	if err := c.Control(func(fd uintptr) { inner = f(int(fd)) }); err != nil {
		return err
	}
	return inner
}

// portSocket is bound to a device, by its index: when the tap is made anew, it
// has to be bound again.
type portSocket struct {
	*net.UDPConn
	dev   string
	index int
	in    *sockets
}

func (s *portSocket) Close() error {
	s.in.delete(s)
	return s.UDPConn.Close()
}

// sockets are the open port sockets of a network.
type sockets struct {
	mu   sync.Mutex
	open map[*portSocket]bool
}

func (s *sockets) add(p *portSocket) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open == nil {
		s.open = map[*portSocket]bool{}
	}
	s.open[p] = true
}

func (s *sockets) delete(p *portSocket) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, p)
}

// rebind binds the sockets of a device again if its index has changed. A socket
// that cannot be is one that is being closed.
func (s *sockets) rebind(dev string, index int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for p := range s.open {
		if p.dev != dev || p.index == index {
			continue
		}
		c, err := p.SyscallConn()
		if err == nil && control(c, func(fd int) error { return unix.BindToDevice(fd, dev) }) == nil {
			p.index = index
		}
	}
}
