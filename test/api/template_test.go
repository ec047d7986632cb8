package api_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"lazuli/internal/daemon"
)

const templates = "../templates/"

// aTemplate is the body of a deployment of a template of test/templates with its
// parameters.
func aTemplate(t testing.TB, name string, edit ...string) string {
	t.Helper()
	text, err := os.ReadFile(templates + name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	parameters := "{}"
	if file, err := os.ReadFile(templates + name + ".parameters.json"); err == nil {
		var p struct{ Parameters json.RawMessage }
		if err := json.Unmarshal(file, &p); err != nil {
			t.Fatal(err)
		}
		parameters = string(p.Parameters)
	}
	return strings.NewReplacer(edit...).Replace(template(string(text), parameters))
}

// has says whether a file of a template is there.
func has(name string) bool {
	_, err := os.Stat(templates + name + ".json")
	return err == nil
}

// deployIn deploys a template in a group, which it makes.
func (c *cloud) deployIn(group, name string) (path string) {
	c.t.Helper()
	if c.do("HEAD", c.group(group), "").StatusCode == 404 {
		c.want(201, "PUT", c.group(group), `{"location":"local"}`)
	}
	path = c.group(group) + "/providers/Microsoft.Resources/deployments/" + name
	c.deployed("Succeeded", path, aTemplate(c.t, name))
	return path
}

// checkOutputs compares the outputs of a deployment with those in the file
// beside the template, in which "*" stands for any text.
func (c *cloud) checkOutputs(at, name string) {
	c.t.Helper()
	got := map[string]any{}
	if outputs, ok := c.want(200, "GET", at, "").get("properties.outputs").(map[string]any); ok {
		for k, v := range outputs {
			if value, ok := v.(map[string]any)["value"]; ok {
				got[k] = value
			}
		}
	}
	want := map[string]any{}
	if file, err := os.ReadFile(templates + name + ".outputs.json"); err == nil {
		if err := json.Unmarshal(file, &want); err != nil {
			c.t.Fatal(err)
		}
	}
	if len(got) != len(want) {
		c.t.Errorf("the outputs are %v, want %v", got, want)
	}
	for k, v := range want {
		a, _ := json.Marshal(got[k])
		b, _ := json.Marshal(v)
		if ok, err := path.Match(strings.ReplaceAll(strings.ReplaceAll(string(b), "[", `\[`), "]", `\]`), string(a)); err != nil || !ok {
			c.t.Errorf("the output %s is %s, want %s", k, a, b)
		}
	}
}

// again deploys a template a second time, which changes nothing, and of which
// what-if says so before.
func (c *cloud) again(at, body string) {
	c.t.Helper()
	before := c.contents()
	changes := c.changes(at, body)
	for name, typ := range changes {
		if typ != "NoChange" {
			c.t.Errorf("%s: %s", name, typ)
		}
	}
	if len(changes) == 0 {
		c.t.Error("what-if says nothing")
	}
	if after := c.contents(); after != before {
		c.t.Errorf("what-if changed something: from\n%s\nto\n%s", before, after)
	}
	c.deployed("Succeeded", at, body)
	if after := c.contents(); after != before {
		c.t.Errorf("the second deployment changed something: from\n%s\nto\n%s", before, after)
	}
}

// The templates of test/templates are written after Azure's quickstarts for
// machines: each is deployed, and deployed again.
func TestTemplates(t *testing.T) {
	c := newCloud(t)
	files, err := filepath.Glob(templates + "*.json")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		if strings.Contains(name, ".") || slices.Contains(special, name) {
			continue
		}
		n++
		t.Run(name, func(t *testing.T) {
			c := c.in(t)
			if has(name + ".elsewhere") {
				c.deployIn(name+"-elsewhere", name+".elsewhere")
			}
			if has(name + ".before") {
				c.deployIn(name, name+".before")
			}
			at := c.deployIn(name, name)
			c.checkOutputs(at, name)
			c.again(at, aTemplate(t, name))
			c.done("DELETE", c.group(name), "")
		})
	}
	if n != 29 {
		t.Errorf("there are %d templates, want 29", n)
	}
}

// special are templates with tests of their own.
var special = []string{"bicep-modules", "language-version-2", "subscription-scope", "linked", "linked-network"}

func TestTemplateOfBicep(t *testing.T) {
	c := newCloud(t)
	at := c.deployIn("rg", "bicep-modules")
	c.checkOutputs(at, "bicep-modules")
	c.again(at, aTemplate(t, "bicep-modules"))
	nested := c.want(200, "GET", c.deployment("machine"), "")
	if strings.Contains(string(nested.body), "Str0ng") {
		t.Errorf("the nested deployment shows the password: %s", nested.body)
	}
}

