package resources

import (
	"context"
	"errors"
	"maps"
	"regexp"
	"strings"

	"lazuli/internal/arm"
)

// TagsType is the type of the tags of a subscription, group or resource, as a
// resource on it.
const TagsType = "Microsoft.Resources/tags"

func tagsType() arm.Type {
	return arm.Type{
		Name:   TagsType,
		Names:  arm.NameRule{Pattern: regexp.MustCompile(`^(?i:default)$`), Hint: "default"},
		Scopes: arm.InGroup | arm.InSubscription | arm.OnResource, Created: 200, Updated: 200,
		Verbs: arm.CanPut | arm.CanPatch | arm.CanDelete, Provider: tags{}, APIVersions: groupVersions,
	}
}

// tags is their Provider. They have no spec of their own: they are written into
// what they are on.
type tags struct{}

type tagsBody struct {
	ID         string     `json:"id,omitempty" arm:"readonly"`
	Name       string     `json:"name,omitempty" arm:"readonly"`
	Type       string     `json:"type,omitempty" arm:"readonly"`
	Properties tagsOfBody `json:"properties"`
}

type tagsOfBody struct {
	Tags map[string]string `json:"tags"`
}

type tagsPatch struct {
	tagsBody
	Operation string `json:"operation"`
}

// Get answers with the tags.
func (tags) Get(ctx context.Context, c *arm.Call) (arm.Result, error) {
	on, err := findTagged(ctx, c)
	if err != nil {
		return arm.Result{}, err
	}
	return showTags(c, on.tags), nil
}

// List is not there: there is nothing but default.
func (tags) List(context.Context, *arm.Call, arm.ID, string, int) ([]any, string, error) {
	return nil, "", errors.ErrUnsupported
}

// Put replaces all tags.
func (tags) Put(ctx context.Context, c *arm.Call, body []byte) (arm.Result, error) {
	var b tagsBody
	if err := arm.Decode(body, &b); err != nil {
		return arm.Result{}, err
	}
	return changeTags(ctx, c, func(map[string]string) map[string]string { return b.Properties.Tags })
}

// Patch merges tags into those that there are, replaces them, or deletes those
// that have the same name and value.
func (tags) Patch(ctx context.Context, c *arm.Call, body []byte) (arm.Result, error) {
	var b tagsPatch
	if err := arm.Decode(body, &b); err != nil {
		return arm.Result{}, err
	}
	change := map[string]func(map[string]string) map[string]string{
		"merge":   func(now map[string]string) map[string]string { return mergeTags(now, b.Properties.Tags) },
		"replace": func(map[string]string) map[string]string { return b.Properties.Tags },
		"delete":  func(now map[string]string) map[string]string { return withoutTags(now, b.Properties.Tags) },
	}[strings.ToLower(b.Operation)]
	if change == nil {
		return arm.Result{}, arm.InvalidParameter("operation", "The operation '%.50s' is not valid: it must be 'Merge', 'Replace' or 'Delete'.", b.Operation)
	}
	return changeTags(ctx, c, change)
}

// Delete removes all tags.
func (tags) Delete(ctx context.Context, c *arm.Call) (arm.Result, error) {
	_, err := changeTags(ctx, c, func(map[string]string) map[string]string { return nil })
	return arm.Result{}, err
}

func changeTags(ctx context.Context, c *arm.Call, change func(now map[string]string) map[string]string) (arm.Result, error) {
	on, err := findTagged(ctx, c)
	if err != nil {
		return arm.Result{}, err
	}
	if err := arm.CheckPrecondition(c, on.meta); err != nil {
		return arm.Result{}, err
	}
	next := change(maps.Clone(on.tags))
	if err := arm.CheckTags(next); err != nil {
		return arm.Result{}, err
	}
	if maps.Equal(next, on.tags) {
		return showTags(c, next), nil
	}
	return showTags(c, next), on.put(next)
}

// mergeTags lays over onto now. Names are the same in any case, and keep that
// in which they are there.
func mergeTags(now, over map[string]string) map[string]string {
	spelled := map[string]string{}
	for name := range now {
		spelled[strings.ToLower(name)] = name
	}
	if now == nil {
		now = map[string]string{}
	}
	for name, value := range over {
		if is, ok := spelled[strings.ToLower(name)]; ok {
			name = is
		}
		now[name] = value
	}
	return now
}

func withoutTags(now, gone map[string]string) map[string]string {
	maps.DeleteFunc(now, func(name, value string) bool {
		for n, v := range gone {
			if strings.EqualFold(n, name) && v == value {
				return true
			}
		}
		return false
	})
	return now
}

func showTags(c *arm.Call, now map[string]string) arm.Result {
	if now == nil {
		now = map[string]string{}
	}
	id := arm.ID{Subscription: c.ID.Subscription, ResourceGroup: c.ID.ResourceGroup}
	if c.ID.On != nil {
		id = *c.ID.On
	}
	return arm.Result{Body: tagsBody{ID: id.Extension(TagsType, "default").String(), Name: "default", Type: TagsType, Properties: tagsOfBody{now}}}
}

// tagged is what tags are on.
type tagged struct {
	meta *arm.Meta // nil for a subscription, which has no etag
	tags map[string]string
	put  func(next map[string]string) error
}

func findTagged(ctx context.Context, c *arm.Call) (*tagged, error) {
	if !strings.EqualFold(c.ID.Name(), "default") {
		return nil, arm.NotFound(c.ID)
	}
	if c.ID.On == nil && c.ID.ResourceGroup == "" {
		return findTaggedSubscription(ctx, c)
	}
	on := arm.GroupID(c.ID.Subscription, c.ID.ResourceGroup)
	if c.ID.On != nil {
		on = *c.ID.On
	}
	in := raw{Type: on.Type()}
	o, err := in.Find(ctx, c.Tx, on)
	if err != nil {
		return nil, err
	}
	if o == nil || o.Location == "" { // children are stored in their parents
		return nil, arm.BadRequest("ResourceTypeDoesNotSupportTags", "The resource type '%s' does not support tags. Tag the resource that '%s' belongs to.", on.Type(), on.Name())
	}
	return &tagged{&o.Meta, o.Tags, func(next map[string]string) error {
		if o.Deleting() {
			return arm.Conflict("ResourceBeingDeleted", "The resource '%s' is being deleted. Wait until it is gone and try again.", on.Name())
		}
		o.Tags, o.ChangedAt = next, c.Now
		return in.Put(ctx, c.Tx, o) // the raw spec refers to nothing, so that its references stay
	}}, nil
}

func findTaggedSubscription(ctx context.Context, c *arm.Call) (*tagged, error) {
	s, err := arm.FindSubscription(ctx, c.Tx, c.ID.Subscription)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return nil, arm.NotFound(c.ID.Scope())
	}
	return &tagged{nil, s.Tags, func(next map[string]string) error {
		s.Tags = next
		return arm.PutSubscription(c.Tx, s)
	}}, nil
}
