package arm

import (
	"context"
	"strings"

	"lazuli/internal/store"
)

// List reads the resources in scope: a group, a subscription, or everything
// (the zero ID).
func (c Collection[S, T]) List(ctx context.Context, r store.Reader, scope ID) ([]*Object[S, T], error) {
	es, err := r.List(ctx, SpecPrefix(c.Type, scope))
	if err != nil || len(es) == 0 {
		return nil, err
	}
	statuses, err := r.List(ctx, statusPrefix(c.Type, scope))
	if err != nil {
		return nil, err
	}
	return c.decodeAll(ctx, r, es, statuses, false)
}

// Page lists up to limit resources whose keys come after the token after, and
// returns the token of the next page, "" at the end.
func (c Collection[S, T]) Page(ctx context.Context, s store.Store, scope ID, after string, limit int) ([]*Object[S, T], string, error) {
	prefix := SpecPrefix(c.Type, scope)
	es, more, err := page(ctx, s, prefix, after, limit)
	if err != nil || len(es) == 0 {
		return nil, "", err
	}
	// Few have a status that have no spec, so that as many from the same place on
	// are those of the page, or nearly.
	statuses, cut, err := page(ctx, s, statusPrefix(c.Type, scope), after, len(es))
	if err != nil {
		return nil, "", err
	}
	os, err := c.decodeAll(ctx, s, es, statuses, cut)
	next := ""
	if more && len(es) > 0 {
		next = strings.TrimPrefix(es[len(es)-1].Key, prefix)
	}
	return os, next, err
}

func page(ctx context.Context, s store.Store, prefix, after string, limit int) ([]store.Entry, bool, error) {
	if after != "" {
		after = prefix + after
	}
	return s.Page(ctx, prefix, after, limit)
}

// decodeAll reads specs with their statuses, which are in the order of keys too.
// If they were cut short, there may be others after the last of them.
func (c Collection[S, T]) decodeAll(ctx context.Context, r store.Reader, specs, statuses []store.Entry, cut bool) ([]*Object[S, T], error) {
	os := make([]*Object[S, T], 0, len(specs))
	for _, e := range specs {
		key := statusOf(e.Key)
		for len(statuses) > 0 && statuses[0].Key < key {
			statuses = statuses[1:]
		}
		var o *Object[S, T]
		var err error
		switch {
		case len(statuses) > 0 && statuses[0].Key == key:
			o, err = c.decodeBoth(r, e, &statuses[0])
		case len(statuses) == 0 && cut:
			o, err = c.decode(ctx, r, e)
		default:
			o, err = c.decodeBoth(r, e, nil)
		}
		if err != nil {
			return nil, err
		}
		os = append(os, o)
	}
	return os, nil
}
