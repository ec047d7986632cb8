package rights

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"lazuli/internal/arm"
	"lazuli/internal/arm/armtest"
	"lazuli/internal/store"
)

func props(kv ...any) object {
	p := object{}
	for i := 0; i < len(kv); i += 2 {
		p[kv[i].(string)] = kv[i+1]
	}
	return object{"properties": p}
}

func TestPutAssignment(t *testing.T) {
	c := newCloud(t)
	roleOf := func(id string) string { return "/providers/" + RoleType + "/" + id }
	c.assign(one, group, ReaderID, alice)
	tests := map[string]struct {
		at   arm.ID
		name string
		body object
		code string
	}{
		"the same again":     {group, one, gives(ReaderID, alice), ""},
		"the same, in upper": {group, strings.ToUpper(one), gives(strings.ToUpper(ReaderID), strings.ToUpper(alice)), ""},
		"a name alone":       {group, two, props("roleDefinitionId", ContributorID, "principalId", alice), ""},
		"with its type":      {vm, three, props("roleDefinitionId", roleOf(ReaderID), "principalId", alice, "principalType", "user", "description", "d"), ""},
		"as another":         {group, three[:35] + "9", gives(ReaderID, alice), "RoleAssignmentExists"},
		"name of another":    {subID, one, gives(ReaderID, alice), "RoleAssignmentUpdateNotPermitted"},
		"other role":         {group, one, gives(ContributorID, alice), "RoleAssignmentUpdateNotPermitted"},
		"other principal":    {group, one, gives(ReaderID, bob), "RoleAssignmentUpdateNotPermitted"},
		"to nobody":          {group, two, gives(ReaderID, two), "PrincipalNotFound"},
		"to no GUID":         {group, two, gives(ReaderID, "alice"), "InvalidPrincipalId"},
		"to another type":    {group, two, props("roleDefinitionId", ReaderID, "principalId", alice, "principalType", "ServicePrincipal"), "UnmatchedPrincipalType"},
		"unknown role":       {group, two, gives(two, alice), "RoleDefinitionDoesNotExist"},
		"no role":            {group, two, props("principalId", alice), "RoleDefinitionDoesNotExist"},
		"another type's id":  {group, two, props("roleDefinitionId", "/providers/Microsoft.Authorization/locks/"+ReaderID, "principalId", alice), "RoleDefinitionDoesNotExist"},
		"condition":          {group, two, props("roleDefinitionId", ReaderID, "principalId", alice, "condition", "x"), "UnsupportedProperty"},
		"long description":   {group, two, props("roleDefinitionId", ReaderID, "principalId", alice, "description", strings.Repeat("x", 2000)), "InvalidParameter"},
		"unknown property":   {group, two, props("roleDefinitionId", ReaderID, "principalId", alice, "nonsense", 1), "UnsupportedProperty"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := c.put(admin, tt.at.Extension(AssignmentType, tt.name), tt.body)
			armtest.WantError(t, err, tt.code)
		})
	}
}

func TestGetAndDeleteAssignment(t *testing.T) {
	c := newCloud(t)
	c.assign(one, vm, ReaderID, alice)
	id := vm.Extension(AssignmentType, strings.ToUpper(one))
	res, err := c.as(admin, id, func(call *arm.Call) (arm.Result, error) { return c.types[AssignmentType].Get(t.Context(), call) })
	if err != nil {
		t.Fatal(err)
	}
	b := res.Body.(assignmentBody)
	if b.ID != vm.Extension(AssignmentType, one).String() || b.Properties.Scope != vm.String() || b.Properties.PrincipalType != arm.KindUser ||
		b.Properties.RoleDefinitionID != subID.String()+"/providers/"+RoleType+"/"+ReaderID || b.Properties.CreatedBy != admin {
		t.Errorf("Get = %+v", b)
	}
	if res, err = c.delete(id); err != nil || res.Body.(assignmentBody).Name != one {
		t.Errorf("Delete = %+v, %v, want what was deleted", res, err)
	}
	_, err = c.delete(id)
	armtest.WantError(t, err, "RoleAssignmentNotFound")
	_, err = c.delete(arm.ID{}.Resource(AssignmentType, "root"))
	armtest.WantError(t, err, "CannotDeleteLastRbacAdminAssignment")
}

func TestListAssignments(t *testing.T) {
	c := newCloud(t)
	c.assign(one, subID, ReaderID, alice)
	c.assign(two, group, ReaderID, bob)
	c.assign(three, vm, ContributorID, alice)
	tests := map[string]struct {
		at     arm.ID
		filter string
		want   []string
	}{
		"cloud":        {arm.ID{}, "", []string{"root", one, two, three}},
		"subscription": {subID, "", []string{"root", one, two, three}},
		"at it":        {subID, "atScope()", []string{"root", one}},
		"group":        {group, "atScope()", []string{"root", one, two}},
		"machine":      {vm, "", []string{"root", one, two, three}},
		"beside":       {other, "", []string{"root", one}},
		"of alice":     {subID, "principalId eq '" + alice + "'", []string{one, three}},
		"to alice":     {group, "atScope() and assignedTo('" + strings.ToUpper(alice) + "')", []string{one}},
		"of nobody":    {subID, "principalId eq ''", nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := c.list(AssignmentType, tt.at, tt.filter)
			slices.Sort(got)
			slices.Sort(tt.want)
			if err != nil || !slices.Equal(got, tt.want) {
				t.Errorf("list = %v, %v, want %v", got, err, tt.want)
			}
		})
	}
	_, err := c.list(AssignmentType, subID, "x eq 'y'")
	armtest.WantError(t, err, "UnsupportedQuery")
}

func TestTooManyAssignments(t *testing.T) {
	c := newCloud(t)
	c.update(func(tx store.Tx) (err error) {
		for i := range maxAssignments {
			a := &Assignment{Name: strings.Repeat("x", 4) + string(rune(0x4e00+i)), At: subID.String(), RoleID: ReaderID, PrincipalID: bob}
			err = errors.Join(err, putAssignment(tx, a))
		}
		return err
	})
	_, err := c.put(admin, group.Extension(AssignmentType, one), gives(ReaderID, alice))
	armtest.WantError(t, err, "RoleAssignmentLimitExceeded")
}
