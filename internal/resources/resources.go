package resources

import (
	"slices"
	"strings"

	"lazuli/internal/arm"
)

// Config is what the package's endpoints tell of.
type Config struct {
	// Location is the name of the cloud's one location.
	Location string
	// Types is the table of all other types.
	Types []arm.Type
}

// cloud answers for one Config.
type cloud struct{ Config }

// Types is the package's part of the table of types: resource groups and tags.
func Types(location string) []arm.Type { return []arm.Type{groupType(location), tagsType()} }

// Endpoints is everything of the package that is not a resource.
func Endpoints(c Config) []arm.Endpoint {
	a := cloud{c}
	return slices.Concat(a.endpoints(), a.providerEndpoints(), a.tagEndpoints(), aliasEndpoints())
}

func (a cloud) endpoints() []arm.Endpoint {
	return []arm.Endpoint{
		{Method: "GET", Path: "/tenants", Reach: arm.Anyone, Handle: a.tenants},
		{Method: "GET", Path: "/subscriptions", Reach: arm.Anyone, Handle: a.subscriptions},
		{Method: "GET", Path: "/subscriptions/{subscription}", Reach: arm.Anyone, Handle: a.subscription},
		{Method: "GET", Path: "/subscriptions/{subscription}/locations", Reach: arm.Anyone, Handle: a.locations},
		{Method: "GET", Path: "/subscriptions/{subscription}/resources", Reach: arm.Anyone, Filters: true, Handle: a.resources},
		{Method: "GET", Path: "/subscriptions/{subscription}/resourceGroups/{group}/resources", Reach: arm.Anyone, Filters: true, Handle: a.resources},
	}
}

func (a cloud) providerEndpoints() []arm.Endpoint {
	const one, feature = "/providers/{namespace}", "/providers/Microsoft.Features"
	const sub = "/subscriptions/{subscription}"
	return []arm.Endpoint{
		{Method: "GET", Path: "/providers", Reach: arm.Anyone, Handle: a.providers},
		{Method: "GET", Path: one, Reach: arm.Anyone, Handle: a.provider},
		{Method: "GET", Path: sub + "/providers", Reach: arm.Anyone, Handle: a.providers},
		{Method: "GET", Path: sub + one, Reach: arm.Anyone, Handle: a.provider},
		{Method: "GET", Path: sub + one + "/resourceTypes", Reach: arm.Anyone, Handle: a.resourceTypes},
		{Method: "POST", Path: sub + one + "/register", Handle: a.provider},
		{Method: "POST", Path: sub + one + "/unregister", Handle: a.unregister},
		{Method: "POST", Path: sub + "/providers/Microsoft.Resources/checkZonePeers", Handle: refuseZonePeers},
		{Method: "GET", Path: sub + feature + "/features", Reach: arm.Anyone, Handle: noFeatures},
		{Method: "GET", Path: sub + feature + one + "/features", Reach: arm.Anyone, Handle: noFeatures},
		{Method: "GET", Path: sub + feature + one + "/features/{feature}", Reach: arm.Anyone, Handle: noFeature},
	}
}

func (a cloud) tagEndpoints() []arm.Endpoint {
	const names = "/subscriptions/{subscription}/tagNames"
	const name, value = names + "/{name}", names + "/{name}/tagValues/{value}"
	return []arm.Endpoint{
		{Method: "GET", Path: names, Reach: arm.WithinScope, Handle: a.tagNames},
		{Method: "PUT", Path: name, Handle: a.putTagName},
		{Method: "DELETE", Path: name, Handle: a.deleteTagName},
		{Method: "PUT", Path: value, Handle: a.putTagValue},
		{Method: "DELETE", Path: value, Handle: a.deleteTagValue},
	}
}

// topLevel are the types of the table whose resources lie in a group directly,
// or on what does.
func topLevel(types []arm.Type) []arm.Type {
	var top []arm.Type
	for _, t := range types {
		if strings.Count(t.Name, "/") == 1 && (t.Scopes == 0 || t.Scopes&arm.InGroup != 0) {
			top = append(top, t)
		}
	}
	return top
}

// displayName is a location's name as people read it: "local" is "Local".
func displayName(location string) string {
	if location == "" {
		return ""
	}
	return strings.ToUpper(location[:1]) + location[1:]
}
