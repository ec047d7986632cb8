package bootstrap

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"lazuli/internal/identity/certs"
)

// ensureCertificates makes or reads the authority, which stays for ever, and
// the certificates of the front and of the control plane, which are renewed.
func (s *start) ensureCertificates() error {
	err := s.ensurePair("ca.pem", &s.Authority.Pair, nil, func(now time.Time) (*certs.Pair, error) {
		a, err := certs.NewAuthority(now)
		return a.Pair, err
	})
	if err != nil {
		return err
	}
	if err := s.write(s.CAFile, s.Authority.CertificatePEM(), 0o644); err != nil {
		return err
	}
	err = s.ensurePair("server.pem", &s.Server, s.isFresh(s.Hosts), func(now time.Time) (*certs.Pair, error) {
		return s.Authority.IssueServer(s.Hosts, now)
	})
	if err != nil {
		return err
	}
	return s.ensurePair("control.pem", &s.Control, s.isFresh([]string{certs.ControlName}), s.Authority.IssueControl)
}

func (s *start) isFresh(names []string) func(*certs.Pair) bool {
	return func(p *certs.Pair) bool { return s.Authority.IsFresh(p, names, s.Now()) }
}

// ensurePair reads the pair in the file name, or makes it when there is none
// or it is not good any more.
func (s *start) ensurePair(name string, into **certs.Pair, good func(*certs.Pair) bool, issue func(time.Time) (*certs.Pair, error)) error {
	path := filepath.Join(s.Dir, name)
	b, err := s.read(path, 0o600)
	if err != nil {
		return err
	}
	if b != nil {
		if *into, err = certs.Parse(b); err == nil && (good == nil || good(*into)) {
			return nil
		}
		if good == nil {
			return fmt.Errorf("%s: %w", path, err) // never replace the authority
		}
	}
	if *into, err = issue(s.Now()); err != nil {
		return err
	}
	if b, err = (*into).PEM(); err != nil {
		return err
	}
	return s.write(path, b, 0o600)
}

// ReadAuthority reads the authority of the cloud whose control plane has this
// data directory.
func ReadAuthority(dir string) (certs.Authority, error) {
	path := filepath.Join(dir, "ca.pem")
	b, err := os.ReadFile(path)
	if err != nil {
		return certs.Authority{}, fmt.Errorf("read the cloud's authority: %w. Is %s the data directory of a control plane?", err, dir)
	}
	p, err := certs.Parse(b)
	if err != nil {
		return certs.Authority{}, fmt.Errorf("%s: %w", path, err)
	}
	return certs.Authority{Pair: p}, nil
}
