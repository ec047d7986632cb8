package rights

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"testing"
	"time"

	"go.uber.org/goleak"

	"lazuli/internal/arm"
	"lazuli/internal/store"
	"lazuli/internal/store/memory"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	sub   = "11111111-2222-3333-4444-555555555555"
	admin = "aaaaaaaa-0000-0000-0000-000000000001"
	alice = "aaaaaaaa-0000-0000-0000-000000000002"
	bob   = "aaaaaaaa-0000-0000-0000-000000000003"
	one   = "bbbbbbbb-0000-0000-0000-000000000001"
	two   = "bbbbbbbb-0000-0000-0000-000000000002"
	three = "bbbbbbbb-0000-0000-0000-000000000003"

	readVM   = "Microsoft.Compute/virtualMachines/read"
	writeVM  = "Microsoft.Compute/virtualMachines/write"
	deleteVM = "Microsoft.Compute/virtualMachines/delete"
)

var (
	now   = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	subID = arm.ID{Subscription: sub}
	group = arm.Group(sub, "g")
	vm    = group.Resource("Microsoft.Compute/virtualMachines", "vm")
	other = arm.Group(sub, "h").Resource("Microsoft.Compute/virtualMachines", "vm")
)

type cloud struct {
	*Store
	t     testing.TB
	types map[string]arm.Provider
	under *memory.Store
}

// newCloud has a subscription with the group g, and the administrator.
func newCloud(t testing.TB) *cloud {
	t.Helper()
	under := memory.New(memory.Options{})
	s, err := Open(t.Context(), under, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	c := &cloud{Store: s, t: t, types: map[string]arm.Provider{}, under: under}
	for _, typ := range Types(Config{Rights: s, Principal: c.kind}) {
		c.types[typ.Name] = typ.Provider
	}
	c.update(func(tx store.Tx) error {
		groups := arm.Collection[struct{}, struct{}]{Type: arm.GroupType}
		o := &arm.Object[struct{}, struct{}]{Meta: arm.Meta{ID: arm.GroupID(sub, "g")}}
		return errors.Join(arm.PutSubscription(tx, &arm.Subscription{ID: sub, TenantID: "t"}), groups.Put(t.Context(), tx, o))
	})
	if err := EnsureAdministrator(t.Context(), s, Assignment{Name: "root", PrincipalID: admin}); err != nil {
		t.Fatal(err)
	}
	return c
}

func (*cloud) kind(_ context.Context, _ store.Reader, id string) (string, error) {
	switch id {
	case admin:
		return arm.KindServicePrincipal, nil
	case alice, bob:
		return arm.KindUser, nil
	}
	return "", nil
}

func (c *cloud) update(f func(tx store.Tx) error) {
	c.t.Helper()
	if _, err := c.Update(c.t.Context(), f); err != nil {
		c.t.Fatal(err)
	}
}

// as runs f for a principal, in a transaction.
func (c *cloud) as(who string, id arm.ID, f func(*arm.Call) (arm.Result, error)) (res arm.Result, err error) {
	_, err = c.Update(c.t.Context(), func(tx store.Tx) error {
		res, err = f(&arm.Call{
			Tx: tx, Store: c.Store, ID: id, Now: now, Rights: c.Store,
			Principal: arm.Principal{ObjectID: who, TenantID: "t"}, Query: map[string][]string{},
		})
		return err
	})
	return res, err
}

func (c *cloud) put(who string, id arm.ID, body any) (arm.Result, error) {
	b, err := json.Marshal(body)
	if err != nil {
		c.t.Fatal(err)
	}
	return c.as(who, id, func(call *arm.Call) (arm.Result, error) {
		return c.types[id.Type()].Put(c.t.Context(), call, b)
	})
}

func (c *cloud) delete(id arm.ID) (arm.Result, error) {
	return c.as(admin, id, func(call *arm.Call) (arm.Result, error) {
		return c.types[id.Type()].Delete(c.t.Context(), call)
	})
}

// list is the names of what a list shows.
func (c *cloud) list(typ string, at arm.ID, filter string) (names []string, err error) {
	after := ""
	for {
		call := &arm.Call{Tx: nil, Store: c.Store, ID: at, Query: map[string][]string{"$filter": {filter}}, Principal: arm.Principal{ObjectID: admin}}
		items, next, err := c.types[typ].List(c.t.Context(), call, at, after, 3)
		if err != nil {
			return nil, err
		}
		for _, i := range items {
			switch b := i.(type) {
			case roleBody:
				names = append(names, b.Properties.RoleName)
			case assignmentBody:
				names = append(names, b.Name)
			case lockBody:
				names = append(names, b.Name)
			}
		}
		if after = next; next == "" {
			return names, nil
		}
	}
}

type object = map[string]any

func gives(role, to string) object {
	return object{"properties": object{"roleDefinitionId": "/subscriptions/" + sub + "/providers/" + RoleType + "/" + role, "principalId": to}}
}

// assign gives a role, and fails the test if that is refused.
func (c *cloud) assign(name string, at arm.ID, role, to string) {
	c.t.Helper()
	if _, err := c.put(admin, at.Extension(AssignmentType, name), gives(role, to)); err != nil {
		c.t.Fatal(err)
	}
}

func (c *cloud) lock(name string, at arm.ID, level Level) {
	c.t.Helper()
	if _, err := c.put(admin, at.Extension(LockType, name), object{"properties": object{"level": level}}); err != nil {
		c.t.Fatal(err)
	}
}

func (c *cloud) may(who, action string, at arm.ID) bool {
	return c.May(arm.Principal{ObjectID: who}, action, at)
}
