package oauth

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"lazuli/internal/identity"
	"lazuli/internal/store"
	"lazuli/internal/store/memory"
)

const (
	tenant = "99999999-8888-7777-6666-555555555555"
	client = "33333333-2222-3333-4444-555555555555"
	base   = "https://cloud.test:8443"
)

func newHandler(t *testing.T) *Handler {
	t.Helper()
	st := memory.New(memory.Options{})
	t.Cleanup(func() { st.Close() })
	_, err := st.Update(t.Context(), func(tx store.Tx) error {
		return identity.PutPrincipal(t.Context(), tx, &identity.Principal{
			ClientID: client, ObjectID: "o", TenantID: tenant, Secrets: []identity.Secret{{Hash: identity.HashSecret("s+e:c")}},
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	ids, err := identity.New(t.Context(), identity.Config{Store: st, TenantID: tenant, Hosts: []string{"cloud.test"}})
	if err != nil {
		t.Fatal(err)
	}
	return &Handler{Identity: ids, Logger: slog.New(slog.DiscardHandler)}
}

func ask(t *testing.T, h *Handler, method, path, form string, header ...string) (int, map[string]any) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, base+path, strings.NewReader(form))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	var body map[string]any
	if w.Code != http.StatusNotFound {
		if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
			t.Fatalf("%s = %d %q: %v", path, w.Code, w.Body, err)
		}
	}
	return w.Code, body
}

// goodForm is what az sends, double slash and all.
var goodForm = url.Values{
	"client_id": {client}, "client_secret": {"s+e:c"}, "grant_type": {"client_credentials"}, "client_info": {"1"},
	"claims": {`{"access_token":{"xms_cc":{"values":["CP1"]}}}`}, "scope": {base + "//.default"},
}

func formWith(pairs ...string) string {
	v := url.Values{}
	for k, x := range goodForm {
		v[k] = x
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		if v.Del(pairs[i]); pairs[i+1] != "" {
			v.Set(pairs[i], pairs[i+1])
		}
	}
	return v.Encode()
}

func TestToken(t *testing.T) {
	h := newHandler(t)
	tests := map[string]struct {
		path, form string
		header     []string
	}{
		"az":                   {"/adfs/oauth2/token", formWith(), nil},
		"terraform":            {"/adfs/" + tenant + "/oauth2/v2.0/token", formWith("scope", base+"/.default"), nil},
		"azidentity":           {"/" + tenant + "/oauth2/v2.0/token", formWith("scope", base+"/.default openid offline_access profile"), nil},
		"adfs as the tenant":   {"/adfs/adfs/oauth2/token", formWith(), nil},
		"tenant in upper case": {"/" + strings.ToUpper(tenant) + "/oauth2/token", formWith(), nil},
		"version 1":            {"/" + tenant + "/oauth2/token", formWith("scope", "", "resource", base+"/"), nil},
		"basic authentication": {"/adfs/oauth2/token", formWith("client_id", "", "client_secret", ""), []string{"Authorization", "Basic " + basic(client, "s%2Be%3Ac")}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			status, b := ask(t, h, "POST", tt.path, tt.form, tt.header...)
			if status != 200 || b["token_type"] != "Bearer" || b["expires_in"] != 3600.0 {
				t.Fatalf("token = %d %v", status, b)
			}
			if _, err := h.Identity.Authenticate(t.Context(), b["access_token"].(string)); err != nil {
				t.Error(err)
			}
		})
	}
}

func basic(user, password string) string {
	r := httptest.NewRequest("GET", "/", nil)
	r.SetBasicAuth(user, password)
	return strings.TrimPrefix(r.Header.Get("Authorization"), "Basic ")
}

