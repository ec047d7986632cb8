package rights

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"lazuli/internal/arm"
	"lazuli/internal/arm/armtest"
)

func TestPutLock(t *testing.T) {
	c := newCloud(t)
	tests := map[string]struct {
		body object
		code string
	}{
		"good":             {props("level", "CanNotDelete", "notes", "n"), ""},
		"any case":         {props("level", "readonly"), ""},
		"no level":         {props("notes", "n"), "LockLevelInvalid"},
		"not specified":    {props("level", "NotSpecified"), "LockLevelInvalid"},
		"long notes":       {props("level", "ReadOnly", "notes", strings.Repeat("x", 600)), "InvalidParameter"},
		"owners":           {props("level", "ReadOnly", "owners", []object{{"applicationId": "x"}}), "UnsupportedProperty"},
		"unknown property": {props("level", "ReadOnly", "x", 1), "UnsupportedProperty"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := c.put(admin, vm.Extension(LockType, "l"), tt.body)
			armtest.WantError(t, err, tt.code)
		})
	}
	res, err := c.put(admin, vm.Extension(LockType, "L"), props("level", "CanNotDelete"))
	if err != nil || res.Created || res.Body.(lockBody).Name != "l" {
		t.Errorf("a second PUT = %+v, %v, want that it is the same lock", res, err)
	}
	for i := range maxLocks - 1 {
		c.lock(fmt.Sprint(i), vm, CanNotDelete)
	}
	_, err = c.put(admin, vm.Extension(LockType, "more"), props("level", "ReadOnly"))
	armtest.WantError(t, err, "MaximumLockCountReached")
}

func TestGetAndDeleteLock(t *testing.T) {
	c := newCloud(t)
	c.lock("l", group, ReadOnly)
	id := group.Extension(LockType, "L")
	res, err := c.as(admin, id, func(call *arm.Call) (arm.Result, error) { return c.types[LockType].Get(t.Context(), call) })
	if err != nil || res.Body.(lockBody).ID != group.String()+"/providers/"+LockType+"/l" {
		t.Errorf("Get = %+v, %v", res, err)
	}
	if _, err = c.delete(id); err != nil {
		t.Error(err)
	}
	_, err = c.delete(id)
	armtest.WantError(t, err, "LockNotFound")
	armtest.WantError(t, c.CheckLocks(t.Context(), c, writeVM, vm), "")
}

func TestListLocks(t *testing.T) {
	c := newCloud(t)
	c.lock("s", subID, ReadOnly)
	c.lock("g", group, CanNotDelete)
	c.lock("v", vm, CanNotDelete)
	c.lock("h", arm.Group(sub, "h"), CanNotDelete)
	tests := map[string]struct {
		at     arm.ID
		filter string
		want   []string
	}{
		"subscription":  {subID, "", []string{"g", "h", "s", "v"}},
		"at it":         {subID, "atScope()", []string{"s"}},
		"group":         {group, "", []string{"g", "s", "v"}},
		"group, at it":  {group, "atScope()", []string{"g", "s"}},
		"machine":       {vm, "atScope()", []string{"g", "s", "v"}},
		"other machine": {other, "", []string{"h", "s"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := c.list(LockType, tt.at, tt.filter)
			slices.Sort(got)
			if err != nil || !slices.Equal(got, tt.want) {
				t.Errorf("list = %v, %v, want %v", got, err, tt.want)
			}
		})
	}
	_, err := c.list(LockType, subID, "level eq 'x'")
	armtest.WantError(t, err, "UnsupportedQuery")
}

func TestNames(t *testing.T) {
	for name, good := range map[string]bool{"l": true, "a lock": true, "ends.": false, "": false, "a/b": false, "a?": false, strings.Repeat("x", 260): true, strings.Repeat("x", 261): false} {
		if err := lockNames.Check(name); (err == nil) != good {
			t.Errorf("the name %q: %v", name, err)
		}
	}
	for name, good := range map[string]bool{one: true, strings.ToUpper(one): true, "x": false, one + "0": false} {
		if err := guids.Check(name); (err == nil) != good {
			t.Errorf("the name %q: %v", name, err)
		}
	}
}
