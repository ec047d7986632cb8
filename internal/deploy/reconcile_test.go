package deploy

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"lazuli/internal/arm"
)

// rich has everything that a deployment waits for: what is done at once, what
// takes an operation, loops, and templates in it.
const rich = `{
  "parameters": {"count": {"type": "int", "defaultValue": 3}, "password": {"type": "securestring"}},
  "resources": [
    {"type": "Test/things", "apiVersion": "2024-01-01", "name": "base", "properties": {"password": "[parameters('password')]"}},
    {"type": "Test/things", "apiVersion": "2024-01-01", "name": "slow", "dependsOn": ["base"], "properties": {"slow": true, "id": "[newGuid2()]"}},
    {"type": "Test/things", "apiVersion": "2024-01-01", "name": "[concat('row', copyIndex())]", "dependsOn": ["base"],
     "copy": {"name": "row", "count": "[parameters('count')]", "mode": "serial"}, "properties": {}},
    {"type": "Microsoft.Resources/deployments", "apiVersion": "2022-09-01", "name": "inner", "dependsOn": ["slow"], "properties": {
      "mode": "Incremental", "expressionEvaluationOptions": {"scope": "inner"}, "parameters": {"name": {"value": "deep"}},
      "template": {"parameters": {"name": {"type": "string"}},
        "resources": [{"type": "Test/things", "apiVersion": "2024-01-01", "name": "[parameters('name')]", "properties": {"slow": true}}],
        "outputs": {"id": {"type": "string", "value": "[resourceId('Test/things', parameters('name'))]"}}}}},
    {"type": "Microsoft.Resources/deployments", "apiVersion": "2022-09-01", "name": "outer", "properties": {"mode": "Incremental",
      "template": {"resources": [{"type": "Test/things", "apiVersion": "2024-01-01", "name": "wide", "properties": {"password": "[parameters('password')]"}}]}}},
    {"type": "Test/things", "apiVersion": "2024-01-01", "name": "last", "properties": {"of": "[reference('inner').outputs.id.value]"}}
  ],
  "outputs": {"of": {"type": "string", "value": "[reference('last').of]"}}
}`

var richBody = deploymentBody(strings.Replace(rich, `, "id": "[newGuid2()]"`, "", 1), `{"password": {"value": "hush-hush"}}`)

var richThings = []string{"base", "deep", "last", "row0", "row1", "row2", "slow", "wide"}

func checkRich(t *testing.T, w *world, o *object) {
	t.Helper()
	if o.Status.State != succeeded {
		t.Fatalf("it came to %s: %+v", o.Status.State, o.Status.Error)
	}
	if d := cmp.Diff(richThings, w.things()); d != "" {
		t.Error(d)
	}
	if want := `"/subscriptions/` + sub + `/resourceGroups/rg/providers/Test/things/deep"`; !strings.Contains(string(o.Status.Outputs), want) {
		t.Errorf("the outputs are %s", o.Status.Outputs)
	}
	if len(o.Status.Made) != len(richThings) {
		t.Errorf("it made %v", o.Status.Made)
	}
	if left := w.secretsLeft(); left != nil {
		t.Errorf("secrets are left: %v", left)
	}
	es, err := w.store.List(t.Context(), "/")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range es {
		if strings.Contains(string(e.Value), "hush") && !strings.HasPrefix(e.Key, "/thing/") {
			t.Errorf("the secret is in %s", e.Key)
		}
	}
}

func TestDeployment(t *testing.T) {
	w := newWorld(t)
	checkRich(t, w, w.deployed("d", richBody, succeeded))
	at := func(name string) int { return slices.Index(w.puts, name) }
	for _, order := range [][2]string{{"base", "slow"}, {"row0", "row1"}, {"row1", "row2"}, {"slow", "inner"}, {"inner", "deep"}, {"deep", "last"}} {
		if at(order[0]) > at(order[1]) {
			t.Errorf("%s was made after %s: %v", order[0], order[1], w.puts)
		}
	}
	w.puts = nil
	checkRich(t, w, w.deployed("d", richBody, succeeded))
	if len(w.puts) != len(richThings)+3 {
		t.Errorf("the second deployment made %v", w.puts)
	}
}

// The deployment goes on after the process died at any of its steps, before
// or after it, and nothing that was written down as made is made again.
func TestDeploymentEveryCrash(t *testing.T) {
	for n := 1; ; n++ {
		w := newWorld(t)
		w.begin(deploymentID("d"), richBody)
		w.steps, w.at = 0, n
		o := w.settle(deploymentID("d"))
		if o != nil {
			if n < 40 {
				t.Fatalf("it took %d steps only", n)
			}
			return
		}
		w.dead, w.at = false, 0
		done := w.recorded()
		w.puts = nil
		w.boot()
		checkRich(t, w, w.settle(deploymentID("d")))
		for _, name := range done {
			if slices.Contains(w.puts, name) {
				t.Errorf("after step %d: %s was made again", n, name)
			}
		}
	}
}

