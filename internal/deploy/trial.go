package deploy

import (
	"context"
	"encoding/json"
	"errors"
	"strings"

	"lazuli/internal/arm"
	"lazuli/internal/template"
	"lazuli/internal/template/jsonc"
)

// outcome is what came of one resource in a trial.
type outcome struct {
	resource *template.Resource
	// deployment is the id of the one that makes it.
	deployment string
	wanted     *jsonc.Object // what the template says; nil when that is not known
	// known says that wanted has no expressions left, and made that the cloud
	// took it. Of what is not made the cloud's answer is not known.
	known, made   bool
	before, after []byte // as the cloud shows it; nil when it is not there
}

// trial is a deployment that is tried out: its resources are made in their
// order, and all is undone.
type trial struct {
	*Deployments
	cloud     Cloud
	principal arm.Principal
	outcomes  []*outcome
	// refused are the errors that the deployment would meet.
	refused []*arm.Error
	// secrets are those of all its templates.
	secrets secrets
	// outputs are those of nested deployments, by id in lower case.
	outputs map[string][]byte
	// onlyTemplate does not ask the cloud for anything.
	onlyTemplate bool
	// noRights leaves it to the deployment itself to find rights missing.
	noRights bool
}

// try tries a plan out.
func (d *Deployments) try(ctx context.Context, p *prepared) (t *trial, err error) {
	err = d.Cloud.Try(ctx, func(cloud Cloud) error {
		t = &trial{
			Deployments: d, cloud: cloud, principal: p.object.Spec.Principal, outputs: map[string][]byte{},
			onlyTemplate: p.object.Spec.Validation == "Template", noRights: p.object.Spec.Validation == "ProviderNoRbac",
		}
		_, err := t.plan(ctx, p.plan, p.object.ID.String())
		return err
	})
	return t, err
}

// Get answers references: of nested deployments by what they would put out.
func (t *trial) Get(ctx context.Context, id, version string) ([]byte, error) {
	if out, ok := t.outputs[strings.ToLower(id)]; ok {
		return out, nil
	}
	return (&runtime{t.cloud, t.principal, true}).Get(ctx, id, version)
}

func (t *trial) Post(ctx context.Context, id, action, version string, body []byte) ([]byte, error) {
	return (&runtime{t.cloud, t.principal, true}).Post(ctx, id, action, version, body)
}

// how far the answer to a resource can be relied on.
type reliance int

const (
	unknown reliance = iota // nothing can be said of what waits for it
	pending                 // it was taken, and would be under way for a while
	certain
)

// plan tries the resources of a plan, what others wait for first. It returns
// what can be relied on of all of them.
func (t *trial) plan(ctx context.Context, p *template.Plan, deployment string) (all reliance, err error) {
	t.secrets = append(t.secrets, p.Secrets()...)
	done := map[int]reliance{}
	var visit func(i int) error
	visit = func(i int) error {
		if _, ok := done[i]; ok {
			return nil
		}
		r, least := p.Resources[i], certain
		for _, j := range r.DependsOn {
			if err := visit(j); err != nil {
				return err
			}
			least = min(least, done[j])
		}
		if !r.Deployed() {
			done[i] = least
			return nil
		}
		got, err := t.resource(ctx, p, r, deployment, least)
		done[i] = got
		return err
	}
	all = certain
	for i := range p.Resources {
		if err := visit(i); err != nil {
			return unknown, err
		}
		all = min(all, done[i])
	}
	return all, nil
}

// resource tries one resource; least is what can be relied on of what it waits
// for. Errors are those of the trial itself.
func (t *trial) resource(ctx context.Context, p *template.Plan, r *template.Resource, deployment string, least reliance) (reliance, error) {
	if r.IsDeployment() {
		return t.nested(ctx, p, r, least)
	}
	o := &outcome{resource: r, deployment: deployment}
	t.outcomes = append(t.outcomes, o)
	var err error
	if o.wanted, o.known, err = p.Preview(ctx, r, t); err != nil {
		return unknown, t.blame(err, r)
	}
	if t.onlyTemplate {
		return unknown, nil
	}
	if o.before, err = t.look(ctx, r); err != nil {
		return unknown, t.blame(err, r)
	}
	if !o.known || least == unknown {
		return unknown, nil
	}
	resp, err := t.cloud.Do(ctx, Request{Principal: t.principal, Method: "PUT", Path: r.ID, APIVersion: r.APIVersion, Body: jsonc.Append(nil, o.wanted)})
	if ae := asRefusal(err); ae != nil {
		if least == certain && t.lasts(ae) {
			t.refuse(ae, r)
		}
		return unknown, nil
	}
	if err != nil {
		return unknown, err
	}
	o.made = true
	if o.after, err = t.look(ctx, r); err != nil {
		return unknown, t.blame(err, r)
	}
	if resp.Operation != "" {
		return min(least, pending), nil
	}
	return least, nil
}

