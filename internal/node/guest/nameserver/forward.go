package nameserver

import (
	"context"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/miekg/dns"
)

const (
	perServer  = 2 * time.Second // one resolver's time to answer
	maxServers = 3               // as many as libc asks
	maxForward = 256             // questions under way, of all guests together
)

// Forwarder asks the host's resolvers, from the host's own network. It is safe
// for concurrent use.
type Forwarder struct {
	path  string
	slots chan struct{}

	mu      sync.Mutex
	read    os.FileInfo
	servers []string
}

// NewForwarder makes a forwarder to the resolvers named in the file path
// (resolv.conf). The file is read again when it changes.
func NewForwarder(path string) *Forwarder {
	return &Forwarder{path: path, slots: make(chan struct{}, maxForward)}
}

// Ask gives q to the resolvers, one after another, and returns what the first
// one says; SERVFAIL if none says anything. q has exactly one question.
func (f *Forwarder) Ask(ctx context.Context, q *dns.Msg, overTCP bool) *dns.Msg {
	failure := new(dns.Msg).SetRcode(q, dns.RcodeServerFailure)
	select {
	case f.slots <- struct{}{}:
		defer func() { <-f.slots }()
	default:
		return failure
	}
	for _, server := range f.resolvers() {
		if m, err := exchange(ctx, server, q, overTCP); err == nil {
			return adopt(m, q)
		}
	}
	return failure
}

// exchange asks anew rather than passing the guest's message on: nothing of it
// but the question and two flags reaches the resolver.
func exchange(ctx context.Context, server string, q *dns.Msg, overTCP bool) (*dns.Msg, error) {
	ctx, cancel := context.WithTimeout(ctx, perServer)
	defer cancel()
	up := new(dns.Msg)
	up.Id = dns.Id()
	up.RecursionDesired = q.RecursionDesired
	up.CheckingDisabled = q.CheckingDisabled
	up.Question = q.Question[:1]
	opt := q.IsEdns0()
	up.SetEdns0(udpSize, opt != nil && opt.Do())
	c := dns.Client{Net: "udp", UDPSize: udpSize, Timeout: perServer}
	if overTCP {
		c.Net = "tcp"
	}
	conn, err := c.DialContext(ctx, server)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer conn.Close()
	defer stop()
	m, _, err := c.ExchangeWithConnContext(ctx, up, conn)
	if err != nil {
		return nil, err
	}
	if len(m.Question) != 1 || !strings.EqualFold(m.Question[0].Name, q.Question[0].Name) || m.Question[0].Qtype != q.Question[0].Qtype {
		return nil, dns.ErrId
	}
	return m, nil
}

// adopt makes the resolver's answer ours.
func adopt(m, q *dns.Msg) *dns.Msg {
	m.Id = q.Id
	m.Question = q.Question
	m.Authoritative = false
	// What is between the resolver and us is not the guest's.
	m.Extra = slices.DeleteFunc(m.Extra, func(rr dns.RR) bool {
		switch rr.Header().Rrtype {
		case dns.TypeOPT, dns.TypeTSIG, dns.TypeSIG:
			return true
		}
		return false
	})
	m.Rcode &= 0xf // the extended part went with the OPT record
	return m
}

func (f *Forwarder) resolvers() []string {
	info, err := os.Stat(f.path)
	if err != nil {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.read == nil || !os.SameFile(f.read, info) || f.read.ModTime() != info.ModTime() || f.read.Size() != info.Size() {
		conf, err := dns.ClientConfigFromFile(f.path)
		if err != nil {
			return f.servers
		}
		f.read, f.servers = info, nil
		for _, s := range conf.Servers {
			if len(f.servers) < maxServers {
				f.servers = append(f.servers, address(s, conf.Port))
			}
		}
	}
	return f.servers
}

// address joins host and port, unless host has its own.
func address(host, port string) string {
	if _, _, err := net.SplitHostPort(host); err == nil {
		return host
	}
	return net.JoinHostPort(host, port)
}
