package rights

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"lazuli/internal/arm"
	"lazuli/internal/store"
)

// maxRoles bounds the custom roles of the cloud, as Azure does those of a
// directory.
const maxRoles = 5000

type roleProvider struct {
	noneProvider // it has no PATCH
	Config
}

type roleBody struct {
	ID         string         `json:"id,omitempty" arm:"readonly"`
	Name       string         `json:"name,omitempty" arm:"readonly"`
	Type       string         `json:"type,omitempty" arm:"readonly"`
	Properties roleProperties `json:"properties"`
}

type roleProperties struct {
	RoleName         string           `json:"roleName"`
	Type             string           `json:"type"`
	Description      string           `json:"description"`
	AssignableScopes []string         `json:"assignableScopes"`
	Permissions      []permissionBody `json:"permissions"`
	CreatedOn        *time.Time       `json:"createdOn,omitempty" arm:"readonly"`
	UpdatedOn        *time.Time       `json:"updatedOn,omitempty" arm:"readonly"`
	CreatedBy        string           `json:"createdBy,omitempty" arm:"readonly"`
	UpdatedBy        string           `json:"updatedBy,omitempty" arm:"readonly"`
}

type permissionBody struct {
	Actions        []string `json:"actions"`
	NotActions     []string `json:"notActions"`
	DataActions    []string `json:"dataActions"`
	NotDataActions []string `json:"notDataActions"`
}

// roleID is the ID of a role as it is shown at a scope.
func roleID(at arm.ID, id string) string {
	s := "/providers/" + RoleType + "/" + id
	if at.Subscription != "" {
		return arm.ID{Subscription: at.Subscription}.String() + s
	}
	return s
}

func showRole(at arm.ID, r *Role) roleBody {
	p := roleProperties{
		RoleName: r.Name, Type: "CustomRole", Description: r.Description, AssignableScopes: r.Scopes,
		CreatedBy: r.CreatedBy, UpdatedBy: r.UpdatedBy,
	}
	if r.builtIn {
		p.Type, p.AssignableScopes = "BuiltInRole", []string{"/"}
	} else {
		p.CreatedOn, p.UpdatedOn = &r.CreatedAt, &r.UpdatedAt
	}
	for _, x := range r.Permissions {
		p.Permissions = append(p.Permissions, showPermission(x))
	}
	return roleBody{ID: roleID(at, r.ID), Name: r.ID, Type: RoleType, Properties: p}
}

func showPermission(p Permission) permissionBody {
	b := permissionBody(p)
	for _, list := range []*[]string{&b.Actions, &b.NotActions, &b.DataActions, &b.NotDataActions} {
		if *list == nil {
			*list = []string{}
		}
	}
	return b
}

// shows says whether a role can be assigned at the scope, or in it.
func (r *Role) shows(at Scope) bool {
	return r.builtIn || slices.ContainsFunc(r.Scopes, func(s string) bool {
		own := scopeOfText(s)
		return own.covers(at) || at.covers(own)
	})
}

// assignable says whether a role can be assigned at the scope.
func (r *Role) assignable(at Scope) bool {
	return r.builtIn || slices.ContainsFunc(r.Scopes, func(s string) bool { return scopeOfText(s).covers(at) })
}

func scopeOfText(s string) Scope { return (&Assignment{At: s}).Scope() }

func (p roleProvider) Get(ctx context.Context, c *arm.Call) (arm.Result, error) {
	id := strings.ToLower(c.ID.Name())
	r := p.Rights.x.find(id)
	if r == nil || !r.shows(ScopeOf(c.ID.Base())) {
		return arm.Result{}, noRole(c.ID.Name())
	}
	return arm.Result{Body: showRole(c.ID, r)}, nil
}

func noRole(id string) error {
	return arm.StatusError(404, "RoleDefinitionDoesNotExist", "The specified role definition with ID '%s' does not exist.", id)
}

func (p roleProvider) List(_ context.Context, c *arm.Call, at arm.ID, after string, limit int) ([]any, string, error) {
	f, err := parseFilter(c.Query.Get("$filter"), "atScope() atScopeAndBelow()", "roleName type ")
	if err != nil {
		return nil, "", err
	}
	all := slices.Concat(builtInRoles, p.Rights.x.customRoles())
	all = slices.DeleteFunc(all, func(r *Role) bool { return !r.shows(ScopeOf(at)) || !f.takesRole(r, ScopeOf(at)) })
	slices.SortFunc(all, func(a, b *Role) int { return strings.Compare(a.ID, b.ID) })
	some, next := page(all, func(r *Role) string { return r.ID }, after, limit)
	out := make([]any, len(some))
	for i, r := range some {
		out[i] = showRole(at, r)
	}
	return out, next, nil
}

