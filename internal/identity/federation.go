package identity

import (
	"context"
	"errors"
	"slices"
)

// Errors of logins with tokens of others; test with errors.Is.
var (
	// ErrBadAssertion says that the token is none of a trusted issuer's.
	ErrBadAssertion = errors.New("the assertion is not valid")
	// ErrLateAssertion says that it is, but has expired, or is not good yet.
	ErrLateAssertion = errors.New("the assertion is not within its time")
	// ErrNoKeys says that the issuer's keys could not be had.
	ErrNoKeys = errors.New("the issuer of the assertion does not give its keys")
	// ErrForeignIssuer, ErrForeignSubject and ErrForeignAudience say that no
	// federated credential of the client fits.
	ErrForeignIssuer   = errors.New("the client trusts no such issuer")
	ErrForeignSubject  = errors.New("the client trusts no such subject")
	ErrForeignAudience = errors.New("the client trusts no such audience")
)

// Assertion is what a token of another issuer says.
type Assertion struct {
	Issuer, Subject string
	Audience        []string
}

// Issuers knows the tokens of others that the cloud is told to trust.
type Issuers interface {
	// Trusts says whether an issuer is one of them.
	Trusts(issuer string) bool
	// Verify reads a token. Its errors are ErrBadAssertion, ErrLateAssertion,
	// ErrForeignIssuer and ErrNoKeys.
	Verify(ctx context.Context, token string) (Assertion, error)
}

// Trusts says whether the cloud is configured to trust an issuer.
func (s *Service) Trusts(issuer string) bool { return s.Issuers != nil && s.Issuers.Trusts(issuer) }

// LoginAssertion is Login with a token of another issuer for a secret.
func (s *Service) LoginAssertion(ctx context.Context, clientID, assertion, audience, host string) (Token, error) {
	audience, err := s.Audience(audience)
	if err != nil {
		return Token{}, err
	}
	p, err := s.client(ctx, clientID)
	if err != nil {
		return Token{}, err
	}
	if s.Issuers == nil {
		return Token{}, ErrForeignIssuer
	}
	a, err := s.Issuers.Verify(ctx, assertion)
	if err != nil {
		return Token{}, err
	}
	if err := p.accepts(a); err != nil {
		return Token{}, err
	}
	return s.issueToClient(p, audience, host)
}

// accepts says whether one of p's federated credentials fits, or how far one
// comes to it.
func (p *Principal) accepts(a Assertion) error {
	err := ErrForeignIssuer
	for _, f := range p.Federated {
		switch {
		case f.Issuer != a.Issuer:
		case f.Subject != a.Subject:
			if !errors.Is(err, ErrForeignAudience) {
				err = ErrForeignSubject
			}
		case !slices.ContainsFunc(f.Audiences, func(want string) bool { return slices.Contains(a.Audience, want) }):
			err = ErrForeignAudience
		default:
			return nil
		}
	}
	return err
}
