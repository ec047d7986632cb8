package resources

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"lazuli/internal/arm"
	"lazuli/internal/store"
)

// aliasEndpoints make subscriptions and change them, as Microsoft.Subscription
// does: a subscription is made by an alias, which stays as the name of that
// wish, so that who repeats it gets no second one.
func aliasEndpoints() []arm.Endpoint {
	const aliases, subscription = "/providers/Microsoft.Subscription/aliases", "/subscriptions/{subscription}/providers/Microsoft.Subscription/"
	return []arm.Endpoint{
		{Method: "GET", Path: aliases, Handle: listAliases},
		{Method: "PUT", Path: aliases + "/{alias}", Handle: putAlias},
		{Method: "GET", Path: aliases + "/{alias}", Handle: getAlias},
		{Method: "DELETE", Path: aliases + "/{alias}", Handle: deleteAlias},
		{Method: "POST", Path: subscription + "rename", Handle: renameSubscription},
		{Method: "POST", Path: subscription + "cancel", Handle: disableSubscription(true)},
		{Method: "POST", Path: subscription + "enable", Handle: disableSubscription(false)},
	}
}

// alias is what is kept of one.
type alias struct {
	Name           string    `json:"name"`
	SubscriptionID string    `json:"subscriptionId"`
	DisplayName    string    `json:"displayName"`
	Workload       string    `json:"workload,omitempty"`
	BillingScope   string    `json:"billingScope,omitempty"`
	CreatedAt      time.Time `json:"createdAt"`
}

const aliasPrefix = "/subscription-alias/"

func aliasKey(name string) string { return aliasPrefix + strings.ToLower(name) }