func (f filter) takesRole(r *Role, at Scope) bool {
	if name, ok := f.equal["rolename"]; ok && !strings.EqualFold(name, r.Name) {
		return false
	}
	if typ, ok := f.equal["type"]; ok && r.builtIn != strings.EqualFold(typ, "BuiltInRole") {
		return false
	}
	return !f.calls("atscope") || r.assignable(at)
}

func (p roleProvider) Put(ctx context.Context, c *arm.Call, body []byte) (arm.Result, error) {
	var b roleBody
	if err := arm.Decode(body, &b); err != nil {
		return arm.Result{}, err
	}
	id := strings.ToLower(c.ID.Name())
	if builtIn[id] != nil || strings.EqualFold(b.Properties.Type, "BuiltInRole") {
		return arm.Result{}, arm.BadRequest("CannotUpdateBuiltInRole", "The role '%s' is built in and cannot be changed. Make a custom role.", c.ID.Name())
	}
	was, err := find[Role](ctx, c.Tx, rolePrefix+id)
	if err != nil {
		return arm.Result{}, err
	}
	r := &Role{ID: id, CreatedAt: c.Now, CreatedBy: c.Principal.ObjectID}
	if was != nil {
		r.CreatedAt, r.CreatedBy = was.CreatedAt, was.CreatedBy
	}
	r.UpdatedAt, r.UpdatedBy = c.Now, c.Principal.ObjectID
	if err := r.apply(ctx, c, was, &b.Properties); err != nil {
		return arm.Result{}, err
	}
	if err := p.checkOthers(ctx, c, r, was == nil); err != nil {
		return arm.Result{}, err
	}
	return arm.Result{Body: showRole(c.ID, r), Created: was == nil}, putRole(c.Tx, r)
}

// apply makes the role what the body asks for.
func (r *Role) apply(ctx context.Context, c *arm.Call, was *Role, p *roleProperties) error {
	r.Name, r.Description = strings.TrimSpace(p.RoleName), p.Description
	if r.Name == "" || len(r.Name) > 512 {
		return arm.BadRequest("RoleDefinitionNameInvalid", "A role definition has a name of 1 to 512 characters: set roleName.").At("properties.roleName")
	}
	if len(r.Description) > 2048 {
		return arm.InvalidParameter("properties.description", "The description is longer than 2048 characters.")
	}
	if p.Type != "" && !strings.EqualFold(p.Type, "CustomRole") {
		return arm.InvalidParameter("properties.type", "The type '%s' of a role definition is not valid: it is 'CustomRole'.", p.Type)
	}
	if err := r.applyScopes(ctx, c, was, p.AssignableScopes); err != nil {
		return err
	}
	return r.applyPermissions(p.Permissions)
}

// maxScopes bounds what one role lists.
const maxScopes, maxActions = 2000, 2048

// applyScopes checks that the scopes exist, and that who calls has the right to
// make roles for each of them, before and after.
func (r *Role) applyScopes(ctx context.Context, c *arm.Call, was *Role, scopes []string) error {
	const target = "properties.assignableScopes"
	if len(scopes) == 0 || len(scopes) > maxScopes {
		return arm.BadRequest("MissingAssignableScopes", "A custom role needs 1 to %d assignable scopes.", maxScopes).At(target)
	}
	all := slices.Clone(scopes)
	if was != nil {
		all = append(all, was.Scopes...)
	}
	for i, s := range all {
		id, err := parseScope(strings.TrimSuffix(s, "/"))
		if err != nil || id.Namespace != "" || id.IsZero() {
			return arm.BadRequest("InvalidAssignableScopes", "The assignable scope '%.200s' is not valid: custom roles are for subscriptions and resource groups, like /subscriptions/<id>.", s).At(target)
		}
		if i < len(scopes) {
			r.Scopes = append(r.Scopes, id.String())
			if err := checkExists(ctx, c, id); err != nil {
				return err
			}
		}
		if !c.May(RoleType+"/write", id) {
			return arm.StatusError(403, "LinkedAuthorizationFailed", "The client '%s' with object id '%s' has permission to perform action '%s/write' on scope '%s'; however, it does not have permission to perform this on the assignable scope '%s'.",
				c.Principal.Client(), c.Principal.ObjectID, RoleType, c.ID, id).At(target)
		}
	}
	return nil
}

