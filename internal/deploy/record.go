package deploy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"lazuli/internal/arm"
	"lazuli/internal/store"
)

// record is what was done about one resource of a plan. It is written when the
// request for the resource was answered, and when that came to its end.
type record struct {
	Number     int    `json:"number"` // of the resource in its plan
	ID         string `json:"id"`
	Type       string `json:"type"`
	Name       string `json:"name"`
	APIVersion string `json:"apiVersion,omitempty"`
	Symbol     string `json:"symbol,omitempty"`
	Action     string `json:"action"` // one of those below
	State      string `json:"state"`
	// Operation is the long-running one that is waited for; "" when the
	// resource itself says how it goes.
	Operation string     `json:"operation,omitempty"`
	Status    int        `json:"status,omitempty"` // of the answer
	Error     *arm.Error `json:"error,omitempty"`
	StartedAt time.Time  `json:"startedAt"`
	ChangedAt time.Time  `json:"changedAt"`
}

// What a record is about.
const (
	actCreate   = "create"
	actDelete   = "delete"
	actOutputs  = "outputs"
	actRollback = "rollback"
)

func recordKey(uid string, number int) string {
	return plainKey(uid, fmt.Sprintf("operation/%06d", number))
}

// records reads those of the deployment with the UID, by number.
func records(ctx context.Context, r store.Reader, uid string) (map[int]*record, error) {
	list, err := listRecords(ctx, r, uid)
	all := make(map[int]*record, len(list))
	for _, rec := range list {
		all[rec.Number] = rec
	}
	return all, err
}

// listRecords reads them in order.
func listRecords(ctx context.Context, r store.Reader, uid string) ([]*record, error) {
	es, err := r.List(ctx, plainKey(uid, "operation/"))
	if err != nil {
		return nil, err
	}
	all := make([]*record, 0, len(es))
	for _, e := range es {
		var rec record
		if err := json.Unmarshal(e.Value, &rec); err != nil {
			return nil, fmt.Errorf("read %s: %w", e.Key, err)
		}
		all = append(all, &rec)
	}
	return all, nil
}

// errOver says that a deployment has ended, or is another one, so that nothing
// is to be written for it any more.
var errOver = errors.New("the deployment is over")

// write stores a record of a deployment that is still under way, and sees
// whether that is to end.
func (r *run) write(ctx context.Context, rec *record) error {
	b, err := json.Marshal(rec)
	if err != nil {
		return err
	}
	_, err = r.Store.Update(ctx, func(tx store.Tx) error {
		e, err := tx.Get(ctx, underWayKey(r.object.UID))
		if errors.Is(err, store.ErrNotFound) {
			err = errOver
		}
		if err != nil {
			return err
		}
		if string(e.Value) == canceled {
			r.stop.Store(true)
		}
		tx.Put(recordKey(r.object.UID, rec.Number), b)
		return nil
	})
	return err
}

// underWayKey is there as long as the deployment with the UID is under way: it
// says "Running" or "Canceled".
func underWayKey(uid string) string { return plainKey(uid, "under-way") }

// current is the deployment as it is now, if it is still o and under way.
func current(ctx context.Context, tx store.Tx, o *object) (*object, error) {
	now, err := deployments.Find(ctx, tx, o.ID)
	if err == nil && (now == nil || now.UID != o.UID || now.Status.ended()) {
		err = errOver
	}
	return now, err
}
