package rights

import (
	"context"
	"strings"

	"lazuli/internal/arm"
)

// maxLocks bounds the locks on one thing, as Azure does.
const maxLocks = 20

type lockProvider struct {
	noneProvider // it has no PATCH
	Config
}

type lockBody struct {
	ID         string         `json:"id,omitempty" arm:"readonly"`
	Name       string         `json:"name,omitempty" arm:"readonly"`
	Type       string         `json:"type,omitempty" arm:"readonly"`
	Properties lockProperties `json:"properties"`

	_ struct{} `arm:"readonly=systemData"`
}

type lockProperties struct {
	Level string `json:"level"`
	Notes string `json:"notes,omitempty"`
}

func showLock(l *Lock) lockBody {
	return lockBody{
		ID: l.At + "/providers/" + LockType + "/" + l.Name, Name: l.Name, Type: LockType,
		Properties: lockProperties{Level: string(l.Level), Notes: l.Notes},
	}
}

func (p lockProvider) Get(ctx context.Context, c *arm.Call) (arm.Result, error) {
	l, err := p.find(ctx, c)
	if err != nil {
		return arm.Result{}, err
	}
	return arm.Result{Body: showLock(l)}, nil
}

func (lockProvider) find(ctx context.Context, c *arm.Call) (*Lock, error) {
	l, err := find[Lock](ctx, c.Reader(), lockKey(ScopeOf(c.ID.Base()), c.ID.Name()))
	if err == nil && l == nil {
		err = arm.StatusError(404, "LockNotFound", "The lock '%s' could not be found.", c.ID.Name())
	}
	return l, err
}

// List lists the locks on the scope, above it and in it.
func (p lockProvider) List(_ context.Context, c *arm.Call, at arm.ID, after string, limit int) ([]any, string, error) {
	f, err := parseFilter(c.Query.Get("$filter"), "atScope()", "")
	if err != nil {
		return nil, "", err
	}
	scope := ScopeOf(at)
	all := p.Rights.x.locksIn(func(own Scope) bool {
		return own.covers(scope) || !f.calls("atscope") && scope.covers(own)
	})
	some, next := page(all, (*Lock).key, after, limit)
	out := make([]any, len(some))
	for i, l := range some {
		out[i] = showLock(l)
	}
	return out, next, nil
}

func (p lockProvider) Put(ctx context.Context, c *arm.Call, body []byte) (arm.Result, error) {
	var b lockBody
	if err := arm.Decode(body, &b); err != nil {
		return arm.Result{}, err
	}
	l := &Lock{Name: c.ID.Name(), At: shownScope(c.ID.Base()), Notes: b.Properties.Notes}
	for _, level := range []Level{CanNotDelete, ReadOnly} {
		if strings.EqualFold(b.Properties.Level, string(level)) {
			l.Level = level
		}
	}
	if l.Level == "" {
		return arm.Result{}, arm.BadRequest("LockLevelInvalid", "The level '%.40s' of the lock is not valid: it must be 'CanNotDelete' or 'ReadOnly'.", b.Properties.Level).At("properties.level")
	}
	if len(l.Notes) > 512 {
		return arm.Result{}, arm.InvalidParameter("properties.notes", "The notes are longer than 512 characters.")
	}
	others, err := list[Lock](ctx, c.Tx, lockPrefix+string(l.Scope())+"//")
	if err != nil {
		return arm.Result{}, err
	}
	isNew := true
	for _, o := range others {
		if strings.EqualFold(o.Name, l.Name) {
			l.Name, isNew = o.Name, false
		}
	}
	if isNew && len(others) >= maxLocks {
		return arm.Result{}, arm.BadRequest("MaximumLockCountReached", "There are %d locks on '%s' already. Delete one first.", len(others), l.At)
	}
	return arm.Result{Body: showLock(l), Created: isNew}, putLock(c.Tx, l)
}

func (p lockProvider) Delete(ctx context.Context, c *arm.Call) (arm.Result, error) {
	l, err := p.find(ctx, c)
	if err != nil {
		return arm.Result{}, err
	}
	c.Tx.Delete(l.key())
	return arm.Result{}, nil
}
