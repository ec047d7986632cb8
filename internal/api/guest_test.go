package api_test

import (
	"context"
	"crypto/tls"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"lazuli/internal/api"
	"lazuli/internal/arm"
	"lazuli/internal/arm/armtest"
	"lazuli/internal/identity"
	"lazuli/internal/store"
)

const machine = group + "/providers/Microsoft.Compute/virtualMachines/vm1"

func withMachine(t *testing.T) *cloud {
	c := withGroup(t)
	c.expect(201, "PUT", machine+"?"+version, `{}`)
	return c
}

func TestSerialLog(t *testing.T) {
	c := withMachine(t)
	if got := string(c.expect(200, "GET", machine+"/serialLog", "").body); got != "log of vm1" {
		t.Errorf("log = %q", got)
	}
	c.expect(404, "GET", strings.Replace(machine, "vm1", "vm2", 1)+"/serialLog", "")
	c.expect(401, "GET", machine+"/serialLog", "", "Authorization", "")
}

func TestSignedURL(t *testing.T) {
	c := withMachine(t)
	signed := c.expect(200, "POST", machine+"/peek?"+version, "hello", "Content-Type", "application/json").json(t)["url"].(string)
	if !strings.HasPrefix(signed, c.URL+machine+"/serialLog?") {
		t.Fatalf("SignURL = %q", signed)
	}
	if got := string(c.expect(200, "GET", signed, "", "Authorization", "").body); got != "log of vm1" {
		t.Errorf("log = %q", got)
	}
	for name, url := range map[string]string{
		"another machine": strings.Replace(signed, "vm1", "vm2", 1),
		"the machine":     strings.Replace(signed, "/serialLog", "", 1),
		"later":           strings.Replace(signed, "se=", "se=9", 1),
		"no expiry":       strings.Replace(signed, "se=", "x=", 1),
		"deletion":        signed + "&x=1",
	} {
		method := "GET"
		if name == "deletion" {
			method = "DELETE"
		}
		if r := c.do(method, url, "", "Authorization", ""); r.StatusCode != 403 {
			t.Errorf("the signature for %s = %d %s, want 403", name, r.StatusCode, r.body)
		}
	}
	c.expect(200, "DELETE", machine+"?"+version, "")
	c.expect(404, "GET", signed, "", "Authorization", "")
	c.expect(201, "PUT", machine+"?"+version, `{}`)
	if r := c.do("GET", signed, "", "Authorization", ""); r.StatusCode != 403 {
		t.Errorf("the signature for a machine of the same name = %d %s, want 403", r.StatusCode, r.body)
	}
}

func TestConsole(t *testing.T) {
	c := withMachine(t)
	here, there := net.Pipe()
	c.guests.port = there
	url := strings.Replace(c.URL, "https", "wss", 1) + machine + "/console"
	if _, _, err := websocket.Dial(t.Context(), url, &websocket.DialOptions{HTTPClient: c.Client()}); err == nil {
		t.Error("a console without a token was given out")
	}
	c.expect(426, "GET", machine+"/console", "") // and the port stays as it is
	ws, _, err := websocket.Dial(t.Context(), url, &websocket.DialOptions{
		HTTPClient: c.Client(), HTTPHeader: http.Header{"Authorization": {"Bearer " + c.token}},
	})
	if err != nil {
		t.Fatal(err)
	}
	conn := websocket.NetConn(t.Context(), ws, websocket.MessageBinary)
	go io.WriteString(here, "login: ")
	b := make([]byte, 7)
	if _, err := io.ReadFull(conn, b); err != nil || string(b) != "login: " {
		t.Fatalf("read %q, %v", b, err)
	}
	go io.WriteString(conn, "root\n")
	if _, err := io.ReadFull(here, b[:5]); err != nil || string(b[:5]) != "root\n" {
		t.Fatalf("the guest read %q, %v", b[:5], err)
	}
	here.Close()
	if _, err := io.ReadAll(conn); err != nil {
		t.Errorf("at the end of the port: %v", err)
	}
}

