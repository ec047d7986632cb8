package wireserver

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"encoding/xml"
	"math/big"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func selfSigned(t *testing.T, key crypto.Signer) []byte {
	t.Helper()
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(1).Lsh(big.NewInt(1), 150), Subject: pkix.Name{CommonName: "LinuxTransport"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func writePEM(t *testing.T, path, kind string, der []byte) {
	t.Helper()
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
}

// What the agents do with the answer (waagent's decrypt_p7m, cloud-init's
// _decrypt_certs_from_xml): openssl opens it, and finds no certificate.
func TestCertificatesAreOpenedByOpenSSL(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	keyFile, certFile := filepath.Join(dir, "key.pem"), filepath.Join(dir, "cert.pem")
	der := selfSigned(t, key)
	writePEM(t, keyFile, "RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(key))
	writePEM(t, certFile, "CERTIFICATE", der)

	q := httptest.NewRequest("GET", "http://168.63.129.16/machine/c/i?comp=certificates&incarnation=1", nil)
	q.RemoteAddr = vm + ":1"
	q.Header.Set("x-ms-cipher-name", "DES_EDE3_CBC")
	q.Header.Set("x-ms-guest-agent-public-x509-cert", base64.StdEncoding.EncodeToString(der))
	w := httptest.NewRecorder()
	testServer(nil).Wire().ServeHTTP(w, q)
	var file struct{ Format, Data string }
	if err := xml.Unmarshal(w.Body.Bytes(), &file); err != nil || file.Format != "Pkcs7BlobWithPfxContents" {
		t.Fatalf("%v: %s", err, w.Body)
	}
	// The agents wrap it as a mail, and leave it to openssl to undo that.
	mail := "MIME-Version: 1.0\nContent-Disposition: attachment; filename=\"c.p7m\"\n" +
		"Content-Type: application/x-pkcs7-mime; name=\"c.p7m\"\nContent-Transfer-Encoding: base64\n\n" + file.Data + "\n"
	cms := exec.Command("openssl", "cms", "-decrypt", "-inkey", keyFile, "-recip", certFile)
	cms.Stdin = strings.NewReader(mail)
	bundle, err := cms.Output()
	if err != nil {
		t.Fatalf("openssl cms: %v", err)
	}
	p12 := exec.Command("openssl", "pkcs12", "-nodes", "-password", "pass:")
	p12.Stdin = bytes.NewReader(bundle)
	out, err := p12.CombinedOutput()
	if err != nil || len(bytes.TrimSpace(out)) != 0 {
		t.Errorf("openssl pkcs12: %v\n%s", err, out)
	}
}

func TestTransportCertificateRefuses(t *testing.T) {
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, header := range map[string]string{
		"nothing":     "",
		"not base64":  "***",
		"not X.509":   base64.StdEncoding.EncodeToString([]byte("hello")),
		"another key": base64.StdEncoding.EncodeToString(selfSigned(t, ec)),
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := transportCertificate(header); err == nil {
				t.Error("no error")
			}
		})
	}
}

func FuzzTransportCertificate(f *testing.F) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		f.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1)}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, key.Public(), key)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(der)
	f.Fuzz(func(t *testing.T, der []byte) {
		cert, err := transportCertificate(base64.StdEncoding.EncodeToString(der))
		if err == nil {
			_, _ = seal([]byte("x"), cert) // must not panic, whatever the key is
		}
	})
}
