package api_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armsubscriptions/v2"
	"github.com/golang-jwt/jwt/v5"

	"lazuli/internal/daemon"
)

const (
	azureCLI      = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"
	alice         = "alice@example.org"
	alicePassword = "Blue stone 9"
)

// graph sends a request to the directory.
func (c *cloud) graph(status int, method, path, body string) reply {
	c.t.Helper()
	return c.want(status, method, "/v1.0/"+path, body)
}

// withAlice is a cloud with a user, who owns the subscription.
func (c *cloud) withAlice() *cloud {
	c.t.Helper()
	id := c.graph(201, "POST", "users", `{"userPrincipalName":"`+alice+`","displayName":"Alice","passwordProfile":{"password":"`+alicePassword+`"}}`).get("id").(string)
	c.own(id, "User")
	return c
}

// own makes a principal Owner of the subscription.
func (c *cloud) own(principal, kind string) {
	c.t.Helper()
	const owner = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
	path := c.provider("Authorization", "roleAssignments/11111111-2222-3333-4444-"+principal[24:])
	r, err := http.NewRequestWithContext(c.t.Context(), "PUT", c.Endpoint+path+"?api-version=2022-04-01", strings.NewReader(
		`{"properties":{"roleDefinitionId":"`+c.provider("Authorization", "roleDefinitions/"+owner)+`","principalId":"`+principal+`","principalType":"`+kind+`"}}`))
	if err != nil {
		c.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+c.token)
	resp, err := c.client.Do(r)
	if err != nil {
		c.t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != 201 {
		c.t.Fatalf("PUT %s = %s", path, resp.Status)
	}
}

// sees holds a credential to being good for the subscription.
func (c *cloud) sees(cred azcore.TokenCredential) {
	c.t.Helper()
	client, err := armsubscriptions.NewClient(cred, c.options())
	if err != nil {
		c.t.Fatal(err)
	}
	p, err := client.NewListPager(nil).NextPage(c.t.Context())
	if err != nil || len(p.Value) != 1 || *p.Value[0].SubscriptionID != c.SubscriptionID {
		c.t.Errorf("list = %v, %v; want our subscription", p.Value, err)
	}
}

func TestPasswordLoginOfTheSDK(t *testing.T) {
	c := newCloud(t).withAlice()
	for name, tt := range map[string]struct {
		tenant, password string
		good             bool
	}{
		"tenant":         {c.TenantID, alicePassword, true},
		"adfs":           {"adfs", alicePassword, true},
		"wrong password": {c.TenantID, "x", false},
	} {
		t.Run(name, func(t *testing.T) {
			c := c.in(t)
			//lint:ignore SA1019 scripts still log in like this
			cred, err := azidentity.NewUsernamePasswordCredential(tt.tenant, azureCLI, alice, tt.password, &azidentity.UsernamePasswordCredentialOptions{
				ClientOptions: c.options().ClientOptions, DisableInstanceDiscovery: true,
			})
			if err != nil {
				t.Fatal(err)
			}
			if tt.good {
				c.sees(cred)
				return
			}
			client, err := armsubscriptions.NewClient(cred, c.options())
			if err != nil {
				t.Fatal(err)
			}
			if _, err := client.NewListPager(nil).NextPage(t.Context()); err == nil || !strings.Contains(err.Error(), "AADSTS50126") {
				t.Errorf("list = %v, want AADSTS50126", err)
			}
		})
	}
}

// enter is a person with a browser who fills in the form at a page, and says
// where that led and to which page.
func (c *cloud) enter(page string, pairs ...string) (location, text string) {
	c.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		c.t.Fatal(err)
	}
	browser := &http.Client{Transport: c.client.Transport, Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	read := func(r *http.Response, err error) (*http.Response, string) {
		c.t.Helper()
		if err != nil {
			c.t.Fatal(err)
		}
		defer r.Body.Close()
		b, err := io.ReadAll(r.Body)
		if err != nil {
			c.t.Fatal(err)
		}
		return r, string(b)
	}
	r, body := read(browser.Get(page))
	if r.StatusCode != 200 {
		c.t.Fatalf("GET %s = %d %s", page, r.StatusCode, body)
	}
	form := url.Values{}
	for _, m := range regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)">`).FindAllStringSubmatch(body, -1) {
		form.Set(m[1], strings.NewReplacer("&#43;", "+", "&amp;", "&").Replace(m[2]))
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	where, _, _ := strings.Cut(page, "?")
	r, body = read(browser.PostForm(where, form))
	return r.Header.Get("Location"), body
}

