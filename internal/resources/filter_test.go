package resources

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseFilter(t *testing.T) {
	tests := map[string]struct {
		in   string
		want map[string]string
		bad  bool
	}{
		"empty":         {in: " ", want: map[string]string{}},
		"one":           {in: "resourceGroup eq 'rg1'", want: map[string]string{"resourcegroup": "rg1"}},
		"two":           {in: "tagName eq 'a' and tagValue eq 'b and c'", want: map[string]string{"tagname": "a", "tagvalue": "b and c"}},
		"case, spaces":  {in: "  NAME EQ 'x'   AND  location  eq 'y' ", want: map[string]string{"name": "x", "location": "y"}},
		"quote":         {in: "name eq 'it''s'", want: map[string]string{"name": "it's"}},
		"no value":      {in: "name eq", bad: true},
		"no quotes":     {in: "name eq x", bad: true},
		"open quote":    {in: "name eq 'x", bad: true},
		"other verb":    {in: "name ne 'x'", bad: true},
		"or":            {in: "name eq 'x' or name eq 'y'", bad: true},
		"function":      {in: "substringof('x', name)", bad: true},
		"unknown field": {in: "sku eq 'x'", bad: true},
		"twice":         {in: "name eq 'x' and name eq 'y'", bad: true},
		"and nothing":   {in: "name eq 'x' and ", bad: true},
		"glued":         {in: "name eq 'x'and name eq 'y'", bad: true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f, err := parseFilter(tt.in)
			if (err != nil) != tt.bad {
				t.Fatalf("parseFilter = %v, want failure %t", err, tt.bad)
			}
			if diff := cmp.Diff(tt.want, f.fields); !tt.bad && diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func FuzzParseFilter(f *testing.F) {
	f.Add("tagName eq 'a''b' and tagValue eq 'c'")
	f.Fuzz(func(t *testing.T, s string) {
		got, err := parseFilter(s)
		for field := range got.fields {
			if err == nil && !filterFields[field] {
				t.Errorf("parseFilter(%q) takes %q", s, field)
			}
		}
	})
}
