package compute

import (
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"

	"lazuli/internal/arm"
	"lazuli/internal/arm/armtest"
)

func disk(props string) string { return `{"location": "local", "properties": {` + props + `}}` }

func creation(option, more string) string {
	return `"creationData": {"createOption": "` + option + `"` + more + `}`
}

func from(id arm.ID) string { return `, "sourceResourceId": "` + id.String() + `"` }

func TestDiskRules(t *testing.T) {
	tests := map[string]struct{ body, code string }{
		"empty":                 {disk(creation("Empty", "") + `, "diskSizeGB": 8`), ""},
		"as terraform sends it": {`{"sku": {"name": "Standard_LRS"}, "zones": [], "properties": {"creationData": {"createOption": "Empty", "performancePlus": false}, "diskSizeGB": 10, "osType": "", "networkAccessPolicy": "AllowAll", "optimizedForFrequentAttach": false, "publicNetworkAccess": "Enabled"}}`, ""},
		"smallest":              {disk(creation("empty", "") + `, "diskSizeGB": 1`), ""},
		"largest":               {disk(creation("EMPTY", "") + `, "diskSizeGB": 32767`), ""},
		"too large":             {disk(creation("Empty", "") + `, "diskSizeGB": 32768`), "InvalidParameter"},
		"negative":              {disk(creation("Empty", "") + `, "diskSizeGB": -1`), "InvalidParameter"},
		"no size":               {disk(creation("Empty", "")), "InvalidParameter"},
		"no option":             {disk(`"diskSizeGB": 8`), "InvalidParameter"},
		"attach":                {disk(creation("Attach", "") + `, "diskSizeGB": 8`), "InvalidParameter"},
		"upload":                {disk(creation("Upload", `, "uploadSizeBytes": 20972032`)), "UnsupportedProperty"},
		"zone":                  {`{"zones": ["3"], "properties": {` + creation("Empty", "") + `, "diskSizeGB": 8}}`, ""},
		"two zones":             {`{"zones": ["3", "1"], "properties": {` + creation("Empty", "") + `, "diskSizeGB": 8}}`, "InvalidParameter"},
		"unknown kind":          {`{"sku": {"name": "UltraSSD_LRS"}, "properties": {` + creation("Empty", "") + `, "diskSizeGB": 8}}`, "InvalidParameter"},
		"shared":                {disk(creation("Empty", "") + `, "diskSizeGB": 8, "maxShares": 2`), "UnsupportedProperty"},
		"private":               {disk(creation("Empty", "") + `, "diskSizeGB": 8, "networkAccessPolicy": "DenyAll"`), "InvalidParameter"},
		"own key":               {disk(creation("Empty", "") + `, "diskSizeGB": 8, "encryption": {"type": "EncryptionAtRestWithCustomerKey"}`), "InvalidParameter"},
		"own key set":           {disk(creation("Empty", "") + `, "diskSizeGB": 8, "encryption": {"diskEncryptionSetId": "/x"}`), "UnsupportedProperty"},
		"burst":                 {disk(creation("Empty", "") + `, "diskSizeGB": 8, "burstingEnabled": true`), "UnsupportedProperty"},
		"tier":                  {disk(creation("Empty", "") + `, "diskSizeGB": 8, "tier": "P10"`), "UnsupportedProperty"},
		"generation three":      {disk(creation("Empty", "") + `, "diskSizeGB": 8, "hyperVGeneration": "V3"`), "InvalidParameter"},
		"system":                {disk(creation("Empty", "") + `, "diskSizeGB": 8, "osType": "BeOS"`), "InvalidParameter"},
		"copy":                  {disk(creation("Copy", from(diskID))), ""},
		"larger copy":           {disk(creation("Copy", from(diskID)) + `, "diskSizeGB": 9`), ""},
		"smaller copy":          {disk(creation("Copy", from(diskID)) + `, "diskSizeGB": 7`), "InvalidParameter"},
		"copy of nothing":       {disk(creation("Copy", "")), "InvalidParameter"},
		"copy of none":          {disk(creation("Copy", from(diskNamed("none")))), "InvalidResourceReference"},
		"copy of a snapshot":    {disk(creation("Copy", from(armtest.ID("Microsoft.Compute/snapshots/s1")))), "LinkedInvalidPropertyId"},
		"copy of a used one":    {disk(creation("Copy", from(diskNamed("os")))), "OperationNotAllowed"},
		"copy of an unready":    {disk(creation("Copy", from(diskNamed("unready")))), "OperationNotAllowed"},
		"from an image":         {disk(creation("FromImage", `, "imageReference": {"id": "/Subscriptions/`+armtest.Subscription+`/Providers/Microsoft.Compute/Locations/local/Publishers/lazuli/ArtifactTypes/VMImage/Offers/debian/Skus/12/Versions/latest"}`)), ""},
		"from an image far off": {disk(creation("FromImage", `, "imageReference": {"id": "/Subscriptions/`+armtest.Subscription+`/Providers/Microsoft.Compute/Locations/moon/Publishers/lazuli/ArtifactTypes/VMImage/Offers/debian/Skus/12/Versions/latest"}`)), "InvalidResourceReference"},
		"from no image":         {disk(creation("FromImage", "")), "InvalidParameter"},
		"empty, of a disk":      {disk(creation("Empty", from(diskID)) + `, "diskSizeGB": 8`), "InvalidParameter"},
		"empty, of an image":    {disk(creation("Empty", `, "imageReference": {"publisher": "lazuli", "offer": "debian", "sku": "12", "version": "latest"}`) + `, "diskSizeGB": 8`), "InvalidParameter"},
		"copy of an image too":  {disk(creation("Copy", from(diskID)+`, "imageReference": {"id": "`+imgID.String()+`"}`)), "InvalidParameter"},
		"from a disk too":       {disk(creation("FromImage", from(diskID)+`, "imageReference": {"publisher": "lazuli", "offer": "debian", "sku": "12", "version": "latest"}`)), "InvalidParameter"},
		"from image and id":     {disk(creation("FromImage", `, "imageReference": {"id": "`+imgID.String()+`", "publisher": "lazuli", "offer": "debian", "sku": "12", "version": "latest"}`)), "InvalidParameter"},
		"of neither":            {disk(creation("Empty", `, "sourceResourceId": "", "imageReference": {"id": "", "publisher": null}`) + `, "diskSizeGB": 8`), ""},
		"zone without a name":   {`{"zones": [""], "properties": {` + creation("Empty", "") + `, "diskSizeGB": 8}}`, "InvalidParameter"},
		"from a disk":           {disk(creation("FromImage", `, "imageReference": {"id": "`+diskID.String()+`"}`)), "LinkedInvalidPropertyId"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := withVM(t, "osDisk", `"osDisk": {"createOption": "FromImage", "name": "os"}`)
			c.Put(diskNamed("unready"), disk(creation("Empty", "")+`, "diskSizeGB": 8`))
			res, err := c.Do(armtest.Request{Method: "PUT", ID: diskNamed("new"), Body: tt.body})
			armtest.WantError(t, err, tt.code)
			if err == nil && (res.Operation == nil || !res.Created) {
				t.Errorf("result = %+v, want an operation", res)
			}
		})
	}
}

