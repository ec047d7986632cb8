package api_test

import (
	"slices"
	"strings"
	"testing"
)

// The providers API shows the table of types: of a subscription, and of the
// cloud.
func TestProviders(t *testing.T) {
	c := newCloud(t)
	types := map[string]any{}
	for _, list := range []string{"/providers", c.subscription("providers")} {
		for _, p := range c.want(200, "GET", list, "").get("value").([]any) {
			one := strings.TrimSuffix(list, "/providers") + at(p, "id").(string)[strings.Index(at(p, "id").(string), "/providers/"):]
			if got := c.want(200, "GET", one, "").get("namespace"); got != at(p, "namespace") {
				t.Errorf("%s is %v", one, got)
			}
			for _, rt := range at(p, "resourceTypes").([]any) {
				types[at(p, "namespace").(string)+"/"+at(rt, "resourceType").(string)] = rt
			}
		}
	}
	for _, typ := range table() {
		rt := types[typ.Name]
		if rt == nil {
			t.Errorf("%s is not shown", typ.Name)
			continue
		}
		versions, _ := at(rt, "apiVersions").([]any)
		if len(versions) == 0 || versions[0] != at(rt, "defaultApiVersion") {
			t.Errorf("%s: versions %v, by default %v", typ.Name, versions, at(rt, "defaultApiVersion"))
		}
		if got, _ := at(rt, "capabilities").(string); strings.Contains(got, "SupportsTags") != typ.Tracked {
			t.Errorf("%s: capabilities %q, but has tags: %t", typ.Name, got, typ.Tracked)
		}
	}
	one := c.subscription("providers/microsoft.COMPUTE")
	for _, r := range []reply{c.want(200, "POST", one+"/register", ""), c.want(200, "GET", one+"?$expand=metadata&api-version="+version, "")} {
		if r.get("registrationState") != "Registered" || r.get("namespace") != "Microsoft.Compute" {
			t.Errorf("%s: %s", r.Request.URL.Path, r.body)
		}
	}
	listed, _ := c.want(200, "GET", one+"/resourceTypes", "").get("value").([]any)
	if !slices.ContainsFunc(listed, func(v any) bool { return at(v, "resourceType") == "virtualMachines" }) {
		t.Errorf("types: %v", listed)
	}
	c.refused(409, "OperationNotAllowed", "POST", one+"/unregister", "")
	c.refused(400, "InvalidParameter", "GET", one+"?$expand=secrets&api-version="+version, "")
	for method, path := range map[string]string{"GET": "", "POST": "/register"} {
		c.refused(404, "InvalidResourceNamespace", method, c.subscription("providers/Microsoft.Nothing"+path), "")
	}
	c.refused(404, "InvalidResourceNamespace", "GET", "/providers/Microsoft.Nothing", "")
}

// What clients ask of preview features finds that there are none.
func TestFeatures(t *testing.T) {
	c := newCloud(t)
	for _, path := range []string{"features", "providers/Microsoft.Compute/features"} {
		if got, ok := c.want(200, "GET", c.provider("Features", path), "").get("value").([]any); !ok || len(got) != 0 {
			t.Errorf("%s: %v", path, got)
		}
	}
	c.refused(404, "FeatureNotFound", "GET", c.provider("Features", "providers/Microsoft.Compute/features/EncryptionAtHost"), "")
	c.refused(409, "OperationNotAllowed", "POST", c.provider("Resources", "checkZonePeers"), `{"location":"local","subscriptionIds":["x"]}`)
}