// Who may not be at the console any more does not stay there.
func TestConsoleEndsWithTheRight(t *testing.T) {
	for name, end := range map[string]func(c *cloud, r *fickle){
		"role":      func(_ *cloud, r *fickle) { r.forbidden.Store(true) },
		"principal": func(c *cloud, _ *fickle) { disable(c) },
		"machine":   func(c *cloud, _ *fickle) { c.expect(200, "DELETE", machine+"?"+version, "") },
	} {
		t.Run(name, func(t *testing.T) {
			rights := &fickle{Rights: armtest.Everyone{}}
			c := withGroup(t, func(conf *api.Config) { conf.Rights, conf.ConsoleCheck = rights, 5*time.Millisecond })
			c.expect(201, "PUT", machine+"?"+version, `{}`)
			here, there := net.Pipe()
			c.guests.port = there
			ws, _, err := websocket.Dial(t.Context(), strings.Replace(c.URL, "https", "wss", 1)+machine+"/console", &websocket.DialOptions{
				HTTPClient: c.Client(), HTTPHeader: http.Header{"Authorization": {"Bearer " + c.token}},
			})
			if err != nil {
				t.Fatal(err)
			}
			conn := websocket.NetConn(t.Context(), ws, websocket.MessageBinary)
			go io.WriteString(here, "login: ")
			b := make([]byte, 7)
			if _, err := io.ReadFull(conn, b); err != nil {
				t.Fatal(err)
			}
			end(c, rights)
			if _, err := io.ReadAll(conn); websocket.CloseStatus(err) != websocket.StatusPolicyViolation {
				t.Errorf("the console ended by %v", err)
			}
			if _, err := io.ReadAll(here); err != nil {
				t.Errorf("the port: %v", err)
			}
		})
	}
}

func disable(c *cloud) {
	_, err := c.store.Update(c.t.Context(), func(tx store.Tx) error {
		p, err := identity.FindPrincipal(c.t.Context(), tx, testClient)
		if err != nil {
			return err
		}
		p.Disabled = true
		return identity.PutPrincipal(c.t.Context(), tx, p)
	})
	if err != nil {
		c.t.Fatal(err)
	}
}

// fickle forbids everything from some time on.
type fickle struct {
	arm.Rights
	forbidden atomic.Bool
}

func (f *fickle) May(p arm.Principal, action string, at arm.ID) bool {
	return !f.forbidden.Load() && f.Rights.May(p, action, at)
}

// Who waits for an operation's end is answered when Serve ends.
func TestServeAnswersWhoWaits(t *testing.T) {
	c := withGroup(t)
	poll := c.expect(201, "PUT", widgets+"/w1?"+version, `{"properties":{"size":1}}`).Header.Get("Azure-AsyncOperation")
	waits := &watched{Store: c.store, began: make(chan struct{})}
	s, err := api.New(t.Context(), api.Config{
		Rights: armtest.Everyone{},
		Store:  waits, Types: c.types, Identity: c.identity, Location: "local", LongPoll: time.Hour,
	})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- s.Serve(ctx, l, &tls.Config{Certificates: c.TLS.Certificates}) }()
	go func() {
		<-waits.began
		cancel()
	}()
	poll = strings.Replace(poll, c.Listener.Addr().String(), l.Addr().String(), 1)
	if got := c.expect(200, "GET", poll, "").json(t)["status"]; got != "InProgress" {
		t.Errorf("status = %v, want InProgress", got)
	}
	if err := <-ended; err != nil {
		t.Errorf("Serve = %v", err)
	}
}

// watched is a store that tells when somebody watches it.
type watched struct {
	store.Store
	began chan struct{}
}

func (w *watched) Watch(ctx context.Context, prefix string, after int64, f func(int64, []store.Event) error) error {
	close(w.began)
	return w.Store.Watch(ctx, prefix, after, f)
}

// Serve ends when its context does, with what streams.
func TestServeEnds(t *testing.T) {
	c := withMachine(t)
	here, there := net.Pipe()
	defer here.Close()
	s, err := api.New(t.Context(), api.Config{
		Rights: armtest.Everyone{},
		Store:  c.store, Types: c.types, Identity: c.identity, Guests: &fakeGuests{there}, Location: "local", Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error)
	go func() { ended <- s.Serve(ctx, l, &tls.Config{Certificates: c.TLS.Certificates}) }()
	ws, _, err := websocket.Dial(t.Context(), "wss://"+l.Addr().String()+machine+"/console", &websocket.DialOptions{
		HTTPClient: c.Client(), HTTPHeader: http.Header{"Authorization": {"Bearer " + c.token}},
	})
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("Serve = %v", err)
	}
	read, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	if _, _, err := ws.Read(read); err == nil {
		t.Error("the console goes on after the end")
	}
}
