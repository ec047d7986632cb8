package resources

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"lazuli/internal/arm"
	"lazuli/internal/store"
)

// predefined is a name of tags that a subscription keeps a list of, with
// values. Nothing follows from it: people choose from the list.
//
//	/tagname/<subscription>/<name in lower case>
type predefined struct {
	Name   string   `json:"name"`
	Values []string `json:"values"`
}

func tagNamePrefix(subscription string) string {
	return "/tagname/" + strings.ToLower(subscription) + "/"
}

func (p *predefined) key(subscription string) string {
	return tagNamePrefix(subscription) + strings.ToLower(p.Name)
}

func (p *predefined) put(tx store.Tx, subscription string) error {
	b, err := json.Marshal(p)
	if err != nil {
		return err
	}
	tx.Put(p.key(subscription), b)
	return nil
}

// findPredefined reads a name; nil without an error when there is none.
func findPredefined(ctx context.Context, c *arm.Call, name string) (*predefined, error) {
	e, err := c.Tx.Get(ctx, (&predefined{Name: name}).key(c.ID.Subscription))
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return decodePredefined(e)
}

func decodePredefined(e store.Entry) (*predefined, error) {
	p := new(predefined)
	if err := json.Unmarshal(e.Value, p); err != nil {
		return nil, fmt.Errorf("read %s: %w", e.Key, err)
	}
	return p, nil
}

type tagNameBody struct {
	ID     string         `json:"id"`
	Name   string         `json:"tagName"`
	Count  tagCount       `json:"count"`
	Values []tagValueBody `json:"values"`
}

type tagValueBody struct {
	ID    string   `json:"id"`
	Value string   `json:"tagValue"`
	Count tagCount `json:"count"`
}

type tagCount struct {
	Type  string `json:"type"`
	Value int    `json:"value"`
}

func total(n int) tagCount { return tagCount{"Total", n} }

// tagNames lists the names of a subscription's tags: those that are predefined
// and those in use, with how often they are.
func (a cloud) tagNames(ctx context.Context, c *arm.Call, _ map[string]string) (arm.Result, error) {
	es, err := c.Tx.List(ctx, tagNamePrefix(c.ID.Subscription))
	if err != nil {
		return arm.Result{}, err
	}
	used, err := a.usedTags(ctx, c)
	if err != nil {
		return arm.Result{}, err
	}
	for _, e := range es {
		p, err := decodePredefined(e)
		if err != nil {
			return arm.Result{}, err
		}
		used.add(p.Name, "", 0)
		for _, v := range p.Values {
			used.add(p.Name, v, 0)
		}
	}
	body := list[tagNameBody]{[]tagNameBody{}}
	for _, key := range slices.Sorted(maps.Keys(used)) {
		body.Value = append(body.Value, used[key].show(c.ID.Subscription))
	}
	return arm.Result{Body: body}, nil
}

// usage is how often a name of a tag is used, and each of its values.
type usage struct {
	name   string
	values map[string]int
}

// usages are by name in lower case.
type usages map[string]*usage

func (u usages) add(name, value string, n int) {
	key := strings.ToLower(name)
	if u[key] == nil {
		u[key] = &usage{name, map[string]int{}}
	}
	if n > 0 || value != "" {
		u[key].values[value] += n
	}
}

func (u *usage) show(subscription string) tagNameBody {
	b := tagNameBody{ID: tagNameID(subscription, u.name), Name: u.name, Values: []tagValueBody{}}
	sum := 0
	for _, v := range slices.Sorted(maps.Keys(u.values)) {
		sum += u.values[v]
		b.Values = append(b.Values, tagValueBody{tagValueID(subscription, u.name, v), v, total(u.values[v])})
	}
	b.Count = total(sum)
	return b
}

func tagNameID(subscription, name string) string {
	return "/subscriptions/" + subscription + "/tagNames/" + name
}

func tagValueID(subscription, name, value string) string {
	return tagNameID(subscription, name) + "/tagValues/" + value
}

// usedTags counts the tags of all groups and resources of the subscription that
// the caller may read.
func (a cloud) usedTags(ctx context.Context, c *arm.Call) (usages, error) {
	used := usages{}
	for _, t := range a.Types {
		if !t.Tracked {
			continue
		}
		for after, more := "", true; more; more = after != "" {
			os, next, err := raw{Type: t.Name}.Page(ctx, c.Store, arm.ID{Subscription: c.ID.Subscription}, after, tagPage)
			if err != nil {
				return nil, err
			}
			for _, o := range os {
				for name, value := range o.Tags {
					if c.May(t.Name+"/read", o.ID) {
						used.add(name, value, 1)
					}
				}
			}
			after = next
		}
	}
	return used, nil
}

