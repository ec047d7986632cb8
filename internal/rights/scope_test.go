package rights

import (
	"slices"
	"testing"

	"lazuli/internal/arm"
)

func TestScopes(t *testing.T) {
	g := arm.Group("S", "G")
	vnet := g.Resource("Microsoft.Network/virtualNetworks", "V")
	tests := map[string]struct {
		id   arm.ID
		want []Scope
	}{
		"cloud":        {arm.ID{}, []Scope{""}},
		"subscription": {arm.ID{Subscription: "S"}, []Scope{"/subscriptions/s", ""}},
		"group":        {g, []Scope{"/subscriptions/s/resourcegroups/g", "/subscriptions/s", ""}},
		"group's type": {arm.GroupID("S", "G"), []Scope{"/subscriptions/s/resourcegroups/g", "/subscriptions/s", ""}},
		"child": {vnet.Child("subnets", "N"), []Scope{
			"/subscriptions/s/resourcegroups/g/providers/microsoft.network/virtualnetworks/v/subnets/n",
			"/subscriptions/s/resourcegroups/g/providers/microsoft.network/virtualnetworks/v",
			"/subscriptions/s/resourcegroups/g/providers/microsoft.network",
			"/subscriptions/s/resourcegroups/g", "/subscriptions/s", "",
		}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := slices.Collect(ScopeOf(tt.id).up()); !slices.Equal(got, tt.want) {
				t.Errorf("up = %q, want %q", got, tt.want)
			}
			for _, above := range tt.want {
				if !above.covers(tt.want[0]) {
					t.Errorf("%q does not cover %q", above, tt.want[0])
				}
			}
		})
	}
	if Scope("/subscriptions/s/resourcegroups/g").covers("/subscriptions/s/resourcegroups/g2") || ScopeOf(vnet).covers(ScopeOf(g)) {
		t.Error("a scope covers what is beside or above it")
	}
	for s := range ScopeOf(vnet).up() {
		if s != ScopeOf(vnet) {
			t.Errorf("the first above is %q", s)
		}
		break
	}
}
