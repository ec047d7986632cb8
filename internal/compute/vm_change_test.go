package compute

import (
	"strings"
	"testing"

	"lazuli/internal/arm"
	"lazuli/internal/arm/armtest"
	"lazuli/internal/fabric"
)

// changed is the body of the machine as it is, with old replaced by new.
func changed(t *testing.T, c *armtest.Cloud, old, new string) string {
	t.Helper()
	b := armtest.JSON(t, c.Get(vmID).Body)
	if !strings.Contains(b, old) {
		t.Fatalf("%s is not in %s", old, b)
	}
	return strings.Replace(b, old, new, 1)
}

func TestVMChangesThatAreRefused(t *testing.T) {
	tests := map[string]struct{ old, new, code, target string }{
		"name of the computer": {`"computerName": "vm1"`, `"computerName": "vm2"`, "PropertyChangeNotAllowed", "osProfile.computerName"},
		"user":                 {`"adminUsername": "azureuser"`, `"adminUsername": "other"`, "PropertyChangeNotAllowed", "osProfile.adminUsername"},
		"custom data":          {`"secrets": []`, `"customData": "AAAA"`, "PropertyChangeNotAllowed", "osProfile.customData"},
		"secrets":              {`"secrets": []`, `"secrets": [{}]`, "UnsupportedProperty", "properties.osProfile.secrets"},
		"key":                  {`ssh-ed25519 AAAA`, `ssh-ed25519 BBBB`, "PropertyChangeNotAllowed", "linuxConfiguration.ssh.publicKeys"},
		"password login":       {`"disablePasswordAuthentication": true`, `"disablePasswordAuthentication": false`, "PropertyChangeNotAllowed", "linuxConfiguration.disablePasswordAuthentication"},
		"agent":                {`"provisionVMAgent": true`, `"provisionVMAgent": false`, "PropertyChangeNotAllowed", "linuxConfiguration.provisionVMAgent"},
		"extensions":           {`"allowExtensionOperations": true`, `"allowExtensionOperations": false`, "PropertyChangeNotAllowed", "osProfile.allowExtensionOperations"},
		"patching":             {`"patchMode": "ImageDefault"`, `"patchMode": "AutomaticByPlatform"`, "InvalidParameter", "properties.osProfile.linuxConfiguration.patchSettings.patchMode"},
		"image":                {`"sku": "12"`, `"sku": "13-gen2"`, "PropertyChangeNotAllowed", "imageReference"},
		"image by id":          {`"publisher": "lazuli"`, `"id": "/subscriptions/x/resourceGroups/y/providers/Microsoft.Compute/images/z"`, "PropertyChangeNotAllowed", "imageReference"},
		"OS disk's name":       {`"name": "vm1_OsDisk`, `"name": "vm2_OsDisk`, "PropertyChangeNotAllowed", "osDisk.name"},
		"OS disk's id":         {`disks/vm1_OsDisk`, `disks/vm2_OsDisk`, "PropertyChangeNotAllowed", "osDisk.managedDisk.id"},
		"OS disk's size":       {`"diskSizeGB": 3`, `"diskSizeGB": 4`, "PropertyChangeNotAllowed", "osDisk.diskSizeGB"},
		"OS disk's origin":     {`"createOption": "FromImage"`, `"createOption": "Attach"`, "PropertyChangeNotAllowed", "osDisk.createOption"},
		"OS disk's kind":       {`"storageAccountType": "Premium_LRS"`, `"storageAccountType": "Standard_LRS"`, "PropertyChangeNotAllowed", "osDisk.managedDisk.storageAccountType"},
		"OS":                   {`"osType": "Linux"`, `"osType": "Windows"`, "PropertyChangeNotAllowed", "osDisk.osType"},
		"zone":                 {`"properties":`, `"zones": ["1"], "properties":`, "PropertyChangeNotAllowed", "zones"},
		"location":             {`"location": "local"`, `"location": "moon"`, "InvalidResourceLocation", "location"},
		"size unknown":         {`Standard_B1s`, `Standard_B0`, "InvalidParameter", "properties.hardwareProfile.vmSize"},
		"data disk's LUN":      {`"lun": 0`, `"lun": 5`, "PropertyChangeNotAllowed", "dataDisk.lun"},
		"data disk's name":     {`"name": "vm1_disk2_`, `"name": "vm1_disk3_`, "PropertyChangeNotAllowed", "dataDisk.name"},
		"image by name and id": {`"publisher": "lazuli"`, `"publisher": "lazuli", "id": "/subscriptions/x/resourceGroups/y/providers/Microsoft.Compute/images/z"`, "PropertyChangeNotAllowed", "imageReference"},
		"data disk's size":     {`"diskSizeGB": 4`, `"diskSizeGB": 5`, "PropertyChangeNotAllowed", "dataDisk.diskSizeGB"},
		"data disk's origin":   {`"createOption": "Empty"`, `"createOption": "Attach"`, "PropertyChangeNotAllowed", "dataDisk.createOption"},
		"interface while it runs": {
			`"networkInterfaces": [`, `"networkInterfaces": [{"id": "` + nicNamed("nic2").String() + `"},`,
			"AddingOrDeletingNetworkInterfacesOnARunningVirtualMachineNotSupported", nicsTarget,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := withVM(t, "dataDisks", `"dataDisks": [{"lun": 0, "createOption": "Empty", "diskSizeGB": 4}]`)
			before := armtest.JSON(t, getVM(t, c))
			_, err := c.Do(armtest.Request{Method: "PUT", ID: vmID, Body: changed(t, c, tt.old, tt.new)})
			armtest.WantError(t, err, tt.code)
			if ae, ok := err.(*arm.Error); ok && ae.Target != tt.target {
				t.Errorf("target = %s, want %s", ae.Target, tt.target)
			}
			if after := armtest.JSON(t, getVM(t, c)); after != before {
				t.Errorf("the machine changed from %s to %s", before, after)
			}
		})
	}
}

