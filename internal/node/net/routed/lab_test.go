package routed

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vishvananda/netlink"

	"lazuli/internal/fabric"
	"lazuli/internal/node"
	"lazuli/internal/node/net/nettest"
	"lazuli/internal/node/nodetest"
)

var (
	gateway   = netip.MustParseAddr("10.0.0.1")
	worldAddr = netip.MustParseAddr("192.0.2.1")
	hostAddr  = netip.MustParseAddr("192.0.2.10")
)

// lab is a host with a driver, and a world on its other side that knows the
// way to the host's public addresses.
type lab struct {
	t           *testing.T
	dir         string
	host, world string // namespaces
	services    *nodetest.Services
	d           *Driver
}

var labs atomic.Int64

func newLab(t *testing.T) *lab {
	t.Helper()
	id := labs.Add(1)
	l := &lab{t: t, dir: t.TempDir(), host: fmt.Sprintf("host%d", id), world: fmt.Sprintf("world%d", id)}
	for _, s := range []string{l.host, l.world} {
		l.must(createSpace(s))
		t.Cleanup(func() { removeSpace(s) })
	}
	l.run("ip", "-n", l.host, "link", "set", "lo", "up")
	l.run("ip", "-n", l.host, "link", "add", "ext", "type", "veth", "peer", "name", "ext", "netns", l.world)
	l.run("ip", "-n", l.host, "addr", "add", hostAddr.String()+"/24", "dev", "ext")
	l.run("ip", "-n", l.host, "link", "set", "ext", "up")
	l.run("ip", "-n", l.world, "addr", "add", worldAddr.String()+"/24", "dev", "ext")
	l.run("ip", "-n", l.world, "link", "set", "ext", "up")
	l.run("ip", "-n", l.world, "link", "set", "lo", "up")
	l.run("ip", "-n", l.world, "route", "add", "198.18.0.0/24", "via", hostAddr.String())
	l.start()
	return l
}

// start opens the driver, again after a crash: what was in memory is lost.
func (l *lab) start() {
	l.t.Helper()
	l.services = &nodetest.Services{}
	d, err := New(context.Background(), l.options(), l.services)
	l.must(err)
	l.d = d
	l.t.Cleanup(func() { d.Close() })
}

func (l *lab) options() Options {
	return Options{Dir: l.dir, Host: filepath.Join(spaceDir, l.host)}
}

func (l *lab) must(err error) {
	l.t.Helper()
	if err != nil {
		l.t.Fatal(err)
	}
}

func (l *lab) run(name string, args ...string) string {
	l.t.Helper()
	cmd := exec.Command(name, args...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		l.t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, stderr.String())
	}
	return string(out)
}

// inside runs a command in a namespace.
func (l *lab) inside(space string, args ...string) string {
	l.t.Helper()
	return l.run("ip", append([]string{"netns", "exec", space}, args...)...)
}

func (l *lab) ensure(n fabric.Network) {
	l.t.Helper()
	l.must(l.d.Ensure(context.Background(), n))
}

func (l *lab) plug(uid string, host byte) *os.File {
	l.t.Helper()
	f, err := l.d.Plug(context.Background(), uid, nodetest.PortUID(uid, host))
	l.must(err)
	return f
}

// guest starts a guest on a port of a sample network.
func (l *lab) guest(n fabric.Network, host byte) *guest {
	l.t.Helper()
	p := samplePort(n, host)
	g := &guest{nettest.NewGuest(l.t, l.plug(n.UID, host), p.MAC), l.t, p.Addresses[0].Private}
	g.Configure(g.addr.String()+"/24", gateway)
	return g
}

func samplePort(n fabric.Network, host byte) *fabric.Port {
	for i := range n.Ports {
		if n.Ports[i].UID == nodetest.PortUID(n.UID, host) {
			return &n.Ports[i]
		}
	}
	return nil
}

// place is where a socket may be.
type place interface{ do(f func() error) error }

type named string

func (n named) do(f func() error) error {
	s, err := namedSpace(string(n))
	if err != nil {
		return err
	}
	defer s.Close()
	return s.do(f)
}

