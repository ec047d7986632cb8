package api_test

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"lazuli/internal/arm"
	"lazuli/internal/compute"
	"lazuli/internal/network"
	"lazuli/internal/resources"
	"lazuli/internal/rights"
)

// Azure's ids of roles.
const (
	owner              = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
	contributor        = "b24988ac-6180-42a0-ab88-20f7382dd24c"
	reader             = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
	vmContributor      = "9980e02c-c2be-4d73-94e8-173b1dc7cf3c"
	networkContributor = "4d97b98b-1d4f-4787-a291-c67834d212e7"
	rbacAdministrator  = "f58310d9-a9f6-439a-9e8d-f62e7b41a168"
)

// request is one that takes a right.
type request struct{ method, path, action string }

// requests are all on a resource of the type in the group at the path, and on
// the list of them.
func requests(t arm.Type, group string) (all []request) {
	ns, types, _ := strings.Cut(t.Name, "/")
	path := group + "/providers/" + ns
	parts := strings.Split(types, "/")
	for _, p := range parts {
		if len(parts) == 1 && t.Can(arm.CanList) {
			all = append(all, request{"GET", path + "/" + p, t.Name + "/read"})
		}
		path += "/" + p + "/none"
	}
	if t.Name == rights.RoleType || t.Name == rights.AssignmentType {
		path = strings.TrimSuffix(path, "none") + "00000000-0000-0000-0000-000000000000"
	}
	verbs := map[string]string{"GET": "read", "PUT": "write", "PATCH": "write", "DELETE": "delete"}
	for _, m := range t.Methods() {
		if verb := verbs[m]; verb != "" {
			all = append(all, request{m, path, t.Name + "/" + verb})
		}
	}
	for name := range t.Actions {
		all = append(all, request{"POST", path + "/" + name, t.Name + "/" + name + "/action"})
	}
	return all
}

// permission is a role's, as expressions.
type permission struct{ yes, no []*regexp.Regexp }

func expressions(v any) (all []*regexp.Regexp) {
	for _, a := range v.([]any) {
		all = append(all, regexp.MustCompile("(?i)^"+strings.ReplaceAll(regexp.QuoteMeta(a.(string)), `\*`, ".*")+"$"))
	}
	return all
}

func (p permission) allows(action string) bool {
	is := func(r *regexp.Regexp) bool { return r.MatchString(action) }
	return slices.ContainsFunc(p.yes, is) && !slices.ContainsFunc(p.no, is)
}

// Every verb and action of every type takes the right that its name is, for
// every role: as the role's own permissions say it.
func TestRightsOfEverything(t *testing.T) {
	c := newCloud(t)
	c.want(201, "PUT", c.group("rg"), `{"location":"local"}`)
	c.want(201, "PUT", c.subscription("providers/Microsoft.Authorization/roleDefinitions/99999999-0000-0000-0000-000000000001"), `{"properties":{"roleName":"Operator","type":"CustomRole",
		"assignableScopes":["`+c.group("rg")+`"],"permissions":[{"actions":["Microsoft.Compute/*/read","*/powerOff/action","Microsoft.Network/virtualNetworks/*","*/delete"],"notActions":["Microsoft.Network/*/delete"]}]}}`)
	table := slices.Concat(resources.Types("local"), compute.Types(compute.Config{}), network.Types(network.Config{}), rights.Types(rights.Config{}))
	for _, role := range []string{owner, contributor, reader, vmContributor, networkContributor, rbacAdministrator, "99999999-0000-0000-0000-000000000001"} {
		t.Run(role, func(t *testing.T) {
			c := c.in(t)
			m := c.member("m")
			c.give(m, role, c.group("rg"))
			p := c.want(200, "GET", c.subscription("providers/Microsoft.Authorization/roleDefinitions/"+role), "")
			has := permission{expressions(p.get("properties.permissions.0.actions")), expressions(p.get("properties.permissions.0.notActions"))}
			denied, allowed := 0, 0
			for _, typ := range table {
				if typ.Scopes != 0 && typ.Scopes&arm.InGroup == 0 {
					continue
				}
				for _, r := range requests(typ, c.group("rg")) {
					got := m.do(r.method, r.path, "[]") // which is no body, so that nothing is made
					if isDenied := got.StatusCode == 403; isDenied == has.allows(r.action) {
						t.Errorf("%s %s = %d %s, but may %s: %t", r.method, r.path, got.StatusCode, got.code(), r.action, has.allows(r.action))
					}
					if got.StatusCode == 403 {
						denied++
					} else {
						allowed++
					}
				}
			}
			if allowed == 0 || denied == 0 && role != owner {
				t.Errorf("%d requests are allowed and %d are denied", allowed, denied)
			}
		})
	}
}

