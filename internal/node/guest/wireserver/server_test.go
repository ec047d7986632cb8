package wireserver

import (
	"encoding/xml"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"lazuli/internal/fabric"
	"lazuli/internal/node/guest/quota"
)

var update = flag.Bool("update", false, "write the golden files anew")

// reports keeps what was reported, one line each.
type reports []string

func (r *reports) Ready(uid string) { *r = append(*r, uid+" ready") }
func (r *reports) ProvisioningFailed(uid string, p fabric.Problem) {
	*r = append(*r, uid+" failed: "+p.Error())
}
func (r *reports) AgentStatus(uid string, a fabric.Agent) {
	*r = append(*r, fmt.Sprintf("%s agent %s %s %s", uid, a.Version, a.Status, a.Message))
}

// testReports is how many reports a test's machine may make.
const testReports = 3

func testServer(r *reports) Server {
	return Server{Report: r, Quota: quota.New(0, testReports, 1), Find: func(a netip.Addr) (fabric.Machine, bool) {
		switch a.String() {
		case "10.7.0.5":
			return fabric.Machine{UID: "3f2504e0-4f89-41d3-9a0c-0305e82c3301", Name: "vm<1>&(x)"}, true
		case "10.7.0.9":
			return fabric.Machine{}, true
		}
		return fabric.Machine{}, false
	}}
}

func do(r *reports, plugin bool, method, path, body, from string) *httptest.ResponseRecorder {
	s := testServer(r)
	h := s.Wire()
	if plugin {
		h = s.Plugin()
	}
	q := httptest.NewRequest(method, "http://168.63.129.16"+path, strings.NewReader(body))
	q.RemoteAddr = from + ":40000"
	w := httptest.NewRecorder()
	h.ServeHTTP(w, q)
	return w
}

const vm = "10.7.0.5"

func TestDocumentsGolden(t *testing.T) {
	for name, path := range map[string]string{
		"versions":                 "/?comp=versions",
		"goalstate":                "/machine/?comp=goalstate",
		"hostingEnvironmentConfig": "/machine/c/i?comp=config&type=hostingEnvironmentConfig&incarnation=1",
		"sharedConfig":             "/machine/c/i?comp=config&type=sharedConfig&incarnation=1",
		"extensionsConfig":         "/machine/c/i?comp=config&type=extensionsConfig&incarnation=1",
	} {
		t.Run(name, func(t *testing.T) {
			w := do(nil, false, http.MethodGet, path, "", vm)
			if w.Code != http.StatusOK || !wellFormed(w.Body.String()) {
				t.Fatalf("%d: %s", w.Code, w.Body)
			}
			golden := "testdata/" + name + ".xml"
			if *update {
				if err := os.WriteFile(golden, w.Body.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), w.Body.String()); diff != "" {
				t.Errorf("%s (-want +got):\n%s", golden, diff)
			}
		})
	}
}

func wellFormed(doc string) bool {
	d := xml.NewDecoder(strings.NewReader(doc))
	for {
		if _, err := d.Token(); err != nil {
			return err == io.EOF
		}
	}
}

// An agent follows the URLs of the goal state, so they have to lead somewhere.
func TestGoalStateLinks(t *testing.T) {
	var state struct {
		Container string `xml:"Container>ContainerId"`
		Instance  string `xml:"Container>RoleInstanceList>RoleInstance>InstanceId"`
		Links     struct {
			Hosting    string `xml:"HostingEnvironmentConfig"`
			Shared     string `xml:"SharedConfig"`
			Extensions string `xml:"ExtensionsConfig"`
		} `xml:"Container>RoleInstanceList>RoleInstance>Configuration"`
	}
	if err := xml.Unmarshal(do(nil, false, http.MethodGet, "/machine/?comp=goalstate", "", vm).Body.Bytes(), &state); err != nil {
		t.Fatal(err)
	}
	if want := idsOf(fabric.Machine{UID: "3f2504e0-4f89-41d3-9a0c-0305e82c3301", Name: "vm<1>&(x)"}); state.Container != want.Container || state.Instance != want.Instance {
		t.Errorf("container %q, instance %q, want %v", state.Container, state.Instance, want)
	}
	for _, link := range []string{state.Links.Hosting, state.Links.Shared, state.Links.Extensions} {
		path, ok := strings.CutPrefix(link, "http://168.63.129.16:80")
		if w := do(nil, false, http.MethodGet, path, "", vm); !ok || w.Code != http.StatusOK {
			t.Errorf("%s: %d", link, w.Code)
		}
	}
}

