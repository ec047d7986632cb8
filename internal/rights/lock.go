package rights

import (
	"encoding/json"
	"strings"

	"lazuli/internal/store"
)

// Level says what a lock forbids.
type Level string

// The levels of locks.
const (
	CanNotDelete Level = "CanNotDelete"
	ReadOnly     Level = "ReadOnly"
)

// Lock keeps what it is on, and all that lies in it, from being deleted, or
// from being changed at all.
type Lock struct {
	Name  string `json:"name"`
	At    string `json:"scope"` // as shown
	Level Level  `json:"level"`
	Notes string `json:"notes,omitempty"`
}

// Scope is what the lock is on.
func (l *Lock) Scope() Scope { return Scope(strings.ToLower(l.At)) }

func (l *Lock) key() string { return lockKey(l.Scope(), l.Name) }

func lockKey(at Scope, name string) string {
	return lockPrefix + string(at) + "//" + strings.ToLower(name)
}

func putLock(tx store.Tx, l *Lock) error {
	b, err := json.Marshal(l)
	if err != nil {
		return err
	}
	tx.Put(l.key(), b)
	return nil
}
