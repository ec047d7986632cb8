package arm

import (
	"context"
	"errors"
	"testing"

	"lazuli/internal/store"
)

func TestActionAt(t *testing.T) {
	const s, g = "/subscriptions/{subscription}", "/subscriptions/{subscription}/resourceGroups/{group}"
	tests := map[string]struct{ method, path, want string }{
		"of a location":   {"GET", s + "/providers/Microsoft.Compute/locations/{location}/vmSizes", "Microsoft.Compute/locations/vmSizes/read"},
		"of subscription": {"GET", s + "/locations", "Microsoft.Resources/subscriptions/locations/read"},
		"all":             {"GET", "/subscriptions", "Microsoft.Resources/subscriptions/read"},
		"of a group":      {"GET", g + "/resources", "Microsoft.Resources/subscriptions/resourceGroups/resources/read"},
		"of a machine":    {"HEAD", g + "/providers/Microsoft.Compute/virtualMachines/{name}/instanceView", "Microsoft.Compute/virtualMachines/instanceView/read"},
		"providers":       {"GET", s + "/providers/{namespace}", "Microsoft.Resources/subscriptions/providers/read"},
		"registration":    {"POST", s + "/providers/{namespace}/register", "Microsoft.Resources/subscriptions/providers/register/action"},
		"of the cloud":    {"PUT", "/providers/Microsoft.Authorization/roleAssignments/{name}", "Microsoft.Authorization/roleAssignments/write"},
		"deletion":        {"DELETE", "/providers/Microsoft.Authorization/roleAssignments/{name}", "Microsoft.Authorization/roleAssignments/delete"},
		"on another":      {"GET", g + "/providers/Microsoft.Compute/disks/{name}/providers/Microsoft.Insights/x/{y}", "Microsoft.Insights/x/read"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := ActionAt(tt.method, tt.path); got != tt.want {
				t.Errorf("ActionAt = %s, want %s", got, tt.want)
			}
		})
	}
	if got := ActionOf("POST", GroupType+"/exportTemplate"); got != "Microsoft.Resources/subscriptions/resourceGroups/exportTemplate/action" {
		t.Errorf("the POST on a group is %s", got)
	}
	if got := ActionOf("PATCH", "microsoft.resources/RESOURCEGROUPS"); got != "Microsoft.Resources/subscriptions/resourceGroups/write" {
		t.Errorf("the action on a group is %s", got)
	}
}

// only is the right to do one action.
type only string

func (o only) May(_ Principal, action string, _ ID) bool { return action == string(o) }

func (o only) MayWithin(_ Principal, action string, _ ID) bool { return action == string(o) }

func (only) Sees(Principal, ID) bool { return false }

func (only) CheckLocks(context.Context, store.Reader, string, ID) error {
	return Conflict("ScopeLocked", "Locked.")
}

func (only) Drop(_ context.Context, tx store.Tx, _ ID) error {
	tx.Delete("dropped")
	return nil
}

func TestCheckLink(t *testing.T) {
	g := Group("s", "g")
	vm := g.Resource("Microsoft.Compute/virtualMachines", "vm")
	tests := map[string]struct {
		target ID
		may    only
		ok     bool
	}{
		"subnet":        {g.Resource("Microsoft.Network/virtualNetworks/subnets", "v", "s"), "Microsoft.Network/virtualNetworks/subnets/join/action", true},
		"subnet, read":  {g.Resource("Microsoft.Network/virtualNetworks/subnets", "v", "s"), "Microsoft.Network/virtualNetworks/subnets/read", false},
		"nic, any case": {g.Resource("microsoft.network/NETWORKINTERFACES", "n"), "Microsoft.Network/networkInterfaces/join/action", true},
		"image":         {g.Resource("Microsoft.Compute/images", "i"), "Microsoft.Compute/images/read", true},
		"image, write":  {g.Resource("Microsoft.Compute/images", "i"), "Microsoft.Compute/images/write", false},
		"nothing":       {ID{}, "", true},
		"disk":          {g.Resource("Microsoft.Compute/disks", "d"), "Microsoft.Compute/disks/write", true},
		"disk, read":    {g.Resource("Microsoft.Compute/disks", "d"), "Microsoft.Compute/disks/read", false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := &Call{Rights: tt.may, Action: "Microsoft.Compute/virtualMachines/write", Principal: Principal{ObjectID: "o"}}
			err := c.CheckLink(vm, tt.target)
			ae, _ := errors.AsType[*Error](err)
			if (err == nil) != tt.ok || !tt.ok && (ae.Status != 403 || ae.Code != "LinkedAuthorizationFailed") {
				t.Errorf("CheckLink = %v, want allowed: %t", err, tt.ok)
			}
		})
	}
	itself := &Call{}
	if err := errors.Join(itself.CheckLink(vm, vm), itself.CheckMay("x", vm), itself.CheckUnlocked(t.Context(), "x", vm)); err != nil || !itself.Sees(vm) {
		t.Errorf("the cloud itself may not: %v", err)
	}
	locked := &Call{Rights: only("")}
	if locked.CheckUnlocked(t.Context(), "x/delete", vm) == nil || locked.Sees(vm) || locked.CheckMay("x", ID{}) == nil {
		t.Error("a principal without rights may")
	}
}

// Who may copy a disk is who may read what is on it.
func TestLinkOfCopies(t *testing.T) {
	g := Group("s", "g")
	c := &Call{Rights: only("Microsoft.Compute/disks/read")}
	from, target := g.Resource("Microsoft.Compute/images", "i"), g.Resource("Microsoft.Compute/disks", "d")
	if err := c.CheckLink(from, target); err == nil {
		t.Error("who may look at a disk may copy it")
	}
	c.Rights = only("Microsoft.Compute/disks/beginGetAccess/action")
	if err := c.CheckLink(from, target); err != nil {
		t.Error(err)
	}
}

func TestClient(t *testing.T) {
	for want, p := range map[string]Principal{
		"alice@example.org": {UserName: "alice@example.org", AppID: "app", ObjectID: "o"}, "app": {AppID: "app", ObjectID: "o"}, "o": {ObjectID: "o"},
	} {
		if got := p.Client(); got != want {
			t.Errorf("Client of %+v = %s, want %s", p, got, want)
		}
	}
}
