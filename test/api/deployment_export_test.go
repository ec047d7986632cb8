package api_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources/v4"

	"lazuli/internal/arm/armtest"
)

// exported is the template that a group is exported as.
func (c *cloud) exported(group, body string) string {
	c.t.Helper()
	r := c.want(202, "POST", c.group(group)+"/exportTemplate", body)
	result := c.want(200, "GET", r.Header.Get("Location"), "")
	armtest.FitsSDK(c.t, json.RawMessage(result.body), &armresources.ResourceGroupExportResult{})
	b, err := json.Marshal(result.get("template"))
	if err != nil {
		c.t.Fatal(err)
	}
	return string(b)
}

// What a group is exported as makes the same in another group, and changes
// nothing in this one.
func TestGroupExport(t *testing.T) {
	for _, name := range []string{"vm-sshkey", "vm-userdata", "vm-child-subnet-and-rules", "vm-linux-serial-output"} {
		t.Run(name, func(t *testing.T) {
			c := newCloud(t)
			c.deployIn("rg", name)
			text := c.exported("rg", `{"resources": ["*"], "options": "IncludeParameterDefaultValue"}`)
			for _, never := range []string{"provisioningState", "etag", "/resourceGroups/rg/", "resourceGuid", "vmId"} {
				if strings.Contains(text, never) {
					t.Errorf("the template has %s: %s", never, text)
				}
			}
			c.again(c.deployment("exported"), template(text, ""))
			if name == "vm-linux-serial-output" { // the account's name is taken
				return
			}
			c.want(201, "PUT", c.group("copy"), `{"location":"local"}`)
			at := c.group("copy") + "/providers/Microsoft.Resources/deployments/d"
			c.deployed("Succeeded", at, template(text, ""))
			c.again(at, template(text, ""))
		})
	}
}

func TestGroupExportOptions(t *testing.T) {
	c := newCloud(t).furnished()
	some := c.exported("rg", `{"resources": ["`+c.network("virtualNetworks/net")+`"], "options": "SkipResourceNameParameterization"}`)
	if strings.Contains(some, "networkInterfaces") || !strings.Contains(some, `"name":"net"`) || !strings.Contains(some, `"parameters":{}`) {
		t.Errorf("exported as %s", some)
	}
	all := c.exported("rg", `{"resources": ["*"]}`)
	if strings.Count(all, "networkInterfaces_nic") < 3 || !strings.Contains(all, "[parameters('virtualNetworks_net_name')]") {
		t.Errorf("exported as %s", all)
	}
	star := "*"
	poller, err := c.sdk().resources.NewResourceGroupsClient().BeginExportTemplate(t.Context(), "rg", armresources.ExportTemplateRequest{Resources: []*string{&star}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if done, err := poller.PollUntilDone(t.Context(), nil); err != nil || done.Template == nil {
		t.Errorf("the client got %v, %v", done.Template, err)
	}
	at := c.group("rg") + "/exportTemplate"
	c.refused(400, "ResourceNotFound", "POST", at, `{"resources": ["`+c.network("virtualNetworks/none")+`"]}`)
	c.refused(400, "InvalidExportOptions", "POST", at, `{"resources": ["*"], "options": "Everything"}`)
	c.refused(400, "InvalidParameter", "POST", at, `{"resources": "*"}`)
	c.refused(400, "InvalidRequestContent", "POST", at, `[`)
}
