package federation

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"lazuli/internal/identity"
)

// Config is what Issuers need.
type Config struct {
	// URLs are the issuers that are trusted, letter by letter as their tokens
	// name them.
	URLs []string
	// Transport carries the requests for keys; nil is http.DefaultTransport.
	Transport http.RoundTripper
	// Now is the time; nil is time.Now.
	Now func() time.Time
}

// Issuers are those that are trusted.
type Issuers struct {
	now     func() time.Time
	issuers map[string]*issuer
}

// Limits on tokens.
const (
	maxToken = 16 << 10
	leeway   = time.Minute
)

var methods = []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}

// New makes Issuers. It asks them nothing yet.
func New(c Config) (*Issuers, error) {
	if c.Now == nil {
		c.Now = time.Now
	}
	s := &Issuers{now: c.Now, issuers: map[string]*issuer{}}
	client := &http.Client{
		Transport: c.Transport, Timeout: fetchTime,
		// Who is trusted is told by the configuration, not by a redirect.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	for _, text := range c.URLs {
		u, err := url.Parse(text)
		if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
			return nil, fmt.Errorf("the OpenID Connect issuer %q is not like https://host/path", text)
		}
		s.issuers[text] = newIssuer(text, client, c.Now)
	}
	return s, nil
}

// Trusts says whether an issuer is one of those.
func (s *Issuers) Trusts(issuer string) bool { return s.issuers[issuer] != nil }

// Verify says what a token says, if a trusted issuer has signed it and now is
// between its times.
func (s *Issuers) Verify(ctx context.Context, token string) (identity.Assertion, error) {
	if len(token) > maxToken {
		return identity.Assertion{}, identity.ErrBadAssertion
	}
	var c jwt.RegisteredClaims
	parser := jwt.NewParser(jwt.WithValidMethods(methods), jwt.WithExpirationRequired(), jwt.WithIssuedAt(), jwt.WithLeeway(leeway), jwt.WithTimeFunc(s.now))
	_, err := parser.ParseWithClaims(token, &c, func(t *jwt.Token) (any, error) {
		i := s.issuers[c.Issuer]
		if i == nil {
			return nil, identity.ErrForeignIssuer
		}
		kid, _ := t.Header["kid"].(string)
		return i.key(ctx, kid)
	})
	if err != nil {
		return identity.Assertion{}, classify(ctx, err)
	}
	if c.Subject == "" {
		return identity.Assertion{}, identity.ErrBadAssertion
	}
	return identity.Assertion{Issuer: c.Issuer, Subject: c.Subject, Audience: c.Audience}, nil
}

func classify(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	for _, known := range []error{identity.ErrForeignIssuer, identity.ErrNoKeys} {
		if errors.Is(err, known) {
			return err
		}
	}
	if errors.Is(err, jwt.ErrTokenExpired) || errors.Is(err, jwt.ErrTokenNotValidYet) || errors.Is(err, jwt.ErrTokenUsedBeforeIssued) {
		return identity.ErrLateAssertion
	}
	return identity.ErrBadAssertion
}

// discoveryURL is where an issuer describes itself.
func discoveryURL(issuer string) string {
	return strings.TrimRight(issuer, "/") + "/.well-known/openid-configuration"
}
