package rights

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"lazuli/internal/arm"
	"lazuli/internal/store"
)

// Assignment gives a role to a principal at a scope and in all that lies in it.
type Assignment struct {
	Name          string    `json:"name"`  // GUID, in lower case
	At            string    `json:"scope"` // as shown
	RoleID        string    `json:"roleId"`
	PrincipalID   string    `json:"principalId"`
	PrincipalType string    `json:"principalType"`
	Description   string    `json:"description,omitempty"`
	CreatedAt     time.Time `json:"createdAt"`
	CreatedBy     string    `json:"createdBy,omitempty"`
	UpdatedAt     time.Time `json:"updatedAt"`
	UpdatedBy     string    `json:"updatedBy,omitempty"`
}

// Scope is where the assignment is.
func (a *Assignment) Scope() Scope {
	if a.At == "/" {
		return ""
	}
	return Scope(strings.ToLower(a.At))
}

// What is kept:
//
//	/rights/role/<guid>                      a custom role
//	/rights/assignment<scope>//<guid>        an assignment
//	/rights/name/<guid>                      the scope of the assignment of the name
//	/rights/lock<scope>//<name>              a lock
const (
	prefix           = "/rights/"
	rolePrefix       = prefix + "role/"
	assignmentPrefix = prefix + "assignment"
	namePrefix       = prefix + "name/"
	lockPrefix       = prefix + "lock"
)

func (a *Assignment) key() string { return assignmentPrefix + string(a.Scope()) + "//" + a.Name }

func putAssignment(tx store.Tx, a *Assignment) error {
	b, err := json.Marshal(a)
	if err != nil {
		return err
	}
	tx.Put(a.key(), b)
	tx.Put(namePrefix+a.Name, []byte(a.Scope()))
	return nil
}

func dropAssignment(tx store.Tx, a *Assignment) {
	tx.Delete(a.key())
	tx.Delete(namePrefix + a.Name)
}

// findAssignment reads the assignment of the name at the scope; nil when there
// is none.
func findAssignment(ctx context.Context, r store.Reader, at Scope, name string) (*Assignment, error) {
	return find[Assignment](ctx, r, (&Assignment{At: string(at), Name: strings.ToLower(name)}).key())
}

// assignmentsAt reads what is assigned at the scope itself.
func assignmentsAt(ctx context.Context, r store.Reader, at Scope) ([]*Assignment, error) {
	return list[Assignment](ctx, r, assignmentPrefix+string(at)+"//")
}

func find[T any](ctx context.Context, r store.Reader, key string) (*T, error) {
	e, err := r.Get(ctx, key)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return decode[T](e)
}

func list[T any](ctx context.Context, r store.Reader, prefix string) ([]*T, error) {
	es, err := r.List(ctx, prefix)
	if err != nil {
		return nil, err
	}
	out := make([]*T, 0, len(es))
	for _, e := range es {
		v, err := decode[T](e)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

func decode[T any](e store.Entry) (*T, error) {
	v := new(T)
	if err := json.Unmarshal(e.Value, v); err != nil {
		return nil, fmt.Errorf("read %s: %w", e.Key, err)
	}
	return v, nil
}

// Drop lets go of the roles that are assigned, and of the locks, on what has
// the ID and in it: it is being deleted for good.
func Drop(ctx context.Context, tx store.Tx, id arm.ID) error {
	at := string(ScopeOf(id))
	assignments, err := list[Assignment](ctx, tx, assignmentPrefix+at+"/")
	if err != nil {
		return err
	}
	for _, a := range assignments {
		dropAssignment(tx, a)
	}
	locks, err := tx.List(ctx, lockPrefix+at+"/")
	for _, e := range locks {
		tx.Delete(e.Key)
	}
	return err
}
