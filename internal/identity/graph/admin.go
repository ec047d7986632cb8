package graph

import (
	"strings"

	"lazuli/internal/arm"
	"lazuli/internal/identity"
	"lazuli/internal/store"
)

// globalAdministrator is the id of the one directory role that there is; it is
// the same in all tenants of Entra.
const globalAdministrator = "62e90394-69f5-4237-9190-012177145e10"

// adminBody is that somebody administers the directory. There is one such for
// a principal, so its id is the principal's.
type adminBody struct {
	ID               string `json:"id"`
	PrincipalID      string `json:"principalId"`
	DirectoryScopeID string `json:"directoryScopeId"`
	RoleDefinitionID string `json:"roleDefinitionId"`
}

func showAdmin(p *identity.Principal) any {
	return adminBody{p.ObjectID, p.ObjectID, "/", globalAdministrator}
}

var admins = &kind{
	name: "roleManagement/directory/roleAssignments",
	has:  func(p *identity.Principal) bool { return p.Admin && p.ObjectID != "" },
	show: showAdmin,
	properties: map[string]func(*identity.Principal) []string{
		"principalid":      func(p *identity.Principal) []string { return []string{p.ObjectID} },
		"roledefinitionid": func(*identity.Principal) []string { return []string{globalAdministrator} },
	},
}

func (c *call) listAdmins() (any, error) { return c.list(admins) }

type adminInput struct {
	PrincipalID      string `json:"principalId"`
	DirectoryScopeID string `json:"directoryScopeId"`
	RoleDefinitionID string `json:"roleDefinitionId"`
}

func (c *call) createAdmin() (any, error) {
	var in adminInput
	if err := arm.Decode(c.body, &in); err != nil {
		return nil, err
	}
	if !strings.EqualFold(in.RoleDefinitionID, globalAdministrator) || in.DirectoryScopeID != "/" {
		return nil, badRequest("The one directory role of this cloud is Global Administrator, '%s', and its directoryScopeId is '/'.", globalAdministrator)
	}
	c.ids = []string{in.PrincipalID}
	var p *identity.Principal
	err := c.change(c.findPrincipal, func(found *identity.Principal) error {
		p, found.Admin = found, true
		return nil
	})
	if err != nil {
		return nil, err
	}
	return c.one("roleManagement/directory/roleAssignments", showAdmin(p))
}

func (c *call) deleteAdmin() (any, error) {
	return nil, c.change(c.findPrincipal, func(p *identity.Principal) error {
		if !p.Admin {
			return notFound(c.ids[0])
		}
		p.Admin = false
		return c.notSelf(p)
	})
}

// findPrincipal is the user or service principal with that object id.
func (c *call) findPrincipal(r store.Reader, id string) (*identity.Principal, error) {
	p, err := identity.FindObject(c.ctx, r, id)
	if err == nil && (p == nil || !strings.EqualFold(p.ObjectID, id)) {
		return nil, notFound(id)
	}
	return p, err
}
