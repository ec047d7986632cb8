package federation

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"lazuli/internal/identity"
)

// ci is an issuer as others run it.
type ci struct {
	*httptest.Server
	keys     []map[string]string
	describe func(url string) string // nil for the truth
	status   int
	asked    int // for keys
}

func newCI(t *testing.T) *ci {
	t.Helper()
	c := &ci{status: 200}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(c.status)
		if c.describe != nil {
			fmt.Fprint(w, c.describe(c.URL))
			return
		}
		fmt.Fprintf(w, `{"issuer":%q,"jwks_uri":%q}`, c.URL, c.URL+"/keys")
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) {
		c.asked++
		_ = json.NewEncoder(w).Encode(map[string]any{"keys": c.keys})
	})
	mux.Handle("GET /moved", http.RedirectHandler("/keys", http.StatusFound))
	mux.HandleFunc("GET /large", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"keys":[],"x":"`+strings.Repeat("x", maxReply)+`"}`)
	})
	c.Server = httptest.NewTLSServer(mux)
	t.Cleanup(c.Close)
	return c
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// add makes a key that the issuer tells of.
func (c *ci) add(t *testing.T, id string) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c.keys = append(c.keys, ecJWK(t, &k.PublicKey, id))
	return k
}

func ecJWK(t *testing.T, k *ecdsa.PublicKey, id string) map[string]string {
	t.Helper()
	point, err := k.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	n := (len(point) - 1) / 2
	return map[string]string{"kty": "EC", "kid": id, "crv": k.Curve.Params().Name, "x": b64(point[1 : 1+n]), "y": b64(point[1+n:])}
}

func rsaJWK(k *rsa.PublicKey, id string) map[string]string {
	return map[string]string{"kty": "RSA", "kid": id, "use": "sig", "n": b64(k.N.Bytes()), "e": b64(big.NewInt(int64(k.E)).Bytes())}
}

// trusting is Issuers that trust c, on a clock that stands.
func trusting(t *testing.T, c *ci) (*Issuers, *time.Time) {
	t.Helper()
	now := time.Now()
	s, err := New(Config{URLs: []string{c.URL}, Transport: c.Client().Transport, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	return s, &now
}

type change func(c jwt.MapClaims, t *jwt.Token)

func token(t *testing.T, issuer string, method jwt.SigningMethod, key any, now time.Time, changes ...change) string {
	t.Helper()
	c := jwt.MapClaims{"iss": issuer, "sub": "repo:x:main", "aud": "api://AzureADTokenExchange", "iat": now.Unix(), "exp": now.Add(5 * time.Minute).Unix()}
	tok := jwt.NewWithClaims(method, c)
	tok.Header["kid"] = "1"
	for _, f := range changes {
		f(c, tok)
	}
	raw, err := tok.SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestVerify(t *testing.T) {
	c := newCI(t)
	key := c.add(t, "1")
	s, now := trusting(t, c)
	es := jwt.SigningMethodES256
	stranger, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		token string
		want  error
	}{
		"good":          {token(t, c.URL, es, key, *now), nil},
		"clock ahead":   {token(t, c.URL, es, key, now.Add(leeway/2)), nil},
		"expired":       {token(t, c.URL, es, key, now.Add(-time.Hour)), identity.ErrLateAssertion},
		"not yet":       {token(t, c.URL, es, key, now.Add(time.Hour)), identity.ErrLateAssertion},
		"no end":        {token(t, c.URL, es, key, *now, func(c jwt.MapClaims, _ *jwt.Token) { delete(c, "exp") }), identity.ErrBadAssertion},
		"no subject":    {token(t, c.URL, es, key, *now, func(c jwt.MapClaims, _ *jwt.Token) { delete(c, "sub") }), identity.ErrBadAssertion},
		"other issuer":  {token(t, "https://x.test", es, key, *now), identity.ErrForeignIssuer},
		"slash":         {token(t, c.URL+"/", es, key, *now), identity.ErrForeignIssuer},
		"other's key":   {token(t, c.URL, es, stranger, *now), identity.ErrBadAssertion},
		"unknown key":   {token(t, c.URL, es, key, *now, func(_ jwt.MapClaims, t *jwt.Token) { t.Header["kid"] = "2" }), identity.ErrBadAssertion},
		"key not named": {token(t, c.URL, es, key, *now, func(_ jwt.MapClaims, t *jwt.Token) { delete(t.Header, "kid") }), nil},
		"unsigned":      {token(t, c.URL, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, *now), identity.ErrBadAssertion},
		"symmetric":     {token(t, c.URL, jwt.SigningMethodHS256, []byte("public key, say"), *now), identity.ErrBadAssertion},
		"nonsense":      {"a.b.c", identity.ErrBadAssertion},
		"empty":         {"", identity.ErrBadAssertion},
		"long":          {strings.Repeat("x", maxToken+1), identity.ErrBadAssertion},
	} {
		t.Run(name, func(t *testing.T) {
			a, err := s.Verify(t.Context(), tt.token)
			if !errors.Is(err, tt.want) {
				t.Fatalf("Verify = %v, want %v", err, tt.want)
			}
			if tt.want == nil && (a.Issuer != c.URL || a.Subject != "repo:x:main" || len(a.Audience) != 1) {
				t.Errorf("Verify = %+v", a)
			}
		})
	}
}

func TestKindsOfKeys(t *testing.T) {
	c := newCI(t)
	rsaKey, err1 := rsa.GenerateKey(rand.Reader, 2048)
	p384, err2 := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	public, private, err3 := ed25519.GenerateKey(rand.Reader)
	if err := errors.Join(err1, err2, err3); err != nil {
		t.Fatal(err)
	}
	c.keys = []map[string]string{rsaJWK(&rsaKey.PublicKey, "r"), ecJWK(t, &p384.PublicKey, "e"), {"kty": "OKP", "crv": "Ed25519", "kid": "o", "x": b64(public)}}
	s, now := trusting(t, c)
	named := func(id string) change { return func(_ jwt.MapClaims, t *jwt.Token) { t.Header["kid"] = id } }
	for name, tt := range map[string]struct {
		token string
		good  bool
	}{
		"RS256":           {token(t, c.URL, jwt.SigningMethodRS256, rsaKey, *now, named("r")), true},
		"PS512":           {token(t, c.URL, jwt.SigningMethodPS512, rsaKey, *now, named("r")), true},
		"ES384":           {token(t, c.URL, jwt.SigningMethodES384, p384, *now, named("e")), true},
		"EdDSA":           {token(t, c.URL, jwt.SigningMethodEdDSA, private, *now, named("o")), true},
		"EC key for RSA":  {token(t, c.URL, jwt.SigningMethodRS256, rsaKey, *now, named("e")), false},
		"Ed key for P384": {token(t, c.URL, jwt.SigningMethodES384, p384, *now, named("o")), false},
	} {
		if _, err := s.Verify(t.Context(), tt.token); (err == nil) != tt.good {
			t.Errorf("%s: Verify = %v, want good: %t", name, err, tt.good)
		}
	}
}

// An issuer is asked seldom, whatever it is that clients show.
func TestKeysAreCached(t *testing.T) {
	c := newCI(t)
	first := c.add(t, "1")
	s, now := trusting(t, c)
	verify := func(key any, id string) error {
		_, err := s.Verify(t.Context(), token(t, c.URL, jwt.SigningMethodES256, key, *now, func(_ jwt.MapClaims, t *jwt.Token) { t.Header["kid"] = id }))
		return err
	}
	for range 5 {
		if err := verify(first, "1"); err != nil {
			t.Fatal(err)
		}
	}
	second := c.add(t, "2")
	if err := verify(second, "2"); !errors.Is(err, identity.ErrBadAssertion) || c.asked != 1 {
		t.Errorf("a new key at once = %v after %d questions, want to wait a little", err, c.asked)
	}
	*now = now.Add(retryTime)
	if err := verify(second, "2"); err != nil || c.asked != 2 {
		t.Errorf("a new key = %v after %d questions", err, c.asked)
	}
	c.status = 500
	*now = now.Add(freshTime)
	for range 3 {
		if err := verify(first, "1"); err != nil || c.asked != 2 {
			t.Errorf("while the issuer is down = %v after %d questions", err, c.asked)
		}
	}
	*now = now.Add(staleTime)
	if err := verify(first, "1"); !errors.Is(err, identity.ErrNoKeys) {
		t.Errorf("when it was down for long = %v, want ErrNoKeys", err)
	}
	c.status, c.keys = 200, c.keys[1:]
	*now = now.Add(retryTime)
	if err := verify(first, "1"); !errors.Is(err, identity.ErrBadAssertion) {
		t.Errorf("a key that was withdrawn = %v, want ErrBadAssertion", err)
	}
}

func TestIssuersThatCannotBeTrusted(t *testing.T) {
	for name, tt := range map[string]struct {
		describe func(url string) string
		status   int
	}{
		"other name":     {describe: func(url string) string { return fmt.Sprintf(`{"issuer":"https://x.test","jwks_uri":%q}`, url+"/keys") }},
		"keys by http":   {describe: func(url string) string { return fmt.Sprintf(`{"issuer":%q,"jwks_uri":"http://127.0.0.1/keys"}`, url) }},
		"no keys":        {describe: func(url string) string { return fmt.Sprintf(`{"issuer":%q}`, url) }},
		"keys moved":     {describe: func(url string) string { return fmt.Sprintf(`{"issuer":%q,"jwks_uri":%q}`, url, url+"/moved") }},
		"large keys":     {describe: func(url string) string { return fmt.Sprintf(`{"issuer":%q,"jwks_uri":%q}`, url, url+"/large") }},
		"keys not there": {describe: func(url string) string { return fmt.Sprintf(`{"issuer":%q,"jwks_uri":%q}`, url, url+"/none") }},
		"no JSON":        {describe: func(string) string { return "<html>" }},
		"down":           {status: 503},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCI(t)
			key := c.add(t, "1")
			if c.describe = tt.describe; tt.status != 0 {
				c.status = tt.status
			}
			s, now := trusting(t, c)
			if _, err := s.Verify(t.Context(), token(t, c.URL, jwt.SigningMethodES256, key, *now)); !errors.Is(err, identity.ErrNoKeys) {
				t.Errorf("Verify = %v, want ErrNoKeys", err)
			}
		})
	}
	// Who is not known to the authorities is not spoken to.
	c := newCI(t)
	key := c.add(t, "1")
	s, err := New(Config{URLs: []string{c.URL}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Verify(t.Context(), token(t, c.URL, jwt.SigningMethodES256, key, time.Now())); !errors.Is(err, identity.ErrNoKeys) {
		t.Errorf("Verify = %v, want ErrNoKeys", err)
	}
}

func TestVerifyEndsWithItsContext(t *testing.T) {
	c := newCI(t)
	key := c.add(t, "1")
	s, now := trusting(t, c)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	raw := token(t, c.URL, jwt.SigningMethodES256, key, *now)
	if _, err := s.Verify(ctx, raw); !errors.Is(err, context.Canceled) {
		t.Errorf("Verify = %v, want context.Canceled", err)
	}
	if _, err := s.Verify(t.Context(), raw); err != nil {
		t.Errorf("the next one = %v", err)
	}
}

func TestNewRefuses(t *testing.T) {
	for _, url := range []string{"", "http://x.test", "https://", "https://u@x.test", "https://x.test?y", "https://x.test#y", "x"} {
		if _, err := New(Config{URLs: []string{url}}); err == nil {
			t.Errorf("New takes %q", url)
		}
	}
	s, err := New(Config{URLs: []string{"https://x.test/a"}})
	if err != nil || !s.Trusts("https://x.test/a") || s.Trusts("https://x.test/b") {
		t.Errorf("New = %v, and trusts others than it should", err)
	}
}

func TestParseKeysRefuses(t *testing.T) {
	good := `{"kty":"OKP","crv":"Ed25519","kid":"o","x":"` + b64(make([]byte, 32)) + `"}`
	if _, err := parseKeys([]byte(`{"keys":[` + good + `]}`)); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"no JSON":         "x",
		"no keys":         `{}`,
		"encryption":      `{"keys":[` + strings.Replace(good, `{`, `{"use":"enc",`, 1) + `]}`,
		"small RSA":       `{"keys":[{"kty":"RSA","n":"` + b64([]byte{1, 2, 3}) + `","e":"AQAB"}]}`,
		"huge RSA":        `{"keys":[{"kty":"RSA","n":"` + b64([]byte(strings.Repeat("x", 4096))) + `","e":"AQAB"}]}`,
		"off the curve":   `{"keys":[{"kty":"EC","crv":"P-256","x":"` + b64(make([]byte, 32)) + `","y":"` + b64(make([]byte, 32)) + `"}]}`,
		"other curve":     `{"keys":[{"kty":"EC","crv":"secp256k1","x":"AA","y":"AA"}]}`,
		"symmetric":       `{"keys":[{"kty":"oct","k":"AAAA"}]}`,
		"too many":        `{"keys":[` + strings.Repeat(good+",", maxKeys) + good + `]}`,
		"short Ed25519":   `{"keys":[{"kty":"OKP","crv":"Ed25519","x":"AAAA"}]}`,
		"no base64":       `{"keys":[{"kty":"RSA","n":"!","e":"AQAB"}]}`,
		"no base64 point": `{"keys":[{"kty":"EC","crv":"P-256","x":"!","y":"AA"}]}`,
	} {
		if keys, err := parseKeys([]byte(text)); err == nil {
			t.Errorf("%s: parseKeys = %v", name, keys)
		}
	}
}

func FuzzParseKeys(f *testing.F) {
	f.Add([]byte(`{"keys":[{"kty":"RSA","kid":"r","n":"AAAA","e":"AQAB"},{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}]}`))
	f.Add([]byte(`{"keys":[{"kty":"OKP","crv":"Ed25519","x":"AAAA"}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		keys, err := parseKeys(b)
		if err != nil {
			return
		}
		for _, k := range keys {
			if r, ok := k.(*rsa.PublicKey); ok && (r.N.BitLen() < minRSABits || r.E < 3) {
				t.Errorf("parseKeys(%q) has the key %v", b, r)
			}
		}
	})
}