func TestDeviceCodeLoginOfTheSDK(t *testing.T) {
	c := newCloud(t).withAlice()
	cred, err := azidentity.NewDeviceCodeCredential(&azidentity.DeviceCodeCredentialOptions{
		ClientOptions: c.options().ClientOptions, DisableInstanceDiscovery: true, TenantID: c.TenantID, ClientID: azureCLI,
		UserPrompt: func(_ context.Context, m azidentity.DeviceCodeMessage) error {
			if _, text := c.enter(m.VerificationURL, "user_code", m.UserCode, "username", alice, "password", "wrong"); !strings.Contains(text, "password is wrong") {
				t.Errorf("the page says %s", text)
			}
			if _, text := c.enter(m.VerificationURL, "user_code", m.UserCode, "username", alice, "password", alicePassword); !strings.Contains(text, "goes on as "+alice) {
				t.Errorf("the page says %s", text)
			}
			return nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	c.sees(cred)
}

// token asks for one as a program that logs users in.
func (c *cloud) userToken(pairs ...string) reply {
	c.t.Helper()
	form := url.Values{"client_id": {azureCLI}, "scope": {c.Endpoint + "//.default openid profile offline_access"}}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	return c.do("POST", "/adfs/oauth2/token", form.Encode(), "Authorization", "", "Content-Type", "application/x-www-form-urlencoded")
}

func TestBrowserLogin(t *testing.T) {
	c := newCloud(t).withAlice()
	const verifier, challenge = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM" // of RFC 7636
	page := c.Endpoint + "/adfs/oauth2/authorize?" + url.Values{
		"client_id": {azureCLI}, "response_type": {"code"}, "redirect_uri": {"http://localhost:8400"}, "state": {"s"}, "nonce": {"n"},
		"scope": {c.Endpoint + "//.default openid offline_access"}, "code_challenge": {challenge}, "code_challenge_method": {"S256"}, "prompt": {"select_account"},
	}.Encode()
	location, text := c.enter(page, "username", alice, "password", alicePassword)
	u, err := url.Parse(location)
	if err != nil || u.Host != "localhost:8400" || u.Query().Get("state") != "s" {
		t.Fatalf("the page leads to %q: %s", location, text)
	}
	r := c.userToken("grant_type", "authorization_code", "code", u.Query().Get("code"), "redirect_uri", "http://localhost:8400", "code_verifier", verifier)
	if r.StatusCode != 200 {
		t.Fatalf("token = %d %s", r.StatusCode, r.body)
	}
	user := c.in(t)
	user.token = r.get("access_token").(string)
	user.want(201, "PUT", c.group("rg"), `{"location":"local"}`)
	if me := user.graph(200, "GET", "me", "").get("userPrincipalName"); me != alice {
		t.Errorf("me is %v", me)
	}
}

// What an administrator takes away from a user is gone at once, wherever it is
// asked for.
func TestUsersAreShutOutAtOnce(t *testing.T) {
	c := newCloud(t).withAlice()
	login := func() (*cloud, string) {
		t.Helper()
		r := c.userToken("grant_type", "password", "username", alice, "password", alicePassword)
		if r.StatusCode != 200 {
			t.Fatalf("token = %d %s", r.StatusCode, r.body)
		}
		user := c.in(t)
		user.token = r.get("access_token").(string)
		return user, r.get("refresh_token").(string)
	}
	for _, tt := range []struct{ name, method, body, undo string }{
		{"disabled", "PATCH", `{"accountEnabled":false}`, `{"accountEnabled":true}`},
		{"another password", "PATCH", `{"passwordProfile":{"password":"Green stone 7"}}`, `{"passwordProfile":{"password":"` + alicePassword + `"}}`},
		{"deleted", "DELETE", "", ""},
	} {
		user, refresh := login()
		user.want(200, "GET", c.subscription("resourceGroups"), "")
		c.graph(204, tt.method, "users/"+alice, tt.body)
		user.refused(401, "InvalidAuthenticationToken", "GET", c.subscription("resourceGroups"), "")
		user.refused(401, "InvalidAuthenticationToken", "GET", "/v1.0/me", "")
		if r := c.userToken("grant_type", "refresh_token", "refresh_token", refresh); r.StatusCode != 400 || r.get("error") != "invalid_grant" {
			t.Errorf("%s: refresh = %d %s, want invalid_grant", tt.name, r.StatusCode, r.body)
		}
		if tt.undo != "" {
			c.graph(204, "PATCH", "users/"+alice, tt.undo)
		}
	}
}

// ci is an issuer outside of the cloud. It signs what it is asked to.
type ci struct {
	*httptest.Server
	key *ecdsa.PrivateKey
}

func newCI(t *testing.T) *ci {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	i := &ci{key: key}
	i.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/keys" {
			fmt.Fprintf(w, `{"issuer":%q,"jwks_uri":%q}`, i.URL, i.URL+"/keys")
			return
		}
		point, err := key.PublicKey.Bytes()
		if err != nil {
			t.Error(err)
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"keys": []map[string]string{{
			"kty": "EC", "crv": "P-256", "kid": "k", "x": base64.RawURLEncoding.EncodeToString(point[1:33]), "y": base64.RawURLEncoding.EncodeToString(point[33:]),
		}}})
	}))
	t.Cleanup(i.Close)
	return i
}