// recorded are the names of what is written down as made.
func (w *world) recorded() (names []string) {
	w.t.Helper()
	all, err := deployments.List(w.t.Context(), w.store, arm.ID{})
	if err != nil {
		w.t.Fatal(err)
	}
	for _, o := range all {
		recs, err := listRecords(w.t.Context(), w.store, o.UID)
		if err != nil {
			w.t.Fatal(err)
		}
		for _, r := range recs {
			if r.State == succeeded && r.Action == actCreate {
				names = append(names, r.Name)
			}
		}
	}
	return names
}

func thing(name, properties string, after ...string) string {
	depends := ""
	if len(after) > 0 {
		depends = `"dependsOn": ["` + strings.Join(after, `", "`) + `"], `
	}
	return `{"type": "Test/things", "apiVersion": "2024-01-01", "name": "` + name + `", ` + depends + `"properties": ` + properties + `}`
}

func templateOf(things ...string) string {
	return `{"resources": [` + strings.Join(things, ", ") + `]}`
}

func TestFailures(t *testing.T) {
	for name, tt := range map[string]struct {
		template string
		codes    []string // of the details, and theirs
		there    []string
	}{
		"later": {
			templateOf(thing("a", `{}`), thing("b", `{"slow": true, "fail": "later"}`), thing("c", `{}`, "b")),
			[]string{"ResourceDeploymentFailure", "ThingBroken"}, []string{"a", "b"},
		},
		"at once": {
			templateOf(thing("a", `{"slow": true}`), thing("b", `{"fail": "conflict"}`, "a"), thing("c", `{}`, "b")),
			[]string{"ThingInUse"}, []string{"a"},
		},
		"what was begun ends": {
			templateOf(thing("a", `{"fail": "conflict"}`), thing("b", `{"slow": true}`), thing("c", `{}`, "b")),
			[]string{"ThingInUse"}, nil,
		},
		"reference to nothing": {
			templateOf(thing("a", `{"x": "[reference(resourceId('Test/things', 'none'), '2024-01-01').y]"}`)),
			[]string{"ResourceNotFound"}, nil,
		},
		"nested": {
			templateOf(`{"type": "Microsoft.Resources/deployments", "apiVersion": "2022-09-01", "name": "n", "properties": {"mode": "Incremental", "template": ` +
				templateOf(thing("x", `{"slow": true, "fail": "later"}`)) + `}}`),
			[]string{"DeploymentFailed", "ResourceDeploymentFailure", "ThingBroken"}, []string{"x"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			o := w.deployed("d", deploymentBody(tt.template, ""), failed)
			if o.Status.Error.Code != "DeploymentFailed" {
				t.Errorf("the error is %v", o.Status.Error)
			}
			e := o.Status.Error
			var codes []string
			for len(e.Details) > 0 {
				e = e.Details[0]
				codes = append(codes, e.Code)
			}
			if d := cmp.Diff(tt.codes, codes); d != "" {
				t.Error(d)
			}
			if tt.there != nil {
				if d := cmp.Diff(tt.there, w.things()); d != "" {
					t.Error(d)
				}
			}
			op, err := arm.GetOperation(t.Context(), w.store, o.Operation)
			if err != nil || op.Status != arm.Failed || op.Error.Code != "DeploymentFailed" {
				t.Errorf("the operation is %+v, %v", op, err)
			}
		})
	}
}

// After a failure a repeat of what is right then converges.
func TestRepeatAfterFailure(t *testing.T) {
	w := newWorld(t)
	bad := templateOf(thing("a", `{}`), thing("b", `{"slow": true, "fail": "later"}`, "a"), thing("c", `{}`, "b"))
	w.deployed("d", deploymentBody(bad, ""), failed)
	w.deployed("d", deploymentBody(strings.Replace(bad, `, "fail": "later"`, "", 1), ""), succeeded)
	if d := cmp.Diff([]string{"a", "b", "c"}, w.things()); d != "" {
		t.Error(d)
	}
}

// The errors of what is refused do not tell secrets.
func TestFailureTellsNoSecret(t *testing.T) {
	w := newWorld(t)
	body := deploymentBody(`{"parameters": {"p": {"type": "securestring"}}, "resources": [`+thing("a", `{"slow": true}`)+`,`+
		thing("b", `{"fail": "conflict", "password": "[parameters('p')]"}`, "a")+`]}`, `{"p": {"value": "hush-hush"}}`)
	o := w.deployed("d", body, failed)
	if m := o.Status.Error.Details[0].Message; strings.Contains(m, "hush") || !strings.Contains(m, "******") {
		t.Errorf("the message is %q", m)
	}
}

