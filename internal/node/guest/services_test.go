package guest

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/insomniacslk/dhcp/dhcpv4"
	"github.com/insomniacslk/dhcp/dhcpv4/nclient4"
	"github.com/miekg/dns"
	"go.uber.org/goleak"

	"lazuli/internal/fabric"
	"lazuli/internal/node"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// sink keeps what guests report.
type sink struct {
	mu    sync.Mutex
	lines []string
}

func (s *sink) add(line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines = append(s.lines, line)
}

func (s *sink) Ready(uid string) { s.add(uid + " ready") }
func (s *sink) ProvisioningFailed(uid string, p fabric.Problem) {
	s.add(uid + " failed: " + p.Message)
}
func (s *sink) AgentStatus(uid string, a fabric.Agent) {
	s.add(fmt.Sprintf("%s agent %s %s", uid, a.Version, a.Status))
}

func (s *sink) all() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.lines...)
}

var _ Sink = (*node.Agent)(nil)

const lab = "x1.internal.lazuli"

// port is port number n of a network named as the machines' prefix.
func port(network string, n int) fabric.Port {
	uid := fmt.Sprintf("%s%d", network, n)
	return fabric.Port{
		UID: uid, MachineUID: "vm-" + uid, Hostname: "host" + uid, MAC: fmt.Sprintf("00:0d:3a:00:00:%02x", n),
		Addresses: []fabric.PortAddress{{Private: netip.AddrFrom4([4]byte{10, 7, 0, byte(n)}), Subnet: netip.MustParsePrefix("10.7.0.0/24")}},
	}
}

func testNetwork(uid string, ports ...fabric.Port) fabric.Network {
	return fabric.Network{UID: uid, Domain: lab, Prefixes: []netip.Prefix{netip.MustParsePrefix("10.7.0.0/16")}, Ports: ports}
}

// machine knows every machine whose UID begins with vm-.
func machine(uid string) (fabric.Machine, bool) {
	nic, ok := strings.CutPrefix(uid, "vm-")
	if !ok {
		return fabric.Machine{}, false
	}
	return fabric.Machine{
		UID: uid, Name: "name-" + nic, NICs: []fabric.MachineNIC{{UID: nic}},
		Provision: fabric.Provision{ComputerName: "c-" + nic, AdminUsername: "azureuser", SSHKeys: []fabric.SSHKey{{Path: "/k", KeyData: "ssh-ed25519 A"}}},
		Metadata:  fabric.Metadata{OSType: "Linux", VMSize: "Standard_B1s"},
	}, true
}

func newServices(t testing.TB) (*Services, *sink) {
	t.Helper()
	r := &sink{}
	s := New(Config{Machine: machine, Report: r, Logger: slog.New(slog.DiscardHandler), ResolvConf: os.DevNull})
	t.Cleanup(s.Close)
	return s, r
}

func serve(t testing.TB, s *Services, n fabric.Network, ns space) {
	t.Helper()
	if err := s.Serve(t.Context(), n, ns); err != nil {
		t.Fatal(err)
	}
}

func browser(t testing.TB, guest space) *http.Client {
	tr := &http.Transport{DialContext: guest.Dial}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr, Timeout: 20 * time.Second}
}

