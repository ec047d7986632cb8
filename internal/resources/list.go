package resources

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"lazuli/internal/arm"
)

// item is a resource in the list of all resources.
type item struct {
	ID                string            `json:"id"`
	Name              string            `json:"name"`
	Type              string            `json:"type"`
	Location          string            `json:"location"`
	Tags              map[string]string `json:"tags,omitempty"`
	CreatedTime       *time.Time        `json:"createdTime,omitempty"`
	ChangedTime       *time.Time        `json:"changedTime,omitempty"`
	ProvisioningState string            `json:"provisioningState,omitempty"`
}

// raw is the resources of a type as far as all types are the same.
type raw = arm.Collection[json.RawMessage, json.RawMessage]

// resources lists the tracked resources of a subscription or group, type by
// type. The token of a page is "<type> <token in the type>".
func (a cloud) resources(ctx context.Context, c *arm.Call, _ map[string]string) (arm.Result, error) {
	f, err := parseFilter(c.Query.Get("$filter"))
	if err != nil {
		return arm.Result{}, err
	}
	if err := checkExpand(c); err != nil {
		return arm.Result{}, err
	}
	scope := c.ID.Scope()
	if scope.ResourceGroup == "" {
		scope.ResourceGroup = f.only("resourcegroup")
	}
	page := arm.Page{Items: []any{}}
	from, after, _ := strings.Cut(c.After, " ")
	for _, t := range topLevel(a.Types) {
		if !t.Tracked || from != "" && t.Name != from {
			continue
		}
		from = ""
		if want := f.only("resourcetype"); want != "" && !strings.EqualFold(want, t.Name) {
			continue
		}
		if len(page.Items) == c.Limit {
			page.Next = t.Name + " "
			break
		}
		next, err := a.addType(ctx, c, &page, t.Name, scope, after, f)
		if err != nil {
			return arm.Result{}, err
		}
		if after = ""; next != "" {
			page.Next = t.Name + " " + next
			break
		}
	}
	return arm.Result{Body: page}, nil
}

// addType adds the resources of one type until the page is full, and returns
// the token of what is left.
func (a cloud) addType(ctx context.Context, c *arm.Call, page *arm.Page, typ string, scope arm.ID, after string, f filter) (string, error) {
	for {
		os, next, err := raw{Type: typ}.Page(ctx, c.Store, scope, after, c.Limit-len(page.Items))
		if err != nil {
			return "", err
		}
		for _, o := range os {
			if !f.takes(&o.Meta) || !c.May(typ+"/read", o.ID) {
				continue
			}
			i, err := showItem(ctx, c, &o.Meta)
			if err != nil {
				return "", err
			}
			page.Items = append(page.Items, i)
		}
		if next == "" || len(page.Items) == c.Limit {
			return next, nil
		}
		after = next
	}
}

// checkExpand refuses what cannot be shown in the list.
func checkExpand(c *arm.Call) error {
	for what := range strings.SplitSeq(strings.ToLower(c.Query.Get("$expand")), ",") {
		switch strings.TrimSpace(what) {
		case "", "createdtime", "changedtime", "provisioningstate":
		default:
			return arm.InvalidParameter("$expand", "The value '%.100s' of parameter $expand is invalid. What is supported: 'createdTime, changedTime, provisioningState'.", what)
		}
	}
	return nil
}

func showItem(ctx context.Context, c *arm.Call, m *arm.Meta) (item, error) {
	i := item{ID: m.ID.String(), Name: m.ID.Name(), Type: m.ID.Type(), Location: m.Location, Tags: m.Tags}
	for what := range strings.SplitSeq(c.Query.Get("$expand"), ",") {
		switch strings.ToLower(strings.TrimSpace(what)) {
		case "createdtime":
			i.CreatedTime = &m.CreatedAt
		case "changedtime":
			i.ChangedTime = &m.ChangedAt
		case "provisioningstate":
			state, err := provisioningState(ctx, c, m)
			if err != nil {
				return i, err
			}
			i.ProvisioningState = state
		}
	}
	return i, nil
}

// provisioningState says how the newest operation on a resource goes.
func provisioningState(ctx context.Context, c *arm.Call, m *arm.Meta) (string, error) {
	if m.Deleting() {
		return "Deleting", nil
	}
	op, err := arm.GetOperation(ctx, c.Tx, m.Operation)
	switch {
	case err != nil:
		return "", err
	case op == nil || op.Status == arm.Succeeded:
		return "Succeeded", nil
	case op.Done():
		return "Failed", nil
	case op.Action == "create":
		return "Creating", nil
	}
	return "Updating", nil
}
