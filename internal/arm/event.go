package arm

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"time"

	"lazuli/internal/store"
)

// Event is what is kept of a request that changed something or was to, or of the
// end of the operation that it began: who did what, when, from where, with which
// result. It has nothing of the request's body but what Details says.
type Event struct {
	ID string    `json:"id"` // GUID
	At time.Time `json:"at"`
	// Began is when the request came in; zero for the end of an operation.
	Began     time.Time   `json:"began,omitzero"`
	Scope     string      `json:"scope"` // as shown: of a resource, its ID
	Action    string      `json:"action"`
	Principal Principal   `json:"principal"`
	Status    EventStatus `json:"status"`
	HTTP      int         `json:"http,omitempty"` // status of the reply
	Code      string      `json:"code,omitempty"` // of the error
	// Correlation is shared by all requests and ends of what the client takes
	// for one thing; Operation is the GUID of this one.
	Correlation   string `json:"correlation"`
	Operation     string `json:"operation"`
	ClientRequest string `json:"clientRequest,omitempty"`
	Address       string `json:"address,omitempty"`
	Method        string `json:"method,omitempty"`
	URI           string `json:"uri,omitempty"`
	// Details are properties of the event, without secrets.
	Details map[string]string `json:"details,omitempty"`
}

// EventStatus is a result, in Azure's words.
type EventStatus string

// The results of a request.
const (
	EventAccepted  EventStatus = "Accepted"
	EventSucceeded EventStatus = "Succeeded"
	EventFailed    EventStatus = "Failed"
	EventCanceled  EventStatus = "Canceled"
)

// EventPrefix is the prefix of the keys of all events:
//
//	activity/<subscription, or "-">/<time, the newest first>-<id>
//
// Who follows the state of the cloud, all of which begins with "/", does not
// follow these: they are many, and nothing is to be done about them.
const EventPrefix = "activity/"

// EventKeys is the prefix of the keys of a subscription's events; "" is for what
// is in none.
func EventKeys(subscription string) string {
	if subscription == "" {
		subscription = "-"
	}
	return EventPrefix + fold(subscription) + "/"
}

// EventTime is how a time is in a key.
func EventTime(t time.Time) string { return fmt.Sprintf("%016x", math.MaxInt64-t.UnixNano()) }

// Key is where the event is kept.
func (e *Event) Key() string {
	subscription := ""
	if rest, ok := strings.CutPrefix(fold(e.Scope), "/subscriptions/"); ok {
		subscription, _, _ = strings.Cut(rest, "/")
	}
	return EventKeys(subscription) + EventTime(e.At) + "-" + e.ID
}

// PutEvent writes an event.
func PutEvent(tx store.Tx, e *Event) error {
	b, err := json.Marshal(e)
	if err != nil {
		return err
	}
	tx.Put(e.Key(), b)
	return nil
}

// ended is the event that the operation which cause began has ended.
func (o *Operation) ended() *Event {
	e := *o.Cause
	e.ID, e.At, e.Began, e.Details = o.ID, *o.EndedAt, time.Time{}, nil
	switch o.Status {
	case Succeeded:
		e.Status, e.HTTP = EventSucceeded, 200
	case Canceled:
		e.Status, e.HTTP = EventCanceled, 409
	default:
		e.Status, e.HTTP, e.Code = EventFailed, 409, o.Error.Code
	}
	return &e
}

// DecodeEvent reads an entry below EventPrefix.
func DecodeEvent(e store.Entry) (*Event, error) {
	var v Event
	if err := json.Unmarshal(e.Value, &v); err != nil {
		return nil, fmt.Errorf("read %s: %w", e.Key, err)
	}
	return &v, nil
}
