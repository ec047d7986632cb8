package compute

import (
	"strings"
	"testing"

	"lazuli/internal/arm"
	"lazuli/internal/arm/armtest"
	"lazuli/internal/fabric"
)

const (
	goesWithVM = `"osDisk": {"createOption": "fromImage", "name": "os", "deleteOption": "Delete", "diskSizeGb": 40, "managedDisk": {"storageAccountType": "StandardSSD_LRS"}}`
	staysAlone = `"osDisk": {"createOption": "fromImage", "name": "os", "diskSizeGb": 40, "managedDisk": {"storageAccountType": "StandardSSD_LRS"}}`
)

// forgetSecrets does what is done when the guest is ready.
func forgetSecrets(t *testing.T, c *armtest.Cloud) {
	t.Helper()
	uid := getVM(t, c).UID
	if err := c.Update(func(call *arm.Call) error { DropSecrets(call.Tx, uid); return nil }); err != nil {
		t.Fatal(err)
	}
}

func TestReimage(t *testing.T) {
	for name, tt := range map[string]struct {
		osDisk string
		goes   bool
	}{"old disk goes": {goesWithVM, true}, "old disk stays": {staysAlone, false}} {
		t.Run(name, func(t *testing.T) {
			c := withVM(t, "osDisk", tt.osDisk, "dataDisks", disksAB)
			before := getVM(t, c)
			res := c.Post(vmID, "reimage", "")
			vm := getVM(t, c)
			if res.Operation == nil || res.Operation.Action != "reimage" || vm.Generation != before.Generation+1 || vm.Spec.Restarts != 1 {
				t.Errorf("result = %+v, spec = %+v", res, vm.Spec)
			}
			old, now := getDisk(t, c, before.Spec.OSDisk.ID), getDisk(t, c, vm.Spec.OSDisk.ID)
			if old.UID == now.UID || now.Spec.SizeGiB != 40 || now.Spec.SKU != "StandardSSD_LRS" || now.Spec.Image != "debian-12-10" || !now.Spec.ManagedBy.Equal(vmID) || !now.Spec.OS {
				t.Errorf("the new disk is %+v", now.Spec)
			}
			if old.Deleting() != tt.goes || !old.Spec.ManagedBy.IsZero() || old.Spec.OS {
				t.Errorf("the old disk is %+v, deleting: %t", old.Spec, old.Deleting())
			}
			if len(vm.Spec.DataDisks) != 2 || vm.Spec.OSDisk.DeleteWithVM != tt.goes || vm.Spec.OSDisk.Caching != before.Spec.OSDisk.Caching {
				t.Errorf("spec = %+v", vm.Spec)
			}
			_, err := c.Do(armtest.Request{Method: "POST", ID: vmID, Action: "reimage"})
			armtest.WantError(t, err, "OperationNotAllowed") // while the first is under way
			settleVM(t, c, vmID)
			c.Put(vmID, armtest.JSON(t, c.Get(vmID).Body)) // what is read can be sent back
		})
	}
}

func TestReimageOfWhatIsOff(t *testing.T) {
	c := withVM(t)
	c.Post(vmID, "deallocate", "")
	settleVM(t, c, vmID)
	c.Post(vmID, "reimage", `{"tempDisk": false}`)
	if vm := getVM(t, c); vm.Spec.Power != fabric.Deallocated || vm.Spec.Restarts != 0 {
		t.Errorf("spec = %+v, want it to stay deallocated", vm.Spec)
	}
}

func TestReimageToAVersion(t *testing.T) {
	c := withVM(t)
	c.Post(vmID, "reimage", `{"exactVersion": "12.9.0"}`)
	vm := getVM(t, c)
	if got := getDisk(t, c, vm.Spec.OSDisk.ID).Spec.Image; got != "debian-12-9" || vm.Spec.Image.ExactVersion != "12.9.0" || vm.Spec.Image.Version != "latest" {
		t.Errorf("made of %s, image %+v", got, vm.Spec.Image)
	}
}

