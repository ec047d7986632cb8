package api

import (
	"errors"
	"net"
	"net/http"
	"strings"

	"github.com/google/uuid"

	"lazuli/internal/arm"
	"lazuli/internal/store"
)

// Activity keeps the account of what was done.
type Activity interface {
	// Record keeps an event that no transaction of the state is about: what
	// failed, was denied or changed nothing. It does not wait.
	Record(e *arm.Event)
}

// account is what the request is told of by in the activity log.
type account struct {
	// scope is what the request is about, when it is known to be there.
	scope arm.ID
	// later is the event of a request that wrote nothing.
	later *arm.Event
}

// accountable says whether the request belongs in the activity log: whether it
// is one that changes something, made in earnest.
func (q *request) accountable() bool {
	return q.s.Activity != nil && q.trial == nil && q.Method != http.MethodGet && q.Method != http.MethodHead && q.need.action != ""
}

// event is the request as an event of now.
func (q *request) event() *arm.Event {
	now := q.s.Now()
	scope := q.account.scope.String()
	if q.account.scope.Is(arm.GroupType) {
		scope = arm.Group(q.account.scope.Subscription, q.account.scope.Name()).String()
	}
	if scope == "" {
		scope = "/"
	}
	address, _, err := net.SplitHostPort(q.RemoteAddr)
	if err != nil {
		address = ""
	}
	uri := q.base + q.URL.EscapedPath()
	return &arm.Event{
		ID: uuid.NewString(), At: now, Began: now, Scope: scope, Action: q.need.action, Principal: q.principal,
		Status: arm.EventSucceeded, HTTP: http.StatusOK, Correlation: q.correlation(), Operation: q.requestID,
		ClientRequest: limited(q.Header.Get("X-Ms-Client-Request-Id")), Address: address, Method: q.Method, URI: uri[:min(len(uri), maxURI)],
	}
}

// maxURI bounds what is kept of a request's URI.
const maxURI = 1024

// correlation is the id that the client gave to all it does for one thing, or
// the request's own.
func (q *request) correlation() string {
	if id := limited(q.Header.Get("X-Ms-Correlation-Request-Id")); id != "" {
		return id
	}
	return q.requestID
}

// limited is an id of a client, "" when it is too long for one.
func limited(id string) string {
	if len(id) > 64 {
		return ""
	}
	return id
}

// noteDone writes down that the request did what the result says, in its own
// transaction if that writes anything, and who asked for the operation that it
// began.
func (q *request) noteDone(tx *noting, r arm.Result) error {
	if !q.accountable() {
		return nil
	}
	e := q.event()
	e.Details = r.Account
	switch {
	case r.Operation != nil:
		e.Status, e.HTTP = arm.EventAccepted, http.StatusAccepted
	case r.Created:
		e.HTTP = http.StatusCreated
	}
	if op := r.Operation; op != nil && op.Cause == nil && !op.Done() {
		op.Cause = e
		if err := arm.PutOperation(tx, op); err != nil {
			return err
		}
	}
	if q.account.later = e; !tx.wrote {
		return nil
	}
	q.account.later = nil
	return arm.PutEvent(tx.Tx, e)
}

// noteRest has an event kept that could not be in the transaction.
func (q *request) noteRest(err error) {
	if !q.accountable() {
		return
	}
	if err == nil {
		if q.account.later != nil {
			q.s.Activity.Record(q.account.later)
		}
		return
	}
	ae, ok := errors.AsType[*arm.Error](err)
	if !ok {
		ae = &arm.Error{Status: http.StatusInternalServerError, Code: "InternalServerError"}
	}
	if q.account.scope.IsZero() && strings.HasPrefix(strings.ToLower(q.URL.Path), "/subscriptions/") {
		return // there is no such subscription, which could be told of to nobody
	}
	e := q.event()
	e.Status, e.HTTP, e.Code = arm.EventFailed, ae.Status, ae.Code
	if e.HTTP == 0 {
		e.HTTP = http.StatusBadRequest
	}
	q.s.Activity.Record(e)
}

// noting knows whether a transaction writes anything.
type noting struct {
	store.Tx
	wrote bool
}

func (n *noting) Put(key string, value []byte) {
	n.wrote = true
	n.Tx.Put(key, value)
}

func (n *noting) PutLeased(key string, value []byte, lease store.LeaseID) {
	n.wrote = true
	n.Tx.PutLeased(key, value, lease)
}

func (n *noting) Delete(key string) {
	n.wrote = true
	n.Tx.Delete(key)
}
