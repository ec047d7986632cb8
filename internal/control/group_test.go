package control

import (
	"testing"

	"lazuli/internal/arm"
	"lazuli/internal/compute"
)

func TestGroupKey(t *testing.T) {
	group := arm.GroupID("Sub", "RG")
	for name, tt := range map[string]struct{ key, want string }{
		"resource": {arm.Key(arm.Group("Sub", "RG").Resource(compute.VMType, "vm")), arm.Key(group)},
		"group":    {arm.Key(group), arm.Key(group)},
		"other":    {"x", "x"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := groupKey(tt.key); got != tt.want {
				t.Errorf("groupKey(%s) = %s, want %s", tt.key, got, tt.want)
			}
		})
	}
}
