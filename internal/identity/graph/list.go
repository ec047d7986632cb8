package graph

import (
	"encoding/json"
	"net/url"
	"strconv"
	"strings"

	"lazuli/internal/identity"
)

// Limits on pages; Graph's.
const (
	defaultTop = 100
	maxTop     = 999
)

// list is the body of a list.
type list struct {
	Context  string `json:"@odata.context"`
	NextLink string `json:"@odata.nextLink,omitempty"`
	Value    []any  `json:"value"`
}

// kind is a kind of object that is listed.
type kind struct {
	name       string // the segment of its path
	has        func(p *identity.Principal) bool
	properties map[string]func(p *identity.Principal) []string // by name in lower case
	show       func(p *identity.Principal) any
}

// list answers with a page of the objects of a kind.
func (c *call) list(k *kind) (any, error) {
	if err := c.checkQuery("$filter", "$top", "$skiptoken", "$select", "$count"); err != nil {
		return nil, err
	}
	f, err := parseFilter(c.query.Get("$filter"))
	if err != nil {
		return nil, err
	}
	var known []string
	for name := range k.properties {
		known = append(known, name)
	}
	if err := f.check(known...); err != nil {
		return nil, err
	}
	top, err := c.top()
	if err != nil {
		return nil, err
	}
	all, err := identity.Principals(c.ctx, c.Identity.Store)
	if err != nil {
		return nil, err
	}
	body := list{Context: c.base + "/$metadata#" + k.name, Value: []any{}}
	after := c.query.Get("$skiptoken")
	for _, p := range all {
		if !k.has(p) || after != "" && place(p) <= after || !f.holds(func(name string) []string { return k.properties[name](p) }) {
			continue
		}
		if len(body.Value) == top {
			body.NextLink = c.nextLink(after)
			break
		}
		shown, err := c.selected(k.show(p))
		if err != nil {
			return nil, err
		}
		body.Value = append(body.Value, shown)
		after = place(p)
	}
	return body, nil
}

// place is where a principal is in the order of all.
func place(p *identity.Principal) string {
	if p.IsUser() {
		return strings.ToLower(p.ObjectID)
	}
	return strings.ToLower(p.ClientID)
}

func (c *call) nextLink(after string) string {
	v := url.Values{}
	for name := range c.query {
		v.Set(name, c.query.Get(name))
	}
	v.Set("$skiptoken", after)
	u := url.URL{Path: c.url.Path, RawQuery: v.Encode()}
	return strings.TrimSuffix(c.base, "/"+root) + u.String()
}

// checkQuery refuses query options that would have no effect.
func (c *call) checkQuery(known ...string) error {
	for name := range c.query {
		ok := !strings.HasPrefix(name, "$")
		for _, k := range known {
			ok = ok || name == k
		}
		if !ok {
			return badRequest("The query option '%.40s' is not supported here by this cloud.", name)
		}
	}
	return nil
}

func (c *call) top() (int, error) {
	text := c.query.Get("$top")
	if text == "" {
		return defaultTop, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > maxTop {
		return 0, badRequest("Invalid page size specified: '%.40s'. Must be between 1 and %d inclusive.", text, maxTop)
	}
	return n, nil
}

// selected is an object with the properties that $select names, or all.
func (c *call) selected(object any) (any, error) {
	names := c.query.Get("$select")
	if names == "" {
		return object, nil
	}
	b, err := json.Marshal(object)
	if err != nil {
		return nil, err
	}
	var all, some map[string]json.RawMessage
	if err := json.Unmarshal(b, &all); err != nil {
		return nil, err
	}
	some = map[string]json.RawMessage{}
	for name := range strings.SplitSeq(names, ",") {
		for have, value := range all {
			if strings.EqualFold(strings.TrimSpace(name), have) {
				some[have] = value
			}
		}
	}
	return some, nil
}

// one is an object alone, which says where it is from.
func (c *call) one(set string, object any) (any, error) {
	if err := c.checkQuery("$select"); err != nil {
		return nil, err
	}
	object, err := c.selected(object)
	if err != nil {
		return nil, err
	}
	return withProperty(object, "@odata.context", c.base+"/$metadata#"+set+"/$entity")
}

// withProperty adds one to an object.
func withProperty(object any, name, value string) (any, error) {
	b, err := json.Marshal(object)
	if err != nil {
		return nil, err
	}
	var m map[string]any
	if err := json.Unmarshal(b, &m); err != nil {
		return nil, err
	}
	m[name] = value
	return m, nil
}
