package cli

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"os"
	"sync/atomic"
	"time"
)

// transport carries the SDK's requests. It remembers why the cloud could not
// be reached, which the login library does not tell.
type transport struct {
	client   *http.Client
	endpoint string
	answered atomic.Bool
	failure  atomic.Pointer[unreachable]
}

// unreachable is the error of a cloud that does not answer.
type unreachable struct {
	endpoint string
	err      error
}

func (u *unreachable) Error() string {
	return fmt.Sprintf("the cloud at %s does not answer: %v", u.endpoint, cause(u.err))
}

func (u *unreachable) Unwrap() error { return u.err }

// NonRetriable keeps the SDK from trying again. It is of use for the first
// request only: a server that restarts while we wait for it comes back, one
// that was not there at first does not.
func (u *unreachable) NonRetriable() {}

// cause is the innermost error: "connection refused" and not which request.
func cause(err error) error {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err
		}
		err = inner
	}
}

func newTransport(c *credentials) (*transport, error) {
	conf := &tls.Config{MinVersion: tls.VersionTLS12}
	if c.CAFile != "" {
		pem, err := os.ReadFile(c.CAFile)
		if err != nil {
			return nil, fmt.Errorf("read the cloud's certificate: %w", err)
		}
		conf.RootCAs = x509.NewCertPool()
		if !conf.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("read the cloud's certificate: there is none in %s", c.CAFile)
		}
	}
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.TLSClientConfig = conf
	t.TLSHandshakeTimeout = 10 * time.Second
	return &transport{client: &http.Client{Transport: t}, endpoint: c.Endpoint}, nil
}

// Do makes one request.
func (t *transport) Do(r *http.Request) (*http.Response, error) {
	resp, err := t.client.Do(r)
	switch {
	case err == nil:
		t.answered.Store(true)
		t.failure.Store(nil)
		return resp, nil
	case r.Context().Err() != nil:
		return nil, err
	}
	u := &unreachable{endpoint: t.endpoint, err: err}
	t.failure.Store(u)
	if t.answered.Load() {
		return nil, err
	}
	return nil, u
}

// explainTransport is err, or the reason why the last request did not reach
// the cloud in the place of what the SDK's layers made of it.
func (c *cloud) explainTransport(err error) error {
	if u := c.transport.failure.Load(); err != nil && u != nil {
		return u
	}
	return err
}
