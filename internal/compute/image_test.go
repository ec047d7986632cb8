package compute

import (
	"fmt"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"

	"lazuli/internal/arm"
	"lazuli/internal/arm/armtest"
	"lazuli/internal/fabric"
)

func ofVM(more string) string {
	return `{"location": "local", "tags": {}, "properties": {"sourceVirtualMachine": {"id": "` + vmID.String() + `"}` + more + `}}`
}

func ofDisk(name, more string) string {
	return `{"location": "local", "properties": {"storageProfile": {"osDisk": {"managedDisk": {"id": "` + diskNamed(name).String() + `"}` + more + `}, "dataDisks": []}}}`
}

func TestImageRules(t *testing.T) {
	ready := []string{"deallocate", "generalize"}
	tests := map[string]struct {
		before     []string
		body, code string
	}{
		"as az sends it":         {ready, ofVM(`, "hyperVGeneration": "V1"`), ""},
		"other generation":       {ready, ofVM(`, "hyperVGeneration": "V2"`), "InvalidParameter"},
		"unknown generation":     {ready, ofVM(`, "hyperVGeneration": "V9"`), "InvalidParameter"},
		"not generalized":        {[]string{"deallocate"}, ofVM(""), "OperationNotAllowed"},
		"not deallocated":        {[]string{"powerOff", "generalize"}, ofVM(""), "OperationNotAllowed"},
		"running":                {nil, ofVM(""), "OperationNotAllowed"},
		"of a missing machine":   {nil, fmt.Sprintf(`{"properties": {"sourceVirtualMachine": {"id": "%s9"}}}`, vmID), "InvalidResourceReference"},
		"of nothing":             {nil, `{"properties": {}}`, "InvalidParameter"},
		"of both":                {ready, ofVM(`, "storageProfile": {"osDisk": {"osType": "Linux"}}`), "InvalidParameter"},
		"of a disk":              {nil, ofDisk("d1", `, "osType": "linux", "osState": "generalized", "caching": "readwrite", "storageAccountType": "Premium_LRS", "diskSizeGB": 8`), ""},
		"of a disk in use":       {nil, ofDisk("os", `, "osType": "Linux", "osState": "Generalized"`), "OperationNotAllowed"},
		"of a disk, deallocated": {ready, ofDisk("os", `, "osType": "Linux", "osState": "Generalized"`), ""},
		"of a missing disk":      {nil, ofDisk("none", ""), "InvalidResourceReference"},
		"specialized":            {nil, ofDisk("d1", `, "osState": "Specialized"`), "InvalidParameter"},
		"larger than its disk":   {nil, ofDisk("d1", `, "diskSizeGB": 9`), "InvalidParameter"},
		"of an unknown system":   {nil, ofDisk("d1", `, "osType": "BeOS"`), "InvalidParameter"},
		"cached in no way":       {nil, ofDisk("d1", `, "caching": "x"`), "InvalidParameter"},
		"of an unknown kind":     {nil, ofDisk("d1", `, "storageAccountType": "x"`), "InvalidParameter"},
		"of a snapshot":          {nil, `{"properties": {"storageProfile": {"osDisk": {"snapshot": {"id": "/x"}, "osType": "Linux"}}}}`, "UnsupportedProperty"},
		"of a snapshot and disk": {nil, ofDisk("d1", `, "snapshot": {"id": "/x"}`), "UnsupportedProperty"},
		"of data disks too":      {nil, `{"properties": {"storageProfile": {"osDisk": {}, "dataDisks": [{}]}}}`, "UnsupportedProperty"},
		"in all zones":           {nil, `{"properties": {"storageProfile": {"zoneResilient": true}}}`, "UnsupportedProperty"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := withVM(t, "osDisk", `"osDisk": {"createOption": "FromImage", "name": "os"}`)
			for _, a := range tt.before {
				c.Post(vmID, a, "")
				settleVM(t, c, vmID)
			}
			res, err := c.Do(armtest.Request{Method: "PUT", ID: imgID, Body: tt.body})
			armtest.WantError(t, err, tt.code)
			if err == nil && (res.Operation == nil || !res.Created) {
				t.Errorf("result = %+v, want an operation", res)
			}
		})
	}
	t.Run("of a machine with data disks", func(t *testing.T) {
		c := withVM(t, "dataDisks", twoDisks)
		for _, a := range ready {
			c.Post(vmID, a, "")
			settleVM(t, c, vmID)
		}
		_, err := c.Do(armtest.Request{Method: "PUT", ID: imgID, Body: ofVM("")})
		armtest.WantError(t, err, "OperationNotAllowed")
	})
}

// An image that boots both ways begins a machine of either generation.
func TestFirmwareBySKU(t *testing.T) {
	for sku, want := range map[string]fabric.Firmware{"12": fabric.BIOS, "12-gen2": fabric.UEFI, "13-gen2": fabric.UEFI} {
		t.Run(sku, func(t *testing.T) {
			c := withVM(t, "image", `"imageReference": {"publisher": "lazuli", "offer": "debian", "sku": "`+sku+`", "version": "latest"}`,
				"osDisk", `"osDisk": {"createOption": "FromImage", "name": "os"}`)
			vm, err := VMs.Get(t.Context(), c.Store, vmID)
			if err != nil {
				t.Fatal(err)
			}
			disk, err := Disks.Get(t.Context(), c.Store, vm.Spec.OSDisk.ID)
			if err != nil {
				t.Fatal(err)
			}
			if vm.Spec.Firmware != want || vm.Spec.Image.SKU != sku || disk.Spec.HyperVGeneration != generationOf(want) {
				t.Errorf("firmware %s of SKU %s, disk of %s; want %s of %s", vm.Spec.Firmware, vm.Spec.Image.SKU, disk.Spec.HyperVGeneration, want, sku)
			}
		})
	}
}

