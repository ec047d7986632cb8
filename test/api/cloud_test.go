// Package api_test holds a whole cloud on a fake host to the API, as Azure's
// own clients and hostile ones speak it. A cloud is a control plane and a node
// in this process, and takes milliseconds.
package api_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"lazuli/internal/daemon"
	"lazuli/internal/identity/bootstrap"
	"lazuli/internal/node/fake"
)

// cloud is a cloud as somebody with its credentials sees it.
type cloud struct {
	*bootstrap.Admin
	t      testing.TB
	host   *fake.Host // nil when it is in another process
	client *http.Client
	token  string
}

// version is what most requests say; no request depends on it.
const version = "2025-04-01"

// newCloud runs a cloud until the test ends. It has images, and nothing else.
func newCloud(t testing.TB, options ...func(*daemon.ServerConfig)) *cloud {
	t.Helper()
	return newCloudOn(t, daemon.NodeConfig{}, options...)
}

// newCloudOn runs a cloud on a node of which something is different.
func newCloudOn(t testing.TB, nc daemon.NodeConfig, options ...func(*daemon.ServerConfig)) *cloud {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	dir, host := t.TempDir(), fake.New()
	sc := daemon.ServerConfig{
		DataDir: dir, Listen: "127.0.0.1:0", NodeListen: "127.0.0.1:0", Volatile: true, Log: log,
		PublicPool: []netip.Prefix{netip.MustParsePrefix("198.18.0.0/24")},
	}
	for _, o := range options {
		o(&sc)
	}
	nc.DataDir, nc.Join.Name, nc.Fake, nc.FakeHost, nc.Log = dir, "node1", true, host, log
	ctx, cancel := context.WithCancel(context.Background())
	ready, ended := make(chan *bootstrap.Cloud, 1), make(chan error, 1)
	go func() {
		ended <- daemon.Up(ctx, sc, nc, func(s *daemon.Server) { ready <- s.Cloud })
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the cloud ended: %v", err)
		}
	})
	select {
	case c := <-ready:
		return join(t, &c.Admin, host)
	case err := <-ended:
		ended <- nil
		t.Fatalf("the cloud did not start: %v", err)
		return nil
	}
}

// join logs in to a cloud and waits until it has a node.
func join(t testing.TB, admin *bootstrap.Admin, host *fake.Host) *cloud {
	t.Helper()
	pem, err := os.ReadFile(admin.CAFile)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, MaxIdleConnsPerHost: 64}
	t.Cleanup(transport.CloseIdleConnections)
	c := &cloud{Admin: admin, t: t, host: host, client: &http.Client{Transport: transport}}
	c.token = c.login(admin.ClientSecret, admin.Endpoint+"//.default").get("access_token").(string)
	c.until("a node offers images", func() bool {
		return len(c.want(200, "GET", c.provider("Compute", "locations/"+c.Location+"/publishers"), "").list()) > 0
	})
	return c
}

// in is the cloud in a subtest.
func (c *cloud) in(t testing.TB) *cloud {
	sub := *c
	sub.t = t
	return &sub
}

// until waits for something that happens by itself. The deadline is that of
// the test.
func (c *cloud) until(what string, holds func() bool) {
	c.t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(30 * time.Second)
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline:
			c.t.Fatalf("never: %s", what)
		}
	}
}

func (c *cloud) login(secret, scope string) reply {
	c.t.Helper()
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {c.ClientID}, "client_secret": {secret}, "scope": {scope}}
	return c.do("POST", "/adfs/oauth2/token", form.Encode(), "Authorization", "", "Content-Type", "application/x-www-form-urlencoded")
}

// Paths of the cloud's subscription.
func (c *cloud) subscription(rest string) string {
	return "/subscriptions/" + c.SubscriptionID + strings.TrimSuffix("/"+rest, "/")
}

func (c *cloud) group(name string) string { return c.subscription("resourceGroups/" + name) }

func (c *cloud) provider(namespace, rest string) string {
	return c.subscription("providers/Microsoft." + namespace + "/" + rest)
}

