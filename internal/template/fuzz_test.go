package template

import (
	"errors"
	"testing"

	"lazuli/internal/template/jsonc"
)

// FuzzPlan plans whatever parses as a template. It must end, and what it makes
// must be within the limits and can be written; a failure is an *Error.
func FuzzPlan(f *testing.F) {
	f.Add(nics(3, true), "")
	f.Add(nics(4, false), `{"prefix": {"value": "x"}}`)
	f.Add(`{"parameters": {"a": {"type": "int", "minValue": 1}}, "resources": []}`, `{"a": {"value": 3}}`)
	f.Add(`{"languageVersion": "2.0", "definitions": {"t": {"type": "object", "properties": {"x": {"$ref": "#/definitions/t", "nullable": true}}}},
		"parameters": {"a": {"$ref": "#/definitions/t"}}, "resources": {"r": {"type": "A.B/c", "name": "[string(copyIndex())]", "apiVersion": "1", "copy": {"name": "l", "count": 3, "mode": "serial", "batchSize": 2},
		"properties": {"copy": [{"name": "p", "count": 2, "input": "[reference('q').x]"}]}}, "q": {"existing": true, "type": "A.B/d", "name": "y", "apiVersion": "2"}}}`, `{"a": {"value": {"x": {}}}}`)
	f.Add(`{"functions": [{"namespace": "n", "members": {"f": {"parameters": [{"name": "x", "type": "string"}], "output": {"type": "string", "value": "[n.f(parameters('x'))]"}}}}],
		"variables": {"copy": [{"name": "v", "count": 2, "input": "[copyIndex('v')]"}]}, "resources": [{"type": "A.B/c/d", "name": "[concat('a/', variables('v')[0])]", "apiVersion": "1", "dependsOn": ["a"]}], "outputs": {"o": {"type": "string", "value": "[n.f('x')]"}}}`, "")
	f.Add(`{"resources": [{"type": "Microsoft.Resources/deployments", "name": "d", "apiVersion": "1", "resourceGroup": "g", "properties": {"expressionEvaluationOptions": {"scope": "inner"}, "mode": "Incremental", "template": {"resources": []}}}]}`, "")
	f.Fuzz(func(t *testing.T, template, parameters string) {
		if len(template) > 1<<14 {
			return
		}
		in := testInput("")
		if v, err := jsonc.Parse([]byte(parameters)); err == nil {
			in.Parameters, _ = v.(*jsonc.Object)
		}
		ctx := t.Context()
		parsed, err := Parse([]byte(template))
		if err != nil {
			mustBeOurs(t, err)
			return
		}
		p, err := parsed.Plan(ctx, in)
		if err != nil {
			mustBeOurs(t, err)
			return
		}
		if len(p.Resources) > MaxResources {
			t.Fatalf("%d resources", len(p.Resources))
		}
		jsonc.Append(nil, p.Parameters())
		for _, r := range p.Resources {
			if body, _, err := p.Preview(ctx, r, nil); err == nil {
				if _, err := jsonc.ParseString(string(jsonc.Append(nil, body)), jsonc.Limits{Bytes: 1 << 30, Depth: 1 << 10, Values: 1 << 30}); err != nil {
					t.Fatalf("a body that cannot be read: %v", err)
				}
			}
			for _, i := range r.DependsOn {
				if p.Resources[i] == r {
					t.Fatal("a resource waits for itself")
				}
			}
		}
	})
}

func mustBeOurs(t *testing.T, err error) {
	var e *Error
	if !errors.As(err, &e) || e.Code == "" || e.Message == "" {
		t.Fatalf("not an *Error: %v", err)
	}
}
