package resources

import (
	"context"

	"lazuli/internal/arm"
)

// groupActions are the POSTs on a group: resources stay where they were made.
func groupActions() map[string]arm.Action {
	return map[string]arm.Action{"moveResources": refuseMove, "validateMoveResources": refuseMove}
}

func refuseMove(ctx context.Context, c *arm.Call, _ []byte) (arm.Result, error) {
	if _, err := groups.Get(ctx, c.Tx, c.ID); err != nil {
		return arm.Result{}, err
	}
	return arm.Result{}, arm.Conflict("ResourceMoveNotSupported", "Resources of group '%s' cannot be moved to another group or subscription in this cloud. Make them there, and delete them here.", c.ID.Name())
}

// refuseZonePeers: the zones of a subscription are those of all others, which
// is that there is one place.
func refuseZonePeers(context.Context, *arm.Call, map[string]string) (arm.Result, error) {
	return arm.Result{}, arm.Conflict("OperationNotAllowed", "The zones of this cloud are names for one place, so that there are no peers to compare. Use the same zone in all subscriptions.")
}

// noFeatures is the list of preview features: there are none.
func noFeatures(context.Context, *arm.Call, map[string]string) (arm.Result, error) {
	return arm.Result{Body: list[struct{}]{[]struct{}{}}}, nil
}

func noFeature(_ context.Context, _ *arm.Call, vars map[string]string) (arm.Result, error) {
	return arm.Result{}, arm.StatusError(404, "FeatureNotFound", "The feature '%s' could not be found in '%s': this cloud has no preview features.", vars["feature"], vars["namespace"])
}
