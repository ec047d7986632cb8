package api_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armdeployments"
	"github.com/google/go-cmp/cmp"

	"lazuli/internal/arm/armtest"
)

func init() {
	shapes = append(shapes,
		shape(`/Microsoft.Resources/deployments`, armdeployments.DeploymentListResult{}),
		shape(`/Microsoft.Resources/deployments/[^/]+`, armdeployments.DeploymentExtended{}),
		shape(`/deployments/[^/]+/operations`, armdeployments.DeploymentOperationsListResult{}),
		shape(`/deployments/[^/]+/operations/[^/]+`, armdeployments.DeploymentOperation{}),
		shape(`/deployments/[^/]+/validate`, armdeployments.DeploymentValidateResult{}),
		shape(`/deployments/[^/]+/exportTemplate`, armdeployments.DeploymentExportResult{}),
		shape(`/calculateTemplateHash`, armdeployments.TemplateHashResult{}),
	)
	otherPath = regexp.MustCompile(otherPath.String() + `|/operationStatuses/[^/]+$`)
}

// deployment is the path of one in the group rg.
func (c *cloud) deployment(rest string) string {
	return c.group("rg") + "/providers/Microsoft.Resources/deployments/" + rest
}

// template is the body of a deployment, as az writes it: with the template as
// it is, and what is no JSON around it.
func template(text, parameters string) string {
	if parameters == "" {
		parameters = "{}"
	}
	return `{"properties": {"parameters": ` + parameters + `, "mode": "Incremental", template:` + text + `}}`
}

// deployed makes a deployment that must come to the state, and returns it.
func (c *cloud) deployed(state, path, body string) reply {
	c.t.Helper()
	r := c.do("PUT", path, body)
	if r.StatusCode != 200 && r.StatusCode != 201 {
		c.t.Fatalf("PUT %s = %d %s", path, r.StatusCode, r.body)
	}
	var last reply
	c.until("the end of "+path, func() bool {
		last = c.want(200, "GET", r.Header.Get("Azure-Asyncoperation"), "")
		return last.get("status") != "Running"
	})
	if last.get("status") != state {
		c.t.Fatalf("%s came to %s, want %s", path, last.body, state)
	}
	return c.want(200, "GET", path, "")
}

// createVM is what az sends for "vm create" with a new network, as it sends it.
func (c *cloud) createVM(name string) string {
	group := c.group("rg")
	return strings.NewReplacer("NAME", name, "GROUP", group).Replace(`{"properties": {"template": {
	"$schema": "https://schema.management.azure.com/schemas/2015-01-01/deploymentTemplate.json#", "contentVersion": "1.0.0.0", "variables": {},
	"resources": [
	{"name": "NAMEVNET", "type": "Microsoft.Network/virtualNetworks", "location": "local", "apiVersion": "2015-06-15", "dependsOn": [], "tags": {},
	 "properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}, "subnets": [{"name": "NAMESubnet", "properties": {"addressPrefix": "10.0.0.0/24"}}]}},
	{"type": "Microsoft.Network/networkSecurityGroups", "name": "NAMENSG", "apiVersion": "2015-06-15", "location": "local", "tags": {}, "dependsOn": [],
	 "properties": {"securityRules": [{"name": "default-allow-ssh", "properties": {"protocol": "Tcp", "sourcePortRange": "*", "destinationPortRange": "22", "sourceAddressPrefix": "*", "destinationAddressPrefix": "*", "access": "Allow", "priority": 1000, "direction": "Inbound"}}]}},
	{"apiVersion": "2022-01-01", "type": "Microsoft.Network/publicIPAddresses", "name": "NAMEPublicIP", "location": "local", "tags": {}, "dependsOn": [], "properties": {"publicIPAllocationMethod": null}},
	{"apiVersion": "2015-06-15", "type": "Microsoft.Network/networkInterfaces", "name": "NAMEVMNic", "location": "local", "tags": {},
	 "dependsOn": ["Microsoft.Network/virtualNetworks/NAMEVNET", "Microsoft.Network/networkSecurityGroups/NAMENSG", "Microsoft.Network/publicIpAddresses/NAMEPublicIP"],
	 "properties": {"ipConfigurations": [{"name": "ipconfigNAME", "properties": {"privateIPAllocationMethod": "Dynamic",
	  "subnet": {"id": "GROUP/providers/Microsoft.Network/virtualNetworks/NAMEVNET/subnets/NAMESubnet"},
	  "publicIPAddress": {"id": "GROUP/providers/Microsoft.Network/publicIPAddresses/NAMEPublicIP"}}}],
	  "networkSecurityGroup": {"id": "GROUP/providers/Microsoft.Network/networkSecurityGroups/NAMENSG"}}},
	{"apiVersion": "2022-11-01", "type": "Microsoft.Compute/virtualMachines", "name": "NAME", "location": "local", "tags": {}, "dependsOn": ["Microsoft.Network/networkInterfaces/NAMEVMNic"],
	 "properties": {"hardwareProfile": {"vmSize": "Standard_DS1_v2"},
	  "networkProfile": {"networkInterfaces": [{"id": "GROUP/providers/Microsoft.Network/networkInterfaces/NAMEVMNic", "properties": {"deleteOption": null}}]},
	  "storageProfile": {"osDisk": {"createOption": "fromImage", "name": null, "caching": "ReadWrite", "managedDisk": {"storageAccountType": null}},
	   "imageReference": {"publisher": "Debian", "offer": "debian-12", "sku": "12", "version": "latest"}},
	  "osProfile": {"computerName": "NAME", "adminUsername": "azureuser", "adminPassword": "[parameters('adminPassword')]"}}}],
	"outputs": {}, "parameters": {"adminPassword": {"type": "securestring"}}},
	"parameters": {"adminPassword": {"value": "Str0ng!Passw0rd"}}, "mode": "incremental"}}`)
}

