package deploy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"lazuli/internal/arm"
	"lazuli/internal/store"
	"lazuli/internal/store/memory"
)

const (
	sub    = "11111111-2222-3333-4444-555555555555"
	tenant = "99999999-8888-7777-6666-555555555555"
)

var me = arm.Principal{ObjectID: "me", TenantID: tenant, Name: "Me"}

// world is a cloud of things, which take any properties. A thing that is slow
// takes an operation; one with a "fail" of "now" is refused, of "later" fails.
// One that is "under" another cannot go before that.
// Whoever works on the world can die at each of its steps.
type world struct {
	t     testing.TB
	store *memory.Store
	d     *Deployments

	mu    sync.Mutex
	now   time.Time
	puts  []string // names of the things that were PUT, in order
	asked []Request
	ids   int
	// The process dies at the step with the number at.
	steps, at int
	dead      bool
	others    bool // somebody else is at work, who does not die
}

var errDead = errors.New("the process is dead")

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{t: t, now: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)}
	w.store = memory.New(memory.Options{BeforeCommit: func(int64, []string) error { return w.step() }})
	t.Cleanup(func() { w.store.Close() })
	w.boot()
	w.update(func(ctx context.Context, tx store.Tx) error {
		if err := arm.PutSubscription(tx, &arm.Subscription{ID: sub, Name: "one", TenantID: tenant}); err != nil {
			return err
		}
		return w.putGroup(ctx, tx, arm.Group(sub, "rg"))
	})
	return w
}

type groupCollection = arm.Collection[json.RawMessage, json.RawMessage]

func (w *world) putGroup(ctx context.Context, tx store.Tx, id arm.ID) error {
	o := &arm.Object[json.RawMessage, json.RawMessage]{Meta: arm.Meta{ID: arm.GroupID(id.Subscription, id.ResourceGroup), Location: "local"}}
	return groupCollection{Type: arm.GroupType}.Put(ctx, tx, o)
}

// boot is a start of the process: what it knew is gone.
func (w *world) boot() {
	w.d = &Deployments{Store: w.store, Cloud: w, Config: Config{
		Location: "local", Types: []arm.Type{{Name: "Test/things", APIVersions: []string{"2024-01-01"}}},
		Now: func() time.Time { w.mu.Lock(); defer w.mu.Unlock(); return w.now },
	}}
}

// step is one thing done to the world, at which the process may die.
func (w *world) step() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.others {
		return nil
	}
	if w.dead {
		return errDead
	}
	if w.steps++; w.steps == w.at {
		w.dead = true
		return errDead
	}
	return nil
}

func (w *world) update(f func(ctx context.Context, tx store.Tx) error) {
	w.t.Helper()
	w.others = true
	defer func() { w.others = false }()
	if _, err := w.store.Update(w.t.Context(), func(tx store.Tx) error { return f(w.t.Context(), tx) }); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) newID() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ids++
	return fmt.Sprintf("%08d-0000-4000-8000-000000000000", w.ids)
}

// in is the world in one transaction.
type in struct {
	*world
	tx store.Tx
}

func (w *world) Do(ctx context.Context, r Request) (resp *Response, err error) {
	if err := w.step(); err != nil {
		return nil, err
	}
	_, err = w.store.Update(ctx, func(tx store.Tx) error {
		resp, err = in{w, tx}.Do(ctx, r)
		return err
	})
	if err == nil {
		w.mu.Lock()
		w.asked = append(w.asked, r)
		if r.Method == "PUT" {
			w.puts = append(w.puts, r.Path[strings.LastIndexByte(r.Path, '/')+1:])
		}
		w.mu.Unlock()
		err = w.step()
	}
	return resp, err
}

func (w *world) Try(ctx context.Context, f func(Cloud) error) error {
	enough := errors.New("enough")
	_, err := w.store.Update(ctx, func(tx store.Tx) error {
		if err := f(in{w, tx}); err != nil {
			return err
		}
		return enough
	})
	if errors.Is(err, enough) {
		return nil
	}
	return err
}