// What a guest was told at first and is forgotten has to be told again.
func TestReimageAsksForSecrets(t *testing.T) {
	tests := map[string]struct {
		os        string
		forgotten bool
		body      string
		code      string
		password  string // that the guest will be told
	}{
		"none":                {"", true, "", "", ""},
		"not forgotten yet":   {password, false, "", "", "Str0ng!Passw0rd"},
		"another one":         {password, false, `{"osProfile": {"adminPassword": "An0ther!Passw0rd"}}`, "", "An0ther!Passw0rd"},
		"forgotten":           {password, true, "", "InvalidParameter", ""},
		"without custom data": {password, true, `{"osProfile": {"adminPassword": "An0ther!Passw0rd"}}`, "InvalidParameter", ""},
		"given again":         {password, true, `{"osProfile": {"adminPassword": "An0ther!Passw0rd", "customData": "aGVsbG8="}}`, "", "An0ther!Passw0rd"},
		"weak":                {password, true, `{"osProfile": {"adminPassword": "short", "customData": "aGVsbG8="}}`, "InvalidParameter", ""},
		"custom data of none": {password, true, `{"osProfile": {"adminPassword": "An0ther!Passw0rd", "customData": "?"}}`, "InvalidParameter", ""},
		"where there is none": {"", true, `{"osProfile": {"adminPassword": "An0ther!Passw0rd"}}`, "InvalidParameter", ""},
		"new custom data":     {"", true, `{"osProfile": {"customData": "aGVsbG8="}}`, "", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			changes := []string{}
			if tt.os != "" {
				changes = []string{"os", tt.os}
			}
			c := withVM(t, changes...)
			if tt.forgotten {
				forgetSecrets(t, c)
			}
			_, err := c.Do(armtest.Request{Method: "POST", ID: vmID, Action: "reimage", Body: tt.body})
			armtest.WantError(t, err, tt.code)
			if tt.code != "" {
				return
			}
			vm := getVM(t, c)
			s, err := FindSecrets(t.Context(), c.Store, vm.UID)
			if err != nil || s.AdminPassword != tt.password {
				t.Errorf("the guest will be told %+v, %v, want %q", s, err, tt.password)
			}
			if !vm.Spec.OS.PasswordDigest.of(tt.password) || !vm.Spec.OS.CustomDataDigest.of(s.CustomData) {
				t.Errorf("digests = %+v", vm.Spec.OS)
			}
			if raw := armtest.JSON(t, vm.Spec); tt.password != "" && strings.Contains(raw, tt.password) {
				t.Errorf("the password is in the spec: %s", raw)
			}
		})
	}
}

func TestReimageRefused(t *testing.T) {
	attach := `"osDisk": {"createOption": "Attach", "osType": "Linux", "managedDisk": {"id": "` + diskNamed("d2").String() + `"}}`
	tests := map[string]struct {
		prepare    func(t *testing.T, c *armtest.Cloud)
		body, code string
	}{
		"temporary disk":  {nil, `{"tempDisk": true}`, "UnsupportedProperty"},
		"unknown version": {nil, `{"exactVersion": "1.0"}`, "PlatformImageNotFound"},
		"unknown wish":    {nil, `{"forceUpdateOSDiskForEphemeral": true}`, "UnsupportedProperty"},
		"not JSON":        {nil, `{`, "InvalidRequestContent"},
		"generalized": {func(_ *testing.T, c *armtest.Cloud) {
			c.Post(vmID, "deallocate", "")
			settleVM(t, c, vmID)
			c.Post(vmID, "generalize", "")
		}, "", "OperationNotAllowed"},
		"no image": {func(t *testing.T, c *armtest.Cloud) {
			deleteVM(t, c)
			c.Put(diskNamed("d2"), disk(creation("Empty", "")+`, "diskSizeGB": 8`))
			settleDisk(t, c, diskNamed("d2"))
			c.Put(vmID, body("osDisk", attach, "image", "-", "os", "-"))
			settleVM(t, c, vmID)
		}, "", "OperationNotAllowed"},
		"going": {func(_ *testing.T, c *armtest.Cloud) { c.Delete(vmID) }, "", "OperationNotAllowed"},
		"being copied": {func(t *testing.T, c *armtest.Cloud) {
			c.Post(vmID, "deallocate", "")
			settleVM(t, c, vmID)
			c.Put(diskNamed("copy"), disk(creation("Copy", from(getVM(t, c).Spec.OSDisk.ID))))
		}, "", "OperationNotAllowed"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := withVM(t)
			if tt.prepare != nil {
				tt.prepare(t, c)
			}
			before := armtest.JSON(t, getVM(t, c))
			_, err := c.Do(armtest.Request{Method: "POST", ID: vmID, Action: "reimage", Body: tt.body})
			armtest.WantError(t, err, tt.code)
			if after := armtest.JSON(t, getVM(t, c)); after != before {
				t.Errorf("before %s after %s", before, after)
			}
		})
	}
}
