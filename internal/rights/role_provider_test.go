package rights

import (
	"slices"
	"strings"
	"testing"

	"lazuli/internal/arm"
	"lazuli/internal/arm/armtest"
)

func custom(name string, scopes []string, actions ...string) object {
	return props("roleName", name, "type", "CustomRole", "assignableScopes", scopes, "permissions", []object{{"actions": actions, "notActions": []string{"*/delete"}, "dataActions": []string{"Microsoft.Storage/x/read"}}})
}

func roleAt(at arm.ID, name string) arm.ID { return at.Extension(RoleType, name) }

func TestPutRole(t *testing.T) {
	c := newCloud(t)
	in := []string{subID.String()}
	if _, err := c.put(admin, roleAt(subID, one), custom("Mine", in, "Microsoft.Compute/*")); err != nil {
		t.Fatal(err)
	}
	c.assign(two, group, one, alice)
	tests := map[string]struct {
		who, name string
		body      object
		code      string
	}{
		"again":            {admin, one, custom("Mine", in, "Microsoft.Compute/*"), ""},
		"second":           {admin, two, custom("Other", []string{group.String()}, "*"), ""},
		"same name":        {admin, three, custom("mine", in, "*"), "RoleDefinitionWithSameNameExists"},
		"name of built-in": {admin, three, custom("Owner", in, "*"), "RoleDefinitionWithSameNameExists"},
		"a built-in one":   {admin, OwnerID, custom("Theirs", in, "*"), "CannotUpdateBuiltInRole"},
		"as built-in":      {admin, three, props("roleName", "x", "type", "BuiltInRole"), "CannotUpdateBuiltInRole"},
		"other type":       {admin, three, props("roleName", "x", "type", "Other"), "InvalidParameter"},
		"no name":          {admin, three, custom(" ", in, "*"), "RoleDefinitionNameInvalid"},
		"long description": {admin, three, props("roleName", "x", "description", strings.Repeat("x", 3000)), "InvalidParameter"},
		"no scopes":        {admin, three, custom("x", nil, "*"), "MissingAssignableScopes"},
		"everywhere":       {admin, three, custom("x", []string{"/"}, "*"), "InvalidAssignableScopes"},
		"on a resource":    {admin, three, custom("x", []string{vm.String()}, "*"), "InvalidAssignableScopes"},
		"no such group":    {admin, three, custom("x", []string{arm.Group(sub, "h").String()}, "*"), "InvalidAssignableScopes"},
		"no such sub":      {admin, three, custom("x", []string{"/subscriptions/x"}, "*"), "InvalidAssignableScopes"},
		"no permissions":   {admin, three, props("roleName", "x", "assignableScopes", in), "MissingPermissions"},
		"bad action":       {admin, three, custom("x", in, "do it"), "InvalidActionOrNotAction"},
		"without right":    {alice, three, custom("x", in, "*"), "LinkedAuthorizationFailed"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := c.put(tt.who, roleAt(subID, tt.name), tt.body)
			armtest.WantError(t, err, tt.code)
		})
	}
	if !c.may(alice, writeVM, vm) || c.may(alice, deleteVM, vm) || c.may(alice, "Microsoft.Network/virtualNetworks/read", vm) {
		t.Error("the custom role does not give what it says")
	}
	if _, err := c.put(admin, roleAt(subID, one), custom("Mine", in, "Microsoft.Network/*")); err != nil || c.may(alice, writeVM, vm) {
		t.Errorf("a role that was changed is as before: %v", err)
	}
}

// Who may make roles in one scope cannot take one over that is assignable in
// another.
func TestRoleOfOthers(t *testing.T) {
	c := newCloud(t)
	if _, err := c.put(admin, roleAt(subID, one), custom("Mine", []string{subID.String()}, "*")); err != nil {
		t.Fatal(err)
	}
	c.assign(two, group, OwnerID, alice)
	_, err := c.put(alice, roleAt(group, one), custom("Mine", []string{group.String()}, "*"))
	armtest.WantError(t, err, "LinkedAuthorizationFailed")
	_, err = c.as(alice, roleAt(group, one), func(call *arm.Call) (arm.Result, error) { return c.types[RoleType].Delete(t.Context(), call) })
	armtest.WantError(t, err, "AuthorizationFailed")
}

func TestDeleteRole(t *testing.T) {
	c := newCloud(t)
	if _, err := c.put(admin, roleAt(subID, one), custom("Mine", []string{group.String()}, "*")); err != nil {
		t.Fatal(err)
	}
	_, err := c.put(admin, subID.Extension(AssignmentType, two), gives(one, alice))
	armtest.WantError(t, err, "RoleDefinitionScopeInvalid")
	c.assign(two, group, one, alice)
	_, err = c.delete(roleAt(subID, one))
	armtest.WantError(t, err, "RoleDefinitionHasAssignments")
	if _, err = c.delete(group.Extension(AssignmentType, two)); err != nil {
		t.Fatal(err)
	}
	res, err := c.delete(roleAt(subID, one))
	if err != nil || res.Body.(roleBody).Properties.RoleName != "Mine" {
		t.Errorf("Delete = %+v, %v, want what was deleted", res, err)
	}
	_, err = c.delete(roleAt(subID, one))
	armtest.WantError(t, err, "RoleDefinitionDoesNotExist")
	_, err = c.delete(roleAt(subID, ReaderID))
	armtest.WantError(t, err, "CannotDeleteBuiltInRole")
}

func TestListRoles(t *testing.T) {
	c := newCloud(t)
	if _, err := c.put(admin, roleAt(subID, one), custom("Mine", []string{group.String()}, "*")); err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, r := range builtInRoles {
		all = append(all, r.Name)
	}
	tests := map[string]struct {
		at     arm.ID
		filter string
		want   []string
	}{
		"all":            {subID, "", append(slices.Clone(all), "Mine")},
		"beside":         {arm.Group(sub, "h"), "", all},
		"at it":          {subID, "atScope()", all},
		"at the group":   {group, "atScope()", append(slices.Clone(all), "Mine")},
		"by name":        {group, "roleName eq 'reader'", []string{"Reader"}},
		"custom":         {subID, "atScopeAndBelow() and type eq 'CustomRole'", []string{"Mine"}},
		"built-in, name": {subID, "type eq 'BuiltInRole' and roleName eq 'Mine'", nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := c.list(RoleType, tt.at, tt.filter)
			slices.Sort(got)
			slices.Sort(tt.want)
			if err != nil || !slices.Equal(got, tt.want) {
				t.Errorf("list = %v, %v, want %v", got, err, tt.want)
			}
		})
	}
	get := func(at arm.ID, name string) (arm.Result, error) {
		return c.as(admin, roleAt(at, name), func(call *arm.Call) (arm.Result, error) { return c.types[RoleType].Get(t.Context(), call) })
	}
	res, err := get(group, OwnerID)
	if err != nil || res.Body.(roleBody).ID != subID.String()+"/providers/"+RoleType+"/"+OwnerID {
		t.Errorf("Get = %+v, %v", res, err)
	}
	_, err = get(arm.Group(sub, "h"), one)
	armtest.WantError(t, err, "RoleDefinitionDoesNotExist")
}
