package identity

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"lazuli/internal/arm"
	"lazuli/internal/store"
	"lazuli/internal/store/memory"
)

const (
	tenant = "99999999-8888-7777-6666-555555555555"
	client = "33333333-2222-3333-4444-555555555555"
	secret = "correct horse"
	host   = "cloud.test:8443"
)

// newService is a service whose clock stands until it is moved.
func newService(t *testing.T) (*Service, *time.Time) {
	t.Helper()
	st := memory.New(memory.Options{})
	t.Cleanup(func() { st.Close() })
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	s, err := New(t.Context(), Config{
		Store: st, TenantID: tenant, Hosts: []string{"Cloud.test", "127.0.0.1", "::1"}, Now: func() time.Time { return now },
	})
	if err != nil {
		t.Fatal(err)
	}
	put(t, s, &Principal{ClientID: client, ObjectID: "object", TenantID: tenant, Name: "p", Secrets: []Secret{{Hash: HashSecret("old")}, {Hash: HashSecret(secret)}}})
	return s, &now
}

func put(t *testing.T, s *Service, p *Principal) {
	t.Helper()
	if _, err := s.Store.Update(t.Context(), func(tx store.Tx) error { return PutPrincipal(t.Context(), tx, p) }); err != nil {
		t.Fatal(err)
	}
}

func TestLogin(t *testing.T) {
	s, _ := newService(t)
	put(t, s, &Principal{ClientID: "elsewhere", TenantID: "another", Secrets: []Secret{{Hash: HashSecret(secret)}}})
	tests := map[string]struct {
		id, secret, audience string
		want                 error
	}{
		"good":              {client, secret, "https://cloud.test:8443", nil},
		"older secret":      {client, "old", "https://cloud.test:8443", nil},
		"id in upper case":  {strings.ToUpper(client), secret, "https://cloud.test:8443/", nil},
		"other port":        {client, secret, "https://127.0.0.1:1", nil},
		"address":           {client, secret, "https://[::1]:8443", nil},
		"wrong secret":      {client, "x", "https://cloud.test:8443", ErrWrongSecret},
		"no secret":         {client, "", "https://cloud.test:8443", ErrWrongSecret},
		"unknown client":    {"x", secret, "https://cloud.test:8443", ErrUnknownClient},
		"of another tenant": {"elsewhere", secret, "https://cloud.test:8443", ErrUnknownClient},
		"other audience":    {client, secret, "https://other.test", ErrWrongAudience},
		"audience by http":  {client, secret, "http://cloud.test:8443", ErrWrongAudience},
		"audience, user":    {client, secret, "https://u@cloud.test", ErrWrongAudience},
		"audience, path":    {client, secret, "https://cloud.test/x", ErrWrongAudience},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			tok, err := s.Login(t.Context(), tt.id, tt.secret, tt.audience, host, "1.2.3.4")
			if !errors.Is(err, tt.want) {
				t.Fatalf("Login = %v, want %v", err, tt.want)
			}
			if tt.want != nil {
				return
			}
			p, err := s.Authenticate(t.Context(), tok.Raw)
			if err != nil || p != (arm.Principal{Kind: arm.KindServicePrincipal, ObjectID: "object", AppID: client, TenantID: tenant, Name: "p"}) {
				t.Errorf("Authenticate = %+v, %v", p, err)
			}
		})
	}
}

func login(t *testing.T, s *Service) string {
	t.Helper()
	tok, err := s.Login(t.Context(), client, secret, "https://"+host, host, "")
	if err != nil {
		t.Fatal(err)
	}
	return tok.Raw
}