func TestDiskViews(t *testing.T) {
	c := withVM(t, "osDisk", `"osDisk": {"createOption": "FromImage", "name": "os"}`)
	c.Put(diskNamed("twin"), disk(creation("Copy", from(diskID))))
	for name, id := range map[string]arm.ID{"disk": diskID, "disk_os": diskNamed("os"), "disk_copy": diskNamed("twin")} {
		t.Run(name, func(t *testing.T) {
			res := c.Get(id)
			armtest.Golden(t, name, res.Body)
			armtest.FitsSDK(t, res.Body, &armcompute.Disk{})
			settleDisk(t, c, id)
			before := armtest.JSON(t, getDisk(t, c, id).Spec)
			if c.Put(id, armtest.JSON(t, res.Body)).Operation != nil {
				t.Error("an echo has an operation")
			}
			if after := armtest.JSON(t, getDisk(t, c, id).Spec); after != before {
				t.Errorf("the echo changed %s to %s", before, after)
			}
		})
	}
}

func TestDiskState(t *testing.T) {
	c := withVM(t, "osDisk", `"osDisk": {"createOption": "FromImage", "name": "os"}`)
	check := func(id arm.ID, want string) {
		t.Helper()
		if got := armtest.At(t, c.Get(id).Body, "properties.diskState"); got != want {
			t.Errorf("state of %s = %v, want %s", id.Name(), got, want)
		}
	}
	check(diskID, "Unattached")
	check(diskNamed("os"), "Attached")
	c.Post(vmID, "deallocate", "")
	settleVM(t, c, vmID)
	check(diskNamed("os"), "Reserved")
	settleDisk(t, c, diskID, func(s *DiskStatus) { s.HeldBy = vmID })
	check(diskID, "Unattached")
	settleVM(t, c, vmID, behind)
	check(diskID, "Attached")
}

