package api_test

import (
	"encoding/base64"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armsubscriptions/v2"

	"lazuli/internal/daemon"
)

func TestLogin(t *testing.T) {
	c := newCloud(t)
	tests := map[string]struct {
		secret, scope string
		status        int
		code          string
	}{
		"good":            {c.ClientSecret, c.Endpoint + "/.default", 200, ""},
		"as az spells it": {c.ClientSecret, c.Endpoint + "//.default", 200, ""},
		"wrong secret":    {c.ClientSecret + "x", c.Endpoint + "/.default", 401, "invalid_client"},
		"no secret":       {"", c.Endpoint + "/.default", 401, "invalid_client"},
		"other audience":  {c.ClientSecret, "https://management.azure.com/.default", 400, "invalid_resource"},
		"no scope":        {c.ClientSecret, "", 400, "invalid_request"},
		"part of a scope": {c.ClientSecret, c.Endpoint, 400, "invalid_scope"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := c.in(t).login(tt.secret, tt.scope)
			if code, _ := r.get("error").(string); r.StatusCode != tt.status || code != tt.code {
				t.Errorf("login = %d %s, want %d %s", r.StatusCode, r.body, tt.status, tt.code)
			}
			if strings.Contains(string(r.body), c.ClientSecret) {
				t.Error("the answer tells the secret")
			}
		})
	}
}

func TestLoginOfTheSDK(t *testing.T) {
	c := newCloud(t)
	for name, tt := range map[string]struct {
		tenant, secret string
		good           bool
	}{
		"tenant":       {c.TenantID, c.ClientSecret, true},
		"adfs":         {"adfs", c.ClientSecret, true},
		"wrong secret": {c.TenantID, "x", false},
	} {
		t.Run(name, func(t *testing.T) {
			c := c.in(t)
			client, err := armsubscriptions.NewClient(c.credential(tt.tenant, tt.secret), c.options())
			if err != nil {
				t.Fatal(err)
			}
			p, err := client.NewListPager(nil).NextPage(t.Context())
			if _, ok := errors.AsType[*azidentity.AuthenticationFailedError](err); !tt.good && !ok {
				t.Errorf("list = %v, want a failed authentication", err)
			}
			if tt.good && (err != nil || len(p.Value) != 1 || *p.Value[0].SubscriptionID != c.SubscriptionID) {
				t.Errorf("list = %v, %v; want our subscription", p.Value, err)
			}
		})
	}
}

func TestTokens(t *testing.T) {
	var ahead atomic.Int64
	c := newCloud(t, func(sc *daemon.ServerConfig) {
		sc.Now = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	})
	tests := map[string]struct {
		token string
		ahead time.Duration
		code  string
	}{
		"good":              {token: c.token},
		"nearly expired":    {token: c.token, ahead: 59 * time.Minute},
		"expired":           {token: c.token, ahead: 2 * time.Hour, code: "ExpiredAuthenticationToken"},
		"before its time":   {token: c.token, ahead: -time.Hour, code: "InvalidAuthenticationToken"},
		"no algorithm":      {token: forge(t, c.token, `{"alg":"none","typ":"JWT"}`, nil, ""), code: "InvalidAuthenticationToken"},
		"unsigned":          {token: forge(t, c.token, "", nil, ""), code: "InvalidAuthenticationToken"},
		"other audience":    {token: forge(t, c.token, "", []string{c.Endpoint, "https://elsewhere"}, "same"), code: "InvalidAuthenticationToken"},
		"other principal":   {token: forge(t, c.token, "", []string{c.ClientID, "00000000-0000-0000-0000-000000000000"}, "same"), code: "InvalidAuthenticationToken"},
		"symmetric":         {token: forge(t, c.token, `{"alg":"HS256","typ":"JWT"}`, nil, "same"), code: "InvalidAuthenticationToken"},
		"cut short":         {token: c.token[:len(c.token)-4], code: "InvalidAuthenticationToken"},
		"nonsense":          {token: "a.b.c", code: "InvalidAuthenticationToken"},
		"long":              {token: strings.Repeat("a", 20_000), code: "InvalidAuthenticationToken"},
		"none":              {token: "", code: "AuthenticationFailedInvalidHeader"},
		"the secret itself": {token: c.ClientSecret, code: "InvalidAuthenticationToken"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			ahead.Store(int64(tt.ahead))
			defer ahead.Store(0)
			c := c.in(t)
			r := c.do("GET", c.subscription(""), "", "Authorization", "Bearer "+tt.token)
			if tt.code == "" && r.StatusCode == 200 {
				return
			}
			if r.StatusCode != 401 || r.code() != tt.code || !strings.HasPrefix(r.Header.Get("Www-Authenticate"), "Bearer ") {
				t.Errorf("GET = %d %s %v, want 401 %s", r.StatusCode, r.body, r.Header["Www-Authenticate"], tt.code)
			}
		})
	}
	c.refused(401, "AuthenticationFailed", "GET", c.subscription(""), "", "Authorization", "")
	c.refused(401, "AuthenticationFailed", "PUT", c.group("rg"), `{"location":"local"}`, "Authorization", "")
	c.refused(404, "ResourceGroupNotFound", "GET", c.group("rg"), "")
}

