package template

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"lazuli/internal/template/jsonc"
)

const (
	subscriptionID = "11111111-2222-3333-4444-555555555555"
	groupID        = "/subscriptions/" + subscriptionID + "/resourceGroups/rg1"
)

// testInput is that of a deployment in a resource group.
func testInput(parameters string) Input {
	n := 0
	return Input{
		Name:          "deploy1",
		Mode:          "Incremental",
		Scope:         Scope{Subscription: subscriptionID, ResourceGroup: "rg1"},
		Parameters:    object(parameters),
		Subscription:  jsonc.NewObject("id", "/subscriptions/"+subscriptionID, "subscriptionId", subscriptionID, "tenantId", "t1", "displayName", "one"),
		ResourceGroup: jsonc.NewObject("id", groupID, "name", "rg1", "type", groupType, "location", "westeurope", "tags", jsonc.NewObject()),
		Tenant:        jsonc.NewObject("tenantId", "t1"),
		Environment:   jsonc.NewObject("name", "Lazuli", "suffixes", jsonc.NewObject("storage", "core.lazuli")),
		Now:           time.Date(2026, 11, 22, 20, 0, 0, 0, time.UTC),
		NewGUID: func() string {
			n++
			return fmt.Sprintf("00000000-0000-4000-8000-%012d", n)
		},
	}
}

// object reads an object of a test.
func object(text string) *jsonc.Object {
	if text == "" {
		return nil
	}
	v, err := jsonc.Parse([]byte(text))
	if err != nil {
		panic(fmt.Sprintf("%v in %s", err, text))
	}
	return v.(*jsonc.Object)
}

// plan plans the template or fails the test.
func plan(t *testing.T, template string, in Input) *Plan {
	t.Helper()
	p, err := tryPlan(template, in)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func tryPlan(template string, in Input) (*Plan, error) {
	parsed, err := Parse([]byte(template))
	if err != nil {
		return nil, err
	}
	return parsed.Plan(context.Background(), in)
}

// world is a Runtime of resources that are there.
type world struct {
	resources map[string]string // JSON by id
	actions   map[string]string // by "id action"
	asked     []string
	strict    bool // what is missing is an error, and not unknown
}

var errNotFound = errors.New("no such resource")

func (w *world) Get(_ context.Context, id, apiVersion string) ([]byte, error) {
	w.asked = append(w.asked, "GET "+id+" "+apiVersion)
	return w.find(w.resources, id)
}

func (w *world) Post(_ context.Context, id, action, apiVersion string, body []byte) ([]byte, error) {
	w.asked = append(w.asked, strings.TrimSpace(fmt.Sprintf("POST %s %s %s %s", id, action, apiVersion, body)))
	return w.find(w.actions, id+" "+action)
}

func (w *world) find(in map[string]string, key string) ([]byte, error) {
	for k, v := range in {
		if strings.EqualFold(k, key) {
			return []byte(v), nil
		}
	}
	if w.strict {
		return nil, errNotFound
	}
	return nil, ErrUnknown
}

// summary lists resources: what they are and what they wait for.
func summary(p *Plan) []string {
	var lines []string
	for _, r := range p.Resources {
		line := strings.TrimPrefix(r.ID, groupID+"/providers/")
		switch {
		case r.Skipped:
			line += " (skipped)"
		case r.Existing:
			line += " (existing)"
		}
		var waits []string
		for _, i := range r.DependsOn {
			waits = append(waits, p.Resources[i].Name)
		}
		if waits != nil {
			line += " after " + strings.Join(waits, ", ")
		}
		lines = append(lines, line)
	}
	return lines
}

// bodies are the JSON of all bodies, by name.
func bodies(t *testing.T, p *Plan, rt Runtime) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, r := range p.Resources {
		if !r.Deployed() {
			continue
		}
		body, _, err := p.Preview(context.Background(), r, rt)
		if err != nil {
			t.Fatalf("%s: %v", r.ID, err)
		}
		all[r.Name] = string(jsonc.Append(nil, body))
	}
	return all
}

// outputs evaluates expressions as outputs of a template without resources,
// and returns the JSON of each.
func outputs(t *testing.T, in Input, sections string, expressions map[string]string) map[string]string {
	t.Helper()
	got := map[string]string{}
	for source := range expressions {
		text := fmt.Sprintf(`{"resources": [], %s "outputs": {"x": {"type": "array", "value": [%s]}}}`, sections, string(jsonc.Append(nil, "["+source+"]")))
		p, err := tryPlan(text, in)
		if err != nil {
			got[source] = err.Error()
			continue
		}
		o, err := p.Outputs(context.Background(), &world{})
		if err != nil {
			got[source] = err.Error()
			continue
		}
		v, _ := o.Get("x")
		v, _ = v.(*jsonc.Object).Get("value")
		got[source] = string(jsonc.Append(nil, v.([]any)[0]))
	}
	return got
}

// refusal checks that planning fails with an *Error, and returns it.
func refusal(t *testing.T, template string, in Input) *Error {
	t.Helper()
	p, err := tryPlan(template, in)
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("got plan %v and error %v, want an *Error", p, err)
	}
	return e
}
