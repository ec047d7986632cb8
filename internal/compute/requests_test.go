package compute

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

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
