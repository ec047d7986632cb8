package azurerm_test

import (
	"net/http"
	"testing"

	"github.com/hashicorp/go-azure-sdk/resource-manager/authorization/2022-04-01/roleassignments"
	"github.com/hashicorp/go-azure-sdk/resource-manager/resources/2020-05-01/managementlocks"
	"github.com/hashicorp/go-azure-sdk/resource-manager/resources/2023-07-01/deployments"
	"github.com/hashicorp/go-azure-sdk/sdk/claims"
)

func (p *provider) lock(t *testing.T) *resource {
	c, err := managementlocks.NewManagementLocksClientWithBaseURI(p.api)
	p.use(c.Client, err)
	id := managementlocks.NewScopedLockID(p.id("Microsoft.Compute/disks/data"), "keep")
	sent := model[managementlocks.ManagementLockObject](t, `{"properties":{"level":"CanNotDelete","notes":"keep it"}}`)
	return &resource{
		name: "management_lock", sent: sent,
		get: func() (*http.Response, any, error) {
			r, err := c.GetByScope(p.ctx, id)
			return r.HttpResponse, r.Model, err
		},
		put:    func() error { _, err := c.CreateOrUpdateByScope(p.ctx, id, sent); return err },
		remove: func() error { _, err := c.DeleteByScope(p.ctx, id); return err },
	}
}

// deployment is a resource_group_template_deployment. azurerm compares nothing
// of it but its outputs.
func (p *provider) deployment(t *testing.T) *resource {
	c, err := deployments.NewDeploymentsClientWithBaseURI(p.api)
	p.use(c.Client, err)
	id := deployments.NewResourceGroupProviderDeploymentID(p.SubscriptionID, "rg", "dep")
	sent := model[deployments.Deployment](t, `{"properties":{"mode":"Incremental","template":{"$schema":"https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
		"contentVersion":"1.0.0.0","resources":[],"outputs":{"a":{"type":"string","value":"b"}}}}}`)
	outputs := map[string]any{"properties": map[string]any{"outputs": map[string]any{"a": map[string]any{"value": "b"}}, "mode": "Incremental"}}
	return &resource{
		name: "resource_group_template_deployment", sent: outputs,
		get: func() (*http.Response, any, error) {
			r, err := c.Get(p.ctx, id)
			if m := r.Model; m != nil { // these are those of each time
				m.Properties.CorrelationId, m.Properties.Timestamp, m.Properties.Duration = nil, nil, nil
			}
			return r.HttpResponse, r.Model, err
		},
		put:    func() error { return c.CreateOrUpdateThenPoll(p.ctx, id, sent) },
		remove: func() error { return c.DeleteThenPoll(p.ctx, id) },
	}
}

// roleAssignment makes the administrator a reader of the disk.
func (p *provider) roleAssignment(t *testing.T) *resource {
	c, err := roleassignments.NewRoleAssignmentsClientWithBaseURI(p.api)
	p.use(c.Client, err)
	token, err := p.auth.Token(p.ctx, &http.Request{})
	if err != nil {
		t.Fatal(err)
	}
	who, err := claims.ParseClaims(token)
	if err != nil {
		t.Fatal(err)
	}
	id := roleassignments.NewScopedRoleAssignmentID(p.id("Microsoft.Compute/disks/data"), "11111111-2222-3333-4444-555555555555")
	sent := model[roleassignments.RoleAssignmentCreateParameters](t, `{"properties":{"principalId":"`+who.ObjectId+`",
		"roleDefinitionId":"/subscriptions/`+p.SubscriptionID+`/providers/Microsoft.Authorization/roleDefinitions/acdd72a7-3385-48ef-bd42-f606fba81ae7"}}`)
	return &resource{
		name: "role_assignment", sent: sent,
		get: func() (*http.Response, any, error) {
			r, err := c.Get(p.ctx, id, roleassignments.DefaultGetOperationOptions())
			return r.HttpResponse, r.Model, err
		},
		put: func() error { _, err := c.Create(p.ctx, id, sent); return err },
		remove: func() error {
			_, err := c.Delete(p.ctx, id, roleassignments.DefaultDeleteOperationOptions())
			return err
		},
	}
}
