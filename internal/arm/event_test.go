package arm

import (
	"slices"
	"strings"
	"testing"
	"time"

	"lazuli/internal/store"
	"lazuli/internal/store/memory"
)

func TestEventKeys(t *testing.T) {
	at := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	older := Event{ID: "a", At: at, Scope: "/subscriptions/S/resourceGroups/g"}
	newer := Event{ID: "b", At: at.Add(time.Nanosecond), Scope: "/subscriptions/s"}
	if newer.Key() >= older.Key() || !strings.HasPrefix(older.Key(), EventKeys("s")) {
		t.Errorf("keys %s, %s: the newer must come first", newer.Key(), older.Key())
	}
	for scope, want := range map[string]string{"/": "activity/-/", "/subscriptions/S": "activity/s/", "": "activity/-/"} {
		if got := (&Event{Scope: scope, At: at}).Key(); !strings.HasPrefix(got, want) {
			t.Errorf("the key of %q is %s", scope, got)
		}
	}
}

// The end of an operation is told of in the transaction that ends it, once.
func TestEndOfOperationIsAnEvent(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	tests := map[string]struct {
		failure *Error
		cause   *Event
		want    []EventStatus
		code    string
	}{
		"good":      {nil, &Event{}, []EventStatus{EventSucceeded}, ""},
		"failed":    {Conflict("Broken", "x"), &Event{}, []EventStatus{EventFailed}, "Broken"},
		"preempted": {Conflict("OperationPreempted", "x"), &Event{}, []EventStatus{EventCanceled}, ""},
		"own":       {nil, nil, nil, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := memory.New(memory.Options{})
			defer s.Close()
			if tt.cause != nil {
				*tt.cause = Event{ID: "request", Scope: "/subscriptions/s", Action: "x/write", Status: EventAccepted, HTTP: 202, Began: now, Details: map[string]string{"x": "y"}, Correlation: "c"}
			}
			_, err := s.Update(t.Context(), func(tx store.Tx) error {
				return PutOperation(tx, &Operation{ID: "o", Status: InProgress, Cause: tt.cause})
			})
			for range 2 {
				if err == nil {
					_, err = s.Update(t.Context(), func(tx store.Tx) error { return FinishOperation(t.Context(), tx, "o", tt.failure, nil, now) })
				}
			}
			if err != nil {
				t.Fatal(err)
			}
			es, err := s.List(t.Context(), EventPrefix)
			if err != nil {
				t.Fatal(err)
			}
			var got []EventStatus
			for _, entry := range es {
				e, err := DecodeEvent(entry)
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, e.Status)
				if e.Code != tt.code || e.ID != "o" || !e.Began.IsZero() || e.Details != nil || e.Correlation != "c" {
					t.Errorf("the event is %+v", e)
				}
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("events %v, want %v", got, tt.want)
			}
		})
	}
	if _, err := DecodeEvent(store.Entry{Value: []byte("?")}); err == nil {
		t.Error("nonsense is an event")
	}
}
