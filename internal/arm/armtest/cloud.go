// Package armtest drives resource types in tests as the API would, without
// HTTP: requests go to the providers of a table of types, in transactions of a
// store in memory.
package armtest

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"lazuli/internal/arm"
	"lazuli/internal/store"
	"lazuli/internal/store/memory"
)

// Subscription, Group and Location are where a Cloud's resources are.
const (
	Subscription = "11111111-2222-3333-4444-555555555555"
	Group        = "rg1"
	Location     = "local"
)

// Start is the time at which a Cloud begins. It goes on by a second with each
// request.
var Start = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// Cloud is a store and the types in it.
type Cloud struct {
	Store store.Store
	// Now is the clock; New sets one that begins at Start and goes a second with
	// each request.
	Now func() time.Time

	t     testing.TB
	types map[string]arm.Type
	calls int
}

// New is a cloud without resources.
func New(t testing.TB, types ...[]arm.Type) *Cloud {
	c := &Cloud{Store: memory.New(memory.Options{}), t: t, types: map[string]arm.Type{}}
	c.Now = func() time.Time { return Start.Add(time.Duration(c.calls) * time.Second) }
	t.Cleanup(func() {
		if err := c.Store.Close(); err != nil {
			t.Error(err)
		}
	})
	for _, table := range types {
		for _, typ := range table {
			c.types[strings.ToLower(typ.Name)] = typ
		}
	}
	return c
}

// ID makes the id of a resource in the cloud's group from what follows
// "/providers/".
func ID(rest string) arm.ID {
	id, err := arm.ParseID("/subscriptions/" + Subscription + "/resourceGroups/" + Group + "/providers/" + rest)
	if err != nil {
		panic(err)
	}
	return id
}

// Request is one request to a provider.
type Request struct {
	Method string // "GET", "PUT", "PATCH", "DELETE" or "POST"
	ID     arm.ID
	Action string // of a POST
	Query  url.Values
	Body   string
	// IfMatch and IfNoneMatch are the headers.
	IfMatch, IfNoneMatch string
}

// Do makes a request.
func (c *Cloud) Do(r Request) (arm.Result, error) {
	typ, ok := c.types[strings.ToLower(r.ID.Type())]
	if !ok {
		c.t.Fatalf("no such type: %s", r.ID.Type())
	}
	if err := typ.Names.Check(r.ID.Name()); err != nil && r.Method == "PUT" {
		return arm.Result{}, err
	}
	var result arm.Result
	err := c.Update(func(call *arm.Call) (err error) {
		call.ID, call.Query, call.IfMatch, call.IfNoneMatch = r.ID, r.Query, r.IfMatch, r.IfNoneMatch
		result, err = do(typ, call, r)
		return err
	})
	return result, err
}

func do(typ arm.Type, call *arm.Call, r Request) (arm.Result, error) {
	ctx := context.Background()
	switch r.Method {
	case "GET":
		return typ.Provider.Get(ctx, call)
	case "PUT":
		return typ.Provider.Put(ctx, call, []byte(r.Body))
	case "PATCH":
		return typ.Provider.Patch(ctx, call, []byte(r.Body))
	case "DELETE":
		return typ.Provider.Delete(ctx, call)
	}
	action, ok := typ.Actions[r.Action]
	if !ok {
		return arm.Result{}, fmt.Errorf("%s has no action %q", typ.Name, r.Action)
	}
	return action(ctx, call, []byte(r.Body))
}

// Update runs f in a transaction, with the call of a request.
func (c *Cloud) Update(f func(call *arm.Call) error) error {
	c.calls++
	_, err := c.Store.Update(context.Background(), func(tx store.Tx) error {
		ids := 0
		return f(&arm.Call{
			Tx: tx, Store: c.Store, GroupLocation: Location, Query: url.Values{},
			Now: c.Now(),
			NewID: func() string {
				ids++
				return fmt.Sprintf("%08x-0000-4000-8000-%012x", c.calls, ids)
			},
			SignURL: func(path, _ string, ttl time.Duration) string {
				return fmt.Sprintf("https://cloud.example%s?for=%s", path, ttl)
			},
		})
	})
	return err
}