func TestCancel(t *testing.T) {
	w := newWorld(t)
	w.begin(deploymentID("d"), deploymentBody(templateOf(thing("a", `{"slow": true}`), thing("b", `{}`, "a"),
		`{"type": "Microsoft.Resources/deployments", "apiVersion": "2022-09-01", "name": "n", "properties": {"mode": "Incremental", "template": `+
			templateOf(thing("x", `{"slow": true}`), thing("y", `{}`, "x"))+`}}`), ""))
	w.pass()
	w.pass()
	if _, code := w.ask("POST", deploymentID("d").String()+"/cancel", ""); code != "" {
		t.Fatal(code)
	}
	for range 3 {
		w.pass()
	}
	w.endSlow()
	w.pass()
	for _, name := range []string{"d", "n"} {
		if o := w.find(deploymentID(name)); o.Status.State != canceled {
			t.Errorf("%s is %s", name, o.Status.State)
		}
	}
	if d := cmp.Diff([]string{"a", "x"}, w.things()); d != "" {
		t.Errorf("what was begun goes on, and nothing else: %s", d)
	}
	if _, code := w.ask("POST", deploymentID("d").String()+"/cancel", ""); code != "DeploymentCannotBeCancelled" {
		t.Errorf("a second cancel is %q", code)
	}
}

func TestComplete(t *testing.T) {
	w := newWorld(t)
	for _, name := range []string{"old1", "old2", "kept"} {
		w.ask("PUT", "/subscriptions/"+sub+"/resourceGroups/rg/providers/Test/things/"+name, `{"properties": {}}`)
	}
	w.ask("PUT", "/subscriptions/"+sub+"/resourceGroups/rg/providers/Test/things/disk", `{"properties": {}, "managedBy": "`+deploymentID("x").Scope().Resource("Test/things", "kept").String()+`"}`)
	text := templateOf(thing("kept", `{}`), `{"type": "Microsoft.Resources/deployments", "apiVersion": "2022-09-01", "name": "n", "properties": {"mode": "Incremental", "template": `+
		templateOf(thing("deep", `{}`))+`}}`)
	body := strings.Replace(deploymentBody(text, ""), "Incremental", "Complete", 1)
	w.deployed("d", body, succeeded)
	if d := cmp.Diff([]string{"deep", "disk", "kept"}, w.things()); d != "" {
		t.Error(d)
	}
}

// What is refused while something else stands on it goes after that; what
// nothing helps fails the deployment, with the reason.
func TestCompleteInOrder(t *testing.T) {
	for what, tt := range map[string]struct {
		things map[string]string // and what each is under
		want   string
		left   []string
	}{
		"a tower":  {map[string]string{"a": "b", "b": "c", "c": ""}, succeeded, nil},
		"a circle": {map[string]string{"a": "b", "b": "a", "c": "a"}, failed, []string{"a", "b", "c"}},
		"a stayer": {map[string]string{"a": "kept", "b": ""}, failed, []string{"a", "kept"}},
	} {
		t.Run(what, func(t *testing.T) {
			w := newWorld(t)
			for name, over := range tt.things {
				w.ask("PUT", "/subscriptions/"+sub+"/resourceGroups/rg/providers/Test/things/"+name, `{"properties": {"under": "`+over+`"}}`)
			}
			text := templateOf()
			if slices.Contains(tt.left, "kept") {
				text = templateOf(thing("kept", `{}`))
			}
			o := w.deployed("d", strings.Replace(deploymentBody(text, ""), "Incremental", "Complete", 1), tt.want)
			if d := cmp.Diff(tt.left, w.things(), cmpopts.EquateEmpty()); d != "" {
				t.Error(d)
			}
			if tt.want == failed && (o.Status.Error == nil || !strings.Contains(fmt.Sprint(o.Status.Error.Details), "ThingInUse")) {
				t.Errorf("it failed by %v", o.Status.Error)
			}
		})
	}
}

// Two that are not to run at once do not, and a group that is being deleted
// takes its deployments with it.
func TestActive(t *testing.T) {
	w := newWorld(t)
	id := deploymentID("d")
	body := deploymentBody(templateOf(thing("a", `{"slow": true}`)), "")
	w.begin(id, body)
	w.pass()
	for what, tt := range map[string]struct{ method, code string }{"again": {"PUT", "DeploymentActive"}, "away": {"DELETE", "DeploymentActive"}} {
		if _, code := w.ask(tt.method, id.String(), body); code != tt.code {
			t.Errorf("%s: %q, want %s", what, code, tt.code)
		}
	}
	w.deleteGroup()
	if _, code := w.ask("DELETE", id.String(), ""); code != "" {
		t.Errorf("a deployment stays with its group: %s", code)
	}
	if w.pass(); w.find(id) != nil {
		t.Error("it is there again")
	}
	es, err := w.store.List(t.Context(), "/deployment/")
	if err != nil || len(es) != 0 {
		t.Errorf("it left %v, %v", es, err)
	}
}
