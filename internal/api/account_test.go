package api_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"

	"lazuli/internal/api"
	"lazuli/internal/arm"
	"lazuli/internal/arm/armtest"
	"lazuli/internal/store"
)

// recorder keeps what it is given to keep.
type recorder struct {
	mu sync.Mutex
	es []*arm.Event
}

func (r *recorder) Record(e *arm.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.es = append(r.es, e)
}

// readers may read.
type readers struct{ armtest.Everyone }

func (readers) May(_ arm.Principal, action string, _ arm.ID) bool {
	return strings.HasSuffix(action, "/read")
}

// locked is a cloud in which everything is locked.
type locked struct{ armtest.Everyone }

func (locked) CheckLocks(_ context.Context, _ store.Reader, action string, _ arm.ID) error {
	if strings.HasSuffix(action, "/read") {
		return nil
	}
	return arm.Conflict("ScopeLocked", "It is locked.")
}

// events are those in the store and those recorded: "<action> <status> <code>".
func (c *cloud) events(r *recorder) (stored, recorded []string) {
	c.t.Helper()
	say := func(e *arm.Event) string {
		return strings.TrimSpace(e.Action + " " + string(e.Status) + " " + e.Code)
	}
	es, err := c.store.List(c.t.Context(), arm.EventPrefix)
	if err != nil {
		c.t.Fatal(err)
	}
	for _, entry := range es {
		e, err := arm.DecodeEvent(entry)
		if err != nil {
			c.t.Fatal(err)
		}
		if e.Principal.ObjectID != "o" || e.Address != "127.0.0.1" || !strings.HasPrefix(e.URI, c.URL) || e.Method == "" {
			c.t.Errorf("the event %+v is not of who did it", e)
		}
		stored = append(stored, say(e))
	}
	slices.Reverse(stored) // the oldest first
	for _, e := range r.es {
		recorded = append(recorded, say(e))
	}
	return stored, recorded
}

func TestAccount(t *testing.T) {
	const groups, widget = "Microsoft.Resources/subscriptions/resourceGroups/", "Microsoft.Fake/widgets/"
	tests := map[string]struct {
		rights           arm.Rights
		method, path     string
		body             string
		status           int
		stored, recorded []string
	}{
		"made":           {armtest.Everyone{}, "PUT", widgets + "/w2", `{"properties":{"size":0}}`, 201, []string{widget + "write Succeeded"}, nil},
		"begun":          {armtest.Everyone{}, "PUT", widgets + "/w2", `{"properties":{"size":1}}`, 201, []string{widget + "write Accepted"}, nil},
		"the same":       {armtest.Everyone{}, "PUT", widgets + "/w1", `{"properties":{"size":0}}`, 200, nil, []string{widget + "write Succeeded"}},
		"changed":        {armtest.Everyone{}, "PATCH", widgets + "/w1", `{"tags":{"a":"b"}}`, 200, []string{widget + "write Succeeded"}, nil},
		"deleted":        {armtest.Everyone{}, "DELETE", widgets + "/w1", "", 200, []string{widget + "delete Succeeded"}, nil},
		"not there":      {armtest.Everyone{}, "DELETE", widgets + "/w9", "", 204, nil, nil},
		"an action":      {armtest.Everyone{}, "POST", widgets + "/w1/poke", "", 202, []string{widget + "poke/action Accepted"}, nil},
		"looked at":      {armtest.Everyone{}, "POST", widgets + "/w1/PEEK", "", 200, nil, []string{widget + "PEEK/action Succeeded"}},
		"read":           {armtest.Everyone{}, "GET", widgets + "/w1", "", 200, nil, nil},
		"bad":            {armtest.Everyone{}, "PUT", widgets + "/w2", `{"properties":{"colour":"red"}}`, 400, nil, []string{widget + "write Failed UnsupportedProperty"}},
		"broken":         {armtest.Everyone{}, "PUT", widgets + "/w2", `{"properties":{"size":-2}}`, 500, nil, []string{widget + "write Failed InternalServerError"}},
		"no group":       {armtest.Everyone{}, "DELETE", group + "0/providers/Microsoft.Fake/widgets/w", "", 404, nil, []string{widget + "delete Failed ResourceGroupNotFound"}},
		"no sub":         {armtest.Everyone{}, "DELETE", "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/g", "", 404, nil, nil},
		"denied":         {readers{}, "DELETE", group, "", 403, nil, []string{groups + "delete Failed AuthorizationFailed"}},
		"denied action":  {readers{}, "POST", widgets + "/w1/poke", "", 403, nil, []string{widget + "poke/action Failed AuthorizationFailed"}},
		"may be read":    {readers{}, "GET", widgets + "/w1", "", 200, nil, nil},
		"locked":         {locked{}, "PATCH", widgets + "/w1", `{}`, 409, nil, []string{widget + "write Failed ScopeLocked"}},
		"locked, a read": {locked{}, "GET", widgets + "/w1", "", 200, nil, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			rights, kept := arm.Rights(armtest.Everyone{}), &recorder{}
			c := withGroup(t, func(c *api.Config) { c.Rights, c.Activity = switching{&rights}, kept })
			c.expect(201, "PUT", widgets+"/w1?"+version, `{"properties":{"size":0}}`)
			before, _ := c.events(kept)
			rights = tt.rights
			c.expect(tt.status, tt.method, tt.path+"?"+version, tt.body)
			stored, recorded := c.events(kept)
			if stored = stored[len(before):]; !slices.Equal(stored, tt.stored) || !slices.Equal(recorded, tt.recorded) {
				t.Errorf("stored are %q, want %q; recorded are %q, want %q", stored, tt.stored, recorded, tt.recorded)
			}
		})
	}
}

