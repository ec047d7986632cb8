package activity

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"lazuli/internal/arm"
	"lazuli/internal/arm/armtest"
	"lazuli/internal/store"
)

// inGroup is the right to see what is in a group.
type inGroup struct {
	armtest.Everyone
	group string
}

func (g inGroup) May(_ arm.Principal, _ string, at arm.ID) bool {
	return strings.EqualFold(at.ResourceGroup, g.group)
}

// list reads all pages, and gives each event's correlation id, in order.
func list(t *testing.T, s store.Store, c arm.Call, query string, limit int) (got []string, pages int) {
	t.Helper()
	c.Store, c.ID, c.Limit, c.Action = s, arm.ID{Subscription: "S"}, limit, "x"
	c.Query = map[string][]string{"$filter": {query}}
	for {
		pages++
		res, err := values(t.Context(), &c, nil)
		if err != nil {
			t.Fatal(err)
		}
		p := res.Body.(arm.Page)
		for _, i := range p.Items {
			got = append(got, i.(*body).CorrelationID)
		}
		if c.After = p.Next; c.After == "" {
			return got, pages
		}
	}
}

func TestValues(t *testing.T) {
	s := newStore(t)
	for i := range 20 {
		e := event(i, at.Add(time.Duration(i)*time.Minute))
		if i%2 == 1 {
			e.Scope = "/subscriptions/s/resourceGroups/other"
		}
		put(t, s, e)
	}
	put(t, s, &arm.Event{ID: "z", Scope: "/subscriptions/t", At: at}, &arm.Event{ID: "y", Scope: "/", At: at})
	between := fmt.Sprintf("eventTimestamp ge '%s' and eventTimestamp le '%s'", at.Add(5*time.Minute).Format(time.RFC3339), at.Add(8*time.Minute).Format(time.RFC3339))
	tests := map[string]struct {
		filter string
		rights arm.Rights
		want   []string
	}{
		"between":           {between, nil, []string{"8", "7", "6", "5"}},
		"of a group":        {between + " and resourceGroupName eq 'other'", nil, []string{"7", "5"}},
		"that one may see":  {between, inGroup{group: "RG"}, []string{"8", "6"}},
		"that one must not": {between, inGroup{group: "x"}, nil},
		"one":               {"correlationId eq '3'", nil, []string{"3"}},
	}
	for name, tt := range tests {
		for _, limit := range []int{1, 3, 250} {
			t.Run(fmt.Sprint(name, " by ", limit), func(t *testing.T) {
				if got, _ := list(t, s, arm.Call{Rights: tt.rights}, tt.filter, limit); !slices.Equal(got, tt.want) {
					t.Errorf("values = %v, want %v", got, tt.want)
				}
			})
		}
	}
	if got, pages := list(t, s, arm.Call{}, "", 7); len(got) != 20 || pages != 3 {
		t.Errorf("%d events on %d pages, want 20 on 3", len(got), pages)
	}
	_, err := values(t.Context(), &arm.Call{Store: s, Query: map[string][]string{"$filter": {"x"}}}, nil)
	armtest.WantError(t, err, "BadRequest")
	res, err := values(t.Context(), &arm.Call{Store: s, Limit: 10}, nil)
	if err != nil || len(res.Body.(arm.Page).Items) != 1 {
		t.Errorf("the cloud's own = %+v, %v", res, err)
	}
}

// A page that finds nothing looks at so much and no more, and says where to go
// on.
func TestScanIsBounded(t *testing.T) {
	s := newStore(t)
	var es []*arm.Event
	for i := range maxScan + 100 {
		es = append(es, event(i, at))
	}
	put(t, s, es...)
	got, pages := list(t, s, arm.Call{}, "caller eq 'nobody'", 250)
	if len(got) != 0 || pages != 2 {
		t.Errorf("%d events on %d pages, want none on 2", len(got), pages)
	}
}

func TestCategories(t *testing.T) {
	for _, e := range Endpoints() {
		if strings.HasSuffix(e.Path, "eventcategories") {
			res, err := e.Handle(t.Context(), &arm.Call{}, nil)
			if err != nil || !slices.Contains(res.Body.(arm.Page).Items, any(said("Administrative"))) {
				t.Errorf("categories = %+v, %v", res, err)
			}
		}
	}
}
