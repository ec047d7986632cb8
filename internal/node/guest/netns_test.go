package guest

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"runtime"
	"sync"
	"syscall"
	"testing"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"

	"lazuli/internal/fabric"
)

// space is a network namespace without a name: it goes with its last socket
// and with fd.
type space struct{ fd netns.NsHandle }

func newSpace(t testing.TB) space {
	t.Helper()
	var s space
	err := onThread(func() (err error) {
		if s.fd, err = netns.New(); err != nil {
			return err
		}
		return up("lo")
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.fd.Close() })
	return s
}

// onThread runs f on a thread of its own, which ends with it: whatever
// namespace it went into, nobody else gets there.
func onThread(f func() error) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread()
		done <- f()
	}()
	return <-done
}

func (s space) do(f func() error) error {
	return onThread(func() error {
		if err := netns.Set(s.fd); err != nil {
			return err
		}
		return f()
	})
}

func (s space) must(t testing.TB, f func() error) {
	t.Helper()
	if err := s.do(f); err != nil {
		t.Fatal(err)
	}
}

func in[T any](s space, f func() (T, error)) (v T, err error) {
	err = s.do(func() (err error) { v, err = f(); return err })
	return v, err
}

func (s space) Listen(network, address string) (net.Listener, error) {
	return in(s, func() (net.Listener, error) { return net.Listen(network, address) })
}

func (s space) ListenPacket(network, address string) (net.PacketConn, error) {
	return in(s, func() (net.PacketConn, error) { return net.ListenPacket(network, address) })
}

func (s space) ListenPort(portUID string) (net.PacketConn, error) {
	c := net.ListenConfig{Control: func(_, _ string, rc syscall.RawConn) (err error) {
		cerr := rc.Control(func(fd uintptr) {
			for _, opt := range []int{unix.SO_REUSEADDR, unix.SO_BROADCAST} {
				if err == nil {
					err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, opt, 1)
				}
			}
			if err == nil {
				err = unix.BindToDevice(int(fd), device(portUID))
			}
		})
		if err == nil {
			err = cerr
		}
		return err
	}}
	return in(s, func() (net.PacketConn, error) { return c.ListenPacket(context.Background(), "udp4", ":67") })
}

// Dial dials from inside, for http.Transport and dns.Client.
func (s space) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	return in(s, func() (net.Conn, error) { return (&net.Dialer{}).DialContext(ctx, network, address) })
}

func device(portUID string) string { return "n-" + portUID }

func up(name string) error {
	l, err := netlink.LinkByName(name)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return netlink.LinkSetUp(l)
}

func host(a netip.Addr) *net.IPNet {
	return &net.IPNet{IP: a.AsSlice(), Mask: net.CIDRMask(32, 32)}
}

// newRouter is a network's namespace as the driver makes it, without its rules.
func newRouter(t testing.TB) space {
	t.Helper()
	s := newSpace(t)
	s.must(t, func() error {
		lo, err := netlink.LinkByName("lo")
		if err != nil {
			return err
		}
		for _, a := range []string{"168.63.129.16", "169.254.169.254"} {
			if err := netlink.AddrAdd(lo, &netlink.Addr{IPNet: host(netip.MustParseAddr(a))}); err != nil {
				return err
			}
		}
		return nil
	})
	return s
}

var plugging sync.Mutex // the names that a veth pair has at first are the host's

// plug makes a guest with an interface eth0 on the port p of router.
func plug(t testing.TB, router space, p fabric.Port) space {
	t.Helper()
	guest := newSpace(t)
	mac, err := net.ParseMAC(p.MAC)
	if err != nil {
		t.Fatal(err)
	}
	plugging.Lock()
	defer plugging.Unlock()
	name := fmt.Sprintf("lzt%d", os.Getpid())
	router.must(t, func() error {
		v := &netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: device(p.UID)}, PeerName: name, PeerHardwareAddr: mac, PeerNamespace: netlink.NsFd(guest.fd)}
		if err := netlink.LinkAdd(v); err != nil {
			return err
		}
		l, err := netlink.LinkByName(device(p.UID))
		if err != nil {
			return err
		}
		gateway := p.Addresses[0].Subnet.Masked().Addr().Next()
		if err := netlink.AddrAdd(l, &netlink.Addr{IPNet: host(gateway)}); err != nil {
			return err
		}
		if err := netlink.LinkSetUp(l); err != nil {
			return err
		}
		for _, a := range p.Addresses {
			if err := netlink.RouteAdd(&netlink.Route{Dst: host(a.Private), LinkIndex: l.Attrs().Index, Scope: netlink.SCOPE_LINK}); err != nil {
				return err
			}
		}
		return nil
	})
	guest.must(t, func() error {
		l, err := netlink.LinkByName(name)
		if err != nil {
			return err
		}
		if err := netlink.LinkSetName(l, "eth0"); err != nil {
			return err
		}
		return netlink.LinkSetUp(l)
	})
	return guest
}

// configure gives the guest's interface an address, and the gateway.
func configure(t testing.TB, guest space, address, gateway netip.Addr) {
	t.Helper()
	guest.must(t, func() error {
		l, err := netlink.LinkByName("eth0")
		if err != nil {
			return err
		}
		if err := netlink.AddrAdd(l, &netlink.Addr{IPNet: &net.IPNet{IP: address.AsSlice(), Mask: net.CIDRMask(24, 32)}}); err != nil {
			return err
		}
		return netlink.RouteReplace(&netlink.Route{Dst: &net.IPNet{IP: net.IPv4zero, Mask: net.CIDRMask(0, 32)}, Gw: gateway.AsSlice(), LinkIndex: l.Attrs().Index})
	})
}
