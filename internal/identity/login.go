package identity

import (
	"context"
	"errors"
	"strings"

	"lazuli/internal/arm"
)

// Login gives out a token for the audience to the client that knows the
// secret. Host is the Host header of the request, which becomes part of the
// issuer; remote is the address of the client's machine.
func (s *Service) Login(ctx context.Context, clientID, secret, audience, host, remote string) (Token, error) {
	audience, err := s.Audience(audience)
	if err != nil {
		return Token{}, err
	}
	p, err := s.client(ctx, clientID)
	if err != nil {
		return Token{}, err
	}
	if err := s.checkSecret(ctx, p, secret, remote); err != nil {
		return Token{}, err
	}
	return s.issueToClient(p, audience, host)
}

// client is the service principal that somebody wants to log in as.
func (s *Service) client(ctx context.Context, clientID string) (*Principal, error) {
	p, err := FindPrincipal(ctx, s.Store, clientID)
	if err != nil {
		return nil, err
	}
	if p == nil || p.ObjectID == "" || !strings.EqualFold(p.TenantID, s.TenantID) {
		return nil, ErrUnknownClient
	}
	return p, nil
}

// issueToClient gives a token to a service principal that has shown who it is.
func (s *Service) issueToClient(p *Principal, audience, host string) (Token, error) {
	if p.Disabled {
		return Token{}, ErrDisabledClient
	}
	return s.issue(p, p.ClientID, audience, host)
}

// LoginUser is the user with that name and password.
func (s *Service) LoginUser(ctx context.Context, userName, password, remote string) (*Principal, error) {
	if len(userName) > maxUserName || len(password) > maxPassword {
		return nil, ErrWrongPassword
	}
	p, err := FindUser(ctx, s.Store, userName)
	if err != nil {
		return nil, err
	}
	if p == nil || !strings.EqualFold(p.TenantID, s.TenantID) {
		// Who asks is not told by an answer that is quicker than others.
		p = &Principal{Kind: arm.KindUser, ObjectID: "nobody " + strings.ToLower(userName), Secrets: []Secret{{Hash: s.nobody}}}
	}
	if err := s.checkSecret(ctx, p, password, remote); err != nil {
		if errors.Is(err, ErrWrongSecret) || errors.Is(err, ErrExpiredSecret) {
			err = ErrWrongPassword
		}
		return nil, err
	}
	if p.Disabled {
		return nil, ErrDisabledUser
	}
	return p, nil
}

// checkSecret says whether secret is one of p's, or why not.
func (s *Service) checkSecret(ctx context.Context, p *Principal, secret, remote string) error {
	if s.secrets.has(p, secret, s.Now()) {
		return nil
	}
	var found Secret
	err := s.try(ctx, p.key()+" "+neighbourhood(remote), func() (ok bool) {
		found, ok = p.matching(secret, s.Now())
		return ok
	})
	if err != nil {
		return err
	}
	if found.expired(s.Now()) {
		return ErrExpiredSecret
	}
	s.secrets.add(p, secret, found.Hash, s.Now())
	return nil
}

// try has somebody guess at a secret, which takes long, unless who has failed
// often lately.
func (s *Service) try(ctx context.Context, who string, guess func() bool) error {
	if !s.guard.allows(who, s.Now()) {
		return ErrThrottled
	}
	select {
	case s.hashing <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-s.hashing }()
	// Those that were waiting together must not all have their try.
	if !s.guard.allows(who, s.Now()) {
		return ErrThrottled
	}
	if !guess() {
		s.guard.failed(who, s.Now())
		return ErrWrongSecret
	}
	s.guard.forget(who)
	return nil
}