func TestWhoMayNothing(t *testing.T) {
	c := newCloud(t).withVM()
	m := c.member("m")
	for _, r := range []request{
		{"GET", c.subscription(""), ""}, {"GET", c.group("rg"), ""}, {"GET", c.subscription("resourceGroups"), ""}, {"GET", c.subscription("resources"), ""},
		{"GET", c.compute("virtualMachines/vm"), ""}, {"GET", c.compute("virtualMachines/none"), ""}, {"GET", c.compute("virtualMachines/vm/serialLog"), ""},
		{"GET", c.compute("virtualMachines/vm/console"), ""}, {"GET", c.compute("virtualMachines/vm/instanceView"), ""}, {"POST", c.compute("virtualMachines/vm/powerOff"), ""},
		{"GET", c.provider("Compute", "virtualMachines"), ""}, {"GET", c.provider("Compute", "locations/local/publishers"), ""}, {"GET", c.provider("Compute", "skus"), ""},
		{"GET", c.subscription("providers"), ""}, {"GET", c.group("none"), ""}, {"PUT", c.group("new"), ""},
		{"GET", c.subscription("providers/Microsoft.Authorization/roleAssignments"), ""}, {"GET", "/providers/Microsoft.Authorization/roleAssignments", ""},
		{"GET", c.subscription("providers/Microsoft.Insights/eventtypes/management/values"), ""}, {"GET", "/providers/Microsoft.Insights/eventtypes/management/values", ""},
	} {
		m.refused(403, "AuthorizationFailed", r.method, r.path, "{}")
	}
	m.refused(404, "SubscriptionNotFound", "GET", "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups", "")
	if n := len(m.want(200, "GET", "/subscriptions", "").get("value").([]any)); n != 0 {
		t.Errorf("he sees %d subscriptions", n)
	}
	m.want(200, "GET", "/tenants", "")
	m.want(200, "GET", "/providers/Microsoft.Authorization/roleDefinitions/"+reader, "")
}

// Who has a role in one group sees the subscription, that group and what is in
// it, and what the cloud offers to all.
func TestWhoMayReadOneGroup(t *testing.T) {
	c := newCloud(t).withVM()
	c.want(201, "PUT", c.group("other"), `{"location":"local"}`)
	c.want(201, "PUT", c.group("other")+"/providers/Microsoft.Network/publicIPAddresses/p", `{"location":"local"}`)
	m := c.member("m")
	given := c.give(m, reader, c.group("rg"))
	names := func(path string) (all []string) {
		for _, v := range m.want(200, "GET", path, "").get("value").([]any) {
			all = append(all, at(v, "id").(string))
		}
		return all
	}
	if got := names("/subscriptions"); !slices.Equal(got, []string{c.subscription("")}) {
		t.Errorf("he sees the subscriptions %v", got)
	}
	if got := names(c.subscription("resourceGroups")); !slices.Equal(got, []string{c.group("rg")}) {
		t.Errorf("he sees the groups %v", got)
	}
	all := names(c.subscription("resources"))
	if len(all) < 5 || slices.ContainsFunc(all, func(id string) bool { return strings.Contains(id, "/other/") }) {
		t.Errorf("he sees the resources %v", all)
	}
	m.want(200, "GET", c.provider("Compute", "locations/local/vmSizes"), "")
	m.want(200, "GET", c.compute("virtualMachines"), "")
	m.want(200, "GET", c.compute("virtualMachines/vm/instanceView"), "")
	m.refused(403, "AuthorizationFailed", "GET", c.provider("Compute", "virtualMachines"), "")
	m.refused(403, "AuthorizationFailed", "GET", c.compute("virtualMachines/vm/serialLog"), "") // in Azure a POST
	m.refused(403, "AuthorizationFailed", "DELETE", given, "")
	c.want(200, "DELETE", given, "")
	m.refused(403, "AuthorizationFailed", "GET", c.compute("virtualMachines/vm"), "")
}

