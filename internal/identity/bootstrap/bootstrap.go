package bootstrap

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"lazuli/internal/identity/certs"
	"lazuli/internal/store"
)

// Config is what a start needs to know.
type Config struct {
	Dir   string // data directory; made if need be
	Store store.Store
	// Endpoint is the URL that clients are told: "https://localhost:8443".
	Endpoint string
	// Names are host names and addresses that the cloud is reached by, beyond
	// those of this machine and the endpoint's.
	Names []string
	// Location is the name of the cloud's location, "" for what it was at the
	// first start, or "local".
	Location string
	// Now is the time; nil is time.Now.
	Now func() time.Time

	// before is called before each lasting effect; its error ends the start.
	before func(effect string) error
}

// Cloud is what every start finds.
type Cloud struct {
	Identity
	// Hosts are all names that the cloud is reached by.
	Hosts []string
	Admin Admin
	// AdminFile and CAFile are for the administrator: the credentials, and
	// the certificate to trust.
	AdminFile, CAFile string
	Authority         certs.Authority
	Server, Control   *certs.Pair
}

// start is one run of Run.
type start struct {
	Config
	Cloud
}

// Run makes the cloud, or finds it. It is to be called by one process at a
// time for one data directory, and holds a lock to be sure.
func Run(ctx context.Context, c Config) (*Cloud, error) {
	s, err := newStart(c)
	if err != nil {
		return nil, fmt.Errorf("bootstrap: %w", err)
	}
	unlock, err := s.lock()
	if err != nil {
		return nil, fmt.Errorf("bootstrap: %w", err)
	}
	defer unlock()
	if err := s.run(ctx); err != nil {
		return nil, fmt.Errorf("bootstrap: %w", err)
	}
	return &s.Cloud, nil
}

func (s *start) run(ctx context.Context) error {
	if err := s.removeLeftovers(); err != nil {
		return err
	}
	if err := s.ensureCertificates(); err != nil {
		return err
	}
	if err := s.ensureIdentity(ctx); err != nil {
		return err
	}
	if err := s.ensureAdminFile(); err != nil {
		return err
	}
	return s.ensureAdminPrincipal(ctx)
}

func newStart(c Config) (*start, error) {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.before == nil {
		c.before = func(string) error { return nil }
	}
	dir, err := filepath.Abs(c.Dir)
	if err != nil {
		return nil, err
	}
	c.Dir = dir
	s := &start{Config: c}
	s.AdminFile, s.CAFile = filepath.Join(dir, "admin.json"), filepath.Join(dir, "ca.crt")
	s.Hosts, err = hosts(c)
	return s, err
}

var namePattern = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$`)

// hosts is every name of the cloud, each once, the endpoint's first.
func hosts(c Config) ([]string, error) {
	u, err := url.Parse(c.Endpoint)
	if err != nil || u.Scheme != "https" || u.Hostname() == "" || strings.Trim(u.Path, "/") != "" {
		return nil, fmt.Errorf("the endpoint %q is not like https://host:port", c.Endpoint)
	}
	all := []string{u.Hostname(), "localhost", "127.0.0.1", "::1"}
	if name, err := os.Hostname(); err == nil && namePattern.MatchString(name) {
		all = append(all, name)
	}
	var out []string
	for _, n := range append(all, c.Names...) {
		if ip := net.ParseIP(n); ip != nil {
			n = ip.String()
		} else if !namePattern.MatchString(n) {
			return nil, fmt.Errorf("%q is neither a host name nor an address", n)
		}
		if n = strings.ToLower(n); !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	return out, nil
}
