package template

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"lazuli/internal/template/jsonc"
)

func TestSecrets(t *testing.T) {
	for name, tt := range map[string]struct {
		parameters, given string
		want              []string
	}{
		"none":       {`"a": {"type": "string"}`, `{"a": {"value": "plain"}}`, nil},
		"string":     {`"a": {"type": "secureString"}, "b": {"type": "string"}`, `{"a": {"value": "hush"}, "b": {"value": "plain"}}`, []string{"hush"}},
		"default":    {`"a": {"type": "securestring", "defaultValue": "[concat('hu', 'sh')]"}`, ``, []string{"hush"}},
		"object":     {`"a": {"type": "secureObject"}`, `{"a": {"value": {"x": ["hush"], "y": {"z": "still"}, "n": 1}}}`, []string{"hush", "still"}},
		"in objects": {`"a": {"type": "object", "properties": {"name": {"type": "string"}, "key": {"type": "securestring"}}}`, `{"a": {"value": {"name": "plain", "key": "hush"}}}`, []string{"hush"}},
		"empty":      {`"a": {"type": "securestring"}`, `{"a": {"value": ""}}`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			p := plan(t, `{"languageVersion": "2.0", "parameters": {`+tt.parameters+`}, "resources": {}}`, testInput(tt.given))
			if d := cmp.Diff(tt.want, p.Secrets()); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestAbsolute(t *testing.T) {
	in := testInput("")
	in.TemplateLink = jsonc.NewObject("uri", "https://x.example/a/main.json?sig=1")
	link := func(text string) string {
		return `{"resources": [{"type": "Microsoft.Resources/deployments", "apiVersion": "2022-09-01", "name": "n", "properties": {"mode": "Incremental", "templateLink": ` + text + `}}]}`
	}
	for text, want := range map[string]string{
		`{"relativePath": "sub/n.json", "contentVersion": "1.0.0.0"}`: `{"uri":"https://x.example/a/sub/n.json","contentVersion":"1.0.0.0"}`,
		`{"uri": "https://y.example/n.json"}`:                         `{"uri":"https://y.example/n.json"}`,
	} {
		p := plan(t, link(text), in)
		body, err := p.Body(context.Background(), p.Resources[0], &world{})
		if err == nil {
			body, err = p.Absolute(p.Resources[0], body)
		}
		if err != nil {
			t.Fatal(err)
		}
		v, _ := body.Get("properties")
		got, _ := v.(*jsonc.Object).Get("templateLink")
		if s := string(jsonc.Append(nil, got)); s != want {
			t.Errorf("%s is %s, want %s", text, s, want)
		}
	}
	p := plan(t, link(`{"relativePath": "n.json"}`), testInput(""))
	if _, err := p.Absolute(p.Resources[0], object(`{"properties": {"templateLink": {"relativePath": "n.json"}}}`)); err == nil {
		t.Error("a path relative to nothing is taken")
	}
}
