package deploy

import (
	"context"
	"net/url"
	"regexp"
	"strings"

	"lazuli/internal/arm"
)

// Get answers with the deployment.
func (d *Deployments) Get(ctx context.Context, c *arm.Call) (arm.Result, error) {
	o, err := get(ctx, c)
	if err != nil {
		return arm.Result{}, err
	}
	return arm.Result{Body: view(o)}, nil
}

// get reads the deployment of the call.
func get(ctx context.Context, c *arm.Call) (*object, error) {
	o, err := deployments.Find(ctx, c.Reader(), c.ID)
	if err == nil && o == nil {
		err = notFound(c.ID)
	}
	return o, err
}

func notFound(id arm.ID) error {
	return arm.StatusError(404, "DeploymentNotFound", "Deployment '%s' could not be found.", id.Name())
}

var statePattern = regexp.MustCompile(`^\s*(?i:provisioningState)\s+(?i:eq)\s+'([A-Za-z]+)'\s*$`)

// wantedState reads the $filter of a list.
func wantedState(q url.Values) (string, error) {
	filter := q.Get("$filter")
	if strings.TrimSpace(filter) == "" {
		return "", nil
	}
	m := statePattern.FindStringSubmatch(filter)
	if m == nil {
		return "", arm.BadRequest("InvalidFilterInQueryString", "Invalid $filter '%.200s': it must be like provisioningState eq 'Succeeded'.", filter)
	}
	return m[1], nil
}

// List lists the deployments of a scope, but not those in the groups of a
// subscription.
func (d *Deployments) List(ctx context.Context, c *arm.Call, scope arm.ID, after string, limit int) (items []any, next string, err error) {
	want, err := wantedState(c.Query)
	if err != nil {
		return nil, "", err
	}
	for {
		os, more, err := deployments.Page(ctx, c.Store, scope, after, limit-len(items))
		if err != nil {
			return nil, "", err
		}
		for _, o := range os {
			if o.ID.ResourceGroup == scope.ResourceGroup || strings.EqualFold(o.ID.ResourceGroup, scope.ResourceGroup) {
				if want == "" || strings.EqualFold(want, state(o)) {
					items = append(items, view(o))
				}
			}
		}
		if more == "" || len(items) >= limit {
			return items, more, nil
		}
		after = more
	}
}

// Patch is no verb of deployments, which the type says too.
func (d *Deployments) Patch(context.Context, *arm.Call, []byte) (arm.Result, error) {
	return arm.Result{}, arm.StatusError(405, "HttpMethodNotSupported", "A deployment cannot be patched. PUT it again.")
}

// Delete removes the record of a deployment, and nothing that it made. One that
// is under way can only go with its group.
func (d *Deployments) Delete(ctx context.Context, c *arm.Call) (arm.Result, error) {
	o, err := get(ctx, c)
	if err != nil {
		return arm.Result{}, err
	}
	if err := precondition(c, o); err != nil {
		return arm.Result{}, err
	}
	if !o.Status.ended() {
		if err := d.checkGroupGoes(ctx, c, o); err != nil {
			return arm.Result{}, err
		}
		gone := arm.Conflict("OperationPreempted", "The deployment was ended by the deletion of its resource group.")
		if err := arm.FinishOperation(ctx, c.Tx, o.Operation, gone, nil, c.Now); err != nil {
			return arm.Result{}, err
		}
	}
	if err := remove(ctx, c, o); err != nil {
		return arm.Result{}, err
	}
	op := &arm.Operation{ID: c.NewID(), Resource: o.ID, Action: "delete", Status: arm.Succeeded, StartedAt: c.Now, EndedAt: &c.Now}
	return arm.Result{Operation: op}, arm.PutOperation(c.Tx, op)
}

func (d *Deployments) checkGroupGoes(ctx context.Context, c *arm.Call, o *object) error {
	if o.ID.ResourceGroup != "" {
		group, err := arm.FindGroup(ctx, c.Tx, o.ID)
		if err != nil || group == nil || group.Deleting() {
			return err
		}
	}
	return arm.Conflict("DeploymentActive", "The deployment '%s' is running and cannot be deleted. Wait until it has ended, or cancel it.", o.ID.Name())
}

func remove(ctx context.Context, c *arm.Call, o *object) error {
	if err := forget(ctx, c.Tx, o.UID); err != nil {
		return err
	}
	return deployments.Delete(ctx, c.Tx, o.ID)
}
