package nameserver

import (
	"net/netip"
	"strings"

	"github.com/miekg/dns"

	"lazuli/internal/fabric"
)

// ttl of our own names. They change when an interface gets another address, so
// it is short.
const ttl = 30

// Zone is what a network's name server knows by itself: the names and addresses
// of the network's ports. It does not change; a changed network is a new Zone.
type Zone struct {
	domain   string // with dots at both ends: ".x.internal."
	prefixes []netip.Prefix
	forward  map[string][]netip.Addr // by lower-case name
	reverse  map[netip.Addr]string
	keys     map[netip.Addr]string // port UID by address
}

// NewZone makes the zone of n. A name stands for the primary addresses of the
// ports that have it; each address of a port stands for its name.
func NewZone(n fabric.Network) *Zone {
	z := &Zone{forward: map[string][]netip.Addr{}, reverse: map[netip.Addr]string{}, keys: map[netip.Addr]string{}}
	if n.Domain != "" {
		z.domain = "." + dns.CanonicalName(n.Domain)
	}
	for _, p := range n.Prefixes {
		z.prefixes = append(z.prefixes, p.Masked())
	}
	for _, p := range n.Ports {
		z.add(p)
	}
	return z
}

func (z *Zone) add(p fabric.Port) {
	for i, a := range p.Addresses {
		z.keys[a.Private] = p.UID
		if p.Hostname == "" || z.domain == "" {
			continue
		}
		name := strings.ToLower(p.Hostname) + z.domain
		z.reverse[a.Private] = name
		if i == 0 {
			z.forward[name] = append(z.forward[name], a.Private)
		}
	}
}

// Port is the port that has the address; ok is false if none has.
func (z *Zone) Port(a netip.Addr) (uid string, ok bool) {
	uid, ok = z.keys[a.Unmap()]
	return uid, ok
}

// Answer answers q if its name is this network's business; else it returns nil.
func (z *Zone) Answer(q *dns.Msg) *dns.Msg {
	question := q.Question[0]
	name := dns.CanonicalName(question.Name)
	if z.domain != "" && strings.HasSuffix("."+name, z.domain) {
		return z.answerName(q, name)
	}
	if addr, ok := reversed(name); ok && z.has(addr) {
		return z.answerPointer(q, addr)
	}
	return nil
}

func (z *Zone) answerName(q *dns.Msg, name string) *dns.Msg {
	m := z.reply(q)
	addrs, ok := z.forward[name]
	if !ok && "."+name != z.domain {
		m.Rcode = dns.RcodeNameError
	}
	for _, a := range addrs {
		if rr := record(q.Question[0], a); rr != nil {
			m.Answer = append(m.Answer, rr)
		}
	}
	return z.finish(m)
}

func (z *Zone) answerPointer(q *dns.Msg, a netip.Addr) *dns.Msg {
	m := z.reply(q)
	question := q.Question[0]
	name, ok := z.reverse[a]
	switch {
	case !ok:
		m.Rcode = dns.RcodeNameError
	case question.Qtype == dns.TypePTR || question.Qtype == dns.TypeANY:
		m.Answer = []dns.RR{&dns.PTR{Hdr: header(question, dns.TypePTR), Ptr: name}}
	}
	return z.finish(m)
}

func (z *Zone) reply(q *dns.Msg) *dns.Msg {
	m := new(dns.Msg).SetReply(q)
	m.Authoritative = true
	m.RecursionAvailable = true
	return m
}

// finish says for how long a name that has no such record may be believed to
// have none (RFC 2308).
func (z *Zone) finish(m *dns.Msg) *dns.Msg {
	if len(m.Answer) == 0 && z.domain != "" {
		apex := z.domain[1:]
		m.Ns = []dns.RR{&dns.SOA{
			Hdr: dns.RR_Header{Name: apex, Rrtype: dns.TypeSOA, Class: dns.ClassINET, Ttl: ttl},
			Ns:  apex, Mbox: "hostmaster." + apex, Serial: 1, Refresh: 900, Retry: 300, Expire: 604800, Minttl: ttl,
		}}
	}
	return m
}

func (z *Zone) has(a netip.Addr) bool {
	for _, p := range z.prefixes {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

func header(q dns.Question, kind uint16) dns.RR_Header {
	return dns.RR_Header{Name: q.Name, Rrtype: kind, Class: dns.ClassINET, Ttl: ttl}
}

func record(q dns.Question, a netip.Addr) dns.RR {
	switch {
	case a.Is4() && (q.Qtype == dns.TypeA || q.Qtype == dns.TypeANY):
		return &dns.A{Hdr: header(q, dns.TypeA), A: a.AsSlice()}
	case a.Is6() && (q.Qtype == dns.TypeAAAA || q.Qtype == dns.TypeANY):
		return &dns.AAAA{Hdr: header(q, dns.TypeAAAA), AAAA: a.AsSlice()}
	}
	return nil
}

// reversed reads the address in 5.0.7.10.in-addr.arpa.
func reversed(name string) (netip.Addr, bool) {
	digits, ok := strings.CutSuffix(name, ".in-addr.arpa.")
	if !ok {
		return netip.Addr{}, false
	}
	parts := strings.Split(digits, ".")
	if len(parts) != 4 {
		return netip.Addr{}, false
	}
	a, err := netip.ParseAddr(parts[3] + "." + parts[2] + "." + parts[1] + "." + parts[0])
	return a, err == nil
}