func (i in) Try(context.Context, func(Cloud) error) error { return errors.New("a trial in a trial") }

func (i in) Do(ctx context.Context, r Request) (*Response, error) {
	if path, ok := strings.CutSuffix(r.Path, "/resources"); ok {
		return i.list(ctx, path)
	}
	path, action := r.Path, ""
	if r.Method == "POST" {
		at := strings.LastIndexByte(path, '/')
		path, action = path[:at], path[at+1:]
	}
	id, err := arm.ParseID(path)
	if err != nil {
		return nil, err
	}
	switch {
	case id.Namespace == "":
		return i.scope(ctx, r, id)
	case id.Is(Type):
		return i.deployment(ctx, r, id, action)
	}
	return i.thing(ctx, r, id)
}

func (i in) scope(ctx context.Context, r Request, id arm.ID) (*Response, error) {
	if r.Method == "PUT" {
		if err := i.putGroup(ctx, i.tx, id); err != nil {
			return nil, err
		}
	}
	f, err := factsOf(ctx, i.tx, id)
	if err != nil {
		return nil, err
	}
	if id.ResourceGroup != "" {
		return &Response{Status: 200, Body: f.ResourceGroup}, nil
	}
	return &Response{Status: 200, Body: f.Subscription}, nil
}

// call is a request as providers see it.
func (i in) call(r Request, id arm.ID) *arm.Call {
	q := url.Values{}
	for k, v := range r.Query {
		q.Set(k, v)
	}
	return &arm.Call{Tx: i.tx, Store: i.store, ID: id, Query: q, Body: r.Body, Principal: r.Principal, Now: i.d.now(), NewID: i.newID}
}

func (i in) deployment(ctx context.Context, r Request, id arm.ID, action string) (*Response, error) {
	c := i.call(r, id)
	var res arm.Result
	var err error
	switch r.Method {
	case "GET":
		res, err = i.d.Get(ctx, c)
	case "PUT":
		if _, err = factsOf(ctx, i.tx, id); err == nil {
			res, err = i.d.Put(ctx, c, r.Body)
		}
	case "DELETE":
		res, err = i.d.Delete(ctx, c)
	case "POST":
		res, err = i.d.Types()[0].Actions[action](ctx, c, r.Body)
	}
	if err != nil {
		return nil, err
	}
	resp := &Response{Status: 200}
	if resp.Body, err = json.Marshal(res.Body); res.Operation != nil {
		resp.Operation = res.Operation.ID
	}
	if res.Created {
		resp.Status = 201
	}
	return resp, err
}

// stored is a thing as it is kept.
type stored struct {
	Properties map[string]any `json:"properties"`
	Operation  string         `json:"operation,omitempty"`
	ManagedBy  string         `json:"managedBy,omitempty"`
}

func thingKey(id arm.ID) string { return "/thing/" + strings.ToLower(id.String()) }

func (i in) thing(ctx context.Context, r Request, id arm.ID) (*Response, error) {
	if _, err := factsOf(ctx, i.tx, id); err != nil {
		return nil, err
	}
	var s stored
	e, err := i.tx.Get(ctx, thingKey(id))
	there := err == nil
	if there {
		if err := json.Unmarshal(e.Value, &s); err != nil {
			return nil, err
		}
	}
	switch {
	case r.Method == "PUT":
		return i.putThing(ctx, r, id, s, there)
	case !there:
		return nil, arm.NotFound(id)
	case r.Method == "DELETE":
		if err := i.stays(ctx, id, s); err != nil {
			return nil, err
		}
		i.tx.Delete(thingKey(id))
		return &Response{Status: 200}, nil
	}
	return i.show(ctx, id, s, 200)
}

// stays refuses to delete a thing that is "under" another that is there.
func (i in) stays(ctx context.Context, id arm.ID, s stored) error {
	over, _ := s.Properties["under"].(string)
	if over == "" {
		return nil
	}
	_, err := i.tx.Get(ctx, thingKey(id.Scope().Resource("Test/things", over)))
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	return errors.Join(err, arm.BadRequest("ThingInUse", "The thing %s is under %s.", id.Name(), over))
}

