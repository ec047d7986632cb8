package rights

import (
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestMatches(t *testing.T) {
	tests := map[string]struct {
		pattern, action string
		want            bool
	}{
		"same":           {"a/b/read", "a/b/read", true},
		"longer":         {"a/b/read", "a/b/read/x", false},
		"all":            {"*", "anything/at/all", true},
		"suffix":         {"*/read", "a/b/read", true},
		"other suffix":   {"*/read", "a/b/write", false},
		"prefix":         {"a/*", "a/b/c/write", true},
		"middle":         {"a/*/write", "a/b/write", true},
		"middle, long":   {"a/*/write", "a/b/c/write", true},
		"middle, none":   {"a/*/write", "a/write", false},
		"two":            {"a/*/c/*", "a/b/c/d", true},
		"two, not there": {"a/*/c/*", "a/b/d", false},
		"overlapping":    {"ab*bc", "abc", false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := matches(tt.pattern, tt.action); got != tt.want {
				t.Errorf("matches(%q, %q) = %t", tt.pattern, tt.action, got)
			}
		})
	}
}

// Matching is what the regular expression of the pattern says.
func TestMatchesAsExpression(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pattern := rapid.StringMatching(`[ab*]{0,8}`).Draw(t, "pattern")
		action := rapid.StringMatching(`[ab]{0,12}`).Draw(t, "action")
		want := regexp.MustCompile("^" + strings.ReplaceAll(pattern, "*", ".*") + "$").MatchString(action)
		if got := matches(pattern, action); got != want {
			t.Fatalf("matches(%q, %q) = %t", pattern, action, got)
		}
	})
}

func TestBuiltInRoles(t *testing.T) {
	const vm, nic, disk = "microsoft.compute/virtualmachines/", "microsoft.network/networkinterfaces/", "microsoft.compute/disks/"
	tests := map[string]struct{ may, mayNot string }{
		"Owner":                     {vm + "write microsoft.authorization/roleassignments/write", ""},
		"Contributor":               {vm + "write " + vm + "start/action microsoft.authorization/roleassignments/read", "microsoft.authorization/roleassignments/write microsoft.authorization/locks/delete"},
		"Reader":                    {vm + "read", vm + "write " + vm + "start/action " + disk + "begingetaccess/action"},
		"User Access Administrator": {vm + "read microsoft.authorization/roleassignments/delete microsoft.authorization/locks/write", vm + "write"},
		"Role Based Access Control Administrator": {vm + "read microsoft.authorization/roleassignments/write", vm + "write microsoft.authorization/roledefinitions/write microsoft.authorization/locks/write"},
		"Virtual Machine Contributor":             {vm + "delete " + nic + "write " + disk + "write microsoft.network/virtualnetworks/subnets/join/action", "microsoft.network/virtualnetworks/write " + disk + "begingetaccess/action microsoft.resources/subscriptions/resourcegroups/delete"},
		"Network Contributor":                     {nic + "write microsoft.network/virtualnetworks/subnets/delete", vm + "read " + disk + "write"},
		"Virtual Machine User Login":              {vm + "instanceview/read " + nic + "read", vm + "write " + vm + "read/write"},
		"Virtual Machine Administrator Login":     {nic + "read", nic + "write"},
		"Disk Backup Reader":                      {disk + "begingetaccess/action", disk + "write"},
		"Disk Restore Operator":                   {disk + "write", disk + "delete"},
		"Tag Contributor":                         {"microsoft.resources/tags/write", vm + "read " + vm + "write"},
		"Monitoring Reader":                       {"microsoft.insights/eventtypes/values/read", vm + "write"},
	}
	for _, r := range builtInRoles {
		t.Run(r.Name, func(t *testing.T) {
			tt, ok := tests[r.Name]
			if !ok || !guidPattern.MatchString(r.ID) {
				t.Fatalf("%s with id %q is not known here", r.Name, r.ID)
			}
			for _, a := range strings.Fields(tt.may) {
				if !r.allows(a) {
					t.Errorf("it may not %s", a)
				}
			}
			for _, a := range strings.Fields(tt.mayNot) {
				if r.allows(a) {
					t.Errorf("it may %s", a)
				}
			}
		})
	}
	if len(builtIn) != len(builtInRoles) {
		t.Error("two built-in roles have one id")
	}
}
