package wireserver

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"lazuli/internal/fabric"
)

const blob = `{"version":"1.1","timestampUTC":"2026-11-22T15:47:19Z","aggregateStatus":{"guestAgentStatus":{"version":"2.7.3.0","status":"Ready",` +
	`"formattedMessage":{"lang":"en-US","message":"Guest Agent is running"}},"handlerAggregateStatus":[]},"supportedFeatures":[]}`

func put(content string) string {
	b, _ := json.Marshal(map[string]any{"content": content, "headers": []any{}, "requestUri": "http://elsewhere/"})
	return string(b)
}

func TestStatus(t *testing.T) {
	const line = "3f2504e0-4f89-41d3-9a0c-0305e82c3301 agent 2.7.3.0 Ready Guest Agent is running"
	encoded := base64.StdEncoding.EncodeToString([]byte(blob))
	tests := map[string]struct {
		path, body string
		status     int
		want       reports
	}{
		"by the plugin":    {"/status", put(encoded), 200, reports{line}},
		"by itself":        {"/status/c.status", blob, 201, reports{line}},
		"not base64":       {"/status", put("%%%"), 400, nil},
		"not JSON":         {"/status", "<status/>", 400, nil},
		"not JSON inside":  {"/status", put(base64.StdEncoding.EncodeToString([]byte("x"))), 400, nil},
		"a status of none": {"/status", put(base64.StdEncoding.EncodeToString([]byte("{}"))), 400, nil},
		"of another shape": {"/status/c.status", `{"aggregateStatus":[1]}`, 400, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var got reports
			w := do(&got, true, http.MethodPut, tt.path, tt.body, vm)
			if w.Code != tt.status {
				t.Errorf("status %d, want %d: %s", w.Code, tt.status, w.Body)
			}
			if diff := cmp.Diff(tt.want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("reports (-want +got):\n%s", diff)
			}
		})
	}
}

func TestStatusHasTheNodesTime(t *testing.T) {
	now := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	got, err := readStatus([]byte(blob), now)
	want := fabric.Agent{Version: "2.7.3.0", Status: "Ready", Message: "Guest Agent is running", ReportedAt: now}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v, %s", err, diff)
	}
}

func TestClean(t *testing.T) {
	for in, want := range map[string]string{
		" a\r\n\tb ":              "a   b",
		"\x1b[31mred":             "[31mred",
		"\xff\xfe":                "",
		"über 漢字":                 "über 漢字",
		"\u202Eright to left":     "right to left",
		strings.Repeat("ä", 5000): strings.Repeat("ä", maxText),
	} {
		if got := clean(in); got != want {
			t.Errorf("clean(%.20q) = %.20q, want %.20q", in, got, want)
		}
	}
}

func fit(t *testing.T, texts ...string) {
	t.Helper()
	for _, s := range texts {
		if !utf8.ValidString(s) || len([]rune(s)) > maxText || strings.ContainsAny(s, "\n\r\x00\x1b") {
			t.Errorf("not fit to be shown: %.40q", s)
		}
	}
}

func FuzzHealth(f *testing.F) {
	f.Add(healthReport("Ready", ""))
	f.Add(healthReport("NotReady", details("ProvisioningFailed", "&lt;&#10;")))
	f.Add(`<!DOCTYPE h [<!ENTITY a "&b;&b;">]><Health>&a;</Health>`)
	f.Fuzz(func(t *testing.T, body string) {
		h, err := readHealth(strings.NewReader(body))
		if err == nil && h.State == "" {
			t.Error("a report without a state")
		}
		fit(t, h.State, h.SubStatus, h.Description)
	})
}

func FuzzStatus(f *testing.F) {
	f.Add([]byte(put(base64.StdEncoding.EncodeToString([]byte(blob)))))
	f.Add([]byte(blob))
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, parse := range []statusReader{readStatus, readPutStatus} {
			a, err := parse(body, time.Time{})
			if err != nil && a != (fabric.Agent{}) {
				t.Error("an error and a status")
			}
			fit(t, a.Version, a.Status, a.Message)
		}
	})
}
