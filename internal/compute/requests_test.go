package compute

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"lazuli/internal/arm"
	"lazuli/internal/arm/armtest"
)

// testdata/requests holds the resources that "az vm create" sends, for
// different ways of making a machine.
func TestAzCreate(t *testing.T) {
	files, err := filepath.Glob("testdata/requests/create-*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("requests = %v, %v", files, err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".json"), func(t *testing.T) {
			c := withVM(t)
			// What the recorded requests take as given.
			c.Put(armtest.ID("Microsoft.Network/virtualNetworks/vm1VNET"), vnetOf("vm1Subnet"))
			c.Put(armtest.ID("Microsoft.Network/virtualNetworks/vm2VNET"), vnetOf("vm2Subnet"))
			c.Put(imgID, ofDisk("d1", ""))
			settleImage(t, c, imgID)
			c.Put(diskNamed("d2"), disk(creation("Empty", "")+`, "diskSizeGB": 8`))
			settleDisk(t, c, diskNamed("d2"))
			c.Post(vmID, "deallocate", "")
			settleVM(t, c, vmID)
			deleteVM(t, c)
			for _, r := range recorded(t, file) {
				id := armtest.ID(r["type"].(string) + "/" + r["name"].(string))
				delete(r, "type")
				delete(r, "name")
				res := c.Put(id, armtest.JSON(t, r))
				if id.Is(VMType) && (res.Operation == nil || !res.Created) {
					t.Errorf("result = %+v", res)
				}
			}
		})
	}
}

func vnetOf(subnet string) string {
	return `{"properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}, "subnets": [{"name": "` + subnet + `", "properties": {"addressPrefix": "10.0.0.0/24"}}]}}`
}

func recorded(t *testing.T, file string) []map[string]any {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var rs []map[string]any
	if err := json.Unmarshal(b, &rs); err != nil {
		t.Fatal(err)
	}
	return rs
}

// az changes a machine by sending back all that it read, with something changed
// in it. testdata/requests/change-*.json are such bodies.
func TestAzChange(t *testing.T) {
	key := recordedKey(t)
	profile := func(passwords bool) string {
		return fmt.Sprintf(`"osProfile": {"computerName": "vm1", "adminUsername": "azureuser", "adminPassword": %q, "linuxConfiguration": {"disablePasswordAuthentication": %t,
			"ssh": {"publicKeys": [{"keyData": %q, "path": "/home/azureuser/.ssh/authorized_keys"}]}}}`, map[bool]string{true: "Str0ng!Passw0rd"}[passwords], !passwords, key)
	}
	const osDisk = `"osDisk": {"createOption": "fromImage", "name": "vm1_OsDisk_1", "diskSizeGb": 30}`
	disk := func(lun int, name string, size int) string {
		return fmt.Sprintf(`{"lun": %d, "createOption": "empty", "name": %q, "diskSizeGB": %d}`, lun, name, size)
	}
	two := disk(0, "vm1_disk2_x", 4) + ", " + disk(1, "vm1_disk3_x", 8)
	three := two + `, {"lun": 2, "createOption": "attach", "managedDisk": {"id": "` + diskID.String() + `"}}`
	tests := map[string]struct {
		disks     string // that the machine has before
		passwords bool
		want      string // that it has after
		check     func(vm *vmObject) bool
	}{
		"attach": {two, true, "vm1_disk2_x vm1_disk3_x d1", nil},
		"detach": {three, true, "vm1_disk2_x vm1_disk3_x", nil},
		"resize": {"", false, "", func(vm *vmObject) bool { return vm.Spec.Size == "Standard_B2s" && vm.Spec.Restarts == 1 }},
		"update": {"", false, "", func(vm *vmObject) bool { return vm.Tags["x"] == "y" && vm.Spec.Restarts == 0 }},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := newCloud(t)
			c.Put(diskID, `{"location": "local", "properties": {"creationData": {"createOption": "Empty"}, "diskSizeGB": 8}}`)
			settleDisk(t, c, diskID)
			large := strings.Replace(body("os", profile(tt.passwords), "osDisk", osDisk, "dataDisks", `"dataDisks": [`+tt.disks+`]`), "Standard_B1s", "Standard_B2s", 1)
			if name == "update" || name == "resize" {
				large = strings.Replace(large, "Standard_B2s", "Standard_B1s", 1)
			}
			c.Put(vmID, large)
			settleVM(t, c, vmID)
			raw, err := recordedChange(name)
			if err != nil {
				t.Fatal(err)
			}
			if tt.disks != "" {
				raw = strings.Replace(raw, "Standard_B1s", "Standard_B2s", 1) // which has room for the disks
			}
			c.Put(vmID, raw)
			vm := getVM(t, c)
			var names []string
			for _, d := range vm.Spec.DataDisks {
				names = append(names, d.ID.Name())
			}
			if got := strings.Join(names, " "); got != tt.want || tt.check != nil && !tt.check(vm) {
				t.Errorf("disks %q, want %q; spec %+v, tags %v", got, tt.want, vm.Spec, vm.Tags)
			}
		})
	}
}

// recordedChange is the recorded body of a change.
func recordedChange(name string) (string, error) {
	b, err := os.ReadFile("testdata/requests/change-" + name + ".json")
	return string(b), err
}

// recordedKey is the key in the recorded bodies.
func recordedKey(t *testing.T) string {
	t.Helper()
	raw, err := recordedChange("update")
	if err != nil {
		t.Fatal(err)
	}
	var b struct {
		Properties struct{ OSProfile osProfile }
	}
	if err := json.Unmarshal([]byte(raw), &b); err != nil {
		t.Fatal(err)
	}
	return b.Properties.OSProfile.Linux.SSH.PublicKeys[0].KeyData
}

// What az sends to make a disk, and an image of a machine.
func TestAzDiskAndImage(t *testing.T) {
	c := withVM(t)
	c.Post(vmID, "deallocate", "")
	settleVM(t, c, vmID)
	c.Post(vmID, "generalize", "")
	for file, id := range map[string]arm.ID{"diskcreate": diskNamed("new"), "imagecreate-from-vm": imgID} {
		b, err := os.ReadFile("testdata/requests/" + file + ".json")
		if err != nil {
			t.Fatal(err)
		}
		if res := c.Put(id, string(b)); !res.Created || res.Operation == nil {
			t.Errorf("%s: result = %+v", file, res)
		}
	}
}
