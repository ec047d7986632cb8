package routed

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"lazuli/internal/fabric"
	"lazuli/internal/node/nodetest"
)

func TestNetworksAreApart(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	x, y := nodetest.SampleNetwork("apart-x", 4, 5), nodetest.SampleNetwork("apart-y", 4)
	l.ensure(x)
	l.ensure(y)
	a, b, other := l.guest(x, 4), l.guest(x, 5), l.guest(y, 4)
	listen(t, a, ":80")
	listen(t, named(l.host), ":22")
	listen(t, named(l.world), ":80")

	reach(t, b, "10.0.0.4:80", "10.0.0.5")
	unreach(t, other, "10.0.0.5:80")
	if err := ping(other, "10.0.0.5", short); err == nil {
		t.Error("ping of an address of the other network is answered")
	}
	reach(t, a, worldAddr.String()+":80", hostAddr.String())
	transitX, transitY := transitOf(t, l, x.UID), transitOf(t, l, y.UID)
	for _, to := range []netip.Addr{hostAddr, transitX.Host, transitY.Host, transitY.Router, gateway} {
		unreach(t, a, to.String()+":22")
	}
	for _, to := range []netip.Addr{hostAddr, transitX.Host, transitY.Host, transitY.Router} {
		if err := ping(a, to.String(), short); err == nil {
			t.Errorf("ping %s is answered", to)
		}
	}
	// The world does not get in either, not even by the way of the host.
	l.run("ip", "-n", l.world, "route", "add", transitX.Router.String(), "via", hostAddr.String())
	l.run("ip", "-n", l.world, "route", "add", "10.0.0.0/24", "via", hostAddr.String())
	unreach(t, named(l.world), "10.0.0.4:80")
	if err := ping(named(l.world), transitX.Router.String(), short); err == nil {
		t.Error("the world pings a network's transit address")
	}
}

func transitOf(t *testing.T, l *lab, uid string) transit {
	t.Helper()
	for _, s := range l.d.all() {
		if s.Network.UID == uid {
			return s.Transit
		}
	}
	t.Fatalf("network %s is not known", uid)
	return transit{}
}

func TestPlatformAnswersItsPortsOnly(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	n := nodetest.SampleNetwork("platform", 4)
	deny := []fabric.RuleList{{Rules: []fabric.Rule{{Name: "DenyAll", Priority: 100}}}}
	n.Ports[0].Outbound, n.Ports[0].Inbound = deny, deny // groups are not asked
	l.ensure(n)
	a := l.guest(n, 4)
	inside := named(networkName(n.UID))
	for _, port := range []string{"22", "53", "80", "443", "32526"} {
		listen(t, inside, ":"+port)
	}
	for address, open := range map[string]bool{
		"168.63.129.16:53": true, "168.63.129.16:80": true, "168.63.129.16:32526": true, "168.63.129.16:443": false,
		"169.254.169.254:80": true, "169.254.169.254:32526": false, "169.254.169.254:22": false,
		"10.0.0.1:80": false, "10.0.0.1:53": false,
	} {
		if open {
			reach(t, a, address, "10.0.0.4")
		} else {
			unreach(t, a, address)
		}
	}
}

func TestServicesHearPorts(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	n := nodetest.SampleNetwork("dhcp", 4, 5)
	l.ensure(n)
	_, ns, _ := l.services.Network(n.UID)
	heard := func(host byte) net.PacketConn {
		c, err := ns.ListenPort(nodetest.PortUID(n.UID, host))
		l.must(err)
		t.Cleanup(func() { c.Close() })
		return c
	}
	four, five := heard(4), heard(5)
	g := l.guest(n, 4)
	frame := func() { g.Inject(udpFrame(samplePort(n, 4).MAC, "0.0.0.0", "255.255.255.255", 68, 67, "discover")) }

	frame()
	expect(t, four, "discover")
	if _, err := four.WriteTo([]byte("offer"), &net.UDPAddr{IP: net.IPv4bcast, Port: 68}); err != nil {
		t.Errorf("broadcast to the port: %v", err)
	}
	five.SetReadDeadline(time.Now().Add(short))
	if n, _, err := five.ReadFrom(make([]byte, 100)); err == nil {
		t.Errorf("port 5 heard %d bytes of port 4", n)
	}

	// The tap goes and comes again; the socket does not notice.
	g.Unplug()
	l.run("ip", "-n", networkName(n.UID), "link", "del", portName(nodetest.PortUID(n.UID, 4)))
	l.ensure(n)
	g = l.guest(n, 4)
	frame()
	expect(t, four, "discover")

	if _, err := ns.ListenPort("nobody"); err == nil {
		t.Error("a port that is not there is listened to")
	}
}

func expect(t *testing.T, c net.PacketConn, want string) {
	t.Helper()
	c.SetReadDeadline(time.Now().Add(long))
	b := make([]byte, 2000)
	n, _, err := c.ReadFrom(b)
	if err != nil || string(b[:n]) != want {
		t.Fatalf("heard %q, %v; want %q", b[:n], err, want)
	}
}

