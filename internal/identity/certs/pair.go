package certs

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"math/big"
	"time"
)

// Pair is a certificate with its key. They are kept in one file, so that they
// always belong together.
type Pair struct {
	Certificate *x509.Certificate
	Key         *ecdsa.PrivateKey
}

var errNotAPair = errors.New("no certificate with its key")

// Parse reads what PEM wrote.
func Parse(b []byte) (*Pair, error) {
	c, err := tls.X509KeyPair(b, b)
	if err != nil {
		return nil, errors.Join(errNotAPair, err)
	}
	key, ok := c.PrivateKey.(*ecdsa.PrivateKey)
	if !ok {
		return nil, errNotAPair
	}
	return &Pair{c.Leaf, key}, nil
}

// PEM is the pair as a file: the key, then the certificate.
func (p *Pair) PEM() ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(p.Key)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := pem.Encode(&b, &pem.Block{Type: "PRIVATE KEY", Bytes: der}); err != nil {
		return nil, err
	}
	b.Write(p.CertificatePEM())
	return b.Bytes(), nil
}

// CertificatePEM is the certificate alone, for everybody to see.
func (p *Pair) CertificatePEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.Certificate.Raw})
}

// TLS is the pair as package tls takes it.
func (p *Pair) TLS() tls.Certificate {
	return tls.Certificate{Certificate: [][]byte{p.Certificate.Raw}, PrivateKey: p.Key, Leaf: p.Certificate}
}

// create makes a new key and a certificate for it, signed by the issuer (nil:
// by itself).
func create(template *x509.Certificate, issuer *Pair, now time.Time, life time.Duration) (*Pair, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	if template.SerialNumber, err = rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127)); err != nil {
		return nil, err
	}
	// Clocks that are a little behind must not refuse a new certificate.
	template.NotBefore, template.NotAfter = now.Add(-time.Hour), now.Add(life)
	template.BasicConstraintsValid = true
	if issuer == nil {
		issuer = &Pair{template, key}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, issuer.Certificate, &key.PublicKey, issuer.Key)
	if err != nil {
		return nil, err
	}
	c, err := x509.ParseCertificate(der)
	return &Pair{c, key}, err
}
