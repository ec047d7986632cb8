package rights

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"lazuli/internal/arm"
)

// maxAssignments bounds what is assigned in one subscription, as Azure does.
const maxAssignments = 4000

type assignmentProvider struct {
	noneProvider // it has no PATCH
	Config
}

type assignmentBody struct {
	ID         string               `json:"id,omitempty" arm:"readonly"`
	Name       string               `json:"name,omitempty" arm:"readonly"`
	Type       string               `json:"type,omitempty" arm:"readonly"`
	Properties assignmentProperties `json:"properties"`
}

type assignmentProperties struct {
	RoleDefinitionID string     `json:"roleDefinitionId"`
	PrincipalID      string     `json:"principalId"`
	PrincipalType    string     `json:"principalType"`
	Scope            string     `json:"scope" arm:"readonly"`
	Description      string     `json:"description,omitempty"`
	Condition        string     `json:"condition,omitempty"`
	ConditionVersion string     `json:"conditionVersion,omitempty"`
	CreatedOn        *time.Time `json:"createdOn,omitempty" arm:"readonly"`
	UpdatedOn        *time.Time `json:"updatedOn,omitempty" arm:"readonly"`
	CreatedBy        string     `json:"createdBy,omitempty" arm:"readonly"`
	UpdatedBy        string     `json:"updatedBy,omitempty" arm:"readonly"`
}

// show is a as it is shown to who asks at a scope in the subscription of at.
func showAssignment(at arm.ID, a *Assignment) assignmentBody {
	own, _ := parseScope(a.At) // it was read before it was kept
	if own.Subscription != "" {
		at = own
	}
	return assignmentBody{
		ID:   strings.TrimSuffix(a.At, "/") + "/providers/" + AssignmentType + "/" + a.Name,
		Name: a.Name, Type: AssignmentType,
		Properties: assignmentProperties{
			RoleDefinitionID: roleID(at, a.RoleID), PrincipalID: a.PrincipalID, PrincipalType: a.PrincipalType, Scope: a.At,
			Description: a.Description, CreatedOn: &a.CreatedAt, UpdatedOn: &a.UpdatedAt, CreatedBy: a.CreatedBy, UpdatedBy: a.UpdatedBy,
		},
	}
}

func (p assignmentProvider) Get(ctx context.Context, c *arm.Call) (arm.Result, error) {
	a, err := findAssignment(ctx, c.Reader(), ScopeOf(c.ID.Base()), c.ID.Name())
	if err != nil || a == nil {
		return arm.Result{}, cmpErr(err, noAssignment(c.ID.Name()))
	}
	return arm.Result{Body: showAssignment(c.ID, a)}, nil
}

func noAssignment(name string) error {
	return arm.StatusError(404, "RoleAssignmentNotFound", "The role assignment '%s' is not found.", name)
}

// List lists what is assigned at the scope, above it and in it.
func (p assignmentProvider) List(_ context.Context, c *arm.Call, at arm.ID, after string, limit int) ([]any, string, error) {
	f, err := parseFilter(c.Query.Get("$filter"), "atScope() assignedTo()", "principalId ")
	if err != nil {
		return nil, "", err
	}
	of, byPrincipal := f.equal["principalid"]
	if to, ok := f.called["assignedto"]; ok {
		of, byPrincipal = to, true // there are no groups that one is assigned to through
	}
	scope := ScopeOf(at)
	all := p.Rights.x.assignments(func(a *Assignment) bool {
		own := a.Scope()
		return (own.covers(scope) || !f.calls("atscope") && scope.covers(own)) && (!byPrincipal || strings.EqualFold(of, a.PrincipalID))
	})
	some, next := page(all, (*Assignment).key, after, limit)
	out := make([]any, len(some))
	for i, a := range some {
		out[i] = showAssignment(at, a)
	}
	return out, next, nil
}

func (p assignmentProvider) Put(ctx context.Context, c *arm.Call, body []byte) (arm.Result, error) {
	var b assignmentBody
	if err := arm.Decode(body, &b); err != nil {
		return arm.Result{}, err
	}
	at := c.ID.Base()
	a := &Assignment{
		Name: strings.ToLower(c.ID.Name()), At: shownScope(at), Description: b.Properties.Description,
		CreatedAt: c.Now, CreatedBy: c.Principal.ObjectID, UpdatedAt: c.Now, UpdatedBy: c.Principal.ObjectID,
	}
	if err := p.read(ctx, c, a, &b.Properties); err != nil {
		return arm.Result{}, err
	}
	was, err := p.before(ctx, c, a)
	if err != nil {
		return arm.Result{}, err
	}
	if was != nil {
		a.CreatedAt, a.CreatedBy = was.CreatedAt, was.CreatedBy
	}
	return accountOf("requestbody", showAssignment(at, a), was == nil), putAssignment(c.Tx, a)
}

