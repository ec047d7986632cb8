package arm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"lazuli/internal/store"
)

// OperationStatus is the state of a long-running operation, in the words that
// clients poll for.
type OperationStatus string

// The states of an operation. The last three are final.
const (
	InProgress OperationStatus = "InProgress"
	Succeeded  OperationStatus = "Succeeded"
	Failed     OperationStatus = "Failed"
	Canceled   OperationStatus = "Canceled"
)

// Operation is a long-running operation on one resource. The API starts it in
// the transaction that writes the spec; whoever makes the spec true finishes it.
type Operation struct {
	ID       string `json:"id"` // GUID
	Resource ID     `json:"resource"`
	// Action says what was asked: "create", "update", "delete", "start", ….
	Action string          `json:"action"`
	Status OperationStatus `json:"status"`
	// Generation of the resource that the operation asked for.
	Generation int64  `json:"generation"`
	Error      *Error `json:"error,omitempty"`
	// Cause is the request that began it; nil when the cloud did itself.
	Cause     *Event     `json:"cause,omitempty"`
	StartedAt time.Time  `json:"startedAt"`
	EndedAt   *time.Time `json:"endedAt,omitempty"`
	// Result is what the final GET of Location answers, for actions that have
	// a result.
	Result json.RawMessage `json:"result,omitempty"`
}

// Done says that the operation has ended.
func (o *Operation) Done() bool { return o.Status != InProgress }

// Caller is the object id of who asked for the operation, "" for the cloud
// itself.
func (o *Operation) Caller() string {
	if o.Cause == nil {
		return ""
	}
	return o.Cause.Principal.ObjectID
}

// OperationPrefix is the prefix of the keys of all operations.
const OperationPrefix = "/operation/"

// GetOperation reads an operation; nil without an error when there is none.
func GetOperation(ctx context.Context, r store.Reader, id string) (*Operation, error) {
	if id == "" {
		return nil, nil
	}
	e, err := r.Get(ctx, OperationPrefix+id)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var op Operation
	if err := json.Unmarshal(e.Value, &op); err != nil {
		return nil, fmt.Errorf("read %s: %w", e.Key, err)
	}
	return &op, nil
}

// PutOperation writes an operation.
func PutOperation(tx store.Tx, op *Operation) error {
	b, err := json.Marshal(op)
	if err != nil {
		return err
	}
	tx.Put(OperationPrefix+op.ID, b)
	return nil
}

// StartOperation begins an operation on the resource of m, whose generation
// the caller has already raised, and notes it in m with the time, from which
// on the operation is waited for. While an operation is in
// progress a second one is refused with a 409, but for "delete", which cancels
// what came before it. id is a new GUID.
func StartOperation(ctx context.Context, tx store.Tx, m *Meta, id, action string, now time.Time) (*Operation, error) {
	before, err := GetOperation(ctx, tx, m.Operation)
	if err != nil {
		return nil, err
	}
	if before != nil && !before.Done() {
		if action != "delete" || before.Action == "delete" {
			return nil, Conflict("OperationNotAllowed", "The operation '%s' on '%s' is still in progress. Wait until it has ended and try again.", before.Action, m.ID.Name())
		}
		if err := FinishOperation(ctx, tx, before.ID, Conflict("OperationPreempted", "The operation was ended by a deletion."), nil, now); err != nil {
			return nil, err
		}
	}
	op := &Operation{ID: id, Resource: m.ID, Action: action, Status: InProgress, Generation: m.Generation, StartedAt: now}
	m.Operation, m.ChangedAt = id, now
	return op, PutOperation(tx, op)
}

// FinishOperation ends the operation id: with success when failure is nil,
// else with that error. Ending what has ended already, or is gone, is nothing.
func FinishOperation(ctx context.Context, tx store.Tx, id string, failure *Error, result any, now time.Time) error {
	op, err := GetOperation(ctx, tx, id)
	if err != nil || op == nil || op.Done() {
		return err
	}
	op.Status, op.EndedAt = Succeeded, &now
	if failure != nil {
		op.Status, op.Error = Failed, failure
		if failure.Code == "OperationPreempted" {
			op.Status = Canceled
		}
	}
	if result != nil {
		if op.Result, err = json.Marshal(result); err != nil {
			return err
		}
	}
	if op.Cause != nil {
		if err := PutEvent(tx, op.ended()); err != nil {
			return err
		}
	}
	return PutOperation(tx, op)
}
