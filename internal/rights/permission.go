package rights

import (
	"context"
	"strings"

	"lazuli/internal/arm"
)

// permissionProvider lists what who asks may do at a scope.
type permissionProvider struct {
	noneProvider
	Config
}

func (p permissionProvider) List(_ context.Context, c *arm.Call, at arm.ID, _ string, _ int) ([]any, string, error) {
	if _, err := parseFilter(c.Query.Get("$filter"), "", ""); err != nil {
		return nil, "", err
	}
	return anything(p.Rights.x.permissions(strings.ToLower(c.Principal.ObjectID), ScopeOf(at))), "", nil
}

// permissions are those of all roles that the principal has at the scope.
func (x *index) permissions(principal string, at Scope) []permissionBody {
	x.mu.RLock()
	defer x.mu.RUnlock()
	var out []permissionBody
	seen := map[string]bool{}
	for s := range at.up() {
		for _, a := range x.of[principal][s] {
			r := x.role(a.RoleID)
			if r == nil || seen[r.ID] {
				continue
			}
			seen[r.ID] = true
			for _, p := range r.Permissions {
				out = append(out, showPermission(p))
			}
		}
	}
	return out
}
