// Package nameserver is the DNS server that a virtual network has at
// 168.63.129.16: it knows the names of the network's machines, and asks the
// host's resolvers for everything else.
//
// It knows DNS and the network's ports; it must not know how sockets come to
// be, or what a machine is.
package nameserver

import (
	"context"
	"io"
	"net"
	"net/netip"
	"time"

	"github.com/miekg/dns"

	"lazuli/internal/node/guest/quota"
)

// udpSize is the largest message over UDP: what passes everywhere without
// fragments (DNS flag day 2020).
const udpSize = 1232

// tcpQueries is how many queries one TCP connection may bring.
const tcpQueries = 64

// Server answers one network.
type Server struct {
	// Zone is what holds now.
	Zone func() *Zone
	// Forward asks the world.
	Forward *Forwarder
	// Quota is kept for each port.
	Quota *quota.Quota
}

// Packets serves UDP until ctx ends or conn breaks. conn is closed and
// everything it started has ended when it returns.
func (s *Server) Packets(ctx context.Context, conn net.PacketConn) error {
	return s.serve(ctx, &dns.Server{PacketConn: conn, UDPSize: udpSize}, conn)
}

// Streams serves TCP; see Packets.
func (s *Server) Streams(ctx context.Context, l net.Listener) error {
	idle := func() time.Duration { return 10 * time.Second }
	return s.serve(ctx, &dns.Server{Listener: l, MaxTCPQueries: tcpQueries, IdleTimeout: idle}, l)
}

func (s *Server) serve(ctx context.Context, d *dns.Server, socket io.Closer) error {
	d.Handler = dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) { s.handle(ctx, w, q) })
	d.MsgAcceptFunc = accept
	d.ReadTimeout, d.WriteTimeout = 5*time.Second, 5*time.Second
	stop := context.AfterFunc(ctx, func() {
		socket.Close()
		_ = d.ShutdownContext(ctx) // wakes the connections; serve itself waits for them
	})
	defer stop()
	err := d.ActivateAndServe()
	socket.Close()
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// accept leaves every judgement but one to handle, which knows who asks.
func accept(h dns.Header) dns.MsgAcceptAction {
	const response = 1 << 15
	if h.Bits&response != 0 {
		return dns.MsgIgnore
	}
	return dns.MsgAccept
}

func (s *Server) handle(ctx context.Context, w dns.ResponseWriter, q *dns.Msg) {
	zone := s.Zone()
	_, overTCP := w.RemoteAddr().(*net.TCPAddr)
	// Whoever is not a port gets no answer at all: its address is not certain,
	// so an answer could be aimed at someone else.
	port, ok := zone.Port(source(w.RemoteAddr()))
	if !ok || !s.Quota.Allow(port) {
		return
	}
	m := refuse(q)
	if m == nil {
		m = zone.Answer(q)
	}
	if m == nil {
		leave, ok := s.Quota.Enter(port)
		if !ok {
			m = new(dns.Msg).SetRcode(q, dns.RcodeServerFailure)
		} else {
			m = s.Forward.Ask(ctx, q, overTCP)
			leave()
		}
	}
	fit(m, q, overTCP)
	_ = w.WriteMsg(m) // a lost answer is asked for again
}

// refuse answers what is no question that this server takes.
func refuse(q *dns.Msg) *dns.Msg {
	code := -1
	switch {
	case q.Opcode != dns.OpcodeQuery:
		code = dns.RcodeNotImplemented
	case len(q.Question) != 1:
		code = dns.RcodeFormatError
	case q.Question[0].Qclass != dns.ClassINET,
		q.Question[0].Qtype == dns.TypeAXFR,
		q.Question[0].Qtype == dns.TypeIXFR:
		code = dns.RcodeRefused
	case q.IsEdns0() != nil && q.IsEdns0().Version() != 0:
		code = dns.RcodeBadVers
	default:
		return nil
	}
	return new(dns.Msg).SetRcode(q, code)
}

// fit makes m no larger than the asker takes, and speaks EDNS if it did.
func fit(m, q *dns.Msg, overTCP bool) {
	size := dns.MinMsgSize
	if opt := q.IsEdns0(); opt != nil {
		m.SetEdns0(udpSize, opt.Do())
		size = min(max(int(opt.UDPSize()), size), udpSize)
	}
	if overTCP {
		size = dns.MaxMsgSize
	}
	m.Truncate(size)
}

func source(a net.Addr) netip.Addr {
	switch a := a.(type) {
	case *net.UDPAddr:
		return a.AddrPort().Addr().Unmap()
	case *net.TCPAddr:
		return a.AddrPort().Addr().Unmap()
	}
	return netip.Addr{}
}
