package api_test

import (
	"encoding/json"
	"fmt"

	"github.com/google/uuid"
)

// member is somebody who can log in to a cloud, and his view of it.
type member struct {
	*cloud
	id string // of his object
}

// member makes a service principal, which has no rights.
func (c *cloud) member(name string) *member {
	c.t.Helper()
	app := c.want(201, "POST", "/v1.0/applications", fmt.Sprintf(`{"displayName":%q}`, name))
	sp := c.want(201, "POST", "/v1.0/servicePrincipals", fmt.Sprintf(`{"appId":%q}`, app.get("appId")))
	secret := c.want(200, "POST", "/v1.0/applications/"+app.get("id").(string)+"/addPassword", `{}`).get("secretText").(string)
	m := &member{c.in(c.t), sp.get("id").(string)}
	admin := *c.Admin
	admin.ClientID = app.get("appId").(string)
	m.Admin = &admin
	m.token = m.login(secret, c.Endpoint+"//.default").get("access_token").(string)
	return m
}

// give gives a role, by its id, and returns the path of the assignment.
func (c *cloud) give(to *member, role, at string) string {
	c.t.Helper()
	path := at + "/providers/Microsoft.Authorization/roleAssignments/" + uuid.NewString()
	b, err := json.Marshal(map[string]any{"properties": map[string]string{
		"roleDefinitionId": "/providers/Microsoft.Authorization/roleDefinitions/" + role, "principalId": to.id,
	}})
	if err != nil {
		c.t.Fatal(err)
	}
	c.want(201, "PUT", path, string(b))
	return path
}

// lock locks what is at the path.
func (c *cloud) lock(at, name, level string) {
	c.t.Helper()
	c.want(201, "PUT", at+"/providers/Microsoft.Authorization/locks/"+name, fmt.Sprintf(`{"properties":{"level":%q}}`, level))
}
