package deploy

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"lazuli/internal/arm"
)

// nested is a deployment in a template.
func nested(name, options, template string) string {
	return `{"type": "Microsoft.Resources/deployments", "apiVersion": "2022-09-01", "name": "` + name + `", "properties": {"mode": "Incremental", ` + options + `"template": ` + template + `}}`
}

func TestValidate(t *testing.T) {
	for name, tt := range map[string]struct {
		template, code string // of the first detail; "" for none
		valid          int
	}{
		"good":               {templateOf(thing("a", `{}`), thing("b", `{"x": "[reference('a').provisioningState]"}`)), "", 2},
		"refused":            {templateOf(thing("a", `{}`), thing("b", `{"fail": "now"}`, "a")), "ThingRefused", 0},
		"without rights":     {templateOf(thing("a", `{"fail": "rights"}`)), "AuthorizationFailed", 0},
		"refused for now":    {templateOf(thing("a", `{"fail": "conflict"}`)), "", 1},
		"after what is slow": {templateOf(thing("a", `{"slow": true}`), thing("b", `{"fail": "now"}`, "a")), "", 2},
		"of unknown":         {templateOf(thing("a", `{"fail": "conflict"}`), thing("b", `{"fail": "now", "x": "[reference('a').y]"}`)), "", 2},
		"in a nested one":    {templateOf(nested("n", "", templateOf(thing("x", `{"fail": "now"}`)))), "ThingRefused", 0},
		"outputs of nested": {
			templateOf(nested("n", `"expressionEvaluationOptions": {"scope": "inner"}, `, `{"resources": [], "outputs": {"o": {"type": "string", "value": "now"}}}`),
				thing("a", `{"fail": "[reference('n').outputs.o.value]"}`)), "ThingRefused", 0,
		},
		"nested elsewhere": {templateOf(strings.Replace(nested("n", "", templateOf(thing("x", `{}`))), `"name"`, `"resourceGroup": "none", "name"`, 1)), "ResourceGroupNotFound", 0},
		"bad nested":       {templateOf(nested("n", "", `{"resources": [{"type": "x"}]}`)), "InvalidTemplate", 0},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			resp, err := w.Do(t.Context(), Request{Principal: me, Method: "POST", Path: deploymentID("d").String() + "/validate", Body: []byte(deploymentBody(tt.template, ""))})
			if left := w.things(); left != nil {
				t.Errorf("the validation left %v", left)
			}
			if tt.code != "" {
				ae, ok := err.(*arm.Error)
				if !ok || ae.Code != "InvalidTemplateDeployment" || len(ae.Details) != 1 || ae.Details[0].Code != tt.code || ae.Details[0].Target == "" {
					t.Errorf("it is refused with %v", err)
				}
				if _, code := w.ask("PUT", deploymentID("d").String(), deploymentBody(tt.template, "")); code != "InvalidTemplateDeployment" {
					t.Errorf("it is taken: %q", code)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var b validated
			if err := json.Unmarshal(resp.Body, &b); err != nil || len(b.Properties.ValidatedResources) != tt.valid {
				t.Errorf("%d resources are valid, want %d (%v)", len(b.Properties.ValidatedResources), tt.valid, err)
			}
		})
	}
}

// The resources are not asked for where only the template is to be checked.
func TestValidateTemplateOnly(t *testing.T) {
	w := newWorld(t)
	body := strings.Replace(deploymentBody(templateOf(thing("a", `{"fail": "now"}`)), ""), `"mode"`, `"validationLevel": "template", "mode"`, 1)
	if _, code := w.ask("POST", deploymentID("d").String()+"/validate", body); code != "" {
		t.Errorf("it is refused with %s", code)
	}
	w.deployed("d", body, failed)
}

