package resources

import (
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

// Types is the package's part of the table of types: resource groups.
func Types(location string) []arm.Type { return []arm.Type{groupType(location)} }

// Endpoints is everything of the package that is not a resource.
func Endpoints(c Config) []arm.Endpoint {
	a := cloud{c}
	return append(aliasEndpoints(), []arm.Endpoint{
		{Method: "GET", Path: "/tenants", Reach: arm.Anyone, Handle: a.tenants},
		{Method: "GET", Path: "/subscriptions", Reach: arm.Anyone, Handle: a.subscriptions},
		{Method: "GET", Path: "/subscriptions/{subscription}", Reach: arm.Anyone, Handle: a.subscription},
		{Method: "GET", Path: "/subscriptions/{subscription}/locations", Reach: arm.Anyone, Handle: a.locations},
		{Method: "GET", Path: "/subscriptions/{subscription}/resources", Reach: arm.Anyone, Filters: true, Handle: a.resources},
		{Method: "GET", Path: "/subscriptions/{subscription}/resourceGroups/{group}/resources", Reach: arm.Anyone, Filters: true, Handle: a.resources},
		{Method: "GET", Path: "/subscriptions/{subscription}/providers", Reach: arm.Anyone, Handle: a.providers},
		{Method: "GET", Path: "/subscriptions/{subscription}/providers/{namespace}", Reach: arm.Anyone, Handle: a.provider},
		{Method: "POST", Path: "/subscriptions/{subscription}/providers/{namespace}/register", Handle: a.provider},
	}...)
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
