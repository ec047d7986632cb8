package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"lazuli/test/e2e/cloudtest"
)

// client speaks to the API over connections that it keeps, as clients do.
type client struct {
	http  *http.Client
	token string
	admin struct{ Endpoint, TenantID, ClientID, ClientSecret, SubscriptionID, Location, CAFile string }
}

func newClient(c *cloudtest.Cloud) (*client, error) {
	a := &client{}
	b, err := os.ReadFile(filepath.Join(c.Dir, "admin.json"))
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(b, &a.admin); err != nil {
		return nil, err
	}
	pem, err := os.ReadFile(a.admin.CAFile)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	a.http = &http.Client{Timeout: time.Minute, Transport: &http.Transport{
		DialContext: c.Host.DialContext, TLSClientConfig: &tls.Config{RootCAs: roots}, MaxIdleConnsPerHost: 64,
	}}
	return a, a.login()
}

func (a *client) login() error {
	resp, err := a.http.PostForm(a.admin.Endpoint+"/"+a.admin.TenantID+"/oauth2/v2.0/token", url.Values{
		"grant_type": {"client_credentials"}, "client_id": {a.admin.ClientID}, "client_secret": {a.admin.ClientSecret},
		"scope": {a.admin.Endpoint + "/.default"},
	})
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	var t struct {
		Token string `json:"access_token"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&t); err != nil {
		return fmt.Errorf("log in: %s: %w", resp.Status, err)
	}
	a.token = t.Token
	return nil
}

// group is the path of a resource group.
func (a *client) group(name string) string {
	return "/subscriptions/" + a.admin.SubscriptionID + "/resourceGroups/" + name
}

// id is the path of a resource: id("Compute/virtualMachines", "vm").
func (a *client) id(kind, name string) string {
	return a.group("bench") + "/providers/Microsoft." + kind + "/" + name
}

// ask makes a request and returns the status and the body of the answer.
func (a *client) ask(ctx context.Context, method, path string, body []byte) (int, []byte, error) {
	r, err := http.NewRequestWithContext(ctx, method, a.admin.Endpoint+path+"?api-version=2024-07-01", bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	r.Header.Set("Authorization", "Bearer "+a.token)
	r.Header.Set("Content-Type", "application/json")
	resp, err := a.http.Do(r)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return resp.StatusCode, b, err
}

// put is ask that must be acknowledged.
func (a *client) put(ctx context.Context, path string, body any) ([]byte, error) {
	in, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	status, b, err := a.ask(ctx, http.MethodPut, path, in)
	if err == nil && status >= 300 {
		err = fmt.Errorf("put %s: status %d: %s", path, status, b)
	}
	return b, err
}
