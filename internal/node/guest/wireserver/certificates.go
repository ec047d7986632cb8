package wireserver

import (
	"bytes"
	"crypto/cipher"
	"crypto/des" //nolint:gosec // what the agents ask for; see seal
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // the same
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"errors"
	"math/big"
	"strings"
)

// An agent asks for the machine's certificates under the certificate of a key
// that it made itself. This platform gives machines no certificates, but the
// answer has to be one that openssl can open: cloud-init fails to set up the
// keys of the provisioning medium when it is not, should IMDS have been late.

var (
	oidData          = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}
	oidEnvelopedData = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 3}
	oidRSA           = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 1}
	oidDES3CBC       = asn1.ObjectIdentifier{1, 2, 840, 113549, 3, 7}
	oidSHA1          = asn1.ObjectIdentifier{1, 3, 14, 3, 2, 26}
)

// The structures of RFC 5652 (CMS) and RFC 7292 (PKCS #12), as far as they are
// needed here.
type (
	contentInfo struct {
		Type    asn1.ObjectIdentifier
		Content asn1.RawValue `asn1:"tag:0,explicit"`
	}
	envelopedData struct {
		Version    int
		Recipients []recipient `asn1:"set"`
		Content    encryptedContent
	}
	recipient struct {
		Version int
		ID      struct {
			Issuer asn1.RawValue
			Serial *big.Int
		}
		Algorithm pkix.AlgorithmIdentifier
		Key       []byte
	}
	encryptedContent struct {
		Type      asn1.ObjectIdentifier
		Algorithm pkix.AlgorithmIdentifier
		Content   []byte `asn1:"tag:0"`
	}
	pfx struct {
		Version  int
		AuthSafe contentInfo
		MAC      macData
	}
	macData struct {
		MAC struct {
			Algorithm pkix.AlgorithmIdentifier
			Digest    []byte
		}
		Salt       []byte
		Iterations int
	}
)

var errCertificate = errors.New("x-ms-guest-agent-public-x509-cert is not a certificate with an RSA key of 1024 to 8192 bits, in base64")

// transportCertificate reads the header in which an agent gives its certificate.
func transportCertificate(header string) (*x509.Certificate, error) {
	der, err := base64.StdEncoding.DecodeString(header)
	if err != nil {
		return nil, errCertificate
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, errCertificate
	}
	key, ok := cert.PublicKey.(*rsa.PublicKey)
	if !ok || key.N.BitLen() < 1024 || key.N.BitLen() > 8192 {
		return nil, errCertificate
	}
	return cert, nil
}

// seal encrypts content to a transport certificate: CMS EnvelopedData with
// DES-EDE3-CBC, the one cipher that all versions of the agents take (they name
// it in x-ms-cipher-name).
func seal(content []byte, cert *x509.Certificate) ([]byte, error) {
	var secret [24 + des.BlockSize]byte
	rand.Read(secret[:]) //nolint:errcheck // never fails (crypto/rand)
	key, iv := secret[:24], secret[24:]
	block, err := des.NewTripleDESCipher(key) //nolint:gosec
	if err != nil {
		return nil, err
	}
	pad := des.BlockSize - len(content)%des.BlockSize
	sealed := append(bytes.Clone(content), bytes.Repeat([]byte{byte(pad)}, pad)...)
	cipher.NewCBCEncrypter(block, iv).CryptBlocks(sealed, sealed)

	r := recipient{Algorithm: pkix.AlgorithmIdentifier{Algorithm: oidRSA, Parameters: asn1.NullRawValue}}
	r.ID.Issuer.FullBytes, r.ID.Serial = cert.RawIssuer, cert.SerialNumber
	if r.Key, err = rsa.EncryptPKCS1v15(rand.Reader, cert.PublicKey.(*rsa.PublicKey), key); err != nil {
		return nil, err
	}
	parameter, err := asn1.Marshal(iv)
	if err != nil {
		return nil, err
	}
	return wrap(oidEnvelopedData, envelopedData{
		Recipients: []recipient{r},
		Content: encryptedContent{
			Type:      oidData,
			Algorithm: pkix.AlgorithmIdentifier{Algorithm: oidDES3CBC, Parameters: asn1.RawValue{FullBytes: parameter}},
			Content:   sealed,
		},
	})
}

// emptyPFX is a PKCS #12 file without anything in it, under an empty password.
func emptyPFX() ([]byte, error) {
	safe, err := asn1.Marshal([]contentInfo{})
	if err != nil {
		return nil, err
	}
	inner, err := info(oidData, safe)
	if err != nil {
		return nil, err
	}
	p := pfx{Version: 3, AuthSafe: inner, MAC: macData{Salt: make([]byte, 8), Iterations: 1}}
	p.MAC.MAC.Algorithm = pkix.AlgorithmIdentifier{Algorithm: oidSHA1, Parameters: asn1.NullRawValue}
	// RFC 7292, appendix B.2, with an identifier of 3 (MAC), an empty password
	// (two zero bytes, repeated) and the salt above: one block of SHA-1.
	const block = 64
	key := sha1.Sum(append(bytes.Repeat([]byte{3}, block), make([]byte, 2*block)...)) //nolint:gosec
	mac := hmac.New(sha1.New, key[:])
	mac.Write(safe)
	p.MAC.MAC.Digest = mac.Sum(nil)
	return asn1.Marshal(p)
}

// mimeBase64 breaks lines: older openssl reads no long ones.
func mimeBase64(b []byte) string {
	const width = 76
	var out strings.Builder
	for s := base64.StdEncoding.EncodeToString(b); s != ""; {
		n := min(width, len(s))
		out.WriteString(s[:n] + "\n")
		s = s[n:]
	}
	return out.String()
}

func info(kind asn1.ObjectIdentifier, content any) (contentInfo, error) {
	b, err := asn1.Marshal(content)
	if err != nil {
		return contentInfo{}, err
	}
	return contentInfo{kind, asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true, Bytes: b}}, nil
}

func wrap(kind asn1.ObjectIdentifier, content any) ([]byte, error) {
	c, err := info(kind, content)
	if err != nil {
		return nil, err
	}
	return asn1.Marshal(c)
}
