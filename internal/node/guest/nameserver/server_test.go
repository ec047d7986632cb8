package nameserver

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"
	"go.uber.org/goleak"

	"lazuli/internal/fabric"
	"lazuli/internal/node/guest/quota"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// listen opens UDP and TCP on one free port of loopback.
func listen(t *testing.T) (net.PacketConn, net.Listener) {
	t.Helper()
	for range 20 {
		l, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		if c, err := net.ListenPacket("udp4", l.Addr().String()); err == nil {
			return c, l
		}
		l.Close()
	}
	t.Fatal("no port is free for both UDP and TCP")
	return nil, nil
}

// upstream is a resolver of the host.
func upstream(t *testing.T, h dns.HandlerFunc) string {
	t.Helper()
	c, l := listen(t)
	for _, d := range []*dns.Server{{PacketConn: c, Handler: h}, {Listener: l, Handler: h}} {
		started, done := make(chan struct{}), make(chan struct{})
		d.NotifyStartedFunc = func() { close(started) }
		go func() { defer close(done); _ = d.ActivateAndServe() }()
		<-started
		t.Cleanup(func() { _ = d.Shutdown(); <-done })
	}
	return c.LocalAddr().String()
}

func resolvConf(t *testing.T, servers ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "resolv.conf")
	writeConf(t, path, servers...)
	return path
}

func writeConf(t *testing.T, path string, servers ...string) {
	t.Helper()
	var b strings.Builder
	for _, s := range servers {
		fmt.Fprintf(&b, "nameserver %s\n", s)
	}
	if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

func start(t *testing.T, s *Server) (address string) {
	t.Helper()
	c, l := listen(t)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 2)
	go func() { done <- s.Packets(ctx, c) }()
	go func() { done <- s.Streams(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		for range 2 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
	})
	return l.Addr().String()
}

func server(t *testing.T, conf string) *Server {
	z := NewZone(testNetwork())
	return &Server{Zone: func() *Zone { return z }, Forward: NewForwarder(conf), Quota: quota.New(1000, 1000, 8)}
}

