package cli_test

import (
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
)

const (
	testTenant = "99999999-8888-7777-6666-555555555555"
	testSub    = "11111111-2222-3333-4444-555555555555"
	testClient = "33333333-2222-3333-4444-555555555555"
	testSecret = "correct horse"
)

// object is the body of a resource.
type object = map[string]any

// fakeCloud behaves as ARM does towards this client: resources that refer to
// each other, operations that end after a poll, machines without guests.
type fakeCloud struct {
	*httptest.Server
	mu         sync.Mutex
	resources  map[string]object // by id in lower case
	operations map[string]*fakeOperation
	addresses  int
	logs       map[string]string // by id in lower case
}

// fakeOperation ends at its second poll.
type fakeOperation struct {
	polls   int
	failure object
	end     func()
}

func newFakeCloud(t testing.TB) *fakeCloud {
	f := &fakeCloud{resources: map[string]object{}, operations: map[string]*fakeOperation{}, logs: map[string]string{}}
	f.Server = httptest.NewTLSServer(f)
	t.Cleanup(f.Close)
	return f
}

// writeCredentials writes the file that a server writes, and its certificate.
func (f *fakeCloud) writeCredentials(dir string) (string, error) {
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: f.Certificate().Raw})
	if err := os.WriteFile(filepath.Join(dir, "ca.pem"), ca, 0o644); err != nil {
		return "", err
	}
	b, err := json.Marshal(map[string]string{
		"endpoint": f.URL, "tenantId": testTenant, "clientId": testClient, "clientSecret": testSecret,
		"subscriptionId": testSub, "caFile": "ca.pem", "location": "local",
	})
	if err != nil {
		return "", err
	}
	file := filepath.Join(dir, "admin.json")
	return file, os.WriteFile(file, b, 0o600)
}

func (f *fakeCloud) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	if path[0] == testTenant {
		f.login(w, r)
		return
	}
	if r.Header.Get("Authorization") != "Bearer token" && !r.URL.Query().Has("sig") {
		reply(w, 401, failed("AuthenticationFailed", "The token is not valid."))
		return
	}
	if strings.EqualFold(path[len(path)-1], "console") {
		f.console(w, r)
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	status, body := f.serve(w.Header(), r, path)
	reply(w, status, body)
}

