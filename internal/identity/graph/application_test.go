package graph

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"lazuli/internal/identity"
)

// What az ad sp create-for-rbac does, and reset, and delete.
func TestApplications(t *testing.T) {
	d := newDirectory(t)
	app := d.want(201, "POST", "applications", `{"displayName":"ci","keyCredentials":[]}`)
	id, appID := app["id"].(string), app["appId"].(string)
	added := d.want(200, "POST", "applications/"+id+"/addPassword", `{"passwordCredential":{"displayName":"rbac","startDateTime":"`+time.Now().UTC().Format(time.RFC3339)+`","endDateTime":"2100-01-01T00:00:00Z"}}`)
	text := added["secretText"].(string)
	login := func(text string) error {
		_, err := d.Identity.Login(t.Context(), appID, text, base, "cloud.test:8443", "")
		return err
	}
	if login(text) == nil {
		t.Error("an application without a service principal logs in")
	}
	sp := d.want(201, "POST", "servicePrincipals", `{"appId":"`+appID+`","accountEnabled":true}`)
	spID := sp["id"].(string)
	if err := login(text); err != nil {
		t.Fatal(err)
	}
	if status, m := d.do("POST", "servicePrincipals", `{"appId":"`+appID+`"}`); status != 409 {
		t.Errorf("a second service principal = %d %v, want 409", status, m)
	}
	got := d.want(200, "GET", "applications/"+id, "")["passwordCredentials"].([]any)[0].(map[string]any)
	if got["secretText"] != nil || got["hint"] != text[:3] || got["endDateTime"] != "2100-01-01T00:00:00Z" || got["displayName"] != "rbac" {
		t.Errorf("the password is shown as %v", got)
	}
	for filter, want := range map[string]string{
		"displayName eq 'CI'": "ci", "servicePrincipalNames/any(c:c eq '" + appID + "')": "ci", "appId eq '" + appID + "'": "ci",
		"startswith(displayName,'c')": "ci", "displayName eq 'c'": "", "accountEnabled eq false": "", "servicePrincipalType eq 'Application' and displayName eq 'ci'": "ci",
	} {
		if got := names(d.want(200, "GET", "servicePrincipals?$filter="+filter, "")); got != want {
			t.Errorf("service principals where %s = %q, want %q", filter, got, want)
		}
	}
	if got := names(d.want(200, "GET", "applications?$filter=identifierUris/any(s:s eq 'x')", "")); got != "" {
		t.Errorf("applications with a URI = %q", got)
	}
	// Another secret, beside the first and then in its place.
	second := d.want(200, "POST", "servicePrincipals/"+spID+"/addPassword", `{}`)
	d.want(204, "POST", "servicePrincipals/"+spID+"/removePassword", `{"keyId":"`+added["keyId"].(string)+`"}`)
	if login(text) == nil || login(second["secretText"].(string)) != nil {
		t.Error("not exactly the second secret is good")
	}
	d.want(400, "POST", "applications/"+id+"/removePassword", `{"keyId":"`+added["keyId"].(string)+`"}`)
	d.want(204, "PATCH", "applications/"+id, `{"displayName":"ci2"}`)
	d.want(204, "PATCH", "servicePrincipals/"+spID, `{"accountEnabled":false}`)
	if sp := d.want(200, "GET", "servicePrincipals/"+spID, ""); sp["displayName"] != "ci2" || sp["accountEnabled"] != false {
		t.Errorf("the service principal = %v", sp)
	}
	// A service principal that is made anew is another one.
	d.want(204, "DELETE", "servicePrincipals/"+spID, "")
	d.want(404, "GET", "servicePrincipals/"+spID, "")
	if again := d.want(201, "POST", "servicePrincipals", `{"appId":"`+appID+`"}`); again["id"] == spID {
		t.Error("the next service principal is the same object")
	}
	d.want(204, "DELETE", "applications/"+id, "")
	if got := names(d.want(200, "GET", "servicePrincipals?$filter=displayName eq 'ci2'", "")); got != "" {
		t.Errorf("the service principal outlives its application: %q", got)
	}
}

