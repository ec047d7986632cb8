package federation

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
)

// Limits on keys.
const (
	maxKeys    = 100
	minRSABits = 2048
	maxRSABits = 8192
)

// jwk is a public key as RFC 7517 and 8037 have it.
type jwk struct {
	Type  string `json:"kty"`
	ID    string `json:"kid"`
	Use   string `json:"use"`
	Curve string `json:"crv"`
	N     string `json:"n"`
	E     string `json:"e"`
	X     string `json:"x"`
	Y     string `json:"y"`
}

// parseKeys reads a key set. Keys of other kinds, or for other uses, are left
// out, as RFC 7517 asks.
func parseKeys(b []byte) (map[string]any, error) {
	var set struct {
		Keys []jwk `json:"keys"`
	}
	if err := json.Unmarshal(b, &set); err != nil {
		return nil, fmt.Errorf("read keys: %w", err)
	}
	if len(set.Keys) > maxKeys {
		return nil, fmt.Errorf("read keys: there are %d, more than %d", len(set.Keys), maxKeys)
	}
	keys := map[string]any{}
	for _, k := range set.Keys {
		if k.Use != "" && k.Use != "sig" {
			continue
		}
		if public, err := k.public(); err == nil {
			keys[k.ID] = public
		}
	}
	if len(keys) == 0 {
		return nil, errors.New("read keys: there is none that signs")
	}
	return keys, nil
}

var errKey = errors.New("not a key that can be used")

func (k *jwk) public() (any, error) {
	switch k.Type {
	case "RSA":
		return k.rsa()
	case "EC":
		return k.ec()
	case "OKP":
		x, err := base64.RawURLEncoding.DecodeString(k.X)
		if err != nil || k.Curve != "Ed25519" || len(x) != ed25519.PublicKeySize {
			return nil, errKey
		}
		return ed25519.PublicKey(x), nil
	}
	return nil, errKey
}

func (k *jwk) rsa() (any, error) {
	n, err1 := base64.RawURLEncoding.DecodeString(k.N)
	e, err2 := base64.RawURLEncoding.DecodeString(k.E)
	if err1 != nil || err2 != nil || len(e) > 4 {
		return nil, errKey
	}
	modulus, exponent := new(big.Int).SetBytes(n), new(big.Int).SetBytes(e).Int64()
	if bits := modulus.BitLen(); bits < minRSABits || bits > maxRSABits || modulus.Bit(0) == 0 || exponent < 3 || exponent%2 == 0 || exponent > 1<<31-1 {
		return nil, errKey
	}
	return &rsa.PublicKey{N: modulus, E: int(exponent)}, nil
}

var curves = map[string]elliptic.Curve{"P-256": elliptic.P256(), "P-384": elliptic.P384(), "P-521": elliptic.P521()}

func (k *jwk) ec() (any, error) {
	curve := curves[k.Curve]
	x, err1 := base64.RawURLEncoding.DecodeString(k.X)
	y, err2 := base64.RawURLEncoding.DecodeString(k.Y)
	if curve == nil || err1 != nil || err2 != nil {
		return nil, errKey
	}
	if size := (curve.Params().BitSize + 7) / 8; len(x) != size || len(y) != size {
		return nil, errKey
	}
	// It says whether the point is on the curve.
	return ecdsa.ParseUncompressedPublicKey(curve, append(append([]byte{4}, x...), y...))
}