// What a resource is made to refer to takes a right of its own.
func TestLinkedRights(t *testing.T) {
	c := newCloud(t).furnished()
	own := "/providers/Microsoft.Network/networkInterfaces/mine"
	c.want(201, "PUT", c.group("own"), `{"location":"local"}`)
	m := c.member("m")
	c.give(m, contributor, c.group("own"))
	nic := c.nicBody().String()
	m.refused(403, "LinkedAuthorizationFailed", "PUT", c.group("own")+own, nic)
	c.refused(404, "ResourceNotFound", "GET", c.group("own")+own, "")
	c.give(m, networkContributor, c.network("virtualNetworks/net"))
	m.want(201, "PUT", c.group("own")+own, nic)
	m.want(200, "PUT", c.group("own")+own, nic) // which it was joined to already
	vm := c.vmBody("nic1").String()
	m.refused(403, "LinkedAuthorizationFailed", "PUT", c.group("own")+"/providers/Microsoft.Compute/virtualMachines/vm", vm)
	m.done("PUT", c.group("own")+"/providers/Microsoft.Compute/virtualMachines/vm", strings.ReplaceAll(vm, c.network("networkInterfaces/nic1"), c.group("own")+own))

	c.done("PUT", c.compute("disks/d"), `{"location":"local","properties":{"creationData":{"createOption":"Empty"},"diskSizeGB":4}}`)
	attach := fmt.Sprintf(`{"properties":{"storageProfile":{"dataDisks":[{"lun":0,"createOption":"Attach","managedDisk":{"id":%q}}]}}}`, c.compute("disks/d"))
	c.give(m, reader, c.compute("disks/d"))
	m.refused(403, "LinkedAuthorizationFailed", "PATCH", c.group("own")+"/providers/Microsoft.Compute/virtualMachines/vm", attach)
	c.give(m, vmContributor, c.compute("disks/d"))
	m.done("PATCH", c.group("own")+"/providers/Microsoft.Compute/virtualMachines/vm", attach)
}

// A subnet joins a security group, by itself and with its network.
func TestLinkedRightsOfSubnets(t *testing.T) {
	c := newCloud(t)
	c.want(201, "PUT", c.group("rg"), `{"location":"local"}`)
	c.want(201, "PUT", c.group("own"), `{"location":"local"}`)
	nsg := c.network("networkSecurityGroups/nsg")
	c.want(201, "PUT", nsg, `{"location":"local"}`)
	m := c.member("m")
	c.give(m, contributor, c.group("own"))
	vnet := c.group("own") + "/providers/Microsoft.Network/virtualNetworks/vnet"
	joined := fmt.Sprintf(`{"properties":{"addressPrefix":"10.9.0.0/24","networkSecurityGroup":{"id":%q}}}`, nsg)
	const network = `{"location":"local","properties":{"addressSpace":{"addressPrefixes":["10.9.0.0/16"]},"subnets":[%s]}}`
	named := strings.Replace(joined, "{", `{"name":"s",`, 1)
	m.refused(403, "LinkedAuthorizationFailed", "PUT", vnet, fmt.Sprintf(network, named))
	m.want(201, "PUT", vnet, fmt.Sprintf(network, ""))
	m.refused(403, "LinkedAuthorizationFailed", "PUT", vnet+"/subnets/s", joined)
	given := c.give(m, networkContributor, nsg)
	m.want(201, "PUT", vnet+"/subnets/s", joined)
	c.want(200, "DELETE", given, "")
	m.want(200, "PUT", vnet+"/subnets/s", joined) // it is there already
	m.want(200, "PUT", vnet, fmt.Sprintf(network, named))
}