func TestApplicationsRefused(t *testing.T) {
	d := newDirectory(t)
	app := d.want(201, "POST", "applications", `{"displayName":"ci"}`)
	id := app["id"].(string)
	for name, tt := range map[string]struct {
		method, path, body string
		status             int
		text               string
	}{
		"no name":           {"POST", "applications", `{}`, 400, "displayName"},
		"certificate":       {"POST", "applications", `{"displayName":"x","keyCredentials":[{"key":"x"}]}`, 400, "keyCredentials"},
		"redirects":         {"POST", "applications", `{"displayName":"x","web":{"redirectUris":["https://x.test"]}}`, 400, "web"},
		"for everybody":     {"POST", "applications", `{"displayName":"x","signInAudience":"AzureADMultipleOrgs"}`, 400, "signInAudience"},
		"long name":         {"PATCH", "applications/" + id, `{"displayName":"` + strings.Repeat("x", 300) + `"}`, 400, "displayName"},
		"none":              {"GET", "applications/x", ``, 404, "x"},
		"object of an SP":   {"GET", "applications/" + adminID, ``, 404, ""},
		"SP of application": {"GET", "servicePrincipals/" + id, ``, 404, ""},
		"no appId":          {"POST", "servicePrincipals", `{}`, 400, "appId"},
		"unknown appId":     {"POST", "servicePrincipals", `{"appId":"x"}`, 400, "does not reference"},
		"other name":        {"POST", "servicePrincipals", `{"appId":"` + app["appId"].(string) + `","displayName":"x"}`, 400, "displayName"},
		"renamed SP":        {"PATCH", "servicePrincipals/" + adminID, `{"displayName":"x"}`, 400, "accountEnabled"},
		"ended secret":      {"POST", "applications/" + id + "/addPassword", `{"passwordCredential":{"endDateTime":"2020-01-01T00:00:00Z"}}`, 400, "endDateTime"},
		"no time":           {"POST", "applications/" + id + "/addPassword", `{"passwordCredential":{"endDateTime":"x"}}`, 400, "endDateTime"},
		"later secret":      {"POST", "applications/" + id + "/addPassword", `{"passwordCredential":{"startDateTime":"2100-01-01T00:00:00Z","endDateTime":"2101-01-01T00:00:00Z"}}`, 400, "startDateTime"},
		"own secret":        {"POST", "applications/" + id + "/addPassword", `{"passwordCredential":{"secretText":"x"}}`, 400, "secretText"},
		"long secret name":  {"POST", "applications/" + id + "/addPassword", `{"passwordCredential":{"displayName":"` + strings.Repeat("x", 300) + `"}}`, 400, "displayName"},
		"no key":            {"POST", "applications/" + id + "/removePassword", `{}`, 400, "keyId"},
		"no ids":            {"POST", "directoryObjects/getByIds", `{}`, 400, "ids"},
		"no object":         {"GET", "directoryObjects/x", ``, 404, "x"},
	} {
		t.Run(name, func(t *testing.T) {
			d := &directory{d.Handler, t, d.token}
			status, m := d.do(tt.method, tt.path, tt.body)
			if text, _ := m["error"].(map[string]any)["message"].(string); status != tt.status || !strings.Contains(text, tt.text) {
				t.Errorf("= %d %v, want %d with %q", status, m, tt.status, tt.text)
			}
		})
	}
	for range identity.MaxSecrets {
		d.want(200, "POST", "applications/"+id+"/addPassword", ``+`{}`)
	}
	d.want(400, "POST", "applications/"+id+"/addPassword", `{}`)
}