// forge makes a token of s with the claims changed.
func forge(t *testing.T, s *Service, change func(*claims, *jwt.Token)) string {
	t.Helper()
	now := s.Now()
	c := claims{
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer: s.Issuer(host), Subject: "object", Audience: jwt.ClaimStrings{"https://" + host},
			IssuedAt: jwt.NewNumericDate(now), NotBefore: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(now.Add(time.Hour)),
		},
		TenantID: tenant, ObjectID: "object", AppID: client,
	}
	tok := jwt.NewWithClaims(jwt.SigningMethodES256, &c)
	tok.Header["kid"] = s.key.id
	change(&c, tok)
	var key any = s.key.private
	switch tok.Method.Alg() {
	case "none":
		key = jwt.UnsafeAllowNoneSignatureType
	case "HS256":
		key = []byte("public key, say")
	}
	raw, err := tok.SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestAuthenticateRefuses(t *testing.T) {
	s, now := newService(t)
	other, _ := newService(t)
	good := login(t, s)
	parts := strings.Split(good, ".")
	tests := map[string]struct{ token, code string }{
		"empty":           {"", "InvalidAuthenticationToken"},
		"nonsense":        {"a.b.c", "InvalidAuthenticationToken"},
		"long":            {strings.Repeat("x", 1<<20), "InvalidAuthenticationToken"},
		"no signature":    {parts[0] + "." + parts[1] + ".", "InvalidAuthenticationToken"},
		"other's":         {login(t, other), "InvalidAuthenticationToken"},
		"alg none":        {forge(t, s, func(_ *claims, k *jwt.Token) { k.Method = jwt.SigningMethodNone; k.Header["alg"] = "none" }), "InvalidAuthenticationToken"},
		"alg HS256":       {forge(t, s, func(_ *claims, k *jwt.Token) { k.Method = jwt.SigningMethodHS256; k.Header["alg"] = "HS256" }), "InvalidAuthenticationToken"},
		"unknown key":     {forge(t, s, func(_ *claims, k *jwt.Token) { k.Header["kid"] = "x" }), "InvalidAuthenticationToken"},
		"expired":         {forge(t, s, func(c *claims, _ *jwt.Token) { c.ExpiresAt = jwt.NewNumericDate(now.Add(-time.Hour)) }), "ExpiredAuthenticationToken"},
		"never expires":   {forge(t, s, func(c *claims, _ *jwt.Token) { c.ExpiresAt = nil }), "InvalidAuthenticationToken"},
		"not yet":         {forge(t, s, func(c *claims, _ *jwt.Token) { c.NotBefore = jwt.NewNumericDate(now.Add(time.Hour)) }), "InvalidAuthenticationToken"},
		"other audience":  {forge(t, s, func(c *claims, _ *jwt.Token) { c.Audience = jwt.ClaimStrings{"https://x.test"} }), "InvalidAuthenticationTokenAudience"},
		"two audiences":   {forge(t, s, func(c *claims, _ *jwt.Token) { c.Audience = append(c.Audience, c.Audience[0]) }), "InvalidAuthenticationTokenAudience"},
		"no audience":     {forge(t, s, func(c *claims, _ *jwt.Token) { c.Audience = nil }), "InvalidAuthenticationTokenAudience"},
		"other issuer":    {forge(t, s, func(c *claims, _ *jwt.Token) { c.Issuer = "https://x.test/" + tenant + "/v2.0" }), "InvalidAuthenticationTokenIssuer"},
		"issuer's path":   {forge(t, s, func(c *claims, _ *jwt.Token) { c.Issuer = "https://" + host + "/x/v2.0" }), "InvalidAuthenticationTokenIssuer"},
		"other tenant":    {forge(t, s, func(c *claims, _ *jwt.Token) { c.TenantID = "x" }), "InvalidAuthenticationTokenTenant"},
		"other principal": {forge(t, s, func(c *claims, _ *jwt.Token) { c.AppID = "x" }), "InvalidAuthenticationToken"},
		"other object":    {forge(t, s, func(c *claims, _ *jwt.Token) { c.ObjectID = "x" }), "InvalidAuthenticationToken"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p, err := s.Authenticate(t.Context(), tt.token)
			ae, ok := errors.AsType[*arm.Error](err)
			if !ok || ae.Status != 401 || ae.Code != tt.code {
				t.Errorf("Authenticate = %+v, %v; want 401 %s", p, err, tt.code)
			}
		})
	}
	slash := forge(t, s, func(c *claims, _ *jwt.Token) { c.Audience = jwt.ClaimStrings{"https://" + host + "/"} })
	if _, err := s.Authenticate(t.Context(), slash); err != nil {
		t.Errorf("an audience with a slash at its end: %v", err)
	}
}

func TestTokensEnd(t *testing.T) {
	s, now := newService(t)
	raw := login(t, s)
	*now = now.Add(TokenTime)
	if _, err := s.Authenticate(t.Context(), raw); err != nil {
		t.Errorf("within the leeway: %v", err)
	}
	*now = now.Add(leeway + time.Second)
	if _, err := s.Authenticate(t.Context(), raw); err == nil {
		t.Error("the token is good after its end")
	}
	if err := s.Stands(t.Context(), raw); err != nil {
		t.Errorf("who has come by the token before its end may not stay: %v", err)
	}
	other, _ := newService(t)
	for name, raw := range map[string]string{"other's": login(t, other), "nonsense": "a.b.c"} {
		if err := s.Stands(t.Context(), raw); err == nil {
			t.Errorf("%s stands", name)
		}
	}
	raw = login(t, s)
	if _, err := s.Store.Update(t.Context(), func(tx store.Tx) error { return DeletePrincipal(t.Context(), tx, &Principal{ClientID: client}) }); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Authenticate(t.Context(), raw); err == nil {
		t.Error("the token of a deleted principal is good")
	}
}

func TestSecretCache(t *testing.T) {
	s, now := newService(t)
	login(t, s)
	p, err := FindPrincipal(t.Context(), s.Store, client)
	if err != nil {
		t.Fatal(err)
	}
	if !s.secrets.has(p, secret, *now) || s.secrets.has(p, "old", *now) {
		t.Error("the cache does not know exactly the secret that was used")
	}
	if s.secrets.has(p, secret, now.Add(secretTime+time.Second)) {
		t.Error("the cache knows the secret after its time")
	}
	p.Secrets = p.Secrets[:1]
	put(t, s, p)
	if _, err := s.Login(t.Context(), client, secret, "https://"+host, host, ""); !errors.Is(err, ErrWrongSecret) {
		t.Errorf("Login with a secret that was taken away = %v, want ErrWrongSecret", err)
	}
}

