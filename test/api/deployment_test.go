package api_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armdeployments"
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
	r = c.deployed("Succeeded", c.deployment("vm1"), c.createVM("vm1"))
	b, _ := json.Marshal(r.json())
	t.Logf("%s", b)
}
