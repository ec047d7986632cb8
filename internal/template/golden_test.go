package template

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"lazuli/internal/template/jsonc"
	"lazuli/internal/template/whatif"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestTemplates deploys each template of testdata/templates to a cloud that
// takes everything, and compares what was PUT, in which order, and what came
// out, with the golden file beside it.
func TestTemplates(t *testing.T) {
	files, err := filepath.Glob("testdata/templates/*.json")
	if err != nil || len(files) == 0 {
		t.Fatal("no templates", err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(file, ".json")
		if strings.HasSuffix(name, ".parameters") {
			continue
		}
		t.Run(filepath.Base(name), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			parameters, err := os.ReadFile(name + ".parameters.json")
			if err != nil && !os.IsNotExist(err) {
				t.Fatal(err)
			}
			in := testInput(string(parameters))
			if strings.Contains(string(text), "subscriptionDeploymentTemplate") {
				in.Scope.ResourceGroup, in.ResourceGroup, in.Location = "", nil, "northeurope"
			}
			parsed, err := Parse(text)
			if err != nil {
				t.Fatal(err)
			}
			c := &everything{world: world{resources: map[string]string{
				"/subscriptions/" + subscriptionID + "/resourceGroups/shared/providers/Microsoft.Network/virtualNetworks/hub": `{"properties": {"subnets": [{"id": "/hub/subnets/one"}]}}`,
			}}}
			c.deploy(t, parsed, in)
			golden(t, name+".golden", c.log.Bytes())
			c.again(t, parsed, in)
		})
	}
}

func golden(t *testing.T, file string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), string(got)); d != "" {
		t.Error(d)
	}
}

// everything is a cloud that makes what it is told, writes it down, and gives
// public addresses an address and a name.
type everything struct {
	world
	log bytes.Buffer
}

// deploy makes the resources of a template in the order of their dependencies,
// and the nested templates in their turn.
func (c *everything) deploy(t *testing.T, parsed *Template, in Input) *jsonc.Object {
	t.Helper()
	p, err := parsed.Plan(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	done := map[int]bool{}
	for len(done) < len(p.Resources) {
		before := len(done)
		for i, r := range p.Resources {
			if !done[i] && ready(p, r, done) {
				c.make(t, p, r)
				done[i] = true
			}
		}
		if len(done) == before {
			t.Fatal("nothing can be made any more")
		}
	}
	out, err := p.Outputs(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	c.write("outputs of "+in.Name, out)
	c.write("parameters of "+in.Name, p.Parameters())
	return out
}

func ready(p *Plan, r *Resource, done map[int]bool) bool {
	for _, i := range r.DependsOn {
		if !done[i] && p.Resources[i].Deployed() {
			return false
		}
	}
	return true
}

func (c *everything) make(t *testing.T, p *Plan, r *Resource) {
	t.Helper()
	if !r.Deployed() {
		return
	}
	body, err := p.Body(t.Context(), r, c)
	if err != nil {
		t.Fatal(err)
	}
	c.write("PUT "+r.ID+"?api-version="+r.APIVersion, body)
	made := body.Clone()
	made.Set("id", r.ID)
	made.Set("name", r.Name)
	if r.IsDeployment() {
		child, in, err := p.Nested(t.Context(), r, c, nil)
		if err != nil {
			t.Fatal(err)
		}
		if in.ResourceGroup == nil && in.Scope.ResourceGroup != "" {
			in.ResourceGroup = jsonc.NewObject("id", in.Scope.ID(), "name", in.Scope.ResourceGroup)
		}
		made.Set("properties", jsonc.NewObject("outputs", c.deploy(t, child, in)))
	}
	v, _ := made.Get("properties")
	properties, _ := v.(*jsonc.Object)
	properties = properties.Clone()
	properties.Set("id", r.ID)
	if strings.HasSuffix(r.Type, "/publicIPAddresses") {
		properties.Set("ipAddress", "198.18.0.7")
		v, _ := properties.Get("dnsSettings")
		dns, _ := v.(*jsonc.Object)
		dns = dns.Clone()
		dns.Set("fqdn", r.Name+".example")
		properties.Set("dnsSettings", dns)
	}
	made.Set("properties", properties)
	c.resources[r.ID] = string(jsonc.Append(nil, made))
}

// again checks that the template would change nothing of what it made.
func (c *everything) again(t *testing.T, parsed *Template, in Input) {
	t.Helper()
	p, err := parsed.Plan(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	// The server adds properties of its own, which templates leave out.
	o := whatif.Options{Keeps: func(string, any) bool { return true }}
	for _, r := range p.Resources {
		if !r.Deployed() || r.IsDeployment() {
			continue
		}
		after, known, err := p.Preview(t.Context(), r, c)
		if err != nil || !known {
			t.Fatalf("%s: known is %v, %v", r.ID, known, err)
		}
		change := whatif.Compare(r.ID, object(c.resources[r.ID]), after, o)
		if change.Type != whatif.NoChange {
			text, _ := json.Marshal(change.Delta)
			t.Errorf("%s: %s %s", r.ID, change.Type, text)
		}
	}
}

func (c *everything) write(what string, o *jsonc.Object) {
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, jsonc.Append(nil, o), "", "  "); err != nil {
		panic(err)
	}
	fmt.Fprintf(&c.log, "%s\n%s\n\n", what, pretty.Bytes())
}