func (i in) show(ctx context.Context, id arm.ID, s stored, status int) (*Response, error) {
	op, err := arm.GetOperation(ctx, i.tx, s.Operation)
	if err != nil {
		return nil, err
	}
	p := map[string]any{"provisioningState": "Succeeded"}
	if op != nil {
		p["provisioningState"] = string(op.Status)
	}
	for k, v := range s.Properties {
		if k != "password" {
			p[k] = v
		}
	}
	b, err := json.Marshal(map[string]any{"id": id.String(), "name": id.Name(), "type": id.Type(), "properties": p, "managedBy": s.ManagedBy})
	return &Response{Status: status, Body: b}, err
}

func (i in) putThing(ctx context.Context, r Request, id arm.ID, s stored, there bool) (*Response, error) {
	if op, err := arm.GetOperation(ctx, i.tx, s.Operation); err != nil || op != nil && !op.Done() {
		return nil, arm.Conflict("OperationNotAllowed", "The thing %s is busy.", id.Name())
	}
	status := 201
	if there {
		status = 200
	}
	var wants stored
	if err := json.Unmarshal(r.Body, &wants); err != nil {
		return nil, arm.BadRequest("InvalidRequestContent", "%v", err)
	}
	if wants.Properties["fail"] == "now" {
		return nil, arm.BadRequest("ThingRefused", "The thing %s with %v is refused.", id.Name(), wants.Properties)
	}
	if wants.Properties["fail"] == "rights" {
		return nil, arm.StatusError(403, "AuthorizationFailed", "The thing %s is not for you.", id.Name())
	}
	if wants.Properties["fail"] == "conflict" {
		return nil, arm.Conflict("ThingInUse", "The thing %s with %v is in use.", id.Name(), wants.Properties)
	}
	if wants.Properties["slow"] != true {
		b, err := json.Marshal(wants)
		if err != nil {
			return nil, err
		}
		i.tx.Put(thingKey(id), b)
		return i.show(ctx, id, wants, status)
	}
	wants.Operation = i.newID()
	op := &arm.Operation{ID: wants.Operation, Resource: id, Action: "create", Status: arm.InProgress, StartedAt: i.d.now()}
	if err := arm.PutOperation(i.tx, op); err != nil {
		return nil, err
	}
	b, err := json.Marshal(wants)
	if err != nil {
		return nil, err
	}
	i.tx.Put(thingKey(id), b)
	resp, err := i.show(ctx, id, wants, status)
	if err == nil {
		resp.Operation = op.ID
	}
	return resp, err
}

func (i in) list(ctx context.Context, path string) (*Response, error) {
	es, err := i.tx.List(ctx, "/thing/"+strings.ToLower(path)+"/")
	if err != nil {
		return nil, err
	}
	page := struct {
		Value []found `json:"value"`
	}{Value: []found{}}
	for _, e := range es {
		id, err := arm.ParseID(strings.TrimPrefix(e.Key, "/thing/"))
		if err != nil {
			return nil, err
		}
		page.Value = append(page.Value, found{id.String(), id.Name(), id.Type()})
	}
	b, err := json.Marshal(page)
	return &Response{Status: 200, Body: b}, err
}

// endSlow ends what things are busy with. It is no part of the process that dies.
func (w *world) endSlow() {
	w.t.Helper()
	ctx := w.t.Context()
	es, err := w.store.List(ctx, arm.OperationPrefix)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, e := range es {
		op, err := arm.GetOperation(ctx, w.store, strings.TrimPrefix(e.Key, arm.OperationPrefix))
		if err != nil {
			w.t.Fatal(err)
		}
		if op.Done() || op.Resource.Is(Type) {
			continue
		}
		w.update(func(ctx context.Context, tx store.Tx) error {
			var s stored
			e, err := tx.Get(ctx, thingKey(op.Resource))
			if err == nil {
				err = json.Unmarshal(e.Value, &s)
			}
			if err != nil {
				return err
			}
			var failure *arm.Error
			if s.Properties["fail"] == "later" {
				failure = arm.Conflict("ThingBroken", "The thing %s broke.", op.Resource.Name())
			}
			return arm.FinishOperation(ctx, tx, op.ID, failure, nil, w.now)
		})
	}
}

