package identity

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"

	"lazuli/internal/store"
)

const signingKeyPath = "/identity/signing-key"

// signingKey signs the cloud's tokens.
type signingKey struct {
	private *ecdsa.PrivateKey
	id      string
}

// ensureSigningKey reads the cloud's key, or makes it. Of servers that start
// together all get the same.
func ensureSigningKey(ctx context.Context, s store.Store) (*signingKey, error) {
	fresh, err := newKeyBytes()
	if err != nil {
		return nil, err
	}
	var der []byte
	_, err = s.Update(ctx, func(tx store.Tx) error {
		e, err := tx.Get(ctx, signingKeyPath)
		if errors.Is(err, store.ErrNotFound) {
			der = fresh
			tx.Put(signingKeyPath, fresh)
			return nil
		}
		der = e.Value
		return err
	})
	if err != nil {
		return nil, err
	}
	return parseKey(der)
}

func newKeyBytes() ([]byte, error) {
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	return x509.MarshalPKCS8PrivateKey(k)
}

func parseKey(der []byte) (*signingKey, error) {
	k, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", signingKeyPath, err)
	}
	private, ok := k.(*ecdsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("read %s: it is a %T", signingKeyPath, k)
	}
	point, err := private.PublicKey.Bytes()
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", signingKeyPath, err)
	}
	sum := sha256.Sum256(point)
	return &signingKey{private, encode(sum[:16])}, nil
}

// JWK is a public key as RFC 7517 has it.
type JWK struct {
	Type      string `json:"kty"`
	Curve     string `json:"crv"`
	X         string `json:"x"`
	Y         string `json:"y"`
	KeyID     string `json:"kid"`
	Use       string `json:"use"`
	Algorithm string `json:"alg"`
}

// Keys are the public keys that tokens are verified with.
func (s *Service) Keys() ([]JWK, error) {
	point, err := s.key.private.PublicKey.Bytes() // 4, X, Y
	if err != nil {
		return nil, err
	}
	return []JWK{{
		Type: "EC", Curve: "P-256", X: encode(point[1:33]), Y: encode(point[33:65]),
		KeyID: s.key.id, Use: "sig", Algorithm: "ES256",
	}}, nil
}