// switching are rights that change.
type switching struct{ to *arm.Rights }

func (s switching) May(p arm.Principal, action string, at arm.ID) bool {
	return (*s.to).May(p, action, at)
}

func (s switching) MayWithin(p arm.Principal, action string, in arm.ID) bool {
	return (*s.to).MayWithin(p, action, in)
}

func (s switching) Sees(p arm.Principal, in arm.ID) bool { return (*s.to).Sees(p, in) }

func (s switching) CheckLocks(ctx context.Context, tx store.Reader, action string, id arm.ID) error {
	return (*s.to).CheckLocks(ctx, tx, action, id)
}

func (s switching) Drop(ctx context.Context, tx store.Tx, id arm.ID) error {
	return (*s.to).Drop(ctx, tx, id)
}

// Who asked for an operation may see how it goes, though he may read nothing.
func TestPollOfWhoAsked(t *testing.T) {
	rights, kept := arm.Rights(armtest.Everyone{}), &recorder{}
	c := withGroup(t, func(c *api.Config) { c.Rights, c.Activity = switching{&rights}, kept })
	poll := c.expect(201, "PUT", widgets+"/w1?"+version, `{"properties":{"size":1}}`).Header.Get("Azure-AsyncOperation")
	rights = nothing{}
	c.expect(200, "GET", poll, "")
	c.update(func(tx store.Tx) error {
		es, err := tx.List(t.Context(), arm.OperationPrefix)
		for _, e := range es {
			op, _ := arm.GetOperation(t.Context(), tx, strings.TrimPrefix(e.Key, arm.OperationPrefix))
			op.Cause.Principal.ObjectID = "another"
			err = arm.PutOperation(tx, op)
		}
		return err
	})
	if r := c.expect(403, "GET", poll, ""); r.code() != "AuthorizationFailed" {
		t.Errorf("the poll of another's operation = %s", r.code())
	}
	c.expect(200, "GET", "/subscriptions?"+version, "")
}

// nothing may be done, but everything is known to be there.
type nothing struct{ armtest.Everyone }

func (nothing) May(arm.Principal, string, arm.ID) bool { return false }

func (c *cloud) update(f func(tx store.Tx) error) {
	c.t.Helper()
	if _, err := c.store.Update(c.t.Context(), f); err != nil {
		c.t.Fatal(err)
	}
}
