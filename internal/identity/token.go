package identity

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"

	"lazuli/internal/arm"
	"lazuli/internal/store"
)

// TokenTime is how long a token is good.
const TokenTime = time.Hour

// leeway is how far the clocks of several servers may be apart.
const leeway = 30 * time.Second

// maxToken bounds the length of a token that is looked at.
const maxToken = 8 << 10

// Token is an access token.
type Token struct {
	Raw       string
	ExpiresAt time.Time
}

// claims of a token, in the form of Entra's version 1.
type claims struct {
	jwt.RegisteredClaims
	TenantID string `json:"tid"`
	ObjectID string `json:"oid"`
	AppID    string `json:"appid"`
	Version  string `json:"ver"`
	Kind     string `json:"idtyp"` // tokenOfApp or tokenOfUser
	// UserName, Name and Epoch are those of a user.
	UserName string `json:"upn,omitempty"`
	Name     string `json:"name,omitempty"`
	Epoch    int    `json:"lazuli_epoch,omitempty"`
}

// Entra names the one audience of a token in a string, and there are clients
// that read no array there, like Terraform's.
func init() { jwt.MarshalSingleStringAsArray = false }

// Kinds of tokens, as Entra has them.
const (
	tokenOfApp  = "app"
	tokenOfUser = "user"
)

// Issuer is who gives out tokens at a host.
func (s *Service) Issuer(host string) string {
	return "https://" + strings.ToLower(host) + "/" + s.TenantID + "/v2.0"
}

// issue makes a token of p for the client that p uses, or is.
func (s *Service) issue(p *Principal, clientID, audience, host string) (Token, error) {
	now := s.Now()
	c := claims{
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer: s.Issuer(host), Subject: p.ObjectID, Audience: jwt.ClaimStrings{audience}, ID: uuid.NewString(),
			IssuedAt: jwt.NewNumericDate(now), NotBefore: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(now.Add(TokenTime)),
		},
		TenantID: p.TenantID, ObjectID: p.ObjectID, AppID: clientID, Version: "1.0", Kind: tokenOfApp,
	}
	if p.IsUser() {
		c.Kind, c.UserName, c.Name, c.Epoch = tokenOfUser, p.UserName, p.Name, p.Epoch
	}
	raw, err := s.sign(c)
	return Token{raw, c.ExpiresAt.Time}, err
}

func (s *Service) sign(c jwt.Claims) (string, error) {
	t := jwt.NewWithClaims(jwt.SigningMethodES256, c)
	t.Header["kid"] = s.key.id
	return t.SignedString(s.key.private)
}

// Authenticate says who a token stands for. Its errors are *arm.Error with
// status 401.
func (s *Service) Authenticate(ctx context.Context, raw string) (arm.Principal, error) {
	c, err := s.verify(raw)
	if err != nil {
		return arm.Principal{}, err
	}
	p, err := s.subject(ctx, c)
	if err != nil {
		return arm.Principal{}, err
	}
	who := arm.Principal{
		Kind: arm.KindServicePrincipal, ObjectID: p.ObjectID, AppID: c.AppID, TenantID: p.TenantID, Name: p.Name, Admin: p.Admin,
	}
	if p.IsUser() {
		who.Kind, who.UserName = arm.KindUser, p.UserName
	}
	return who, nil
}

// Stands says whether whom a token was given to may still act, also after the
// token's end: it is asked about who came by the token and stays. Its errors
// are *arm.Error with status 401.
func (s *Service) Stands(ctx context.Context, raw string) error {
	var c claims
	p := jwt.NewParser(jwt.WithValidMethods([]string{jwt.SigningMethodES256.Alg()}), jwt.WithoutClaimsValidation())
	if _, err := p.ParseWithClaims(raw, &c, s.keyOf); err != nil {
		return denied("InvalidAuthenticationToken", "The access token is invalid. Log in again.")
	}
	_, err := s.subject(ctx, &c)
	return err
}

