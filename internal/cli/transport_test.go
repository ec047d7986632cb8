package cli

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestTransportTellsOutages has a cloud end while a command is at work. What
// is asked at first is not asked again; what is waited for is.
func TestTransportTellsOutages(t *testing.T) {
	s := httptest.NewServer(http.NotFoundHandler())
	tr, err := newTransport(&credentials{Endpoint: s.URL})
	if err != nil {
		t.Fatal(err)
	}
	ask := func(ctx context.Context) error {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := tr.Do(r)
		if err == nil {
			resp.Body.Close()
		}
		return err
	}
	final := func(err error) bool {
		_, ok := errors.AsType[interface {
			error
			NonRetriable()
		}](err)
		return ok
	}
	c := &cloud{transport: tr}
	if err := ask(t.Context()); err != nil || c.explainTransport(nil) != nil {
		t.Fatal(err)
	}
	s.Close()
	if err := ask(t.Context()); err == nil || final(err) {
		t.Errorf("after an answer: %v, want one to try again upon", err)
	}
	if err := c.explainTransport(errors.New("login failed")); err == nil || !strings.Contains(err.Error(), "does not answer: connection refused") {
		t.Errorf("explained as %v", err)
	}
	tr.answered.Store(false)
	if err := ask(t.Context()); !final(err) {
		t.Errorf("without an answer: %v, want a final one", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	tr.failure.Store(nil)
	if err := ask(ctx); !errors.Is(err, context.Canceled) || tr.failure.Load() != nil {
		t.Errorf("interrupted: %v", err)
	}
}
