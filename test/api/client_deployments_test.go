package api_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armdeployments"
)

// addresses is a template of a public address, for a group.
func addresses(name string) map[string]any {
	return map[string]any{
		"$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#", "contentVersion": "1.0.0.0",
		"resources": []any{map[string]any{"type": "Microsoft.Network/publicIPAddresses", "apiVersion": "2023-04-01", "name": name, "location": "local"}},
		"outputs":   map[string]any{"name": map[string]any{"type": "string", "value": name}},
	}
}

// groups is a template of a group, for a subscription.
func groups(name string) map[string]any {
	return map[string]any{
		"$schema": "https://schema.management.azure.com/schemas/2018-05-01/subscriptionDeploymentTemplate.json#", "contentVersion": "1.0.0.0",
		"resources": []any{map[string]any{"type": "Microsoft.Resources/resourceGroups", "apiVersion": "2021-04-01", "name": name, "location": "local"}},
	}
}

func ofTemplate(t map[string]any) *armdeployments.DeploymentProperties {
	return &armdeployments.DeploymentProperties{Mode: ptr(armdeployments.DeploymentModeIncremental), Template: t}
}

// Deployments in a group, by the group's name and by its id as a scope.
func TestDeploymentsOfAGroup(t *testing.T) {
	s := newCloud(t).sdk()
	s.want(201, "PUT", s.group("rg"), `{"location":"local"}`)
	ctx, d, ops, scope := t.Context(), s.deployments.NewDeploymentsClient(), s.deployments.NewDeploymentOperationsClient(), s.group("rg")
	body := armdeployments.Deployment{Properties: ofTemplate(addresses("a"))}
	if must(d.CheckExistence(ctx, "rg", "one", nil))(t).Success || must(d.CheckExistenceAtScope(ctx, scope, "one", nil))(t).Success {
		t.Error("there is a deployment that nobody made")
	}
	if v := finish(d.BeginValidate(ctx, "rg", "one", body, nil))(t); v.Error != nil || len(v.Properties.ValidatedResources) != 1 {
		t.Errorf("the template is found to be %+v", v)
	}
	if v := finish(d.BeginValidateAtScope(ctx, scope, "one", body, nil))(t); v.Error != nil {
		t.Errorf("at the scope the template is found to be %+v", v)
	}
	would := finish(d.BeginWhatIf(ctx, "rg", "one", armdeployments.DeploymentWhatIf{Properties: &armdeployments.DeploymentWhatIfProperties{
		Mode: body.Properties.Mode, Template: body.Properties.Template}}, nil))(t)
	if changes := would.Properties.Changes; len(changes) != 1 || *changes[0].ChangeType != armdeployments.ChangeTypeCreate {
		t.Errorf("the template would make %d changes, want 1", len(changes))
	}
	made := finish(d.BeginCreateOrUpdate(ctx, "rg", "one", body, nil))(t)
	if *made.Properties.ProvisioningState != "Succeeded" || made.Properties.Outputs.(map[string]any)["name"].(map[string]any)["value"] != "a" {
		t.Errorf("the deployment came to %s, with %v", *made.Properties.ProvisioningState, made.Properties.Outputs)
	}
	finish(d.BeginCreateOrUpdateAtScope(ctx, scope, "two", body, nil))(t)
	for what, got := range map[string]*string{
		"by its name":  must(d.Get(ctx, "rg", "two", nil))(t).Name,
		"at its scope": must(d.GetAtScope(ctx, scope, "two", nil))(t).Name,
	} {
		if *got != "two" {
			t.Errorf("%s the deployment is %s", what, *got)
		}
	}
	if !must(d.CheckExistence(ctx, "rg", "one", nil))(t).Success || !must(d.CheckExistenceAtScope(ctx, scope, "two", nil))(t).Success {
		t.Error("the deployments that were made are not there")
	}
	wantListed(t, 2, map[string]int{
		"in the group":       listed(t, d.NewListByResourceGroupPager("rg", nil)),
		"at the scope":       listed(t, d.NewListAtScopePager(scope, nil)),
		"what one did":       listed(t, ops.NewListPager("rg", "one", nil)),
		"and at its scope":   listed(t, ops.NewListAtScopePager(scope, "one", nil)),
		"templates of both":  len(must(d.ExportTemplate(ctx, "rg", "one", nil))(t).Template.(map[string]any)["resources"].([]any)) + len(must(d.ExportTemplateAtScope(ctx, scope, "two", nil))(t).Template.(map[string]any)["resources"].([]any)),
		"those that ran out": 2 + listed(t, d.NewListByResourceGroupPager("rg", &armdeployments.DeploymentsClientListByResourceGroupOptions{Filter: ptr("provisioningState eq 'Failed'")})),
	})
	first := must(ops.NewListPager("rg", "one", nil).NextPage(ctx))(t).Value[0]
	for what, got := range map[string]*string{
		"by its name":  must(ops.Get(ctx, "rg", "one", *first.OperationID, nil))(t).ID,
		"at its scope": must(ops.GetAtScope(ctx, scope, "one", *first.OperationID, nil))(t).ID,
	} {
		if *got != *first.ID {
			t.Errorf("%s the operation is %s, want %s", what, *got, *first.ID)
		}
	}
	finish(d.BeginDelete(ctx, "rg", "one", nil))(t)
	finish(d.BeginDeleteAtScope(ctx, scope, "two", nil))(t)
	if must(d.CheckExistence(ctx, "rg", "one", nil))(t).Success {
		t.Error("the deployment is still there")
	}
	if h := must(d.CalculateTemplateHash(ctx, addresses("a"), nil))(t); len(*h.TemplateHash) < 10 {
		t.Errorf("the hash is %s", *h.TemplateHash)
	}
	s.empty()
}

