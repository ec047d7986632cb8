package rights

import (
	"iter"
	"strings"

	"lazuli/internal/arm"
)

// Scope is where a role is assigned or a lock is: the ID of a subscription,
// group or resource in lower case, or "" for the whole cloud.
type Scope string

// ScopeOf is the scope of what has the ID; that of the zero ID is the cloud.
func ScopeOf(id arm.ID) Scope { return Scope(strings.ToLower(shownID(id))) }

// shownID is an ID as clients see it: that of a group is not a resource's.
func shownID(id arm.ID) string {
	if id.Is(arm.GroupType) {
		id = arm.Group(id.Subscription, id.Name())
	}
	return id.String()
}

// shownScope is shownID, but "/" for the cloud.
func shownScope(id arm.ID) string {
	if id.IsZero() {
		return "/"
	}
	return shownID(id)
}

// parseScope reads a scope as clients write it.
func parseScope(s string) (arm.ID, error) {
	if s == "/" {
		return arm.ID{}, nil
	}
	return arm.ParseID(s)
}

// up is the scope and all that it lies in, the cloud last.
func (s Scope) up() iter.Seq[Scope] {
	return func(yield func(Scope) bool) {
		for at, odd := len(s), false; at > 0; at = strings.LastIndexByte(string(s[:at]), '/') {
			if !odd && !yield(s[:at]) {
				return
			}
			odd = !odd
		}
		yield("")
	}
}

// covers says that o is s or lies in it.
func (s Scope) covers(o Scope) bool {
	return strings.HasPrefix(string(o), string(s)) && (len(o) == len(s) || o[len(s)] == '/')
}
