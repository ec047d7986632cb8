package api

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"lazuli/internal/arm"
)

// Limits on one request.
const (
	maxBody     = 4 << 20
	maxSegments = 32
	maxSegment  = 260
	requestTime = 60 * time.Second
)

// request is one HTTP request on its way through the Server.
type request struct {
	*http.Request
	s         *Server
	requestID string
	// base is the API's root as this client names it: "https://host:port".
	base      string
	version   string // api-version
	query     url.Values
	principal arm.Principal
	target    *target
	need      need
	account   account
	body      []byte
	// operation is that which the request began, if any.
	operation string
	// trial is what the request is part of that is undone; nil for others.
	trial *trial
	// groupLeaves is the name of the target's group when it is being deleted.
	groupLeaves string
}

var hostPattern = regexp.MustCompile(`^([A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(:[0-9]{1,5})?$`)

func (q *request) findBase() bool {
	q.base = "https://" + q.Host
	return hostPattern.MatchString(q.Host)
}

// splitPath is the path's segments, unescaped. More than one slash at the
// front is forgiven: clients are given the endpoint with one at its end. So is
// an empty segment between a namespace and its type, where Azure's generic
// client for resources puts the parents of one that has none.
func splitPath(u *url.URL) ([]string, error) {
	trimmed := strings.Trim(openScope(u.EscapedPath()), "/")
	if trimmed == "" {
		return nil, nil
	}
	raw := strings.Split(trimmed, "/")
	if len(raw) > maxSegments {
		return nil, arm.BadRequest("InvalidRequestUri", "The request's path has too many segments.")
	}
	segments := raw[:0]
	for i, s := range raw {
		if n := len(segments); s == "" && n >= 2 && n == i && strings.EqualFold(segments[n-2], "providers") {
			continue
		}
		plain, err := url.PathUnescape(s)
		if err != nil || !goodSegment(plain) {
			return nil, arm.BadRequest("InvalidRequestUri", "The request's path is not valid at segment %d: '%.80s'.", i+1, s)
		}
		segments = append(segments, plain)
	}
	return segments, nil
}

var escapedScope = regexp.MustCompile(`(?i)^/*(%2F)?subscriptions%2F[^/]*`)

// openScope is a path in which no scope is one segment: Azure's client for
// locks escapes the slashes in the scope that it begins a path with.
func openScope(path string) string {
	first := escapedScope.FindString(path)
	return strings.NewReplacer("%2F", "/", "%2f", "/").Replace(first) + path[len(first):]
}

func goodSegment(s string) bool {
	if s == "" || s == "." || s == ".." || len(s) > maxSegment {
		return false
	}
	return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f || r == 0xfffd || r == '/' || r == '\\' })
}

var versionPattern = regexp.MustCompile(`^\d{4}-\d{2}-\d{2}(-[A-Za-z][A-Za-z0-9.]{0,30})?$`)

// parseQuery takes the query apart. Names that ARM defines match without
// regard to case.
func (q *request) parseQuery() error {
	all, err := url.ParseQuery(q.URL.RawQuery)
	if err != nil {
		return arm.BadRequest("InvalidRequestUri", "The request's query is not valid: %v.", err)
	}
	q.query = url.Values{}
	for name, values := range all {
		switch strings.ToLower(name) {
		case "api-version":
			q.version = values[0]
		case "$top", "$skiptoken", "$filter", "$expand", "$orderby":
			q.query[strings.ToLower(name)] = values
		default:
			q.query[name] = values
		}
	}
	return nil
}

func (q *request) checkVersion() error {
	if q.version == "" {
		return arm.BadRequest("MissingApiVersionParameter", "The api-version query parameter (?api-version=) is required for all requests.")
	}
	if !versionPattern.MatchString(q.version) {
		return arm.BadRequest("InvalidApiVersionParameter", "The api-version '%.40s' is invalid. It looks like '2024-03-01' or '2024-03-01-preview'.", q.version)
	}
	return nil
}

// limitTime ends the connection of a client that is slow to send its body or
// to take the answer. A connection keeps its deadlines, so every request sets
// them. What streams sets its own.
func (q *request) limitTime(w http.ResponseWriter) {
	control := http.NewResponseController(w)
	// Writers that have no deadlines are those of tests.
	_ = control.SetReadDeadline(time.Now().Add(requestTime))
	_ = control.SetWriteDeadline(time.Now().Add(requestTime + q.s.LongPoll))
}

func (q *request) readBody(w http.ResponseWriter) error {
	if q.Method == http.MethodGet || q.Method == http.MethodHead {
		return nil
	}
	if e := q.Header.Get("Content-Encoding"); e != "" && e != "identity" {
		return arm.StatusError(http.StatusUnsupportedMediaType, "UnsupportedMediaType", "The content encoding '%.40s' is not supported. Send the body as it is.", e)
	}
	b, err := io.ReadAll(http.MaxBytesReader(w, q.Body, maxBody))
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return arm.StatusError(http.StatusRequestEntityTooLarge, "RequestContentTooLarge", "The request content is larger than %d bytes.", maxBody)
	}
	if err != nil {
		return arm.BadRequest("InvalidRequestContent", "The request content could not be read: %v.", err)
	}
	q.body = b
	return q.checkMedia()
}

func (q *request) checkMedia() error {
	header := q.Header.Get("Content-Type")
	if len(q.body) == 0 || header == "" {
		return nil
	}
	media, _, err := mime.ParseMediaType(header)
	if err != nil || media != "application/json" && media != "text/json" && !strings.HasSuffix(media, "+json") {
		return arm.StatusError(http.StatusUnsupportedMediaType, "UnsupportedMediaType", "The content media type '%.80s' is not supported. Only 'application/json' is.", header)
	}
	return nil
}
