package fabric_test

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"strings"
	"syscall"
	"testing"

	"lazuli/internal/fabric"
)

// Whoever reads a node's log has to find out what to do about a link that
// cannot be made.
func TestRefusalsSayWhatToDo(t *testing.T) {
	ca, other := newAuthority(t), newAuthority(t)
	addr, _ := serve(t, ca)
	name := fabric.NodeCommonName("n1")
	tests := map[string]struct {
		conf *tls.Config
		want string
	}{
		"no certificate":           {&tls.Config{RootCAs: ca.pool}, "does not accept this node's certificate"},
		"another CA's":             {&tls.Config{RootCAs: ca.pool, GetClientCertificate: always(other.issue(t, name))}, "does not accept this node's certificate"},
		"control of another cloud": {&tls.Config{RootCAs: other.pool, Certificates: []tls.Certificate{ca.issue(t, name)}}, "not the control plane that made"},
		"another host":             {&tls.Config{RootCAs: ca.pool, ServerName: "elsewhere.test", Certificates: []tls.Certificate{ca.issue(t, name)}}, "not the control plane that made"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			u, err := fabric.Dial(t.Context(), addr, tt.conf, host{})
			if err == nil {
				defer u.Close()
				// More than one write, so that one of them meets the closed end.
				for range 3 {
					err = u.Report(t.Context(), &fabric.Report{Node: &fabric.NodeReport{Name: strings.Repeat("n", 1<<16)}})
				}
			}
			refused, ok := errors.AsType[*fabric.RefusedError](err)
			if !ok || !strings.Contains(refused.Error(), tt.want) || !strings.Contains(refused.Error(), "lazuli server join") {
				t.Errorf("err = %v, want one that says %q and what to do", err, tt.want)
			}
		})
	}
}

// always shows a certificate, whoever is said to be trusted.
func always(c tls.Certificate) func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
	return func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &c, nil }
}

// failing is a listener whose first connections are lost for want of files.
type failing struct {
	net.Listener
	left int
}

func (l *failing) Accept() (net.Conn, error) {
	if l.left > 0 {
		l.left--
		return nil, &net.OpError{Op: "accept", Net: "tcp", Err: syscall.EMFILE}
	}
	return l.Listener.Accept()
}

func TestServeOutlivesWantOfFiles(t *testing.T) {
	ca := newAuthority(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &control{send: make(chan fabric.Message), downs: make(chan *fabric.Downlink, 1), names: make(chan string, 1)}
	conf := &tls.Config{Certificates: []tls.Certificate{ca.issue(t, "server")}, ClientCAs: ca.pool, ClientAuth: tls.RequireAndVerifyClientCert}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- fabric.Serve(ctx, &failing{l, 2}, conf, c, slog.New(slog.DiscardHandler)) }()
	u := dial(t, l.Addr().String(), ca, ca.issue(t, fabric.NodeCommonName("n1")))
	if err := u.Report(t.Context(), &fabric.Report{}); err != nil {
		t.Error(err)
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("Serve = %v, want %v", err, context.Canceled)
	}
}