// subject is the principal that a token is of, as long as it may be used.
func (s *Service) subject(ctx context.Context, c *claims) (*Principal, error) {
	id := c.AppID
	if c.Kind == tokenOfUser {
		id = c.ObjectID
	}
	p, err := s.readKnown(ctx, principalKey(id))
	switch {
	case err != nil:
		return nil, err
	case p == nil || p.ObjectID != c.ObjectID || p.IsUser() != (c.Kind == tokenOfUser):
		return nil, denied("InvalidAuthenticationToken", "The access token is for a principal that no longer exists.")
	case p.Disabled:
		return nil, denied("InvalidAuthenticationToken", "The access token is for a principal that is disabled.")
	case p.Epoch != c.Epoch:
		return nil, denied("InvalidAuthenticationToken", "The access token is from before the password was changed. Log in again.")
	}
	return p, nil
}

// readKnown is readPrincipal of one that was probably read before.
func (s *Service) readKnown(ctx context.Context, key string) (*Principal, error) {
	e, err := s.Store.Get(ctx, key)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return s.known.read(e)
}

func (s *Service) verify(raw string) (*claims, error) {
	if len(raw) > maxToken {
		return nil, denied("InvalidAuthenticationToken", "The access token is invalid: it is too long.")
	}
	c, err := s.read(raw)
	if errors.Is(err, jwt.ErrTokenExpired) {
		return nil, denied("ExpiredAuthenticationToken", "The access token has expired. Log in again.")
	}
	if err != nil {
		return nil, denied("InvalidAuthenticationToken", "The access token is invalid. Log in again.")
	}
	return &c, s.checkClaims(&c)
}

// read returns what a token says, if its signature is right and now is between
// its times.
func (s *Service) read(raw string) (claims, error) {
	checks := []jwt.ParserOption{
		jwt.WithValidMethods([]string{jwt.SigningMethodES256.Alg()}), jwt.WithExpirationRequired(),
		jwt.WithIssuedAt(), jwt.WithLeeway(leeway), jwt.WithTimeFunc(s.Now),
	}
	if c, ok := s.seen.get(raw); ok {
		return c, jwt.NewValidator(checks...).Validate(&c)
	}
	var c claims
	_, err := jwt.NewParser(checks...).ParseWithClaims(raw, &c, s.keyOf)
	if err == nil {
		s.seen.add(raw, c)
	}
	return c, err
}

// keyOf is the key by which a token is to be signed.
func (s *Service) keyOf(t *jwt.Token) (any, error) {
	if t.Header["kid"] != s.key.id {
		return nil, errors.New("unknown key")
	}
	return &s.key.private.PublicKey, nil
}

func (s *Service) checkClaims(c *claims) error {
	if !s.isIssuer(c.Issuer) {
		return denied("InvalidAuthenticationTokenIssuer", "The access token is from the wrong issuer '%.100s'.", c.Issuer)
	}
	if !strings.EqualFold(c.TenantID, s.TenantID) {
		return denied("InvalidAuthenticationTokenTenant", "The access token is from the wrong tenant '%.40s'; it must be '%s'.", c.TenantID, s.TenantID)
	}
	if len(c.Audience) == 1 {
		if _, err := s.Audience(c.Audience[0]); err == nil {
			return nil
		}
	}
	return denied("InvalidAuthenticationTokenAudience", "The access token has been obtained for the wrong audience '%.100s'.", strings.Join(c.Audience, " "))
}

// isIssuer says whether s gives out tokens under that name, at any host that
// it is reached by.
func (s *Service) isIssuer(issuer string) bool {
	u, err := url.Parse(issuer)
	return err == nil && s.KnowsHost(u.Host) && issuer == s.Issuer(u.Host)
}

func denied(code, format string, a ...any) *arm.Error {
	return arm.StatusError(http.StatusUnauthorized, code, format, a...)
}