// A role that is taken away is gone for the next request, whoever else is busy.
func TestRightsEndAtOnce(t *testing.T) {
	c := newCloud(t)
	c.want(201, "PUT", c.group("rg"), `{"location":"local"}`)
	m := c.member("m")
	ctx, cancel := context.WithCancel(t.Context())
	busy := make(chan struct{})
	go func() {
		defer close(busy)
		for i := 0; ctx.Err() == nil; i++ {
			r, err := http.NewRequestWithContext(ctx, "PUT", c.Endpoint+c.group(fmt.Sprint("busy", i%3))+"?api-version="+version, strings.NewReader(`{"location":"local","tags":{"n":"`+fmt.Sprint(i)+`"}}`))
			if err != nil {
				return
			}
			r.Header.Set("Authorization", "Bearer "+c.token)
			if resp, err := c.client.Do(r); err == nil {
				resp.Body.Close()
			}
		}
	}()
	for range 30 {
		given := c.give(m, reader, c.group("rg"))
		m.want(200, "GET", c.group("rg"), "")
		c.want(200, "DELETE", given, "")
		m.refused(403, "AuthorizationFailed", "GET", c.group("rg"), "")
	}
	cancel()
	<-busy
}

// Rights are not carried over to what is made later under the same name.
func TestRightsGoWithTheGroup(t *testing.T) {
	c := newCloud(t)
	c.want(201, "PUT", c.group("rg"), `{"location":"local"}`)
	m := c.member("m")
	c.give(m, owner, c.group("rg"))
	m.want(200, "GET", c.group("rg"), "")
	c.done("DELETE", c.group("rg"), "")
	c.want(201, "PUT", c.group("rg"), `{"location":"local"}`)
	m.refused(403, "AuthorizationFailed", "GET", c.group("rg"), "")
}

// Nobody gets at more than he has.
func TestNobodyRaisesHimself(t *testing.T) {
	c := newCloud(t)
	c.want(201, "PUT", c.group("rg"), `{"location":"local"}`)
	m := c.member("m")
	c.give(m, contributor, c.subscription(""))
	grant := fmt.Sprintf(`{"properties":{"roleDefinitionId":"/providers/Microsoft.Authorization/roleDefinitions/%s","principalId":%q}}`, owner, m.id)
	const assignment = "/providers/Microsoft.Authorization/roleAssignments/99999999-0000-0000-0000-000000000001"
	for _, at := range []string{"", c.subscription(""), c.group("rg")} {
		m.refused(403, "AuthorizationFailed", "PUT", at+assignment, grant)
	}
	m.refused(403, "AuthorizationFailed", "PUT", c.subscription("providers/Microsoft.Authorization/roleDefinitions/99999999-0000-0000-0000-000000000001"), `{}`)
	m.refused(403, "AuthorizationFailed", "PUT", c.group("rg")+"/providers/Microsoft.Authorization/locks/l", `{"properties":{"level":"ReadOnly"}}`)
	c.give(m, owner, c.group("rg"))
	m.refused(403, "AuthorizationFailed", "PUT", c.subscription("")+assignment, grant)
	c.refused(400, "CannotDeleteLastRbacAdminAssignment", "DELETE", at(c.want(200, "GET", "/providers/Microsoft.Authorization/roleAssignments?$filter=atScope()&api-version=2022-04-01", "").get("value.0"), "id").(string), "")
	if r := m.do("POST", "/v1.0/applications", `{"displayName":"x"}`); r.StatusCode != 403 {
		t.Errorf("a Contributor changes the directory: %d", r.StatusCode)
	}
}
