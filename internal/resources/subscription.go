package resources

import (
	"context"

	"lazuli/internal/arm"
)

// list is the body of a list that is never long.
type list[T any] struct {
	Value []T `json:"value"`
}

type tenantBody struct {
	ID             string   `json:"id"`
	TenantID       string   `json:"tenantId"`
	TenantCategory string   `json:"tenantCategory"`
	DisplayName    string   `json:"displayName"`
	Domains        []string `json:"domains"`
}

type subscriptionBody struct {
	ID                  string               `json:"id"`
	SubscriptionID      string               `json:"subscriptionId"`
	TenantID            string               `json:"tenantId"`
	DisplayName         string               `json:"displayName"`
	State               string               `json:"state"`
	Policies            subscriptionPolicies `json:"subscriptionPolicies"`
	AuthorizationSource string               `json:"authorizationSource"`
	ManagedByTenants    []string             `json:"managedByTenants"`
	Tags                map[string]string    `json:"tags,omitempty"`
}

type subscriptionPolicies struct {
	LocationPlacementID string `json:"locationPlacementId"`
	QuotaID             string `json:"quotaId"`
	SpendingLimit       string `json:"spendingLimit"`
}

type locationBody struct {
	ID                  string           `json:"id"`
	SubscriptionID      string           `json:"subscriptionId"`
	Name                string           `json:"name"`
	Type                string           `json:"type"`
	DisplayName         string           `json:"displayName"`
	RegionalDisplayName string           `json:"regionalDisplayName"`
	Metadata            locationMetadata `json:"metadata"`
}

type locationMetadata struct {
	RegionType       string   `json:"regionType"`
	RegionCategory   string   `json:"regionCategory"`
	GeographyGroup   string   `json:"geographyGroup"`
	Geography        string   `json:"geography"`
	PhysicalLocation string   `json:"physicalLocation"`
	Longitude        string   `json:"longitude"`
	Latitude         string   `json:"latitude"`
	PairedRegion     []string `json:"pairedRegion"`
}

func (cloud) tenants(_ context.Context, c *arm.Call, _ map[string]string) (arm.Result, error) {
	t := c.Principal.TenantID
	return arm.Result{Body: list[tenantBody]{[]tenantBody{{
		ID: "/tenants/" + t, TenantID: t, TenantCategory: "Home", DisplayName: "Lazuli", Domains: []string{},
	}}}}, nil
}

func (cloud) subscriptions(ctx context.Context, c *arm.Call, _ map[string]string) (arm.Result, error) {
	subs, err := arm.Subscriptions(ctx, c.Tx, c.Principal.TenantID)
	if err != nil {
		return arm.Result{}, err
	}
	body := list[subscriptionBody]{[]subscriptionBody{}}
	for _, s := range subs {
		if c.Sees(arm.ID{Subscription: s.ID}) {
			body.Value = append(body.Value, showSubscription(s))
		}
	}
	return arm.Result{Body: body}, nil
}

func (cloud) subscription(ctx context.Context, c *arm.Call, _ map[string]string) (arm.Result, error) {
	s, err := arm.FindSubscription(ctx, c.Tx, c.ID.Subscription)
	if err != nil {
		return arm.Result{}, err
	}
	if s == nil {
		return arm.Result{}, arm.NotFound(c.ID)
	}
	return arm.Result{Body: showSubscription(s)}, nil
}

func showSubscription(s *arm.Subscription) subscriptionBody {
	state := "Enabled"
	if s.Disabled {
		state = "Disabled"
	}
	return subscriptionBody{
		ID: arm.ID{Subscription: s.ID}.String(), SubscriptionID: s.ID, TenantID: s.TenantID, Tags: s.Tags,
		DisplayName: s.Name, State: state, AuthorizationSource: "RoleBased", ManagedByTenants: []string{},
		Policies: subscriptionPolicies{LocationPlacementID: "Internal_2014-09-01", QuotaID: "Internal_2014-09-01", SpendingLimit: "Off"},
	}
}

func (a cloud) locations(_ context.Context, c *arm.Call, _ map[string]string) (arm.Result, error) {
	name := displayName(a.Location)
	return arm.Result{Body: list[locationBody]{[]locationBody{{
		ID: "/subscriptions/" + c.ID.Subscription + "/locations/" + a.Location, SubscriptionID: c.ID.Subscription,
		Name: a.Location, Type: "Region", DisplayName: name, RegionalDisplayName: name,
		Metadata: locationMetadata{
			RegionType: "Physical", RegionCategory: "Recommended", GeographyGroup: name, Geography: name,
			PhysicalLocation: name, Longitude: "0", Latitude: "0", PairedRegion: []string{},
		},
	}}}}, nil
}
