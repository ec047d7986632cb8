package activity

import (
	"encoding/json"
	"maps"
	"slices"
	"testing"
	"time"

	"lazuli/internal/arm"
)

var at = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func TestShow(t *testing.T) {
	const disk = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Compute/disks/d"
	tests := map[string]struct {
		e    arm.Event
		want [][5]string // status, substatus, level, type, provider
	}{
		"done":    {arm.Event{Scope: disk, Began: at, Status: arm.EventSucceeded, HTTP: 201}, [][5]string{{"Succeeded", "Created", "Informational", "Microsoft.Compute/disks", "Microsoft.Compute"}, {"Started", "", "Informational", "Microsoft.Compute/disks", "Microsoft.Compute"}}},
		"begun":   {arm.Event{Scope: disk, Began: at, Status: arm.EventAccepted, HTTP: 202}, [][5]string{{"Accepted", "Accepted", "Informational", "Microsoft.Compute/disks", "Microsoft.Compute"}, {"Started", "", "Informational", "Microsoft.Compute/disks", "Microsoft.Compute"}}},
		"ended":   {arm.Event{Scope: disk, Status: arm.EventFailed, HTTP: 409, Code: "Broken"}, [][5]string{{"Failed", "Conflict", "Error", "Microsoft.Compute/disks", "Microsoft.Compute"}}},
		"denied":  {arm.Event{Scope: "/subscriptions/s/resourceGroups/rg", Status: arm.EventFailed, HTTP: 403, Code: "AuthorizationFailed"}, [][5]string{{"Failed", "Forbidden", "Error", "Microsoft.Resources/subscriptions/resourceGroups", "Microsoft.Resources"}}},
		"rare":    {arm.Event{Scope: "/subscriptions/s", Status: arm.EventFailed, HTTP: 418}, [][5]string{{"Failed", "418", "Informational", "Microsoft.Resources/subscriptions", "Microsoft.Resources"}}},
		"unknown": {arm.Event{Scope: "/", Status: arm.EventSucceeded}, [][5]string{{"Succeeded", "", "Informational", "Microsoft.Resources/subscriptions", "Microsoft.Resources"}}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			tt.e.At = at
			var got [][5]string
			ids := map[string]bool{}
			for _, b := range show(&tt.e) {
				got = append(got, [5]string{b.Status.Value, b.SubStatus.Value, b.Level, b.ResourceType.Value, b.ResourceProviderName.Value})
				ids[b.EventDataID] = true
			}
			if !slices.Equal(got, tt.want) || len(ids) != len(got) {
				t.Errorf("show = %v, want %v", got, tt.want)
			}
		})
	}
}

func TestClaims(t *testing.T) {
	got := slices.Sorted(maps.Values(claims(arm.Principal{ObjectID: "o", AppID: "a", UserName: "u"}, "127.0.0.1")))
	if want := []string{"127.0.0.1", "a", "o", "u"}; !slices.Equal(got, want) {
		t.Errorf("claims = %v, want %v", got, want)
	}
}

func TestChoose(t *testing.T) {
	b := show(&arm.Event{Scope: "/subscriptions/s", At: at})[0]
	for fields, want := range map[string]int{"": 23, " Caller , eventTimestamp,nonsense": 2, "x": 0} {
		v, err := b.choose(fields)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		var m map[string]any
		if err := json.Unmarshal(raw, &m); err != nil || len(m) != want {
			t.Errorf("choose(%q) has %d fields, want %d: %v", fields, len(m), want, err)
		}
	}
}

func TestTicks(t *testing.T) {
	if got := ticks(time.Date(2016, 7, 6, 13, 45, 10, 0, time.UTC)); got != 636034095100000000 {
		t.Errorf("ticks = %d", got)
	}
}