func TestResize(t *testing.T) {
	tests := map[string]struct {
		size, action string
		restarts     int64
		code         string
	}{
		"while it runs": {"Standard_B2ms", "", 1, ""},
		"while down":    {"Standard_D2s_v5", "deallocate", 0, ""},
		"the same":      {"standard_b1s", "", 0, ""},
		"to the least":  {"Standard_B1ls", "", 1, ""}, // it holds two disks
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := withVM(t, "dataDisks", twoDisks)
			if tt.action != "" {
				c.Post(vmID, tt.action, "")
				settleVM(t, c, vmID)
			}
			generation := getVM(t, c).Generation
			_, err := c.Do(armtest.Request{Method: "PATCH", ID: vmID, Body: `{"properties": {"hardwareProfile": {"VMSIZE": "` + tt.size + `"}}}`})
			armtest.WantError(t, err, tt.code)
			vm := getVM(t, c)
			if !strings.EqualFold(vm.Spec.Size, tt.size) || vm.Spec.Restarts != tt.restarts || vm.Generation != generation+1 {
				t.Errorf("size %s, restarts %d, generation %d", vm.Spec.Size, vm.Spec.Restarts, vm.Generation)
			}
		})
	}
	c := withVM(t, "hardware", `"hardwareProfile": {"vmSize": "Standard_B2s"}`, "dataDisks",
		`"dataDisks": [{"lun": 0, "createOption": "Empty", "diskSizeGB": 1}, {"lun": 1, "createOption": "Empty", "diskSizeGB": 1}, {"lun": 2, "createOption": "Empty", "diskSizeGB": 1}]`)
	_, err := c.Do(armtest.Request{Method: "PATCH", ID: vmID, Body: `{"properties": {"hardwareProfile": {"vmSize": "Standard_B1s"}}}`})
	armtest.WantError(t, err, "OperationNotAllowed")
}