// Put makes or changes a resource, which must work.
func (c *Cloud) Put(id arm.ID, body string) arm.Result {
	c.t.Helper()
	return c.must(Request{Method: "PUT", ID: id, Body: body})
}

// Patch changes a resource, which must work.
func (c *Cloud) Patch(id arm.ID, body string) arm.Result {
	c.t.Helper()
	return c.must(Request{Method: "PATCH", ID: id, Body: body})
}

// Get reads a resource, which must work.
func (c *Cloud) Get(id arm.ID) arm.Result {
	c.t.Helper()
	return c.must(Request{Method: "GET", ID: id})
}

// Delete deletes a resource, which must work.
func (c *Cloud) Delete(id arm.ID) arm.Result {
	c.t.Helper()
	return c.must(Request{Method: "DELETE", ID: id})
}

// Post carries out an action, which must work.
func (c *Cloud) Post(id arm.ID, action, body string) arm.Result {
	c.t.Helper()
	return c.must(Request{Method: "POST", ID: id, Action: action, Body: body})
}

func (c *Cloud) must(r Request) arm.Result {
	c.t.Helper()
	result, err := c.Do(r)
	if err != nil {
		c.t.Fatalf("%s %s: %v", r.Method, r.ID, err)
	}
	return result
}

// List reads all resources of type typ in scope, in pages of two.
func (c *Cloud) List(typ string, scope arm.ID) []any {
	c.t.Helper()
	var all []any
	for after := ""; ; {
		items, next, err := c.types[strings.ToLower(typ)].Provider.List(context.Background(), &arm.Call{Store: c.Store, Query: url.Values{}}, scope, after, 2)
		if err != nil {
			c.t.Fatalf("list %s: %v", typ, err)
		}
		all = append(all, items...)
		if after = next; next == "" {
			return all
		}
	}
}

// JSON is body as a client gets it, indented.
func JSON(t testing.TB, body any) string {
	t.Helper()
	b, err := json.MarshalIndent(body, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return string(b) + "\n"
}

// Tree is body as a client reads it: maps, slices and scalars.
func Tree(t testing.TB, body any) (tree any) {
	t.Helper()
	if err := json.Unmarshal([]byte(JSON(t, body)), &tree); err != nil {
		t.Fatal(err)
	}
	return tree
}

// At is what is at path in body, "properties.subnets.0.name"; nil when there
// is no such thing.
func At(t testing.TB, body any, path string) any {
	t.Helper()
	tree := Tree(t, body)
	for name := range strings.SplitSeq(path, ".") {
		switch v := tree.(type) {
		case map[string]any:
			tree = v[name]
		case []any:
			var i int
			if _, err := fmt.Sscan(name, &i); err != nil || i >= len(v) {
				return nil
			}
			tree = v[i]
		default:
			return nil
		}
	}
	return tree
}

// GetPath reads what is at path, with a query, from endpoints.
func (c *Cloud) GetPath(endpoints []arm.Endpoint, path, query string) (result arm.Result, err error) {
	c.t.Helper()
	q, err := url.ParseQuery(query)
	if err != nil {
		c.t.Fatal(err)
	}
	for _, e := range endpoints {
		vars, ok := match(e.Path, path)
		if !ok || e.Method != "GET" {
			continue
		}
		call := &arm.Call{Store: c.Store, Query: q}
		return e.Handle(context.Background(), call, vars)
	}
	c.t.Fatalf("no endpoint serves %s", path)
	return arm.Result{}, nil
}

func match(pattern, path string) (map[string]string, bool) {
	want, got := strings.Split(pattern, "/"), strings.Split(path, "/")
	if len(want) != len(got) {
		return nil, false
	}
	vars := map[string]string{}
	for i := range want {
		if strings.HasPrefix(want[i], "{") {
			vars[strings.Trim(want[i], "{}")] = got[i]
		} else if !strings.EqualFold(want[i], got[i]) {
			return nil, false
		}
	}
	return vars, true
}