// Rights are left to the deployment itself where a client asks for that.
func TestValidateWithoutRights(t *testing.T) {
	w := newWorld(t)
	body := strings.Replace(deploymentBody(templateOf(thing("a", `{"fail": "rights"}`)), ""), `"mode"`, `"validationLevel": "providerNoRbac", "mode"`, 1)
	if _, code := w.ask("POST", deploymentID("d").String()+"/validate", body); code != "" {
		t.Errorf("it is refused with %s", code)
	}
	if o := w.deployed("d", body, failed); o.Status.Error.Details[0].Code != "AuthorizationFailed" {
		t.Errorf("it failed by %v", o.Status.Error.Details[0])
	}
}

// changes is a what-if's result, by the last names of the resources.
func (w *world) changes(body string) map[string]string {
	w.t.Helper()
	resp, code := w.ask("POST", deploymentID("d").String()+"/whatIf", body)
	if code != "" {
		w.t.Fatal(code)
	}
	op, err := arm.GetOperation(w.t.Context(), w.store, resp.Operation)
	if err != nil || op == nil {
		w.t.Fatal(op, err)
	}
	var result struct {
		Properties struct {
			Changes []struct {
				ResourceID, ChangeType string
				Delta                  json.RawMessage
				After                  json.RawMessage
			}
		}
	}
	if err := json.Unmarshal(op.Result, &result); err != nil {
		w.t.Fatal(err)
	}
	all := map[string]string{}
	for _, c := range result.Properties.Changes {
		text := c.ChangeType
		if c.Delta != nil {
			text += " " + string(c.Delta)
		}
		if strings.Contains(string(op.Result), "hush") {
			w.t.Errorf("a secret is told: %s", op.Result)
		}
		if c.ChangeType == "Create" && c.After != nil && strings.Contains(string(c.After), "password") {
			text += " with " + stars
		}
		all[strings.ToLower(c.ResourceID[strings.LastIndexByte(c.ResourceID, '/')+1:])] = text
	}
	return all
}

func TestWhatIf(t *testing.T) {
	w := newWorld(t)
	text := `{"parameters": {"p": {"type": "securestring", "defaultValue": "hush-hush"}, "v": {"type": "int", "defaultValue": 1}}, "resources": [` +
		thing("same", `{"x": [1, 2]}`) + `,` + thing("other", `{"v": "[parameters('v')]"}`) + `,` + thing("hidden", `{"password": "[concat('a-', parameters('p'))]"}`) + `]}`
	if d := cmp.Diff(map[string]string{"same": "Create", "other": "Create", "hidden": "Create with ******"}, w.changes(deploymentBody(text, ""))); d != "" {
		t.Error(d)
	}
	w.deployed("d", deploymentBody(text, ""), succeeded)
	w.ask("PUT", deploymentID("x").Scope().Resource("Test/things", "stray").String(), `{"properties": {}}`)
	body := deploymentBody(text, `{"v": {"value": 2}}`)
	want := map[string]string{
		"same": "NoChange", "hidden": "NoChange", "stray": "Ignore",
		"other": `Modify [{"path":"properties.v","propertyChangeType":"Modify","before":1,"after":2}]`,
	}
	if d := cmp.Diff(want, w.changes(body)); d != "" {
		t.Error(d)
	}
	want["stray"] = "Delete"
	if d := cmp.Diff(want, w.changes(strings.Replace(body, "Incremental", "complete", 1))); d != "" {
		t.Error(d)
	}
	want = map[string]string{"same": "NoChange", "hidden": "NoChange", "stray": "Ignore", "other": "Modify"}
	if d := cmp.Diff(want, w.changes(strings.Replace(body, `"mode"`, `"whatIfSettings": {"resultFormat": "ResourceIdOnly"}, "mode"`, 1))); d != "" {
		t.Error(d)
	}
}

