package deploy

import (
	"context"

	"lazuli/internal/arm"
)

// cancel asks for the end of a deployment. What it made stays, and what is
// being made goes on.
func (d *Deployments) cancel(ctx context.Context, c *arm.Call, _ []byte) (arm.Result, error) {
	o, err := get(ctx, c)
	if err != nil {
		return arm.Result{}, err
	}
	if o.Status.ended() {
		return arm.Result{}, arm.Conflict("DeploymentCannotBeCancelled", "The deployment '%s' cannot be cancelled because it is not in an active state.", o.ID.Name())
	}
	o.Spec.Canceled, o.ChangedAt = true, c.Now
	c.Tx.Put(underWayKey(o.UID), []byte(canceled))
	return arm.Result{}, deployments.Put(ctx, c.Tx, o)
}