func healthReport(state, details string) string {
	return `<?xml version="1.0" encoding="utf-8"?><Health xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">` +
		`<GoalStateIncarnation>1</GoalStateIncarnation><Container><ContainerId>c</ContainerId><RoleInstanceList><Role><InstanceId>i</InstanceId>` +
		`<Health><State>` + state + `</State>` + details + `</Health></Role></RoleInstanceList></Container></Health>`
}

func details(sub, text string) string {
	return "<Details><SubStatus>" + sub + "</SubStatus><Description>" + text + "</Description></Details>"
}

func TestHealth(t *testing.T) {
	const uid = "3f2504e0-4f89-41d3-9a0c-0305e82c3301 "
	tests := map[string]struct {
		body   string
		status int
		want   reports
	}{
		"ready":           {healthReport("Ready", ""), 200, reports{uid + "ready"}},
		"indented":        {strings.ReplaceAll(healthReport(" Ready ", ""), "><", ">\n  <"), 200, reports{uid + "ready"}},
		"on the way":      {healthReport("NotReady", details("Provisioning", "Starting")), 200, nil},
		"failed":          {healthReport("NotReady", details("ProvisioningFailed", "result=error|reason=no &lt;x&gt;\r\n\tmore")), 200, reports{uid + "failed: ProvisioningFailed: The guest reported that its provisioning failed: result=error|reason=no <x>  more"}},
		"failed, no word": {healthReport("NotReady", details("ProvisioningFailed", "")), 200, reports{uid + "failed: ProvisioningFailed: The guest reported that its provisioning failed, and not why."}},
		"no state":        {healthReport("", ""), 400, nil},
		"not XML":         {"State=Ready", 400, nil},
		"nothing":         {"", 400, nil},
		"another element": {"<Sick><State>Ready</State></Sick>", 400, nil},
		"an entity":       {`<!DOCTYPE h [<!ENTITY a "Ready">]>` + healthReport("&a;", ""), 400, nil},
		"too large":       {healthReport("Ready", strings.Repeat(" ", maxHealth)), 400, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var got reports
			w := do(&got, false, http.MethodPost, "/machine?comp=health", tt.body, vm)
			if w.Code != tt.status {
				t.Errorf("status %d, want %d: %s", w.Code, tt.status, w.Body)
			}
			if diff := cmp.Diff(tt.want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("reports (-want +got):\n%s", diff)
			}
		})
	}
}

// A machine that reports without end is not written down without end.
func TestReportsAreBounded(t *testing.T) {
	statusBody := `{"aggregateStatus": {"guestAgentStatus": {"version": "9.9", "status": "Ready"}}}`
	tests := map[string]struct {
		plugin             bool
		method, path, body string
		done               int
	}{
		"health": {false, http.MethodPost, "/machine?comp=health", healthReport("Ready", ""), http.StatusOK},
		"status": {true, http.MethodPut, "/status/x.status", statusBody, http.StatusCreated},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var got reports
			s := testServer(&got)
			h := s.Wire()
			if tt.plugin {
				h = s.Plugin()
			}
			for i := range 2 * testReports {
				q := httptest.NewRequest(tt.method, "http://168.63.129.16"+tt.path, strings.NewReader(tt.body))
				q.RemoteAddr = vm + ":40000"
				w := httptest.NewRecorder()
				h.ServeHTTP(w, q)
				want := tt.done
				if i >= testReports {
					want = http.StatusTooManyRequests
				}
				if w.Code != want {
					t.Errorf("report %d: status %d, want %d: %s", i, w.Code, want, w.Body)
				}
			}
			if len(got) != testReports {
				t.Errorf("%d reports were passed on, want %d", len(got), testReports)
			}
		})
	}
}