func (i *ci) token(t *testing.T, subject string) string {
	t.Helper()
	tok := jwt.NewWithClaims(jwt.SigningMethodES256, jwt.MapClaims{
		"iss": i.URL, "sub": subject, "aud": "api://AzureADTokenExchange", "exp": time.Now().Add(time.Hour).Unix(), "iat": time.Now().Unix(),
	})
	tok.Header["kid"] = "k"
	raw, err := tok.SignedString(i.key)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestTokensOfOtherIssuers(t *testing.T) {
	i := newCI(t)
	c := newCloud(t, func(sc *daemon.ServerConfig) { sc.Issuers, sc.IssuerTransport = []string{i.URL}, i.Client().Transport })
	app := c.graph(201, "POST", "applications", `{"displayName":"ci"}`)
	sp := c.graph(201, "POST", "servicePrincipals", `{"appId":"`+app.get("appId").(string)+`"}`)
	c.own(sp.get("id").(string), "ServicePrincipal")
	c.graph(201, "POST", "applications/"+app.get("id").(string)+"/federatedIdentityCredentials",
		`{"name":"main","issuer":"`+i.URL+`","subject":"repo:x:main","audiences":["api://AzureADTokenExchange"]}`)
	c.refused(400, "Request_BadRequest", "POST", "/v1.0/applications/"+app.get("id").(string)+"/federatedIdentityCredentials",
		`{"name":"evil","issuer":"https://evil.test","subject":"x","audiences":["x"]}`)
	assertion := func(subject string) *azidentity.ClientAssertionCredential {
		cred, err := azidentity.NewClientAssertionCredential(c.TenantID, app.get("appId").(string), func(context.Context) (string, error) { return i.token(t, subject), nil },
			&azidentity.ClientAssertionCredentialOptions{ClientOptions: c.options().ClientOptions, DisableInstanceDiscovery: true})
		if err != nil {
			t.Fatal(err)
		}
		return cred
	}
	c.sees(assertion("repo:x:main"))
	client, err := armsubscriptions.NewClient(assertion("repo:x:fork"), c.options())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.NewListPager(nil).NextPage(t.Context()); err == nil || !strings.Contains(err.Error(), "AADSTS700213") {
		t.Errorf("another subject = %v, want AADSTS700213", err)
	}
	// The other issuer's token is none of ours.
	c.refused(401, "InvalidAuthenticationToken", "GET", c.subscription(""), "", "Authorization", "Bearer "+i.token(t, "repo:x:main"))
}

// A login that waits for its code, and one that is to be refreshed, are there
// after a crash.
func TestLoginsOutliveTheServer(t *testing.T) {
	a := newApart(t, program(t))
	admin := a.admin()
	a.node(a.join("node1"))
	c := join(t, admin, nil).withAlice()
	form := url.Values{"client_id": {azureCLI}, "scope": {c.Endpoint + "//.default offline_access"}}
	d := c.do("POST", "/adfs/oauth2/devicecode", form.Encode(), "Authorization", "", "Content-Type", "application/x-www-form-urlencoded")
	before := c.userToken("grant_type", "password", "username", alice, "password", alicePassword)
	a.server.kill()
	a.server.start()
	c.until("the API answers again", func() bool {
		r, err := c.client.Get(c.Endpoint + "/metadata/endpoints?api-version=2022-09-01")
		if err == nil {
			r.Body.Close()
		}
		return err == nil && r.StatusCode == 200
	})
	if r := c.userToken("grant_type", "refresh_token", "refresh_token", before.get("refresh_token").(string)); r.StatusCode != 200 {
		t.Errorf("refresh = %d %s", r.StatusCode, r.body)
	}
	if _, text := c.enter(d.get("verification_uri").(string), "user_code", d.get("user_code").(string), "username", alice, "password", alicePassword); !strings.Contains(text, "goes on as") {
		t.Errorf("the page says %s", text)
	}
	if r := c.userToken("grant_type", "urn:ietf:params:oauth:grant-type:device_code", "device_code", d.get("device_code").(string)); r.StatusCode != 200 {
		t.Errorf("device code = %d %s", r.StatusCode, r.body)
	}
}

// What a user or a service principal may do goes with it.
func TestDeletedPrincipalHasNoRoles(t *testing.T) {
	c := newCloud(t)
	roles := func() int {
		all, _ := c.want(200, "GET", c.provider("Authorization", "roleAssignments")+"?api-version=2022-04-01", "").get("value").([]any)
		return len(all)
	}
	before := roles()
	c.withAlice()
	app := c.graph(201, "POST", "applications", `{"displayName":"ci"}`).get("appId").(string)
	ci := c.graph(201, "POST", "servicePrincipals", `{"appId":"`+app+`"}`).get("id").(string)
	c.own(ci, "ServicePrincipal")
	if now := roles(); now != before+2 {
		t.Fatalf("%d roles are assigned, want %d", now, before+2)
	}
	c.graph(204, "DELETE", "users/"+alice, "")
	c.graph(204, "DELETE", "servicePrincipals/"+ci, "")
	if now := roles(); now != before {
		t.Errorf("%d roles are assigned where %d were", now, before)
	}
}
