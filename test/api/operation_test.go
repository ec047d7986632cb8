package api_test

import (
	"flag"
	"fmt"
	"net/http"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
)

// operation is a method of one of Azure's clients that makes a request.
type operation struct {
	module, client, method string // "armcompute", "VirtualMachines", "BeginStart"
	call                   reflect.Value
}

func (o operation) String() string { return o.module + "." + o.client + "." + o.method }

// operations are all that Azure's clients can ask for, in every module that has
// something which is served.
func operations(t testing.TB, s *sdk) (all []operation) {
	t.Helper()
	for module, factory := range s.factories() {
		f := reflect.ValueOf(factory)
		for i := range f.NumMethod() {
			name := strings.TrimPrefix(f.Type().Method(i).Name, "New")
			client := f.Method(i).Call(make([]reflect.Value, 0))[0]
			for m := range client.NumMethod() {
				all = append(all, operation{module, clientName(name), client.Type().Method(m).Name, client.Method(m)})
			}
		}
	}
	if len(all) < 1000 {
		t.Fatalf("Azure's clients have %d operations: that cannot be all", len(all))
	}
	return all
}

// clientName is what the page calls a client: "VirtualMachines" for
// "VirtualMachinesClient", but "Client" for "Client".
func clientName(full string) string {
	if short := strings.TrimSuffix(full, "Client"); short != "" {
		return short
	}
	return full
}

// successes are the operations that a test has called, and that did what they
// are for.
var successes struct {
	sync.Mutex
	of map[string]bool
}

// module is the part of the SDK that a request comes from, as its User-Agent
// says.
var module = regexp.MustCompile(`azsdk-go-(\w+)/`)

// apiName is the method of a client that makes a request:
// "VirtualMachinesClient.Get"; "" when it is none's.
func apiName(r *http.Request) string {
	name, _ := r.Context().Value(runtime.CtxAPINameKey{}).(string)
	return name
}

// note takes down which operation a good answer is the answer to.
func note(resp *http.Response) {
	m := module.FindStringSubmatch(resp.Request.UserAgent())
	client, method, ok := strings.Cut(apiName(resp.Request), ".")
	if !ok || m == nil || resp.StatusCode >= 300 {
		return
	}
	successes.Lock()
	defer successes.Unlock()
	if successes.of == nil {
		successes.of = map[string]bool{}
	}
	successes.of[m[1]+"."+clientName(client)+"."+method] = true
}

// uncalled are the operations that the page says to be served and that no test
// has called with success.
func uncalled() (missing []string, err error) {
	rows, err := operationRows()
	if err != nil {
		return nil, err
	}
	successes.Lock()
	defer successes.Unlock()
	for _, r := range rows {
		for _, o := range r.operations() {
			if r.answer == "served" && !successes.of[o] {
				missing = append(missing, o)
			}
		}
	}
	slices.Sort(missing)
	return missing, nil
}

// operationRow is a row of the page's tables of operations: those of one client
// by name, or all of several.
type operationRow struct {
	module           string
	clients, methods []string
	answer           string
}

func (r operationRow) operations() (all []string) {
	for _, c := range r.clients {
		for _, m := range r.methods {
			all = append(all, r.module+"."+c+"."+m)
		}
	}
	return all
}

// operationRows reads the tables below the page's last part.
func operationRows() (rows []operationRow, err error) {
	b, err := os.ReadFile("../../docs/compatibility.md")
	if err != nil {
		return nil, err
	}
	_, part, found := strings.Cut(string(b), "\n## The operations of Azure's clients\n")
	if !found {
		return nil, fmt.Errorf("the page has no part about operations")
	}
	module := ""
	for line := range strings.Lines(part) {
		line = strings.TrimSpace(line)
		if name, ok := strings.CutPrefix(line, "### "); ok {
			module = name
		}
		cells := strings.Split(strings.Trim(line, "|"), " | ")
		if len(cells) != 3 || !strings.Contains(cells[0], "`") {
			continue
		}
		rows = append(rows, operationRow{module, names(cells[0]), names(cells[1]), strings.TrimSpace(cells[2])})
	}
	return rows, nil
}

var name = regexp.MustCompile("`([A-Za-z0-9]+)`")

// names are the names in backquotes of a cell.
func names(cell string) (all []string) {
	for _, m := range name.FindAllStringSubmatch(cell, -1) {
		all = append(all, m[1])
	}
	return all
}

// wholeRun says whether all tests ran, so that what was not called then is
// called by none.
func wholeRun() bool {
	for _, f := range []string{"test.run", "test.skip", "test.list"} {
		if flag.Lookup(f).Value.String() != "" {
			return false
		}
	}
	return true
}

// reportUncalled is the exit code of a run in which everything was called that
// the page says to be served: 0, or 1 when it was not.
func reportUncalled() int {
	missing, err := uncalled()
	for _, o := range missing {
		fmt.Printf("docs/compatibility.md says that %s is served, and no test has called it with success\n", o)
	}
	if err != nil {
		fmt.Println(err)
	}
	if err != nil || len(missing) > 0 {
		return 1
	}
	return 0
}
