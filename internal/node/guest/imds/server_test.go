package imds

import (
	"bytes"
	"encoding/json"
	"flag"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"lazuli/internal/fabric"
)

var update = flag.Bool("update", false, "write the golden files anew")

const key = "ssh-ed25519 AAAA a&b@<here>"

func testGuest() Guest {
	subnet := netip.MustParsePrefix("10.7.0.0/24")
	return Guest{
		Machine: fabric.Machine{
			UID: "3F2504E0-4F89-41D3-9A0C-0305E82C3301", Name: "vm1",
			ResourceID: "/subscriptions/8d10da13-8125-4ba9-a717-bf7490507b3d/resourceGroups/rg1/providers/Microsoft.Compute/virtualMachines/vm1",
			NICs:       []fabric.MachineNIC{{UID: "nic2", Primary: true}, {UID: "elsewhere"}, {UID: "nic1"}},
			Provision: fabric.Provision{
				ComputerName: "vm1-host", AdminUsername: "azureuser", AdminPassword: "never shown", DisablePasswordAuth: true,
				SSHKeys:    []fabric.SSHKey{{Path: "/home/azureuser/.ssh/authorized_keys", KeyData: key}},
				CustomData: "bmV2ZXIgc2hvd24=", HasCustomData: true, UserData: "Zm9vYmFy",
			},
			Metadata: fabric.Metadata{
				SubscriptionID: "8d10da13-8125-4ba9-a717-bf7490507b3d", ResourceGroup: "rg1", Location: "lab1", Zone: "1",
				VMSize: "Standard_B1s", OSType: "Linux", Tags: map[string]string{"team": "a;b", "env": "test"},
				Publisher: "Debian", Offer: "debian-12", SKU: "12", Version: "latest", OSDiskName: "vm1_os",
				DataDisks: []fabric.MetadataDisk{{Name: "data0", LUN: 3, SizeGB: 8}},
			},
		},
		Ports: []fabric.Port{
			{UID: "nic1", MAC: "00:0d:3a:00:00:06", Addresses: []fabric.PortAddress{{Private: netip.MustParseAddr("10.7.0.6"), Subnet: subnet}}},
			{UID: "nic2", MAC: "00:0d:3a:00:00:05", Addresses: []fabric.PortAddress{
				{Private: netip.MustParseAddr("10.7.0.5"), Subnet: subnet, Public: netip.MustParseAddr("198.18.0.7")},
				{Private: netip.MustParseAddr("10.7.0.50"), Subnet: subnet},
				{Private: netip.MustParseAddr("2001:db8::5"), Subnet: netip.MustParsePrefix("2001:db8::/64")},
			}},
		},
	}
}

func testServer() Server {
	return Server{Find: func(a netip.Addr) (Guest, bool) {
		switch a.String() {
		case "10.7.0.5":
			return testGuest(), true
		case "10.7.0.9":
			return Guest{}, true
		}
		return Guest{}, false
	}}
}

type request struct {
	method, path, from string
	header             http.Header
}

func do(r request) *httptest.ResponseRecorder {
	if r.method == "" {
		r.method = http.MethodGet
	}
	if r.from == "" {
		r.from = "10.7.0.5"
	}
	if r.header == nil {
		r.header = http.Header{"Metadata": {"true"}}
	}
	q := httptest.NewRequest(r.method, "http://169.254.169.254"+r.path, nil)
	q.Header, q.RemoteAddr = r.header, r.from+":40000"
	w := httptest.NewRecorder()
	testServer().ServeHTTP(w, q)
	return w
}

