package deploy

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"lazuli/internal/arm"
	"lazuli/internal/store"
	"lazuli/internal/template"
	"lazuli/internal/template/jsonc"
)

// facts are what template functions return, as it was when the deployment was
// asked for: a plan that is made again is the same.
type facts struct {
	Subscription  json.RawMessage `json:"subscription"`
	ResourceGroup json.RawMessage `json:"resourceGroup,omitempty"`
}

// factsOf reads the facts of a scope that exists.
func factsOf(ctx context.Context, r store.Reader, scope arm.ID) (f facts, err error) {
	sub, err := arm.FindSubscription(ctx, r, scope.Subscription)
	if err != nil {
		return f, err
	}
	if sub == nil {
		return f, arm.NotFound(arm.ID{Subscription: scope.Subscription})
	}
	f.Subscription, err = json.Marshal(map[string]string{
		"id": "/subscriptions/" + sub.ID, "subscriptionId": sub.ID, "tenantId": sub.TenantID, "displayName": sub.Name,
	})
	if err != nil || scope.ResourceGroup == "" {
		return f, err
	}
	group, err := arm.FindGroup(ctx, r, scope)
	if err != nil {
		return f, err
	}
	if group == nil {
		return f, arm.NotFound(scope.Scope())
	}
	tags := group.Tags
	if tags == nil {
		tags = map[string]string{}
	}
	f.ResourceGroup, err = json.Marshal(map[string]any{
		"id": arm.Group(sub.ID, group.ID.Name()).String(), "name": group.ID.Name(), "type": arm.GroupType,
		"location": group.Location, "tags": tags, "properties": map[string]string{"provisioningState": "Succeeded"},
	})
	return f, err
}

// tree is JSON of ours as templates see values; nil for none.
func tree(raw json.RawMessage) (*jsonc.Object, error) {
	if len(raw) == 0 {
		return nil, nil
	}
	v, err := jsonc.Parse(raw)
	if err != nil {
		return nil, fmt.Errorf("read %.60s: %w", raw, err)
	}
	o, _ := v.(*jsonc.Object)
	return o, nil
}

// input is what the deployment o gives its template.
func (d *Deployments) input(o *object, s *source) (in template.Input, err error) {
	if in.Subscription, err = tree(o.Spec.Facts.Subscription); err != nil {
		return in, err
	}
	if in.ResourceGroup, err = tree(o.Spec.Facts.ResourceGroup); err != nil {
		return in, err
	}
	if in.Environment, err = tree(d.Environment); err != nil {
		return in, err
	}
	if in.Parameters, err = s.given(); err != nil {
		return in, err
	}
	who := o.Spec.Principal
	in.Name, in.Location, in.Mode, in.Level = o.ID.Name(), o.Location, o.Spec.Mode, o.Spec.Level
	in.Scope = template.Scope{Subscription: o.ID.Subscription, ResourceGroup: o.ID.ResourceGroup}
	in.Tenant = jsonc.NewObject("tenantId", who.TenantID, "displayName", "Lazuli")
	in.Deployer = jsonc.NewObject("objectId", who.ObjectID, "tenantId", who.TenantID, "userPrincipalName", who.Name)
	in.Now, in.NewGUID = o.Spec.StartedAt, guids(o.UID)
	in.Zones, in.Provider = d.zones, d.provider
	if l := s.request.templateLink; l != nil {
		in.TemplateLink = jsonc.NewObject("uri", l.full())
	}
	return in, nil
}

// guids makes the same GUIDs for the same deployment.
func guids(uid string) func() string {
	space, n := uuid.NewSHA1(uuid.NameSpaceOID, []byte(uid)), 0
	return func() string {
		n++
		return uuid.NewSHA1(space, fmt.Appendf(nil, "%d", n)).String()
	}
}

// zones are what pickZones() picks from: names for the one place there is.
func (d *Deployments) zones(namespace, resourceType, _ string) []string {
	for _, t := range d.Config.Types {
		if strings.EqualFold(t.Name, namespace+"/"+resourceType) {
			return []string{"1", "2", "3"}
		}
	}
	return nil
}

// provider is what providers() says of a namespace.
func (d *Deployments) provider(namespace string) *jsonc.Object {
	var types []any
	for _, t := range d.Config.Types {
		ns, name, _ := strings.Cut(t.Name, "/")
		if !strings.EqualFold(ns, namespace) {
			continue
		}
		namespace = ns
		var known []any
		for _, v := range t.APIVersions {
			known = append(known, v)
		}
		types = append(types, jsonc.NewObject("resourceType", name, "locations", []any{d.Location}, "apiVersions", known))
	}
	if types == nil {
		return nil
	}
	return jsonc.NewObject("namespace", namespace, "resourceTypes", types)
}
