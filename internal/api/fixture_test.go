package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"lazuli/internal/api"
	"lazuli/internal/arm"
	"lazuli/internal/arm/armtest"
	"lazuli/internal/identity"
	"lazuli/internal/identity/oauth"
	"lazuli/internal/resources"
	"lazuli/internal/store"
	"lazuli/internal/store/memory"
)

const (
	testTenant = "99999999-8888-7777-6666-555555555555"
	testSub    = "11111111-2222-3333-4444-555555555555"
	otherSub   = "22222222-2222-3333-4444-555555555555"
	testClient = "33333333-2222-3333-4444-555555555555"
	testSecret = "correct horse"
	version    = "api-version=2025-04-01"
	group      = "/subscriptions/" + testSub + "/resourceGroups/rg1"
	widgets    = group + "/providers/Microsoft.Fake/widgets"
)

// widget is the type of these tests. Its size is made true by nobody, unless
// the test ends the operation; a size of 0 needs nobody.
type widget struct {
	Size  int    `json:"size"`
	Needs arm.ID `json:"needs"`
}

func (w *widget) References() []arm.ID { return []arm.ID{w.Needs} }

type widgetBody struct {
	arm.Header
	Properties widget `json:"properties"`
}

var widgetStore = arm.Collection[widget, struct{}]{Type: "Microsoft.Fake/widgets"}

func widgetProvider(typ string) arm.Provider {
	return &arm.Tracked[widgetBody, widget, struct{}, *widgetBody]{
		Collection: arm.Collection[widget, struct{}]{Type: typ},
		Apply: func(_ context.Context, c *arm.Call, e *arm.Edit[widget, struct{}], b *widgetBody) error {
			switch b.Properties.Size {
			case -1:
				panic("negative widget")
			case -2:
				return errors.New("secret detail")
			case 0:
			default:
				e.Action = "update"
				if e.New() {
					e.Action = "create"
				}
			}
			e.Spec = b.Properties
			return nil
		},
		View: func(_ context.Context, _ *arm.Call, o *arm.Object[widget, struct{}], b *widgetBody) error {
			b.Properties = o.Spec
			return nil
		},
		Remove: func(_ context.Context, _ *arm.Call, o *arm.Object[widget, struct{}]) (bool, error) {
			if o.Spec.Size == 99 {
				return false, arm.Conflict("WidgetInUse", "The widget is in use.")
			}
			return o.Spec.Size > 0, nil
		},
		ShowETag: true,
	}
}

// poke is an action that somebody has to carry out, peek one that is answered
// at once.
func poke(ctx context.Context, c *arm.Call, _ []byte) (arm.Result, error) {
	o, err := widgetStore.Get(ctx, c.Tx, c.ID)
	if err != nil {
		return arm.Result{}, err
	}
	o.Generation++
	op, err := arm.StartOperation(ctx, c.Tx, &o.Meta, c.NewID(), "poke", c.Now)
	if err != nil {
		return arm.Result{}, err
	}
	return arm.Result{Operation: op}, widgetStore.Put(ctx, c.Tx, o)
}

func peek(ctx context.Context, c *arm.Call, body []byte) (arm.Result, error) {
	o, err := arm.Collection[widget, struct{}]{Type: c.ID.Type()}.Get(ctx, c.Tx, c.ID)
	if err != nil {
		return arm.Result{}, err
	}
	return arm.Result{Body: map[string]any{
		"id": c.ID, "body": string(body), "url": c.SignURL(c.ID.String()+"/serialLog", o.UID, time.Minute), "location": c.GroupLocation,
	}}, nil
}

func testTypes() []arm.Type {
	names := arm.NameRule{Pattern: regexp.MustCompile(`^[a-zA-Z0-9-]{1,20}$`), Hint: "1 to 20 letters"}
	actions := map[string]arm.Action{"poke": poke, "peek": peek}
	return append(resources.Types("local"),
		arm.Type{Name: widgetStore.Type, Names: names, Tracked: true, Created: 201, Updated: 200, Provider: widgetProvider(widgetStore.Type), Actions: actions},
		arm.Type{Name: "Microsoft.Fake/widgets/parts", Names: names, Created: 201, Updated: 200, Provider: noParts{}},
		arm.Type{Name: "Microsoft.Fake/tapes", Names: names, Tracked: true, Created: 202, Updated: 202, Provider: &arm.Tracked[widgetBody, widget, struct{}, *widgetBody]{
			Collection: arm.Collection[widget, struct{}]{Type: "Microsoft.Fake/tapes"},
			Apply: func(_ context.Context, _ *arm.Call, e *arm.Edit[widget, struct{}], b *widgetBody) error {
				e.Spec, e.Action = b.Properties, "create"
				return nil
			},
			View:   func(context.Context, *arm.Call, *arm.Object[widget, struct{}], *widgetBody) error { return nil },
			Remove: func(context.Context, *arm.Call, *arm.Object[widget, struct{}]) (bool, error) { return false, nil },
		}},
		arm.Type{Name: "Microsoft.Compute/virtualMachines", Names: names, Tracked: true, Created: 201, Updated: 200, Provider: widgetProvider("Microsoft.Compute/virtualMachines"), Actions: actions},
	)
}

// noParts is a child type that has no resources, ever.
type noParts struct{ arm.Provider }

func (noParts) Get(_ context.Context, c *arm.Call) (arm.Result, error) {
	return arm.Result{}, arm.NotFound(c.ID)
}

func (noParts) List(context.Context, *arm.Call, arm.ID, string, int) ([]any, string, error) {
	return nil, "", nil
}

