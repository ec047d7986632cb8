package arm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"lazuli/internal/store"
)

// GroupType is the type of resource groups. A group is stored in a Collection
// of this type under GroupID, and shown under Group.
const GroupType = "Microsoft.Resources/resourceGroups"

// GroupID is the ID that a resource group is stored under.
func GroupID(subscription, name string) ID {
	return ID{Subscription: subscription}.Resource(GroupType, name)
}

// FindGroup reads what every resource has of the resource group that scope is
// in; nil without an error when there is none.
func FindGroup(ctx context.Context, r store.Reader, scope ID) (*Meta, error) {
	groups := Collection[json.RawMessage, json.RawMessage]{Type: GroupType}
	o, err := groups.Find(ctx, r, GroupID(scope.Subscription, scope.ResourceGroup))
	if o == nil {
		return nil, err
	}
	return &o.Meta, err
}

// Subscription is what resources belong to and principals have access to.
type Subscription struct {
	Tags map[string]string `json:"tags,omitempty"`

	ID        string    `json:"id"` // GUID
	Name      string    `json:"name"`
	TenantID  string    `json:"tenantId"`
	CreatedAt time.Time `json:"createdAt"`
	// Disabled subscriptions can be read, and what is in them deleted.
	Disabled bool `json:"disabled,omitempty"`
}

const subscriptionPrefix = "/subscription/"

func subscriptionKey(id string) string { return subscriptionPrefix + strings.ToLower(id) }

// FindSubscription reads a subscription; nil without an error when there is
// none.
func FindSubscription(ctx context.Context, r store.Reader, id string) (*Subscription, error) {
	e, err := r.Get(ctx, subscriptionKey(id))
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return decodeSubscription(e)
}

// Subscriptions lists all subscriptions of a tenant.
func Subscriptions(ctx context.Context, r store.Reader, tenant string) ([]*Subscription, error) {
	es, err := r.List(ctx, subscriptionPrefix)
	if err != nil {
		return nil, err
	}
	ss := make([]*Subscription, 0, len(es))
	for _, e := range es {
		s, err := decodeSubscription(e)
		if err != nil {
			return nil, err
		}
		if strings.EqualFold(s.TenantID, tenant) {
			ss = append(ss, s)
		}
	}
	return ss, nil
}

// PutSubscription writes a subscription.
func PutSubscription(tx store.Tx, s *Subscription) error {
	b, err := json.Marshal(s)
	if err != nil {
		return err
	}
	tx.Put(subscriptionKey(s.ID), b)
	return nil
}

func decodeSubscription(e store.Entry) (*Subscription, error) {
	var s Subscription
	if err := json.Unmarshal(e.Value, &s); err != nil {
		return nil, fmt.Errorf("read %s: %w", e.Key, err)
	}
	return &s, nil
}
