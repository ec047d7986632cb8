package deploy

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"lazuli/internal/arm"
	"lazuli/internal/store"
	"lazuli/internal/template"
	"lazuli/internal/template/jsonc"
)

// outputsNumber is the number of the record about the outputs, after those of
// all resources.
const outputsNumber = 900_000

// succeed evaluates the outputs and ends the deployment.
func (r *run) succeed(ctx context.Context) error {
	rt := &runtime{cloud: r.Cloud, principal: r.object.Spec.Principal}
	outputs, err := r.plan.Outputs(ctx, rt)
	ae := asRefusal(err)
	if err != nil && (ae == nil || busy(err)) {
		return err
	}
	rec := &record{Number: outputsNumber, Action: actOutputs, State: succeeded, Status: 200, StartedAt: r.now(), ChangedAt: r.now()}
	if ae != nil {
		ae = r.secrets.scrub(ae, "")
		rec.State, rec.Status, rec.Error = failed, ae.Status, ae
	}
	if err := r.write(ctx, rec); err != nil {
		return err
	}
	if ae != nil {
		return r.finish(ctx, r.object, r.known, &Status{State: failed, Error: ae})
	}
	st := &Status{State: succeeded, Outputs: json.RawMessage(jsonc.Append(nil, outputs))}
	if st.Made, err = r.outcome(ctx); err != nil {
		return err
	}
	return r.finish(ctx, r.object, r.known, st)
}

// fail ends a deployment of which a resource failed.
func (r *run) fail(ctx context.Context) (again time.Duration, err error) {
	if over, err := r.rollback(ctx); err != nil || !over {
		return r.again, err
	}
	failure := refusal(template.DeploymentFailed())
	failure.Status, failure.Target = 409, r.object.ID.String()
	for _, n := range r.numbers() {
		if rec := r.records[n]; rec.State == failed && rec.Action != actRollback {
			failure.Details = append(failure.Details, rec.Error)
		}
	}
	st := &Status{State: failed, Error: failure}
	if rec := r.records[rollbackNumber]; rec != nil {
		st.OnErrorState = rec.State
	}
	return 0, r.finish(ctx, r.object, r.known, st)
}

// end ends a deployment that was canceled.
func (r *run) end(ctx context.Context, state string) error {
	failure := arm.Conflict("DeploymentCanceled", "The deployment was canceled.").At(r.object.ID.String())
	for _, rec := range r.records {
		if rec.State != running {
			continue
		}
		if isDeployment(rec.Type) {
			_, err := r.Cloud.Do(ctx, Request{Principal: r.object.Spec.Principal, Method: "POST", Path: rec.ID + "/cancel", APIVersion: DefaultVersion})
			if err != nil && asRefusal(err) == nil {
				return err
			}
		}
		rec.State, rec.ChangedAt = canceled, r.now()
		if err := r.write(ctx, rec); err != nil {
			return err
		}
		r.waits.Delete(rec.Operation)
	}
	return r.finish(ctx, r.object, r.known, &Status{State: state, Error: failure})
}

func (r *run) numbers() []int {
	var all []int
	for n := range r.records {
		all = append(all, n)
	}
	slices.Sort(all)
	return all
}

// outcome lists what was made, by nested deployments too.
func (r *run) outcome(ctx context.Context) ([]string, error) {
	var all []string
	for _, n := range r.numbers() {
		rec := r.records[n]
		if rec.State != succeeded || rec.Action != actCreate {
			continue
		}
		if !isDeployment(rec.Type) {
			all = append(all, rec.ID)
			continue
		}
		id, err := arm.ParseID(rec.ID)
		if err != nil {
			return nil, err
		}
		nested, err := deployments.Find(ctx, r.Store, id)
		if err != nil {
			return nil, err
		}
		if nested != nil {
			all = append(all, nested.Status.Made...)
		}
	}
	slices.SortFunc(all, func(a, b string) int { return strings.Compare(strings.ToLower(a), strings.ToLower(b)) })
	return slices.CompactFunc(all, strings.EqualFold), nil
}

// finish ends a deployment: its status, its operation and the end of its
// secrets are one transaction.
func (d *Deployments) finish(ctx context.Context, o *object, k *known, st *Status) error {
	at := d.now()
	st.EndedAt = &at
	_, err := d.Store.Update(ctx, func(tx store.Tx) error {
		now, err := current(ctx, tx, o)
		if err != nil {
			return err
		}
		var failure *arm.Error
		if st.State != succeeded {
			failure = st.Error
		}
		if err := endOperation(ctx, tx, now.Operation, failure, st.State, at); err != nil {
			return err
		}
		if k != nil && k.secret && !o.Spec.Opaque {
			tx.Put(plainKey(o.UID, "export"), jsonc.Append(nil, exportable(k.plan.Template())))
		}
		dropSecrets(tx, o.UID)
		tx.Delete(underWayKey(o.UID))
		return deployments.PutStatus(tx, o.ID, st)
	})
	if err != nil {
		return err
	}
	d.drop(o.UID)
	return d.prune(ctx, o.ID)
}

// endOperation is arm.FinishOperation that knows what is canceled.
func endOperation(ctx context.Context, tx store.Tx, id string, failure *arm.Error, state string, at time.Time) error {
	op, err := arm.GetOperation(ctx, tx, id)
	if err != nil || op == nil || op.Done() {
		return err
	}
	op.Status, op.Error, op.EndedAt = arm.OperationStatus(state), failure, &at
	return arm.PutOperation(tx, op)
}