func TestAttachAndDetach(t *testing.T) {
	c := withVM(t, "dataDisks", twoDisks)
	first, second := getVM(t, c).Spec.DataDisks[0].ID, getVM(t, c).Spec.DataDisks[1].ID
	put := func(disks string) error {
		_, err := c.Do(armtest.Request{Method: "PATCH", ID: vmID, Body: `{"properties": {"storageProfile": {"dataDisks": ` + disks + `}}}`})
		if err == nil {
			settleVM(t, c, vmID)
		}
		return err
	}
	owner := func(id arm.ID) string { return getDisk(t, c, id).Spec.ManagedBy.String() }

	// As az attaches and detaches: the list with one more, or one less.
	armtest.WantError(t, put(`[{"lun": 0, "name": "`+first.Name()+`"}, {"lun": 2, "createOption": "Attach", "caching": "ReadOnly", "managedDisk": {"id": "`+diskID.String()+`"}}]`), "")
	if owner(first) != vmID.String() || owner(second) != "" || owner(diskID) != vmID.String() {
		t.Errorf("owners: %q %q %q", owner(first), owner(second), owner(diskID))
	}
	if d := getVM(t, c).Spec.DataDisks[1]; d.LUN != 2 || d.CreateOption != "Attach" || d.Caching != "ReadOnly" || !d.ID.Equal(diskID) {
		t.Errorf("attached %+v", d)
	}
	// The machine that has it may have it back while the node still holds it.
	settleDisk(t, c, second, func(s *DiskStatus) { s.HeldBy = vmID })
	armtest.WantError(t, put(`[{"lun": 0, "createOption": "Attach", "managedDisk": {"id": "`+second.String()+`"}}]`), "")
	if owner(first) != "" || owner(second) != vmID.String() || owner(diskID) != "" {
		t.Errorf("owners: %q %q %q", owner(first), owner(second), owner(diskID))
	}
	armtest.WantError(t, put(`[{"lun": 0, "name": "`+second.Name()+`", "toBeDetached": true}]`), "")
	if n := len(getVM(t, c).Spec.DataDisks); n != 0 || owner(second) != "" {
		t.Errorf("%d disks, owner %q", n, owner(second))
	}
	os := getVM(t, c).Spec.OSDisk.ID
	armtest.WantError(t, put(`[{"lun": 0, "createOption": "Attach", "managedDisk": {"id": "`+os.String()+`"}}]`), "InvalidParameter")
	// Left out, the disks stay; the OS disk can be cached in another way.
	armtest.WantError(t, put(`[{"lun": 1, "createOption": "Attach", "name": "d1"}]`), "")
	_, err := c.Do(armtest.Request{Method: "PUT", ID: vmID, Body: body("osDisk", `"osDisk": {"createOption": "FromImage", "caching": "None", "deleteOption": "Delete"}`)})
	armtest.WantError(t, err, "")
	if v := getVM(t, c).Spec; len(v.DataDisks) != 1 || v.OSDisk.Caching != "None" || !v.OSDisk.DeleteWithVM {
		t.Errorf("spec = %+v", v)
	}
}

func TestInterfacesOfADeallocatedMachine(t *testing.T) {
	c := withVM(t)
	c.Post(vmID, "deallocate", "")
	settleVM(t, c, vmID)
	c.Patch(vmID, `{"properties": {"networkProfile": {"networkInterfaces": [{"id": "`+nicID.String()+`"}, {"id": "`+nicNamed("nic2").String()+`", "properties": {"primary": true}}]}}}`)
	settleVM(t, c, vmID)
	if nics := getVM(t, c).Spec.NICs; len(nics) != 2 || !nics[0].ID.Equal(nicNamed("nic2")) || !nics[0].Primary || nics[1].Primary {
		t.Errorf("interfaces = %+v", nics)
	}
	if armtest.At(t, c.Get(nicNamed("nic2")).Body, "properties.primary") != true || armtest.At(t, c.Get(nicID).Body, "properties.primary") != false {
		t.Error("the interfaces do not know which is the primary one")
	}
	c.Patch(vmID, `{"properties": {"networkProfile": {"networkInterfaces": [{"id": "`+nicNamed("nic2").String()+`"}]}}}`)
	if got := armtest.At(t, c.Get(nicID).Body, "properties.virtualMachine"); got != nil {
		t.Errorf("nic1 is still plugged into %v", got)
	}
}

