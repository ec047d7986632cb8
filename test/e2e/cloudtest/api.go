package cloudtest

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// API speaks to the cloud without a client's retries: what is asked for is
// asked for once, so that it is known whether the cloud has acknowledged it.
type API struct {
	c      *Cloud
	client *http.Client
	creds  struct{ Endpoint, TenantID, ClientID, ClientSecret, SubscriptionID, Location string }
	token  string
}

// API logs in, as the cloud's administrator. The cloud must be up. The token
// outlives restarts.
func (c *Cloud) API() *API {
	c.T.Helper()
	a := &API{c: c}
	b, err := os.ReadFile(filepath.Join(c.Dir, "admin.json"))
	if err == nil {
		err = json.Unmarshal(b, &a.creds)
	}
	if err != nil {
		c.T.Fatal(err)
	}
	pem, err := os.ReadFile(filepath.Join(c.Dir, "ca.crt"))
	if err != nil {
		c.T.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	a.client = &http.Client{Timeout: time.Minute, Transport: &http.Transport{
		DialContext: c.Host.DialContext, TLSClientConfig: &tls.Config{RootCAs: roots}, DisableKeepAlives: true,
	}}
	if err := a.login(); err != nil {
		c.T.Fatalf("log in: %v", err)
	}
	return a
}

func (a *API) login() error {
	resp, err := a.client.PostForm(a.creds.Endpoint+"/"+a.creds.TenantID+"/oauth2/v2.0/token", url.Values{
		"grant_type": {"client_credentials"}, "client_id": {a.creds.ClientID}, "client_secret": {a.creds.ClientSecret},
		"scope": {a.creds.Endpoint + "/.default"},
	})
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	var t struct {
		Token string `json:"access_token"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&t); err != nil || t.Token == "" {
		return fmt.Errorf("%s, without a token (%v)", resp.Status, err)
	}
	a.token = t.Token
	return nil
}

// Location is the cloud's location.
func (a *API) Location() string { return a.creds.Location }

// Group is the id of a resource group.
func (a *API) Group(name string) string {
	return "/subscriptions/" + a.creds.SubscriptionID + "/resourceGroups/" + name
}

// ID is the id of a resource in the group default, of a type like
// "Microsoft.Compute/disks".
func (a *API) ID(kind, name string) string {
	return a.Group("default") + "/providers/" + kind + "/" + name
}

// Refusal is an answer that is an error.
type Refusal struct {
	Status int
	Body   string
}

func (r *Refusal) Error() string { return fmt.Sprintf("status %d: %s", r.Status, r.Body) }

// StatusOf is the status of an answer that was an error; 0 of other errors.
func StatusOf(err error) int {
	if r, ok := errors.AsType[*Refusal](err); ok {
		return r.Status
	}
	return 0
}

// Ask makes one request. Without an error the cloud has acknowledged it, with a
// *Refusal it has refused it, with any other error it may have done either. The
// path begins with a slash, body and reply are JSON or nil.
func (a *API) Ask(ctx context.Context, method, path string, body, reply any) error {
	_, err := a.ask(ctx, method, path, body, reply)
	return err
}

// Begin is Ask for what takes its time. It returns the path of the operation,
// to be read by Ask.
func (a *API) Begin(ctx context.Context, method, path string, body any) (operation string, err error) {
	head, err := a.ask(ctx, method, path, body, nil)
	if err != nil {
		return "", err
	}
	u, err := url.Parse(head.Get("Azure-Asyncoperation"))
	if err != nil || u.Path == "" {
		return "", fmt.Errorf("there is no operation to wait for (%v)", err)
	}
	return u.Path, nil
}

func (a *API) ask(ctx context.Context, method, path string, body, reply any) (http.Header, error) {
	var in io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		in = bytes.NewReader(b)
	}
	mark := "?"
	if strings.Contains(path, "?") {
		mark = "&"
	}
	r, err := http.NewRequestWithContext(ctx, method, a.creds.Endpoint+path+mark+"api-version=2024-07-01", in)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Authorization", "Bearer "+a.token)
	r.Header.Set("Content-Type", "application/json")
	resp, err := a.client.Do(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode >= 300 {
		return resp.Header, &Refusal{Status: resp.StatusCode, Body: string(b)}
	}
	if reply != nil {
		return resp.Header, json.Unmarshal(b, reply)
	}
	return resp.Header, nil
}

// Must is Ask that must be acknowledged.
func (a *API) Must(method, path string, body, reply any) {
	a.c.T.Helper()
	if err := a.Ask(context.Background(), method, path, body, reply); err != nil {
		a.c.T.Fatalf("%s %s: %v", method, path, err)
	}
}

// State is the provisioning state of a resource, "" when there is none.
func (a *API) State(id string) (string, error) {
	var r struct {
		Properties struct {
			ProvisioningState string `json:"provisioningState"`
		} `json:"properties"`
	}
	err := a.Ask(context.Background(), "GET", id, nil, &r)
	if StatusOf(err) == http.StatusNotFound {
		return "", nil
	}
	return r.Properties.ProvisioningState, err
}

// Await waits until the provisioning state of a resource is the wanted one.
func (a *API) Await(id, state string) {
	a.c.T.Helper()
	a.c.Eventually(filepath.Base(id)+" is "+state, func() error {
		now, err := a.State(id)
		if err != nil {
			return err
		}
		if now != state {
			return fmt.Errorf("it is %q", now)
		}
		return nil
	})
}

// PublicKey is the key that the guests of this test let in.
func (c *Cloud) PublicKey() string {
	c.T.Helper()
	b, err := os.ReadFile(c.key + ".pub")
	if err != nil {
		c.T.Fatal(err)
	}
	return strings.TrimSpace(string(b))
}
