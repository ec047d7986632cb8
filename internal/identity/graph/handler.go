package graph

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"

	"lazuli/internal/arm"
	"lazuli/internal/identity"
	"lazuli/internal/store"
)

// Handler answers below /v1.0/.
type Handler struct {
	Identity *identity.Service
	// MayManage says who may change the directory; nil is who is its Admin.
	// Everybody who is in the directory may read it.
	MayManage func(arm.Principal) bool
	// Forget lets go of what the principal that is being deleted may do, or says
	// why it has to stay; nil is nothing.
	Forget func(ctx context.Context, tx store.Tx, objectID string) error
	// Next answers everything else.
	Next   http.Handler
	Logger *slog.Logger
}

const (
	root    = "v1.0"
	maxBody = 256 << 10
)

// call is one request on its way.
type call struct {
	*Handler
	ctx   context.Context
	who   arm.Principal
	base  string // "https://host:port/v1.0"
	url   *url.URL
	query url.Values
	ids   []string // what the {} of the route's path stand for
	body  []byte
}

func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	first, rest, _ := strings.Cut(strings.TrimLeft(r.URL.EscapedPath(), "/"), "/")
	if !strings.EqualFold(first, root) {
		h.Next.ServeHTTP(w, r)
		return
	}
	body, status, err := h.serve(w, r, rest)
	if err != nil {
		h.fail(w, r, err)
		return
	}
	if body == nil {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	reply(w, status, body)
}

func (h *Handler) serve(w http.ResponseWriter, r *http.Request, path string) (body any, status int, err error) {
	if !h.Identity.KnowsHost(r.Host) {
		return nil, 0, badRequest("The host '%.100s' is not one that this cloud is reached by.", r.Host)
	}
	c := &call{Handler: h, ctx: r.Context(), base: "https://" + r.Host + "/" + root, url: r.URL}
	if c.who, err = h.authenticate(r); err != nil {
		return nil, 0, err
	}
	route, err := c.find(r.Method, path)
	if err != nil {
		return nil, 0, err
	}
	if route.manages && !h.mayManage(c.who) {
		return nil, 0, arm.StatusError(http.StatusForbidden, "Authorization_RequestDenied", "Insufficient privileges to complete the operation: only an administrator of the directory may.")
	}
	if c.query, err = url.ParseQuery(r.URL.RawQuery); err != nil {
		return nil, 0, badRequest("The query is not valid: %v.", err)
	}
	if c.body, err = io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody)); err != nil {
		return nil, 0, badRequest("The request's body could not be read, or is larger than %d bytes.", maxBody)
	}
	body, err = route.serve(c)
	if err == nil && route.manages {
		h.Logger.Info("directory changed", "by", c.who.Name, "principal", c.who.ObjectID, "method", r.Method, "path", r.URL.Path)
	}
	return body, max(route.status, http.StatusOK), err
}

// mayManage is the one place that says who may change the directory.
func (h *Handler) mayManage(p arm.Principal) bool {
	return p.Admin || h.MayManage != nil && h.MayManage(p)
}

func (h *Handler) authenticate(r *http.Request) (arm.Principal, error) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") || strings.TrimSpace(token) == "" {
		return arm.Principal{}, arm.StatusError(http.StatusUnauthorized, "InvalidAuthenticationToken", "Access token is empty.")
	}
	return h.Identity.Authenticate(r.Context(), strings.TrimSpace(token))
}

// update changes the directory in a transaction.
func (c *call) update(f func(tx store.Tx) error) error {
	_, err := c.Identity.Store.Update(c.ctx, f)
	if errors.Is(err, identity.ErrNameTaken) {
		err = badRequest("Another object with the same value for property userPrincipalName already exists.")
	}
	return err
}

// finder finds a kind of principal by what stands for it in a path.
type finder func(r store.Reader, id string) (*identity.Principal, error)

// change changes the principal that find finds under the first id of the path.
func (c *call) change(find finder, f func(p *identity.Principal) error) error {
	return c.update(func(tx store.Tx) error {
		p, err := find(tx, c.ids[0])
		if err != nil {
			return err
		}
		if err := f(p); err != nil {
			return err
		}
		return identity.PutPrincipal(c.ctx, tx, p)
	})
}

// remove has drop do away with the principal that find finds under the first id
// of the path. What it may do goes with it.
func (c *call) remove(find finder, drop func(context.Context, store.Tx, *identity.Principal) error) error {
	return c.update(func(tx store.Tx) error {
		p, err := find(tx, c.ids[0])
		if err != nil {
			return err
		}
		if err := c.notSelf(p); err != nil {
			return err
		}
		if c.Forget != nil {
			if err := c.Forget(c.ctx, tx, p.ObjectID); err != nil {
				return err
			}
		}
		return drop(c.ctx, tx, p)
	})
}

func badRequest(format string, a ...any) *arm.Error {
	return arm.BadRequest("Request_BadRequest", format, a...)
}

func notFound(id string) *arm.Error {
	return arm.StatusError(http.StatusNotFound, "Request_ResourceNotFound", "Resource '%.100s' does not exist or one of its queried reference-property objects are not present.", id)
}

// failure is an error in the form of OData.
type failure struct {
	Error failureBody `json:"error"`
}

type failureBody struct {
	Code    string       `json:"code"`
	Message string       `json:"message"`
	Inner   innerFailure `json:"innerError"`
}

type innerFailure struct {
	Date            string `json:"date"`
	RequestID       string `json:"request-id"`
	ClientRequestID string `json:"client-request-id"`
}

func (h *Handler) fail(w http.ResponseWriter, r *http.Request, err error) {
	id := uuid.NewString()
	ae, ok := errors.AsType[*arm.Error](err)
	switch {
	case ok:
	case errors.Is(err, store.ErrConflict), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		ae = arm.StatusError(http.StatusServiceUnavailable, "ServiceUnavailable", "The directory is busy. Try again.")
	case errors.Is(err, store.ErrTooLarge):
		ae = badRequest("The object is larger than can be stored.")
	default:
		h.Logger.Error("request failed", "method", r.Method, "path", r.URL.Path, "request", id, "err", err)
		ae = arm.StatusError(http.StatusInternalServerError, "InternalServerError", "Something went wrong. The server's log says more under the request id %s.", id)
	}
	code := ae.Code
	if ae.Status == http.StatusBadRequest {
		code = "Request_BadRequest" // Graph has one code for all that is wrong with a body
	}
	if ae.Status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Bearer realm="", error="invalid_token"`)
	}
	reply(w, ae.Status, failure{failureBody{code, ae.Message, innerFailure{time.Now().UTC().Format("2006-01-02T15:04:05"), id, r.Header.Get("Client-Request-Id")}}})
}

func reply(w http.ResponseWriter, status int, body any) {
	b, err := json.Marshal(body)
	if err != nil {
		panic(err) // plain structs always marshal
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	// A client that has gone away has nobody to be told.
	_, _ = w.Write(b)
}
