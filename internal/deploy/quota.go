package deploy

import (
	"context"
	"slices"

	"lazuli/internal/arm"
	"lazuli/internal/store"
)

// How many deployments a group or subscription keeps, and how many are left
// when the oldest are removed, which begins at a number before that, as in
// Azure.
const (
	maxDeployments = 800
	pruneFrom      = 775
	pruneTo        = 750
)

// prefix is that of the keys of the deployments of a scope, without those in
// the groups of a subscription.
func prefix(scope arm.ID) string {
	p := arm.SpecPrefix(Type, scope.Scope())
	if scope.ResourceGroup == "" {
		p += "/"
	}
	return p
}

// checkQuota refuses one more deployment than there may be.
func (d *Deployments) checkQuota(ctx context.Context, c *arm.Call, was *object) error {
	if was != nil {
		return nil
	}
	es, _, err := c.Store.Page(ctx, prefix(c.ID), "", maxDeployments)
	if err != nil || len(es) < maxDeployments {
		return err
	}
	return arm.Conflict("DeploymentQuotaExceeded", "Creating the deployment '%s' would exceed the quota of '%d'. The current deployment count is '%d'. Delete some deployments before creating a new one.", c.ID.Name(), maxDeployments, len(es))
}

// prune removes the records of the oldest deployments of a scope that has
// nearly as many as it may. It removes nothing that they made.
func (d *Deployments) prune(ctx context.Context, scope arm.ID) error {
	es, _, err := d.Store.Page(ctx, prefix(scope), "", maxDeployments)
	if err != nil || len(es) <= pruneFrom {
		return err
	}
	var ended []*object
	for _, e := range es {
		o, err := deployments.DecodeSpec(e)
		if err == nil {
			o, err = deployments.Find(ctx, d.Store, o.ID)
		}
		if err != nil {
			return err
		}
		if o != nil && o.Status.ended() {
			ended = append(ended, o)
		}
	}
	slices.SortFunc(ended, func(a, b *object) int { return a.Status.EndedAt.Compare(*b.Status.EndedAt) })
	for _, o := range ended[:min(len(ended), len(es)-pruneTo)] {
		if err := d.forgetOld(ctx, o); err != nil {
			return err
		}
	}
	return nil
}

// forgetOld removes a deployment's record, if it is still the same.
func (d *Deployments) forgetOld(ctx context.Context, o *object) error {
	_, err := d.Store.Update(ctx, func(tx store.Tx) error {
		now, err := deployments.Find(ctx, tx, o.ID)
		if err != nil || now == nil || now.UID != o.UID {
			return err
		}
		if err := forget(ctx, tx, o.UID); err != nil {
			return err
		}
		return deployments.Delete(ctx, tx, o.ID)
	})
	return err
}
