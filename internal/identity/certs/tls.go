package certs

import (
	"crypto/tls"
	"crypto/x509"
)

// FrontConfig is the HTTPS front's end.
func FrontConfig(server *Pair) *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{server.TLS()}}
}

// ControlConfig is the control plane's end of the links to the nodes: it takes
// only clients with a certificate of the authority for clients. Who they are is
// the certificate's common name.
func ControlConfig(control *Pair, authority *x509.Certificate) *tls.Config {
	return &tls.Config{
		MinVersion:   tls.VersionTLS13,
		Certificates: []tls.Certificate{control.TLS()},
		ClientAuth:   tls.RequireAndVerifyClientCert,
		ClientCAs:    pool(authority),
		// A ticket would outlive the certificate that it was given for.
		SessionTicketsDisabled: true,
	}
}

// NodeConfig is a node's end of its link.
func NodeConfig(node *Pair, authority *x509.Certificate) *tls.Config {
	return &tls.Config{
		MinVersion:   tls.VersionTLS13,
		Certificates: []tls.Certificate{node.TLS()},
		RootCAs:      pool(authority),
		ServerName:   ControlName,
	}
}

func pool(c *x509.Certificate) *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(c)
	return p
}
