package fabric_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"log/slog"
	"math/big"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"lazuli/internal/fabric"
)

// authority issues certificates.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pool *x509.CertPool
}

func newAuthority(t *testing.T) *authority {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "ca"}, NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	a := &authority{cert, key, x509.NewCertPool()}
	a.pool.AddCert(cert)
	return a
}

func (a *authority) issue(t *testing.T, name string) tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name}, NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth}}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, a.cert, &key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// control is a control plane that sends what it is given.
type control struct {
	mu      sync.Mutex
	send    chan fabric.Message
	reports []*fabric.Report
	downs   chan *fabric.Downlink
	names   chan string
}

func (c *control) Assignments(ctx context.Context, _ string, send func(fabric.Message) error) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case m := <-c.send:
			if err := send(m); err != nil {
				return err
			}
		}
	}
}

func (c *control) Report(_ context.Context, _ string, r *fabric.Report) error {
	if r.Node != nil && r.Node.Name == "bad" {
		return errors.New("refused")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reports = append(c.reports, r)
	return nil
}

func (c *control) Linked(_ context.Context, node string, d *fabric.Downlink) {
	c.names <- node
	c.downs <- d
}

// host is a node's side; its console echoes.
type host struct{}

func (host) SerialLog(uid string) (io.ReadCloser, error) {
	if uid != "m1" {
		return nil, errors.New("no such machine")
	}
	return io.NopCloser(strings.NewReader(strings.Repeat("log ", 100000))), nil
}

func (host) Console(_ context.Context, uid string) (io.ReadWriteCloser, error) {
	if uid != "m1" {
		return nil, errors.New("no such machine")
	}
	a, b := net.Pipe()
	go func() { io.Copy(b, b) }()
	return a, nil
}

func serve(t *testing.T, ca *authority) (string, *control) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &control{send: make(chan fabric.Message, 10), downs: make(chan *fabric.Downlink, 10), names: make(chan string, 10)}
	conf := &tls.Config{Certificates: []tls.Certificate{ca.issue(t, "server")}, ClientCAs: ca.pool, ClientAuth: tls.RequireAndVerifyClientCert}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		fabric.Serve(ctx, l, conf, c, slog.New(slog.DiscardHandler)) //nolint:errcheck // ends with ctx
	}()
	t.Cleanup(func() { cancel(); <-done })
	return l.Addr().String(), c
}

func dial(t *testing.T, addr string, ca *authority, cert tls.Certificate) *fabric.Uplink {
	u, err := fabric.Dial(t.Context(), addr, &tls.Config{RootCAs: ca.pool, Certificates: []tls.Certificate{cert}}, host{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { u.Close() })
	return u
}

func TestLinkCarriesBothWays(t *testing.T) {
	ca := newAuthority(t)
	addr, c := serve(t, ca)
	u := dial(t, addr, ca, ca.issue(t, fabric.NodeCommonName("n1")))

	want := []fabric.Message{
		{Full: true, Assignment: fabric.Assignment{Machines: []fabric.Machine{{UID: "m1", CPUs: 2}}}},
		{Forget: []fabric.Ref{{Kind: fabric.KindMachine, UID: "m1"}}},
	}
	for _, m := range want {
		c.send <- m
	}
	var got []fabric.Message
	enough := errors.New("enough")
	err := u.Assignments(t.Context(), func(m fabric.Message) error {
		if got = append(got, m); len(got) == len(want) {
			return enough
		}
		return nil
	})
	if !errors.Is(err, enough) || !cmp.Equal(got, want) {
		t.Errorf("assignments: %v, %s", err, cmp.Diff(want, got))
	}
	if name := <-c.names; name != "n1" {
		t.Errorf("node = %q, want n1", name)
	}

	rep := &fabric.Report{Disks: []fabric.DiskReport{{UID: "d1", SizeBytes: 5}}}
	if err := u.Report(t.Context(), rep); err != nil {
		t.Fatal(err)
	}
	if !cmp.Equal(c.reports, []*fabric.Report{rep}) {
		t.Errorf("reports = %v", c.reports)
	}
	if err := u.Report(t.Context(), &fabric.Report{Node: &fabric.NodeReport{Name: "bad"}}); err == nil || !strings.Contains(err.Error(), "refused") {
		t.Errorf("a refused report: err = %v", err)
	}

	d := <-c.downs
	log, err := d.SerialLog(t.Context(), "m1")
	if err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(log); err != nil || len(b) != 400000 {
		t.Errorf("log: %d bytes, %v", len(b), err)
	}
	log.Close()
	if _, err := d.SerialLog(t.Context(), "m2"); err == nil || !strings.Contains(err.Error(), "no such machine") {
		t.Errorf("log of no machine: %v", err)
	}
	port, err := d.Console(t.Context(), "m1")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := port.Write([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 5)
	if _, err := io.ReadFull(port, b); err != nil || string(b) != "hello" {
		t.Errorf("console echoed %q, %v", b, err)
	}
	port.Close()
	if _, err := d.Console(t.Context(), "m2"); err == nil || !strings.Contains(err.Error(), "no such machine") {
		t.Errorf("console of no machine: %v", err)
	}
}

func TestLinkEndsAreSeen(t *testing.T) {
	ca := newAuthority(t)
	addr, c := serve(t, ca)
	u := dial(t, addr, ca, ca.issue(t, fabric.NodeCommonName("n1")))
	done := make(chan error, 1)
	go func() { done <- u.Assignments(t.Context(), func(fabric.Message) error { return nil }) }()
	d := <-c.downs
	d.Close()
	if err := <-done; err == nil {
		t.Error("the end of the link was not an error")
	}
}

func TestStrangersAreRefused(t *testing.T) {
	ca, other := newAuthority(t), newAuthority(t)
	addr, c := serve(t, ca)
	tests := map[string]*tls.Config{
		"no certificate":        {RootCAs: ca.pool},
		"another CA's":          {RootCAs: ca.pool, Certificates: []tls.Certificate{other.issue(t, fabric.NodeCommonName("n1"))}},
		"not a node's":          {RootCAs: ca.pool, Certificates: []tls.Certificate{ca.issue(t, "server")}},
		"a node without a name": {RootCAs: ca.pool, Certificates: []tls.Certificate{ca.issue(t, fabric.NodeCommonName(""))}},
	}
	for name, conf := range tests {
		t.Run(name, func(t *testing.T) {
			u, err := fabric.Dial(t.Context(), addr, conf, host{})
			if err == nil {
				defer u.Close()
				err = u.Report(t.Context(), &fabric.Report{})
			}
			if err == nil {
				t.Error("taken in")
			}
		})
	}
	if len(c.reports) > 0 || len(c.names) > 0 {
		t.Errorf("strangers were heard: %v %d", c.reports, len(c.names))
	}
}
