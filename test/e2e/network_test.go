package e2e

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"lazuli/test/e2e/cloudtest"
)

// apiPort is where the API listens, on all of the host's addresses.
const apiPort = "8443"

// TestNetworks is about what guests reach, and what reaches them: two machines
// in one virtual network, a third in another that has the same addresses.
func TestNetworks(t *testing.T) {
	t.Parallel()
	c := cloudtest.New(t)
	c.Flags = []string{"--listen", "0.0.0.0:" + apiPort, "--node-listen", "0.0.0.0:8444"}
	// An address like the one that a host has in its own network.
	lan := netip.MustParseAddr("192.0.2.7")
	hostRun(t, c, "ip", "address", "add", lan.String()+"/32", "dev", "lo")
	c.Up()
	n := &networks{c: c, lan: lan}
	names := []string{"a1", "a2", "b1"}
	inParallel(t, names, func(name string) error {
		_, err := c.Run("vm", "create", name, "--image", "tiny", "--size", "Standard_B1ls", "--ssh-key", c.PublicKey(), "--vnet", "net-"+name[:1])
		return err
	})
	if t.Failed() {
		return
	}
	n.a1, n.a2, n.b1 = c.Guest("a1"), c.Guest("a2"), c.Guest("b1")
	defer func() { c.T = t }()
	for _, tt := range []struct {
		name string
		do   func(t *testing.T)
	}{
		{"networks with the same addresses", n.apart},
		{"metadata", n.metadata},
		{"names", n.names},
		{"the host", n.host},
		{"ports", n.ports},
		{"every port", n.everyPort},
	} {
		t.Run(tt.name, func(t *testing.T) { c.T = t; tt.do(t) })
	}
}

type networks struct {
	c          *cloudtest.Cloud
	lan        netip.Addr
	a1, a2, b1 *cloudtest.Guest
}

func hostRun(t *testing.T, c *cloudtest.Cloud, args ...string) string {
	t.Helper()
	out, err := c.Host.Command(context.Background(), args[0], args[1:]...).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %v\n%s", args, err, out)
	}
	return string(out)
}

// dialFrom connects from the guest; what the other side says first is the
// answer.
func dialFrom(t *testing.T, g *cloudtest.Guest, addr, port string) (said string, ok bool) {
	t.Helper()
	out, err := g.Try("nc -w 3 " + addr + " " + port + " </dev/null")
	if exit := (*ssh.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		t.Fatalf("%s: %v", g.Name, err)
	}
	return out, err == nil
}

func (n *networks) apart(t *testing.T) {
	address := func(g *cloudtest.Guest) string { return g.Status().Addresses[0] }
	twin, lone := n.a1, n.a2
	if address(lone) == address(n.b1) {
		twin, lone = lone, twin
	}
	if address(twin) != address(n.b1) {
		t.Fatalf("no machine of network a has the address %s of b1", address(n.b1))
	}
	to := address(lone)
	if said, ok := dialFrom(t, twin, to, "22"); !ok || !strings.HasPrefix(said, "SSH-") {
		t.Errorf("%s does not reach %s at %s in its own network: %q", twin.Name, lone.Name, to, said)
	}
	if said, ok := dialFrom(t, n.b1, to, "22"); ok {
		t.Errorf("b1 reaches %s of the other network: %q", to, said)
	}
	t.Logf("%s and b1 have the address %s in two networks; %s at %s is reached by %[1]s and not by b1", twin.Name, address(n.b1), lone.Name, to)
}

func (n *networks) metadata(t *testing.T) {
	for _, g := range []*cloudtest.Guest{n.a1, n.a2, n.b1} {
		name := g.SSH("wget -q -O - --header 'Metadata: true' 'http://169.254.169.254/metadata/instance/compute/name?api-version=2021-02-01&format=text'")
		if name != g.Name {
			t.Errorf("the metadata of %s are those of %q", g.Name, name)
		}
	}
	t.Log("each guest has its own metadata, at the same address")
}

func (n *networks) names(t *testing.T) {
	if said, ok := dialFrom(t, n.a1, "a2", "22"); !ok || !strings.HasPrefix(said, "SSH-") {
		t.Errorf("a1 does not reach a2 by its name: %q", said)
	}
	if out, err := n.b1.Try("nslookup a2"); err == nil {
		t.Errorf("b1 knows a2 of the other network: %s", out)
	}
	t.Log("a1 reaches a2 by name; b1 does not know the name")
}

