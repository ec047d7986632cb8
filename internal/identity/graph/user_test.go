package graph

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"lazuli/internal/arm"
	"lazuli/internal/identity"
)

func TestUsers(t *testing.T) {
	d := newDirectory(t)
	id := d.addUser("alice@example.org")
	for _, path := range []string{"users/" + id, "users/Alice@example.org", "users('alice@example.org')", "directoryObjects/" + id} {
		if u := d.want(200, "GET", path, ""); u["userPrincipalName"] != "alice@example.org" || u["accountEnabled"] != true || u["id"] != id || u["passwordProfile"] != nil {
			t.Errorf("GET %s = %v", path, u)
		}
	}
	alice := d.asUser("alice@example.org")
	if me := alice.want(200, "GET", "me", ""); me["id"] != id {
		t.Errorf("me = %v", me)
	}
	if _, m := alice.do("POST", "users", `{}`); code(m) != "Authorization_RequestDenied" {
		t.Errorf("a user makes users: %v", m)
	}
	d.want(204, "PATCH", "users/"+id, `{"displayName":"Al","userPrincipalName":"al@example.org"}`)
	d.want(404, "GET", "users/alice@example.org", "")
	d.want(204, "PATCH", "users/al@example.org", `{"accountEnabled":false}`)
	if status, _ := alice.do("GET", "me", ""); status != 401 {
		t.Errorf("a disabled user asks: %d, want 401", status)
	}
	d.want(204, "PATCH", "users/"+id, `{"accountEnabled":true}`)
	alice.want(200, "GET", "me", "")
	d.want(204, "PATCH", "users/"+id, `{"passwordProfile":{"password":"Green stone 7"}}`)
	if status, _ := alice.do("GET", "me", ""); status != 401 {
		t.Errorf("a token from before a new password: %d, want 401", status)
	}
	d.want(204, "DELETE", "users/"+id, "")
	d.want(404, "DELETE", "users/"+id, "")
	if l := d.want(200, "GET", "users", ""); len(l["value"].([]any)) != 0 {
		t.Errorf("users are left: %v", l)
	}
}

func code(m map[string]any) any {
	e, _ := m["error"].(map[string]any)
	return e["code"]
}

func TestUsersRefused(t *testing.T) {
	d := newDirectory(t)
	id := d.addUser("alice@example.org")
	good := `{"userPrincipalName":"bob@example.org","displayName":"Bob","passwordProfile":{"password":"` + password + `"}}`
	with := func(from, to string) string { return strings.Replace(good, from, to, 1) }
	for name, tt := range map[string]struct {
		method, path, body string
		status             int
		code, text         string
	}{
		"no JSON":            {"POST", "users", "x", 400, "Request_BadRequest", ""},
		"nothing":            {"POST", "users", "", 400, "Request_BadRequest", ""},
		"no name":            {"POST", "users", with(`"userPrincipalName":"bob@example.org",`, ""), 400, "Request_BadRequest", "userPrincipalName"},
		"no display name":    {"POST", "users", with(`"displayName":"Bob",`, ""), 400, "Request_BadRequest", "displayName"},
		"empty display name": {"POST", "users", with(`Bob`, " "), 400, "Request_BadRequest", "displayName"},
		"no password":        {"POST", "users", with(`{"password":"`+password+`"}`, "{}"), 400, "Request_BadRequest", "password"},
		"weak password":      {"POST", "users", with(password, "password"), 400, "Request_BadRequest", "complexity"},
		"no domain":          {"POST", "users", with("bob@example.org", "bob"), 400, "Request_BadRequest", "alice@example.org"},
		"control character":  {"POST", "users", with("bob@", `bo\u0000b@`), 400, "Request_BadRequest", ""},
		"slash in the name":  {"POST", "users", with("bob@", `b/b@`), 400, "Request_BadRequest", ""},
		"other nickname":     {"POST", "users", with(`"Bob",`, `"Bob","mailNickname":"x",`), 400, "Request_BadRequest", "mailNickname"},
		"must change":        {"POST", "users", with(`"}}`, `","forceChangePasswordNextSignIn":true}}`), 400, "Request_BadRequest", "forceChange"},
		"unknown property":   {"POST", "users", with(`"Bob",`, `"Bob","jobTitle":"x",`), 400, "Request_BadRequest", "jobTitle"},
		"name taken":         {"POST", "users", with("bob@", "ALICE@"), 400, "Request_BadRequest", "already exists"},
		"id for a name":      {"POST", "users", with("bob@example.org", adminID), 400, "Request_BadRequest", ""},
		"patch of nobody":    {"PATCH", "users/bob@example.org", "{}", 404, "Request_ResourceNotFound", ""},
		"patch, password":    {"PATCH", "users/" + id, `{"passwordProfile":{"password":"Alice-12345"}}`, 400, "Request_BadRequest", "complexity"},
		"no such user":       {"GET", "users/" + adminID, "", 404, "Request_ResourceNotFound", ""},
		"not a user":         {"GET", "me", "", 400, "Request_BadRequest", "delegated"},
		"no password of":     {"POST", "me/changePassword", "{}", 400, "Request_BadRequest", "delegated"},
		"no such path":       {"GET", "devices", "", 404, "ResourceNotFound", ""},
		"no path":            {"GET", "", "", 404, "ResourceNotFound", ""},
		"no such verb":       {"PUT", "users", "", 405, "Request_BadRequest", "GET, POST"},
		"option":             {"GET", "users?$orderby=id", "", 400, "Request_BadRequest", "$orderby"},
		"option of one":      {"GET", "users/" + id + "?$expand=x", "", 400, "Request_BadRequest", "$expand"},
		"top":                {"GET", "users?$top=1000", "", 400, "Request_BadRequest", "page size"},
		"bad filter":         {"GET", "users?$filter=displayName ne 'x'", "", 400, "Request_BadRequest", "displayName ne"},
		"other property":     {"GET", "users?$filter=mail eq 'x'", "", 400, "Request_BadRequest", "'mail'"},
	} {
		t.Run(name, func(t *testing.T) {
			d := &directory{d.Handler, t, d.token}
			status, m := d.do(tt.method, tt.path, tt.body)
			text, _ := m["error"].(map[string]any)["message"].(string)
			if status != tt.status || code(m) != tt.code || !strings.Contains(text, tt.text) {
				t.Errorf("= %d %v, want %d %s with %q", status, m, tt.status, tt.code, tt.text)
			}
		})
	}
	if got := names(d.want(200, "GET", "users", "")); got != "alice" {
		t.Errorf("there are %s, want alice alone as before", got)
	}
}

