package rights

import (
	"strings"
	"testing"
)

func TestParseFilter(t *testing.T) {
	tests := map[string]struct {
		in string
		ok bool
	}{
		"nothing":          {"", true},
		"function":         {"atScope()", true},
		"any case":         {" ATSCOPE( ) ", true},
		"both":             {"atScope() and assignedTo('x')", true},
		"field":            {"principalId eq 'o''k'", true},
		"twice":            {"atScope() and atScope()", false},
		"unknown function": {"atNight()", false},
		"unknown field":    {"scope eq 'x'", false},
		"a field's call":   {"principalId('x')", false},
		"a function's eq":  {"atScope eq 'x'", false},
		"other operator":   {"principalId ne 'x'", false},
		"or":               {"atScope() or assignedTo('x')", false},
		"ends in and":      {"atScope() and ", false},
		"no quotes":        {"principalId eq x", false},
		"long":             {"principalId eq '" + strings.Repeat("x", 5000) + "'", false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f, err := parseFilter(tt.in, "atScope() assignedTo()", "principalId ")
			if (err == nil) != tt.ok {
				t.Errorf("parseFilter = %+v, %v, want good: %t", f, err, tt.ok)
			}
		})
	}
	f, err := parseFilter("assignedTo('a') and principalId eq 'o''k'", "atScope() assignedTo()", "principalId ")
	if err != nil || f.called["assignedto"] != "a" || f.equal["principalid"] != "o'k" || f.calls("atscope") {
		t.Errorf("parseFilter = %+v, %v", f, err)
	}
}

func FuzzParseFilter(f *testing.F) {
	for _, s := range []string{"atScope() and assignedTo('x')", "principalId eq 'o''k'", "roleName eq 'Reader' and "} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := parseFilter(s, "atScope() assignedTo()", "principalId ")
		if err != nil {
			return
		}
		for name := range got.called {
			if name != "atscope" && name != "assignedto" {
				t.Errorf("%q calls %q", s, name)
			}
		}
		for name := range got.equal {
			if name != "principalid" {
				t.Errorf("%q compares %q", s, name)
			}
		}
	})
}
