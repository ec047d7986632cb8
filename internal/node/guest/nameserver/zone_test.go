package nameserver

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"

	"lazuli/internal/fabric"
)

func testNetwork() fabric.Network {
	subnet := netip.MustParsePrefix("10.7.0.0/24")
	at := func(ss ...string) (as []fabric.PortAddress) {
		for _, s := range ss {
			as = append(as, fabric.PortAddress{Private: netip.MustParseAddr(s), Subnet: subnet})
		}
		return as
	}
	return fabric.Network{
		UID: "net", Domain: "X1.internal.lazuli", Prefixes: []netip.Prefix{netip.MustParsePrefix("10.7.0.0/16")},
		Ports: []fabric.Port{
			{UID: "p1", Hostname: "Web1", Addresses: at("10.7.0.5", "10.7.0.50")},
			{UID: "p2", Hostname: "db", Addresses: at("10.7.0.6")},
			{UID: "p3", Hostname: "db", Addresses: at("10.7.0.7")},
			{UID: "p4", Addresses: at("127.0.0.1")}, // nameless; the tests' own address
		},
	}
}

func query(name string, kind uint16) *dns.Msg { return new(dns.Msg).SetQuestion(name, kind) }

// brief is an answer in a word: its code and the values of its records.
func brief(m *dns.Msg) []string {
	if m == nil {
		return nil
	}
	out := []string{dns.RcodeToString[m.Rcode]}
	for _, rr := range m.Answer {
		out = append(out, rr.String()[len(rr.Header().String()):])
	}
	return out
}

func TestZoneAnswers(t *testing.T) {
	tests := map[string]struct {
		name string
		kind uint16
		want []string // nil: not the zone's business
	}{
		"name":                         {"web1.x1.internal.lazuli.", dns.TypeA, []string{"NOERROR", "10.7.0.5"}},
		"name in capitals":             {"WEB1.X1.INTERNAL.Lazuli.", dns.TypeA, []string{"NOERROR", "10.7.0.5"}},
		"one name of two ports":        {"db.x1.internal.lazuli.", dns.TypeA, []string{"NOERROR", "10.7.0.6", "10.7.0.7"}},
		"no IPv6":                      {"web1.x1.internal.lazuli.", dns.TypeAAAA, []string{"NOERROR"}},
		"any":                          {"web1.x1.internal.lazuli.", dns.TypeANY, []string{"NOERROR", "10.7.0.5"}},
		"no such name":                 {"web2.x1.internal.lazuli.", dns.TypeA, []string{"NXDOMAIN"}},
		"below a name":                 {"a.web1.x1.internal.lazuli.", dns.TypeA, []string{"NXDOMAIN"}},
		"the domain itself":            {"x1.internal.lazuli.", dns.TypeA, []string{"NOERROR"}},
		"a name that ends alike":       {"yx1.internal.lazuli.", dns.TypeA, nil},
		"another domain":               {"example.com.", dns.TypeA, nil},
		"the parent":                   {"internal.lazuli.", dns.TypeA, nil},
		"root":                         {".", dns.TypeNS, nil},
		"address":                      {"5.0.7.10.in-addr.arpa.", dns.TypePTR, []string{"NOERROR", "web1.x1.internal.lazuli."}},
		"secondary address":            {"50.0.7.10.IN-ADDR.arpa.", dns.TypePTR, []string{"NOERROR", "web1.x1.internal.lazuli."}},
		"address, another type":        {"5.0.7.10.in-addr.arpa.", dns.TypeA, []string{"NOERROR"}},
		"free address of the network":  {"99.9.7.10.in-addr.arpa.", dns.TypePTR, []string{"NXDOMAIN"}},
		"address of another network":   {"5.0.8.10.in-addr.arpa.", dns.TypePTR, nil},
		"not an address":               {"x.0.7.10.in-addr.arpa.", dns.TypePTR, nil},
		"part of an address":           {"7.10.in-addr.arpa.", dns.TypePTR, nil},
		"leading zeros are no address": {"05.0.7.10.in-addr.arpa.", dns.TypePTR, nil},
	}
	z := NewZone(testNetwork())
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			m := z.Answer(query(tt.name, tt.kind))
			if diff := cmp.Diff(tt.want, brief(m)); diff != "" {
				t.Errorf("answer (-want +got):\n%s", diff)
			}
			if m != nil && len(m.Answer) == 0 && len(m.Ns) != 1 {
				t.Error("an empty answer says for how long")
			}
		})
	}
}

func TestZonePort(t *testing.T) {
	z := NewZone(testNetwork())
	for addr, want := range map[string]string{"10.7.0.5": "p1", "10.7.0.50": "p1", "::ffff:10.7.0.6": "p2", "10.7.0.99": ""} {
		if got, ok := z.Port(netip.MustParseAddr(addr)); got != want || ok != (want != "") {
			t.Errorf("Port(%s) = %q, %v", addr, got, ok)
		}
	}
}

func TestZoneWithoutDomain(t *testing.T) {
	n := testNetwork()
	n.Domain = ""
	z := NewZone(n)
	if m := z.Answer(query("web1.", dns.TypeA)); m != nil {
		t.Errorf("answer %v", m)
	}
	if got := brief(z.Answer(query("5.0.7.10.in-addr.arpa.", dns.TypePTR))); !cmp.Equal(got, []string{"NXDOMAIN"}) {
		t.Errorf("pointer: %v", got)
	}
}

func FuzzZoneAnswer(f *testing.F) {
	z := NewZone(testNetwork())
	for _, name := range []string{"web1.x1.internal.lazuli.", "5.0.7.10.in-addr.arpa.", ".", "a\\.b.x1.internal.lazuli."} {
		b, err := query(name, dns.TypeA).Pack()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, packet []byte) {
		q := new(dns.Msg)
		if q.Unpack(packet) != nil {
			return
		}
		m := refuse(q)
		if m == nil {
			m = z.Answer(q)
		}
		if m == nil {
			return
		}
		fit(m, q, false)
		b, err := m.Pack()
		if err != nil {
			t.Fatalf("%v: %v", err, m)
		}
		if len(b) > udpSize {
			t.Errorf("%d bytes to a question of %d", len(b), len(packet))
		}
	})
}
