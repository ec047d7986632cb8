package activity

import (
	"strings"
	"testing"
	"time"

	"lazuli/internal/arm"
)

func TestParseFilter(t *testing.T) {
	const since = "eventTimestamp ge 2026-11-22T06:00:00.123456 and eventTimestamp le 2026-11-22T12:00:00.123456"
	tests := map[string]struct {
		in string
		ok bool
	}{
		"nothing":         {"", true},
		"as az says it":   {since + " and resourceGroupName eq 'rg'", true},
		"no quotes":       {"resourceProvider eq Microsoft.Authorization and " + since, true},
		"quoted times":    {"eventTimestamp ge '2026-11-22T06:00:00Z' and eventTimestamp le '2026-11-22T06:00:00+02:00'", true},
		"plus as a space": {"eventTimestamp ge '2026-11-22T06:00:00 02:00'", true},
		"days":            {"eventTimestamp ge 2026-11-22", true},
		"channels":        {since + " and eventChannels eq 'Admin, Operation'", true},
		"any case":        {"EVENTTIMESTAMP GE '2026-11-22T06:00:00Z' AND Caller EQ 'x'", true},
		"other field":     {since + " and levels eq 'Error'", false},
		"other operator":  {"eventTimestamp gt 2026-11-22", false},
		"not equal":       {"caller ne 'x'", false},
		"twice":           {"caller eq 'x' and caller eq 'y'", false},
		"two beginnings":  {"eventTimestamp ge 2026-11-22 and eventTimestamp ge 2026-11-21", false},
		"no time":         {"eventTimestamp ge 'yesterday'", false},
		"long ago":        {"eventTimestamp ge '0001-01-01'", false},
		"ends in and":     {since + " and ", false},
		"or":              {"caller eq 'x' or caller eq 'y'", false},
		"long":            {"caller eq '" + strings.Repeat("x", 5000) + "'", false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if f, err := parseFilter(tt.in); (err == nil) != tt.ok {
				t.Errorf("parseFilter = %+v, %v, want good: %t", f, err, tt.ok)
			}
		})
	}
	f, err := parseFilter(since)
	if err != nil || f.from != time.Date(2026, 11, 22, 6, 0, 0, 123456000, time.UTC) || f.to.Sub(f.from) != 6*time.Hour {
		t.Errorf("parseFilter = %+v, %v", f, err)
	}
}

func FuzzParseFilter(f *testing.F) {
	f.Add("eventTimestamp ge 2026-11-22T06:00:00.123456 and caller eq 'o''k'")
	f.Add("resourceProvider eq Microsoft.Authorization and ")
	f.Fuzz(func(t *testing.T, s string) {
		got, err := parseFilter(s)
		if err != nil {
			return
		}
		for name := range got.equal {
			if !filterFields[name] {
				t.Errorf("%q compares %q", s, name)
			}
		}
		// What is shown of nothing is not taken for what was asked for.
		_ = got.takes(&show(&arm.Event{Scope: "/"})[0])
	})
}

func TestTakes(t *testing.T) {
	e := &arm.Event{
		Scope: "/subscriptions/s/resourceGroups/RG/providers/Microsoft.Compute/disks/d", Action: "Microsoft.Compute/disks/write",
		Principal: arm.Principal{UserName: "alice@example.org"}, Status: arm.EventSucceeded, Correlation: "c",
	}
	tests := map[string]bool{
		"resourceGroupName eq 'rg'": true, "resourceGroupName eq 'r'": false,
		"resourceId eq '/subscriptions/S/resourceGroups/rg/providers/microsoft.compute/disks/D'":  true,
		"resourceUri eq '/subscriptions/S/resourceGroups/rg/providers/microsoft.compute/disks/e'": false,
		"resourceProvider eq 'microsoft.compute'":                                                 true, "resourceProvider eq 'Microsoft.Network'": false,
		"resourceType eq 'Microsoft.Compute/disks'": true, "resourceType eq 'disks'": false,
		"caller eq 'Alice@example.org'": true, "caller eq 'bob'": false,
		"status eq 'succeeded'": true, "status eq 'Started'": false,
		"correlationId eq 'c'": true, "correlationId eq 'd'": false,
		"eventChannels eq 'Admin'": true, "caller eq 'alice@example.org' and status eq 'Failed'": false,
	}
	for in, want := range tests {
		f, err := parseFilter(in)
		if err != nil {
			t.Fatal(err)
		}
		if got := f.takes(&show(e)[0]); got != want {
			t.Errorf("%s: takes = %t", in, got)
		}
	}
}
