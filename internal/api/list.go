package api

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"lazuli/internal/arm"
)

// pageSize is how many resources one page of a list has, unless $top asks for
// fewer.
const pageSize = 250

// pageBody is the body of a list.
type pageBody struct {
	Value    []any  `json:"value"`
	NextLink string `json:"nextLink,omitempty"`
}

func (s *Server) list(w http.ResponseWriter, q *request) error {
	limit, after, err := q.page(q.target.typ.Filters)
	if err != nil {
		return err
	}
	if err := q.checkShape(); err != nil {
		return err
	}
	var p arm.Page
	err = q.read(func(ctx context.Context, c *arm.Call) error {
		if err := s.checkParent(ctx, c); err != nil {
			return err
		}
		p.Items, p.Next, err = q.target.typ.Provider.List(ctx, c, c.ID, after, limit)
		return err
	})
	if err != nil {
		return err
	}
	return q.reply(w, http.StatusOK, arm.Result{Body: q.pageBody(p)})
}

func (q *request) pageBody(p arm.Page) pageBody {
	if p.Items == nil {
		p.Items = []any{}
	}
	return pageBody{Value: p.Items, NextLink: q.nextLink(p.Next)}
}

// checkParent holds a list of children to a parent that exists.
func (s *Server) checkParent(ctx context.Context, c *arm.Call) error {
	if len(c.ID.Names) == 0 {
		return nil
	}
	parent, _ := s.routes.lookup(c.ID)
	if parent == nil {
		return nil
	}
	_, err := parent.Provider.Get(ctx, c)
	return err
}

// checkShape refuses what asks for more than is shown, or for an order that
// lists do not have.
func (q *request) checkShape() error {
	for value := range strings.SplitSeq(q.query.Get("$expand"), ",") {
		value = strings.TrimSpace(value)
		if value != "" && !slices.ContainsFunc(q.target.typ.Expands, func(known string) bool { return strings.EqualFold(known, value) }) {
			return arm.InvalidParameter("$expand", "The value '%.100s' of parameter $expand is invalid for '%s'. What is supported: '%s'.", value, q.target.typ.Name, strings.Join(q.target.typ.Expands, ", "))
		}
	}
	if order := q.query.Get("$orderby"); order != "" {
		return arm.InvalidParameter("$orderby", "The $orderby '%.100s' is not supported: lists are in the order of names. Leave it out.", order)
	}
	return nil
}

// page reads $top and $skipToken, and refuses a $filter where there is none.
func (q *request) page(filters bool) (limit int, after string, err error) {
	if filter := q.query.Get("$filter"); filter != "" && !filters {
		return 0, "", arm.BadRequest("InvalidFilterInQueryString", "The $filter '%.200s' is not supported: this list cannot be filtered. Leave it out.", filter)
	}
	limit = pageSize
	if top := q.query.Get("$top"); top != "" {
		n, err := strconv.Atoi(top)
		if err != nil || n < 1 {
			return 0, "", arm.BadRequest("InvalidTopParameter", "The value '%.20s' of '$top' is not valid: it must be a number from 1.", top)
		}
		limit = min(n, pageSize)
	}
	if token := q.query.Get("$skiptoken"); token != "" {
		var ok bool
		if after, ok = q.s.sign.open(q.URL.Path, token); !ok {
			return 0, "", arm.BadRequest("InvalidSkipToken", "The value of '$skipToken' is not valid. Use the nextLink of the page before, as it is.")
		}
	}
	return limit, after, nil
}

// nextLink is the URL of the page after the token next.
func (q *request) nextLink(next string) string {
	if next == "" {
		return ""
	}
	v := url.Values{"api-version": {q.version}}
	for name, values := range q.query {
		v[name] = values
	}
	v.Set("$skiptoken", q.s.sign.seal(q.URL.Path, next))
	return q.base + q.URL.EscapedPath() + "?" + v.Encode()
}