func TestSpoofing(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	n := nodetest.SampleNetwork("spoof", 4, 5, 6)
	samplePort(n, 6).Forwarding = true
	l.ensure(n)
	a, b, forwarder := l.guest(n, 4), l.guest(n, 5), l.guest(n, 6)
	got := listenUDP(t, b, ":9")
	platform := listenUDP(t, named(networkName(n.UID)), "168.63.129.16:53")
	own, others, forwarders := samplePort(n, 4).MAC, samplePort(n, 5).MAC, samplePort(n, 6).MAC

	for name, c := range map[string]struct {
		from     *guest
		mac, src string
		dst      string
		port     uint16
		passes   bool
	}{
		"own":                                    {a, own, "10.0.0.4", "10.0.0.5", 9, true},
		"own to the platform":                    {a, own, "10.0.0.4", "168.63.129.16", 53, true},
		"neighbour's address":                    {a, own, "10.0.0.6", "10.0.0.5", 9, false},
		"neighbour's address to the platform":    {a, own, "10.0.0.5", "168.63.129.16", 53, false},
		"foreign address":                        {a, own, "192.0.2.77", "10.0.0.5", 9, false},
		"gateway's address":                      {a, own, "10.0.0.1", "10.0.0.5", 9, false},
		"no address":                             {a, own, "0.0.0.0", "10.0.0.5", 9, false},
		"other mac":                              {a, others, "10.0.0.4", "10.0.0.5", 9, false},
		"neighbour's mac and address":            {a, others, "10.0.0.5", "168.63.129.16", 53, false},
		"forwarder, own":                         {forwarder, forwarders, "10.0.0.6", "10.0.0.5", 9, true},
		"forwarder, foreign address":             {forwarder, forwarders, "192.0.2.77", "10.0.0.5", 9, true},
		"forwarder, other mac":                   {forwarder, own, "192.0.2.77", "10.0.0.5", 9, false},
		"forwarder, neighbour's to the platform": {forwarder, forwarders, "10.0.0.4", "168.63.129.16", 53, false},
	} {
		heard := got
		if c.port == 53 {
			heard = platform
		}
		passed := arrives(t, heard, name+" from "+c.src, func(mark string) {
			c.from.Inject(udpFrame(c.mac, c.src, c.dst, 1000, c.port, name))
			c.from.Inject(udpFrame(macOf(c.from, n), c.from.addr.String(), c.dst, 1001, c.port, mark))
		})
		if passed != c.passes {
			t.Errorf("%s: passes = %v, want %v", name, passed, c.passes)
		}
	}
}

// arrives says whether what send sends before the mark is heard. Frames of a
// port keep their order: a mark shows that what was sent before it did not come.
// A kernel that is busy may lose any of them, so both are sent again.
func arrives(t *testing.T, heard <-chan string, want string, send func(mark string)) (passed bool) {
	t.Helper()
	again := time.NewTicker(time.Second)
	defer again.Stop()
	deadline := time.After(long)
	for i, marks := 0, 0; marks < 2; i++ {
		mark := fmt.Sprintf("mark %d of %s", i, want)
		send(mark)
		for waits := true; waits; {
			select {
			case msg := <-heard:
				if strings.HasPrefix(msg, want) {
					return true
				}
				if strings.HasPrefix(msg, mark) {
					waits = false
					marks++
				}
			case <-again.C:
				waits = false
			case <-deadline:
				t.Fatalf("no mark comes after %s", want)
			}
		}
	}
	return false
}

func TestARPLiesAreNotRemembered(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	n := nodetest.SampleNetwork("arp", 4, 5)
	l.ensure(n)
	a := l.guest(n, 4)
	own := samplePort(n, 4).MAC
	for _, says := range []string{"10.0.0.5", "10.0.0.1", "203.0.113.9"} {
		a.Inject(arpFrame(own, says, "10.0.0.1"))
	}
	if err := ping(a, "10.0.0.1", long); err != nil {
		t.Fatal(err)
	}
	neighbours := l.run("ip", "-n", networkName(n.UID), "neigh")
	for _, line := range strings.Split(strings.TrimSpace(neighbours), "\n") {
		if !strings.Contains(line, "PERMANENT") && !strings.Contains(line, " dev uplink ") {
			t.Errorf("the router has learned %q", line)
		}
	}
}

func macOf(g *guest, n fabric.Network) string { return samplePort(n, g.addr.As4()[3]).MAC }

// udpFrame is an Ethernet frame to the router with an IPv4 UDP datagram.
func udpFrame(mac, src, dst string, sport, dport uint16, body string) []byte {
	hw, _ := net.ParseMAC(mac)
	to := []byte(gatewayMAC)
	if dst == "255.255.255.255" {
		to = []byte{255, 255, 255, 255, 255, 255}
	}
	f := append(append(append([]byte{}, to...), hw...), 8, 0)
	ip := make([]byte, 20, 28+len(body))
	ip[0], ip[8], ip[9] = 0x45, 64, 17
	binary.BigEndian.PutUint16(ip[2:], uint16(28+len(body)))
	copy(ip[12:], netip.MustParseAddr(src).AsSlice())
	copy(ip[16:], netip.MustParseAddr(dst).AsSlice())
	var sum uint32
	for i := 0; i < 20; i += 2 {
		sum += uint32(binary.BigEndian.Uint16(ip[i:]))
	}
	binary.BigEndian.PutUint16(ip[10:], ^uint16(sum>>16+sum))
	ip = binary.BigEndian.AppendUint16(ip, sport)
	ip = binary.BigEndian.AppendUint16(ip, dport)
	ip = binary.BigEndian.AppendUint16(ip, uint16(8+len(body)))
	return append(append(append(f, ip...), 0, 0), body...) // no UDP checksum
}

// arpFrame asks who has an address, and says to be someone.
func arpFrame(mac, says, asks string) []byte {
	hw, _ := net.ParseMAC(mac)
	f := append([]byte{255, 255, 255, 255, 255, 255}, hw...)
	f = append(f, 8, 6, 0, 1, 8, 0, 6, 4, 0, 1)
	f = append(append(f, hw...), netip.MustParseAddr(says).AsSlice()...)
	return append(append(f, 0, 0, 0, 0, 0, 0), netip.MustParseAddr(asks).AsSlice()...)
}
