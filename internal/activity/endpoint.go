package activity

import (
	"context"
	"strings"

	"lazuli/internal/arm"
	"lazuli/internal/store"
)

// maxScan bounds how many events are looked at for one page.
const maxScan = 5000

// Endpoints are the activity log of a subscription, that of the cloud itself,
// and the list of the kinds of events.
func Endpoints() []arm.Endpoint {
	const provider, action = "/providers/Microsoft.Insights/", "Microsoft.Insights/eventtypes/values/read"
	return []arm.Endpoint{
		// One sees the events of what one may see: of a group with a role there.
		{Method: "GET", Path: "/subscriptions/{subscription}" + provider + "eventtypes/management/values", Action: action, Reach: arm.Anyone, Filters: true, Handle: values},
		{Method: "GET", Path: provider + "eventtypes/management/values", Action: action, Filters: true, Handle: values},
		{Method: "GET", Path: provider + "eventcategories", Reach: arm.Anyone, Handle: categories},
	}
}

func categories(context.Context, *arm.Call, map[string]string) (arm.Result, error) {
	var p arm.Page
	for _, c := range []string{"Administrative", "Security", "ServiceHealth", "Alert", "Recommendation", "Policy", "Autoscale", "ResourceHealth"} {
		p.Items = append(p.Items, said(c))
	}
	return arm.Result{Body: p}, nil
}

// values lists events, the newest first.
func values(ctx context.Context, c *arm.Call, _ map[string]string) (arm.Result, error) {
	f, err := parseFilter(c.Query.Get("$filter"))
	if err != nil {
		return arm.Result{}, err
	}
	s := scan{c: c, f: f, prefix: arm.EventKeys(c.ID.Subscription), after: c.After}
	if c.After == "" && !f.to.IsZero() {
		s.after = arm.EventTime(f.to)
	}
	if err := s.run(ctx); err != nil {
		return arm.Result{}, err
	}
	return arm.Result{Body: arm.Page{Items: s.items, Next: s.next}}, nil
}

// scan is one page's way through the events.
type scan struct {
	c      *arm.Call
	f      filter
	prefix string
	after  string // the key below prefix that the scan has come to
	items  []any
	next   string
}

func (s *scan) run(ctx context.Context) error {
	for seen := 0; ; {
		after := s.after
		if after != "" {
			after = s.prefix + after
		}
		es, more, err := s.c.Store.Page(ctx, s.prefix, after, min(s.c.Limit, maxScan-seen))
		if err != nil {
			return err
		}
		for _, e := range es {
			if done, err := s.take(e); done || err != nil {
				return err
			}
		}
		if !more {
			return nil
		}
		if seen += len(es); seen >= maxScan || len(s.items) >= s.c.Limit {
			s.next = s.after
			return nil
		}
	}
}

// take takes in an event; done says that the rest is too old.
func (s *scan) take(entry store.Entry) (done bool, err error) {
	if len(s.items) >= s.c.Limit {
		s.next = s.after
		return true, nil
	}
	s.after = strings.TrimPrefix(entry.Key, s.prefix)
	e, err := arm.DecodeEvent(entry)
	if err != nil {
		return false, err
	}
	if e.At.Before(s.f.from) {
		return true, nil
	}
	scope, _ := arm.ParseID(e.Scope)
	if !s.c.May(s.c.Action, scope) {
		return false, nil
	}
	for _, b := range show(e) {
		if !s.f.takes(&b) {
			continue
		}
		item, err := b.choose(s.c.Query.Get("$select"))
		if err != nil {
			return false, err
		}
		s.items = append(s.items, item)
	}
	return false, nil
}