// tagPage is how many resources are counted at a time.
const tagPage = 500

func (a cloud) putTagName(ctx context.Context, c *arm.Call, vars map[string]string) (arm.Result, error) {
	p, err := findPredefined(ctx, c, vars["name"])
	if err != nil {
		return arm.Result{}, err
	}
	created := p == nil
	if created {
		if err := arm.CheckTags(map[string]string{vars["name"]: ""}); err != nil {
			return arm.Result{}, err
		}
		p = &predefined{Name: vars["name"]}
		if err := p.put(c.Tx, c.ID.Subscription); err != nil {
			return arm.Result{}, err
		}
	}
	u := usage{p.Name, map[string]int{}}
	for _, v := range p.Values {
		u.values[v] = 0
	}
	return arm.Result{Body: u.show(c.ID.Subscription), Created: created}, nil
}

func (a cloud) putTagValue(ctx context.Context, c *arm.Call, vars map[string]string) (arm.Result, error) {
	p, err := namedTag(ctx, c, vars)
	if err != nil {
		return arm.Result{}, err
	}
	if err := arm.CheckTags(map[string]string{p.Name: vars["value"]}); err != nil {
		return arm.Result{}, err
	}
	created := !slices.Contains(p.Values, vars["value"])
	if created {
		p.Values = append(p.Values, vars["value"])
		if err := p.put(c.Tx, c.ID.Subscription); err != nil {
			return arm.Result{}, err
		}
	}
	return arm.Result{Created: created, Body: tagValueBody{tagValueID(c.ID.Subscription, p.Name, vars["value"]), vars["value"], total(0)}}, nil
}

func namedTag(ctx context.Context, c *arm.Call, vars map[string]string) (*predefined, error) {
	p, err := findPredefined(ctx, c, vars["name"])
	if err == nil && p == nil {
		return nil, arm.StatusError(404, "TagNotFound", "The tag name '%s' is not predefined. Add it first.", vars["name"])
	}
	return p, err
}

// deleteTagName takes a name off the list, when it has no values there and is
// not in use.
func (a cloud) deleteTagName(ctx context.Context, c *arm.Call, vars map[string]string) (arm.Result, error) {
	p, err := namedTag(ctx, c, vars)
	if err != nil {
		return arm.Result{}, err
	}
	if len(p.Values) > 0 {
		return arm.Result{}, arm.Conflict("TagNameHasValues", "The tag name '%s' has %d predefined values. Remove them first.", p.Name, len(p.Values))
	}
	if err := a.checkUnused(ctx, c, p.Name, nil); err != nil {
		return arm.Result{}, err
	}
	c.Tx.Delete(p.key(c.ID.Subscription))
	return arm.Result{}, nil
}

func (a cloud) deleteTagValue(ctx context.Context, c *arm.Call, vars map[string]string) (arm.Result, error) {
	p, err := namedTag(ctx, c, vars)
	if err != nil {
		return arm.Result{}, err
	}
	i := slices.Index(p.Values, vars["value"])
	if i < 0 {
		return arm.Result{}, arm.StatusError(404, "TagNotFound", "The tag name '%s' has no predefined value '%s'.", p.Name, vars["value"])
	}
	if err := a.checkUnused(ctx, c, p.Name, &p.Values[i]); err != nil {
		return arm.Result{}, err
	}
	p.Values = slices.Delete(p.Values, i, i+1)
	return arm.Result{}, p.put(c.Tx, c.ID.Subscription)
}

// checkUnused says whether a resource has a tag of the name, with the value if
// there is one.
func (a cloud) checkUnused(ctx context.Context, c *arm.Call, name string, value *string) error {
	used, err := a.usedTags(ctx, c)
	if err != nil {
		return err
	}
	u, n := used[strings.ToLower(name)], 0
	if u == nil {
		return nil
	}
	for v, times := range u.values {
		if value == nil || v == *value {
			n += times
		}
	}
	if n > 0 {
		return arm.Conflict("TagInUse", "The tag '%s' is on %d resources. Take it off them first.", name, n)
	}
	return nil
}