func TestUserData(t *testing.T) {
	c := withVM(t, "more", `"userData": "aGVsbG8="`)
	for _, step := range []struct{ body, want string }{
		{`{"tags": {"a": "b"}}`, "aGVsbG8="},
		{`{"properties": {"userData": "AAAA"}}`, "AAAA"},
		{`{"properties": {"userData": ""}}`, ""},
	} {
		c.Patch(vmID, step.body)
		settleVM(t, c, vmID)
		if got := getVM(t, c).Spec.UserData; got != step.want {
			t.Errorf("after %s the user data is %q, want %q", step.body, got, step.want)
		}
	}
}

func TestForget(t *testing.T) {
	tests := map[string]struct {
		option     string
		disksGo    bool
		nicRemains bool
	}{
		"things outlive the machine":  {"Detach", false, true},
		"things go with the machine":  {"Delete", true, false},
		"nothing is said, all remain": {"", false, true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := withVM(t,
				"osDisk", `"osDisk": {"createOption": "FromImage", "deleteOption": "`+tt.option+`"}`,
				"dataDisks", `"dataDisks": [{"lun": 0, "createOption": "Empty", "diskSizeGB": 1, "deleteOption": "`+tt.option+`"}]`,
				"nics", `"networkInterfaces": [{"id": "`+nicID.String()+`", "properties": {"deleteOption": "`+tt.option+`"}}]`)
			disks := getVM(t, c).Spec.AllDisks()
			res := c.Delete(vmID)
			again := c.Delete(vmID)
			if res.Operation == nil || again.Operation == nil || again.Operation.ID != res.Operation.ID {
				t.Fatalf("operations = %+v, %+v, want one", res.Operation, again.Operation)
			}
			if got := armtest.At(t, c.Get(vmID).Body, "properties.provisioningState"); got != "Deleting" {
				t.Errorf("provisioningState = %v", got)
			}
			for _, r := range []armtest.Request{{Method: "PUT", ID: vmID, Body: body()}, {Method: "POST", ID: vmID, Action: "start"}} {
				if _, err := c.Do(r); err == nil {
					t.Errorf("%s of a machine that is being deleted was allowed", r.Method)
				}
			}
			for range 2 {
				if left := deleteDisks(t, c); left != tt.disksGo {
					t.Errorf("disks to wait for: %t, want %t", left, tt.disksGo)
				}
			}
			for _, d := range disks {
				if got := getDisk(t, c, d.ID); got.Deleting() != tt.disksGo {
					t.Errorf("disk = %+v %+v", got.Meta, got.Spec)
				}
				settleDeletion(t, c, d.ID)
			}
			if deleteDisks(t, c) {
				t.Error("disks that are gone are waited for")
			}
			forgetVM(t, c)
			if !tt.disksGo {
				for _, d := range disks {
					if got := getDisk(t, c, d.ID); !got.Spec.ManagedBy.IsZero() || got.Spec.OS {
						t.Errorf("disk = %+v %+v, want it free", got.Meta, got.Spec)
					}
				}
			}
			_, err := c.Do(armtest.Request{Method: "GET", ID: nicID})
			if (err == nil) != tt.nicRemains {
				t.Errorf("interface: %v, want it to remain: %t", err, tt.nicRemains)
			}
			if _, err := c.Do(armtest.Request{Method: "GET", ID: vmID}); err == nil {
				t.Error("the machine is still there")
			}
		})
	}
}