// get asks IMDS, with more headers if there are.
func get(t testing.TB, c *http.Client, path string, header ...string) (int, string) {
	t.Helper()
	r, err := http.NewRequest(http.MethodGet, "http://169.254.169.254/metadata"+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Metadata", "true")
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	resp, err := c.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

const whoami = "/instance/compute/name?api-version=2021-02-01&format=text"

func lease(t testing.TB, guest space, opts ...nclient4.ClientOpt) (*nclient4.Lease, error) {
	t.Helper()
	if len(opts) == 0 { // the first packet may be lost while the link comes up
		opts = []nclient4.ClientOpt{nclient4.WithTimeout(300 * time.Millisecond), nclient4.WithRetry(60)}
	}
	c, err := in(guest, func() (*nclient4.Client, error) { return nclient4.New("eth0", opts...) })
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	return c.Request(t.Context())
}

func TestGuestBoots(t *testing.T) {
	p, other := port("a", 5), port("a", 6)
	router := newRouter(t)
	guest := plug(t, router, p)
	plug(t, router, other)
	s, _ := newServices(t)
	serve(t, s, testNetwork("a", p, other), router)

	l, err := lease(t, guest)
	if err != nil {
		t.Fatal(err)
	}
	if got := l.ACK.YourIPAddr.String(); got != "10.7.0.5" {
		t.Fatalf("address %s", got)
	}
	gateway, _ := netip.AddrFromSlice(l.ACK.Router()[0].To4())
	configure(t, guest, netip.MustParseAddr("10.7.0.5"), gateway)
	renew(t, guest, l)

	c := dns.Client{Net: "udp"}
	for _, network := range []string{"udp", "tcp"} {
		c.Net = network
		conn, err := guest.Dial(t.Context(), network, "168.63.129.16:53")
		if err != nil {
			t.Fatal(err)
		}
		m, _, err := c.ExchangeWithConn(new(dns.Msg).SetQuestion("hosta6."+lab+".", dns.TypeA), &dns.Conn{Conn: conn})
		conn.Close()
		if err != nil || len(m.Answer) != 1 || !strings.HasSuffix(m.Answer[0].String(), "10.7.0.6") {
			t.Errorf("%s: %v, %v", network, m, err)
		}
	}
	if code, name := get(t, browser(t, guest), whoami); code != http.StatusOK || name != "name-a5" {
		t.Errorf("metadata: %d %s", code, name)
	}
}

// renew asks for the lease again as a client that has it does: by unicast.
func renew(t *testing.T, guest space, l *nclient4.Lease) {
	t.Helper()
	conn, err := guest.ListenPacket("udp4", "10.7.0.5:68")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	q, err := dhcpv4.NewRenewFromAck(l.ACK)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.WriteTo(q.ToBytes(), &net.UDPAddr{IP: l.ACK.ServerIdentifier(), Port: 67}); err != nil {
		t.Fatal(err)
	}
	_ = conn.SetReadDeadline(time.Now().Add(20 * time.Second))
	buf := make([]byte, 1500)
	n, _, err := conn.ReadFrom(buf)
	if err != nil {
		t.Fatalf("renew: %v", err)
	}
	if r, err := dhcpv4.FromBytes(buf[:n]); err != nil || r.MessageType() != dhcpv4.MessageTypeAck {
		t.Errorf("renew: %v, %v", r, err)
	}
}

// The requests that cloud-init and waagent made in one boot are answered with
// the status that they went on with.
func TestAgentsAreAnswered(t *testing.T) {
	p := port("a", 5)
	router := newRouter(t)
	guest := plug(t, router, p)
	configure(t, guest, p.Addresses[0].Private, netip.MustParseAddr("10.7.0.1"))
	s, r := newServices(t)
	serve(t, s, testNetwork("a", p), router)
	f, err := os.Open("testdata/agents.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	c := browser(t, guest)
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		replay(t, c, lines.Bytes())
	}
	want := []string{"vm-a5 ready", "vm-a5 ready", "vm-a5 agent 2.7.3.0 Ready"}
	if diff := cmp.Diff(want, r.all()); diff != "" {
		t.Errorf("reports (-want +got):\n%s", diff)
	}
}

func replay(t *testing.T, c *http.Client, line []byte) {
	t.Helper()
	var rec struct {
		To, Method, Path, Body string
		Header                 map[string]string
		Status                 int
	}
	if err := json.Unmarshal(line, &rec); err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequest(rec.Method, "http://"+rec.To+rec.Path, strings.NewReader(rec.Body))
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range rec.Header {
		req.Header.Set(k, v)
	}
	resp, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != rec.Status {
		t.Errorf("%s %s%s: %d, want %d: %s (%v)", rec.Method, rec.To, rec.Path, resp.StatusCode, rec.Status, body, err)
	}
}

// Two machines have one address in two networks. Each learns of itself, and
// nothing that it says changes that.
func TestIdentity(t *testing.T) {
	s, _ := newServices(t)
	browsers := map[string]*http.Client{}
	for _, network := range []string{"a", "b"} {
		p := port(network, 5)
		router := newRouter(t)
		guest := plug(t, router, p)
		configure(t, guest, p.Addresses[0].Private, netip.MustParseAddr("10.7.0.1"))
		serve(t, s, testNetwork(network, p), router)
		browsers[network] = browser(t, guest)
	}
	for network, c := range browsers {
		for _, header := range [][]string{nil, {"X-Real-IP", "10.7.0.6"}, {"Forwarded", "for=10.7.0.6"}, {"Host", "b"}, {"X-Instance-ID", "vm-b5"}} {
			if code, name := get(t, c, whoami, header...); code != http.StatusOK || name != "name-"+network+"5" {
				t.Errorf("%s with %v: %d %s", network, header, code, name)
			}
		}
		if code, body := get(t, c, whoami, "X-Forwarded-For", "10.7.0.6"); code != http.StatusBadRequest {
			t.Errorf("forwarded: %d %s", code, body)
		}
	}
}

func TestStrangers(t *testing.T) {
	known, unknown := port("a", 5), port("a", 6)
	unknown.MachineUID = "not known to the node"
	router := newRouter(t)
	s, _ := newServices(t)
	wrongMAC := port("a", 7)
	guest := plug(t, router, known)
	other := plug(t, router, unknown)
	liar := plug(t, router, wrongMAC)
	wrongMAC.MAC = "00:0d:3a:ff:ff:ff"
	serve(t, s, testNetwork("a", known, unknown, wrongMAC), router)

	if l, err := lease(t, liar, nclient4.WithTimeout(200*time.Millisecond), nclient4.WithRetry(1)); err == nil {
		t.Errorf("lease with a wrong MAC: %v", l)
	}
	configure(t, other, unknown.Addresses[0].Private, netip.MustParseAddr("10.7.0.1"))
	if code, body := get(t, browser(t, other), whoami); code != http.StatusNotFound {
		t.Errorf("machine that the node does not know: %d %s", code, body)
	}
	// Nobody's address: the port has it, but not in what the services know.
	configure(t, guest, known.Addresses[0].Private, netip.MustParseAddr("10.7.0.1"))
	serve(t, s, testNetwork("a", unknown), router)
	if code, body := get(t, browser(t, guest), whoami); code != http.StatusForbidden {
		t.Errorf("nobody's address: %d %s", code, body)
	}
}

// A change of the network does not disturb who stays.
func TestServeAgain(t *testing.T) {
	first, second := port("a", 5), port("a", 6)
	router := newRouter(t)
	s, _ := newServices(t)
	one := plug(t, router, first)
	configure(t, one, first.Addresses[0].Private, netip.MustParseAddr("10.7.0.1"))
	serve(t, s, testNetwork("a", first), router)
	open, err := one.Dial(t.Context(), "tcp4", "168.63.129.16:80")
	if err != nil {
		t.Fatal(err)
	}
	defer open.Close()
	versions(t, open)

	// The second port has no device yet: that is told, and all else is served.
	n := testNetwork("a", first, second)
	if err := s.Serve(t.Context(), n, router); err == nil || !strings.Contains(err.Error(), "port/a6") {
		t.Errorf("a port without a device: %v", err)
	}
	two := plug(t, router, second)
	serve(t, s, n, router)
	if _, err := lease(t, two); err != nil {
		t.Errorf("lease of a port that came later: %v", err)
	}
	serve(t, s, testNetwork("a", first), router)
	if l, err := lease(t, two, nclient4.WithTimeout(200*time.Millisecond), nclient4.WithRetry(1)); err == nil {
		t.Errorf("lease of a port that went: %v", l)
	}

	versions(t, open)
}

// versions asks for the wireserver's versions on a connection that stays open.
func versions(t *testing.T, c net.Conn) {
	t.Helper()
	fmt.Fprintf(c, "GET /?comp=versions HTTP/1.1\r\nHost: x\r\n\r\n")
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil || resp.StatusCode != http.StatusOK {
		t.Errorf("versions: %d, %v", resp.StatusCode, err)
	}
}

func TestStopFreesTheAddresses(t *testing.T) {
	router := newRouter(t)
	s, _ := newServices(t)
	n := testNetwork("a")
	for range 3 {
		serve(t, s, n, router)
		s.Stop("a")
	}
	s.Stop("a")
	s.Stop("never served")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Serve(ctx, n, router); err == nil {
		t.Error("served after its context ended")
	}
}
