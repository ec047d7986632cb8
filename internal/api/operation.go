package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"lazuli/internal/arm"
	"lazuli/internal/store"
)

// pollAfter is what clients that read retry-after-ms wait between polls. It is
// short: the poll itself waits for the operation's end.
const pollAfter = "20"

// promise sets the headers of an asynchronous reply: where to poll, and how
// soon.
func (q *request) promise(h http.Header, op *arm.Operation, location bool) {
	q.operation = op.ID
	setPollAfter(h)
	if t := q.s.routes.types[strings.ToLower(op.Resource.Type())]; t != nil && t.Polling == arm.PollResult {
		h.Set("Location", q.operationURL("/subscriptions/"+op.Resource.Subscription+"/operationresults/"+op.ID, false))
		return
	}
	path := q.operationPath(op)
	h.Set("Azure-Asyncoperation", q.operationURL(path, false))
	if location {
		h.Set("Location", q.operationURL(path, true))
	}
}

func setPollAfter(h http.Header) {
	h.Set("Retry-After", "1")
	h.Set("Retry-After-Ms", pollAfter)
}

func (q *request) operationPath(op *arm.Operation) string {
	if typ := q.s.routes.polled(op); typ != nil {
		return op.Resource.String() + "/" + typ.Polled + "/" + op.ID
	}
	return "/subscriptions/" + op.Resource.Subscription + "/providers/" + op.Resource.Namespace + "/locations/" + q.s.Location + "/operations/" + op.ID
}

func (q *request) operationURL(path string, monitor bool) string {
	v := url.Values{"api-version": {q.version}}
	if monitor {
		v.Set("monitor", "true")
	}
	return q.base + (&url.URL{Path: path}).EscapedPath() + "?" + v.Encode()
}

// operationBody is what Azure-AsyncOperation answers.
type operationBody struct {
	ID         string              `json:"id"`
	Name       string              `json:"name"`
	Status     arm.OperationStatus `json:"status"`
	StartTime  time.Time           `json:"startTime"`
	EndTime    *time.Time          `json:"endTime,omitempty"`
	Error      *arm.Error          `json:"error,omitempty"`
	Properties *operationOutput    `json:"properties,omitempty"`
}

// operationOutput repeats the result for clients that never ask Location.
type operationOutput struct {
	Output json.RawMessage `json:"output"`
}

// pollOperation answers a poll of Azure-AsyncOperation, or of Location when
// the query says monitor.
func (s *Server) pollOperation(w http.ResponseWriter, q *request) error {
	if strings.EqualFold(q.query.Get("monitor"), "true") {
		return s.pollResult(w, q)
	}
	op, err := q.awaitOperation()
	if err != nil {
		return err
	}
	b := operationBody{
		ID: q.operationPath(op), Name: op.ID, Status: op.Status,
		StartTime: op.StartedAt, EndTime: op.EndedAt, Error: op.Error,
	}
	if op.Result != nil {
		b.Properties = &operationOutput{op.Result}
	}
	if op.Status == arm.InProgress && q.s.routes.polled(op) != nil {
		b.Status = "Running"
	}
	setPollAfter(w.Header())
	return q.reply(w, http.StatusOK, arm.Result{Body: b})
}

// pollResult answers a poll of Location: 202 until the end, then what the
// operation came to.
func (s *Server) pollResult(w http.ResponseWriter, q *request) error {
	op, err := q.awaitOperation()
	if err != nil {
		return err
	}
	switch {
	case !op.Done():
		w.Header().Set("Location", q.base+q.URL.RequestURI())
		setPollAfter(w.Header())
		return q.reply(w, http.StatusAccepted, arm.Result{})
	case op.Error != nil:
		failure := *op.Error
		failure.Status = http.StatusConflict
		return &failure
	case op.Result != nil:
		return q.reply(w, http.StatusOK, arm.Result{Body: op.Result})
	case op.Action == "create" || op.Action == "update":
		return q.replyResource(w, op.Resource)
	case op.Resource.Is(arm.GroupType):
		return q.reply(w, http.StatusOK, arm.Result{})
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// replyResource answers with the resource id.
func (q *request) replyResource(w http.ResponseWriter, id arm.ID) error {
	t := q.s.routes.resource(id)
	if t == nil {
		return q.reply(w, http.StatusOK, arm.Result{})
	}
	q.target, q.query = t, url.Values{}
	return q.s.get(w, q)
}

var operationPattern = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// awaitOperation reads the operation that the path names, and waits for its
// end a little while. Operations of other subscriptions do not exist.
func (q *request) awaitOperation() (op *arm.Operation, err error) {
	id := strings.ToLower(q.target.vars["operation"])
	err = q.read(func(ctx context.Context, c *arm.Call) error {
		if operationPattern.MatchString(id) {
			op, err = arm.GetOperation(ctx, c.Tx, id)
		}
		if err == nil && (op == nil || !strings.EqualFold(op.Resource.Subscription, c.ID.Subscription)) {
			return arm.StatusError(http.StatusNotFound, "NotFound", "The operation '%s' does not exist, or ended long ago.", q.target.vars["operation"])
		}
		if err == nil && op.Caller() != c.Principal.ObjectID {
			err = c.CheckMay(arm.ActionOf(http.MethodGet, op.Resource.Type()), op.Resource)
		}
		return err
	})
	if err != nil || op.Done() {
		return op, err
	}
	if err := q.s.waitForEnd(q.Context(), id); err != nil {
		return nil, err
	}
	now, err := arm.GetOperation(q.Context(), q.s.Store, id)
	if err != nil || now == nil {
		return op, err
	}
	return now, nil
}

var errEnded = errors.New("ended")

// waitForEnd returns when the operation has ended, or after the long poll's
// time.
func (s *Server) waitForEnd(ctx context.Context, id string) error {
	ctx, cancel := context.WithTimeout(ctx, s.LongPoll)
	defer cancel()
	defer context.AfterFunc(s.closing, cancel)()
	es, rev, err := s.Store.Snapshot(ctx, arm.OperationPrefix+id)
	if err == nil && !anyEnded(es) {
		err = s.Store.Watch(ctx, arm.OperationPrefix+id, rev, func(_ int64, events []store.Event) error {
			for _, e := range events {
				if e.Deleted || anyEnded([]store.Entry{e.Entry}) {
					return errEnded
				}
			}
			return nil
		})
	}
	if ctx.Err() != nil || errors.Is(err, errEnded) || errors.Is(err, store.ErrCompacted) {
		return nil
	}
	return err
}

func anyEnded(es []store.Entry) bool {
	for _, e := range es {
		var op arm.Operation
		if json.Unmarshal(e.Value, &op) == nil && op.Done() {
			return true
		}
	}
	return false
}
