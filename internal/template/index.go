package template

import (
	"strings"

	"lazuli/internal/template/expr"
	"lazuli/internal/template/jsonc"
)

// index finds the resources of a template by all that expressions and
// dependencies call them.
type index struct {
	byID    map[string]*Resource
	symbols map[string]*Resource
	names   map[string][]*Resource // and types with names, in both forms
	last    map[string][]*Resource // of children, by the last part of their names
	loops   map[string][]*Resource // by the names of loops, plain and symbolic
}

// newIndex refuses two resources with the same id, unless one is not deployed.
func newIndex(resources []*Resource, loops map[string][]*Resource) (*index, error) {
	x := &index{byID: map[string]*Resource{}, symbols: map[string]*Resource{}, names: map[string][]*Resource{}, last: map[string][]*Resource{}, loops: loops}
	for _, r := range resources {
		id := strings.ToLower(r.ID)
		other, taken := x.byID[id]
		if taken && !r.Skipped && !other.Skipped && !r.Existing && !other.Existing {
			return nil, r.place.invalid("The resource '%s' %s is defined multiple times in a template. Please see https://aka.ms/arm-syntax-resources for usage details.", r.Type+"/"+r.Name, r.place)
		}
		if !taken || other.Skipped || other.Existing && !r.Skipped {
			x.byID[id] = r
		}
		if r.Symbol != "" {
			x.symbols[jsonc.Fold(r.Symbol)] = r
		}
		x.call(r, r.Name)
		x.call(r, r.Type+"/"+r.Name)
		if at := strings.LastIndexByte(r.Name, '/'); at >= 0 {
			last := jsonc.Fold(r.Name[at+1:])
			x.last[last] = append(x.last[last], r)
		}
		if alternating := strings.TrimPrefix(ResourceID("", r.Type, strings.Split(r.Name, "/")), "/providers/"); strings.Contains(r.Name, "/") {
			x.call(r, alternating)
		}
	}
	return x, nil
}

func (x *index) call(r *Resource, name string) {
	name = jsonc.Fold(name)
	x.names[name] = append(x.names[name], r)
}

// find is the one resource of a symbolic name, an id, a name, a type and name,
// or the last part of the name of a child; or nil.
func (x *index) find(name string) (*Resource, error) {
	key := jsonc.Fold(name)
	if r, ok := x.symbols[key]; ok {
		return r, nil
	}
	if strings.HasPrefix(key, "/") {
		r, ok := x.byID[strings.TrimSuffix(key, "/")]
		if below, found := strings.CutPrefix(key, "/providers/"); found && !ok {
			return one(name, x.names[below]) // what resourceId() says in a management group
		}
		return r, nil
	}
	if found, ok := x.names[key]; ok {
		return one(name, found)
	}
	return one(name, x.last[key])
}

// one is the only one of several resources, or the only one that is deployed.
func one(name string, found []*Resource) (*Resource, error) {
	var chosen *Resource
	for _, r := range found {
		switch {
		case chosen == nil || chosen.Skipped && !r.Skipped:
			chosen = r
		case !r.Skipped && !strings.EqualFold(r.ID, chosen.ID):
			return nil, expr.Errorf("The template reference '%s' is not valid: it is the name of several template resources. Give the resource id. Please see https://aka.ms/arm-function-reference for usage details.", name)
		}
	}
	return chosen, nil
}

// all are the resources that a dependency means: one, or those of a loop.
func (x *index) all(name string) ([]*Resource, error) {
	if loop, ok := x.loops[jsonc.Fold(name)]; ok {
		return loop, nil
	}
	r, err := x.find(name)
	if r == nil || err != nil {
		return nil, err
	}
	return []*Resource{r}, nil
}
