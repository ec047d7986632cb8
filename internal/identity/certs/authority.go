package certs

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"net"
	"slices"
	"strings"
	"time"
)

// How long certificates live, and how long before their end they are renewed.
const (
	authorityLife = 10 * 365 * 24 * time.Hour
	leafLife      = 2 * 365 * 24 * time.Hour
	renewBefore   = leafLife / 4
)

// ControlName is the common name, and the DNS name, by which nodes know the
// control plane.
const ControlName = "control.lazuli"

// Authority is the cloud's certificate authority.
type Authority struct{ *Pair }

// NewAuthority makes an authority.
func NewAuthority(now time.Time) (Authority, error) {
	p, err := create(&x509.Certificate{
		Subject: pkix.Name{CommonName: "Lazuli CA", Organization: []string{"Lazuli"}},
		IsCA:    true, MaxPathLenZero: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}, nil, now, authorityLife)
	return Authority{p}, err
}

// IssueServer makes a certificate of the HTTPS front for names, which are host
// names and IP addresses.
func (a Authority) IssueServer(names []string, now time.Time) (*Pair, error) {
	t := &x509.Certificate{
		Subject:     pkix.Name{CommonName: names[0]},
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	for _, n := range names {
		if ip := net.ParseIP(n); ip != nil {
			t.IPAddresses = append(t.IPAddresses, ip)
		} else {
			t.DNSNames = append(t.DNSNames, n)
		}
	}
	return create(t, a.Pair, now, leafLife)
}

// IssueNode makes a certificate by which the control plane knows a node.
// commonName is fabric.NodeCommonName of the node's name.
func (a Authority) IssueNode(commonName string, now time.Time) (*Pair, error) {
	return create(&x509.Certificate{
		Subject:     pkix.Name{CommonName: commonName},
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}, a.Pair, now, leafLife)
}

// IssueControl makes a certificate by which nodes know the control plane.
func (a Authority) IssueControl(now time.Time) (*Pair, error) {
	return create(&x509.Certificate{
		Subject:     pkix.Name{CommonName: ControlName},
		DNSNames:    []string{ControlName},
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}, a.Pair, now, leafLife)
}

// IsFresh says whether p is the authority's, has a good while to live and, for
// a server, is for exactly these names.
func (a Authority) IsFresh(p *Pair, names []string, now time.Time) bool {
	return p.Certificate.CheckSignatureFrom(a.Certificate) == nil &&
		now.Add(renewBefore).Before(p.Certificate.NotAfter) &&
		slices.Equal(normal(names), normal(namesOf(p.Certificate)))
}

func namesOf(c *x509.Certificate) []string {
	names := slices.Clone(c.DNSNames)
	for _, ip := range c.IPAddresses {
		names = append(names, ip.String())
	}
	return names
}

func normal(names []string) []string {
	out := make([]string, 0, len(names))
	for _, n := range names {
		if ip := net.ParseIP(n); ip != nil {
			n = ip.String()
		}
		out = append(out, strings.ToLower(n))
	}
	slices.Sort(out)
	return slices.Compact(out)
}
