package api_test

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/authorization/armauthorization/v3"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armlocks"
)

// Locks are put on a subscription, a group, a resource and any of them by its
// id, and are the same ones whichever way they are asked for.
func TestLocks(t *testing.T) {
	s := newCloud(t).furnished().sdk()
	ctx, locks := t.Context(), s.locks.NewManagementLocksClient()
	lock := armlocks.ManagementLockObject{Properties: &armlocks.ManagementLockProperties{Level: ptr(armlocks.LockLevelCanNotDelete), Notes: ptr("keep it")}}
	const namespace, kind = "Microsoft.Network", "virtualNetworks"
	net := s.cloud.network("virtualNetworks/net")

	must(locks.CreateOrUpdateAtSubscriptionLevel(ctx, "sub", lock, nil))(t)
	must(locks.CreateOrUpdateAtResourceGroupLevel(ctx, "rg", "group", lock, nil))(t)
	must(locks.CreateOrUpdateAtResourceLevel(ctx, "rg", namespace, "", kind, "net", "res", lock, nil))(t)
	must(locks.CreateOrUpdateByScope(ctx, net, "byscope", lock, nil))(t)
	for name, notes := range map[string]*string{
		"of the subscription": must(locks.GetAtSubscriptionLevel(ctx, "sub", nil))(t).Properties.Notes,
		"of the group":        must(locks.GetAtResourceGroupLevel(ctx, "rg", "group", nil))(t).Properties.Notes,
		"of the resource":     must(locks.GetAtResourceLevel(ctx, "rg", namespace, "", kind, "net", "byscope", nil))(t).Properties.Notes,
		"by its scope":        must(locks.GetByScope(ctx, net, "res", nil))(t).Properties.Notes,
	} {
		if *notes != "keep it" {
			t.Errorf("the lock %s has the notes %q", name, *notes)
		}
	}
	// At a scope there are those that are on it, or on what it lies in.
	wantListed(t, 4, map[string]int{
		"at the subscription": listed(t, locks.NewListAtSubscriptionLevelPager(nil)),
		"at the resource":     listed(t, locks.NewListAtResourceLevelPager("rg", namespace, "", kind, "net", &armlocks.ManagementLocksClientListAtResourceLevelOptions{Filter: ptr("atScope()")})),
		"by its scope":        listed(t, locks.NewListByScopePager(net, &armlocks.ManagementLocksClientListByScopeOptions{Filter: ptr("atScope()")})),
	})
	wantListed(t, 2, map[string]int{"at the group": listed(t, locks.NewListAtResourceGroupLevelPager("rg", &armlocks.ManagementLocksClientListAtResourceGroupLevelOptions{Filter: ptr("atScope()")}))})
	s.refused(409, "ScopeLocked", "DELETE", net, "")

	must(locks.DeleteByScope(ctx, net, "byscope", nil))(t)
	must(locks.DeleteAtResourceLevel(ctx, "rg", namespace, "", kind, "net", "res", nil))(t)
	must(locks.DeleteAtResourceGroupLevel(ctx, "rg", "group", nil))(t)
	must(locks.DeleteAtSubscriptionLevel(ctx, "sub", nil))(t)
	s.empty()
}

