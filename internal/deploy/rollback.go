package deploy

import (
	"context"
	"errors"

	"lazuli/internal/arm"
)

// rollbackNumber is the number of the record about the deployment that is made
// again on failure.
const rollbackNumber = 800_000

// settleRollback finds the deployment that is made again if this one fails. It
// must be one that succeeded, and whose request is still known.
func (d *Deployments) settleRollback(ctx context.Context, c *arm.Call, o *object) error {
	e := o.Spec.OnError
	if e == nil {
		return nil
	}
	earlier, err := d.earlier(ctx, c, e, o.ID.Name())
	if err != nil {
		return err
	}
	if _, _, err = sourceOf(ctx, c.Tx, earlier.UID); errors.Is(err, errForgotten) {
		return arm.BadRequest("InvalidOnErrorDeployment", "The deployment '%s' cannot be made again on failure: it had secure parameters, which were forgotten when it ended.", earlier.ID.Name()).At("properties.onErrorDeployment")
	}
	e.DeploymentName = earlier.ID.Name()
	return err
}

// earlier is the deployment that is named, or else the last that succeeded
// under another name than name.
func (d *Deployments) earlier(ctx context.Context, c *arm.Call, e *OnError, name string) (*object, error) {
	if e.DeploymentName != "" {
		id := c.ID.Scope().Resource(Type, e.DeploymentName)
		o, err := deployments.Find(ctx, c.Tx, id)
		if err == nil && (o == nil || o.Status.State != succeeded || id.Equal(c.ID)) {
			err = arm.BadRequest("InvalidOnErrorDeployment", "The deployment '%s' cannot be made again on failure: there is none of this name that succeeded.", e.DeploymentName).At("properties.onErrorDeployment.deploymentName")
		}
		return o, err
	}
	es, _, err := c.Store.Page(ctx, prefix(c.ID), "", maxDeployments)
	if err != nil {
		return nil, err
	}
	var last *object
	for _, entry := range es {
		spec, err := deployments.DecodeSpec(entry)
		if err != nil {
			return nil, err
		}
		o, err := deployments.Find(ctx, c.Store, spec.ID)
		if err != nil {
			return nil, err
		}
		if o == nil || o.Status.State != succeeded || o.ID.Equal(c.ID) {
			continue
		}
		if last == nil || o.Status.EndedAt.After(*last.Status.EndedAt) {
			last = o
		}
	}
	if last == nil {
		return nil, arm.BadRequest("InvalidOnErrorDeployment", "There is no deployment other than '%s' that succeeded and could be made again on failure.", name).At("properties.onErrorDeployment")
	}
	return last, nil
}

// rollback makes the earlier deployment again, and says whether that is over.
func (r *run) rollback(ctx context.Context) (over bool, err error) {
	e := r.object.Spec.OnError
	if e == nil {
		return true, nil
	}
	if rec := r.records[rollbackNumber]; rec != nil {
		return rec.State != running, nil
	}
	id := r.object.ID.Scope().Resource(Type, e.DeploymentName)
	rec := &record{
		Number: rollbackNumber, ID: id.String(), Type: Type, Name: id.Name(), APIVersion: DefaultVersion, Action: actRollback,
		State: failed, StartedAt: r.now(),
	}
	resp, err := r.redo(ctx, id)
	ae := asRefusal(err)
	switch {
	case err != nil && (ae == nil || busy(err)):
		return false, err
	case ae != nil:
		rec.Status, rec.Error = ae.Status, r.secrets.scrub(ae, rec.ID)
	default:
		rec.State, rec.Status, rec.Operation = running, resp.Status, resp.Operation
	}
	rec.ChangedAt = r.now()
	r.records[rollbackNumber] = rec
	if err := r.write(ctx, rec); err != nil || rec.State != running {
		return true, err
	}
	return false, r.observe(ctx, rec)
}

// redo asks for the deployment id once more, as it was asked for.
func (r *run) redo(ctx context.Context, id arm.ID) (*Response, error) {
	earlier, err := deployments.Find(ctx, r.Store, id)
	if err == nil && earlier == nil {
		err = notFound(id)
	}
	if err != nil {
		return nil, err
	}
	s, _, err := sourceOf(ctx, r.Store, earlier.UID)
	if errors.Is(err, errForgotten) {
		return nil, arm.Conflict("InvalidOnErrorDeployment", "The deployment '%s' cannot be made again: its request is forgotten.", id.Name())
	}
	if err != nil {
		return nil, err
	}
	n := nesting{level: r.object.Spec.Level + 1, parent: r.object.UID, correlation: r.object.Spec.CorrelationID}
	return r.Cloud.Do(ctx, Request{
		Principal: r.object.Spec.Principal, Method: "PUT", Path: id.String(), APIVersion: DefaultVersion, Query: n.query(), Body: s.body,
	})
}