func TestRequests(t *testing.T) {
	const wire, plugin = false, true
	tests := map[string]struct {
		plugin             bool
		method, path, from string
		status             int
	}{
		"root without comp":    {wire, "GET", "/", vm, 404},
		"another comp":         {wire, "GET", "/machine/?comp=secrets", vm, 404},
		"another config":       {wire, "GET", "/machine/c/i?comp=config&type=passwords", vm, 404},
		"another report":       {wire, "POST", "/machine?comp=goalstate", vm, 404},
		"another path":         {wire, "GET", "/etc/passwd", vm, 404},
		"telemetry":            {wire, "POST", "/machine?comp=telemetrydata", vm, 200},
		"role properties":      {wire, "POST", "/machine?comp=roleProperties", vm, 202},
		"observations":         {wire, "POST", "/HealthService", vm, 200},
		"wrong method":         {wire, "DELETE", "/machine/?comp=goalstate", vm, 405},
		"certificates of none": {wire, "GET", "/machine/c/i?comp=certificates", vm, 400},
		"stranger":             {wire, "GET", "/machine/?comp=goalstate", "10.7.0.77", 403},
		"stranger reports":     {wire, "POST", "/machine?comp=health", "10.7.0.77", 403},
		"not known yet":        {wire, "GET", "/machine/?comp=goalstate", "10.7.0.9", 404},
		"plugin versions":      {plugin, "GET", "/versions", vm, 200},
		"plugin health":        {plugin, "GET", "/health", vm, 200},
		"fast track":           {plugin, "GET", "/vmSettings", vm, 404},
		"artifact":             {plugin, "GET", "/extensionArtifact", vm, 404},
		"agent log":            {plugin, "PUT", "/vmAgentLog", vm, 200},
		"status of nothing":    {plugin, "PUT", "/status", vm, 400},
		"blob of nothing":      {plugin, "PUT", "/status/x.status", vm, 400},
		"plugin's stranger":    {plugin, "PUT", "/status", "10.7.0.77", 403},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var got reports
			if w := do(&got, tt.plugin, tt.method, tt.path, "", tt.from); w.Code != tt.status {
				t.Errorf("status %d, want %d: %s", w.Code, tt.status, w.Body)
			}
			if len(got) != 0 {
				t.Errorf("reports %v", got)
			}
		})
	}
}

type endless struct{ left int }

func (e *endless) Read(b []byte) (int, error) {
	if e.left <= 0 {
		return 0, io.EOF
	}
	n := min(len(b), e.left)
	e.left -= n
	return n, nil
}

func TestBodiesAreBounded(t *testing.T) {
	tests := map[string]struct {
		plugin       bool
		method, path string
		size, status int
	}{
		"telemetry": {false, "POST", "/machine?comp=telemetrydata", maxDiscard + 1, 413},
		"log":       {true, "PUT", "/vmAgentLog", maxDiscard + 1, 413},
		"status":    {true, "PUT", "/status", maxStatus + 1, 413},
		"blob":      {true, "PUT", "/status/x", maxStatus + 1, 413},
		"a log":     {true, "PUT", "/vmAgentLog", maxDiscard, 200},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var got reports
			s := testServer(&got)
			h := s.Wire()
			if tt.plugin {
				h = s.Plugin()
			}
			body := &endless{tt.size}
			q := httptest.NewRequest(tt.method, "http://168.63.129.16"+tt.path, body)
			q.RemoteAddr = vm + ":1"
			w := httptest.NewRecorder()
			h.ServeHTTP(w, q)
			if w.Code != tt.status || len(got) != 0 {
				t.Errorf("status %d, want %d; reports %v", w.Code, tt.status, got)
			}
		})
	}
}

func TestIDsAreStable(t *testing.T) {
	a, b := fabric.Machine{UID: "a", Name: "n"}, fabric.Machine{UID: "b", Name: "n"}
	if idsOf(fabric.Machine{UID: "a", Name: "n"}) != idsOf(a) || idsOf(a) == idsOf(b) || idsOf(a).Container == idsOf(a).Deployment {
		t.Errorf("%v, %v", idsOf(a), idsOf(b))
	}
}
