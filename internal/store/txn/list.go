package txn

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"lazuli/internal/store"
)

// List returns what the view holds under prefix, overlaid with the
// transaction's own writes.
func (t *Tx) List(ctx context.Context, prefix string) ([]store.Entry, error) {
	entries, err := t.view.List(ctx, prefix)
	if err != nil {
		return nil, t.note(err)
	}
	t.prefixes[prefix] = true
	for _, e := range entries {
		t.reads[e.Key] = e.Revision
	}
	return t.overlay(entries, prefix), nil
}

func (t *Tx) overlay(entries []store.Entry, prefix string) []store.Entry {
	entries = slices.DeleteFunc(entries, func(e store.Entry) bool {
		_, written := t.writes[e.Key]
		return written
	})
	for key, w := range t.writes {
		if e, err := w.entry(); err == nil && strings.HasPrefix(key, prefix) {
			entries = append(entries, e)
		}
	}
	slices.SortFunc(entries, func(a, b store.Entry) int { return cmp.Compare(a.Key, b.Key) })
	return entries
}