func checkExists(ctx context.Context, c *arm.Call, id arm.ID) error {
	sub, err := arm.FindSubscription(ctx, c.Tx, id.Subscription)
	if err == nil && sub != nil && id.ResourceGroup != "" {
		var group *arm.Meta
		if group, err = arm.FindGroup(ctx, c.Tx, id); group == nil {
			sub = nil
		}
	}
	if err != nil {
		return err
	}
	if sub == nil || !strings.EqualFold(sub.TenantID, c.Principal.TenantID) {
		return arm.BadRequest("InvalidAssignableScopes", "The assignable scope '%s' does not exist.", id).At("properties.assignableScopes")
	}
	return nil
}

func (r *Role) applyPermissions(ps []permissionBody) error {
	const target = "properties.permissions"
	if len(ps) == 0 {
		return arm.BadRequest("MissingPermissions", "A role definition needs permissions.").At(target)
	}
	n := 0
	for _, p := range ps {
		for _, list := range [][]string{p.Actions, p.NotActions, p.DataActions, p.NotDataActions} {
			for _, a := range list {
				if n++; n > maxActions || !actionPattern.MatchString(a) {
					return arm.BadRequest("InvalidActionOrNotAction", "'%.100s' does not match any of the actions supported by the providers. An action is like 'Microsoft.Compute/virtualMachines/read', with '*' for anything, and there are at most %d.", a, maxActions).At(target)
				}
			}
		}
		r.Permissions = append(r.Permissions, Permission(p))
	}
	return nil
}

// checkOthers holds the role's name to be its own.
func (p roleProvider) checkOthers(ctx context.Context, c *arm.Call, r *Role, isNew bool) error {
	others, err := list[Role](ctx, c.Tx, rolePrefix)
	if err != nil {
		return err
	}
	if isNew && len(others) >= maxRoles {
		return arm.BadRequest("RoleDefinitionLimitExceeded", "There are %d custom roles already. Delete some that are not needed.", len(others))
	}
	for _, o := range slices.Concat(others, builtInRoles) {
		if o.ID != r.ID && strings.EqualFold(o.Name, r.Name) {
			return arm.Conflict("RoleDefinitionWithSameNameExists", "A custom role with the same name '%s' already exists in this directory. Use a different name.", r.Name)
		}
	}
	return nil
}

func putRole(tx store.Tx, r *Role) error {
	b, err := json.Marshal(r)
	if err == nil {
		tx.Put(rolePrefix+r.ID, b)
	}
	return err
}

func (p roleProvider) Delete(ctx context.Context, c *arm.Call) (arm.Result, error) {
	id := strings.ToLower(c.ID.Name())
	if builtIn[id] != nil {
		return arm.Result{}, arm.BadRequest("CannotDeleteBuiltInRole", "The role '%s' is built in and cannot be deleted.", builtIn[id].Name)
	}
	r, err := find[Role](ctx, c.Tx, rolePrefix+id)
	if err != nil || r == nil {
		return arm.Result{}, cmpErr(err, noRole(id))
	}
	for _, s := range r.Scopes {
		at, err := parseScope(s)
		if err != nil {
			return arm.Result{}, err
		}
		if err := c.CheckMay(RoleType+"/delete", at); err != nil {
			return arm.Result{}, err
		}
	}
	used, err := list[Assignment](ctx, c.Tx, assignmentPrefix+"/")
	if err != nil {
		return arm.Result{}, err
	}
	if n := len(slices.DeleteFunc(used, func(a *Assignment) bool { return a.RoleID != id })); n > 0 {
		return arm.Result{}, arm.BadRequest("RoleDefinitionHasAssignments", "There are existing role assignments referencing role (code: RoleDefinitionHasAssignments): %d of them use '%s'. Delete them first.", n, r.Name)
	}
	c.Tx.Delete(rolePrefix + id)
	return arm.Result{Body: showRole(c.ID, r)}, nil
}

// cmpErr is the first of two errors that there is.
func cmpErr(a, b error) error {
	if a != nil {
		return a
	}
	return b
}