func TestChangePassword(t *testing.T) {
	d := newDirectory(t)
	d.addUser("alice@example.org")
	alice := d.asUser("alice@example.org")
	for name, body := range map[string]string{
		"wrong": `{"currentPassword":"x","newPassword":"Green stone 7"}`, "weak": `{"currentPassword":"` + password + `","newPassword":"x"}`,
		"empty": `{}`,
	} {
		if status, m := alice.do("POST", "me/changePassword", body); status != 400 {
			t.Errorf("%s = %d %v, want 400", name, status, m)
		}
	}
	alice.want(204, "POST", "me/changePassword", `{"currentPassword":"`+password+`","newPassword":"Green stone 7"}`)
	if status, _ := alice.do("GET", "me", ""); status != 401 {
		t.Errorf("the token of before = %d, want 401", status)
	}
	if _, err := d.Identity.LoginUser(t.Context(), "alice@example.org", "Green stone 7", ""); err != nil {
		t.Errorf("the new password: %v", err)
	}
	if _, err := d.Identity.LoginUser(t.Context(), "alice@example.org", password, ""); !errors.Is(err, identity.ErrWrongPassword) {
		t.Errorf("the old password: %v", err)
	}
}

func TestWhoMayManage(t *testing.T) {
	d := newDirectory(t)
	r := d.as(reader)
	r.want(200, "GET", "users", "")
	for _, route := range routes {
		if !route.manages {
			continue
		}
		path := strings.ReplaceAll(route.path, "{}", "x")
		if status, m := r.do(route.method, path, "{}"); status != 403 || code(m) != "Authorization_RequestDenied" {
			t.Errorf("%s %s by one who may not = %d %v, want 403", route.method, path, status, m)
		}
		if status, _ := (&directory{d.Handler, t, "x"}).do(route.method, path, "{}"); status != 401 {
			t.Errorf("%s %s by nobody = %d, want 401", route.method, path, status)
		}
	}
	d.MayManage = func(p arm.Principal) bool { return p.AppID == reader }
	r.addUser("bob@example.org")
}

func TestSelfStays(t *testing.T) {
	d := newDirectory(t)
	for path, method := range map[string]string{
		"servicePrincipals/" + adminID: "DELETE", "applications/app-admin": "DELETE",
		"roleManagement/directory/roleAssignments/" + adminID: "DELETE",
	} {
		if status, m := d.do(method, path, ""); status != 400 || !strings.Contains(m["error"].(map[string]any)["message"].(string), "another administrator") {
			t.Errorf("%s %s = %d %v, want 400", method, path, status, m)
		}
	}
	d.want(400, "PATCH", "servicePrincipals/"+adminID, `{"accountEnabled":false}`)
	d.want(200, "GET", "servicePrincipals/"+adminID, "")
}

func TestAdmins(t *testing.T) {
	d := newDirectory(t)
	id := d.addUser("alice@example.org")
	body := `{"principalId":"` + id + `","roleDefinitionId":"62e90394-69f5-4237-9190-012177145e10","directoryScopeId":"/"}`
	d.want(400, "POST", "roleManagement/directory/roleAssignments", strings.Replace(body, "62e9", "0000", 1))
	d.want(404, "POST", "roleManagement/directory/roleAssignments", strings.Replace(body, id, "x", 1))
	d.want(201, "POST", "roleManagement/directory/roleAssignments", body)
	if l := d.want(200, "GET", "roleManagement/directory/roleAssignments?$filter=principalId eq '"+id+"'", ""); len(l["value"].([]any)) != 1 {
		t.Errorf("the list = %v", l)
	}
	alice := d.asUser("alice@example.org")
	alice.addUser("bob@example.org")
	d.want(204, "DELETE", "roleManagement/directory/roleAssignments/"+id, "")
	d.want(404, "DELETE", "roleManagement/directory/roleAssignments/"+id, "")
	alice.want(403, "POST", "users", "{}")
}

func TestForeignHostAndOtherPaths(t *testing.T) {
	d := newDirectory(t)
	if status, _ := d.do("GET", "https://evil.test/v1.0/users", ""); status != 400 {
		t.Errorf("a foreign host = %d, want 400", status)
	}
	w := httptest.NewRecorder()
	d.ServeHTTP(w, httptest.NewRequest("GET", base+"/adfs/x", nil))
	if w.Code != http.StatusNotFound {
		t.Errorf("another path = %d, want the next handler's 404", w.Code)
	}
}
