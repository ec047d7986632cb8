package nameserver

import (
	"context"
	"net"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"
)

func TestForwardAsksTheNextServer(t *testing.T) {
	dead, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := dead.LocalAddr().String()
	dead.Close()
	good := upstream(t, func(w dns.ResponseWriter, q *dns.Msg) { answerA(w, q, "203.0.113.1") })
	wrong := upstream(t, func(w dns.ResponseWriter, q *dns.Msg) {
		m := new(dns.Msg).SetReply(q)
		m.Question[0].Name = "another.question."
		_ = w.WriteMsg(m)
	})
	tests := map[string]struct {
		servers []string
		want    []string
	}{
		"none":                 {nil, []string{"SERVFAIL"}},
		"refused":              {[]string{nobody}, []string{"SERVFAIL"}},
		"the second":           {[]string{nobody, good}, []string{"NOERROR", "203.0.113.1"}},
		"a wrong answer":       {[]string{wrong, good}, []string{"NOERROR", "203.0.113.1"}},
		"not more than three":  {[]string{nobody, nobody, nobody, good}, []string{"SERVFAIL"}},
		"a file without a use": {[]string{"not-an-address"}, []string{"SERVFAIL"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f := NewForwarder(resolvConf(t, tt.servers...))
			if diff := cmp.Diff(tt.want, brief(f.Ask(t.Context(), query("example.com.", dns.TypeA), false))); diff != "" {
				t.Errorf("answer (-want +got):\n%s", diff)
			}
		})
	}
	if got := brief(NewForwarder("/nonexistent").Ask(t.Context(), query("a.", dns.TypeA), false)); got[0] != "SERVFAIL" {
		t.Errorf("without a file: %v", got)
	}
}

func TestForwardReadsTheFileAgain(t *testing.T) {
	one := upstream(t, func(w dns.ResponseWriter, q *dns.Msg) { answerA(w, q, "203.0.113.1") })
	two := upstream(t, func(w dns.ResponseWriter, q *dns.Msg) { answerA(w, q, "203.0.113.2") })
	path := resolvConf(t, one)
	f := NewForwarder(path)
	for _, want := range []string{"203.0.113.1", "203.0.113.2"} {
		if got := brief(f.Ask(t.Context(), query("a.", dns.TypeA), false)); got[1] != want {
			t.Errorf("%v, want %s", got, want)
		}
		writeConf(t, path, two, "# changed")
	}
}

// Nothing of the guest's message but the question and its flags goes out, and
// what the resolver adds for us does not come in.
func TestForwardKeepsApart(t *testing.T) {
	seen := make(chan *dns.Msg, 1)
	up := upstream(t, func(w dns.ResponseWriter, q *dns.Msg) {
		seen <- q
		m := new(dns.Msg).SetReply(q).SetEdns0(4096, true)
		m.Authoritative = true
		m.Extra = append(m.Extra, &dns.TSIG{Hdr: dns.RR_Header{Name: "k.", Rrtype: dns.TypeTSIG, Class: dns.ClassANY}, Algorithm: dns.HmacSHA256})
		_ = w.WriteMsg(m)
	})
	q := query("example.com.", dns.TypeA).SetEdns0(512, true)
	q.Id = 7
	q.CheckingDisabled = true
	q.IsEdns0().Option = append(q.IsEdns0().Option, &dns.EDNS0_LOCAL{Code: 65001, Data: []byte("secret")})
	q.Ns = []dns.RR{&dns.TXT{Hdr: dns.RR_Header{Name: "x.", Rrtype: dns.TypeTXT, Class: dns.ClassINET}, Txt: []string{"x"}}}
	m := NewForwarder(resolvConf(t, up)).Ask(t.Context(), q, false)
	fit(m, q, false) // would not cut a message with TSIG
	out := <-seen
	if len(out.Ns) != 0 || len(out.IsEdns0().Option) != 0 || !out.IsEdns0().Do() || !out.CheckingDisabled {
		t.Errorf("sent %v", out)
	}
	if m.Id != 7 || m.Authoritative || len(m.Extra) != 1 || m.IsEdns0() == nil {
		t.Errorf("answered %v", m)
	}
}

// A resolver that is silent must not let guests pile up questions: those over
// the limit fail at once, and all fail when the server stops.
func TestForwardIsBounded(t *testing.T) {
	silent, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	f := NewForwarder(resolvConf(t, silent.LocalAddr().String()))
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for range maxForward {
		wg.Go(func() { f.Ask(ctx, query("a.", dns.TypeA), false) })
	}
	buf := make([]byte, 1500)
	for range maxForward / 2 { // enough to know that they are under way
		if _, _, err := silent.ReadFrom(buf); err != nil {
			t.Fatal(err)
		}
	}
	for len(f.slots) < maxForward {
		if _, _, err := silent.ReadFrom(buf); err != nil {
			t.Fatal(err)
		}
	}
	if got := brief(f.Ask(t.Context(), query("b.", dns.TypeA), false)); got[0] != "SERVFAIL" {
		t.Errorf("one too many: %v", got)
	}
	cancel()
	wg.Wait()
}