var aliasPattern = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,63}$`)

type aliasBody struct {
	ID         string          `json:"id"`
	Name       string          `json:"name"`
	Type       string          `json:"type"`
	Properties aliasProperties `json:"properties"`
}

type aliasProperties struct {
	SubscriptionID    string    `json:"subscriptionId"`
	DisplayName       string    `json:"displayName"`
	ProvisioningState string    `json:"provisioningState"`
	CreatedTime       time.Time `json:"createdTime"`
	Workload          string    `json:"workload,omitempty"`
	BillingScope      string    `json:"billingScope,omitempty"`
}

func showAlias(a *alias) aliasBody {
	return aliasBody{
		ID: "/providers/Microsoft.Subscription/aliases/" + a.Name, Name: a.Name, Type: "Microsoft.Subscription/aliases",
		Properties: aliasProperties{a.SubscriptionID, a.DisplayName, "Succeeded", a.CreatedAt, a.Workload, a.BillingScope},
	}
}

// aliasInput is the body of a PUT. Nobody is billed, so what is said of that is
// kept and shown only.
type aliasInput struct {
	Properties struct {
		DisplayName  string `json:"displayName"`
		Workload     string `json:"workload"`
		BillingScope string `json:"billingScope"`
	} `json:"properties"`
}

func (in *aliasInput) check() error {
	if err := checkSubscriptionName("properties.displayName", in.Properties.DisplayName); err != nil {
		return err
	}
	switch in.Properties.Workload {
	case "", "Production", "DevTest":
	default:
		return arm.InvalidParameter("properties.workload", "The workload '%s' is neither 'Production' nor 'DevTest'.", in.Properties.Workload)
	}
	if len(in.Properties.BillingScope) > 1024 {
		return arm.InvalidParameter("properties.billingScope", "The billing scope is too long.")
	}
	return nil
}

func checkSubscriptionName(target, name string) error {
	if n := len(strings.TrimSpace(name)); n == 0 || n > 64 || strings.ContainsAny(name, "<>;|") || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' }) {
		return arm.InvalidParameter(target, "The subscription's name is not valid: it must have 1 to 64 characters, none of them one of <>;|.")
	}
	return nil
}

func findAlias(ctx context.Context, r store.Reader, name string) (*alias, error) {
	e, err := r.Get(ctx, aliasKey(name))
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return decodeAlias(e)
}

func decodeAlias(e store.Entry) (*alias, error) {
	var a alias
	if err := json.Unmarshal(e.Value, &a); err != nil {
		return nil, fmt.Errorf("read %s: %w", e.Key, err)
	}
	return &a, nil
}

func putAlias(ctx context.Context, c *arm.Call, vars map[string]string) (arm.Result, error) {
	var in aliasInput
	if err := arm.Decode(c.Body, &in); err != nil {
		return arm.Result{}, err
	}
	if !aliasPattern.MatchString(vars["alias"]) {
		return arm.Result{}, arm.BadRequest("InvalidResourceName", "The alias '%s' is not valid: it must have 1 to 63 letters, digits, '_', '.' or '-'.", vars["alias"])
	}
	if err := in.check(); err != nil {
		return arm.Result{}, err
	}
	was, err := findAlias(ctx, c.Tx, vars["alias"])
	if err != nil {
		return arm.Result{}, err
	}
	if was != nil {
		if was.DisplayName != in.Properties.DisplayName || was.Workload != in.Properties.Workload || was.BillingScope != in.Properties.BillingScope {
			return arm.Result{}, arm.Conflict("AliasAlreadyExists", "The alias '%s' exists and is for another subscription, '%s'. Rename that one, or choose another alias.", was.Name, was.DisplayName)
		}
		return arm.Result{Body: showAlias(was)}, nil
	}
	a := &alias{vars["alias"], c.NewID(), in.Properties.DisplayName, in.Properties.Workload, in.Properties.BillingScope, c.Now.UTC()}
	b, err := json.Marshal(a)
	if err != nil {
		return arm.Result{}, err
	}
	c.Tx.Put(aliasKey(a.Name), b)
	return arm.Result{Body: showAlias(a), Created: true}, arm.PutSubscription(c.Tx, &arm.Subscription{
		ID: a.SubscriptionID, Name: a.DisplayName, TenantID: c.Principal.TenantID, CreatedAt: c.Now,
	})
}

func getAlias(ctx context.Context, c *arm.Call, vars map[string]string) (arm.Result, error) {
	a, err := findAlias(ctx, c.Tx, vars["alias"])
	if err != nil {
		return arm.Result{}, err
	}
	if a == nil {
		return arm.Result{}, arm.StatusError(404, "NotFound", "The alias '%s' could not be found.", vars["alias"])
	}
	return arm.Result{Body: showAlias(a)}, nil
}

func listAliases(ctx context.Context, c *arm.Call, _ map[string]string) (arm.Result, error) {
	es, err := c.Tx.List(ctx, aliasPrefix)
	if err != nil {
		return arm.Result{}, err
	}
	body := list[aliasBody]{[]aliasBody{}}
	for _, e := range es {
		a, err := decodeAlias(e)
		if err != nil {
			return arm.Result{}, err
		}
		body.Value = append(body.Value, showAlias(a))
	}
	return arm.Result{Body: body}, nil
}

// deleteAlias leaves the subscription: it has a name of its own.
func deleteAlias(_ context.Context, c *arm.Call, vars map[string]string) (arm.Result, error) {
	c.Tx.Delete(aliasKey(vars["alias"]))
	return arm.Result{}, nil
}

// subscriptionAnswer is that of what changes a subscription.
type subscriptionAnswer struct {
	SubscriptionID string `json:"subscriptionId"`
}

type renameInput struct {
	SubscriptionName string `json:"subscriptionName"`
}

func renameSubscription(ctx context.Context, c *arm.Call, _ map[string]string) (arm.Result, error) {
	var in renameInput
	if err := arm.Decode(c.Body, &in); err != nil {
		return arm.Result{}, err
	}
	if err := checkSubscriptionName("subscriptionName", in.SubscriptionName); err != nil {
		return arm.Result{}, err
	}
	return changeSubscription(ctx, c, func(s *arm.Subscription) { s.Name = in.SubscriptionName })
}

// disableSubscription makes a subscription read-only, or ends that. What is in
// it stays, and runs.
func disableSubscription(disabled bool) func(context.Context, *arm.Call, map[string]string) (arm.Result, error) {
	return func(ctx context.Context, c *arm.Call, _ map[string]string) (arm.Result, error) {
		return changeSubscription(ctx, c, func(s *arm.Subscription) { s.Disabled = disabled })
	}
}

func changeSubscription(ctx context.Context, c *arm.Call, f func(*arm.Subscription)) (arm.Result, error) {
	s, err := arm.FindSubscription(ctx, c.Tx, c.ID.Subscription)
	if err != nil {
		return arm.Result{}, err
	}
	if s == nil {
		return arm.Result{}, arm.NotFound(c.ID)
	}
	f(s)
	return arm.Result{Body: subscriptionAnswer{s.ID}}, arm.PutSubscription(c.Tx, s)
}
