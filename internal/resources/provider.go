package resources

import (
	"context"
	"slices"
	"strings"

	"lazuli/internal/arm"
)

// defaultVersion is listed for types that list none.
const defaultVersion = "2025-04-01"

type providerBody struct {
	ID                 string             `json:"id"`
	Namespace          string             `json:"namespace"`
	RegistrationPolicy string             `json:"registrationPolicy"`
	RegistrationState  string             `json:"registrationState"`
	ResourceTypes      []resourceTypeBody `json:"resourceTypes"`
}

type resourceTypeBody struct {
	ResourceType string   `json:"resourceType"`
	Locations    []string `json:"locations"`
	APIVersions  []string `json:"apiVersions"`
	Capabilities string   `json:"capabilities"`
}

func (a cloud) providers(_ context.Context, c *arm.Call, _ map[string]string) (arm.Result, error) {
	body := list[providerBody]{[]providerBody{}}
	for _, ns := range a.namespaces() {
		body.Value = append(body.Value, a.showProvider(c, ns))
	}
	return arm.Result{Body: body}, nil
}

// provider answers a question about one provider, and its registration: all
// are registered always.
func (a cloud) provider(_ context.Context, c *arm.Call, vars map[string]string) (arm.Result, error) {
	for _, ns := range a.namespaces() {
		if strings.EqualFold(ns, vars["namespace"]) {
			return arm.Result{Body: a.showProvider(c, ns)}, nil
		}
	}
	return arm.Result{}, arm.StatusError(404, "InvalidResourceNamespace", "The resource namespace '%s' is invalid: this cloud does not have it.", vars["namespace"])
}

func (a cloud) namespaces() []string {
	all := []string{"Microsoft.Resources"}
	for _, t := range a.Types {
		ns, _, _ := strings.Cut(t.Name, "/")
		all = append(all, ns)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func (a cloud) showProvider(c *arm.Call, namespace string) providerBody {
	b := providerBody{
		ID:        "/subscriptions/" + c.ID.Subscription + "/providers/" + namespace,
		Namespace: namespace, RegistrationPolicy: "RegistrationFree", RegistrationState: "Registered",
		ResourceTypes: []resourceTypeBody{},
	}
	if namespace == "Microsoft.Resources" {
		b.add("resourceGroups", groupVersions, nil, "SupportsTags")
	}
	for _, t := range a.Types {
		ns, name, _ := strings.Cut(t.Name, "/")
		if ns != namespace || t.Name == arm.GroupType {
			continue
		}
		capabilities := "None"
		if t.Tracked {
			capabilities = "SupportsTags, SupportsLocation"
		}
		b.add(name, t.APIVersions, []string{displayName(a.Location)}, capabilities)
	}
	return b
}

func (b *providerBody) add(name string, versions, locations []string, capabilities string) {
	if len(versions) == 0 {
		versions = []string{defaultVersion}
	}
	if locations == nil {
		locations = []string{}
	}
	b.ResourceTypes = append(b.ResourceTypes, resourceTypeBody{name, locations, versions, capabilities})
}