func reply(w http.ResponseWriter, status int, body any) {
	if text, ok := body.(string); ok {
		fmt.Fprint(w, text)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if body != nil {
		_ = json.NewEncoder(w).Encode(body)
	}
}

func failed(code, message string) object {
	return object{"error": object{"code": code, "message": message}}
}

func (f *fakeCloud) login(w http.ResponseWriter, r *http.Request) {
	base := f.URL + "/" + testTenant
	switch {
	case strings.HasSuffix(r.URL.Path, "/openid-configuration"):
		reply(w, 200, object{"authorization_endpoint": base + "/oauth2/v2.0/authorize", "token_endpoint": base + "/oauth2/v2.0/token", "issuer": base})
	case r.FormValue("client_secret") != testSecret:
		reply(w, 401, object{"error": "invalid_client", "error_description": "The client secret is not valid."})
	default:
		reply(w, 200, object{"token_type": "Bearer", "expires_in": 3600, "access_token": "token"})
	}
}

func (f *fakeCloud) console(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	vm := f.resources[strings.ToLower(strings.TrimSuffix(r.URL.Path, "/console"))]
	f.mu.Unlock()
	if power(vm) != "running" {
		reply(w, 409, failed("OperationNotAllowed", "The virtual machine is not running."))
		return
	}
	ws, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	defer ws.CloseNow()
	port := websocket.NetConn(r.Context(), ws, websocket.MessageBinary)
	fmt.Fprint(port, "guest login: ")
	line := make([]byte, 1024)
	n, err := io.ReadAtLeast(port, line, len("root\n"))
	if err == nil {
		fmt.Fprintf(port, "welcome %s", line[:n])
	}
	_ = ws.Close(websocket.StatusNormalClosure, "")
}

// serve answers below /subscriptions/S.
func (f *fakeCloud) serve(h http.Header, r *http.Request, path []string) (int, any) {
	switch {
	case slices.Contains(path, "operations"):
		return f.poll(h, path[len(path)-1])
	case slices.Contains(path, "publishers"):
		return f.images(path[slices.Index(path, "publishers")+1:])
	case path[len(path)-1] == "vmSizes":
		return 200, object{"value": []object{{"name": "Standard_B1s", "numberOfCores": 1, "memoryInMB": 1024, "maxDataDiskCount": 2}}}
	case path[len(path)-1] == "resources":
		return 200, object{"value": f.list(strings.Join(path[:4], "/")+"/providers/", "")}
	}
	depth := len(path) - 2 // after the subscription
	if path[2] == "providers" || depth%2 == 1 && r.Method == http.MethodGet {
		last := path[len(path)-1]
		if last == "instanceView" {
			return 200, f.resources[strings.ToLower("/"+strings.Join(path[:len(path)-1], "/"))]["properties"].(object)["instanceView"]
		}
		if last == "serialLog" {
			return 200, f.logs[strings.ToLower("/"+strings.Join(path[:len(path)-1], "/"))]
		}
		prefix := "subscriptions/" + testSub + "/resourcegroups"
		if path[2] != "providers" {
			prefix = strings.Join(path[:min(4, len(path)-1)], "/")
		}
		return 200, object{"value": f.list(prefix, last)}
	}
	if r.Method == http.MethodPost {
		return f.act(h, strings.ToLower("/"+strings.Join(path[:len(path)-1], "/")), path[len(path)-1])
	}
	return f.resource(h, r, path)
}

// list is the resources of a type below a prefix, in the order of their ids.
func (f *fakeCloud) list(prefix, typ string) []object {
	list := []object{}
	for _, id := range slices.Sorted(maps.Keys(f.resources)) {
		parts := strings.Split(id, "/")
		if strings.HasPrefix(id, "/"+strings.ToLower(prefix)) && (typ == "" || strings.EqualFold(parts[len(parts)-2], typ)) {
			list = append(list, f.resources[id])
		}
	}
	return list
}

// catalogue is the cloud's images: publisher, offer, SKU, generation.
var catalogue = [][4]string{{"Debian", "debian-12", "12", "V1"}, {"Debian", "debian-12", "12-gen2", "V2"}, {"Lazuli", "tiny", "1", "V1"}}

func (f *fakeCloud) images(path []string) (int, any) {
	var given []string
	for i, p := range path {
		if i == 0 || i > 3 && i%2 == 0 {
			given = append(given, p)
		}
	}
	if len(given) == 4 { // a version
		for _, c := range catalogue {
			if c[2] == given[2] && c[1] == given[1] {
				return 200, object{"name": given[3], "location": "local", "properties": object{"hyperVGeneration": c[3]}}
			}
		}
	}
	items := []object{}
	add := func(name string) {
		if !slices.ContainsFunc(items, func(o object) bool { return o["name"] == name }) {
			items = append(items, object{"name": name, "location": "local"})
		}
	}
	for _, c := range catalogue {
		switch {
		case !slices.Equal(c[:len(given)], given):
		case len(given) == 3:
			add("1.0.0")
		default:
			add(c[len(given)])
		}
	}
	return 200, items
}

func (f *fakeCloud) poll(h http.Header, id string) (int, any) {
	h.Set("Retry-After-Ms", "5")
	op := f.operations[id]
	if op.polls++; op.polls == 1 {
		return 200, object{"status": "InProgress"}
	}
	if op.polls == 2 && op.end != nil {
		op.end()
	}
	if op.failure != nil {
		return 200, object{"status": "Failed", "error": op.failure}
	}
	return 200, object{"status": "Succeeded"}
}

// begin starts an operation.
func (f *fakeCloud) begin(h http.Header, op *fakeOperation) {
	id := fmt.Sprintf("op%d", len(f.operations))
	f.operations[id] = op
	h.Set("Azure-AsyncOperation", f.URL+"/subscriptions/"+testSub+"/providers/Microsoft.Compute/locations/local/operations/"+id)
	h.Set("Retry-After-Ms", "5")
}

// act carries out an action on a machine.
func (f *fakeCloud) act(h http.Header, id, action string) (int, any) {
	vm := f.resources[id]
	if vm == nil {
		return notFound(id)
	}
	if action == "retrieveBootDiagnosticsData" {
		return 200, object{"serialConsoleLogBlobUri": f.URL + id + "/serialLog?sig=x"}
	}
	to := map[string]string{"start": "running", "restart": "running", "powerOff": "stopped", "deallocate": "deallocated"}[action]
	f.begin(h, &fakeOperation{end: func() { setPower(vm, to) }})
	return 202, nil
}

func notFound(id string) (int, any) {
	parts := strings.Split(id, "/")
	return 404, failed("ResourceNotFound", fmt.Sprintf("The Resource '%s' was not found.", strings.Join(parts[min(6, len(parts)-1):], "/")))
}

func power(vm object) string {
	if vm == nil {
		return ""
	}
	view, _ := vm["properties"].(object)["instanceView"].(object)
	for _, s := range view["statuses"].([]object) {
		if word, ok := strings.CutPrefix(s["code"].(string), "PowerState/"); ok {
			return word
		}
	}
	return ""
}

func setPower(vm object, to string) {
	vm["properties"].(object)["instanceView"] = object{"statuses": []object{
		{"code": "ProvisioningState/succeeded", "displayStatus": "Provisioning succeeded", "time": time.Now().UTC().Format(time.RFC3339)},
		{"code": "PowerState/" + to, "displayStatus": "VM " + to},
	}}
}
