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
	RegistrationPolicy string             `json:"registrationPolicy,omitempty"`
	RegistrationState  string             `json:"registrationState,omitempty"`
	ResourceTypes      []resourceTypeBody `json:"resourceTypes"`
}

type resourceTypeBody struct {
	ResourceType      string   `json:"resourceType"`
	Locations         []string `json:"locations"`
	APIVersions       []string `json:"apiVersions"`
	DefaultAPIVersion string   `json:"defaultApiVersion"`
	Capabilities      string   `json:"capabilities"`
}

func (a cloud) providers(_ context.Context, c *arm.Call, _ map[string]string) (arm.Result, error) {
	if err := checkProviderExpand(c); err != nil {
		return arm.Result{}, err
	}
	body := list[providerBody]{[]providerBody{}}
	for _, ns := range a.namespaces() {
		body.Value = append(body.Value, a.showProvider(c, ns))
	}
	return arm.Result{Body: body}, nil
}

// provider answers a question about one provider, and its registration: all
// are registered always.
func (a cloud) provider(_ context.Context, c *arm.Call, vars map[string]string) (arm.Result, error) {
	ns, err := a.namespace(vars)
	if err != nil {
		return arm.Result{}, err
	}
	if err := checkProviderExpand(c); err != nil {
		return arm.Result{}, err
	}
	return arm.Result{Body: a.showProvider(c, ns)}, nil
}

// unregister is refused: what a provider has is part of the cloud.
func (a cloud) unregister(_ context.Context, _ *arm.Call, vars map[string]string) (arm.Result, error) {
	ns, err := a.namespace(vars)
	if err != nil {
		return arm.Result{}, err
	}
	return arm.Result{}, arm.Conflict("OperationNotAllowed", "The resource provider '%s' is part of this cloud and always registered. There is no need to unregister it.", ns)
}

// resourceTypes lists the types of one provider.
func (a cloud) resourceTypes(_ context.Context, c *arm.Call, vars map[string]string) (arm.Result, error) {
	ns, err := a.namespace(vars)
	if err != nil {
		return arm.Result{}, err
	}
	if err := checkProviderExpand(c); err != nil {
		return arm.Result{}, err
	}
	return arm.Result{Body: list[resourceTypeBody]{a.showProvider(c, ns).ResourceTypes}}, nil
}

// namespace is that of the path, spelled as the table does.
func (a cloud) namespace(vars map[string]string) (string, error) {
	for _, ns := range a.namespaces() {
		if strings.EqualFold(ns, vars["namespace"]) {
			return ns, nil
		}
	}
	return "", arm.StatusError(404, "InvalidResourceNamespace", "The resource namespace '%s' is invalid: this cloud does not have it.", vars["namespace"])
}

// checkProviderExpand takes what Azure knows. Metadata are shown always, and
// there are no aliases.
func checkProviderExpand(c *arm.Call) error {
	switch what := c.Query.Get("$expand"); strings.ToLower(what) {
	case "", "metadata", "resourcetypes", "resourcetypes/aliases":
		return nil
	default:
		return arm.InvalidParameter("$expand", "The value '%.100s' of parameter $expand is invalid. What is supported: 'metadata', 'resourceTypes/aliases'.", what)
	}
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

// showProvider shows a provider as a subscription has it, or as the cloud does
// when none is asked for.
func (a cloud) showProvider(c *arm.Call, namespace string) providerBody {
	b := providerBody{ID: "/providers/" + namespace, Namespace: namespace, ResourceTypes: []resourceTypeBody{}}
	if c.ID.Subscription != "" {
		b.ID = "/subscriptions/" + c.ID.Subscription + b.ID
		b.RegistrationPolicy, b.RegistrationState = "RegistrationFree", "Registered"
	}
	for _, t := range a.Types {
		if ns, _, _ := strings.Cut(t.Name, "/"); strings.EqualFold(ns, namespace) {
			b.ResourceTypes = append(b.ResourceTypes, a.showType(&t))
		}
	}
	return b
}

func (a cloud) showType(t *arm.Type) resourceTypeBody {
	_, name, _ := strings.Cut(t.Name, "/")
	b := resourceTypeBody{ResourceType: name, Locations: []string{}, APIVersions: t.APIVersions, Capabilities: capabilities(t)}
	if len(b.APIVersions) == 0 {
		b.APIVersions = []string{defaultVersion}
	}
	b.DefaultAPIVersion = b.APIVersions[0]
	if t.Name != arm.GroupType && (t.Scopes == 0 || t.Scopes == arm.InGroup) {
		b.Locations = append(b.Locations, displayName(a.Location))
	}
	return b
}

func capabilities(t *arm.Type) string {
	var all []string
	if t.Tracked {
		all = append(all, "SupportsTags")
	}
	if t.Tracked && t.Name != arm.GroupType {
		all = append(all, "SupportsLocation")
	}
	if t.Scopes&arm.OnResource != 0 {
		all = append(all, "SupportsExtension")
	}
	if len(all) == 0 {
		return "None"
	}
	return strings.Join(all, ", ")
}
