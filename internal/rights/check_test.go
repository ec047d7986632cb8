package rights

import (
	"testing"

	"lazuli/internal/arm"
	"lazuli/internal/arm/armtest"
	"lazuli/internal/store"
)

func TestMay(t *testing.T) {
	c := newCloud(t)
	c.assign(one, group, ContributorID, alice)
	c.assign(two, vm, ReaderID, bob)
	tests := map[string]struct {
		who, action string
		at          arm.ID
		may, within bool
	}{
		"Owner, cloud":              {admin, AssignmentType + "/write", arm.ID{}, true, true},
		"Owner, below":              {admin, deleteVM, vm, true, true},
		"Contributor, group":        {alice, writeVM, group, true, true},
		"Contributor, below":        {alice, deleteVM, vm, true, true},
		"Contributor, beside":       {alice, readVM, other, false, false},
		"Contributor, above":        {alice, readVM, subID, false, true},
		"Contributor, no rights":    {alice, AssignmentType + "/write", group, false, false},
		"Reader of one":             {bob, readVM, vm, true, true},
		"Reader of one, child":      {bob, readVM, vm.Child("extensions", "x"), true, true},
		"Reader of one, write":      {bob, writeVM, vm, false, false},
		"Reader of one, group":      {bob, readVM, group, false, true},
		"any case":                  {alice, "MICROSOFT.compute/virtualmachines/READ", arm.Group(sub, "G"), true, true},
		"nobody":                    {"x", readVM, vm, false, false},
		"a lock on what one writes": {alice, LockType + "/write", vm.Extension(LockType, "l"), false, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := c.may(tt.who, tt.action, tt.at); got != tt.may {
				t.Errorf("May = %t, want %t", got, tt.may)
			}
			if got := c.MayWithin(arm.Principal{ObjectID: tt.who}, tt.action, tt.at); got != tt.within {
				t.Errorf("MayWithin = %t, want %t", got, tt.within)
			}
		})
	}
	for who, sees := range map[string][3]bool{admin: {true, true, true}, alice: {true, true, false}, bob: {true, true, false}, "x": {}} {
		p := arm.Principal{ObjectID: who}
		if got := [3]bool{c.Sees(p, subID), c.Sees(p, group), c.Sees(p, arm.Group(sub, "h"))}; got != sees {
			t.Errorf("%s sees %v, want %v", who, got, sees)
		}
	}
	if c.IsAdministrator(alice) || !c.IsAdministrator(admin) {
		t.Error("the administrator is somebody else")
	}
}

func TestCheckLocks(t *testing.T) {
	child := vm.Child("extensions", "x")
	tests := map[string]struct {
		on     arm.ID
		level  Level
		action string
		at     arm.ID
		locked bool
	}{
		"delete itself":         {vm, CanNotDelete, deleteVM, vm, true},
		"delete inside":         {group, CanNotDelete, deleteVM, vm, true},
		"delete in sub":         {subID, CanNotDelete, deleteVM, vm, true},
		"delete around":         {vm, CanNotDelete, arm.ActionOf("DELETE", arm.GroupType), arm.GroupID(sub, "g"), true},
		"delete parent":         {child, ReadOnly, deleteVM, vm, true},
		"delete beside":         {vm, CanNotDelete, deleteVM, other, false},
		"delete alike":          {vm, CanNotDelete, deleteVM, group.Resource(vm.Type(), "vm2"), false},
		"write":                 {vm, CanNotDelete, writeVM, vm, false},
		"write, read-only":      {group, ReadOnly, writeVM, vm, true},
		"write above":           {vm, ReadOnly, arm.ActionOf("PUT", arm.GroupType), group, false},
		"action":                {vm, CanNotDelete, vm.Type() + "/start/action", vm, false},
		"action, read-only":     {subID, ReadOnly, vm.Type() + "/start/action", vm, true},
		"read":                  {vm, ReadOnly, readVM, vm, false},
		"poll":                  {subID, ReadOnly, "", subID, false},
		"the lock itself":       {vm, ReadOnly, LockType + "/delete", vm.Extension(LockType, "l"), false},
		"another lock":          {group, ReadOnly, LockType + "/write", vm.Extension(LockType, "m"), false},
		"an assignment there":   {group, ReadOnly, AssignmentType + "/write", vm.Extension(AssignmentType, one), true},
		"an assignment's end":   {group, CanNotDelete, AssignmentType + "/delete", group.Extension(AssignmentType, one), true},
		"an assignment, delete": {group, CanNotDelete, AssignmentType + "/write", group.Extension(AssignmentType, one), false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := newCloud(t)
			c.lock("l", tt.on, tt.level)
			want := ""
			if tt.locked {
				want = "ScopeLocked"
			}
			armtest.WantError(t, c.CheckLocks(t.Context(), c, tt.action, tt.at), want)
		})
	}
}

// A lock of another server, which is not followed yet, keeps a group from being
// deleted all the same.
func TestLocksInsideAreRead(t *testing.T) {
	c := newCloud(t)
	_, err := c.under.Update(t.Context(), func(tx store.Tx) error {
		if err := putLock(tx, &Lock{Name: "l", At: vm.String(), Level: CanNotDelete}); err != nil {
			return err
		}
		err := c.CheckLocks(t.Context(), tx, arm.ActionOf("DELETE", arm.GroupType), group)
		armtest.WantError(t, err, "ScopeLocked")
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestEnsureAdministrator(t *testing.T) {
	c := newCloud(t)
	if err := EnsureAdministrator(t.Context(), c, Assignment{Name: "again", PrincipalID: bob}); err != nil || c.IsAdministrator(bob) {
		t.Errorf("a second start makes another Owner: %v", err)
	}
}

func TestForgetPrincipal(t *testing.T) {
	c := newCloud(t)
	c.assign(one, group, ReaderID, alice)
	c.assign(two, vm, ReaderID, alice)
	forget := func(who string) error {
		_, err := c.Update(t.Context(), func(tx store.Tx) error { return ForgetPrincipal(t.Context(), tx, who) })
		return err
	}
	armtest.WantError(t, forget(alice), "")
	if c.Sees(arm.Principal{ObjectID: alice}, subID) {
		t.Error("who is forgotten has rights")
	}
	armtest.WantError(t, forget(admin), "CannotDeleteLastRbacAdminAssignment")
	if !c.IsAdministrator(admin) {
		t.Error("the last Owner is forgotten")
	}
	if _, err := c.put(admin, arm.ID{}.Resource(AssignmentType, three), gives(OwnerID, bob)); err != nil {
		t.Fatal(err)
	}
	armtest.WantError(t, forget(admin), "")
	if c.IsAdministrator(admin) || !c.IsAdministrator(bob) {
		t.Error("the second Owner did not follow the first")
	}
}
