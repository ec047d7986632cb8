package identity

import (
	"context"
	"errors"
	"net"
	"net/url"
	"strings"
	"time"

	"lazuli/internal/store"
)

// Errors of a login; test with errors.Is.
var (
	ErrUnknownClient = errors.New("no such client")
	ErrWrongSecret   = errors.New("wrong client secret")
	ErrThrottled     = errors.New("too many failed logins")
	ErrWrongAudience = errors.New("the audience is not this cloud")
)

// Config is what a Service needs.
type Config struct {
	Store    store.Store
	TenantID string
	// Hosts are the host names and addresses that the cloud is reached by.
	// Tokens are given out and accepted for URLs on them, on any port.
	Hosts []string
	// Now is the time; nil is time.Now.
	Now func() time.Time
}

// Service logs principals in and knows their tokens again.
type Service struct {
	Config
	hosts   map[string]bool
	key     *signingKey
	secrets *secretCache
	seen    *seenTokens
	guard   *throttle
	// hashing bounds how many secrets are hashed at once: each takes memory.
	hashing chan struct{}
}

// New makes a Service. The key that signs tokens is made at the first start.
func New(ctx context.Context, c Config) (*Service, error) {
	if c.Now == nil {
		c.Now = time.Now
	}
	key, err := ensureSigningKey(ctx, c.Store)
	if err != nil {
		return nil, err
	}
	s := &Service{
		Config: c, hosts: map[string]bool{}, key: key,
		secrets: newSecretCache(), seen: newSeenTokens(), guard: newThrottle(), hashing: make(chan struct{}, 2),
	}
	for _, h := range c.Hosts {
		s.hosts[strings.ToLower(h)] = true
	}
	return s, nil
}

// Audience is the canonical form of a resource or audience that a client
// names, "https://host:port", when it is this cloud.
func (s *Service) Audience(resource string) (string, error) {
	u, err := url.Parse(resource)
	if err != nil || u.Scheme != "https" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.User != nil || !s.KnowsHost(u.Host) {
		return "", ErrWrongAudience
	}
	return "https://" + strings.ToLower(u.Host), nil
}

// KnowsHost says whether a Host header names this cloud.
func (s *Service) KnowsHost(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return s.hosts[strings.ToLower(strings.Trim(host, "[]"))]
}

// Login gives out a token for the audience to the client that knows the
// secret. Host is the Host header of the request, which becomes part of the
// issuer; remote is the address of the client's machine.
func (s *Service) Login(ctx context.Context, clientID, secret, audience, host, remote string) (Token, error) {
	audience, err := s.Audience(audience)
	if err != nil {
		return Token{}, err
	}
	p, err := FindPrincipal(ctx, s.Store, clientID)
	if err != nil {
		return Token{}, err
	}
	if p == nil || !strings.EqualFold(p.TenantID, s.TenantID) {
		return Token{}, ErrUnknownClient
	}
	if err := s.checkSecret(ctx, p, secret, remote); err != nil {
		return Token{}, err
	}
	return s.issue(p, audience, s.Issuer(host))
}

func (s *Service) checkSecret(ctx context.Context, p *Principal, secret, remote string) error {
	if s.secrets.has(p, secret, s.Now()) {
		return nil
	}
	who := strings.ToLower(p.ClientID) + " " + neighbourhood(remote)
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
	hash, ok := p.matching(secret)
	if !ok {
		s.guard.failed(who, s.Now())
		return ErrWrongSecret
	}
	s.guard.forget(who)
	s.secrets.add(p, secret, hash, s.Now())
	return nil
}
