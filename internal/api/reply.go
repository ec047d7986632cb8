package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"runtime/debug"
	"strings"

	"lazuli/internal/arm"
)

// writeHeaders sets what every reply has. They are spelled as Azure does.
func (q *request) writeHeaders(h http.Header) {
	h.Set("X-Ms-Request-Id", q.requestID)
	h.Set("X-Ms-Correlation-Request-Id", q.correlation())
	if id := limited(q.Header.Get("X-Ms-Client-Request-Id")); id != "" && strings.EqualFold(q.Header.Get("X-Ms-Return-Client-Request-Id"), "true") {
		h.Set("X-Ms-Client-Request-Id", id)
	}
	h.Set("Cache-Control", "no-cache")
	h.Set("Pragma", "no-cache")
	h.Set("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
}

// reply writes the answer.
func (q *request) reply(w http.ResponseWriter, status int, res arm.Result) error {
	h := w.Header()
	if res.ETag != "" {
		h.Set("Etag", res.ETag)
	}
	if res.Body == nil {
		h.Set("Content-Length", "0")
		w.WriteHeader(status)
		return nil
	}
	b, err := json.Marshal(res.Body)
	if err != nil {
		return fmt.Errorf("write %T: %w", res.Body, err)
	}
	writeJSON(w, status, b)
	return nil
}

func writeJSON(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Content-Length", fmt.Sprint(len(body)))
	w.WriteHeader(status)
	// A client that has gone away has nobody to be told.
	_, _ = w.Write(body)
}

// fail writes an error.
func (s *Server) fail(w *guardedWriter, q *request, err error) {
	ae := s.armError(q, err)
	if w.started {
		panic(http.ErrAbortHandler)
	}
	h := w.Header()
	if ae.Status == http.StatusUnauthorized {
		h.Set("Www-Authenticate", fmt.Sprintf(`Bearer authorization_uri="%s/adfs", error="invalid_token", error_description=%q`, q.base, ae.Message))
	}
	if ae.Status == http.StatusServiceUnavailable {
		h.Set("Retry-After", "1")
	}
	h.Set("X-Ms-Failure-Cause", "gateway")
	b, err := json.Marshal(map[string]*arm.Error{"error": ae})
	if err != nil {
		panic(err) // strings always marshal
	}
	status := ae.Status
	if status == 0 {
		status = http.StatusBadRequest
	}
	writeJSON(w, status, b)
}

// panicked turns a panic into a 500, or ends the connection when the reply has
// begun.
func (s *Server) panicked(w *guardedWriter, q *request, p any) {
	if p == http.ErrAbortHandler {
		panic(p)
	}
	s.Logger.Error("request panicked", "method", q.Method, "path", q.URL.Path, "request", q.requestID, "err", p, "stack", string(debug.Stack()))
	if w.started {
		panic(http.ErrAbortHandler)
	}
	s.fail(w, q, arm.StatusError(http.StatusInternalServerError, "InternalServerError", "Something went wrong. The server's log says more under the request id %s.", q.requestID))
}

// guardedWriter knows whether the reply has begun.
type guardedWriter struct {
	http.ResponseWriter
	started bool
}

func (w *guardedWriter) WriteHeader(status int) {
	w.started = true
	w.ResponseWriter.WriteHeader(status)
}

func (w *guardedWriter) Write(b []byte) (int, error) {
	w.started = true
	return w.ResponseWriter.Write(b)
}

// Unwrap is for http.ResponseController.
func (w *guardedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
