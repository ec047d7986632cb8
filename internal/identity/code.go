package identity

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"net/url"
	"strings"
	"time"

	"lazuli/internal/store"
)

// Errors of a login in the browser; test with errors.Is.
var (
	ErrBadRedirect = errors.New("the redirect is not to this machine")
	ErrBadPKCE     = errors.New("the code verifier is not that of the challenge")
)

// codeTime is how long an authorization code is good. It is on its way from
// the browser to a program on the same machine.
const codeTime = 5 * time.Minute

// authCode is a login in the browser that a program has not heard of yet.
type authCode struct {
	lifetime
	ClientID  string `json:"clientId"`
	Redirect  string `json:"redirect"`
	Challenge string `json:"challenge"`
	Nonce     string `json:"nonce,omitempty"`
	UserID    string `json:"userId"`
	Epoch     int    `json:"epoch"`
}

// CheckRedirect says whether a login may lead to redirect: only to a program
// on the machine that the browser runs on.
func CheckRedirect(redirect string) error {
	u, err := url.Parse(redirect)
	if err != nil || u.Scheme != "http" || u.Hostname() != "localhost" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" || strings.HasSuffix(redirect, "#") {
		return ErrBadRedirect
	}
	return nil
}

// Authorize logs a user in whose program waits for a code at redirect. The
// challenge is the SHA-256 of what the program will bring with the code.
func (s *Service) Authorize(ctx context.Context, a Ask, redirect, challenge, userName, password string) (code string, err error) {
	if err := s.admit(&a); err != nil {
		return "", err
	}
	if err := CheckRedirect(redirect); err != nil {
		return "", err
	}
	if len(challenge) != len(pkce("")) {
		return "", ErrBadPKCE
	}
	p, err := s.LoginUser(ctx, userName, password, a.Remote)
	if err != nil {
		return "", err
	}
	code = NewSecret()
	_, err = s.Store.Update(ctx, func(tx store.Tx) error {
		return putTicket(tx, ticketKey(codeTicket, code), authCode{
			lifetime: lifetime{s.Now().Add(codeTime)}, ClientID: strings.ToLower(a.ClientID), Redirect: redirect, Challenge: challenge,
			Nonce: a.Nonce, UserID: p.ObjectID, Epoch: p.Epoch,
		})
	})
	return code, err
}

// Redeem exchanges a code, once, for the tokens of the login.
func (s *Service) Redeem(ctx context.Context, a Ask, code, redirect, verifier string) (*Grant, error) {
	if err := s.admit(&a); err != nil {
		return nil, err
	}
	var p *Principal
	var refused error
	refresh := newRefresh(a.Offline)
	_, err := s.Store.Update(ctx, func(tx store.Tx) error {
		key := ticketKey(codeTicket, code)
		c, err := findTicket[authCode](ctx, tx, key, s.Now())
		if err != nil {
			return err
		}
		if c == nil { // a stranger's guess writes nothing
			refused = ErrBadGrant
			return nil
		}
		// Even who cannot use it has used it up.
		tx.Delete(key)
		if refused = c.check(&a, redirect, verifier); refused != nil {
			return nil
		}
		p, err = s.user(ctx, tx, c.UserID, c.Epoch)
		if errors.Is(err, ErrRevoked) || errors.Is(err, ErrDisabledUser) {
			refused = err
			return nil
		}
		if err != nil {
			return err
		}
		a.Nonce = c.Nonce
		return s.beginSession(tx, a.ClientID, p, refresh)
	})
	if err == nil {
		err = refused
	}
	if err != nil {
		return nil, err
	}
	return s.grant(a, p, refresh)
}

func (c *authCode) check(a *Ask, redirect, verifier string) error {
	switch {
	case c.ClientID != strings.ToLower(a.ClientID) || c.Redirect != redirect:
		return ErrBadGrant
	case subtle.ConstantTimeCompare([]byte(pkce(verifier)), []byte(c.Challenge)) != 1:
		return ErrBadPKCE
	}
	return nil
}

// pkce is the challenge of a verifier by method S256 of RFC 7636.
func pkce(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return encode(sum[:])
}