// read fills a with what the body asks for.
func (p assignmentProvider) read(ctx context.Context, c *arm.Call, a *Assignment, b *assignmentProperties) error {
	if b.Condition != "" {
		return arm.Unsupported("properties.condition")
	}
	if len(b.Description) > 1024 {
		return arm.InvalidParameter("properties.description", "The description is longer than 1024 characters.")
	}
	role := p.role(b.RoleDefinitionID)
	if role == nil {
		return arm.BadRequest("RoleDefinitionDoesNotExist", "The specified role definition with ID '%.200s' does not exist.", b.RoleDefinitionID).At("properties.roleDefinitionId")
	}
	if !role.assignable(a.Scope()) {
		return arm.BadRequest("RoleDefinitionScopeInvalid", "The role '%s' cannot be assigned at '%s': its assignable scopes are '%s'.", role.Name, a.At, strings.Join(role.Scopes, "', '")).At("properties.roleDefinitionId")
	}
	// A custom role's deletion that runs meanwhile must be seen.
	if !role.builtIn {
		if kept, err := find[Role](ctx, c.Tx, rolePrefix+role.ID); err != nil || kept == nil {
			return cmpErr(err, noRole(role.ID))
		}
	}
	a.RoleID = role.ID
	return p.readPrincipal(ctx, c, a, b)
}

// role finds a role by its ID in any form.
func (p assignmentProvider) role(id string) *Role {
	before, name, ok := cutLast(id, "/")
	if ok && !strings.HasSuffix(strings.ToLower(before), strings.ToLower("/providers/"+RoleType)) {
		return nil
	}
	return p.Rights.x.find(strings.ToLower(name))
}

func cutLast(s, sep string) (before, after string, ok bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return "", s, false
}

func (p assignmentProvider) readPrincipal(ctx context.Context, c *arm.Call, a *Assignment, b *assignmentProperties) error {
	a.PrincipalID = strings.ToLower(b.PrincipalID)
	if !guidPattern.MatchString(a.PrincipalID) {
		return arm.BadRequest("InvalidPrincipalId", "A valid principal ID must be provided for role assignment: '%.100s' is not a GUID.", b.PrincipalID).At("properties.principalId")
	}
	kind, err := p.Principal(ctx, c.Tx, a.PrincipalID)
	if err != nil {
		return err
	}
	if kind == "" {
		return arm.BadRequest("PrincipalNotFound", "Principal %s does not exist in the directory %s. Check that you have the correct principal ID.", a.PrincipalID, c.Principal.TenantID).At("properties.principalId")
	}
	if b.PrincipalType != "" && !strings.EqualFold(b.PrincipalType, kind) {
		return arm.BadRequest("UnmatchedPrincipalType", "The PrincipalId '%s' has type '%s', which is different from specified PrincipalType '%.40s'.", a.PrincipalID, kind, b.PrincipalType).At("properties.principalType")
	}
	a.PrincipalType = kind
	return nil
}

// before is the assignment of the name as it was, of which only the description
// may change; nil for a new one, which must not say what another says.
func (p assignmentProvider) before(ctx context.Context, c *arm.Call, a *Assignment) (*Assignment, error) {
	at, err := c.Tx.Get(ctx, namePrefix+a.Name)
	if err == nil {
		was, err := findAssignment(ctx, c.Tx, Scope(at.Value), a.Name)
		if err == nil && (was == nil || was.Scope() != a.Scope() || was.RoleID != a.RoleID || was.PrincipalID != a.PrincipalID) {
			err = arm.Conflict("RoleAssignmentUpdateNotPermitted", "Tenant ID, application ID, principal ID, and scope are not allowed to be updated. The name '%s' is that of another role assignment: choose a new one.", a.Name)
		}
		return was, err
	}
	others, err := assignmentsAt(ctx, c.Tx, a.Scope())
	if err != nil {
		return nil, err
	}
	if i := slices.IndexFunc(others, func(o *Assignment) bool { return o.RoleID == a.RoleID && o.PrincipalID == a.PrincipalID }); i >= 0 {
		return nil, arm.Conflict("RoleAssignmentExists", "The role assignment already exists. The ID of the existing role assignment is %s.", strings.ReplaceAll(others[i].Name, "-", ""))
	}
	in := ScopeOf(arm.ID{Subscription: c.ID.Subscription})
	if n := len(p.Rights.x.assignments(func(o *Assignment) bool { return in.covers(o.Scope()) })); in != "" && n >= maxAssignments {
		return nil, arm.BadRequest("RoleAssignmentLimitExceeded", "No more role assignments can be created: there are %d in the subscription. Delete some that are not needed.", n)
	}
	return nil, nil
}

func (p assignmentProvider) Delete(ctx context.Context, c *arm.Call) (arm.Result, error) {
	a, err := findAssignment(ctx, c.Tx, ScopeOf(c.ID.Base()), c.ID.Name())
	if err != nil || a == nil {
		return arm.Result{}, cmpErr(err, noAssignment(c.ID.Name()))
	}
	if a.At == "/" && a.RoleID == OwnerID {
		if err := checkNotLast(ctx, c.Tx, a.Name, ""); err != nil {
			return arm.Result{}, err
		}
	}
	dropAssignment(c.Tx, a)
	return accountOf("responseBody", showAssignment(c.ID, a), false), nil
}

// accountOf is the answer with the assignment, which is told of in the activity
// log under the name where clients look for it.
func accountOf(name string, b assignmentBody, created bool) arm.Result {
	r := arm.Result{Body: b, Created: created}
	if text, err := json.Marshal(b); err == nil {
		r.Account = map[string]string{name: string(text)}
	}
	return r
}