func TestActions(t *testing.T) {
	type want struct {
		power    fabric.Power
		restarts int64
		hard     bool
		asked    bool // the power was asked for now
		code     string
	}
	tests := map[string]struct {
		before []string
		action string
		query  string
		want   want
	}{
		"start what runs":         {nil, "start", "", want{power: fabric.Running, asked: true}},
		"start what is off":       {[]string{"deallocate"}, "start", "", want{power: fabric.Running, asked: true}},
		"power off":               {nil, "powerOff", "", want{power: fabric.Stopped, asked: true}},
		"power off, politely":     {nil, "powerOff", "false", want{power: fabric.Stopped, asked: true}},
		"power off, hard":         {nil, "powerOff", "true", want{power: fabric.Stopped, hard: true, asked: true}},
		"power off, badly":        {nil, "powerOff", "maybe", want{power: fabric.Running, code: "InvalidParameter"}},
		"power off what is freed": {[]string{"deallocate"}, "powerOff", "", want{power: fabric.Deallocated}},
		"deallocate":              {nil, "deallocate", "", want{power: fabric.Deallocated, asked: true}},
		"deallocate what is off":  {[]string{"powerOff"}, "deallocate", "", want{power: fabric.Deallocated, asked: true}},
		"restart":                 {nil, "restart", "", want{power: fabric.Running, restarts: 1, asked: true}},
		"restart what is off":     {[]string{"powerOff"}, "restart", "", want{power: fabric.Stopped, code: "OperationNotAllowed"}},
		"redeploy":                {nil, "redeploy", "", want{power: fabric.Running, restarts: 1, asked: true}},
		"redeploy what is off":    {[]string{"powerOff"}, "redeploy", "", want{power: fabric.Stopped}},
		"reapply":                 {nil, "reapply", "", want{power: fabric.Running}},
		"start what is an image":  {[]string{"deallocate", "generalize"}, "start", "", want{power: fabric.Deallocated, code: "OperationNotAllowed"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := withVM(t)
			for _, a := range tt.before {
				c.Post(vmID, a, "")
				settleVM(t, c, vmID)
			}
			generation := getVM(t, c).Generation
			r := armtest.Request{Method: "POST", ID: vmID, Action: tt.action}
			if tt.query != "" {
				r.Query = map[string][]string{"skipShutdown": {tt.query}}
			}
			res, err := c.Do(r)
			armtest.WantError(t, err, tt.want.code)
			vm := getVM(t, c)
			got := want{power: vm.Spec.Power, restarts: vm.Spec.Restarts, hard: vm.Spec.Hard, asked: vm.Spec.PowerGeneration == generation+1, code: tt.want.code}
			if got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
			if err == nil && (res.Operation == nil || res.Operation.Action != tt.action || res.Operation.Generation != vm.Generation || vm.Generation != generation+1) {
				t.Errorf("operation = %+v at generation %d", res.Operation, vm.Generation)
			}
		})
	}
}

// A machine that is to keep its memory must not lose it.
func TestHibernateIsRefused(t *testing.T) {
	c := withVM(t)
	for query, code := range map[string]string{"true": "UnsupportedProperty", "maybe": "InvalidParameter", "false": ""} {
		_, err := c.Do(armtest.Request{Method: "POST", ID: vmID, Action: "deallocate", Query: map[string][]string{"Hibernate": {query}}})
		armtest.WantError(t, err, code)
		if down := getVM(t, c).Spec.Power != fabric.Running; down != (code == "") {
			t.Errorf("with hibernate=%s the machine goes down: %t", query, down)
		}
		if code == "" {
			settleVM(t, c, vmID)
			c.Post(vmID, "start", "")
			settleVM(t, c, vmID)
		}
	}
}

func TestGeneralize(t *testing.T) {
	c := withVM(t)
	_, err := c.Do(armtest.Request{Method: "POST", ID: vmID, Action: "generalize"})
	armtest.WantError(t, err, "OperationNotAllowed")
	c.Post(vmID, "powerOff", "")
	settleVM(t, c, vmID)
	for range 2 {
		if res := c.Post(vmID, "generalize", ""); res.Operation != nil {
			t.Errorf("operation = %+v, want it done at once", res.Operation)
		}
	}
	if !getVM(t, c).Spec.Generalized {
		t.Error("the machine is not generalized")
	}
	for _, action := range []string{"generalize", "restart", "retrieveBootDiagnosticsData"} {
		_, err := c.Do(armtest.Request{Method: "POST", ID: armtest.ID(VMType + "/none"), Action: action})
		armtest.WantError(t, err, "ResourceNotFound")
	}
}
