package certs

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"testing"
	"time"
)

func authority(t *testing.T) Authority {
	t.Helper()
	a, err := NewAuthority(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func must(t *testing.T) func(p *Pair, err error) *Pair {
	return func(p *Pair, err error) *Pair {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
}

// shake makes a TLS connection and says what went wrong on either side, and
// what the server knows of its client.
func shake(t *testing.T, server, client *tls.Config) (state tls.ConnectionState, serverErr, clientErr error) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	done := make(chan struct{})
	go func() {
		defer close(done)
		c, err := l.Accept()
		if err != nil {
			serverErr = err
			return
		}
		defer c.Close()
		s := tls.Server(c, server)
		if serverErr = s.Handshake(); serverErr == nil {
			state = s.ConnectionState()
			_, serverErr = s.Write([]byte("x"))
		}
	}()
	c, err := tls.Dial("tcp", l.Addr().String(), client)
	if err != nil {
		clientErr = err
	} else {
		_, clientErr = io.ReadFull(c, make([]byte, 1))
		c.Close()
	}
	<-done
	return state, serverErr, clientErr
}

func TestLinks(t *testing.T) {
	now := time.Now()
	ours, theirs := authority(t), authority(t)
	pair := must(t)
	control := pair(ours.IssueControl(now))
	server := ControlConfig(control, ours.Certificate)
	node := pair(ours.IssueNode("node:n1", now))
	tests := map[string]struct {
		server, client *tls.Config
		good           bool
	}{
		"a node":                   {server, NodeConfig(node, ours.Certificate), true},
		"a node of another cloud":  {server, NodeConfig(pair(theirs.IssueNode("node:n1", now)), ours.Certificate), false},
		"a node that expired":      {server, NodeConfig(pair(ours.IssueNode("node:n1", now.Add(-leafLife-time.Hour))), ours.Certificate), false},
		"a server as a node":       {server, NodeConfig(pair(ours.IssueServer([]string{"node:n1"}, now)), ours.Certificate), false},
		"no certificate":           {server, &tls.Config{RootCAs: pool(ours.Certificate), ServerName: ControlName}, false},
		"control of another cloud": {ControlConfig(pair(theirs.IssueControl(now)), ours.Certificate), NodeConfig(node, ours.Certificate), false},
		"a node as control":        {ControlConfig(node, ours.Certificate), NodeConfig(node, ours.Certificate), false},
		"the front as control":     {ControlConfig(pair(ours.IssueServer([]string{"localhost"}, now)), ours.Certificate), NodeConfig(node, ours.Certificate), false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			state, serverErr, clientErr := shake(t, tt.server, tt.client)
			if good := serverErr == nil && clientErr == nil; good != tt.good {
				t.Fatalf("server: %v, client: %v; want success %t", serverErr, clientErr, tt.good)
			}
			if tt.good && state.PeerCertificates[0].Subject.CommonName != "node:n1" {
				t.Errorf("the node is %q, want node:n1", state.PeerCertificates[0].Subject.CommonName)
			}
		})
	}
}

func TestFront(t *testing.T) {
	a := authority(t)
	server := must(t)(a.IssueServer([]string{"localhost", "127.0.0.1", "::1"}, time.Now()))
	for name, good := range map[string]bool{"localhost": true, "127.0.0.1": true, "::1": true, "other.test": false} {
		_, _, err := shake(t, FrontConfig(server), &tls.Config{RootCAs: pool(a.Certificate), ServerName: name})
		if (err == nil) != good {
			t.Errorf("the front as %s: %v, want success %t", name, err, good)
		}
	}
}

func TestPairsSurviveFiles(t *testing.T) {
	a := authority(t)
	b, err := a.PEM()
	if err != nil {
		t.Fatal(err)
	}
	again, err := Parse(b)
	if err != nil || !again.Certificate.Equal(a.Certificate) || !again.Key.Equal(a.Key) {
		t.Errorf("Parse(PEM) = %v, want the same pair", err)
	}
	if !a.Certificate.IsCA || a.Certificate.KeyUsage&x509.KeyUsageCertSign == 0 {
		t.Error("the authority may not sign certificates")
	}
	other, err := authority(t).PEM()
	if err != nil {
		t.Fatal(err)
	}
	mixed := append(append([]byte{}, other[:len(other)-len(a.CertificatePEM())]...), a.CertificatePEM()...)
	for name, in := range map[string][]byte{"nothing": nil, "half": b[:len(b)/2], "no key": a.CertificatePEM(), "another's key": mixed, "noise": []byte("noise")} {
		if _, err := Parse(in); err == nil {
			t.Errorf("Parse of %s succeeds", name)
		}
	}
}

func TestIsFresh(t *testing.T) {
	now := time.Now()
	a := authority(t)
	names := []string{"Localhost", "127.0.0.1", "::1"}
	p := must(t)(a.IssueServer(names, now))
	tests := map[string]struct {
		a     Authority
		names []string
		at    time.Time
		want  bool
	}{
		"new":             {a, names, now, true},
		"in other order":  {a, []string{"0:0::1", "127.0.0.1", "localhost"}, now, true},
		"one name more":   {a, append(names, "x"), now, false},
		"one name fewer":  {a, names[1:], now, false},
		"near its end":    {a, names, now.Add(leafLife - renewBefore + time.Minute), false},
		"other authority": {authority(t), names, now, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := tt.a.IsFresh(p, tt.names, tt.at); got != tt.want {
				t.Errorf("IsFresh = %t, want %t", got, tt.want)
			}
		})
	}
}
