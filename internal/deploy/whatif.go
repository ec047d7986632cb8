package deploy

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"lazuli/internal/arm"
	"lazuli/internal/template/jsonc"
	"lazuli/internal/template/whatif"
)

// whatIfResult is the answer to whatIf.
type whatIfResult struct {
	Status     string           `json:"status"`
	Properties whatIfProperties `json:"properties"`
}

type whatIfProperties struct {
	Changes []whatif.Change `json:"changes"`
}

// whatIf tells what a deployment would change. The resources are tried out, so
// that the difference is between what the cloud shows now and would show then,
// with all defaults; only where that cannot be known it is between what is
// there and what the template says.
func (d *Deployments) whatIf(ctx context.Context, c *arm.Call, body []byte) (arm.Result, error) {
	p, err := d.prepare(ctx, c, body)
	if err != nil {
		return arm.Result{}, err
	}
	t, err := d.rehearse(ctx, p)
	if err != nil {
		return arm.Result{}, err
	}
	var changes []whatif.Change
	for _, o := range t.outcomes {
		change, err := t.change(o)
		if err != nil {
			return arm.Result{}, err
		}
		changes = append(changes, change)
	}
	rest, err := d.others(ctx, p, t)
	if err != nil {
		return arm.Result{}, err
	}
	changes = append(changes, rest...)
	slices.SortFunc(changes, func(a, b whatif.Change) int {
		return strings.Compare(strings.ToLower(a.ResourceID), strings.ToLower(b.ResourceID))
	})
	if p.source.request.resultFormat == "ResourceIdOnly" {
		for i := range changes {
			changes[i] = whatif.Change{ResourceID: changes[i].ResourceID, Type: changes[i].Type}
		}
	}
	return d.answer(c, p.object.ID, whatIfResult{succeeded, whatIfProperties{changes}})
}

// answer is the result of what is done already, for a client to fetch where it
// is told.
func (d *Deployments) answer(c *arm.Call, id arm.ID, result any) (arm.Result, error) {
	raw, err := json.Marshal(result)
	if err != nil {
		return arm.Result{}, err
	}
	op := &arm.Operation{ID: c.NewID(), Resource: id, Action: "action", Status: arm.Succeeded, StartedAt: c.Now, EndedAt: &c.Now, Result: raw}
	return arm.Result{Operation: op}, arm.PutOperation(c.Tx, op)
}

// change is what happens to the resource.
func (t *trial) change(o *outcome) (whatif.Change, error) {
	before, err := shownTree(o.before)
	if err != nil {
		return whatif.Change{}, err
	}
	wanted, _ := t.secrets.hide(o.complete()).(*jsonc.Object)
	switch {
	case before == nil:
		return whatif.Compare(o.resource.ID, nil, wanted, whatif.Options{}), nil
	case !o.made:
		return whatif.Compare(o.resource.ID, before, wanted, byTemplate), nil
	}
	after, err := shownTree(o.after)
	if err != nil {
		return whatif.Change{}, err
	}
	return whatif.Compare(o.resource.ID, before, after, whatif.Options{}), nil
}

// complete is what the template says of the resource, with which it is.
func (o *outcome) complete() *jsonc.Object {
	names := strings.Split(o.resource.Name, "/")
	whole := jsonc.NewObject("apiVersion", o.resource.APIVersion, "id", o.resource.ID, "name", names[len(names)-1], "type", o.resource.Type)
	for m := range o.wanted.All() {
		whole.SetFold(m.Name, m.Value)
	}
	return whole
}

// byTemplate compares with what a template says, where the cloud cannot be
// asked: what it leaves out stays as it is.
var byTemplate = whatif.Options{
	Keeps:    func(string, any) bool { return true },
	ReadOnly: func(path string) bool { return path == "apiVersion" },
	Same: func(path string, before, after any) bool {
		x, ok := before.(string)
		y, ok2 := after.(string)
		return ok && ok2 && (strings.EqualFold(x, y) || path == "location" && arm.NormalizeLocation(x) == arm.NormalizeLocation(y))
	},
}

// shownTree is a resource as the cloud shows it, without what changes by being
// written.
func shownTree(body []byte) (*jsonc.Object, error) {
	o, err := tree(body)
	if o == nil || err != nil {
		return nil, err
	}
	clean, _ := withoutMarks(o).(*jsonc.Object)
	return clean, nil
}

// marks are properties that say how and when a resource was written.
var marks = map[string]bool{"etag": true, "provisioningstate": true, "systemdata": true, "instanceview": true}

func withoutMarks(v any) any {
	switch v := v.(type) {
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = withoutMarks(v[i])
		}
		return out
	case *jsonc.Object:
		out := jsonc.Make(v.Len())
		for m := range v.All() {
			if !marks[jsonc.Fold(m.Name)] {
				out.Set(m.Name, withoutMarks(m.Value))
			}
		}
		return out
	}
	return v
}

// others are the changes of what is in the group and in no template.
func (d *Deployments) others(ctx context.Context, p *prepared, t *trial) ([]whatif.Change, error) {
	if p.object.ID.ResourceGroup == "" {
		return nil, nil
	}
	who := p.object.Spec.Principal
	all, err := d.contents(ctx, who, p.object.ID)
	if err != nil {
		return nil, err
	}
	var changes []whatif.Change
	for _, f := range all {
		if slices.ContainsFunc(t.outcomes, func(o *outcome) bool { return strings.EqualFold(o.resource.ID, f.ID) }) {
			continue
		}
		text, err := (&runtime{cloud: d.Cloud, principal: who}).Get(ctx, f.ID, DefaultVersion)
		if asRefusal(err) != nil {
			continue // it is gone, or not to be seen
		}
		if err != nil {
			return nil, err
		}
		before, err := shownTree(text)
		if err != nil {
			return nil, err
		}
		change := whatif.Change{ResourceID: f.ID, Type: whatif.Ignore, Before: before}
		if p.object.Spec.Mode == "Complete" && !managed(text, p.plan.Has) {
			change.Type = whatif.Delete
		}
		changes = append(changes, change)
	}
	return changes, nil
}
