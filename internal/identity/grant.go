package identity

import (
	"context"
	"errors"
	"strings"

	"github.com/golang-jwt/jwt/v5"

	"lazuli/internal/store"
)

// Errors of what a user's program brings; test with errors.Is.
var (
	ErrBadGrant = errors.New("the grant is unknown, was used, has expired, or is another client's")
	ErrRevoked  = errors.New("the grant has been revoked")
)

// publicClients are the programs that may log users in. They keep no secret,
// so nothing tells them from others that use their ids.
var publicClients = map[string]string{
	"04b07795-8ddb-461a-bbee-02f9e1bf7b46": "Azure CLI",
	"1950a258-227b-4e31-a9cf-717495945fc2": "Azure PowerShell",
	"aebc6443-996d-45c2-90f0-388ff96faa56": "Visual Studio Code",
}

// PublicClient is the name of a program that may log users in; "" for others.
func PublicClient(id string) string { return publicClients[strings.ToLower(id)] }

// Ask is what a program asks for on behalf of a user.
type Ask struct {
	ClientID string // of the program
	Audience string
	// Nonce is repeated in the ID token.
	Nonce string
	// Host is the request's Host header, Remote the address that it came from.
	Host, Remote string
	// Offline asks for a refresh token, too.
	Offline bool
}

// Grant is what a program gets for a user.
type Grant struct {
	Token
	IDToken string
	// Refresh is a refresh token; "" when none was asked for.
	Refresh string
	User    *Principal
}

// Password logs a user in whose password the program has.
func (s *Service) Password(ctx context.Context, a Ask, userName, password string) (*Grant, error) {
	if err := s.admit(&a); err != nil {
		return nil, err
	}
	p, err := s.LoginUser(ctx, userName, password, a.Remote)
	if err != nil {
		return nil, err
	}
	refresh := newRefresh(a.Offline)
	_, err = s.Store.Update(ctx, func(tx store.Tx) error { return s.beginSession(tx, a.ClientID, p, refresh) })
	if err != nil {
		return nil, err
	}
	return s.grant(a, p, refresh)
}

// admit checks who asks for what, and makes the audience canonical.
func (s *Service) admit(a *Ask) (err error) {
	if PublicClient(a.ClientID) == "" {
		return ErrUnknownClient
	}
	a.Audience, err = s.Audience(a.Audience)
	return err
}

// user is the user that something was granted to, if it still is good.
func (s *Service) user(ctx context.Context, r store.Reader, id string, epoch int) (*Principal, error) {
	p, err := readPrincipal(ctx, r, principalKey(id))
	switch {
	case err != nil:
		return nil, err
	case p == nil || !p.IsUser() || p.Epoch != epoch:
		return nil, ErrRevoked
	case p.Disabled:
		return nil, ErrDisabledUser
	}
	return p, nil
}

// idClaims are those of an ID token. MSAL wants the audience to be a string.
type idClaims struct {
	Audience      string           `json:"aud"`
	Issuer        string           `json:"iss"`
	IssuedAt      *jwt.NumericDate `json:"iat"`
	NotBefore     *jwt.NumericDate `json:"nbf"`
	ExpiresAt     *jwt.NumericDate `json:"exp"`
	Subject       string           `json:"sub"`
	ObjectID      string           `json:"oid"`
	TenantID      string           `json:"tid"`
	UPN           string           `json:"upn"`
	PreferredName string           `json:"preferred_username"`
	Name          string           `json:"name"`
	Nonce         string           `json:"nonce,omitempty"`
	Version       string           `json:"ver"`
	jwt.Claims    `json:"-"`       // what jwt asks of claims that it reads, which these are not
}

// grant makes the tokens of a login that is done.
func (s *Service) grant(a Ask, p *Principal, refresh string) (*Grant, error) {
	access, err := s.issue(p, strings.ToLower(a.ClientID), a.Audience, a.Host)
	if err != nil {
		return nil, err
	}
	now := jwt.NewNumericDate(s.Now())
	id, err := s.sign(idClaims{
		Audience: a.ClientID, Issuer: s.Issuer(a.Host), IssuedAt: now, NotBefore: now, ExpiresAt: jwt.NewNumericDate(access.ExpiresAt),
		Subject: p.ObjectID, ObjectID: p.ObjectID, TenantID: p.TenantID, UPN: p.UserName, PreferredName: p.UserName, Name: p.Name,
		Nonce: a.Nonce, Version: "1.0",
	})
	return &Grant{Token: access, IDToken: id, Refresh: refresh, User: p}, err
}