// What of a secret gets into a nested deployment is not shown by that one.
func TestNestedTellsNoSecret(t *testing.T) {
	w := newWorld(t)
	text := `{"parameters": {"p": {"type": "securestring"}}, "resources": [` +
		nested("inner", `"expressionEvaluationOptions": {"scope": "inner"}, "parameters": {"loose": {"value": "[concat('a-', parameters('p'))]"}, "other": {"value": 1}}, `,
			`{"parameters": {"loose": {"type": "string"}, "other": {"type": "int"}}, "resources": [`+thing("a", `{"password": "[parameters('loose')]"}`)+`]}`) + `,` +
		nested("outer", "", templateOf(thing("b", `{"password": "[parameters('p')]"}`))) + `]}`
	w.deployed("d", deploymentBody(text, `{"p": {"value": "hush-hush"}}`), succeeded)
	for name, want := range map[string]string{"d": `{"p":{"type":"SecureString"}}`, "inner": `{"loose":{"type":"String"},"other":{"type":"Int","value":1}}`, "outer": `{}`} {
		if got := string(w.find(deploymentID(name)).Spec.Parameters); got != want {
			t.Errorf("%s shows %s, want %s", name, got, want)
		}
	}
	for name, want := range map[string]string{"d": "", "inner": "", "outer": "DeploymentExportNotAllowed"} {
		resp, code := w.ask("POST", deploymentID(name).String()+"/exportTemplate", "")
		if code != want || resp != nil && strings.Contains(string(resp.Body), "hush") {
			t.Errorf("%s is exported with %q", name, code)
		}
	}
	if left := w.secretsLeft(); left != nil {
		t.Errorf("secrets are left: %v", left)
	}
}

// The default of a secure parameter is not exported, unless it is an expression.
func TestExportHasNoSecret(t *testing.T) {
	w := newWorld(t)
	w.deployed("d", deploymentBody(`{"parameters": {"p": {"type": "secureString", "defaultValue": "hush-hush"}, "q": {"type": "securestring", "defaultValue": "[newGuid()]"}}, "resources": []}`, ""), succeeded)
	resp, code := w.ask("POST", deploymentID("d").String()+"/exportTemplate", "")
	if want := `{"template":{"parameters":{"p":{"type":"secureString"},"q":{"type":"securestring","defaultValue":"[newGuid()]"}},"resources":[]}}`; code != "" || string(resp.Body) != want {
		t.Errorf("exported with %q as %s", code, resp.Body)
	}
}

// A template that nests itself in itself has an end.
func TestLevels(t *testing.T) {
	w := newWorld(t)
	body := deploymentBody(templateOf(thing("a", `{}`)), "")
	_, err := w.Do(t.Context(), Request{Principal: me, Method: "PUT", Path: deploymentID("d").String(), Query: map[string]string{queryLevel: "11", queryParent: "x"}, Body: []byte(body)})
	if ae, ok := err.(*arm.Error); !ok || ae.Code != "InvalidTemplate" {
		t.Errorf("the eleventh level is %v", err)
	}
}

func TestOutputsThatFail(t *testing.T) {
	w := newWorld(t)
	o := w.deployed("d", deploymentBody(`{"resources": [`+thing("a", `{}`)+`], "outputs": {"o": {"type": "int", "value": "[reference('a').provisioningState]"}}}`, ""), failed)
	if o.Status.Error.Code != "DeploymentOutputEvaluationFailed" {
		t.Errorf("the error is %v", o.Status.Error)
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(deploymentBody(templateOf(thing("a", `{}`)), "")))
	f.Add([]byte(`{"location": "x", "tags": {"a": "b"}, "properties": {"mode": "complete", "templateLink": {"uri": "http://x/", "contentVersion": "1"}, "onErrorDeployment": {"type": "lastsuccessful"}}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		r, err := read(body)
		if ae, ok := err.(*arm.Error); err != nil && (!ok || ae.Code == "" || ae.Status != 400) {
			t.Errorf("refused with %v", err)
		}
		if err == nil && (r.mode == "" || (r.template == nil) == (r.templateLink == nil)) {
			t.Errorf("%q is taken", body)
		}
	})
}
