package template

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"lazuli/internal/template/jsonc"
)

func TestBodies(t *testing.T) {
	for name, tt := range map[string]struct {
		template string
		want     map[string]string
	}{
		"what is PUT, and what is not": {
			resources(`{"type": "A.B/c", "name": "x", "apiVersion": "1", "comments": "c", "metadata": {}, "condition": true, "dependsOn": [], "scope": "[resourceGroup().id]",
				"location": "[resourceGroup().location]", "tags": {"[concat('k', 'ey')]": "v", "[[k]": null}, "sku": {"name": "s"}, "zones": ["1"], "kind": "k", "identity": {"type": "None"}, "plan": {}, "properties": {"n": null, "f": 1.50}}`),
			map[string]string{"x": `{"location":"westeurope","tags":{"key":"v","[k]":null},"sku":{"name":"s"},"zones":["1"],"kind":"k","identity":{"type":"None"},"plan":{},"properties":{"n":null,"f":1.5}}`},
		},
		"loops of properties": {
			resources(`{"type": "A.B/c", "name": "[concat('vm', copyIndex())]", "apiVersion": "1", "copy": {"name": "vms", "count": 2},
				"properties": {"storageProfile": {"copy": [
					{"name": "dataDisks", "count": "[add(copyIndex(), 1)]", "input": {"lun": "[copyIndex('dataDisks')]", "vm": "[copyIndex('vms', 1)]", "bare": "[copyIndex()]"}},
					{"name": "none", "count": 0, "input": 1}], "x": 1}}}`),
			map[string]string{
				"vm0": `{"properties":{"storageProfile":{"dataDisks":[{"lun":0,"vm":1,"bare":0}],"none":[],"x":1}}}`,
				"vm1": `{"properties":{"storageProfile":{"dataDisks":[{"lun":0,"vm":2,"bare":1},{"lun":1,"vm":2,"bare":1}],"none":[],"x":1}}}`,
			},
		},
		"bare index of a property": {
			resources(`{"type": "A.B/c", "name": "x", "apiVersion": "1", "properties": {"copy": [{"name": "l", "count": 2, "input": "[copyIndex(1)]"}]}}`),
			map[string]string{"x": `{"properties":{"l":[1,2]}}`},
		},
		"what runs": {
			resources(`{"type": "A.B/c", "name": "x", "apiVersion": "1", "p": {
				"properties": "[reference('there')]", "property": "[reference('there').ip]", "full": "[reference(resourceId('A.B/d', 'there'), '7', 'Full').location]",
				"meta": "[createArray(reference('there', '1', 'full').apiVersion, reference('there', '1', 'full').resourceId, reference('there', '1', 'full').subscriptionId, reference('there', '1', 'full').isTemplateResource)]",
				"key": "[listKeys('there', '3').keys[0]]", "with": "[listSas(resourceId('A.B/d', 'there'), '3', createObject('a', 1)).s]", "empty": "[list('there', '1')]",
				"outside": "[reference('/subscriptions/s/providers/A.B/e/y', '2').x]", "bare": "[reference('/subscriptions/s/providers/A.B/e/bare', '2', 'full').name]", "none": "[reference('/subscriptions/s/providers/A.B/e/bare', '2')]",
				"not yet": "[concat('a', reference('missing').x)]", "[concat('k', reference('missing').x)]": 1, "[concat('k', reference('there').ip)]": 2,
				"either": "[if(empty(reference('there').ip), reference('missing').x, 'y')]", "info": "[resourceInfo('there').type]"}},
				{"type": "A.B/d", "name": "there", "apiVersion": "5"}, {"type": "A.B/d", "name": "missing", "apiVersion": "5"}`),
			map[string]string{
				"x": `{"p":{"properties":{"ip":"1.2.3.4"},"property":"1.2.3.4","full":"here","meta":["1","` + groupID + `/providers/A.B/d/there","` + subscriptionID + `",true],` +
					`"key":"k1","with":"sas","empty":null,"outside":"out","bare":"b","none":{},"not yet":"[concat('a', reference('missing').x)]","[concat('k', reference('missing').x)]":1,"k1.2.3.4":2,"either":"y","info":"A.B/d"}}`,
				"there": `{}`, "missing": `{}`,
			},
		},
		"symbolic names": {
			`{"resources": {
				"nics": {"type": "A.B/d", "name": "[format('n{0}', copyIndex())]", "apiVersion": "5", "copy": {"name": "l", "count": 2}},
				"old": {"existing": true, "type": "A.B/d", "name": "there", "apiVersion": "5"},
				"vm": {"type": "A.B/c", "name": "x", "apiVersion": "1", "dependsOn": ["l"], "p": {
					"one": "[reference('nics[1]').id]", "by loop": "[reference(format('nics[{0}]', 0)).id]", "all": "[map(references('nics'), lambda('n', lambdaVariables('n').id))]",
					"names": "[map(references('l', 'full'), lambda('n', lambdaVariables('n').name))]", "old": "[reference('old').ip]", "info": "[resourceInfo('nics[1]').name]"}}}}`,
			map[string]string{"n0": `{}`, "n1": `{}`, "x": `{"p":{"one":"one","by loop":"zero","all":["zero","one"],"names":["n0","n1"],"old":"1.2.3.4","info":"n1"}}`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			id := groupID + "/providers/A.B/d/"
			w := &world{
				resources: map[string]string{
					id + "there": `{"location": "here", "properties": {"ip": "1.2.3.4"}}`,
					id + "n0":    `{"name": "n0", "properties": {"id": "zero"}}`, id + "n1": `{"name": "n1", "properties": {"id": "one"}}`,
					"/subscriptions/s/providers/A.B/e/y": `{"properties": {"x": "out"}}`, "/subscriptions/s/providers/A.B/e/bare": `{"name": "b"}`,
				},
				actions: map[string]string{id + "there listKeys": `{"keys": ["k1"]}`, id + "there listSas": `{"s": "sas"}`, id + "there list": ``},
			}
			if d := cmp.Diff(tt.want, bodies(t, plan(t, tt.template, testInput("")), w)); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestWhatIsAsked(t *testing.T) {
	p := plan(t, resources(`{"type": "A.B/c", "name": "x", "apiVersion": "1", "p": [
		"[reference('y').a]", "[reference('y').b]", "[reference('y', '9').b]", "[reference('Y', '5', 'full').properties.b]",
		"[listKeys('y', '3').a]", "[listKeys('y', '3').b]", "[listKeys('y', '3', createObject('q', 1)).b]"]},
		{"type": "A.B/d", "name": "y", "apiVersion": "5"}`), testInput(""))
	w := &world{
		resources: map[string]string{groupID + "/providers/A.B/d/y": `{"properties": {"a": 1, "b": 2}}`},
		actions:   map[string]string{groupID + "/providers/A.B/d/y listKeys": `{"a": 1, "b": 2}`},
	}
	if len(w.asked) != 0 {
		t.Error("planning asked")
	}
	if _, err := p.Body(t.Context(), p.Resources[0], w); err != nil {
		t.Fatal(err)
	}
	y := groupID + "/providers/A.B/d/y"
	want := []string{"GET " + y + " 5", "GET " + y + " 9", "POST " + y + " listKeys 3", "POST " + y + ` listKeys 3 {"q":1}`}
	if d := cmp.Diff(want, w.asked); d != "" {
		t.Error(d)
	}
}

func TestBodyFails(t *testing.T) {
	template := func(expression string) string {
		return resources(`{"type": "A.B/c", "name": "x", "apiVersion": "1", "p": "[` + expression + `]"}, {"type": "A.B/d", "name": "y", "apiVersion": "5"}`)
	}
	y := groupID + "/providers/A.B/d/y"
	for name, tt := range map[string]struct {
		expression string
		answer     string
		is         error
		want       string
	}{
		"not there yet":    {"reference('/a/b', '1').x", "", ErrUnknown, "body of " + groupID + "/providers/A.B/c/x: not known yet"},
		"no such property": {"reference('y').nope", `{"properties": {"a": 1}}`, nil, "Unable to process template language expressions for resource '" + groupID + "/providers/A.B/c/x' at line '1' and column '16'. 'The language expression property 'nope' doesn't exist, available properties are 'a'.'"},
		"no object":        {"reference('y').nope", `[]`, nil, "is not a JSON object"},
		"no JSON":          {"reference('y').nope", `{`, nil, "unexpected end"},
		"list of nothing":  {"listKeys('/a/b', '1').x", "", ErrUnknown, "not known yet"},
	} {
		t.Run(name, func(t *testing.T) {
			p := plan(t, template(tt.expression), testInput(""))
			_, err := p.Body(t.Context(), p.Resources[0], &world{resources: map[string]string{y: tt.answer}})
			if err == nil || tt.is != nil && !errors.Is(err, tt.is) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
	t.Run("the Runtime's own errors", func(t *testing.T) {
		p := plan(t, template("reference('y').x"), testInput(""))
		if _, err := p.Body(t.Context(), p.Resources[0], &world{strict: true}); !errors.Is(err, errNotFound) {
			t.Error(err)
		}
	})
}

func TestPreviewSaysWhatIsKnown(t *testing.T) {
	p := plan(t, resources(`{"type": "A.B/c", "name": "x", "apiVersion": "1", "p": "[reference('y').x]"}, {"type": "A.B/d", "name": "y", "apiVersion": "5"}`), testInput(""))
	for i, want := range []bool{false, true} {
		if _, known, err := p.Preview(t.Context(), p.Resources[i], &world{}); err != nil || known != want {
			t.Errorf("%s: known = %v, %v", p.Resources[i].Name, known, err)
		}
	}
}

func TestOutputs(t *testing.T) {
	template := `{"parameters": {"yes": {"type": "bool", "defaultValue": true}}, "resources": [{"type": "A.B/d", "name": "y", "apiVersion": "5"}], "outputs": {
		"host": {"type": "string", "value": "[reference('y').fqdn]"},
		"list": {"type": "array", "copy": {"count": 3, "input": "[concat('n', copyIndex())]"}},
		"typed": {"type": "array", "items": {"type": "int"}, "value": [1, "[add(1, 1)]"]},
		"skipped": {"condition": "[not(parameters('yes'))]", "type": "string", "value": "[reference('nope')]"},
		"kept": {"condition": "[parameters('yes')]", "type": "Object", "value": {"a": "[parameters('yes')]"}},
		"maybe": {"type": "string", "nullable": true, "value": "[null()]"}}}`
	template = strings.Replace(template, "[reference('nope')]", "x", 1)
	y := groupID + "/providers/A.B/d/y"
	p := plan(t, template, testInput(""))
	got, err := p.Outputs(t.Context(), &world{resources: map[string]string{y: `{"properties": {"fqdn": "a.b"}}`}})
	if err != nil {
		t.Fatal(err)
	}
	want := `{"host":{"type":"String","value":"a.b"},"list":{"type":"Array","value":["n0","n1","n2"]},"typed":{"type":"Array","value":[1,2]},"kept":{"type":"Object","value":{"a":true}},"maybe":{"type":"String","value":null}}`
	if s := string(jsonc.Append(nil, got)); s != want {
		t.Errorf("got  %s\nwant %s", s, want)
	}
	if _, err := p.Outputs(t.Context(), &world{}); !errors.Is(err, ErrUnknown) {
		t.Errorf("without the resource: %v", err)
	}
	if _, err := p.Outputs(t.Context(), &world{strict: true}); !errors.Is(err, errNotFound) {
		t.Errorf("with an error of the Runtime: %v", err)
	}
}

func TestOutputsFail(t *testing.T) {
	p := plan(t, `{"resources": [{"type": "A.B/d", "name": "y", "apiVersion": "5"}], "outputs": {
		"good": {"type": "int", "value": 1}, "result": {"type": "String", "value": "[first(createArray())]"},
		"serviceSubnet": {"type": "string", "value": "[reference('y').list[1]]"}}}`, testInput(""))
	_, err := p.Outputs(context.Background(), &world{resources: map[string]string{groupID + "/providers/A.B/d/y": `{"properties": {"list": []}}`}})
	var e *Error
	if !errors.As(err, &e) {
		t.Fatal(err)
	}
	want := &Error{
		Code:    "DeploymentOutputEvaluationFailed",
		Message: "Unable to evaluate template outputs: 'result,serviceSubnet'. Please see error details and deployment operations. Please see https://aka.ms/arm-common-errors for usage details.",
		Details: []*Error{
			{Code: "DeploymentOutputEvaluationFailed", Target: "result", Message: "The template output 'result' is not valid: Template output JToken type is not valid. Expected 'String, Uri'. Actual 'Null'. Please see https://aka.ms/arm-syntax-outputs for usage details."},
			{Code: "DeploymentOutputEvaluationFailed", Target: "serviceSubnet", Message: "The template output 'serviceSubnet' is not valid: The language expression property array index '1' is out of bounds.."},
		},
	}
	if d := cmp.Diff(want, e); d != "" {
		t.Error(d)
	}
}

// TestSameInputSamePlan is what lets a reconciler forget the plan.
func TestSameInputSamePlan(t *testing.T) {
	template := `{"parameters": {"now": {"type": "string", "defaultValue": "[utcNow()]"}, "id": {"type": "string", "defaultValue": "[newGuid()]"}},
		"resources": [{"type": "A.B/c", "name": "[concat('x', copyIndex())]", "apiVersion": "1", "copy": {"name": "l", "count": 3}, "p": "[concat(parameters('now'), parameters('id'))]"}]}`
	first := bodies(t, plan(t, template, testInput("")), nil)
	if d := cmp.Diff(first, bodies(t, plan(t, template, testInput("")), nil)); d != "" {
		t.Error(d)
	}
}

// TestBodiesAtTheSameTime evaluates as a reconciler does that makes resources
// in parallel. The runtime ends a test that writes a map from two sides.
func TestBodiesAtTheSameTime(t *testing.T) {
	p := plan(t, nics(100, true), testInput(""))
	var all sync.WaitGroup
	for _, r := range p.Resources {
		all.Go(func() {
			if _, err := p.Body(t.Context(), r, &world{}); err != nil {
				t.Error(err)
			}
			if !p.Has(r.ID) || p.Parameters().Len() == 0 {
				t.Error("the plan lost something")
			}
		})
	}
	all.Wait()
}
