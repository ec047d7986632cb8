package resources

import (
	"context"
	"regexp"

	"lazuli/internal/arm"
)

// Group is what a group is beyond what every resource is: nothing.
type Group struct{}

// groups is where they are stored. Their IDs are those of arm.GroupID.
var groups = arm.Collection[Group, Group]{Type: arm.GroupType}

var groupVersions = []string{"2025-04-01", "2024-03-01", "2023-07-01", "2022-09-01", "2021-04-01", "2019-10-01"}

type groupBody struct {
	arm.Header
	Properties *groupProperties `json:"properties,omitempty"`
}

type groupProperties struct {
	ProvisioningState string `json:"provisioningState,omitempty" arm:"readonly"`
}

func groupType(location string) arm.Type {
	return arm.Type{
		Name: arm.GroupType,
		Names: arm.NameRule{
			Pattern: regexp.MustCompile(`^[-\pL\pN_.()]{0,89}[-\pL\pN_()]$`),
			Hint:    "1 to 90 letters, digits, '_', '-', '.', '(' and ')', and not end in '.'",
			Code:    "InvalidResourceGroup",
		},
		Scopes: arm.InSubscription, Tracked: true, Created: 201, Updated: 200, Filters: true, Polling: arm.PollResult,
		APIVersions: groupVersions, Actions: groupActions(),
		Provider: groupProvider(location),
	}
}

type groupTracked = arm.Tracked[groupBody, Group, Group, *groupBody]

// groupLister adds the filter by tag to what every type's provider does.
type groupLister struct{ *groupTracked }

func groupProvider(location string) arm.Provider {
	return groupLister{&groupTracked{
		Collection: groups,
		Locations:  []string{arm.NormalizeLocation(location)},
		Apply: func(context.Context, *arm.Call, *arm.Edit[Group, Group], *groupBody) error {
			return nil // location and tags is all there is
		},
		View: viewGroup,
		Remove: func(context.Context, *arm.Call, *arm.Object[Group, Group]) (bool, error) {
			return true, nil // Groups.Reconcile carries it out
		},
	}}
}

func viewGroup(_ context.Context, _ *arm.Call, o *arm.Object[Group, Group], b *groupBody) error {
	b.ID = arm.Group(o.ID.Subscription, o.ID.Name()).String()
	b.Properties = &groupProperties{ProvisioningState: "Succeeded"}
	if o.Deleting() {
		b.Properties.ProvisioningState = "Deleting"
	}
	return nil
}

// List lists the groups that the filter of the call leaves.
func (g groupLister) List(ctx context.Context, c *arm.Call, scope arm.ID, after string, limit int) ([]any, string, error) {
	f, err := parseFilter(c.Query.Get("$filter"), groupFields...)
	if err != nil {
		return nil, "", err
	}
	var out []any
	for {
		os, next, err := groups.Page(ctx, c.Store, scope, after, limit-len(out))
		if err != nil {
			return nil, "", err
		}
		for _, o := range os {
			if f.takes(&o.Meta) && c.Sees(arm.Group(o.ID.Subscription, o.ID.Name())) {
				out = append(out, g.show(ctx, c, o))
			}
		}
		if next == "" || len(out) >= limit {
			return out, next, nil
		}
		after = next
	}
}

func (g groupLister) show(ctx context.Context, c *arm.Call, o *arm.Object[Group, Group]) *groupBody {
	b := &groupBody{Header: arm.Header{Name: o.ID.Name(), Type: arm.GroupType, Location: o.Location, Tags: o.Tags}}
	// It has no error to give: it reads nothing.
	_ = viewGroup(ctx, c, o, b)
	return b
}
