package api

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"lazuli/internal/arm"
	"lazuli/internal/store"
)

// Authenticator knows who a bearer token stands for. Its errors are
// *arm.Error with status 401.
type Authenticator interface {
	Authenticate(ctx context.Context, token string) (arm.Principal, error)
	// Stands is nil as long as whom the token was given to may act, also when
	// the token itself has ended since.
	Stands(ctx context.Context, token string) error
}

// Guests reaches the serial ports of running guests.
type Guests interface {
	// SerialLog is what the guest has written since its machine last started.
	SerialLog(ctx context.Context, vm arm.ID) (io.ReadCloser, error)
	// Console is the serial port itself, until it is closed or ctx ends.
	Console(ctx context.Context, vm arm.ID) (io.ReadWriteCloser, error)
}

// Config is what a Server needs.
type Config struct {
	Store     store.Store
	Types     []arm.Type
	Endpoints []arm.Endpoint
	Identity  Authenticator
	// Rights says what the principals may do.
	Rights arm.Rights
	// Activity keeps the account of what was done; nil keeps none.
	Activity Activity
	// Limits are how fast one principal may go.
	Limits Limits
	// Login answers everything that is neither ARM's nor the metadata: the
	// token endpoints, the portal.
	Login http.Handler
	// Aliases makes the document of the well-known names of images, which needs
	// no token; nil: there is none.
	Aliases func(ctx context.Context, r store.Reader) (any, error)
	// Guests may be nil: then machines have no log and no console here.
	Guests   Guests
	Location string
	Logger   *slog.Logger
	// LongPoll is how long a poll of an operation waits for its end; zero is a
	// second.
	LongPoll time.Duration
	// ConsoleCheck is how often it is looked whether who is at a console may
	// still be; zero is ten seconds.
	ConsoleCheck time.Duration
	// Now is the time; nil is time.Now.
	Now func() time.Time
}

// Server is the front. It is an http.Handler; Serve runs it with its limits.
type Server struct {
	Config
	routes   *router
	sign     *signer
	throttle *throttle
	// closing ends when Serve is asked to stop, and with it what streams.
	closing context.Context
	close   context.CancelFunc
	// consoles counts the consoles that are open, which net/http does not.
	consoles sync.WaitGroup
}

// New makes a Server.
func New(ctx context.Context, c Config) (*Server, error) {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.LongPoll == 0 {
		c.LongPoll = time.Second
	}
	if c.ConsoleCheck == 0 {
		c.ConsoleCheck = 10 * time.Second
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Rights == nil {
		return nil, errors.New("serve API: nobody says who may do what")
	}
	key, err := ensureKey(ctx, c.Store)
	if err != nil {
		return nil, err
	}
	s := &Server{Config: c, sign: &signer{key}, throttle: newThrottle(c.Limits)}
	s.closing, s.close = context.WithCancel(context.WithoutCancel(ctx))
	s.routes = s.newRouter()
	return s, nil
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q := &request{Request: r, s: s, requestID: uuid.NewString()}
	q.writeHeaders(w.Header())
	q.limitTime(w)
	guard := &guardedWriter{ResponseWriter: w}
	defer func() {
		if p := recover(); p != nil {
			s.panicked(guard, q, p)
		}
	}()
	if err := s.serve(guard, q); err != nil {
		s.fail(guard, q, err)
	}
}

func (s *Server) serve(w http.ResponseWriter, q *request) error {
	if !q.findBase() {
		return arm.BadRequest("InvalidHostName", "The Host header is not a host name.")
	}
	segments, err := splitPath(q.URL)
	if err != nil {
		return err
	}
	switch root(segments) {
	case "metadata":
		return s.metadata(w, q, segments)
	case "subscriptions", "tenants", "providers":
		return s.serveARM(w, q, segments)
	}
	if s.Login == nil {
		return arm.StatusError(http.StatusNotFound, "NotFound", "There is nothing at '%s'.", q.URL.Path)
	}
	s.Login.ServeHTTP(w, q.Request)
	return nil
}

func root(segments []string) string {
	if len(segments) == 0 {
		return ""
	}
	return strings.ToLower(segments[0])
}

// serveARM answers a request below Azure Resource Manager's roots.
func (s *Server) serveARM(w http.ResponseWriter, q *request, segments []string) error {
	uid, signed, err := s.sign.check(q.URL, s.Now())
	if err != nil {
		return err
	}
	if signed {
		return s.serveSigned(w, q, segments, uid)
	}
	if q.principal, err = s.authenticate(q); err != nil {
		return err
	}
	return s.serveKnown(w, q, segments)
}

// serveKnown answers a request of somebody who is known.
func (s *Server) serveKnown(w http.ResponseWriter, q *request, segments []string) error {
	if err := q.parseQuery(); err != nil {
		return err
	}
	t, err := s.routes.find(segments)
	if err != nil {
		return err
	}
	q.target = t
	h, ok := t.verbs[q.Method]
	if !ok {
		return t.notAllowed(w, q.Method)
	}
	q.need = q.needOf(h)
	if err := q.checkQuota(w.Header()); err != nil {
		return err
	}
	if !h.upgrade {
		if err := q.checkVersion(); err != nil {
			return err
		}
	}
	if err := q.readBody(w); err != nil {
		return err
	}
	err = h.serve(w, q)
	q.noteRest(err)
	return err
}

func (s *Server) authenticate(q *request) (arm.Principal, error) {
	token, err := q.bearer()
	if err != nil {
		return arm.Principal{}, err
	}
	return s.Identity.Authenticate(q.Context(), token)
}

// bearer is the token that the request has.
func (q *request) bearer() (string, error) {
	header := q.Header.Get("Authorization")
	if header == "" {
		return "", arm.StatusError(http.StatusUnauthorized, "AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing.")
	}
	scheme, token, ok := strings.Cut(header, " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") || strings.TrimSpace(token) == "" {
		return "", arm.StatusError(http.StatusUnauthorized, "AuthenticationFailedInvalidHeader", "Authentication failed. The 'Authorization' header is provided in an invalid format; it must be 'Bearer <token>'.")
	}
	return strings.TrimSpace(token), nil
}

// armError is err as the client sees it.
func (s *Server) armError(q *request, err error) *arm.Error {
	if ae, ok := errors.AsType[*arm.Error](err); ok {
		return ae
	}
	switch {
	case errors.Is(err, store.ErrConflict):
		return arm.StatusError(http.StatusServiceUnavailable, "ServerBusy", "The resource is being changed by too many others at once. Try again.")
	case errors.Is(err, store.ErrNoSpace):
		return arm.StatusError(http.StatusInsufficientStorage, "HostDiskFull", "The disk of the control plane is full, so that nothing can be written down. Free space in its data directory and try again.")
	case errors.Is(err, store.ErrTooLarge):
		return arm.StatusError(http.StatusRequestEntityTooLarge, "RequestContentTooLarge", "The request is larger than can be stored.")
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return arm.StatusError(http.StatusServiceUnavailable, "ServerTimeout", "The request was not answered in time. Try again.")
	}
	s.Logger.Error("request failed", "method", q.Method, "path", q.URL.Path, "request", q.requestID, "err", err)
	return arm.StatusError(http.StatusInternalServerError, "InternalServerError", "Something went wrong. The server's log says more under the request id %s.", q.requestID)
}
