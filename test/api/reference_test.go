package api_test

import (
	"testing"
)

func TestReferences(t *testing.T) {
	c := newCloud(t).withVM("properties.storageProfile.dataDisks.0", map[string]any{"lun": 0, "createOption": "Empty", "diskSizeGB": 4, "name": "data"})
	c.want(201, "PUT", c.network("networkSecurityGroups/nsg"), `{"location":"local"}`)
	c.want(201, "PUT", c.network("publicIPAddresses/pip"), `{"location":"local","sku":{"name":"Standard"}}`)
	c.want(200, "PUT", c.network("networkInterfaces/nic1"), c.nicBody().with(
		"properties.networkSecurityGroup.id", c.network("networkSecurityGroups/nsg"),
		"properties.ipConfigurations.0.properties.publicIPAddress.id", c.network("publicIPAddresses/pip")).String())
	data := map[string]any{"lun": 0, "createOption": "Attach", "name": "data"}
	tests := map[string]struct {
		method, path string
		body         body
		status       int
		code         string
	}{
		"interface of a machine":    {"DELETE", c.network("networkInterfaces/nic1"), nil, 400, "NicInUse"},
		"subnet of an interface":    {"DELETE", c.network("virtualNetworks/net/subnets/sn"), nil, 400, "InUseSubnetCannotBeDeleted"},
		"network of an interface":   {"DELETE", c.network("virtualNetworks/net"), nil, 400, "InUseSubnetCannotBeDeleted"},
		"security group":            {"DELETE", c.network("networkSecurityGroups/nsg"), nil, 400, "InUseNetworkSecurityGroupCannotBeDeleted"},
		"public address":            {"DELETE", c.network("publicIPAddresses/pip"), nil, 400, "PublicIPAddressCannotBeDeleted"},
		"OS disk":                   {"DELETE", c.compute("disks/osdisk"), nil, 409, "OperationNotAllowed"},
		"data disk":                 {"DELETE", c.compute("disks/data"), nil, 409, "OperationNotAllowed"},
		"subnet left out":           {"PUT", c.network("virtualNetworks/net"), c.vnetBody().with("properties.subnets", []any{}), 400, "InUseSubnetCannotBeDeleted"},
		"subnet moved":              {"PUT", c.network("virtualNetworks/net/subnets/sn"), parse(`{"properties":{"addressPrefix":"10.0.9.0/24"}}`), 400, "InUsePrefixCannotBeDeleted"},
		"interface used twice":      {"PUT", c.compute("virtualMachines/vm2"), c.vmBody("nic1"), 400, "NicInUse"},
		"disk used twice":           {"PUT", c.compute("virtualMachines/vm2"), c.vmBody("nic2").with("properties.storageProfile.dataDisks.0", data), 409, "ConflictingUserInput"},
		"OS disk used twice":        {"PUT", c.compute("virtualMachines/vm2"), c.vmBody("nic2").with("properties.osProfile", nil, "properties.storageProfile", map[string]any{"osDisk": map[string]any{"createOption": "Attach", "osType": "Linux", "managedDisk": map[string]any{"id": c.compute("disks/osdisk")}}}), 409, "ConflictingUserInput"},
		"name of a disk taken":      {"PUT", c.compute("virtualMachines/vm2"), c.vmBody("nic2").with("properties.storageProfile.osDisk", map[string]any{"createOption": "FromImage", "name": "osdisk"}), 409, "ConflictingUserInput"},
		"public address used twice": {"PUT", c.network("networkInterfaces/nic2"), c.nicBody().with("properties.ipConfigurations.0.properties.publicIPAddress.id", c.network("publicIPAddresses/pip")), 400, "PublicIPAddressInUse"},
		"copy of a disk in use":     {"PUT", c.compute("disks/copy"), parse(`{"location":"local","properties":{"creationData":{"createOption":"Copy","sourceResourceId":"` + c.compute("disks/data") + `"}}}`), 409, "OperationNotAllowed"},
		"OS disk that grows":        {"PATCH", c.compute("disks/osdisk"), parse(`{"properties":{"diskSizeGB":9}}`), 409, "OperationNotAllowed"},
		"interface taken away":      {"PUT", c.compute("virtualMachines/vm"), c.vmBody("nic2"), 409, "AddingOrDeletingNetworkInterfacesOnARunningVirtualMachineNotSupported"},
	}
	before := c.everything()
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c, b := c.in(t), ""
			if tt.body != nil {
				b = tt.body.String()
			}
			c.refused(tt.status, tt.code, tt.method, tt.path, b)
			if after := c.everything(); after != before {
				t.Errorf("before %s after %s", before, after)
			}
		})
	}
	c.done("POST", c.compute("virtualMachines/vm/deallocate"), "")
	c.done("PUT", c.compute("disks/copy"), tests["copy of a disk in use"].body.String())
	c.done("PATCH", c.compute("disks/osdisk"), `{"properties":{"diskSizeGB":9}}`)
	c.done("PUT", c.compute("virtualMachines/vm"), c.vmBody("nic2").with("properties.storageProfile.osDisk.createOption", "FromImage").String())
	c.want(200, "DELETE", c.network("networkInterfaces/nic1"), "")
	c.done("POST", c.compute("virtualMachines/vm/start"), "")
	c.empty()
}

// What goes with a machine is said by its deleteOption; by default nothing
// does.
func TestDeleteOptions(t *testing.T) {
	with := func(option string) []any {
		return []any{
			"properties.storageProfile.osDisk", map[string]any{"name": "osdisk", "createOption": "FromImage", "deleteOption": option},
			"properties.storageProfile.dataDisks.0", map[string]any{"lun": 0, "createOption": "Empty", "diskSizeGB": 4, "name": "data", "deleteOption": option},
			"properties.networkProfile.networkInterfaces.0.properties.deleteOption", option,
		}
	}
	for name, tt := range map[string]struct {
		edits []any
		later []any // of a PUT before the end
		stays bool
	}{
		"said nothing":    {with(""), nil, true},
		"detach":          {with("Detach"), nil, true},
		"delete":          {with("Delete"), nil, false},
		"delete at last":  {with("Detach"), with("Delete"), false},
		"detach at last":  {with("Delete"), with("Detach"), true},
		"delete, spelled": {with("delete"), nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCloud(t).withVM(tt.edits...)
			if tt.later != nil {
				c.done("PUT", c.compute("virtualMachines/vm"), c.vmBody("nic1").with(tt.later...).String())
			}
			c.done("DELETE", c.compute("virtualMachines/vm"), "")
			for _, path := range []string{c.compute("disks/osdisk"), c.compute("disks/data"), c.network("networkInterfaces/nic1")} {
				status := 404
				if tt.stays {
					status = 200
				}
				c.want(status, "GET", path, "") // as soon as the deletion has ended
			}
			c.empty()
		})
	}
}
