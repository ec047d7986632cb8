package rights

import (
	"errors"
	"slices"
	"testing"

	"lazuli/internal/arm"
	"lazuli/internal/arm/armtest"
)

// call calls the endpoint of the method and path.
func (c *cloud) call(method, path string, vars map[string]string, body string) (arm.Result, error) {
	table := []arm.Type{{Name: "Microsoft.Compute/virtualMachines", Created: 201, Actions: map[string]arm.Action{"start": nil}}}
	for _, e := range Endpoints(Config{Rights: c.Store, Principal: c.kind, Table: table}) {
		if e.Method == method && e.Path == path {
			return c.as(admin, arm.ID{}, func(call *arm.Call) (arm.Result, error) {
				call.Body, call.Limit = []byte(body), 2
				return e.Handle(c.t.Context(), call, vars)
			})
		}
	}
	return arm.Result{}, errors.New("there is no " + method + " " + path)
}

func TestEndpointsOfTheCloud(t *testing.T) {
	c := newCloud(t)
	const assignments, roles = "/providers/" + AssignmentType, "/providers/" + RoleType
	name := map[string]string{"name": one}
	body := `{"properties":{"roleDefinitionId":"` + roles + "/" + OwnerID + `","principalId":"` + bob + `"}}`
	res, err := c.call("PUT", assignments+"/{name}", name, body)
	if err != nil || res.Body.(assignmentBody).ID != assignments+"/"+one || res.Body.(assignmentBody).Properties.Scope != "/" || !c.IsAdministrator(bob) {
		t.Errorf("PUT = %+v, %v", res, err)
	}
	if res, err = c.call("GET", assignments, nil, ""); err != nil || len(res.Body.(arm.Page).Items) != 2 {
		t.Errorf("list = %+v, %v", res, err)
	}
	if res, err = c.call("GET", roles, nil, ""); err != nil || len(res.Body.(arm.Page).Items) != 2 || res.Body.(arm.Page).Next == "" {
		t.Errorf("list of roles = %+v, %v", res, err)
	}
	if res, err = c.call("GET", roles+"/{name}", map[string]string{"name": ReaderID}, ""); err != nil || res.Body.(roleBody).ID != roles+"/"+ReaderID {
		t.Errorf("GET of a role = %+v, %v", res, err)
	}
	for _, verb := range []string{"GET", "DELETE"} {
		if _, err = c.call(verb, assignments+"/{name}", name, ""); err != nil {
			t.Errorf("%s: %v", verb, err)
		}
	}
	_, err = c.call("GET", assignments+"/{name}", name, "")
	armtest.WantError(t, err, "RoleAssignmentNotFound")
	_, err = c.call("GET", assignments+"/{name}", map[string]string{"name": "x"}, "")
	armtest.WantError(t, err, "InvalidResourceName")
	if res, err = c.call("GET", "/subscriptions/{subscription}/providers/Microsoft.Authorization/classicAdministrators", nil, ""); err != nil {
		t.Error(err)
	}
}

func TestOperations(t *testing.T) {
	c := newCloud(t)
	const path = "/providers/Microsoft.Authorization/providerOperations"
	res, err := c.call("GET", path, nil, "")
	if err != nil || len(res.Body.(arm.Page).Items) != 2 {
		t.Fatalf("list = %+v, %v, want two namespaces", res, err)
	}
	res, err = c.call("GET", path+"/{namespace}", map[string]string{"namespace": "microsoft.compute"}, "")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, o := range res.Body.(namespaceBody).ResourceTypes[0].Operations {
		names = append(names, o.Name)
	}
	const vms = "Microsoft.Compute/virtualMachines"
	want := []string{vms + "/read", vms + "/write", vms + "/delete", vms + "/start/action"}
	if !slices.Equal(names, want) {
		t.Errorf("the actions are %v, want %v", names, want)
	}
	_, err = c.call("GET", path+"/{namespace}", map[string]string{"namespace": "x"}, "")
	armtest.WantError(t, err, "ProviderNotFound")
}

func TestPermissions(t *testing.T) {
	c := newCloud(t)
	c.assign(one, group, ReaderID, alice)
	c.assign(two, vm, ReaderID, alice)
	c.assign(three, vm, ContributorID, alice)
	p := c.types["Microsoft.Authorization/permissions"]
	list := func(at arm.ID) int {
		call := &arm.Call{Store: c.Store, ID: at, Principal: arm.Principal{ObjectID: alice}}
		items, _, err := p.List(t.Context(), call, at, "", 10)
		if err != nil {
			t.Fatal(err)
		}
		return len(items)
	}
	if list(vm) != 2 || list(group) != 1 || list(subID) != 0 {
		t.Errorf("permissions: %d, %d, %d", list(vm), list(group), list(subID))
	}
	_, err := p.Get(t.Context(), &arm.Call{ID: vm.Extension("Microsoft.Authorization/permissions", one)})
	armtest.WantError(t, err, "ResourceNotFound")
}
