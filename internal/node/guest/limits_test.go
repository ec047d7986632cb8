package guest

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"lazuli/internal/fabric"
	"lazuli/internal/node/guest/nameserver"
)

// loopback is a Namespace whose sockets are on loopback, at ports of their own.
type loopback struct {
	mu    sync.Mutex
	at    map[string]string // by network and address asked for
	conns map[string]net.PacketConn
	opens int
}

func (l *loopback) note(key, addr string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.at == nil {
		l.at, l.conns = map[string]string{}, map[string]net.PacketConn{}
	}
	l.at[key] = addr
	l.opens++
}

func (l *loopback) Listen(network, address string) (net.Listener, error) {
	s, err := net.Listen(network, "127.0.0.1:0")
	if err == nil {
		l.note(network+" "+address, s.Addr().String())
	}
	return s, err
}

func (l *loopback) ListenPacket(network, address string) (net.PacketConn, error) {
	c, err := net.ListenPacket(network, "127.0.0.1:0")
	if err == nil {
		l.note(network+" "+address, c.LocalAddr().String())
	}
	return c, err
}

func (l *loopback) ListenPort(uid string) (net.PacketConn, error) {
	c, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err == nil {
		l.note(uid, c.LocalAddr().String())
		l.conns[uid] = c
	}
	return c, err
}

func here(uid, address string) fabric.Port {
	p := port("", 1)
	p.UID = uid
	p.Addresses = []fabric.PortAddress{{Private: netip.MustParseAddr(address), Subnet: netip.MustParsePrefix("127.0.0.0/8")}}
	return p
}

func dialFrom(source, address string) (net.Conn, error) {
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(source)}}
	return d.Dial("tcp4", address)
}

func TestOnePortDoesNotStarveAnother(t *testing.T) {
	s, _ := newServices(t)
	ns := &loopback{}
	if err := s.Serve(t.Context(), testNetwork("n", here("greedy", "127.0.0.2"), here("modest", "127.0.0.3")), ns); err != nil {
		t.Fatal(err)
	}
	address := ns.at["tcp4 169.254.169.254:80"]
	request := func(source string) (int, error) {
		c, err := dialFrom(source, address)
		if err != nil {
			return 0, err
		}
		defer c.Close()
		hc := http.Client{Transport: &http.Transport{DisableKeepAlives: true, Dial: func(string, string) (net.Conn, error) { return c, nil }}}
		resp, err := hc.Get("http://" + address + "/metadata/versions")
		if err != nil {
			return 0, err
		}
		return resp.StatusCode, resp.Body.Close()
	}
	refused := 0
	for range requestsBurst + 50 {
		if code, err := request("127.0.0.2"); err != nil || code == http.StatusTooManyRequests {
			refused++
		}
	}
	if refused == 0 {
		t.Error("the greedy one was never refused")
	}

	// As many connections as it can get: the next ones are closed unread.
	var idle []net.Conn
	for range connections {
		c, err := dialFrom("127.0.0.2", address)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		idle = append(idle, c)
	}
	over, err := dialFrom("127.0.0.2", address)
	if err != nil {
		t.Fatal(err)
	}
	defer over.Close()
	_ = over.SetReadDeadline(time.Now().Add(20 * time.Second))
	if _, err := over.Read(make([]byte, 1)); err == nil || isTimeout(err) {
		t.Errorf("one connection too many: %v", err)
	}
	if code, err := request("127.0.0.3"); err != nil || code != http.StatusBadRequest { // no Metadata header
		t.Errorf("the modest one: %d, %v", code, err)
	}
	// One that says nothing is hung up on.
	_ = idle[0].SetReadDeadline(time.Now().Add(6 * headerTimeout))
	if _, err := io.Copy(io.Discard, idle[0]); err != nil {
		t.Errorf("a connection that says nothing: %v", err)
	}
}

func isTimeout(err error) bool {
	ne, ok := err.(net.Error)
	return ok && ne.Timeout()
}

// No port has more requests under way than its share, however slow they are.
func TestRequestsUnderWay(t *testing.T) {
	nw := newNetwork(testNetwork("n"), Config{Machine: machine, Logger: slog.New(slog.DiscardHandler)}, nameserver.NewForwarder(os.DevNull))
	v, err := newView(testNetwork("n", here("p", "127.0.0.2")))
	if err != nil {
		t.Fatal(err)
	}
	nw.view.Store(v)
	release := make(chan struct{})
	var inside, refused atomic.Int32
	h := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { inside.Add(1); <-release })
	var wg sync.WaitGroup
	for range 3 * requestsAtOnce {
		wg.Go(func() {
			w := httptest.NewRecorder()
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.RemoteAddr = "127.0.0.2:1"
			nw.limited(w, r, h)
			if w.Code == http.StatusTooManyRequests && refused.Add(1) == 2*requestsAtOnce {
				close(release)
			}
		})
	}
	wg.Wait()
	if inside.Load() != requestsAtOnce {
		t.Errorf("%d under way at once, want %d", inside.Load(), requestsAtOnce)
	}
}

// A socket that broke is opened again by the next Serve, and no other is.
func TestServeRevives(t *testing.T) {
	s, _ := newServices(t)
	ns := &loopback{}
	n := testNetwork("n", here("p", "127.0.0.2"), here("q", "127.0.0.3"))
	for range 2 {
		if err := s.Serve(t.Context(), n, ns); err != nil {
			t.Fatal(err)
		}
	}
	const all = 5 + 2
	if ns.opens != all {
		t.Errorf("%d sockets opened, want %d", ns.opens, all)
	}
	ns.conns["p"].Close()
	<-s.networks["n"].tasks[portPrefix+"p"].done
	if err := s.Serve(t.Context(), n, ns); err != nil {
		t.Fatal(err)
	}
	if ns.opens != all+1 {
		t.Errorf("%d sockets opened, want %d", ns.opens, all+1)
	}
}

func TestPortWithoutAnAddress(t *testing.T) {
	s, _ := newServices(t)
	ns := &loopback{}
	bare := fabric.Port{UID: "bare", MAC: "00:0d:3a:00:00:01"}
	if err := s.Serve(t.Context(), testNetwork("n", bare, here("p", "127.0.0.2")), ns); err == nil {
		t.Error("no error for a port that cannot have a lease")
	}
	if _, ok := ns.at["p"]; !ok {
		t.Error("the other port is not served")
	}
}

// BenchmarkNetworkMemory measures what a network of four ports costs while
// nobody asks.
func BenchmarkNetworkMemory(b *testing.B) {
	s, _ := newServices(b)
	ns := &loopback{}
	used := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc + m.StackInuse
	}
	before, goroutines := used(), runtime.NumGoroutine()
	count := 0
	for b.Loop() {
		uid := fmt.Sprintf("n%d", count)
		var ports []fabric.Port
		for i := range 4 {
			ports = append(ports, here(fmt.Sprintf("%s-%d", uid, i), fmt.Sprintf("127.0.1.%d", i)))
		}
		if err := s.Serve(b.Context(), testNetwork(uid, ports...), ns); err != nil {
			b.Fatal(err)
		}
		count++
	}
	b.ReportMetric(float64(used()-before)/float64(count)/1024, "KiB/network")
	b.ReportMetric(float64(runtime.NumGoroutine()-goroutines)/float64(count), "goroutines/network")
}
