package template

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"lazuli/internal/template/jsonc"
)

// files is a Loader of texts by URI.
func files(texts map[string]string) Loader {
	return func(_ context.Context, uri string) ([]byte, error) {
		if text, ok := texts[uri]; ok {
			return []byte(text), nil
		}
		return nil, fmt.Errorf("no file at %s", uri)
	}
}

const deploymentOf = `"type": "Microsoft.Resources/deployments", "apiVersion": "2022-09-01", "name": "inner"`

func TestEvaluationScopes(t *testing.T) {
	nested := `{
		"$schema": "s", "contentVersion": "1.0.0.0",
		"parameters": {"who": {"type": "string", "defaultValue": "inner"}}, "variables": {"v": "inner variable"},
		"resources": [{"type": "A.B/c", "name": "[parameters('who')]", "apiVersion": "1", "v": "[variables('v')]", "escaped": "[[x]", "secret": "[parameters('secret')]"}],
		"outputs": {"o": {"type": "string", "value": "[variables('v')]"}}}`
	outer := func(properties, template string) string {
		return `{"parameters": {"who": {"type": "string", "defaultValue": "outer"}, "secret": {"type": "string", "defaultValue": "[[not('this')]"}}, "variables": {"v": "outer variable"},
			"resources": [{` + deploymentOf + `, "properties": {"mode": "Incremental", ` + properties + ` "template": ` + template + `}}]}`
	}
	innerTemplate := strings.Replace(nested, `, "secret": "[parameters('secret')]"`, "", 1)
	for name, tt := range map[string]struct{ properties, template, body, planned string }{
		"outer": {
			`"parameters": {},`, nested,
			`{"properties":{"mode":"Incremental","parameters":{},"template":{"$schema":"s","contentVersion":"1.0.0.0","parameters":{"who":{"type":"string","defaultValue":"inner"}},"variables":{"v":"inner variable"},` +
				`"resources":[{"type":"A.B/c","name":"outer","apiVersion":"1","v":"outer variable","escaped":"[[x]","secret":"[[not('this')]"}],"outputs":{"o":{"type":"string","value":"outer variable"}}}}}`,
			`outer {"v":"outer variable","escaped":"[x]","secret":"[not('this')]"}`,
		},
		"inner": {
			`"expressionEvaluationOptions": {"scope": "Inner"}, "parameters": {"who": {"value": "[concat('from ', parameters('who'))]"}},`, innerTemplate,
			`{"properties":{"mode":"Incremental","expressionEvaluationOptions":{"scope":"Inner"},"parameters":{"who":{"value":"from outer"}},"template":` + string(jsonc.Append(nil, object(innerTemplate))) + `}}`,
			`from outer {"v":"inner variable","escaped":"[x]"}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := plan(t, outer(tt.properties, tt.template), testInput(""))
			if got := bodies(t, p, &world{})["inner"]; got != tt.body {
				t.Errorf("got  %s\nwant %s", got, tt.body)
			}
			child, in, err := p.Nested(t.Context(), p.Resources[0], &world{}, nil)
			if err != nil {
				t.Fatal(err)
			}
			q, err := child.Plan(t.Context(), in)
			if err != nil {
				t.Fatal(err)
			}
			name := q.Resources[0].Name
			if got := name + " " + bodies(t, q, &world{})[name]; got != tt.planned {
				t.Errorf("got  %s\nwant %s", got, tt.planned)
			}
		})
	}
}

// TestEvaluationScopeOf has what decides where a nested template is evaluated:
// an expression of it that means something only in its own scope.
func TestEvaluationScopeOf(t *testing.T) {
	nested := `"template": {"parameters": {"own": {"type": "string", "defaultValue": "x"}}, "resources": [{"type": "A.B/c", "name": "[parameters('own')]", "apiVersion": "1"}]}`
	options := func(scope string) string {
		return `"expressionEvaluationOptions": {"scope": "` + scope + `"}, ` + nested
	}
	list := func(properties string) string {
		return resources(`{` + deploymentOf + `, "properties": {` + properties + `}}`)
	}
	symbolic := func(properties string) string {
		return `{"languageVersion": "2.0", "resources": {"d": {` + deploymentOf + `, "properties": {` + properties + `}}}}`
	}
	for name, tt := range map[string]struct{ template, want string }{
		"not said":            {list(nested), "The template parameter 'own' is not found"},
		"not specified":       {list(options("NotSpecified")), "The template parameter 'own' is not found"},
		"outer":               {list(options("outer")), "The template parameter 'own' is not found"},
		"inner":               {list(options("inner")), ""},
		"not said, version 2": {symbolic(nested), ""},
		"inner, version 2":    {symbolic(options("Inner")), ""},
		"outer, version 2":    {symbolic(options("Outer")), "The expression evaluation scope 'Outer' of the nested deployment is not supported"},
		"another":             {list(options("both")), "The expression evaluation scope 'both' of the nested deployment is not supported"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := tryPlan(tt.template, testInput(""))
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

func TestNestedInput(t *testing.T) {
	const template = `"properties": {"mode": "Complete", "expressionEvaluationOptions": {"scope": "inner"}, "template": {"resources": []}}`
	for name, tt := range map[string]struct {
		resource string
		scope    Scope
		objects  string // which of subscription(), resourceGroup() are still those of the plan
	}{
		"same":         {``, Scope{Subscription: subscriptionID, ResourceGroup: "rg1"}, "sub group"},
		"other group":  {`"resourceGroup": "rg2",`, Scope{Subscription: subscriptionID, ResourceGroup: "rg2"}, "sub"},
		"subscription": {`"subscriptionId": "s2", "location": "north",`, Scope{Subscription: "s2"}, ""},
		"both":         {`"subscriptionId": "s2", "resourceGroup": "rg1",`, Scope{Subscription: "s2", ResourceGroup: "rg1"}, ""},
		"tenant":       {`"scope": "/",`, Scope{}, ""},
		"management":   {`"scope": "Microsoft.Management/managementGroups/m1",`, Scope{ManagementGroup: "m1"}, ""},
		"by id":        {`"scope": "/subscriptions/s3/resourceGroups/rg3",`, Scope{Subscription: "s3", ResourceGroup: "rg3"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			p := plan(t, resources(`{`+deploymentOf+`, `+tt.resource+template+`}`), testInput(""))
			_, in, err := p.Nested(t.Context(), p.Resources[0], &world{}, nil)
			if err != nil {
				t.Fatal(err)
			}
			if in.Scope != tt.scope || in.Name != "inner" || in.Mode != "Complete" || in.TemplateLink != nil {
				t.Errorf("got %+v", in)
			}
			objects := ""
			if in.Subscription != nil {
				objects += "sub "
			}
			if in.ResourceGroup != nil {
				objects += "group"
			}
			if strings.TrimSpace(objects) != tt.objects {
				t.Errorf("has %s, want %s", objects, tt.objects)
			}
		})
	}
}

func TestLinks(t *testing.T) {
	load := files(map[string]string{
		"https://h/a/child.json":        `{"contentVersion": "1.0.0.0", "parameters": {"p": {"type": "int"}}, "resources": [{` + deploymentOf + `, "properties": {"mode": "Incremental", "templateLink": {"relativePath": "../b/grandchild.json"}}}]}`,
		"https://h/b/grandchild.json":   `{"resources": [{"type": "A.B/c", "name": "found", "apiVersion": "1"}]}`,
		"https://h/p.json":              `{"parameters": {"p": {"value": 3}}}`,
		"https://h/a/child.json?sig=xy": `{"resources": []}`,
	})
	p := plan(t, resources(`{`+deploymentOf+`, "properties": {"mode": "Incremental", "templateLink": {"uri": "https://h/a/child.json", "contentVersion": "1.0.0.0"}, "parametersLink": {"uri": "https://h/p.json"}}}`), testInput(""))
	child, in, err := p.Nested(t.Context(), p.Resources[0], &world{}, load)
	if err != nil {
		t.Fatal(err)
	}
	q, err := child.Plan(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	grandchild, in, err := q.Nested(t.Context(), q.Resources[0], &world{}, load)
	if err != nil {
		t.Fatal(err)
	}
	r, err := grandchild.Plan(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"A.B/c/found"}, summary(r)); d != "" {
		t.Error(d)
	}
	withQuery := plan(t, resources(`{`+deploymentOf+`, "properties": {"templateLink": {"uri": "https://h/a/child.json", "queryString": "?sig=xy"}}}`), testInput(""))
	if _, _, err := withQuery.Nested(t.Context(), withQuery.Resources[0], &world{}, load); err != nil {
		t.Error(err)
	}
}

func TestNestedFails(t *testing.T) {
	load := files(map[string]string{
		"https://h/bad.json": `{`, "https://h/list.json": `[]`, "https://h/v2.json": `{"contentVersion": "2.0.0.0", "resources": []}`,
	})
	for name, tt := range map[string]struct{ resource, want string }{
		"no properties":       {`"x": 1`, "has no properties"},
		"no template":         {`"properties": {}`, "has neither a 'template' nor a 'templateLink'"},
		"template is text":    {`"properties": {"template": "x"}`, "must be a JSON object"},
		"parameters is text":  {`"properties": {"parameters": "x", "template": {"resources": []}}`, "must be a JSON object"},
		"no such link":        {`"properties": {"templateLink": {"uri": "https://h/no.json"}}`, "InvalidContentLink: Unable to download deployment content from 'https://h/no.json': no file at https://h/no.json."},
		"no uri":              {`"properties": {"templateLink": {"id": "spec"}}`, "A link must have a 'uri' or a 'relativePath'"},
		"relative to inline":  {`"properties": {"templateLink": {"relativePath": "x.json"}}`, "can be used only in a template that was linked by its uri"},
		"bad template":        {`"properties": {"templateLink": {"uri": "https://h/bad.json"}}`, "Deployment template parse failed"},
		"bad parameters":      {`"properties": {"template": {"resources": []}, "parametersLink": {"uri": "https://h/bad.json"}}`, "Deployment template parse failed"},
		"no such parameters":  {`"properties": {"template": {"resources": []}, "parametersLink": {"uri": "https://h/no.json"}}`, "no file at"},
		"content version":     {`"properties": {"templateLink": {"uri": "https://h/v2.json", "contentVersion": "1.0.0.0"}}`, "The content version '2.0.0.0' of the template at 'https://h/v2.json' is not the '1.0.0.0'"},
		"scope of a resource": {`"scope": "A.B/c/x", "properties": {"template": {"resources": []}}`, "is not one of a deployment"},
		"nested error":        {`"properties": {"template": {"resources": [], "nope": 1}}`, "Could not find member 'nope'"},
		"not known yet":       {`"properties": {"template": {"resources": []}, "parameters": {"a": {"value": "[reference('/a/b', '1').x]"}}}`, "not known yet"},
	} {
		t.Run(name, func(t *testing.T) {
			p := plan(t, resources(`{`+deploymentOf+`, `+tt.resource+`}`), testInput(""))
			_, _, err := p.Nested(t.Context(), p.Resources[0], &world{}, load)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
	t.Run("no loader", func(t *testing.T) {
		p := plan(t, resources(`{`+deploymentOf+`, "properties": {"templateLink": {"uri": "https://h/x"}}}`), testInput(""))
		if _, _, err := p.Nested(t.Context(), p.Resources[0], &world{}, nil); err == nil || !strings.Contains(err.Error(), "reads no links") {
			t.Error(err)
		}
	})
}

// TestNestingEnds has a template that links to itself.
func TestNestingEnds(t *testing.T) {
	text := resources(`{` + deploymentOf + `, "properties": {"templateLink": {"uri": "https://h/self.json"}}}`)
	load := files(map[string]string{"https://h/self.json": text})
	p := plan(t, text, testInput(""))
	for range 100 {
		child, in, err := p.Nested(t.Context(), p.Resources[0], &world{}, load)
		if err != nil {
			t.Fatal(err)
		}
		if p, err = child.Plan(t.Context(), in); err != nil {
			var e *Error
			if !errors.As(err, &e) || !strings.Contains(e.Message, "nested in more than '10' levels") {
				t.Error(err)
			}
			return
		}
	}
	t.Error("there is no end")
}

// TestNestedResourcesCountTogether has a template of many more resources than
// one may have, which is not too many, and then of too many.
func TestNestedResourcesCountTogether(t *testing.T) {
	many := resources(`{"type": "A.B/c", "name": "[string(copyIndex())]", "apiVersion": "1", "copy": {"name": "l", "count": 800}}`)
	twenty := resources(`{"type": "Microsoft.Resources/deployments", "apiVersion": "1", "name": "[format('d{0}', copyIndex())]", "copy": {"name": "d", "count": 20},
		"properties": {"expressionEvaluationOptions": {"scope": "inner"}, "template": ` + many + `}}`)
	p := plan(t, twenty, testInput(""))
	for i, r := range p.Resources {
		child, in, err := p.Nested(t.Context(), r, &world{}, nil)
		if err != nil {
			t.Fatal(err)
		}
		_, err = child.Plan(t.Context(), in)
		if err == nil {
			continue
		}
		if i != 9 || !strings.Contains(err.Error(), "resources limit exceeded. Limit: '8000' and actual: '8001'") {
			t.Errorf("after %d: %v", i, err)
		}
		return
	}
	t.Error("there is no limit")
}
