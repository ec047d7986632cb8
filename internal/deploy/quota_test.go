package deploy

import (
	"context"
	"fmt"
	"testing"
	"time"

	"lazuli/internal/arm"
	"lazuli/internal/store"
)

// fill stores as many deployments that ended one after the other.
func (w *world) fill(n int) {
	w.update(func(ctx context.Context, tx store.Tx) error {
		for i := range n {
			id := deploymentID(fmt.Sprintf("old%03d", i))
			o := &object{Meta: arm.Meta{ID: id, UID: "uid-" + id.Name()}}
			if err := deployments.Put(ctx, tx, o); err != nil {
				return err
			}
			at := w.now.Add(time.Duration(i-1000) * time.Minute)
			if err := deployments.PutStatus(tx, id, &Status{State: succeeded, EndedAt: &at}); err != nil {
				return err
			}
			tx.Put(recordKey(o.UID, 0), []byte("{}"))
		}
		return nil
	})
}

func TestQuota(t *testing.T) {
	w := newWorld(t)
	w.fill(maxDeployments)
	body := deploymentBody(templateOf(thing("a", `{}`)), "")
	if _, code := w.ask("PUT", deploymentID("new").String(), body); code != "DeploymentQuotaExceeded" {
		t.Errorf("one more is %q", code)
	}
	w.deployed("old799", body, succeeded) // which is none more, and has old ones removed
	es, _, err := w.store.Page(t.Context(), prefix(deploymentID("x")), "", 1000)
	if err != nil || len(es) != pruneTo {
		t.Errorf("%d deployments are left, %v", len(es), err)
	}
	if w.find(deploymentID("old000")) != nil || w.find(deploymentID("old799")) == nil || w.find(deploymentID("old798")) == nil {
		t.Error("it were not the oldest that went")
	}
	if es, _ := w.store.List(t.Context(), plainKey("uid-old000", "")); len(es) != 0 {
		t.Errorf("the oldest left %v", es)
	}
	sub := arm.ID{Subscription: sub}
	if es, _, err := w.store.Page(t.Context(), prefix(sub), "", 10); err != nil || len(es) != 0 {
		t.Errorf("the subscription's own are %v, %v", es, err)
	}
}
