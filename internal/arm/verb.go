package arm

import "net/http"

// Verbs is a set of what can be done to the resources of a type.
type Verbs uint8

// The verbs that a type may be without. Every resource can be read, by GET and
// HEAD.
const (
	CanPut Verbs = 1 << iota
	CanPatch
	CanDelete
	CanList
)

const allVerbs = CanPut | CanPatch | CanDelete | CanList

// Can says whether the type has all of the verbs.
func (t *Type) Can(v Verbs) bool {
	has := t.Verbs
	if has == 0 {
		has = allVerbs
	}
	if t.Created == 0 {
		has &^= CanPut | CanPatch
	}
	return has&v == v
}

// Methods are those of HTTP on a resource of the type.
func (t *Type) Methods() []string {
	all := []string{http.MethodGet, http.MethodHead}
	for _, m := range []struct {
		verb   Verbs
		method string
	}{{CanPut, http.MethodPut}, {CanPatch, http.MethodPatch}, {CanDelete, http.MethodDelete}} {
		if t.Can(m.verb) {
			all = append(all, m.method)
		}
	}
	return all
}

// Polling is how clients learn that an operation has ended.
type Polling uint8

const (
	// PollOperation is by Azure-AsyncOperation, and by Location too where the
	// answer is 202.
	PollOperation Polling = iota
	// PollResult is by Location alone, which answers 202 until the end.
	PollResult
)