// Roles are made, given, found by every list, and taken back.
func TestRoles(t *testing.T) {
	s := newCloud(t).furnished().sdk()
	ctx, roles, given := t.Context(), s.authorization.NewRoleDefinitionsClient(), s.authorization.NewRoleAssignmentsClient()
	const guid, other = "11111111-2222-3333-4444-555555555555", "11111111-2222-3333-4444-666666666666"
	me := s.objectID()
	scope, net := s.subscription(""), s.cloud.network("virtualNetworks/net")
	made := must(roles.CreateOrUpdate(ctx, scope, guid, armauthorization.RoleDefinition{Properties: &armauthorization.RoleDefinitionProperties{
		RoleName: ptr("Starter"), RoleType: ptr("CustomRole"), AssignableScopes: []*string{&scope},
		Permissions: []*armauthorization.Permission{{Actions: []*string{ptr("Microsoft.Compute/virtualMachines/start/action")}}},
	}}, nil))(t)
	for what, got := range map[string]*string{
		"by its name": must(roles.Get(ctx, scope, guid, nil))(t).Properties.RoleName,
		"by its id":   must(roles.GetByID(ctx, *made.ID, nil))(t).Properties.RoleName,
	} {
		if *got != "Starter" {
			t.Errorf("%s the role is %s", what, *got)
		}
	}
	wantListed(t, 1, map[string]int{"roles of the name": listed(t, roles.NewListPager(scope, &armauthorization.RoleDefinitionsClientListOptions{Filter: ptr("roleName eq 'Starter'")}))})

	assignment := armauthorization.RoleAssignmentCreateParameters{Properties: &armauthorization.RoleAssignmentProperties{
		RoleDefinitionID: made.ID, PrincipalID: ptr(me), PrincipalType: ptr(armauthorization.PrincipalTypeServicePrincipal),
	}}
	must(given.Create(ctx, net, guid, assignment, nil))(t)
	id := s.group("rg") + "/providers/Microsoft.Authorization/roleAssignments/" + other
	must(given.CreateByID(ctx, id, assignment, nil))(t)
	for what, got := range map[string]*string{
		"by its name": must(given.Get(ctx, net, guid, nil))(t).Properties.PrincipalID,
		"by its id":   must(given.GetByID(ctx, id, nil))(t).Properties.PrincipalID,
	} {
		if *got != me {
			t.Errorf("%s the role is given to %s", what, *got)
		}
	}
	// This client takes filters as they are to be in the request.
	whose := ptr(url.PathEscape("principalId eq '" + me + "'"))
	wantListed(t, 3, map[string]int{ // with the role that the administrator has everywhere
		"in the subscription": listed(t, given.NewListForSubscriptionPager(&armauthorization.RoleAssignmentsClientListForSubscriptionOptions{Filter: whose})),
		"in the group":        listed(t, given.NewListForResourceGroupPager("rg", &armauthorization.RoleAssignmentsClientListForResourceGroupOptions{Filter: whose})),
		"on the network":      listed(t, given.NewListForResourcePager("rg", "Microsoft.Network", "virtualNetworks", "net", &armauthorization.RoleAssignmentsClientListForResourceOptions{Filter: whose})),
		"at its scope":        listed(t, given.NewListForScopePager(net, &armauthorization.RoleAssignmentsClientListForScopeOptions{Filter: whose})),
	})
	must(given.Delete(ctx, net, guid, nil))(t)
	must(given.DeleteByID(ctx, id, nil))(t)
	must(roles.Delete(ctx, scope, guid, nil))(t)
	s.empty()
}

// What one may do, and what there is to be done, is told.
func TestPermissions(t *testing.T) {
	s := newCloud(t).furnished().sdk()
	may, what := s.authorization.NewPermissionsClient(), s.authorization.NewProviderOperationsMetadataClient()
	wantListed(t, 1, map[string]int{
		"permissions in the group":       listed(t, may.NewListForResourceGroupPager("rg", nil)),
		"permissions on the network":     listed(t, may.NewListForResourcePager("rg", "Microsoft.Network", "", "virtualNetworks", "net", nil)),
		"and no denials":                 1 + listed(t, s.authorization.NewDenyAssignmentsClient().NewListPager(nil)),
		"in the group neither":           1 + listed(t, s.authorization.NewDenyAssignmentsClient().NewListForResourceGroupPager("rg", nil)),
		"nor on the network":             1 + listed(t, s.authorization.NewDenyAssignmentsClient().NewListForResourcePager("rg", "Microsoft.Network", "", "virtualNetworks", "net", nil)),
		"nor at its scope":               1 + listed(t, s.authorization.NewDenyAssignmentsClient().NewListForScopePager(s.group("rg"), nil)),
		"nor any of the classic manager": 1 + listed(t, s.authorization.NewClassicAdministratorsClient().NewListPager(nil)),
	})
	if listed(t, what.NewListPager(nil)) < 3 {
		t.Error("of hardly any provider there are operations")
	}
	got := must(what.Get(t.Context(), "Microsoft.Compute", nil))(t)
	for _, r := range got.ResourceTypes {
		if *r.Name == "virtualMachines" && len(r.Operations) > 5 {
			return
		}
	}
	t.Errorf("of machines there are no operations among the %d types", len(got.ResourceTypes))
}

// objectID is that of the administrator, as the token says.
func (c *cloud) objectID() string {
	c.t.Helper()
	payload := must(base64.RawURLEncoding.DecodeString(strings.Split(c.token, ".")[1]))(c.t)
	var claims struct{ OID string }
	if err := json.Unmarshal(payload, &claims); err != nil {
		c.t.Fatal(err)
	}
	return claims.OID
}
