package deploy

import (
	"context"
	"errors"
	"strings"

	"lazuli/internal/arm"
	"lazuli/internal/template"
	"lazuli/internal/template/jsonc"
)

func isDeployment(typ string) bool { return strings.EqualFold(typ, Type) }

// asRefusal is err as what a resource was refused with, or nil.
func asRefusal(err error) *arm.Error {
	if ae, ok := errors.AsType[*arm.Error](requestError(err)); ok {
		return ae
	}
	return nil
}

// make makes one resource, and writes down what came of it.
func (r *run) make(ctx context.Context, res *template.Resource, number int) (*record, error) {
	rec := &record{
		Number: number, ID: res.ID, Type: res.Type, Name: res.Name, APIVersion: res.APIVersion, Symbol: res.Symbol,
		Action: actCreate, StartedAt: r.now(),
	}
	resp, err := r.put(ctx, res)
	ae := asRefusal(err)
	switch {
	case err != nil && (ae == nil || busy(err)):
		return nil, err
	case ae != nil && r.passing(ctx, res, ae):
		return nil, arm.StatusError(503, "ServerBusy", "The resource is being changed.")
	case ae != nil:
		rec.State, rec.Status, rec.Error = failed, ae.Status, r.secrets.scrub(ae, res.ID)
	case resp.Operation != "":
		rec.State, rec.Status, rec.Operation = running, resp.Status, resp.Operation
		r.waits.Store(rec.Operation, r.object.ID)
	case !settled(provisioning(resp.Body)):
		rec.State, rec.Status = running, resp.Status
	default:
		rec.State, rec.Status = succeeded, resp.Status
	}
	rec.ChangedAt = r.now()
	return rec, r.write(ctx, rec)
}

// put asks for the resource.
func (r *run) put(ctx context.Context, res *template.Resource) (*Response, error) {
	rt := &runtime{cloud: r.Cloud, principal: r.object.Spec.Principal}
	body, err := r.plan.Body(ctx, res, rt)
	if err != nil {
		return nil, err
	}
	q := Request{Principal: r.object.Spec.Principal, Method: "PUT", Path: res.ID, APIVersion: res.APIVersion}
	if res.IsDeployment() {
		if body, err = r.plan.Absolute(res, body); err != nil {
			return nil, err
		}
		q.Query = r.nesting(body).query()
	}
	q.Body = jsonc.Append(nil, body)
	return r.Cloud.Do(ctx, q)
}

// nesting is what a nested deployment with the body is told.
func (r *run) nesting(body *jsonc.Object) nesting {
	s := &r.object.Spec
	n := nesting{level: s.Level + 1, parent: r.object.UID, correlation: s.CorrelationID, opaque: s.Opaque}
	v, _ := body.Get("properties")
	properties, _ := v.(*jsonc.Object)
	if t, _ := properties.Get("template"); r.secrets.has(t) {
		n.opaque = true
	}
	v, _ = properties.Get("parameters")
	parameters, _ := v.(*jsonc.Object)
	for m := range parameters.All() {
		if r.secrets.has(m.Value) {
			n.hidden = append(n.hidden, jsonc.Fold(m.Name))
		}
	}
	return n
}

// passing says whether a refusal is only for now: the resource is in the middle
// of another change.
func (r *run) passing(ctx context.Context, res *template.Resource, refused *arm.Error) bool {
	if refused.Status != 409 || isDeployment(res.Type) {
		return false
	}
	rt := &runtime{cloud: r.Cloud, principal: r.object.Spec.Principal}
	body, err := rt.Get(ctx, res.ID, res.APIVersion)
	return err == nil && !settled(provisioning(body)) && !strings.EqualFold(provisioning(body), "Deleting")
}
