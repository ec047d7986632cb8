package api

import (
	"bytes"
	"context"
	"fmt"
	"net/http"

	"github.com/google/uuid"

	"lazuli/internal/arm"
)

// Request is one that the cloud makes of itself for a principal: what a
// deployment does is what its principal could have done by hand.
type Request struct {
	Principal arm.Principal
	Method    string
	// Path is an ID, or what lies below one: an action, a list.
	Path       string
	APIVersion string
	Query      map[string]string
	Body       []byte
}

// Response is the answer to a Request.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
	// Operation is the ID of the long-running operation that the request began,
	// or that of a deletion which it found; "" for none.
	Operation string
}

// Do answers a request as ServeHTTP does, but knows who asks. What the API
// refuses is a *arm.Error; other errors are those of ctx.
func (s *Server) Do(ctx context.Context, in Request) (*Response, error) { return s.do(ctx, in, nil) }

func (s *Server) do(ctx context.Context, in Request, t *trial) (*Response, error) {
	r, err := http.NewRequestWithContext(ctx, in.Method, "https://"+internalHost, bytes.NewReader(in.Body))
	if err != nil {
		return nil, fmt.Errorf("make request: %w", err)
	}
	r.URL.Path = in.Path
	v := r.URL.Query()
	v.Set("api-version", in.APIVersion)
	for name, value := range in.Query {
		v.Set(name, value)
	}
	r.URL.RawQuery = v.Encode()
	q := &request{Request: r, s: s, requestID: uuid.NewString(), principal: in.Principal, base: "https://" + internalHost, trial: t}
	w := &kept{Response: Response{Header: http.Header{}}}
	segments, err := splitPath(r.URL)
	if err == nil {
		err = s.serveKnown(w, q, segments)
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, s.armError(q, err)
	}
	w.Operation = q.operation
	return &w.Response, nil
}

// internalHost stands for the cloud in links of answers that never leave it.
const internalHost = "localhost"

// kept keeps a reply.
type kept struct{ Response }

func (k *kept) Header() http.Header { return k.Response.Header }

func (k *kept) WriteHeader(status int) { k.Status = status }

func (k *kept) Write(b []byte) (int, error) {
	k.Body = append(k.Body, b...)
	return len(b), nil
}