func TestInstanceGolden(t *testing.T) {
	w := do(request{path: "/metadata/instance?api-version=2021-08-01&extended=true"})
	var got bytes.Buffer
	if err := json.Indent(&got, w.Body.Bytes(), "", "  "); err != nil {
		t.Fatal(err)
	}
	const golden = "testdata/instance.json"
	if *update {
		if err := os.WriteFile(golden, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("%s (-want +got):\n%s", golden, diff)
	}
	if strings.Contains(got.String(), "never shown") || strings.Contains(got.String(), "bmV2ZXI") {
		t.Error("the document has a secret")
	}
}

func TestServer(t *testing.T) {
	const v = "?api-version=2021-02-01"
	const i = "/metadata/instance"
	badVersion := `{"error":"Bad request. api-version is invalid or was not specified in the request. For more information refer to aka.ms/azureimds","newest-versions":["2025-04-07","2024-07-17","2024-03-15"]}`
	tests := map[string]struct {
		request
		status int
		want   string // body, or a part of it after "..."
	}{
		"leaf as text":             {request{path: i + "/compute/vmId" + v + "&format=text"}, 200, "3f2504e0-4f89-41d3-9a0c-0305e82c3301"},
		"leaf as JSON":             {request{path: i + "/compute/name" + v}, 200, `"vm1"`},
		"leaf, other case":         {request{path: "/Metadata/Instance/Compute/VMID" + v + "&format=TEXT"}, 200, "3f2504e0-4f89-41d3-9a0c-0305e82c3301"},
		"list element":             {request{path: i + "/network/interface/1/macAddress" + v + "&format=text"}, 200, "000D3A000006"},
		"primary interface first":  {request{path: i + "/network/interface/0/ipv4/ipAddress/0" + v}, 200, `{"privateIpAddress":"10.7.0.5","publicIpAddress":"198.18.0.7"}`},
		"directory as text":        {request{path: i + v + "&format=text"}, 200, "compute/\nnetwork/"},
		"list as text":             {request{path: i + "/network/interface/" + v + "&format=text"}, 200, "0/\n1/"},
		"boolean as text":          {request{path: i + "/extended/compute/hasCustomData" + v + "&format=text&extended=true"}, 200, "true"},
		"tags":                     {request{path: i + "/compute/tags" + v + "&format=text"}, 200, "env:test;team:a;b"},
		"tag list":                 {request{path: i + "/compute/tagsList/1" + v}, 200, `{"name":"team","value":"a;b"}`},
		"user data":                {request{path: i + "/compute/userData" + v + "&format=text"}, 200, "Zm9vYmFy"},
		"key, not escaped":         {request{path: i + "/compute/publicKeys/0/keyData" + v}, 200, `"` + key + `"`},
		"trailing slash":           {request{path: i + "/compute/zone/" + v + "&format=text"}, 200, "1"},
		"not extended":             {request{path: i + "/extended" + v}, 404, `{"error":"Not found"}`},
		"no such leaf":             {request{path: i + "/compute/nope" + v}, 404, `{"error":"Not found"}`},
		"below a leaf":             {request{path: i + "/compute/name/x" + v}, 404, `{"error":"Not found"}`},
		"no such element":          {request{path: i + "/network/interface/2" + v}, 404, `{"error":"Not found"}`},
		"negative element":         {request{path: i + "/network/interface/-1" + v}, 404, `{"error":"Not found"}`},
		"no such thing":            {request{path: "/metadata/instances" + v}, 404, `{"error":"Not found"}`},
		"outside":                  {request{path: "/latest/meta-data" + v}, 404, `{"error":"Not found"}`},
		"format":                   {request{path: i + v + "&format=xml"}, 400, "...format is invalid"},
		"no version":               {request{path: i}, 400, badVersion},
		"unknown version":          {request{path: i + "?api-version=2099-01-01"}, 400, badVersion},
		"waagent's version":        {request{path: i + "/compute/osType?api-version=2018-02-01", header: http.Header{"Metadata": {"True"}}}, 200, `"Linux"`},
		"versions need no version": {request{path: "/metadata/versions"}, 200, `...{"apiVersions":["2017-03-01",`},
		"events, no version":       {request{path: "/metadata/scheduledevents"}, 400, `..."newest-versions":["2020-07-01","2019-08-01","2019-04-01"]`},
		"no events":                {request{path: "/metadata/scheduledevents?api-version=2020-07-01"}, 200, `{"DocumentIncarnation":1,"Events":[]}`},
		"identity":                 {request{path: "/metadata/identity/oauth2/token?api-version=2018-02-01&resource=x"}, 400, `{"error":"invalid_request","error_description":"Identity not found"}`},
		"attested":                 {request{path: "/metadata/attested/document" + v}, 404, "...does not offer attested data"},
		"reprovision data":         {request{path: "/metadata/reprovisiondata?api-version=2019-06-01"}, 404, `{"error":"Not found"}`},
		"no header":                {request{path: i + v, header: http.Header{}}, 400, `{"error":"Bad request. Required metadata header not specified"}`},
		"header not true":          {request{path: i + v, header: http.Header{"Metadata": {"yes"}}}, 400, "...Required metadata header"},
		"forwarded":                {request{path: i + v, header: http.Header{"Metadata": {"true"}, "X-Forwarded-For": {"10.7.0.5"}}}, 400, "...X-Forwarded-For"},
		"forwarded, empty":         {request{path: i + v, header: http.Header{"Metadata": {"true"}, "X-Forwarded-For": {""}}}, 400, "...X-Forwarded-For"},
		"POST":                     {request{method: "POST", path: i + v}, 405, "...Method not allowed"},
		"PUT":                      {request{method: "PUT", path: i + v}, 405, "...Method not allowed"},
		"stranger":                 {request{path: i + v, from: "10.7.0.77"}, 403, "...not a virtual machine's"},
		"stranger with headers": {request{path: i + v, from: "10.7.0.77", header: http.Header{
			"Metadata": {"true"}, "X-Real-Ip": {"10.7.0.5"}, "Forwarded": {"for=10.7.0.5"}, "X-Instance-Id": {"3f2504e0-4f89-41d3-9a0c-0305e82c3301"},
		}}, 403, "...not a virtual machine's"},
		"port without a machine": {request{path: i + v, from: "10.7.0.9"}, 404, "...not known yet"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w := do(tt.request)
			if w.Code != tt.status {
				t.Errorf("status %d, want %d", w.Code, tt.status)
			}
			if part, ok := strings.CutPrefix(tt.want, "..."); ok {
				if !strings.Contains(w.Body.String(), part) {
					t.Errorf("body %q has no %q", w.Body, part)
				}
			} else if diff := cmp.Diff(tt.want, w.Body.String()); diff != "" {
				t.Errorf("body (-want +got):\n%s", diff)
			}
		})
	}
}

