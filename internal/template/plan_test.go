package template

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPlans(t *testing.T) {
	for name, tt := range map[string]struct {
		template, parameters string
		want                 []string
	}{
		"az's short dependencies, in another case": {
			template: `{"resources": [
				{"type": "Microsoft.Network/virtualNetworks", "name": "vm1VNET", "apiVersion": "2015-06-15"},
				{"type": "Microsoft.Network/publicIPAddresses", "name": "vm1PublicIP", "apiVersion": "2022-01-01"},
				{"type": "Microsoft.Network/networkInterfaces", "name": "vm1VMNic", "apiVersion": "2015-06-15",
				 "dependsOn": ["Microsoft.Network/virtualNetworks/vm1VNET", "Microsoft.Network/publicIpAddresses/vm1PublicIP"]}]}`,
			want: []string{
				"Microsoft.Network/virtualNetworks/vm1VNET",
				"Microsoft.Network/publicIPAddresses/vm1PublicIP",
				"Microsoft.Network/networkInterfaces/vm1VMNic after vm1VNET, vm1PublicIP",
			},
		},
		"all forms of dependencies": {
			template: `{"resources": [
				{"type": "A.B/net", "name": "n", "apiVersion": "1", "resources": [
					{"type": "sub", "name": "s", "apiVersion": "1"}]},
				{"type": "A.B/x", "name": "byName", "apiVersion": "1", "dependsOn": ["n"]},
				{"type": "A.B/x", "name": "byTypeAndName", "apiVersion": "1", "dependsOn": ["[concat('A.B/net/', 'n')]"]},
				{"type": "A.B/x", "name": "byID", "apiVersion": "1", "dependsOn": ["[resourceId('a.b/NET', 'N')]"]},
				{"type": "A.B/x", "name": "byChildID", "apiVersion": "1", "dependsOn": ["[resourceId('A.B/net/sub', 'n', 's')]"]},
				{"type": "A.B/x", "name": "byChildName", "apiVersion": "1", "dependsOn": ["n/s"]},
				{"type": "A.B/x", "name": "byChildPath", "apiVersion": "1", "dependsOn": ["A.B/net/n/sub/s"]},
				{"type": "A.B/x", "name": "byChildType", "apiVersion": "1", "dependsOn": ["A.B/net/sub/n/s"]},
				{"type": "A.B/x", "name": "byLastPart", "apiVersion": "1", "dependsOn": ["S"], "p": "[reference('s').x]"},
				{"type": "A.B/x", "name": "twice", "apiVersion": "1", "dependsOn": ["n", "A.B/net/n"]},
				{"type": "A.B/x", "name": "none", "apiVersion": "1", "dependsOn": []},
				{"type": "A.B/x", "name": "array", "apiVersion": "1", "dependsOn": "[createArray('n', 'n/s')]"}]}`,
			want: []string{
				"A.B/net/n", "A.B/net/n/sub/s after n",
				"A.B/x/byName after n", "A.B/x/byTypeAndName after n", "A.B/x/byID after n",
				"A.B/x/byChildID after n/s", "A.B/x/byChildName after n/s", "A.B/x/byChildPath after n/s",
				"A.B/x/byChildType after n/s", "A.B/x/byLastPart after n/s", "A.B/x/twice after n", "A.B/x/none", "A.B/x/array after n, n/s",
			},
		},
		"loop, and what waits for all of it": {
			template: `{"parameters": {"n": {"type": "int"}}, "resources": [
				{"type": "A.B/last", "name": "z", "apiVersion": "1", "dependsOn": ["nics"]},
				{"type": "A.B/nic", "name": "[concat('nic', copyIndex(1))]", "apiVersion": "1",
				 "copy": {"name": "nics", "count": "[parameters('n')]"}},
				{"type": "A.B/vm", "name": "[format('vm{0}', copyIndex('vms'))]", "apiVersion": "1",
				 "copy": {"name": "vms", "count": "[parameters('n')]", "mode": "Parallel"},
				 "dependsOn": ["[concat('nic', copyIndex(1))]"]},
				{"type": "A.B/none", "name": "[string(copyIndex())]", "apiVersion": "1", "copy": {"name": "nothing", "count": 0}},
				{"type": "A.B/more", "name": "after nothing", "apiVersion": "1", "dependsOn": ["nothing"]}]}`,
			parameters: `{"N": {"value": 2}}`,
			want: []string{
				"A.B/last/z after nic1, nic2", "A.B/nic/nic1", "A.B/nic/nic2",
				"A.B/vm/vm0 after nic1", "A.B/vm/vm1 after nic2", "A.B/more/after nothing",
			},
		},
		"one at a time": {
			template: `{"resources": [{"type": "A.B/c", "name": "[string(copyIndex())]", "apiVersion": "1",
				"copy": {"name": "l", "count": 3, "mode": "serial"}}]}`,
			want: []string{"A.B/c/0", "A.B/c/1 after 0", "A.B/c/2 after 1"},
		},
		"batches": {
			template: `{"resources": [{"type": "A.B/c", "name": "[string(copyIndex())]", "apiVersion": "1",
				"copy": {"name": "l", "count": 5, "mode": "Serial", "batchSize": "[add(1, 1)]"}}]}`,
			want: []string{"A.B/c/0", "A.B/c/1", "A.B/c/2 after 0, 1", "A.B/c/3 after 0, 1", "A.B/c/4 after 2, 3"},
		},
		"conditions": {
			template: `{"parameters": {"public": {"type": "bool"}}, "resources": [
				{"condition": "[parameters('public')]", "type": "A.B/ip", "name": "ip", "apiVersion": "1",
				 "resources": [{"type": "sub", "name": "s", "apiVersion": "1"}],
				 "properties": {"x": "[json('{')]"}},
				{"condition": "[not(parameters('public'))]", "type": "A.B/ip", "name": "IP", "apiVersion": "1"},
				{"condition": "True", "type": "A.B/nic", "name": "nic", "apiVersion": "1", "dependsOn": ["ip", "A.B/ip/ip/sub/s"]},
				{"condition": null, "type": "A.B/nic", "name": "nic2", "apiVersion": "1"}]}`,
			parameters: `{"public": {"value": false}}`,
			want: []string{
				"A.B/ip/ip (skipped)", "A.B/ip/ip/sub/s (skipped)", "A.B/ip/IP", "A.B/nic/nic after IP", "A.B/nic/nic2",
			},
		},
		"references are dependencies": {
			template: `{"resources": [
				{"type": "A.B/x", "name": "a", "apiVersion": "1", "properties": {
					"name": "[reference('b').p]", "id": "[reference(resourceId('A.B/x', 'c'), '2', 'Full').location]",
					"keys": "[listKeys('A.B/x/d', '1').k]", "branch": "[if(equals(reference('b').q, 1), reference('e').p, 'x')]",
					"not taken": "[if(false(), reference('f').p, 'x')]", "elsewhere": "[reference('/subscriptions/1/resourceGroups/2/providers/A.B/x/y', '1').p]"}},
				{"type": "A.B/x", "name": "b", "apiVersion": "1"}, {"type": "A.B/x", "name": "c", "apiVersion": "1"},
				{"type": "A.B/x", "name": "d", "apiVersion": "1"}, {"type": "A.B/x", "name": "e", "apiVersion": "1"},
				{"type": "A.B/x", "name": "f", "apiVersion": "1", "dependsOn": ["a"]}]}`,
			want: []string{"A.B/x/a after b, c, d, e", "A.B/x/b", "A.B/x/c", "A.B/x/d", "A.B/x/e", "A.B/x/f after a"},
		},
		"children": {
			template: `{"resources": [
				{"type": "A.B/net/sub", "name": "n/first", "apiVersion": "1"},
				{"type": "A.B/net", "name": "n", "apiVersion": "1", "resources": [
					{"type": "sub", "name": "s", "apiVersion": "1", "dependsOn": ["n"], "resources": [
						{"type": "rule", "name": "r", "apiVersion": "1"}]},
					{"type": "A.B/net/sub", "name": "n/full", "apiVersion": "1"},
					{"type": "providers/locks", "name": "Microsoft.Authorization/l", "apiVersion": "1"},
					{"type": "C.D/solutions", "name": "of another provider", "apiVersion": "1"}]},
				{"type": "A.B/net/providers/roleAssignments", "name": "n/Microsoft.Authorization/ra", "apiVersion": "1"},
				{"type": "Microsoft.Authorization/locks", "name": "ext", "apiVersion": "1", "scope": "A.B/net/n"},
				{"type": "Microsoft.Authorization/locks", "name": "ext2", "apiVersion": "1", "scope": "[resourceId('A.B/net', 'n')]"}]}`,
			want: []string{
				"A.B/net/n/sub/first after n", "A.B/net/n", "A.B/net/n/sub/s after n", "A.B/net/n/sub/s/rule/r after n/s", "A.B/net/n/sub/full after n",
				"A.B/net/n/providers/Microsoft.Authorization/locks/l after n",
				"C.D/solutions/of another provider after n",
				"A.B/net/n/providers/Microsoft.Authorization/roleAssignments/ra",
				"A.B/net/n/providers/Microsoft.Authorization/locks/ext after n",
				"A.B/net/n/providers/Microsoft.Authorization/locks/ext2 after n",
			},
		},
		"a parent that waits for its child": {
			template: `{"resources": [
				{"type": "A.B/net", "name": "n", "apiVersion": "1", "dependsOn": ["n/s"]},
				{"type": "A.B/net/sub", "name": "n/s", "apiVersion": "1"}]}`,
			want: []string{"A.B/net/n after n/s", "A.B/net/n/sub/s"},
		},
		"symbolic names": {
			template: `{"languageVersion": "2.0", "resources": {
				"net": {"type": "A.B/net", "name": "n", "apiVersion": "1"},
				"old": {"existing": true, "type": "A.B/disk", "name": "d", "apiVersion": "3", "resourceGroup": "other"},
				"far": {"existing": true, "type": "A.B/disk", "name": "d", "apiVersion": "3", "subscriptionId": "s2", "resourceGroup": "other"},
				"nics": {"type": "A.B/nic", "name": "[format('nic{0}', copyIndex())]", "apiVersion": "1",
					"copy": {"name": "nics", "count": 2}, "dependsOn": ["net"]},
				"vm": {"type": "A.B/vm", "name": "v", "apiVersion": "1", "dependsOn": ["nics"],
					"properties": {"disk": "[reference('old', '3', 'full').id]"}},
				"one": {"type": "A.B/vm", "name": "w", "apiVersion": "1", "dependsOn": ["nics[1]", "[format('nics[{0}]', 0)]"],
					"properties": {"all": "[references('nics')]"}}}}`,
			want: []string{
				"A.B/net/n",
				"/subscriptions/" + subscriptionID + "/resourceGroups/other/providers/A.B/disk/d (existing)",
				"/subscriptions/s2/resourceGroups/other/providers/A.B/disk/d (existing)",
				"A.B/nic/nic0 after n", "A.B/nic/nic1 after n",
				"A.B/vm/v after nic0, nic1", "A.B/vm/w after nic0, nic1",
			},
		},
		"through what is only referred to": {
			template: `{"languageVersion": "2.0", "resources": {
				"a": {"type": "A.B/c", "name": "a", "apiVersion": "1"},
				"old": {"existing": true, "type": "A.B/c", "name": "old", "apiVersion": "1", "dependsOn": ["a", "older"]},
				"older": {"existing": true, "type": "A.B/c", "name": "older", "apiVersion": "1", "dependsOn": ["b"]},
				"b": {"type": "A.B/c", "name": "b", "apiVersion": "1"},
				"c": {"type": "A.B/c", "name": "c", "apiVersion": "1", "dependsOn": ["old"]},
				"d": {"type": "A.B/c", "name": "d", "apiVersion": "1", "dependsOn": ["older", "c"]}}}`,
			want: []string{"A.B/c/a", "A.B/c/old (existing) after a, b", "A.B/c/older (existing) after b", "A.B/c/b", "A.B/c/c after a, b", "A.B/c/d after b, c"},
		},
		"loops in loops": {
			template: `{"languageVersion": "2.0", "resources": {
				"p": {"type": "A.B/p", "name": "[format('p{0}', copyIndex())]", "apiVersion": "1", "copy": {"name": "ps", "count": 2},
					"resources": {"c": {"type": "c", "name": "[format('c{0}{1}', copyIndex('ps'), copyIndex('cs'))]", "apiVersion": "1",
						"copy": {"name": "cs", "count": 2}}}},
				"all": {"type": "A.B/last", "name": "z", "apiVersion": "1", "dependsOn": ["cs"]},
				"both": {"type": "A.B/last", "name": "y", "apiVersion": "1", "dependsOn": ["c", "ps"]}}}`,
			want: []string{
				"A.B/p/p0", "A.B/p/p0/c/c00 after p0", "A.B/p/p0/c/c01 after p0",
				"A.B/p/p1", "A.B/p/p1/c/c10 after p1", "A.B/p/p1/c/c11 after p1",
				"A.B/last/z after p0/c00, p0/c01, p1/c10, p1/c11",
				"A.B/last/y after p0, p0/c00, p0/c01, p1, p1/c10, p1/c11",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if d := cmp.Diff(tt.want, summary(plan(t, tt.template, testInput(tt.parameters)))); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestScopes(t *testing.T) {
	for name, tt := range map[string]struct {
		scope    Scope
		resource string
		want     string
	}{
		"group in a subscription": {Scope{Subscription: "s"}, `"type": "Microsoft.Resources/resourceGroups", "name": "rg"`, "/subscriptions/s/resourceGroups/rg"},
		"subscription":            {Scope{Subscription: "s"}, `"type": "A.B/c", "name": "x"`, "/subscriptions/s/providers/A.B/c/x"},
		"another subscription":    {Scope{Subscription: "s", ResourceGroup: "g"}, `"type": "A.B/c", "name": "x", "subscriptionId": "t"`, "/subscriptions/t/providers/A.B/c/x"},
		"another group":           {Scope{Subscription: "s"}, `"type": "A.B/c", "name": "x", "resourceGroup": "h"`, "/subscriptions/s/resourceGroups/h/providers/A.B/c/x"},
		"management group":        {Scope{ManagementGroup: "m"}, `"type": "A.B/c", "name": "x"`, "/providers/Microsoft.Management/managementGroups/m/providers/A.B/c/x"},
		"named management group":  {Scope{ManagementGroup: "m"}, `"type": "A.B/c", "name": "x", "scope": "Microsoft.Management/managementGroups/n"`, "/providers/Microsoft.Management/managementGroups/n/providers/A.B/c/x"},
		"tenant":                  {Scope{}, `"type": "A.B/c", "name": "x"`, "/providers/A.B/c/x"},
		"tenant from below":       {Scope{Subscription: "s"}, `"type": "A.B/c", "name": "x", "scope": "/"`, "/providers/A.B/c/x"},
	} {
		t.Run(name, func(t *testing.T) {
			in := testInput("")
			in.Scope = tt.scope
			p := plan(t, fmt.Sprintf(`{"resources": [{"apiVersion": "1", %s}]}`, tt.resource), in)
			if got := p.Resources[0].ID; got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestIDsInAManagementGroup(t *testing.T) {
	in := testInput("")
	in.Scope = Scope{ManagementGroup: "m"}
	p := plan(t, resources(`{"type": "A.B/policy", "name": "x", "apiVersion": "1"},
		{"type": "A.B/assignment", "name": "y", "apiVersion": "1", "dependsOn": ["[resourceId('A.B/policy', 'x')]"]},
		{"type": "A.B/assignment", "name": "z", "apiVersion": "1", "p": "[reference(resourceId('A.B/policy', 'x')).id]"}`), in)
	for _, r := range p.Resources[1:] {
		if d := cmp.Diff([]int{0}, r.DependsOn); d != "" {
			t.Error(r.Name, d)
		}
	}
}

func TestHas(t *testing.T) {
	p := plan(t, `{"languageVersion": "2.0", "resources": {
		"a": {"type": "A.B/c", "name": "a", "apiVersion": "1"},
		"b": {"type": "A.B/c", "name": "b", "apiVersion": "1", "condition": false},
		"c": {"type": "A.B/c", "name": "c", "apiVersion": "1", "existing": true}}}`, testInput(""))
	var got []string
	for _, name := range []string{"A", "b", "c", "d"} {
		if p.Has(strings.ToUpper(groupID) + "/providers/a.b/C/" + name) {
			got = append(got, name)
		}
	}
	if d := cmp.Diff([]string{"A"}, got); d != "" {
		t.Error(d)
	}
	if p.Scope().ID() != groupID {
		t.Error(p.Scope())
	}
}
