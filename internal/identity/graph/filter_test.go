package graph

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseFilter(t *testing.T) {
	for text, want := range map[string]filter{
		"":                                      nil,
		"appId eq 'x'":                          {{"appId", equals, "x"}},
		"displayName EQ 'O''Brien'":             {{"displayName", equals, "O'Brien"}},
		"accountEnabled eq true":                {{"accountEnabled", equals, "true"}},
		"startswith(displayName,'a b')":         {{"displayName", startsWith, "a b"}},
		"startsWith( displayName , 'a' )":       {{"displayName", startsWith, "a"}},
		"servicePrincipalNames/any(c:c eq 'x')": {{"servicePrincipalNames", contains, "x"}},
		"a eq 'x and y eq' and b eq 'z'":        {{"a", equals, "x and y eq"}, {"b", equals, "z"}},
	} {
		got, err := parseFilter(text)
		if err != nil {
			t.Errorf("parseFilter(%q): %v", text, err)
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(condition{})); diff != "" {
			t.Errorf("parseFilter(%q): %s", text, diff)
		}
	}
	for _, text := range []string{"x", "a eq", "a eq 'x", "a eq 'x' and", "a eq 'x' or b eq 'y'", "a eq 'x'b eq 'y'", "not a eq 'x'", "a eq x", "(a eq 'x')", "a ne 'x'"} {
		if f, err := parseFilter(text); err == nil {
			t.Errorf("parseFilter(%q) = %v", text, f)
		}
	}
}

func TestConditionMatches(t *testing.T) {
	for name, tt := range map[string]struct {
		c    condition
		have string
		want bool
	}{
		"case":        {condition{"", equals, "Ab"}, "aB", true},
		"other":       {condition{"", equals, "ab"}, "abc", false},
		"prefix":      {condition{"", startsWith, "AB"}, "abc", true},
		"long prefix": {condition{"", startsWith, "abcd"}, "abc", false},
		"no prefix":   {condition{"", startsWith, ""}, "abc", true},
	} {
		if got := tt.c.matches(tt.have); got != tt.want {
			t.Errorf("%s: matches = %t, want %t", name, got, tt.want)
		}
	}
}

func FuzzParseFilter(f *testing.F) {
	f.Add("servicePrincipalNames/any(c:c eq 'x') and displayName eq 'O''Brien'")
	f.Add("startswith(displayName,'')")
	f.Fuzz(func(t *testing.T, text string) {
		parsed, err := parseFilter(text)
		if err == nil && len(parsed) > maxConditions {
			t.Errorf("parseFilter(%q) has %d conditions", text, len(parsed))
		}
	})
}

func FuzzSplitPath(f *testing.F) {
	f.Add("users('a@b')/x")
	f.Add("%2f//..")
	f.Fuzz(func(t *testing.T, path string) {
		c := &call{}
		if r, err := c.find("GET", path); err == nil && r.serve == nil {
			t.Errorf("find(%q) = %+v", path, r)
		}
	})
}