func ask(t *testing.T, network, server string, q *dns.Msg) *dns.Msg {
	t.Helper()
	c := dns.Client{Net: network, Timeout: 20 * time.Second, UDPSize: dns.MaxMsgSize}
	m, _, err := c.Exchange(q, server)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func answerA(w dns.ResponseWriter, q *dns.Msg, ips ...string) {
	m := new(dns.Msg).SetReply(q)
	for _, ip := range ips {
		m.Answer = append(m.Answer, &dns.A{Hdr: header(q.Question[0], dns.TypeA), A: net.ParseIP(ip)})
	}
	_ = w.WriteMsg(m)
}

func TestServer(t *testing.T) {
	up := upstream(t, func(w dns.ResponseWriter, q *dns.Msg) {
		if q.Question[0].Name == "absent.example." {
			_ = w.WriteMsg(new(dns.Msg).SetRcode(q, dns.RcodeNameError))
			return
		}
		answerA(w, q, "203.0.113.9")
	})
	addr := start(t, server(t, resolvConf(t, up)))
	notify := query("x.", dns.TypeSOA)
	notify.Opcode = dns.OpcodeNotify
	two := query("a.", dns.TypeA)
	two.Question = append(two.Question, two.Question[0])
	chaos := query("version.bind.", dns.TypeTXT)
	chaos.Question[0].Qclass = dns.ClassCHAOS
	future := query("web1.x1.internal.lazuli.", dns.TypeA).SetEdns0(1232, false)
	future.IsEdns0().SetVersion(1)
	tests := map[string]struct {
		q    *dns.Msg
		want []string
	}{
		"own":                      {query("web1.x1.internal.lazuli.", dns.TypeA), []string{"NOERROR", "10.7.0.5"}},
		"own, EDNS":                {query("db.x1.internal.lazuli.", dns.TypeA).SetEdns0(4096, true), []string{"NOERROR", "10.7.0.6", "10.7.0.7"}},
		"world":                    {query("example.com.", dns.TypeA), []string{"NOERROR", "203.0.113.9"}},
		"world has no such":        {query("absent.example.", dns.TypeA), []string{"NXDOMAIN"}},
		"transfer":                 {query("x1.internal.lazuli.", dns.TypeAXFR), []string{"REFUSED"}},
		"notify":                   {notify, []string{"NOTIMP"}},
		"two questions":            {two, []string{"FORMERR"}},
		"chaos":                    {chaos, []string{"REFUSED"}},
		"a later version of EDNS":  {future, []string{"BADVERS"}},
		"own pointer, not forward": {query("250.3.7.10.in-addr.arpa.", dns.TypePTR), []string{"NXDOMAIN"}},
	}
	for name, tt := range tests {
		for _, network := range []string{"udp", "tcp"} {
			t.Run(name+"/"+network, func(t *testing.T) {
				m := ask(t, network, addr, tt.q.Copy())
				if diff := cmp.Diff(tt.want, brief(m)); diff != "" && !(tt.want[0] == "BADVERS" && m.Rcode == dns.RcodeBadVers) {
					t.Errorf("answer (-want +got):\n%s", diff)
				}
				if (m.IsEdns0() != nil) != (tt.q.IsEdns0() != nil) {
					t.Errorf("EDNS in the answer: %v", m.IsEdns0())
				}
			})
		}
	}
}

func TestLargeAnswersAreTruncated(t *testing.T) {
	var many []string
	for i := range 200 {
		many = append(many, fmt.Sprintf("203.0.113.%d", i))
	}
	n := testNetwork()
	for i := range 100 {
		a := netip.AddrFrom4([4]byte{10, 7, 1, byte(i)})
		n.Ports = append(n.Ports, fabric.Port{Hostname: "many", Addresses: []fabric.PortAddress{{Private: a}}})
	}
	s := server(t, resolvConf(t, upstream(t, func(w dns.ResponseWriter, q *dns.Msg) {
		if _, udp := w.RemoteAddr().(*net.UDPAddr); udp {
			m := new(dns.Msg).SetReply(q)
			m.Truncated = true
			_ = w.WriteMsg(m)
			return
		}
		answerA(w, q, many...)
	})))
	z := NewZone(n)
	s.Zone = func() *Zone { return z }
	addr := start(t, s)
	for name, records := range map[string]int{"many.example.": 200, "many.x1.internal.lazuli.": 100} {
		for _, size := range []uint16{0, 1232, 65535} {
			q := query(name, dns.TypeA)
			if size > 0 {
				q.SetEdns0(size, false)
			}
			m := ask(t, "udp", addr, q)
			m.Compress = true // as it came
			if limit := min(max(int(size), 512), udpSize); !m.Truncated || m.Len() > limit {
				t.Errorf("%s, size %d: %d bytes, truncated %v", name, size, m.Len(), m.Truncated)
			}
		}
		if m := ask(t, "tcp", addr, query(name, dns.TypeA)); len(m.Answer) != records || m.Truncated {
			t.Errorf("%s by TCP: %d records, truncated %v", name, len(m.Answer), m.Truncated)
		}
	}
}

// The one who asks is not a port: there is no answer, however good the question.
func TestStrangersGetNoAnswer(t *testing.T) {
	s := server(t, resolvConf(t))
	n := testNetwork()
	n.Ports = n.Ports[:2]
	z := NewZone(n)
	var asked atomic.Int32
	s.Zone = func() *Zone { asked.Add(1); return z }
	addr := start(t, s)
	conn, err := net.Dial("udp4", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	b, _ := query("web1.x1.internal.lazuli.", dns.TypeA).Pack()
	if _, err := conn.Write(b); err != nil {
		t.Fatal(err)
	}
	c := dns.Client{Net: "tcp"}
	if m, _, err := c.Exchange(query("web1.x1.internal.lazuli.", dns.TypeA), addr); err == nil {
		t.Errorf("answer by TCP: %v", m)
	}
	_ = conn.SetReadDeadline(time.Now().Add(300 * time.Millisecond))
	if n, err := conn.Read(make([]byte, 1500)); err == nil {
		t.Errorf("answer of %d bytes by UDP", n)
	}
	if asked.Load() == 0 {
		t.Error("the question did not arrive")
	}
}