// deploymentID names a deployment in the group rg.
func deploymentID(name string) arm.ID { return arm.Group(sub, "rg").Resource(Type, name) }

// body is that of a deployment.
func deploymentBody(template, parameters string) string {
	if parameters == "" {
		parameters = "{}"
	}
	return `{"properties": {"mode": "Incremental", "parameters": ` + parameters + `, template: ` + template + `}}`
}

// ask makes a request and returns its error's code, or "".
func (w *world) ask(method, path, body string) (*Response, string) {
	w.t.Helper()
	resp, err := w.Do(w.t.Context(), Request{Principal: me, Method: method, Path: path, APIVersion: "2024-01-01", Body: []byte(body)})
	if ae, ok := errors.AsType[*arm.Error](err); ok {
		return nil, ae.Code
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return resp, ""
}

// begin begins a deployment that is taken.
func (w *world) begin(id arm.ID, body string) {
	w.t.Helper()
	_, err := w.Do(w.t.Context(), Request{Principal: me, Method: "PUT", Path: id.String(), APIVersion: "2024-01-01", Body: []byte(body)})
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) find(id arm.ID) *object {
	w.t.Helper()
	o, err := deployments.Find(w.t.Context(), w.store, id)
	if err != nil {
		w.t.Fatal(err)
	}
	return o
}

// pass has all deployments looked at once, and says whether the process lives.
func (w *world) pass() bool {
	w.t.Helper()
	all, err := deployments.List(w.t.Context(), w.store, arm.ID{})
	if err != nil {
		w.t.Fatal(err)
	}
	for _, o := range all {
		if _, err := w.d.Reconcile(w.t.Context(), o.ID); errors.Is(err, errDead) {
			return false
		} else if err != nil {
			w.t.Fatal(err)
		}
	}
	return true
}

// settle goes on until the deployment has ended, or the process has died.
func (w *world) settle(id arm.ID) *object {
	w.t.Helper()
	for range 200 {
		if !w.pass() {
			return nil
		}
		if o := w.find(id); o == nil || o.Status.ended() {
			return o
		}
		w.endSlow()
		w.mu.Lock()
		w.now = w.now.Add(time.Second)
		w.mu.Unlock()
	}
	w.t.Fatalf("%s does not end", id)
	return nil
}

// deployed makes a deployment and holds it to how it ends.
func (w *world) deployed(name, body, state string) *object {
	w.t.Helper()
	w.begin(deploymentID(name), body)
	o := w.settle(deploymentID(name))
	if o.Status.State != state {
		w.t.Fatalf("%s came to %s %+v, want %s", name, o.Status.State, o.Status.Error, state)
	}
	return o
}

// things are the names of all that is there.
func (w *world) things() []string {
	w.t.Helper()
	es, err := w.store.List(w.t.Context(), "/thing/")
	if err != nil {
		w.t.Fatal(err)
	}
	var names []string
	for _, e := range es {
		names = append(names, e.Key[strings.LastIndexByte(e.Key, '/')+1:])
	}
	slices.Sort(names)
	return names
}

// secretsLeft are the keys of secrets.
func (w *world) secretsLeft() []string {
	w.t.Helper()
	es, err := w.store.List(w.t.Context(), "/secret/")
	if err != nil {
		w.t.Fatal(err)
	}
	var keys []string
	for _, e := range es {
		keys = append(keys, e.Key)
	}
	return keys
}

// deleteGroup notes that the group rg is being deleted.
func (w *world) deleteGroup() {
	w.update(func(ctx context.Context, tx store.Tx) error {
		o, err := groupCollection{Type: arm.GroupType}.Get(ctx, tx, arm.GroupID(sub, "rg"))
		if err != nil {
			return err
		}
		o.DeletingAt = &w.now
		return groupCollection{Type: arm.GroupType}.Put(ctx, tx, o)
	})
}