// host tries the host's addresses, all of which the API listens on.
func (n *networks) host(t *testing.T) {
	addrs := hostAddresses(t, n.c)
	if len(addrs) < 3 {
		t.Errorf("the host's addresses are %v: want its own, and one for each network", addrs)
	}
	for _, a := range addrs {
		conn, err := n.c.Host.DialContext(context.Background(), "tcp", net.JoinHostPort(a, apiPort))
		if err != nil {
			t.Errorf("the host itself does not reach its API at %s: %v", a, err)
			continue
		}
		conn.Close()
	}
	peer := n.a2.Status().Addresses[0] // to see that the looking works
	reached := n.a1.SSH("for a in " + strings.Join(append(addrs, peer, "10.0.0.1", "168.63.129.16", "169.254.169.254"), " ") +
		"; do for p in 22 " + apiPort + " 8444; do (nc -w 3 $a $p </dev/null >/dev/null 2>&1 && echo $a:$p) & done; done; wait")
	if reached != peer+":22" {
		t.Errorf("a1 reaches %v, want its peer's SSH only", strings.Fields(reached))
	}
	t.Logf("the API listens at %v; the guest reaches it at none of them", addrs)
}

// hostAddresses are the host's, but for loopback's.
func hostAddresses(t *testing.T, c *cloudtest.Cloud) []string {
	t.Helper()
	var addrs []string
	for l := range strings.Lines(hostRun(t, c, "ip", "-4", "-o", "address")) {
		f := strings.Fields(l)
		p, err := netip.ParsePrefix(f[3])
		if err != nil {
			t.Fatalf("%q: %v", l, err)
		}
		if !p.Addr().IsLoopback() {
			addrs = append(addrs, p.Addr().String())
		}
	}
	return addrs
}

// hello connects to a port of the guest from the host, and wants to be greeted.
func (n *networks) hello(g *cloudtest.Guest, port int) error {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	conn, err := n.c.Host.DialContext(ctx, "tcp", fmt.Sprintf("%s:%d", g.IP, port))
	if err != nil {
		return err
	}
	defer conn.Close()
	conn.SetReadDeadline(time.Now().Add(20 * time.Second)) //nolint:errcheck // the read says it
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err == nil && line != "hello\n" {
		err = fmt.Errorf("it says %q", line)
	}
	return err
}

func greet(g *cloudtest.Guest, port int) {
	g.SSH(fmt.Sprintf("nc -ll -p %d -e /bin/echo hello </dev/null >/dev/null 2>&1 &", port))
}

func (n *networks) ports(t *testing.T) {
	greet(n.a1, 8080)
	if err := n.hello(n.a1, 8080); err == nil {
		t.Error("a port that nobody has opened lets in")
	}
	n.c.Do("vm", "open-port", "a1", "8080")
	n.c.Eventually("the port is open", func() error { return n.hello(n.a1, 8080) })
	a := n.c.API()
	rules := a.ID("Microsoft.Network/networkSecurityGroups", "a1-nsg") + "/securityRules"
	var list struct {
		Value []struct {
			ID         string
			Properties struct{ DestinationPortRange string }
		}
	}
	a.Must("GET", rules, nil, &list)
	for _, r := range list.Value {
		if r.Properties.DestinationPortRange == "8080" {
			a.Must("DELETE", r.ID, nil, nil)
		}
	}
	n.c.Eventually("the port is closed", func() error {
		if n.hello(n.a1, 8080) == nil {
			return errors.New("it is open")
		}
		return nil
	})
	t.Log("a port of a running guest opens and closes with its rule")
}

func (n *networks) everyPort(t *testing.T) {
	ports := []int{1, 80, 8443, 8444, 40000, 65535}
	n.c.Do("open-port", "a2", "1-65535")
	for _, p := range ports {
		greet(n.a2, p)
		n.c.Eventually(fmt.Sprintf("port %d answers", p), func() error { return n.hello(n.a2, p) })
	}
	t.Logf("the guest itself answers at its public address on the ports %v", ports)
}
