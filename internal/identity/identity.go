package identity

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/url"
	"strings"
	"time"

	"lazuli/internal/store"
)

// Errors of a login; test with errors.Is.
var (
	ErrUnknownClient  = errors.New("no such client")
	ErrDisabledClient = errors.New("the client is disabled")
	ErrWrongSecret    = errors.New("wrong client secret")
	ErrExpiredSecret  = errors.New("the client secret has expired")
	ErrWrongPassword  = errors.New("wrong user name or password")
	ErrDisabledUser   = errors.New("the user is disabled")
	ErrThrottled      = errors.New("too many failed logins")
	ErrWrongAudience  = errors.New("the audience is not this cloud")
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
	// Issuers are others whose tokens are trusted; nil for none.
	Issuers Issuers
	// Log may be nil.
	Log *slog.Logger
}

// Service logs principals in and knows their tokens again.
type Service struct {
	Config
	hosts   map[string]bool
	key     *signingKey
	secrets *secretCache
	seen    *seenTokens
	known   *seenPrincipals
	guard   *throttle
	polls   *pollTimes
	// hashing bounds how many secrets are hashed at once: each takes memory.
	hashing chan struct{}
	// nobody is the hash of a password that nobody has.
	nobody string
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
		secrets: newSecretCache(), seen: newSeenTokens(), known: newSeenPrincipals(), guard: newThrottle(), polls: newPollTimes(), hashing: make(chan struct{}, 2),
		nobody: HashSecret(NewSecret()),
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
