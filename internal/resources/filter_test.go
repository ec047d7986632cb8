package resources

import (
	"slices"
	"strings"
	"testing"

	"lazuli/internal/arm"
)

func TestFilter(t *testing.T) {
	metas := map[string]*arm.Meta{
		"a": {ID: arm.Group("s", "rg1").Resource("Microsoft.Network/virtualNetworks", "demo-net"), Location: "eastus", Tags: map[string]string{"Env": "prod", "dept": "it's"}},
		"b": {ID: arm.Group("s", "rg2").Resource("Microsoft.Compute/disks", "disk"), Location: "westus", Tags: map[string]string{"env": "test", "owner": "prod"}},
		"c": {ID: arm.Group("s", "RG1").Resource("Microsoft.Compute/disks", "Demo"), Location: "eastus"},
	}
	tests := map[string]struct{ in, want string }{
		"empty":              {" ", "a b c"},
		"group":              {"resourceGroup eq 'rg1'", "a c"},
		"not a group":        {"resourceGroup ne 'rg1'", "b"},
		"type":               {"resourceType eq 'microsoft.compute/DISKS'", "b c"},
		"not a type":         {"resourcetype ne 'Microsoft.Compute/disks'", "a"},
		"name":               {"name eq 'DEMO'", "c"},
		"location":           {"location eq 'East US'", "a c"},
		"not a location":     {"location ne 'East US'", "b"},
		"part of a name":     {"substringof('demo', name)", "a c"},
		"part of a group":    {"substringof( 'G1' ,resourceGroup )", "a c"},
		"both":               {"substringof('demo', name) and resourceType eq 'Microsoft.Compute/disks'", "c"},
		"either":             {"substringof('net', name) or substringof('isk', name)", "a b"},
		"and before or":      {"name eq 'disk' or name eq 'demo' and location eq 'westus'", "b"},
		"tag":                {"tagName eq 'ENV'", "a b"},
		"tag with value":     {"tagName eq 'env' and tagValue eq 'prod'", "a"},
		"value of any tag":   {"tagValue eq 'prod'", "a b"},
		"value with quote":   {"tagname eq 'dept' and tagvalue eq 'it''s'", "a"},
		"value that is and":  {"tagValue eq 'x and y'", ""},
		"two tags":           {"tagName eq 'env' and tagValue eq 'test' and tagName eq 'owner'", "b"},
		"beginning of a tag": {"startswith(tagname, 'OW')", "b"},
		"identity":           {"identity/principalId eq 'x'", ""},
		"no plan":            {"plan/publisher ne 'x' and name eq 'disk'", "b"},
		"case and spaces":    {"  NAME EQ 'disk'   AND  location  eq 'westus' ", "b"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f, err := parseFilter(tt.in)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for name, m := range metas {
				if f.takes(m) {
					got = append(got, name)
				}
			}
			slices.Sort(got)
			if strings.Join(got, " ") != tt.want {
				t.Errorf("takes %v, want %s", got, tt.want)
			}
		})
	}
}

func TestBadFilters(t *testing.T) {
	tests := map[string]string{
		"no value":      "name eq",
		"no quotes":     "name eq x",
		"open quote":    "name eq 'x",
		"other verb":    "name like 'x'",
		"unknown field": "sku eq 'x'",
		"unknown part":  "sku/name eq 'x'",
		"and nothing":   "name eq 'x' and ",
		"or nothing":    "or name eq 'x'",
		"glued":         "name eq 'x'and name eq 'y'",
		"parentheses":   "(name eq 'x')",
		"not a tag":     "tagName ne 'x'",
		"part of a tag": "substringof('x', tagName)",
		"start of name": "startswith(name, 'x')",
		"other way":     "substringof(name, 'x')",
		"long":          "name eq '" + strings.Repeat("x", maxFilter) + "'",
	}
	for name, in := range tests {
		t.Run(name, func(t *testing.T) {
			if f, err := parseFilter(in); err == nil {
				t.Errorf("parseFilter = %v", f)
			}
		})
	}
	if _, err := parseFilter("resourceType eq 'x'", groupFields...); err == nil {
		t.Error("groups are filtered by type")
	}
}

func TestFilterOnly(t *testing.T) {
	tests := map[string]struct{ in, want string }{
		"one":    {"resourceGroup eq 'rg'", "rg"},
		"of two": {"name eq 'x' and resourceGroup eq 'rg'", "rg"},
		"or":     {"resourceGroup eq 'rg' or name eq 'x'", ""},
		"not":    {"resourceGroup ne 'rg'", ""},
		"none":   {"", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f, err := parseFilter(tt.in)
			if got := f.only("resourcegroup"); err != nil || got != tt.want {
				t.Errorf("only = %q, %v; want %q", got, err, tt.want)
			}
		})
	}
}

func FuzzParseFilter(f *testing.F) {
	for _, s := range []string{"tagName eq 'a''b' and tagValue eq 'c'", "substringof('x', name) or startswith(tagName, 'y')", "plan/name ne 'z'"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := parseFilter(s)
		if err != nil {
			return
		}
		for _, all := range got.any {
			if len(all) == 0 {
				t.Errorf("parseFilter(%q) has an alternative of nothing", s)
			}
			for _, c := range all {
				if !slices.Contains(filterOps[c.field], c.op) {
					t.Errorf("parseFilter(%q) takes %v", s, c)
				}
			}
		}
		got.takes(&arm.Meta{ID: arm.Group("s", "g"), Tags: map[string]string{"a": "b"}})
	})
}
