package arm_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"lazuli/internal/arm"
	"lazuli/internal/store"
	"lazuli/internal/store/memory"
)

type jar struct{ Size int }

var jars = arm.Collection[jar, jar]{Type: "Microsoft.Shelf/jars"}

// counted is a store that counts what is read of it.
type counted struct {
	store.Store
	gets, ranges int
}

func (c *counted) Get(ctx context.Context, key string) (store.Entry, error) {
	c.gets++
	return c.Store.Get(ctx, key)
}

func (c *counted) List(ctx context.Context, prefix string) ([]store.Entry, error) {
	c.ranges++
	return c.Store.List(ctx, prefix)
}

func (c *counted) Page(ctx context.Context, prefix, after string, limit int) ([]store.Entry, bool, error) {
	c.ranges++
	return c.Store.Page(ctx, prefix, after, limit)
}

func jarID(group string, i int) arm.ID {
	return arm.Group("s", group).Resource(jars.Type, fmt.Sprintf("j%03d", i))
}

// A list reads two ranges, however much is in it and around it, and finds the
// status of each that has one.
func TestListReadsTwoRanges(t *testing.T) {
	tests := map[string]struct {
		n      int
		status func(i int) bool
		orphan int // statuses that no resource has
		gets   int // of pages of 10
	}{
		"nothing":      {n: 0, status: func(int) bool { return true }},
		"all":          {n: 35, status: func(int) bool { return true }},
		"none":         {n: 35, status: func(int) bool { return false }},
		"every other":  {n: 35, status: func(i int) bool { return i%2 == 0 }},
		"with orphans": {n: 35, status: func(int) bool { return true }, orphan: 4, gets: 4},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			st := &counted{Store: memory.New(memory.Options{})}
			defer st.Close()
			put := func(group string, from, to int) {
				if _, err := st.Update(t.Context(), func(tx store.Tx) error {
					for i := from; i < to; i++ {
						id := jarID(group, i)
						if i >= 0 {
							if err := jars.Put(t.Context(), tx, &arm.Object[jar, jar]{Meta: arm.Meta{ID: id}, Spec: jar{i}}); err != nil {
								return err
							}
						}
						if i < 0 || tt.status(i) {
							if err := jars.PutStatus(tx, id, &jar{i + 1}); err != nil {
								return err
							}
						}
					}
					return nil
				}); err != nil {
					t.Fatal(err)
				}
			}
			put("g", -tt.orphan, tt.n)
			put("around", 0, 20)
			var want []string
			for i := range tt.n {
				w := fmt.Sprint(i, 0)
				if tt.status(i) {
					w = fmt.Sprint(i, i+1)
				}
				want = append(want, w)
			}
			show := func(os []*arm.Object[jar, jar]) (all []string) {
				for _, o := range os {
					all = append(all, fmt.Sprint(o.Spec.Size, o.Status.Size))
				}
				return all
			}
			st.gets, st.ranges = 0, 0
			os, err := jars.List(t.Context(), st, arm.Group("s", "g"))
			if diff := cmp.Diff(want, show(os)); err != nil || diff != "" {
				t.Errorf("list: %v: -want +got:\n%s", err, diff)
			}
			if st.gets != 0 || st.ranges > 2 {
				t.Errorf("it read %d keys and %d ranges", st.gets, st.ranges)
			}
			st.gets, st.ranges = 0, 0
			var got []string
			pages := 0
			for after, more := "", true; more; more = after != "" {
				os, next, err := jars.Page(t.Context(), st, arm.Group("s", "g"), after, 10)
				if err != nil || len(os) > 10 || strings.Contains(next, "around") {
					t.Fatalf("page of %d, then %q: %v", len(os), next, err)
				}
				got, after, pages = append(got, show(os)...), next, pages+1
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("pages: -want +got:\n%s", diff)
			}
			if st.gets > tt.gets || st.ranges > 2*pages {
				t.Errorf("%d pages read %d keys and %d ranges", pages, st.gets, st.ranges)
			}
		})
	}
}
