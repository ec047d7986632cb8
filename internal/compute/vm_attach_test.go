package compute

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"

	"lazuli/internal/arm"
	"lazuli/internal/arm/armtest"
)

const disksAB = `"dataDisks": [
	{"lun": 0, "createOption": "Empty", "diskSizeGB": 4, "name": "a"}, {"lun": 1, "createOption": "Empty", "diskSizeGB": 4, "name": "b"}]`

func attachBody(attach, detach string) string {
	return fmt.Sprintf(`{"dataDisksToAttach": [%s], "dataDisksToDetach": [%s]}`, attach, detach)
}

func diskOf(name, more string) string {
	return `{"diskId": "` + diskNamed(name).String() + `"` + more + `}`
}

func TestAttachDetachDataDisks(t *testing.T) {
	tests := map[string]struct {
		attach, detach string
		want           string // LUN and name of the disks
		code           string
	}{
		"attach":              {diskOf("d1", `, "lun": null, "caching": "ReadOnly"`), "", "0 a, 1 b, 2 d1", ""},
		"attach at a LUN":     {diskOf("d1", `, "lun": 7`), "", "0 a, 1 b, 7 d1", ""},
		"detach":              {"", diskOf("a", ""), "1 b", ""},
		"change":              {diskOf("d1", ""), diskOf("a", ""), "1 b, 0 d1", ""},
		"nothing":             {"", "", "", "InvalidParameter"},
		"what it has not":     {"", diskOf("d1", ""), "", "InvalidParameter"},
		"the same twice":      {"", diskOf("a", "") + "," + diskOf("a", ""), "", "InvalidParameter"},
		"what it has":         {diskOf("a", ""), "", "", "PropertyChangeNotAllowed"},
		"what is not there":   {diskOf("x", ""), "", "", "InvalidResourceReference"},
		"at a LUN in use":     {diskOf("d1", `, "lun": 1`), "", "", "InvalidParameter"},
		"no disk":             {`{"lun": 2}`, "", "", "InvalidParameter"},
		"by force":            {"", diskOf("a", `, "detachOption": "ForceDetach"`), "", "UnsupportedProperty"},
		"of another's making": {diskOf("d1", `, "diskEncryptionSet": {"id": "/subscriptions/x"}`), "", "", "UnsupportedProperty"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := withVM(t, "dataDisks", disksAB, "hardware", `"hardwareProfile": {"vmSize": "Standard_B2s"}`)
			res, err := c.Do(armtest.Request{Method: "POST", ID: vmID, Action: "attachDetachDataDisks", Body: attachBody(tt.attach, tt.detach)})
			armtest.WantError(t, err, tt.code)
			if tt.code != "" {
				return
			}
			settleVM(t, c, vmID)
			got := ""
			for _, d := range getVM(t, c).Spec.DataDisks {
				if got != "" {
					got += ", "
				}
				got += fmt.Sprint(d.LUN, " ", d.ID.Name())
				if owner := getDisk(t, c, d.ID).Spec.ManagedBy; !owner.Equal(vmID) {
					t.Errorf("disk %s belongs to %s", d.ID.Name(), owner)
				}
			}
			if got != tt.want {
				t.Errorf("disks = %s, want %s", got, tt.want)
			}
			op, err := arm.GetOperation(t.Context(), c.Store, res.Operation.ID)
			if err != nil || op.Status != arm.Succeeded {
				t.Fatalf("operation = %+v, %v", op, err)
			}
			armtest.FitsSDK(t, json.RawMessage(op.Result), &armcompute.StorageProfile{})
		})
	}
	t.Run("more than the size has room for", func(t *testing.T) {
		c := withVM(t, "dataDisks", disksAB)
		_, err := c.Do(armtest.Request{Method: "POST", ID: vmID, Action: "attachDetachDataDisks", Body: attachBody(diskOf("d1", ""), "")})
		armtest.WantError(t, err, "OperationNotAllowed")
	})
}

// What Azure has and this cloud does not is refused by name, and changes
// nothing.
func TestActionsThatNeverWork(t *testing.T) {
	c := withVM(t)
	c.Put(setID, alignedSet)
	for _, tt := range []struct {
		id      arm.ID
		actions map[string]arm.Action
	}{{vmID, neverOnVM()}, {setID, avsetActions()}, {diskID, diskActions()}} {
		for action := range tt.actions {
			t.Run(action, func(t *testing.T) {
				_, err := c.Do(armtest.Request{Method: "POST", ID: tt.id, Action: action, Body: "{}"})
				armtest.WantError(t, err, "OperationNotAllowed")
				nothing := tt.id.Scope().Resource(tt.id.Type(), "nothing")
				_, err = c.Do(armtest.Request{Method: "POST", ID: nothing, Action: action, Body: "{}"})
				armtest.WantError(t, err, "ResourceNotFound")
			})
		}
	}
}