// An image is made of a machine, and a machine of the image.
func TestMachineOfAnImage(t *testing.T) {
	c := withVM(t, "osDisk", `"osDisk": {"createOption": "FromImage", "name": "os", "diskSizeGB": 20}`,
		"image", `"imageReference": {"publisher": "lazuli", "offer": "debian", "sku": "13-gen2", "version": "latest"}`)
	for _, a := range []string{"deallocate", "generalize"} {
		c.Post(vmID, a, "")
		settleVM(t, c, vmID)
	}
	c.Put(imgID, ofVM(""))
	second := armtest.ID(VMType + "/vm2")
	of := body("image", `"imageReference": {"id": "`+imgID.String()+`"}`, "nics", `"networkInterfaces": [{"id": "`+nicNamed("nic2").String()+`"}]`)
	_, err := c.Do(armtest.Request{Method: "PUT", ID: second, Body: of})
	armtest.WantError(t, err, "OperationNotAllowed") // the image is not ready
	settleImage(t, c, imgID)
	armtest.Golden(t, "image", c.Get(imgID).Body)
	armtest.FitsSDK(t, c.Get(imgID).Body, &armcompute.Image{})

	c.Put(second, of)
	vm, err := VMs.Get(t.Context(), c.Store, second)
	if err != nil {
		t.Fatal(err)
	}
	img, err := Images.Get(t.Context(), c.Store, imgID)
	if err != nil {
		t.Fatal(err)
	}
	d := getDisk(t, c, vm.Spec.OSDisk.ID)
	if d.Spec.Image != "image-"+img.UID || d.Spec.SizeGiB != 20 || d.Spec.HyperVGeneration != "V2" || vm.Spec.Firmware != "uefi" || !d.Spec.Source.Equal(imgID) {
		t.Errorf("disk = %+v, machine = %+v", d.Spec, vm.Spec)
	}
	settleVM(t, c, second)
	c.Put(second, armtest.JSON(t, c.Get(second).Body))

	// What the image is made of does not change any more, but its tags do.
	c.Put(imgID, armtest.JSON(t, c.Get(imgID).Body))
	if got := armtest.At(t, c.Patch(imgID, `{"tags": {"a": "b"}}`).Body, "tags.a"); got != "b" {
		t.Errorf("tag = %v", got)
	}
	for _, patch := range []string{
		`"sourceVirtualMachine": {"id": "` + second.String() + `"}`,
		`"storageProfile": {"osDisk": {"managedDisk": {"id": "` + diskID.String() + `"}}}`,
		`"storageProfile": {"dataDisks": [{}]}`,
		`"storageProfile": {"osDisk": {"osType": "Windows"}}`,
		`"storageProfile": {"osDisk": {"osState": "Specialized"}}`,
		`"storageProfile": {"osDisk": {"caching": "None"}}`,
		`"storageProfile": {"osDisk": {"storageAccountType": "Standard_LRS"}}`,
		`"storageProfile": {"osDisk": {"diskSizeGB": 21}}`,
		`"hyperVGeneration": "V1"`,
	} {
		_, err := c.Do(armtest.Request{Method: "PATCH", ID: imgID, Body: `{"properties": {` + patch + `}}`})
		armtest.WantError(t, err, "PropertyChangeNotAllowed")
	}
	settleImage(t, c, imgID)
	_, err = c.Do(armtest.Request{Method: "DELETE", ID: imgID})
	armtest.WantError(t, err, "OperationNotAllowed") // the disk is not made of it yet
	settleDisk(t, c, vm.Spec.OSDisk.ID)
	if op := c.Delete(imgID).Operation; op == nil {
		t.Error("a deletion without an operation")
	}
	_, err = c.Do(armtest.Request{Method: "PUT", ID: armtest.ID(VMType + "/vm3"), Body: of})
	armtest.WantError(t, err, "InvalidResourceReference")
	if users, err := arm.Users(t.Context(), c.Store, imgID); err != nil || len(users) != 1 {
		t.Errorf("users of the image = %v, %v, want the disk", users, err)
	}
}

// Nothing happens to a disk while an image is made of it.
func TestDiskBehindAnImage(t *testing.T) {
	c := withVM(t, "osDisk", `"osDisk": {"createOption": "FromImage", "name": "os", "deleteOption": "Delete"}`)
	c.Post(vmID, "deallocate", "")
	settleVM(t, c, vmID)
	c.Put(imgID, ofDisk("os", ""))
	requests := map[string]armtest.Request{
		"start":  {Method: "POST", ID: vmID, Action: "start"},
		"grow":   {Method: "PATCH", ID: diskNamed("os"), Body: `{"properties": {"diskSizeGB": 100}}`},
		"delete": {Method: "DELETE", ID: vmID},
	}
	for name, r := range requests {
		t.Run(name, func(t *testing.T) {
			_, err := c.Do(r)
			armtest.WantError(t, err, "OperationNotAllowed")
		})
	}
	settleImage(t, c, imgID)
	for _, name := range []string{"grow", "start"} {
		t.Run(name+" when it is done", func(t *testing.T) {
			_, err := c.Do(requests[name])
			armtest.WantError(t, err, "")
		})
	}
	settleVM(t, c, vmID)
	c.Post(vmID, "deallocate", "")
	settleVM(t, c, vmID)
	c.Delete(vmID)
	_, err := c.Do(armtest.Request{Method: "PUT", ID: armtest.ID(ImageType + "/late"), Body: ofDisk("os", "")})
	armtest.WantError(t, err, "OperationNotAllowed") // the disk goes with the machine
}