func TestThrottle(t *testing.T) {
	s, now := newService(t)
	try := func(secret, remote string) error {
		_, err := s.Login(t.Context(), client, secret, "https://"+host, host, remote)
		return err
	}
	for range freeFailures {
		if err := try("x", "1.1.1.1"); !errors.Is(err, ErrWrongSecret) {
			t.Fatalf("a first failure = %v, want ErrWrongSecret", err)
		}
	}
	if err := try(secret, "1.1.1.1"); !errors.Is(err, ErrThrottled) {
		t.Errorf("after %d failures = %v, want ErrThrottled", freeFailures, err)
	}
	if err := try(secret, "2.2.2.2"); err != nil {
		t.Errorf("from elsewhere = %v, want success", err)
	}
	if err := try(secret, "1.1.1.1"); err != nil {
		t.Errorf("with a secret that was just right = %v, want success", err)
	}
	*now = now.Add(lastPause)
	if err := try("x", "1.1.1.1"); !errors.Is(err, ErrWrongSecret) {
		t.Errorf("after a pause = %v, want ErrWrongSecret", err)
	}
}

// Guesses that come all at once have no more tries than those that come one
// after the other.
func TestThrottleOfManyAtOnce(t *testing.T) {
	s, _ := newService(t)
	const many = 4 * freeFailures
	errs := make(chan error, many)
	for i := range many {
		go func() {
			_, err := s.Login(t.Context(), client, fmt.Sprint("guess ", i), "https://"+host, host, "1.1.1.1")
			errs <- err
		}()
	}
	tried := 0
	for range many {
		if errors.Is(<-errs, ErrWrongSecret) {
			tried++
		}
	}
	if most := freeFailures + cap(s.hashing) - 1; tried > most {
		t.Errorf("%d guesses at once were tried, want at most %d", tried, most)
	}
}

func TestNeighbourhood(t *testing.T) {
	for remote, want := range map[string]string{
		"192.0.2.1": "192.0.2.1", "::ffff:192.0.2.1": "::ffff:192.0.2.1", "2001:db8:1:2:3::4": "2001:db8:1:2::/64",
		"2001:db8:1:2:5::6": "2001:db8:1:2::/64", "fe80::1%eth0": "fe80::/64", "": "", "pipe": "pipe",
	} {
		if got := neighbourhood(remote); got != want {
			t.Errorf("neighbourhood(%q) = %q, want %q", remote, got, want)
		}
	}
}

func TestThrottleForgets(t *testing.T) {
	th, now := newThrottle(), time.Now()
	for i := range maxWatched + 5 {
		th.failed(strings.Repeat("x", i%97)+string(rune(i)), now)
	}
	if len(th.m) > maxWatched {
		t.Errorf("%d are watched, want at most %d", len(th.m), maxWatched)
	}
}

func TestSecrets(t *testing.T) {
	hash := HashSecret("s")
	if hash == HashSecret("s") {
		t.Error("two hashes of one secret are the same: no salt")
	}
	for in, want := range map[string]bool{hash: true, "": false, "$argon2id$v=19$m=1,t=0,p=0$x$y": false, "$argon2i" + hash[9:]: false, "x" + hash: false} {
		if got := verifySecret(in, "s"); got != want {
			t.Errorf("verifySecret(%q) = %t, want %t", in, got, want)
		}
	}
	if a, b := NewSecret(), NewSecret(); a == b || len(a) != 43 {
		t.Error("NewSecret does not make 256 random bits")
	}
}

func TestKeysVerifyTokens(t *testing.T) {
	s, _ := newService(t)
	keys, err := s.Keys()
	if err != nil || len(keys) != 1 || keys[0].KeyID != s.key.id || len(keys[0].X) != 43 || len(keys[0].Y) != 43 {
		t.Fatalf("Keys = %+v, %v", keys, err)
	}
	again, err := New(t.Context(), s.Config)
	if err != nil || again.key.id != s.key.id {
		t.Errorf("the next start's key is %v, %v; want the same", again.key.id, err)
	}
}

func FuzzAuthenticate(f *testing.F) {
	st := memory.New(memory.Options{})
	defer st.Close()
	s, err := New(f.Context(), Config{Store: st, TenantID: tenant, Hosts: []string{"h"}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add("eyJhbGciOiJub25lIn0.e30.")
	f.Add("eyJhbGciOiJFUzI1NiIsImtpZCI6MX0.e30.AAAA")
	f.Fuzz(func(t *testing.T, raw string) {
		if p, err := s.Authenticate(t.Context(), raw); err == nil {
			t.Errorf("Authenticate(%q) = %+v", raw, p)
		}
	})
}