type guest struct {
	*nettest.Guest
	t    *testing.T
	addr netip.Addr
}

func (g *guest) do(f func() error) error {
	g.Do(f)
	return nil
}

// Patience: for what should happen, and for what should not.
const (
	long  = 10 * time.Second
	short = 400 * time.Millisecond
)

// listen answers on a TCP and a UDP port with who asked: until the test ends.
func listen(t *testing.T, at place, address string) {
	t.Helper()
	err := at.do(func() error {
		l, err := net.Listen("tcp4", address)
		if err != nil {
			return err
		}
		t.Cleanup(func() { l.Close() })
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				go func() {
					defer c.Close()
					fmt.Fprintln(c, c.RemoteAddr())
					io.Copy(c, c)
				}()
			}
		}()
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func listenUDP(t *testing.T, at place, address string) <-chan string {
	t.Helper()
	got := make(chan string, 100)
	err := at.do(func() error {
		c, err := net.ListenPacket("udp4", address)
		if err != nil {
			return err
		}
		t.Cleanup(func() { c.Close() })
		go func() {
			b := make([]byte, 2000)
			for {
				n, from, err := c.ReadFrom(b)
				if err != nil {
					return
				}
				got <- string(b[:n]) + " from " + from.String()
			}
		}()
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// dial connects, and gives what the other side saw as the caller's address.
func dial(at place, address string, patience time.Duration) (c net.Conn, seen string, err error) {
	err = at.do(func() error {
		var e error
		c, e = net.DialTimeout("tcp4", address, patience)
		err = e
		return nil
	})
	if c == nil {
		return nil, "", errors.Join(err, errNoAnswer)
	}
	c.SetDeadline(time.Now().Add(long))
	b := make([]byte, 64)
	n, err := c.Read(b)
	if err != nil {
		c.Close()
		return nil, "", err
	}
	host, _, err := net.SplitHostPort(strings.TrimSpace(string(b[:n])))
	return c, host, err
}

var errNoAnswer = errors.New("no answer")

// reach wants a TCP connection to be made, and the other side to see who.
func reach(t *testing.T, at place, address, who string) {
	t.Helper()
	c, seen, err := dial(at, address, long)
	if err != nil {
		t.Errorf("connect to %s: %v", address, err)
		return
	}
	c.Close()
	if who != "" && seen != who {
		t.Errorf("connect to %s: seen as %s, want %s", address, seen, who)
	}
}

// unreach wants none.
func unreach(t *testing.T, at place, address string) {
	t.Helper()
	if c, seen, err := dial(at, address, short); err == nil {
		c.Close()
		t.Errorf("connect to %s: done, as %s; want none", address, seen)
	}
}

// ping sends ICMP echo requests until one is answered.
func ping(at place, address string, patience time.Duration) error {
	var err error
	e := at.do(func() error {
		var c net.Conn
		if c, err = net.Dial("ip4:icmp", address); err != nil {
			return nil
		}
		defer c.Close()
		id := byte(time.Now().UnixNano())
		msg := []byte{8, 0, 0, 0, 77, id, 0, 1}
		sum := ^(uint32(8<<8) + uint32(77)<<8 + uint32(id) + 1)
		msg[2], msg[3] = byte(sum>>8), byte(sum)
		c.SetDeadline(time.Now().Add(patience))
		if _, err = c.Write(msg); err != nil {
			return nil
		}
		b := make([]byte, 200)
		for {
			n, e := c.Read(b)
			if e != nil {
				err = errors.Join(errNoAnswer, e)
				return nil
			}
			if n >= 28 && b[20] == 0 && b[24] == 77 && b[25] == id {
				return nil
			}
			if n >= 8 && b[0] == 0 && b[4] == 77 && b[5] == id {
				return nil
			}
		}
	})
	return errors.Join(e, err)
}

func (l *lab) linkIndex(space, dev string) int {
	l.t.Helper()
	var index int
	l.must(named(space).do(func() error {
		k, err := netlink.LinkByName(dev)
		if err == nil {
			index = k.Attrs().Index
		}
		return err
	}))
	return index
}

var _ node.Networks = (*Driver)(nil)
