package rights

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"

	"lazuli/internal/store"
)

// index is all roles, assignments and locks, ready to be asked. What is in it
// does not change any more: it may be given out.
type index struct {
	mu sync.RWMutex
	// moved is closed, and made anew, when rev grows.
	moved chan struct{}
	rev   int64

	roles map[string]*Role // custom ones, by id
	// byKey is what was read of each key.
	byKey map[string]*Assignment
	// of is each principal's assignments, by scope.
	of    map[string]map[Scope][]*Assignment
	locks map[Scope]map[string]*Lock
}

func newIndex() *index {
	return &index{
		moved: make(chan struct{}), roles: map[string]*Role{}, byKey: map[string]*Assignment{},
		of: map[string]map[Scope][]*Assignment{}, locks: map[Scope]map[string]*Lock{},
	}
}

// apply takes in what changed up to the revision. What cannot be read is left
// out.
func (x *index) apply(rev int64, events []store.Event) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	var errs []error
	for _, e := range events {
		errs = append(errs, x.change(e))
	}
	x.rev = max(x.rev, rev)
	close(x.moved)
	x.moved = make(chan struct{})
	return errors.Join(errs...)
}

func (x *index) change(e store.Event) error {
	switch {
	case strings.HasPrefix(e.Key, rolePrefix):
		return x.changeRole(e)
	case strings.HasPrefix(e.Key, assignmentPrefix):
		return x.changeAssignment(e)
	case strings.HasPrefix(e.Key, lockPrefix):
		return x.changeLock(e)
	}
	return nil
}

func (x *index) changeRole(e store.Event) error {
	id := strings.TrimPrefix(e.Key, rolePrefix)
	if e.Deleted {
		delete(x.roles, id)
		return nil
	}
	r, err := decode[Role](e.Entry)
	if err == nil {
		x.roles[id] = r.compile()
	}
	return err
}

func (x *index) changeAssignment(e store.Event) error {
	if old := x.byKey[e.Key]; old != nil {
		delete(x.byKey, e.Key)
		at := x.of[old.PrincipalID]
		at[old.Scope()] = slices.DeleteFunc(slices.Clone(at[old.Scope()]), func(a *Assignment) bool { return a == old })
		if len(at[old.Scope()]) == 0 {
			delete(at, old.Scope())
		}
		if len(at) == 0 {
			delete(x.of, old.PrincipalID)
		}
	}
	if e.Deleted {
		return nil
	}
	a, err := decode[Assignment](e.Entry)
	if err != nil {
		return err
	}
	x.byKey[e.Key] = a
	if x.of[a.PrincipalID] == nil {
		x.of[a.PrincipalID] = map[Scope][]*Assignment{}
	}
	x.of[a.PrincipalID][a.Scope()] = append(slices.Clone(x.of[a.PrincipalID][a.Scope()]), a)
	return nil
}

func (x *index) changeLock(e store.Event) error {
	at, name, _ := strings.Cut(strings.TrimPrefix(e.Key, lockPrefix), "//")
	if e.Deleted {
		delete(x.locks[Scope(at)], name)
		if len(x.locks[Scope(at)]) == 0 {
			delete(x.locks, Scope(at))
		}
		return nil
	}
	l, err := decode[Lock](e.Entry)
	if err != nil {
		return err
	}
	if x.locks[Scope(at)] == nil {
		x.locks[Scope(at)] = map[string]*Lock{}
	}
	x.locks[Scope(at)][name] = l
	return nil
}

// role finds a role by its id; nil when there is none.
func (x *index) role(id string) *Role {
	if r := builtIn[id]; r != nil {
		return r
	}
	return x.roles[id]
}

// may says whether the principal has the action, in lower case, at the scope.
func (x *index) may(principal, action string, at Scope) bool {
	x.mu.RLock()
	defer x.mu.RUnlock()
	of := x.of[principal]
	if len(of) == 0 {
		return false
	}
	for s := range at.up() {
		if x.anyAllows(of[s], action) {
			return true
		}
	}
	return false
}

// mayWithin says whether the principal has the action somewhere in the scope.
func (x *index) mayWithin(principal, action string, in Scope) bool {
	x.mu.RLock()
	defer x.mu.RUnlock()
	for s, as := range x.of[principal] {
		if (in.covers(s) || s.covers(in)) && x.anyAllows(as, action) {
			return true
		}
	}
	return false
}

func (x *index) anyAllows(as []*Assignment, action string) bool {
	return slices.ContainsFunc(as, func(a *Assignment) bool {
		r := x.role(a.RoleID)
		return r != nil && r.allows(action)
	})
}

// sees says whether the principal has any role in the scope, or above it.
func (x *index) sees(principal string, in Scope) bool {
	x.mu.RLock()
	defer x.mu.RUnlock()
	for s := range x.of[principal] {
		if in.covers(s) || s.covers(in) {
			return true
		}
	}
	return false
}

// locksOver are the locks on the scope and on all that it lies in.
func (x *index) locksOver(at Scope) []*Lock {
	x.mu.RLock()
	defer x.mu.RUnlock()
	if len(x.locks) == 0 {
		return nil
	}
	var out []*Lock
	for s := range at.up() {
		out = append(out, sortedLocks(x.locks[s])...)
	}
	return out
}

func sortedLocks(m map[string]*Lock) []*Lock {
	out := make([]*Lock, 0, len(m))
	for _, name := range slices.Sorted(maps.Keys(m)) {
		out = append(out, m[name])
	}
	return out
}

// assignments are those that take says yes to, by scope and name.
func (x *index) assignments(take func(*Assignment) bool) []*Assignment {
	x.mu.RLock()
	defer x.mu.RUnlock()
	var out []*Assignment
	for _, key := range slices.Sorted(maps.Keys(x.byKey)) {
		if a := x.byKey[key]; take(a) {
			out = append(out, a)
		}
	}
	return out
}

// locksIn are the locks that take says yes to, by scope and name.
func (x *index) locksIn(take func(Scope) bool) []*Lock {
	x.mu.RLock()
	defer x.mu.RUnlock()
	var out []*Lock
	for _, s := range slices.Sorted(maps.Keys(x.locks)) {
		if take(s) {
			out = append(out, sortedLocks(x.locks[s])...)
		}
	}
	return out
}

// customRoles are all roles that are not built in, by id.
func (x *index) customRoles() []*Role {
	x.mu.RLock()
	defer x.mu.RUnlock()
	out := make([]*Role, 0, len(x.roles))
	for _, id := range slices.Sorted(maps.Keys(x.roles)) {
		out = append(out, x.roles[id])
	}
	return out
}

// find is role with the lock held.
func (x *index) find(id string) *Role {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.role(id)
}