func TestDeploymentOfMachine(t *testing.T) {
	c := newCloud(t)
	c.want(201, "PUT", c.group("rg"), `{"location":"local"}`)
	r := c.deployed("Succeeded", c.deployment("vm1"), c.createVM("vm1"))
	if n := len(r.get("properties.outputResources").([]any)); n != 5 {
		t.Errorf("there are %d output resources, want 5", n)
	}
	if got := c.power("vm1"); got != "running" {
		t.Errorf("the machine is %s", got)
	}
	if strings.Contains(string(r.body), "Str0ng") {
		t.Error("the password is shown")
	}
	ops := c.want(200, "GET", strings.Replace(c.deployment("vm1/operations"), "/providers/Microsoft.Resources", "", 1), "")
	if n := len(ops.get("value").([]any)); n != 6 {
		t.Errorf("there are %d operations, want 5 and that of the outputs", n)
	}
}

// changes are the types of changes of a what-if, by the resources' last names;
// those that are ignored are left out.
func (c *cloud) changes(path, body string) map[string]string {
	c.t.Helper()
	r := c.do("POST", path+"/whatIf", body)
	if r.StatusCode != 202 {
		c.t.Fatalf("what-if of %s = %d %s", path, r.StatusCode, r.body)
	}
	result := c.want(200, "GET", r.Header.Get("Location"), "")
	armtest.FitsSDK(c.t, json.RawMessage(result.body), &armdeployments.WhatIfOperationResult{})
	all := map[string]string{}
	for _, change := range result.get("properties.changes").([]any) {
		id, typ := at(change, "resourceId").(string), at(change, "changeType").(string)
		if typ != "Ignore" {
			all[id[strings.LastIndex(id, "/")+1:]] = typ
		}
		if typ == "Modify" {
			c.t.Logf("%s: %v", id, at(change, "delta"))
		}
	}
	return all
}

var etags = regexp.MustCompile(`W/\\"[^"]*"`)

// contents is everything but the etags: a machine that is PUT again as it is
// has a new one.
func (c *cloud) contents() string {
	c.t.Helper()
	return etags.ReplaceAllString(c.everything(), "")
}

// same is as many changes of one type.
func same(typ string, names ...string) map[string]string {
	all := map[string]string{}
	for _, n := range names {
		all[n] = typ
	}
	return all
}

// What az does for "vm create" and "deployment group": nothing is as it was
// before, and then everything.
func TestDeploymentVerbs(t *testing.T) {
	c := newCloud(t)
	c.want(201, "PUT", c.group("rg"), `{"location":"local"}`)
	path, body := c.deployment("vm1"), c.createVM("vm1")
	names := []string{"vm1VNET", "vm1NSG", "vm1PublicIP", "vm1VMNic", "vm1"}
	before := c.contents()
	c.want(404, "HEAD", path, "")
	v := c.want(200, "POST", path+"/validate", body)
	if n := len(v.get("properties.validatedResources").([]any)); n != 5 {
		t.Errorf("%d resources are valid", n)
	}
	if d := cmp.Diff(same("Create", names...), c.changes(path, body)); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(before, c.contents()); d != "" {
		t.Errorf("validation and what-if left something: %s", d)
	}
	c.deployed("Succeeded", path, body)
	c.want(204, "HEAD", path, "")
	before = c.contents()
	if d := cmp.Diff(same("NoChange", names...), c.changes(path, body)); d != "" {
		t.Error(d)
	}
	c.deployed("Succeeded", path, body)
	if d := cmp.Diff(before, c.contents()); d != "" {
		t.Errorf("a repeat changed something: %s", d)
	}
	if x := c.want(200, "POST", path+"/exportTemplate", ""); len(x.get("template.resources").([]any)) != 5 || strings.Contains(string(x.body), "Str0ng") {
		t.Errorf("the exported template is %s", x.body)
	}
	h := c.want(200, "POST", "/providers/Microsoft.Resources/calculateTemplateHash", `{"resources": [ /* none */ ]}`)
	if h.get("minifiedTemplate") != `{"resources":[]}` || len(h.get("templateHash").(string)) < 10 {
		t.Errorf("the hash is %s", h.body)
	}
	c.refused(409, "DeploymentCannotBeCancelled", "POST", path+"/cancel", "")
	c.refused(405, "HttpMethodNotSupported", "PATCH", path, "{}")
	if n := len(c.want(200, "GET", c.deployment("")+"?api-version="+version+"&$filter=provisioningState+eq+'succeeded'&$top=5", "").get("value").([]any)); n != 1 {
		t.Errorf("%d deployments are listed", n)
	}
	c.refused(400, "InvalidFilterInQueryString", "GET", c.deployment("")+"?api-version="+version+"&$filter=name+eq+'x'", "")
	gone := c.want(202, "DELETE", path, "")
	c.want(204, "GET", gone.Header.Get("Location"), "")
	c.want(204, "DELETE", path, "")
	c.refused(404, "DeploymentNotFound", "GET", path, "")
	if d := cmp.Diff(before, c.contents()); d != "" {
		t.Errorf("the deletion of the record changed something: %s", d)
	}
}