// lasts says whether a refusal would be the same when the deployment runs.
func (t *trial) lasts(e *arm.Error) bool {
	return e.Status < 500 && e.Status != 409 && e.Status != 429 && !(t.noRights && e.Status == 403)
}

func (t *trial) refuse(e *arm.Error, r *template.Resource) {
	t.refused = append(t.refused, t.secrets.scrub(e, r.ID))
}

// blame notes an error that the resource is to blame for; others are returned.
func (t *trial) blame(err error, r *template.Resource) error {
	if errors.Is(err, template.ErrUnknown) {
		return nil
	}
	ae := asRefusal(err)
	if ae == nil {
		return err
	}
	if t.lasts(ae) {
		t.refuse(ae, r)
	}
	return nil
}

// look is the resource as it is now, or nil.
func (t *trial) look(ctx context.Context, r *template.Resource) ([]byte, error) {
	resp, err := t.cloud.Do(ctx, Request{Principal: t.principal, Method: "GET", Path: r.ID, APIVersion: r.APIVersion})
	if ae := asRefusal(err); ae != nil && ae.Status == 404 {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return resp.Body, nil
}

// nested tries a nested deployment, and finds what it would put out.
func (t *trial) nested(ctx context.Context, p *template.Plan, r *template.Resource, least reliance) (reliance, error) {
	tmpl, in, err := p.Nested(ctx, r, t, t.Load)
	if err != nil {
		return unknown, t.blame(err, r)
	}
	if err := t.fill(ctx, &in); err != nil {
		return unknown, t.blame(err, r)
	}
	plan, err := tmpl.Plan(ctx, in)
	if err != nil {
		return unknown, t.blame(err, r)
	}
	if least == unknown { // its resources wait, with it, for what is not known
		return unknown, t.unsure(ctx, plan, r.ID)
	}
	inner, err := t.plan(ctx, plan, r.ID)
	if err != nil {
		return unknown, err
	}
	outputs, err := plan.Outputs(ctx, t)
	if err != nil {
		return unknown, t.blame(err, r)
	}
	t.outputs[strings.ToLower(r.ID)], err = json.Marshal(map[string]any{
		"id": r.ID, "name": r.Name, "type": Type,
		"properties": map[string]any{"provisioningState": succeeded, "outputs": json.RawMessage(jsonc.Append(nil, outputs))},
	})
	return max(min(least, inner), pending), err
}

// unsure notes the resources of a plan of which nothing is known yet.
func (t *trial) unsure(ctx context.Context, p *template.Plan, deployment string) error {
	t.secrets = append(t.secrets, p.Secrets()...)
	for _, r := range p.Resources {
		if r.Deployed() && !r.IsDeployment() {
			if _, err := t.resource(ctx, p, r, deployment, unknown); err != nil {
				return err
			}
		}
	}
	return nil
}

// fill completes what functions return in another scope than the plan's.
func (t *trial) fill(ctx context.Context, in *template.Input) error {
	ask := func(path string) (*jsonc.Object, error) {
		body, err := (&runtime{t.cloud, t.principal, false}).Get(ctx, path, DefaultVersion)
		if err != nil {
			return nil, err
		}
		return tree(body)
	}
	var err error
	if in.Subscription == nil && in.Scope.Subscription != "" {
		if in.Subscription, err = ask("/subscriptions/" + in.Scope.Subscription); err != nil {
			return err
		}
	}
	if in.ResourceGroup == nil && in.Scope.ResourceGroup != "" {
		if in.ResourceGroup, err = ask(in.Scope.ID()); err != nil {
			return err
		}
		if !in.ResourceGroup.Has("tags") {
			in.ResourceGroup.Set("tags", jsonc.NewObject())
		}
	}
	return nil
}