func TestDiskChanges(t *testing.T) {
	const size = `"diskSizeGB": `
	tests := map[string]struct {
		id        arm.ID
		action    string // on the machine, before
		patch     string
		code      string
		operation bool
	}{
		"grows":               {diskID, "", size + "9", "", true},
		"as it is":            {diskID, "", size + "8", "", false},
		"shrinks":             {diskID, "", size + "7", "OperationNotAllowed", false},
		"grows beyond":        {diskID, "", size + "40000", "InvalidParameter", false},
		"data disk grows":     {diskNamed("data"), "", size + "9", "", true},
		"OS disk grows":       {diskNamed("os"), "", size + "9", "OperationNotAllowed", false},
		"OS disk grows, down": {diskNamed("os"), "deallocate", size + "9", "", true},
		"OS disk grows, off":  {diskNamed("os"), "powerOff", size + "9", "", true},
		"becomes a copy":      {diskID, "", creation("Copy", from(diskNamed("data"))), "PropertyChangeNotAllowed", false},
		"is an upload":        {diskID, "", creation("Upload", ""), "InvalidParameter", false},
		"other source":        {diskNamed("twin"), "", creation("Copy", from(diskNamed("data"))), "PropertyChangeNotAllowed", false},
		"other image":         {diskNamed("os"), "", creation("FromImage", `, "imageReference": {"id": "`+imgID.String()+`"}`), "PropertyChangeNotAllowed", false},
		"other image by name": {diskNamed("os"), "", creation("FromImage", `, "imageReference": {"id": null, "publisher": "lazuli", "offer": "debian", "sku": "13-gen2", "version": "latest"}`), "PropertyChangeNotAllowed", false},
		"other version":       {diskNamed("os"), "", creation("FromImage", `, "imageReference": {"id": null, "version": "12.9.0"}`), "PropertyChangeNotAllowed", false},
		"same image by name":  {diskNamed("os"), "", creation("FromImage", `, "imageReference": {"id": null, "publisher": "Lazuli", "offer": "debian", "sku": "12", "version": "latest"}`), "", false},
		"becomes an image's":  {diskID, "", creation("Empty", `, "imageReference": {"publisher": "lazuli"}`), "PropertyChangeNotAllowed", false},
		"other generation":    {diskID, "", `"hyperVGeneration": "V2"`, "PropertyChangeNotAllowed", false},
		"shared":              {diskID, "", `"maxShares": 3`, "UnsupportedProperty", false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := withVM(t, "osDisk", `"osDisk": {"createOption": "FromImage", "name": "os"}`, "dataDisks", `"dataDisks": [{"lun": 0, "createOption": "Empty", "name": "data", "diskSizeGB": 4}]`)
			c.Put(diskNamed("twin"), disk(creation("Copy", from(diskID))))
			settleDisk(t, c, diskNamed("twin"))
			if tt.action != "" {
				c.Post(vmID, tt.action, "")
				settleVM(t, c, vmID)
			}
			res, err := c.Do(armtest.Request{Method: "PATCH", ID: tt.id, Body: `{"properties": {` + tt.patch + `}}`})
			armtest.WantError(t, err, tt.code)
			if (res.Operation != nil) != tt.operation {
				t.Errorf("operation = %+v, want one: %t", res.Operation, tt.operation)
			}
		})
	}
	c := withVM(t)
	if got := armtest.At(t, c.Patch(diskID, `{"sku": {"name": "standardssd_lrs"}, "tags": {"a": "b"}}`).Body, "sku.name"); got != "StandardSSD_LRS" {
		t.Errorf("sku = %v", got)
	}
	if got := armtest.At(t, c.Get(diskID).Body, "properties.provisioningState"); got != "Succeeded" {
		t.Errorf("a disk with other tags, which nobody has to do anything for, is %v", got)
	}
	c.Put(diskID, `{"zones": [], "properties": {}}`)
	_, err := c.Do(armtest.Request{Method: "PUT", ID: diskID, Body: `{"zones": ["1"], "properties": {}}`})
	armtest.WantError(t, err, "PropertyChangeNotAllowed")
}

func TestDeleteDisk(t *testing.T) {
	c := withVM(t, "osDisk", `"osDisk": {"createOption": "FromImage", "name": "os"}`)
	remove := func(id arm.ID) error {
		_, err := c.Do(armtest.Request{Method: "DELETE", ID: id})
		return err
	}
	armtest.WantError(t, remove(diskNamed("os")), "OperationNotAllowed")
	armtest.WantError(t, remove(diskNamed("none")), "ResourceNotFound")
	c.Put(diskNamed("twin"), disk(creation("Copy", from(diskID))))
	armtest.WantError(t, remove(diskID), "OperationNotAllowed") // it is being copied
	_, err := c.Do(armtest.Request{Method: "PATCH", ID: vmID, Body: `{"properties": {"storageProfile": {"dataDisks": [{"lun": 0, "createOption": "Attach", "name": "d1"}]}}}`})
	armtest.WantError(t, err, "OperationNotAllowed") // the same
	settleDisk(t, c, diskNamed("twin"))
	settleDisk(t, c, diskID, func(s *DiskStatus) { s.HeldBy = vmID })
	settleVM(t, c, vmID, behind)
	armtest.WantError(t, remove(diskID), "OperationNotAllowed") // the node has it
	settleVM(t, c, vmID)
	armtest.WantError(t, remove(diskID), "")
	if d := getDisk(t, c, diskID); !d.Deleting() {
		t.Error("the disk is not being deleted")
	}
	_, err = c.Do(armtest.Request{Method: "PATCH", ID: vmID, Body: `{"properties": {"storageProfile": {"dataDisks": [{"lun": 0, "createOption": "Attach", "name": "d1"}]}}}`})
	armtest.WantError(t, err, "InvalidResourceReference")
	_, err = c.Do(armtest.Request{Method: "PATCH", ID: vmID, Body: `{"properties": {"storageProfile": {"dataDisks": [{"lun": 0, "createOption": "Empty", "diskSizeGB": 1, "name": "d1"}]}}}`})
	armtest.WantError(t, err, "ResourceBeingDeleted")
}