// cloud is a whole front with a store in memory.
type cloud struct {
	*httptest.Server
	t        *testing.T
	server   *api.Server
	store    store.Store
	identity *identity.Service
	token    string
	guests   *fakeGuests
	types    []arm.Type
}

type fakeGuests struct {
	port io.ReadWriteCloser
}

func (fakeGuests) SerialLog(_ context.Context, vm arm.ID) (io.ReadCloser, error) {
	return io.NopCloser(strings.NewReader("log of " + vm.Name())), nil
}

func (g fakeGuests) Console(context.Context, arm.ID) (io.ReadWriteCloser, error) {
	return g.port, nil
}

func newCloud(t *testing.T, change ...func(*api.Config)) *cloud {
	t.Helper()
	ctx := t.Context()
	st := memory.New(memory.Options{})
	_, err := st.Update(ctx, func(tx store.Tx) error {
		for _, s := range []*arm.Subscription{{ID: testSub, Name: "test", TenantID: testTenant}, {ID: otherSub, Name: "other", TenantID: "another"}} {
			if err := arm.PutSubscription(tx, s); err != nil {
				return err
			}
		}
		return identity.PutPrincipal(ctx, tx, &identity.Principal{
			ClientID: testClient, ObjectID: "o", TenantID: testTenant,
			Secrets: []identity.Secret{{Hash: identity.HashSecret(testSecret)}},
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	ids, err := identity.New(ctx, identity.Config{Store: st, TenantID: testTenant, Hosts: []string{"127.0.0.1", "example.com"}})
	if err != nil {
		t.Fatal(err)
	}
	c := &cloud{t: t, store: st, identity: ids, guests: &fakeGuests{}, types: testTypes()}
	conf := api.Config{
		Store: st, Types: c.types, Endpoints: resources.Endpoints(resources.Config{Location: "local", Types: c.types}),
		Identity: ids, Rights: armtest.Everyone{}, Login: &oauth.Handler{Identity: ids, Logger: slog.New(slog.DiscardHandler)},
		Guests: c.guests, Location: "local", LongPoll: 50 * time.Millisecond,
	}
	for _, f := range change {
		f(&conf)
	}
	s, err := api.New(ctx, conf)
	if err != nil {
		t.Fatal(err)
	}
	c.server = s
	c.Server = httptest.NewTLSServer(s)
	t.Cleanup(func() { c.Close(); st.Close() })
	tok, err := ids.Login(ctx, testClient, testSecret, c.URL, c.Listener.Addr().String(), "")
	if err != nil {
		t.Fatal(err)
	}
	c.token = tok.Raw
	return c
}

// withGroup is a cloud that has the group rg1.
func withGroup(t *testing.T, change ...func(*api.Config)) *cloud {
	c := newCloud(t, change...)
	c.expect(201, "PUT", group+"?"+version, `{"location":"local"}`)
	return c
}

type reply struct {
	*http.Response
	body []byte
}

func (r reply) code() string {
	var b struct{ Error arm.Error }
	_ = json.Unmarshal(r.body, &b)
	return b.Error.Code
}

func (r reply) json(t *testing.T) (m map[string]any) {
	t.Helper()
	if err := json.Unmarshal(r.body, &m); err != nil {
		t.Fatalf("the body %q is not JSON: %v", r.body, err)
	}
	return m
}

// do sends a request with the cloud's token.
func (c *cloud) do(method, path, body string, header ...string) reply {
	c.t.Helper()
	url := path
	if strings.HasPrefix(path, "/") {
		url = c.URL + path
	}
	r, err := http.NewRequestWithContext(c.t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+c.token)
	for i := 0; i+1 < len(header); i += 2 {
		if r.Header.Del(header[i]); header[i+1] != "" {
			r.Header.Set(header[i], header[i+1])
		}
	}
	resp, err := c.Client().Do(r)
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return reply{resp, b}
}

func (c *cloud) expect(status int, method, path, body string, header ...string) reply {
	c.t.Helper()
	r := c.do(method, path, body, header...)
	if r.StatusCode != status {
		c.t.Fatalf("%s %s = %d %s, want %d", method, path, r.StatusCode, r.body, status)
	}
	return r
}

// finish ends all operations that run.
func (c *cloud) finish(failure *arm.Error, result any) {
	c.t.Helper()
	if err := c.end(c.t.Context(), failure, result, func(*arm.Operation) bool { return true }); err != nil {
		c.t.Fatal(err)
	}
}

// finishWidgets ends all operations that run on widgets.
func (c *cloud) finishWidgets(ctx context.Context) {
	err := c.end(ctx, nil, nil, func(op *arm.Operation) bool { return op.Resource.Is(widgetStore.Type) })
	if err != nil && ctx.Err() == nil {
		c.t.Error(err)
	}
}

func (c *cloud) end(ctx context.Context, failure *arm.Error, result any, which func(*arm.Operation) bool) error {
	_, err := c.store.Update(ctx, func(tx store.Tx) error {
		es, err := tx.List(ctx, arm.OperationPrefix)
		if err != nil {
			return err
		}
		for _, e := range es {
			op, err := arm.GetOperation(ctx, tx, strings.TrimPrefix(e.Key, arm.OperationPrefix))
			if err != nil {
				return err
			}
			if op.Done() || !which(op) {
				continue
			}
			if op.Action == "delete" && failure == nil && op.Resource.Is(widgetStore.Type) {
				if err := widgetStore.Delete(ctx, tx, op.Resource); err != nil {
					return err
				}
			}
			if err := arm.FinishOperation(ctx, tx, op.ID, failure, result, time.Now()); err != nil {
				return err
			}
		}
		return nil
	})
	return err
}