// compute and network are paths of resources in the group rg.
func (c *cloud) compute(rest string) string {
	return c.group("rg") + "/providers/Microsoft.Compute/" + rest
}

func (c *cloud) network(rest string) string {
	return c.group("rg") + "/providers/Microsoft.Network/" + rest
}

// reply is a whole response.
type reply struct {
	*http.Response
	t    testing.TB
	body []byte
}

// code is that of the error in the body.
func (r reply) code() string {
	var b struct{ Error struct{ Code string } }
	_ = json.Unmarshal(r.body, &b)
	return b.Error.Code
}

func (r reply) json() (m map[string]any) {
	r.t.Helper()
	if err := json.Unmarshal(r.body, &m); err != nil {
		r.t.Fatalf("%s %s: the body %q is not a JSON object: %v", r.Request.Method, r.Request.URL, r.body, err)
	}
	return m
}

// get is what is at a path in the body: "properties.subnets.0.name".
func (r reply) get(path string) any {
	r.t.Helper()
	return at(r.json(), path)
}

// list is the elements of a body that is a bare array.
func (r reply) list() (items []any) {
	r.t.Helper()
	if err := json.Unmarshal(r.body, &items); err != nil {
		r.t.Fatalf("the body %q is not an array: %v", r.body, err)
	}
	return items
}

// do sends a request with the cloud's token. Pairs in header replace headers;
// "" leaves one out. A path without a query gets the api-version.
func (c *cloud) do(method, path, body string, header ...string) reply {
	c.t.Helper()
	if strings.HasPrefix(path, "/") {
		path = c.Endpoint + path
	}
	if !strings.Contains(path, "?") {
		path += "?api-version=" + version
	}
	r, err := http.NewRequestWithContext(c.t.Context(), method, path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+c.token)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		if r.Header.Del(header[i]); header[i+1] != "" {
			r.Header.Set(header[i], header[i+1])
		}
	}
	return c.send(r)
}

func (c *cloud) send(r *http.Request) reply {
	c.t.Helper()
	resp, err := c.client.Do(r)
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	fitsSDK(c.t, resp, b)
	return reply{resp, c.t, b}
}

// want sends a request that is answered with the status.
func (c *cloud) want(status int, method, path, body string, header ...string) reply {
	c.t.Helper()
	r := c.do(method, path, body, header...)
	if r.StatusCode != status {
		c.t.Fatalf("%s %s = %d %s, want %d", method, path, r.StatusCode, r.body, status)
	}
	return r
}

// refused sends a request that is answered with an error.
func (c *cloud) refused(status int, code, method, path, body string, header ...string) {
	c.t.Helper()
	if r := c.do(method, path, body, header...); r.StatusCode != status || r.code() != code {
		c.t.Errorf("%s %s = %d %s (%.300s), want %d %s", method, path, r.StatusCode, r.code(), r.body, status, code)
	}
}

// done sends a request and waits for the end of its operation, which must
// succeed.
func (c *cloud) done(method, path, body string) reply {
	c.t.Helper()
	r := c.do(method, path, body)
	if r.StatusCode >= 300 {
		c.t.Fatalf("%s %s = %d %s", method, path, r.StatusCode, r.body)
	}
	if last := c.await(r); last != nil && last.get("status") != "Succeeded" {
		c.t.Fatalf("%s %s came to %s", method, path, last.body)
	}
	return r
}

// await polls the operation of a reply to its end; nil when it has none.
func (c *cloud) await(r reply) *reply {
	c.t.Helper()
	var last *reply
	if where := r.Header.Get("Azure-Asyncoperation"); where != "" {
		c.until("the end of "+r.Request.Method+" "+r.Request.URL.Path, func() bool {
			p := c.want(200, "GET", where, "")
			last = &p
			return p.get("status") != "InProgress"
		})
	} else if where := r.Header.Get("Location"); where != "" {
		c.until("the end of "+r.Request.Method+" "+r.Request.URL.Path, func() bool {
			return c.do("GET", where, "").StatusCode != 202
		})
	}
	return last
}
