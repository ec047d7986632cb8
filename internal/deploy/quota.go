package deploy

import (
	"context"

	"lazuli/internal/arm"
)

// maxDeployments is how many deployments a group or subscription keeps.
const maxDeployments = 800

// checkQuota refuses one more deployment than there may be.
func (d *Deployments) checkQuota(ctx context.Context, c *arm.Call, was *object) error {
	if was != nil {
		return nil
	}
	es, _, err := c.Store.Page(ctx, arm.SpecPrefix(Type, c.ID.Scope()), "", maxDeployments)
	if err != nil || len(es) < maxDeployments {
		return err
	}
	return arm.Conflict("DeploymentQuotaExceeded", "Creating the deployment '%s' would exceed the quota of '%d'. The current deployment count is '%d'. Delete some deployments before creating a new one.", c.ID.Name(), maxDeployments, len(es))
}