// A machine that knows as little of itself as may be still gets whole answers:
// lists are lists, not null.
func TestEmptyGuest(t *testing.T) {
	b := encode(instance(Guest{Machine: fabric.Machine{UID: "u"}}, true))
	if bytes.Contains(b, []byte("null")) {
		t.Errorf("null in %s", b)
	}
}

func FuzzPath(f *testing.F) {
	f.Add("/metadata/instance/compute/vmId", "2021-02-01", "text")
	f.Add("/metadata/instance/network/interface/0", "2021-02-01", "json")
	f.Add("/metadata//instance/..", "", "x")
	f.Fuzz(func(t *testing.T, path, version, format string) {
		r := httptest.NewRequest(http.MethodGet, "http://169.254.169.254/", nil)
		r.URL.Path = path
		r.URL.RawQuery = "api-version=" + version + "&format=" + format
		r.Header.Set("Metadata", "true")
		r.RemoteAddr = "10.7.0.5:1"
		w := httptest.NewRecorder()
		testServer().ServeHTTP(w, r)
		if w.Code >= 500 || strings.Contains(w.Body.String(), "never shown") {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
		if kind := w.Header().Get("Content-Type"); strings.HasPrefix(kind, "application/json") && !json.Valid(w.Body.Bytes()) {
			t.Errorf("%s: not JSON: %s", path, w.Body)
		}
	})
}
