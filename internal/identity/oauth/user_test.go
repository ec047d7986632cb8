package oauth

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"lazuli/internal/arm"
	"lazuli/internal/identity"
	"lazuli/internal/store"
)

const (
	azure    = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"
	alice    = "alice@example.org"
	password = "Blue stone 9"
)

// newUserHandler has the user alice.
func newUserHandler(t *testing.T) *Handler {
	t.Helper()
	h := newHandler(t)
	_, err := h.Identity.Store.Update(t.Context(), func(tx store.Tx) error {
		return identity.PutPrincipal(t.Context(), tx, &identity.Principal{
			Kind: arm.KindUser, UserName: alice, Name: "Alice", ObjectID: "a11ce", TenantID: tenant,
			Secrets: []identity.Secret{{Hash: identity.HashSecret(password)}},
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// userForm is what az sends for a user.
func userForm(pairs ...string) string {
	v := url.Values{"client_id": {azure}, "scope": {base + "//.default openid profile offline_access"}, "client_info": {"1"}}
	for i := 0; i+1 < len(pairs); i += 2 {
		if v.Del(pairs[i]); pairs[i+1] != "" {
			v.Set(pairs[i], pairs[i+1])
		}
	}
	return v.Encode()
}

func passwordForm(pairs ...string) string {
	return userForm(append([]string{"grant_type", "password", "username", alice, "password", password}, pairs...)...)
}

// payload is what a token says.
func payload(t *testing.T, token any) map[string]any {
	t.Helper()
	parts := strings.Split(token.(string), ".")
	b, err := base64.RawURLEncoding.DecodeString(parts[min(1, len(parts)-1)])
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// What MSAL needs of an answer for a user.
func TestUserToken(t *testing.T) {
	h := newUserHandler(t)
	for _, path := range []string{"/adfs/oauth2/token", "/" + tenant + "/oauth2/v2.0/token", "/organizations/oauth2/v2.0/token"} {
		status, b := ask(t, h, "POST", path, passwordForm())
		if status != 200 || b["scope"] != base+"//.default openid profile offline_access" {
			t.Fatalf("%s = %d %v", path, status, b)
		}
		id := payload(t, b["id_token"])
		for name, want := range map[string]string{"aud": azure, "upn": alice, "preferred_username": alice, "sub": "a11ce", "oid": "a11ce", "tid": tenant, "name": "Alice", "iss": base + "/" + tenant + "/v2.0"} {
			if id[name] != want {
				t.Errorf("%s of the ID token = %v, want %s", name, id[name], want)
			}
		}
		if info := payload(t, b["client_info"]); info["uid"] != "a11ce" || info["utid"] != tenant {
			t.Errorf("client_info = %v", info)
		}
		p, err := h.Identity.Authenticate(t.Context(), b["access_token"].(string))
		if err != nil || p.UserName != alice {
			t.Errorf("Authenticate = %+v, %v", p, err)
		}
		status, again := ask(t, h, "POST", path, userForm("grant_type", "refresh_token", "refresh_token", b["refresh_token"].(string)))
		if status != 200 || again["refresh_token"] == b["refresh_token"] || again["id_token"] == nil {
			t.Errorf("refresh = %d %v", status, again)
		}
	}
	status, b := ask(t, h, "POST", "/adfs/oauth2/token", passwordForm("scope", base+"/.default"))
	if status != 200 || b["refresh_token"] != nil {
		t.Errorf("without offline_access = %d %v, want no refresh token", status, b)
	}
	status, b = ask(t, h, "POST", "/adfs/oauth2/token", passwordForm("scope", "", "resource", base+"/"))
	if status != 200 || b["refresh_token"] == nil || b["resource"] != base+"/" {
		t.Errorf("version 1 = %d %v", status, b)
	}
}

func TestUserTokenRefuses(t *testing.T) {
	h := newUserHandler(t)
	code := func(pairs ...string) string {
		return userForm(append([]string{"grant_type", "authorization_code", "code", "x", "redirect_uri", "http://localhost:8400", "code_verifier", "x"}, pairs...)...)
	}
	for name, tt := range map[string]struct {
		path, form string
		status     int
		code       string
		number     float64
	}{
		"wrong password":  {"token", passwordForm("password", "x"), 400, "invalid_grant", 50126},
		"nobody":          {"token", passwordForm("username", "bob@example.org"), 400, "invalid_grant", 50126},
		"no password":     {"token", passwordForm("password", ""), 400, "invalid_request", 900144},
		"no user":         {"token", passwordForm("username", ""), 400, "invalid_request", 900144},
		"no program":      {"token", passwordForm("client_id", ""), 400, "invalid_request", 900144},
		"other program":   {"token", passwordForm("client_id", client), 400, "unauthorized_client", 700016},
		"no scope":        {"token", passwordForm("scope", ""), 400, "invalid_request", 900144},
		"other resource":  {"token", passwordForm("scope", "https://x.test/.default"), 400, "invalid_resource", 500011},
		"other scope":     {"token", passwordForm("scope", base+"/read"), 400, "invalid_scope", 1002012},
		"unknown refresh": {"token", userForm("grant_type", "refresh_token", "refresh_token", "x"), 400, "invalid_grant", 70008},
		"no refresh":      {"token", userForm("grant_type", "refresh_token"), 400, "invalid_request", 900144},
		"unknown code":    {"token", code(), 400, "invalid_grant", 70008},
		"no code":         {"token", code("code", ""), 400, "invalid_request", 900144},
		"no verifier":     {"token", code("code_verifier", ""), 400, "invalid_request", 900144},
		"unknown device":  {"token", userForm("grant_type", deviceGrant, "device_code", "x"), 400, "expired_token", 70019},
		"short grant":     {"token", userForm("grant_type", "device_code", "device_code", "x"), 400, "expired_token", 70019},
		"no device":       {"token", userForm("grant_type", deviceGrant), 400, "invalid_request", 900144},
		"device, program": {"devicecode", userForm("client_id", client), 400, "unauthorized_client", 700016},
		"device, scope":   {"devicecode", userForm("scope", ""), 400, "invalid_request", 900144},
		"device, none":    {"devicecode", userForm("client_id", ""), 400, "invalid_request", 900144},
	} {
		t.Run(name, func(t *testing.T) {
			status, b := ask(t, h, "POST", "/adfs/oauth2/"+tt.path, tt.form)
			if status != tt.status || b["error"] != tt.code || b["error_codes"].([]any)[0] != tt.number {
				t.Errorf("= %d %v, want %d %s %.0f", status, b, tt.status, tt.code, tt.number)
			}
		})
	}
}

// A browser keeps cookies, and sends forms back with what is hidden in them.
type browser struct {
	h       *Handler
	cookies []*http.Cookie
}

func (b *browser) do(t *testing.T, method, path string, form url.Values, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, base+path, strings.NewReader(form.Encode()))
	if method == "POST" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", base)
	}
	for _, c := range b.cookies {
		r.AddCookie(c)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	b.h.ServeHTTP(w, r)
	b.cookies = append(b.cookies, w.Result().Cookies()...)
	for name, want := range map[string]string{"X-Frame-Options": "DENY", "Cache-Control": "no-store", "Referrer-Policy": "no-referrer"} {
		if got := w.Header().Get(name); got != want {
			t.Errorf("%s %s: %s = %q, want %q", method, path, name, got, want)
		}
	}
	if csp := w.Header().Get("Content-Security-Policy"); !strings.HasPrefix(csp, "default-src 'none'") || strings.Contains(w.Body.String(), "<script") {
		t.Errorf("%s %s: the page may run something: %q", method, path, csp)
	}
	return w
}

var hidden = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)">`)

// fill is a form as a person fills it in on the page.
func (b *browser) fill(t *testing.T, path string, pairs ...string) url.Values {
	t.Helper()
	w := b.do(t, "GET", path, nil)
	if w.Code != 200 {
		t.Fatalf("GET %s = %d %s", path, w.Code, w.Body)
	}
	form := hiddenIn(w.Body.String())
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	return form
}

func hiddenIn(body string) url.Values {
	form := url.Values{}
	for _, m := range hidden.FindAllStringSubmatch(body, -1) {
		form.Set(html.UnescapeString(m[1]), html.UnescapeString(m[2]))
	}
	return form
}

func TestDevicePage(t *testing.T) {
	h := newUserHandler(t)
	status, d := ask(t, h, "POST", "/adfs/oauth2/devicecode", userForm())
	page, _ := d["verification_uri"].(string)
	if status != 200 || page != base+"/device" || d["interval"] == nil || !strings.Contains(d["message"].(string), d["user_code"].(string)) {
		t.Fatalf("devicecode = %d %v", status, d)
	}
	poll := userForm("grant_type", deviceGrant, "device_code", d["device_code"].(string))
	if status, b := ask(t, h, "POST", "/adfs/oauth2/token", poll); status != 400 || b["error"] != "authorization_pending" {
		t.Errorf("token = %d %v, want authorization_pending", status, b)
	}
	if status, b := ask(t, h, "POST", "/adfs/oauth2/token", poll); status != 400 || b["error"] != "slow_down" {
		t.Errorf("token at once = %d %v, want slow_down", status, b)
	}
	user := d["user_code"].(string)
	for name, tt := range map[string]struct {
		pairs, header []string
		status        int
	}{
		"wrong password": {[]string{"password", "x"}, nil, 401},
		"wrong code":     {[]string{"user_code", "BBBBBBBBB"}, nil, 400},
		"no form token":  {[]string{"form", ""}, nil, 403},
		"forged token":   {[]string{"form", strings.Repeat("x", 52)}, nil, 403},
		"no cookie":      {nil, []string{"Cookie", ""}, 403},
		"from elsewhere": {nil, []string{"Origin", "https://evil.test"}, 403},
		"JSON":           {nil, []string{"Content-Type", "application/json"}, 400},
	} {
		t.Run(name, func(t *testing.T) {
			b := &browser{h: h}
			form := b.fill(t, "/device", append([]string{"user_code", user, "username", alice, "password", password}, tt.pairs...)...)
			w := b.do(t, "POST", "/device", form, tt.header...)
			if w.Code != tt.status || strings.Contains(w.Body.String(), password) {
				t.Errorf("POST = %d %s, want %d", w.Code, w.Body, tt.status)
			}
		})
	}
	b := &browser{h: h}
	if w := b.do(t, "POST", "/device", b.fill(t, "/device", "user_code", user, "username", alice, "password", password)); w.Code != 200 || !strings.Contains(w.Body.String(), "Azure CLI goes on as "+alice) {
		t.Fatalf("POST = %d %s", w.Code, w.Body)
	}
	status, g := ask(t, h, "POST", "/adfs/oauth2/token", poll)
	if status != 200 || payload(t, g["id_token"])["upn"] != alice || g["refresh_token"] == nil {
		t.Errorf("token = %d %v", status, g)
	}
	if w := b.do(t, "DELETE", "/device", nil); w.Code != 405 {
		t.Errorf("DELETE = %d, want 405", w.Code)
	}
}

const (
	redirect = "http://localhost:8400"
	verifier = "a verifier that the program keeps to itself until the end"
)

// authorizeQuery is what az has the browser ask for.
func authorizeQuery(pairs ...string) string {
	sum := sha256.Sum256([]byte(verifier))
	return "/adfs/oauth2/authorize?" + userForm(append([]string{
		"response_type", "code", "redirect_uri", redirect, "state", "st&te\"", "nonce", "n0nce", "prompt", "select_account",
		"code_challenge", base64.RawURLEncoding.EncodeToString(sum[:]), "code_challenge_method", "S256",
	}, pairs...)...)
}

func redeemForm(code string) string {
	return userForm("grant_type", "authorization_code", "code", code, "redirect_uri", redirect, "code_verifier", verifier)
}

func TestAuthorize(t *testing.T) {
	h := newUserHandler(t)
	b := &browser{h: h}
	form := b.fill(t, authorizeQuery("login_hint", alice), "username", alice, "password", "x")
	w := b.do(t, "POST", "/adfs/oauth2/authorize", form)
	if w.Code != 401 || !strings.Contains(w.Body.String(), "wrong") || w.Header().Get("Location") != "" {
		t.Fatalf("wrong password = %d %s", w.Code, w.Body)
	}
	// The page that says so has the form again, with all that is hidden in it.
	form = hiddenIn(w.Body.String())
	form.Set("username", alice)
	form.Set("password", password)
	w = b.do(t, "POST", "/adfs/oauth2/authorize", form)
	u, err := url.Parse(w.Header().Get("Location"))
	if err != nil || w.Code != 303 || u.Host != "localhost:8400" || u.Query().Get("state") != `st&te"` {
		t.Fatalf("POST = %d %s, %v", w.Code, u, err)
	}
	status, g := ask(t, h, "POST", "/adfs/oauth2/token", redeemForm(u.Query().Get("code")))
	if status != 200 || payload(t, g["id_token"])["nonce"] != "n0nce" || g["refresh_token"] == nil {
		t.Errorf("token = %d %v", status, g)
	}
	if status, g := ask(t, h, "POST", "/adfs/oauth2/token", redeemForm(u.Query().Get("code"))); status != 400 || g["error"] != "invalid_grant" {
		t.Errorf("a code twice = %d %v, want invalid_grant", status, g)
	}
}

func TestAuthorizeByForm(t *testing.T) {
	h := newUserHandler(t)
	b := &browser{h: h}
	w := b.do(t, "POST", "/adfs/oauth2/authorize", b.fill(t, authorizeQuery("response_mode", "form_post"), "username", alice, "password", password))
	if w.Code != 200 || !strings.Contains(w.Body.String(), `action="`+redirect+`"`) {
		t.Fatalf("POST = %d %s", w.Code, w.Body)
	}
	form := hiddenIn(w.Body.String())
	if form.Get("state") != `st&te"` || form.Has("form") || form.Has("password") {
		t.Errorf("the form to the program has %v", form)
	}
	if status, g := ask(t, h, "POST", "/adfs/oauth2/token", redeemForm(form.Get("code"))); status != 200 {
		t.Errorf("token = %d %v", status, g)
	}
}

func TestAuthorizeRefuses(t *testing.T) {
	h := newUserHandler(t)
	for name, pairs := range map[string][]string{
		"redirect elsewhere": {"redirect_uri", "https://evil.test"},
		"no redirect":        {"redirect_uri", ""},
		"script":             {"redirect_uri", "javascript:alert(1)//localhost"},
		"other program":      {"client_id", client},
		"token":              {"response_type", "token"},
		"fragment":           {"response_mode", "fragment"},
		"no challenge":       {"code_challenge", ""},
		"plain challenge":    {"code_challenge_method", "plain"},
		"other resource":     {"scope", "https://x.test/.default"},
		"no scope":           {"scope", ""},
	} {
		t.Run(name, func(t *testing.T) {
			b := &browser{h: h}
			w := b.do(t, "GET", authorizeQuery(pairs...), nil)
			if w.Code != 400 || w.Header().Get("Location") != "" || strings.Contains(w.Body.String(), "<form") {
				t.Errorf("GET = %d %s, want a 400 that leads nowhere", w.Code, w.Body)
			}
			// What was hidden in the form may be changed as well.
			form := b.fill(t, authorizeQuery(), "username", alice, "password", password)
			form.Set(pairs[0], pairs[1])
			if w := b.do(t, "POST", "/adfs/oauth2/authorize", form); w.Code != 400 || w.Header().Get("Location") != "" {
				t.Errorf("POST = %d %s, want a 400 that leads nowhere", w.Code, w.Body)
			}
		})
	}
	b := &browser{h: h}
	w := b.do(t, "GET", authorizeQuery("login_hint", `"><script>alert(1)</script>`), nil)
	if w.Code != 200 || strings.Contains(w.Body.String(), "<script") {
		t.Errorf("a hint with markup = %d %s", w.Code, w.Body)
	}
	if w := b.do(t, "POST", "/adfs/oauth2/authorize", url.Values{"form": {"x"}}); w.Code != 403 || strings.Contains(w.Body.String(), "<form") {
		t.Errorf("a forged form = %d %s, want 403", w.Code, w.Body)
	}
}

func TestUserRealm(t *testing.T) {
	h := newUserHandler(t)
	for _, name := range []string{alice, "bob@example.org"} {
		status, b := ask(t, h, "GET", "/common/UserRealm/"+url.PathEscape(name)+"?api-version=1.0", "")
		if status != 200 || b["account_type"] != "Managed" || b["domain_name"] != "example.org" {
			t.Errorf("%s = %d %v", name, status, b)
		}
	}
}

func TestDisabledAndExpired(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*identity.Principal)
		status int
		number float64
	}{
		"disabled": {func(p *identity.Principal) { p.Disabled = true }, 400, 7000112},
		"expired":  {func(p *identity.Principal) { p.Secrets[0].ExpiresAt = p.CreatedAt.AddDate(2000, 0, 0) }, 401, 7000222},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHandler(t)
			_, err := h.Identity.Store.Update(t.Context(), func(tx store.Tx) error {
				p, err := identity.FindPrincipal(t.Context(), tx, client)
				if err != nil {
					return err
				}
				tt.change(p)
				return identity.PutPrincipal(t.Context(), tx, p)
			})
			if err != nil {
				t.Fatal(err)
			}
			if status, b := ask(t, h, "POST", "/adfs/oauth2/token", formWith()); status != tt.status || b["error_codes"].([]any)[0] != tt.number {
				t.Errorf("token = %d %v, want %d %.0f", status, b, tt.status, tt.number)
			}
		})
	}
}