func TestDeploymentsOfASubscription(t *testing.T) {
	s := newCloud(t).sdk()
	ctx, d, ops := t.Context(), s.deployments.NewDeploymentsClient(), s.deployments.NewDeploymentOperationsClient()
	body := armdeployments.Deployment{Location: ptr("local"), Properties: ofTemplate(groups("rg"))}
	finish(d.BeginValidateAtSubscriptionScope(ctx, "one", body, nil))(t)
	would := finish(d.BeginWhatIfAtSubscriptionScope(ctx, "one", armdeployments.DeploymentWhatIf{Location: ptr("local"), Properties: &armdeployments.DeploymentWhatIfProperties{
		Mode: body.Properties.Mode, Template: body.Properties.Template}}, nil))(t)
	if n := len(would.Properties.Changes); n != 1 {
		t.Errorf("the template would make %d changes, want 1", n)
	}
	finish(d.BeginCreateOrUpdateAtSubscriptionScope(ctx, "one", body, nil))(t)
	if !must(d.CheckExistenceAtSubscriptionScope(ctx, "one", nil))(t).Success {
		t.Error("there is no deployment")
	}
	if got := must(d.GetAtSubscriptionScope(ctx, "one", nil))(t); *got.Location != "local" || *got.Properties.ProvisioningState != "Succeeded" {
		t.Errorf("the deployment is %+v", got)
	}
	s.want(200, "GET", s.group("rg"), "")
	wantListed(t, 1, map[string]int{
		"deployments": listed(t, d.NewListAtSubscriptionScopePager(nil)),
		"templates":   len(must(d.ExportTemplateAtSubscriptionScope(ctx, "one", nil))(t).Template.(map[string]any)["resources"].([]any)),
	})
	wantListed(t, 2, map[string]int{"of the group and the outputs": listed(t, ops.NewListAtSubscriptionScopePager("one", nil))})
	first := must(ops.NewListAtSubscriptionScopePager("one", nil).NextPage(ctx))(t).Value[0]
	if got := must(ops.GetAtSubscriptionScope(ctx, "one", *first.OperationID, nil))(t); *got.ID != *first.ID {
		t.Errorf("the operation is %s, want %s", *got.ID, *first.ID)
	}
	finish(d.BeginDeleteAtSubscriptionScope(ctx, "one", nil))(t)
	s.empty()
}

// A deployment that waits for a machine is ended by its cancellation, whichever
// way it was begun.
func TestDeploymentsAreCanceled(t *testing.T) {
	s := newCloud(t).furnished().sdk()
	s.host.FailWith(func(call, _ string) error {
		if strings.Contains(strings.ToLower(call), "start") {
			return errors.New("not now")
		}
		return nil
	})
	ctx, d := t.Context(), s.deployments.NewDeploymentsClient()
	machine := map[string]any(s.vmBody("nic1").with("type", "Microsoft.Compute/virtualMachines", "apiVersion", "2024-03-01", "name", "vm"))
	inGroup := addresses("a")
	inGroup["resources"], inGroup["outputs"] = []any{machine}, map[string]any{}
	inSubscription := groups("other")
	inSubscription["resources"] = []any{map[string]any{"type": "Microsoft.Resources/deployments", "apiVersion": "2022-09-01", "name": "inner", "resourceGroup": "rg",
		"properties": map[string]any{"mode": "Incremental", "template": inGroup}}}
	group := armdeployments.Deployment{Properties: ofTemplate(inGroup)}
	tests := map[string]struct{ begin, cancel func() error }{
		"of a group": {
			func() error { _, err := d.BeginCreateOrUpdate(ctx, "rg", "one", group, nil); return err },
			func() error { _, err := d.Cancel(ctx, "rg", "one", nil); return err },
		},
		"at a scope": {
			func() error {
				_, err := d.BeginCreateOrUpdateAtScope(ctx, s.group("rg"), "one", group, nil)
				return err
			},
			func() error { _, err := d.CancelAtScope(ctx, s.group("rg"), "one", nil); return err },
		},
		"of a subscription": {
			func() error {
				_, err := d.BeginCreateOrUpdateAtSubscriptionScope(ctx, "one", armdeployments.Deployment{Location: ptr("local"), Properties: ofTemplate(inSubscription)}, nil)
				return err
			},
			func() error { _, err := d.CancelAtSubscriptionScope(ctx, "one", nil); return err },
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if err := errors.Join(tt.begin(), tt.cancel()); err != nil {
				t.Fatal(err)
			}
			path := s.deployment("one")
			if name == "of a subscription" {
				path = s.subscription("providers/Microsoft.Resources/deployments/one")
			}
			s.until("the deployment is canceled", func() bool {
				return s.want(200, "GET", path, "").get("properties.provisioningState") == "Canceled"
			})
		})
	}
	s.host.FailWith(nil)
	if _, err := d.Cancel(ctx, "rg", "one", nil); !hasCode(err, "DeploymentCannotBeCancelled") {
		t.Errorf("what is canceled is canceled again: %v", err)
	}
	s.empty()
}

// hasCode says whether an error is one of ARM with the code.
func hasCode(err error, code string) bool {
	re, ok := errors.AsType[*azcore.ResponseError](err)
	return ok && re.ErrorCode == code
}