func TestGetByIDs(t *testing.T) {
	d := newDirectory(t)
	user := d.addUser("alice@example.org")
	ids := fmt.Sprintf(`"ids":[%q,%q,"app-admin","x"]`, user, adminID)
	for types, want := range map[string]string{
		``: "user servicePrincipal application", `,"types":["user","group"]`: "user", `,"types":["servicePrincipal"]`: "servicePrincipal",
		`,"types":["directoryObject"]`: "user servicePrincipal application",
	} {
		var got []string
		for _, v := range d.want(200, "POST", "directoryObjects/getByIds", "{"+ids+types+"}")["value"].([]any) {
			got = append(got, strings.TrimPrefix(v.(map[string]any)["@odata.type"].(string), "#microsoft.graph."))
		}
		if strings.Join(got, " ") != want {
			t.Errorf("with %q = %v, want %s", types, got, want)
		}
	}
	for _, path := range []string{"groups", "groups?x=y"} {
		if l := d.want(200, "GET", path, ""); len(l["value"].([]any)) != 0 {
			t.Errorf("%s = %v", path, l)
		}
	}
	d.want(200, "POST", "users/"+user+"/getMemberGroups", `{"securityEnabledOnly":false}`)
}

func TestPages(t *testing.T) {
	d := newDirectory(t)
	for i := range 5 {
		d.want(201, "POST", "applications", fmt.Sprintf(`{"displayName":"app%d"}`, i))
	}
	var got []string
	path := "applications?$top=2&$filter=startswith(displayName,'app')&$select=displayName"
	for path != "" {
		page := d.want(200, "GET", path, "")
		got = append(got, names(page))
		path, _ = page["@odata.nextLink"].(string)
		if v := page["value"].([]any)[0].(map[string]any); len(v) != 1 {
			t.Errorf("selected is %v", v)
		}
	}
	if all := strings.Fields(strings.Join(got, " ")); len(got) != 3 || len(all) != 5 {
		t.Errorf("the pages have %q", got)
	}
}

func TestFederated(t *testing.T) {
	d := newDirectory(t)
	id := d.want(201, "POST", "applications", `{"displayName":"ci"}`)["id"].(string)
	at := "applications/" + id + "/federatedIdentityCredentials"
	good := `{"name":"main","issuer":"https://ci.test","subject":"repo:x:main","audiences":["api://AzureADTokenExchange"],"description":"d"}`
	f := d.want(201, "POST", at, good)
	for name, body := range map[string]string{
		"other issuer": strings.Replace(good, "https://ci.test", "https://evil.test", 1), "no subject": strings.Replace(good, "repo:x:main", "", 1),
		"no audience": strings.Replace(good, `["api://AzureADTokenExchange"]`, "[]", 1), "no name": strings.Replace(good, "main", "", 1),
		"long": strings.Replace(good, "repo:x:main", strings.Repeat("x", 5000), 1), "unknown": strings.Replace(good, `"name"`, `"claimsMatchingExpression":{"value":"x"},"name"`, 1),
	} {
		if status, m := d.do("POST", at, body); status != 400 {
			t.Errorf("%s = %d %v, want 400", name, status, m)
		}
	}
	d.want(409, "POST", at, good)
	d.want(409, "POST", at, strings.Replace(good, `"main"`, `"other"`, 1))
	d.want(204, "PATCH", at+"/main", `{"subject":"repo:x:release"}`)
	d.want(400, "PATCH", at+"/main", `{"name":"x"}`)
	for _, key := range []string{"main", f["id"].(string)} {
		if got := d.want(200, "GET", at+"/"+key, ""); got["subject"] != "repo:x:release" || got["description"] != "d" {
			t.Errorf("GET %s = %v", key, got)
		}
	}
	if l := d.want(200, "GET", at, ""); len(l["value"].([]any)) != 1 {
		t.Errorf("the list = %v", l)
	}
	d.want(204, "DELETE", at+"/main", "")
	d.want(404, "GET", at+"/main", "")
	d.want(404, "GET", "applications/x/federatedIdentityCredentials", "")
}
