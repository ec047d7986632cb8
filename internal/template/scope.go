package template

import (
	"strings"
)

// Scope is where a deployment or a resource is. The zero Scope is the tenant.
type Scope struct {
	ManagementGroup string
	Subscription    string
	ResourceGroup   string // in the subscription
}

// ID is the scope's resource id; that of the tenant is empty.
func (s Scope) ID() string {
	switch {
	case s.ResourceGroup != "":
		return "/subscriptions/" + s.Subscription + "/resourceGroups/" + s.ResourceGroup
	case s.Subscription != "":
		return "/subscriptions/" + s.Subscription
	case s.ManagementGroup != "":
		return "/providers/Microsoft.Management/managementGroups/" + s.ManagementGroup
	}
	return ""
}

// subscription is the scope without its resource group.
func (s Scope) subscription() Scope { return Scope{Subscription: s.Subscription} }

const groupType = "Microsoft.Resources/resourceGroups"

// ResourceID is the id of a resource of a type, "Namespace/type/type", with a
// name for each type. The scope is an id.
func ResourceID(scope, resourceType string, names []string) string {
	if strings.EqualFold(resourceType, groupType) && len(names) == 1 && isSubscription(scope) {
		return scope + "/resourceGroups/" + names[0]
	}
	namespace, types, _ := strings.Cut(resourceType, "/")
	var id strings.Builder
	id.WriteString(scope)
	id.WriteString("/providers/")
	id.WriteString(namespace)
	for i, t := range strings.Split(types, "/") {
		id.WriteString("/" + t)
		if i < len(names) {
			id.WriteString("/" + names[i])
		}
	}
	return id.String()
}

func isSubscription(id string) bool {
	rest, ok := strings.CutPrefix(id, "/subscriptions/")
	return ok && rest != "" && !strings.Contains(rest, "/")
}

// scopeOf reads the scope property of a resource or of a nested deployment: an
// id, "/" for the tenant, or an id from below the deployment's scope.
func scopeOf(s string, deployment Scope) string {
	switch {
	case s == "/":
		return ""
	case strings.HasPrefix(s, "/"):
		return strings.TrimSuffix(s, "/")
	case len(s) > len(managementType) && strings.EqualFold(s[:len(managementType)], managementType):
		return "/providers/" + s // the tenant's, whatever the deployment's scope
	}
	names, types := alternate(s)
	return ResourceID(deployment.ID(), types, names)
}

const managementType = "Microsoft.Management/managementGroups/"

// alternate takes "Namespace/type/name/type/name" apart.
func alternate(s string) (names []string, resourceType string) {
	parts := strings.Split(s, "/")
	resourceType = parts[0]
	for i, p := range parts[1:] {
		if i%2 == 0 {
			resourceType += "/" + p
		} else {
			names = append(names, p)
		}
	}
	return names, resourceType
}

// parseScope is the Scope of an id that is one.
func parseScope(id string) (Scope, bool) {
	parts := strings.Split(strings.Trim(id, "/"), "/")
	is := func(i int, word string) bool { return strings.EqualFold(parts[i], word) }
	switch {
	case id == "":
		return Scope{}, true
	case len(parts) == 2 && is(0, "subscriptions"):
		return Scope{Subscription: parts[1]}, true
	case len(parts) == 4 && is(0, "subscriptions") && is(2, "resourceGroups"):
		return Scope{Subscription: parts[1], ResourceGroup: parts[3]}, true
	case len(parts) == 4 && is(0, "providers") && is(1, "Microsoft.Management") && is(2, "managementGroups"):
		return Scope{ManagementGroup: parts[3]}, true
	}
	return Scope{}, false
}