// forge makes another token of a good one: with another header, with one
// string in its claims replaced, and with its signature or none.
func forge(t *testing.T, token, header string, replace []string, signature string) string {
	t.Helper()
	parts := strings.Split(token, ".")
	if header != "" {
		parts[0] = base64.RawURLEncoding.EncodeToString([]byte(header))
	}
	if replace != nil {
		b, err := base64.RawURLEncoding.DecodeString(parts[1])
		if err != nil || !strings.Contains(string(b), replace[0]) {
			t.Fatalf("the claims %s (%v) have no %s", b, err, replace[0])
		}
		parts[1] = base64.RawURLEncoding.EncodeToString([]byte(strings.ReplaceAll(string(b), replace[0], replace[1])))
	}
	if signature == "" {
		parts[2] = ""
	}
	return strings.Join(parts, ".")
}

func TestMetadata(t *testing.T) {
	c := newCloud(t)
	tests := map[string]struct {
		version string
		has     map[string]any
	}{
		"az":         {"2015-01-01", map[string]any{"authentication.loginEndpoint": c.Endpoint + "/adfs", "authentication.audiences.0": c.Endpoint + "/", "graphEndpoint": c.Endpoint + "/"}},
		"PowerShell": {"2019-05-01", map[string]any{"0.authentication.loginEndpoint": c.Endpoint + "/adfs", "0.name": "Lazuli"}},
		"Terraform": {"2022-09-01", map[string]any{
			"authentication.identityProvider": "AAD", "authentication.tenant": "common", "authentication.loginEndpoint": c.Endpoint + "/adfs",
			"name": "Lazuli", "resourceManager": c.Endpoint + "/",
		}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := c.in(t).want(200, "GET", "/metadata/endpoints?api-version="+tt.version, "", "Authorization", "")
			var tree any = r.anything()
			for path, want := range tt.has {
				if got := at(tree, path); got != want {
					t.Errorf("%s = %v, want %v", path, got, want)
				}
			}
		})
	}
	for _, path := range []string{"/adfs/.well-known/openid-configuration", "/" + c.TenantID + "/v2.0/.well-known/openid-configuration"} {
		r := c.want(200, "GET", path+"?", "", "Authorization", "")
		for _, name := range []string{"authorization_endpoint", "token_endpoint", "issuer", "jwks_uri"} {
			if s, _ := r.get(name).(string); !strings.HasPrefix(s, c.Endpoint+"/") {
				t.Errorf("%s: %s = %q, want something below %s", path, name, s, c.Endpoint)
			}
		}
	}
}

// Whoever has another cloud's authority, or none, is not spoken to.
func TestTLS(t *testing.T) {
	c := newCloud(t)
	if _, err := http.Get(c.Endpoint + "/metadata/endpoints"); err == nil {
		t.Error("a client that does not know the authority is answered")
	}
	r, err := http.Get(strings.Replace(c.Endpoint, "https:", "http:", 1) + "/subscriptions")
	if err != nil {
		return
	}
	r.Body.Close()
	if r.StatusCode != 400 {
		t.Errorf("plain HTTP = %d, want 400", r.StatusCode)
	}
}
