package arm

import (
	"context"
	"strings"

	"lazuli/internal/store"
)

// Linked reads the resource that id names, which the resource of m refers to in
// its property target. Both must be in one subscription and location. A zero
// id gives nil.
func Linked[S, T any](ctx context.Context, r store.Reader, in Collection[S, T], m *Meta, target string, id ID) (*Object[S, T], error) {
	if id.IsZero() {
		return nil, nil
	}
	if err := CheckLink(m, target, id, in.Type); err != nil {
		return nil, err
	}
	o, err := in.Find(ctx, r, id)
	if err != nil {
		return nil, err
	}
	if o == nil || o.Deleting() || o.Location != m.Location {
		return nil, BrokenLink(m, target, id)
	}
	return o, nil
}

// CheckLink says whether id, which the resource of m refers to in its property
// target, may be one: it is of type typ and in the subscription of m.
func CheckLink(m *Meta, target string, id ID, typ string) error {
	if !id.Is(typ) {
		return BadRequest("LinkedInvalidPropertyId", "'%s' in property '%s' is not the id of a resource of type '%s'.", id, target, typ).At(target)
	}
	if !strings.EqualFold(id.Subscription, m.ID.Subscription) {
		return BadRequest("LinkedInvalidPropertyId", "'%s' in property '%s' is in another subscription than the resource '%s' itself.", id, target, m.ID.Name()).At(target)
	}
	return nil
}

// BrokenLink is the 400 for a reference to what does not exist.
func BrokenLink(m *Meta, target string, id ID) *Error {
	return BadRequest("InvalidResourceReference", "Resource %s referenced by resource %s was not found. Make sure that the referenced resource exists, and that both resources are in the same location.", id, m.ID).At(target)
}
