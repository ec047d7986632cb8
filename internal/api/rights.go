package api

import (
	"cmp"
	"net/http"
	"strings"

	"lazuli/internal/arm"
)

// need is the right that a request takes, and where one has to have it.
type need struct {
	action string
	reach  arm.Reach
}

// needOf is the right that it takes to have h serve the request. What a
// resource's verbs and lists take follows from the type.
func (q *request) needOf(h handler) need {
	t := q.target
	if h.action != "" || h.reach != arm.AtScope {
		return need{h.action, h.reach}
	}
	typ := t.id.Type()
	if t.typ != nil {
		typ = t.typ.Name
	}
	if q.Method == http.MethodPost {
		typ += q.URL.Path[strings.LastIndexByte(strings.TrimRight(q.URL.Path, "/"), '/'):]
	}
	n := need{action: arm.ActionOf(q.Method, strings.TrimRight(typ, "/"))}
	if strings.EqualFold(typ, arm.GroupType) && len(t.id.Names) == 0 {
		n.reach = arm.Anyone // the list shows which groups one sees
	}
	return n
}

// authorise holds the request to the rights of who makes it.
func (q *request) authorise(c *arm.Call) error {
	c.Rights, c.Action = q.s.Rights, q.need.action
	may, at := false, c.ID
	switch subscription := (arm.ID{Subscription: c.ID.Subscription}); q.need.reach {
	case arm.Anyone:
		may, at = subscription.IsZero() || c.Sees(subscription), subscription
	case arm.WithinScope:
		may, at = q.s.Rights.MayWithin(q.principal, q.need.action, subscription), subscription
	default:
		may = c.May(q.need.action, c.ID)
	}
	if may {
		return nil
	}
	return arm.Forbidden(q.principal, cmp.Or(q.need.action, "Microsoft.Resources/subscriptions/read"), at)
}
