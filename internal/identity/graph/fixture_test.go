package graph

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"lazuli/internal/arm"
	"lazuli/internal/identity"
	"lazuli/internal/store"
	"lazuli/internal/store/memory"
)

const (
	tenant   = "99999999-8888-7777-6666-555555555555"
	admin    = "11111111-2222-3333-4444-555555555555" // client id
	adminID  = "11111111-0000-0000-0000-000000000001" // object id
	reader   = "22222222-2222-3333-4444-555555555555"
	base     = "https://cloud.test:8443"
	password = "Blue stone 9"
	secret   = "s"
)

// directory is a Handler as one that is logged in to it sees it.
type directory struct {
	*Handler
	t     testing.TB
	token string
}

// trusted is an issuer that signs nothing.
type trusted string

func (t trusted) Trusts(issuer string) bool { return issuer == string(t) }

func (trusted) Verify(context.Context, string) (identity.Assertion, error) {
	return identity.Assertion{}, identity.ErrBadAssertion
}

// newDirectory has two service principals: admin, and reader, who is not one.
func newDirectory(t testing.TB) *directory {
	t.Helper()
	st := memory.New(memory.Options{})
	t.Cleanup(func() { st.Close() })
	hash := identity.HashSecret(secret)
	_, err := st.Update(t.Context(), func(tx store.Tx) error {
		for _, p := range []*identity.Principal{
			{ClientID: admin, ObjectID: adminID, ApplicationID: "app-admin", Name: "admin", Admin: true},
			{ClientID: reader, ObjectID: "22222222-0000-0000-0000-000000000001", ApplicationID: "app-reader", Name: "reader"},
		} {
			p.Kind, p.TenantID, p.Secrets = arm.KindServicePrincipal, tenant, []identity.Secret{{KeyID: "first", Hash: hash}}
			if err := identity.PutPrincipal(t.Context(), tx, p); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	ids, err := identity.New(t.Context(), identity.Config{Store: st, TenantID: tenant, Hosts: []string{"cloud.test"}, Issuers: trusted("https://ci.test")})
	if err != nil {
		t.Fatal(err)
	}
	h := &Handler{Identity: ids, Next: http.NotFoundHandler(), Logger: slog.New(slog.DiscardHandler)}
	return (&directory{Handler: h, t: t}).as(admin)
}

// as is the directory as a service principal sees it.
func (d *directory) as(clientID string) *directory {
	d.t.Helper()
	tok, err := d.Identity.Login(d.t.Context(), clientID, secret, base, "cloud.test:8443", "")
	if err != nil {
		d.t.Fatal(err)
	}
	return &directory{d.Handler, d.t, tok.Raw}
}

// asUser is the directory as a user sees it.
func (d *directory) asUser(name string) *directory {
	d.t.Helper()
	g, err := d.Identity.Password(d.t.Context(), identity.Ask{ClientID: "04b07795-8ddb-461a-bbee-02f9e1bf7b46", Audience: base, Host: "cloud.test:8443"}, name, password)
	if err != nil {
		d.t.Fatal(err)
	}
	return &directory{d.Handler, d.t, g.Raw}
}

func (d *directory) do(method, path, body string) (int, map[string]any) {
	d.t.Helper()
	if !strings.HasPrefix(path, "https:") {
		path = base + "/v1.0/" + strings.ReplaceAll(path, " ", "%20")
	}
	r := httptest.NewRequestWithContext(d.t.Context(), method, path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+d.token)
	w := httptest.NewRecorder()
	d.ServeHTTP(w, r)
	var m map[string]any
	if w.Code != http.StatusNoContent {
		if err := json.Unmarshal(w.Body.Bytes(), &m); err != nil {
			d.t.Fatalf("%s %s = %d %q: %v", method, path, w.Code, w.Body, err)
		}
	}
	return w.Code, m
}

// want is do with the status that it must come to.
func (d *directory) want(status int, method, path, body string) map[string]any {
	d.t.Helper()
	got, m := d.do(method, path, body)
	if got != status {
		d.t.Fatalf("%s %s = %d %v, want %d", method, path, got, m, status)
	}
	return m
}

// names are the displayNames in a list.
func names(m map[string]any) string {
	var all []string
	for _, v := range m["value"].([]any) {
		all = append(all, v.(map[string]any)["displayName"].(string))
	}
	return strings.Join(all, " ")
}

// addUser makes a user, and is its id.
func (d *directory) addUser(name string) string {
	d.t.Helper()
	local, _, _ := strings.Cut(name, "@")
	return d.want(201, "POST", "users", `{"userPrincipalName":"`+name+`","displayName":"`+local+`","mailNickname":"`+local+`","accountEnabled":true,
		"passwordProfile":{"password":"`+password+`","forceChangePasswordNextSignIn":false}}`)["id"].(string)
}
