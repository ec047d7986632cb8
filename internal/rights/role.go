package rights

import (
	"slices"
	"strings"
	"time"
)

// Role is a role definition: what somebody who has the role may do.
type Role struct {
	ID          string       `json:"id"` // GUID, in lower case
	Name        string       `json:"name"`
	Description string       `json:"description,omitempty"`
	Permissions []Permission `json:"permissions"`
	// Scopes are those in which a custom role can be assigned, as they were
	// written; built-in roles can be assigned everywhere.
	Scopes    []string  `json:"scopes,omitempty"`
	CreatedAt time.Time `json:"createdAt"`
	CreatedBy string    `json:"createdBy,omitempty"`
	UpdatedAt time.Time `json:"updatedAt"`
	UpdatedBy string    `json:"updatedBy,omitempty"`

	builtIn  bool
	compiled []compiled
}

// Permission is a set of actions: those of Actions without those of
// NotActions. Data actions are kept for clients; nothing here asks for them.
type Permission struct {
	Actions        []string `json:"actions"`
	NotActions     []string `json:"notActions"`
	DataActions    []string `json:"dataActions"`
	NotDataActions []string `json:"notDataActions"`
}

// compiled is a Permission in lower case.
type compiled struct{ yes, no []string }

// compile makes the role ready to be asked.
func (r *Role) compile() *Role {
	r.compiled = make([]compiled, len(r.Permissions))
	for i, p := range r.Permissions {
		r.compiled[i] = compiled{lower(p.Actions), lower(p.NotActions)}
	}
	return r
}

func lower(ss []string) []string {
	out := make([]string, len(ss))
	for i, s := range ss {
		out[i] = strings.ToLower(s)
	}
	return out
}

// allows says whether the role has the action, which is in lower case.
func (r *Role) allows(action string) bool {
	return slices.ContainsFunc(r.compiled, func(c compiled) bool {
		return matchesAny(c.yes, action) && !matchesAny(c.no, action)
	})
}

func matchesAny(patterns []string, action string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return matches(p, action) })
}

// matches says whether a pattern, in which each '*' stands for anything, is of
// the action.
func matches(pattern, action string) bool {
	first, rest, wild := strings.Cut(pattern, "*")
	if !wild {
		return pattern == action
	}
	if !strings.HasPrefix(action, first) {
		return false
	}
	action = action[len(first):]
	for {
		part, after, more := strings.Cut(rest, "*")
		if !more {
			return strings.HasSuffix(action, part)
		}
		i := strings.Index(action, part)
		if i < 0 {
			return false
		}
		action, rest = action[i+len(part):], after
	}
}
