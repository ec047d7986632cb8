// Package nettest has guests without machines: for tests of what networks carry.
// It must not know any driver.
package nettest

import (
	"net"
	"net/netip"
	"os"
	"runtime"
	"sync"
	"testing"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Guest stands for a virtual machine: a network namespace whose eth0 is wired
// to a port's tap as QEMU would.
type Guest struct {
	t     testing.TB
	space *os.File
	nic   *os.File // our end of eth0
	port  *os.File
	done  sync.WaitGroup
}

// NewGuest makes a guest with an interface of that MAC, and no address. It ends
// with the test, or by Unplug.
func NewGuest(t testing.TB, port *os.File, mac string) *Guest {
	t.Helper()
	g := &Guest{t: t, port: port}
	hw, err := net.ParseMAC(mac)
	if err != nil {
		t.Fatal(err)
	}
	if err := inNewSpace(func() (err error) {
		if g.space, err = os.Open("/proc/thread-self/ns/net"); err != nil {
			return err
		}
		if g.nic, err = openTap("eth0"); err != nil {
			return err
		}
		for _, name := range []string{"lo", "eth0"} {
			l, err := netlink.LinkByName(name)
			if err != nil {
				return err
			}
			if name == "eth0" {
				if err := netlink.LinkSetHardwareAddr(l, hw); err != nil {
					return err
				}
			}
			if err := netlink.LinkSetUp(l); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatalf("make guest: %v", err)
	}
	g.done.Add(2)
	go g.copy(g.nic, g.port)
	go g.copy(g.port, g.nic)
	t.Cleanup(g.Unplug)
	return g
}

// copy carries frames, each with its virtio header, until an end is closed.
func (g *Guest) copy(to, from *os.File) {
	defer g.done.Done()
	b := make([]byte, 1<<17)
	for {
		n, err := from.Read(b)
		if err != nil {
			return
		}
		to.Write(b[:n]) //nolint:errcheck // a wire may lose frames
	}
}

// Unplug ends the guest, as when its power is cut.
func (g *Guest) Unplug() {
	g.port.Close()
	g.nic.Close()
	g.done.Wait()
	g.space.Close()
}

// Configure gives eth0 an address and a default gateway.
func (g *Guest) Configure(address string, gateway netip.Addr) {
	g.t.Helper()
	g.Do(func() error {
		l, err := netlink.LinkByName("eth0")
		if err != nil {
			return err
		}
		a, err := netlink.ParseAddr(address)
		if err != nil {
			return err
		}
		if err := netlink.AddrAdd(l, a); err != nil {
			return err
		}
		return netlink.RouteReplace(&netlink.Route{LinkIndex: l.Attrs().Index, Gw: gateway.AsSlice()})
	})
}

// Inject sends an Ethernet frame as the guest's interface could, whatever it
// says.
func (g *Guest) Inject(frame []byte) {
	g.t.Helper()
	if _, err := g.port.Write(append(make([]byte, 10), frame...)); err != nil {
		g.t.Fatalf("inject frame: %v", err)
	}
}

// Do calls f inside the guest.
func (g *Guest) Do(f func() error) {
	g.t.Helper()
	if err := InSpace(g.space, f); err != nil {
		g.t.Fatalf("in guest: %v", err)
	}
}

// InSpace calls f on a thread that is in a network namespace.
func InSpace(space *os.File, f func() error) error {
	return onThread(func() error { return unix.Setns(int(space.Fd()), unix.CLONE_NEWNET) }, f)
}

func inNewSpace(f func() error) error {
	return onThread(func() error { return unix.Unshare(unix.CLONE_NEWNET) }, f)
}

// onThread uses up a thread: it ends with the goroutine that is locked to it.
func onThread(enter, f func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		if err := enter(); err != nil {
			done <- err
			return
		}
		done <- f()
	}()
	return <-done
}

func openTap(name string) (*os.File, error) {
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	req, err := unix.NewIfreq(name)
	if err != nil {
		return nil, err
	}
	req.SetUint16(unix.IFF_TAP | unix.IFF_NO_PI | unix.IFF_VNET_HDR)
	if err := unix.IoctlIfreq(fd, unix.TUNSETIFF, req); err != nil {
		unix.Close(fd)
		return nil, err
	}
	return os.NewFile(uintptr(fd), name), nil
}