func TestTemplateOfLanguageVersion2(t *testing.T) {
	c := newCloud(t)
	at := c.deployIn("rg", "language-version-2")
	c.checkOutputs(at, "language-version-2")
	c.again(at, aTemplate(t, "language-version-2"))
}

func TestTemplateAtSubscriptionScope(t *testing.T) {
	c := newCloud(t)
	at := c.provider("Resources", "deployments/sub")
	body := strings.Replace(aTemplate(t, "subscription-scope"), `{"properties"`, `{"location": "local", "properties"`, 1)
	if d := c.changes(at, body); d["made"] != "Create" || d["net"] != "Create" {
		t.Errorf("what-if says %v", d)
	}
	c.deployed("Succeeded", at, body)
	c.checkOutputs(at, "subscription-scope")
	c.again(at, body)
	c.want(200, "GET", c.group("made")+"/providers/Microsoft.Network/virtualNetworks/net", "")
	c.refused(400, "LocationRequired", "PUT", at, aTemplate(t, "subscription-scope"))
	c.refused(400, "InvalidDeployment", "PUT", at, strings.Replace(body, "Incremental", "Complete", 1))
	ops := c.want(200, "GET", at+"/operations", "")
	id := at2(ops, "value.0.operationId")
	c.want(200, "GET", at+"/operations/"+id, "")
	c.refused(404, "DeploymentOperationNotFound", "GET", at+"/operations/08"+id[2:], "")
	if n := len(c.want(200, "GET", c.provider("Resources", "deployments"), "").get("value").([]any)); n != 1 {
		t.Errorf("%d deployments at the subscription", n)
	}
}

func at2(r reply, path string) string { s, _ := r.get(path).(string); return s }

func TestLinkedTemplate(t *testing.T) {
	files := httptest.NewServer(http.StripPrefix("/t/", http.FileServer(http.Dir(templates))))
	t.Cleanup(files.Close)
	c := newCloud(t, func(sc *daemon.ServerConfig) { sc.TemplateSources = []string{files.URL + "/t/"} })
	c.want(201, "PUT", c.group("rg"), `{"location":"local"}`)
	body := func(uri string) string {
		return `{"properties": {"mode": "Incremental", "templateLink": {"uri": "` + uri + `?sig=hush", "contentVersion": "1.0.0.0"}}}`
	}
	at := c.deployment("linked")
	r := c.deployed("Succeeded", at, body(files.URL+"/t/linked.json"))
	if got := at2(r, "properties.templateLink.uri"); got != files.URL+"/t/linked.json" {
		t.Errorf("the link is shown as %q", got)
	}
	c.checkOutputs(at, "linked")
	c.again(at, body(files.URL+"/t/linked.json"))
	for what, tt := range map[string]struct{ body, code string }{
		"elsewhere":      {body("http://127.0.0.1:1/t.json"), "InvalidContentLink"},
		"not there":      {body(files.URL + "/t/none.json"), "InvalidContentLink"},
		"other version":  {strings.Replace(body(files.URL+"/t/linked.json"), "1.0.0.0", "2.0.0.0", 1), "InvalidContentLink"},
		"template spec":  {`{"properties": {"mode": "Incremental", "templateLink": {"id": "/x"}}}`, "InvalidTemplateSpec"},
		"relative path":  {`{"properties": {"mode": "Incremental", "templateLink": {"relativePath": "x.json"}}}`, "InvalidContentLink"},
		"no template":    {`{"properties": {"mode": "Incremental"}}`, "InvalidDeployment"},
		"both":           {`{"properties": {"mode": "Incremental", "template": {}, "templateLink": {"uri": "http://x/"}}}`, "InvalidDeployment"},
		"no mode":        {`{"properties": {"template": {"resources": []}}}`, "InvalidDeployment"},
		"no resources":   {`{"properties": {"mode": "Incremental", "template": {}}}`, "InvalidTemplate"},
		"no properties":  {`{}`, "InvalidRequestContent"},
		"no JSON":        {`{`, "InvalidRequestContent"},
		"with location":  {`{"location": "local", "properties": {"mode": "Incremental", "template": {"resources": []}}}`, "InvalidDeployment"},
		"other property": {`{"properties": {"mode": "Incremental", "template": {"resources": []}, "sauce": 1}}`, "UnsupportedProperty"},
		"other mode":     {`{"properties": {"mode": "Sometimes", "template": {"resources": []}}}`, "InvalidParameter"},
	} {
		t.Run(what, func(t *testing.T) {
			c.in(t).refused(400, tt.code, "PUT", c.deployment("bad"), tt.body)
			c.in(t).refused(400, tt.code, "POST", c.deployment("bad/validate"), tt.body)
		})
	}
	c.refused(404, "DeploymentNotFound", "GET", c.deployment("bad"), "")
}
