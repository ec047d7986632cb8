package azurerm_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// resource is one of azurerm's, by what its client is asked for.
type resource struct {
	name string
	// get reads it; it may be what is not there.
	get func() (response *http.Response, model any, err error)
	// put makes it as sent says, and has it so when it is done again.
	put  func() error
	sent any
	// remove deletes it, and comes back when it is gone.
	remove func() error
}

// create does what "terraform apply" does, and then what "terraform plan" does,
// which finds no drift.
func (r *resource) create(t *testing.T) {
	t.Helper()
	if response, _, err := r.get(); err == nil || response == nil || response.StatusCode != http.StatusNotFound {
		t.Fatalf("%s: before it is made, it is %v", r.name, err)
	}
	if err := r.put(); err != nil {
		t.Fatalf("%s: %v", r.name, err)
	}
	first := r.read(t)
	contains(t, r.name, tree(t, r.sent), first)
	if err := r.put(); err != nil {
		t.Fatalf("%s, again: %v", r.name, err)
	}
	again := r.read(t)
	if diff := cmp.Diff(first, again, withoutETags); diff != "" {
		t.Errorf("%s is another after the same was asked for again:\n%s", r.name, diff)
	}
}

func (r *resource) read(t *testing.T) any {
	t.Helper()
	_, model, err := r.get()
	if err != nil {
		t.Fatalf("%s: %v", r.name, err)
	}
	return tree(t, model)
}

// destroy does what "terraform destroy" does.
func (r *resource) destroy(t *testing.T) {
	t.Helper()
	if err := r.remove(); err != nil {
		t.Fatalf("delete %s: %v", r.name, err)
	}
	if response, _, err := r.get(); err == nil || response == nil || response.StatusCode != http.StatusNotFound {
		t.Errorf("%s is deleted, and there: %v", r.name, err)
	}
}

// withoutETags compares all but what says when something was written.
var withoutETags = cmp.FilterPath(func(p cmp.Path) bool {
	index, ok := p.Last().(cmp.MapIndex)
	return ok && (index.Key().String() == "etag" || index.Key().String() == "updatedOn")
}, cmp.Ignore())

// contains: all that was sent is in what is read, as azurerm compares it, which
// takes what is not there for false.
func contains(t *testing.T, at string, sent, got any) {
	t.Helper()
	switch s := sent.(type) {
	case map[string]any:
		g, _ := got.(map[string]any)
		for name, v := range s {
			contains(t, at+"."+name, v, g[name])
		}
	case []any:
		g, _ := got.([]any)
		if len(g) < len(s) {
			t.Errorf("%s: %d were sent and %d are there", at, len(s), len(g))
			return
		}
		for i, v := range s {
			contains(t, at, v, g[i])
		}
	default:
		if sent != nil && sent != got && (sent != false || got != nil) {
			t.Errorf("%s was sent as %v, and is %v", at, sent, got)
		}
	}
}

// tree is a model as it is in JSON.
func tree(t *testing.T, model any) (v any) {
	t.Helper()
	b, err := json.Marshal(model)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// model is what a client sends, from JSON.
func model[M any](t *testing.T, text string) (m M) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return m
}