func TestTokenRefuses(t *testing.T) {
	h := newHandler(t)
	tests := map[string]struct {
		method, path, form string
		header             []string
		status             int
		code               string
		number             float64
	}{
		"wrong secret":      {"POST", "/adfs/oauth2/token", formWith("client_secret", "x"), nil, 401, "invalid_client", 7000215},
		"no secret":         {"POST", "/adfs/oauth2/token", formWith("client_secret", ""), nil, 401, "invalid_client", 7000218},
		"unknown client":    {"POST", "/adfs/oauth2/token", formWith("client_id", "x"), nil, 400, "unauthorized_client", 700016},
		"no client":         {"POST", "/adfs/oauth2/token", formWith("client_id", ""), nil, 400, "invalid_request", 900144},
		"assertion":         {"POST", "/adfs/oauth2/token", formWith("client_assertion", "x", "client_assertion_type", assertionType), nil, 401, "invalid_client", 700211},
		"other assertion":   {"POST", "/adfs/oauth2/token", formWith("client_assertion", "x"), nil, 400, "invalid_request", 90100},
		"no grant":          {"POST", "/adfs/oauth2/token", formWith("grant_type", ""), nil, 400, "invalid_request", 900144},
		"other grant":       {"POST", "/adfs/oauth2/token", formWith("grant_type", "implicit"), nil, 400, "unsupported_grant_type", 70003},
		"other resource":    {"POST", "/adfs/oauth2/token", formWith("scope", "https://x.test/.default"), nil, 400, "invalid_resource", 500011},
		"no scope":          {"POST", "/adfs/oauth2/token", formWith("scope", ""), nil, 400, "invalid_request", 900144},
		"other scope":       {"POST", "/adfs/oauth2/token", formWith("scope", base+"/read"), nil, 400, "invalid_scope", 1002012},
		"other tenant":      {"POST", "/x/oauth2/v2.0/token", formWith(), nil, 400, "invalid_tenant", 90002},
		"other adfs tenant": {"POST", "/adfs/x/oauth2/v2.0/token", formWith(), nil, 400, "invalid_tenant", 90002},
		"GET":               {"GET", "/adfs/oauth2/token", "", nil, 405, "invalid_request", 900561},
		"JSON":              {"POST", "/adfs/oauth2/token", "{}", []string{"Content-Type", "application/json"}, 400, "invalid_request", 90100},
		"large":             {"POST", "/adfs/oauth2/token", formWith("x", strings.Repeat("x", 1<<20)), nil, 400, "invalid_request", 90100},
		"bad form":          {"POST", "/adfs/oauth2/token", "a=%zz", nil, 400, "invalid_request", 90100},
		"discovery by POST": {"POST", "/adfs/.well-known/openid-configuration", "", nil, 405, "invalid_request", 900144},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			status, b := ask(t, h, tt.method, tt.path, tt.form, tt.header...)
			if status != tt.status || b["error"] != tt.code || b["error_codes"].([]any)[0] != tt.number {
				t.Errorf("= %d %v, want %d %s %.0f", status, b, tt.status, tt.code, tt.number)
			}
			if !strings.HasPrefix(b["error_description"].(string), "AADSTS") {
				t.Errorf("error_description = %v, want AADSTS… first", b["error_description"])
			}
		})
	}
	for range 10 {
		ask(t, h, "POST", "/adfs/oauth2/token", formWith("client_secret", "x"))
	}
	if status, b := ask(t, h, "POST", "/adfs/oauth2/token", formWith("client_secret", "x")); status != 429 {
		t.Errorf("after many failures = %d %v, want 429", status, b)
	}
}

func TestDiscovery(t *testing.T) {
	h := newHandler(t)
	for path, token := range map[string]string{
		"/adfs/.well-known/openid-configuration":                     base + "/adfs/oauth2/token",
		"/adfs/adfs/.well-known/openid-configuration":                base + "/adfs/adfs/oauth2/token",
		"/adfs/" + tenant + "/v2.0/.well-known/openid-configuration": base + "/adfs/" + tenant + "/oauth2/v2.0/token",
		"/" + tenant + "/v2.0/.well-known/openid-configuration":      base + "/" + tenant + "/oauth2/v2.0/token",
		"/organizations/v2.0/.well-known/openid-configuration":       base + "/organizations/oauth2/v2.0/token",
	} {
		status, b := ask(t, h, "GET", path, "")
		if status != 200 || b["token_endpoint"] != token || b["issuer"] != base+"/"+tenant+"/v2.0" {
			t.Errorf("%s = %d %v, want the token endpoint %s", path, status, b, token)
		}
		keys := strings.TrimPrefix(b["jwks_uri"].(string), base)
		if status, k := ask(t, h, "GET", keys, ""); status != 200 || len(k["keys"].([]any)) != 1 {
			t.Errorf("%s = %d %v, want a key", keys, status, k)
		}
		if status, g := ask(t, h, "POST", strings.TrimPrefix(token, base), formWith()); status != 200 {
			t.Errorf("%s = %d %v, want a token", token, status, g)
		}
	}
	if status, b := ask(t, h, "GET", "/common/discovery/instance?api-version=1.1", ""); status != 200 || !strings.HasPrefix(b["tenant_discovery_endpoint"].(string), base) {
		t.Errorf("instance = %d %v", status, b)
	}
	for _, path := range []string{"/", "/adfs", "/adfs/oauth2/other", "/" + tenant} {
		if status, _ := ask(t, h, "GET", path, ""); status != 404 && status != 400 {
			t.Errorf("%s = %d, want 404", path, status)
		}
	}
}

func TestForeignHost(t *testing.T) {
	h := newHandler(t)
	r := httptest.NewRequest("GET", "https://evil.test/adfs/.well-known/openid-configuration", nil)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if w.Code != 400 || strings.Contains(w.Body.String(), "token_endpoint") {
		t.Errorf("a foreign host = %d %s, want 400", w.Code, w.Body)
	}
}
