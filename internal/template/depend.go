package template

import (
	"slices"
	"strings"

	"lazuli/internal/template/expr"
)

// edges are what one resource waits for. Those that the template asks for are
// hard; a soft one only keeps an order that makes sense, and gives way where
// the template asks for the opposite.
type edges struct{ hard, soft []int }

// dependencies evaluates dependsOn, and evaluates the body once without
// anything that runs, to see what it refers to.
func (s *scope) dependencies(r *Resource) (edges, error) {
	var e edges
	if err := s.explicit(r, &e); err != nil {
		return e, err
	}
	for _, other := range r.after {
		e.add(&e.hard, r, other)
	}
	if r.Skipped || r.Existing {
		return e, nil
	}
	var refs []reference
	body := s.in(inBody, r.loop)
	body.refs = &refs
	if err := body.dry(r); err != nil {
		return e, err
	}
	for _, ref := range refs {
		e.add(&e.soft, r, s.index.byID[strings.ToLower(ref.target)])
	}
	e.add(&e.soft, r, s.parentOf(r))
	return e, nil
}

func (e *edges) add(to *[]int, r, other *Resource) {
	if other != nil && other != r && !other.Skipped {
		*to = append(*to, other.number)
	}
}

// explicit reads dependsOn.
func (s *scope) explicit(r *Resource, e *edges) error {
	v, ok := r.def.Get("dependsOn")
	if !ok || v == nil {
		return nil
	}
	in := s.in(inName, r.loop)
	v, err := in.value(v)
	if err != nil {
		return r.blame(err)
	}
	list, ok := v.([]any)
	if !ok {
		return r.place.invalid("The dependsOn of the template resource '%s' %s must be an array of strings. Please see https://aka.ms/arm-syntax-resources for usage details.", r.Name, r.place)
	}
	for _, d := range list {
		name, ok := d.(string)
		if !ok {
			return r.place.invalid("The dependsOn of the template resource '%s' %s must be an array of strings, and has a value of type '%s'. Please see https://aka.ms/arm-syntax-resources for usage details.", r.Name, r.place, expr.TypeName(d))
		}
		found, err := s.index.all(name)
		if err != nil {
			return r.blame(err)
		}
		if _, isLoop := s.index.loops[strings.ToLower(name)]; found == nil && !isLoop {
			return r.place.invalid("The resource '%s' is not defined in the template. Please see https://aka.ms/arm-syntax-resources for usage details.", name)
		}
		for _, other := range found {
			if other == r {
				return circular(r)
			}
			e.add(&e.hard, r, other)
		}
	}
	return nil
}

func circular(r *Resource) error {
	return r.place.invalid("Circular dependency detected on resource: '%s'. Please see https://aka.ms/arm-syntax-resources for usage details.", r.ID)
}

// parentOf is the resource of the template that r is a child of, however it is
// written. A child cannot be made before it, even where the template does not
// say so.
func (s *scope) parentOf(r *Resource) *Resource {
	if r.parent != nil {
		return r.parent
	}
	if at := strings.LastIndexByte(r.Name, '/'); at >= 0 {
		types := r.Type[:strings.LastIndexByte(r.Type, '/')]
		return s.index.byID[strings.ToLower(ResourceID(r.scope, types, strings.Split(r.Name[:at], "/")))]
	}
	return s.index.byID[strings.ToLower(r.scope)] // of an extension of another resource
}

// order settles what each resource waits for, and refuses circles.
func order(resources []*Resource, all []edges) error {
	if r := circle(resources, func(i int) []int { return all[i].hard }); r != nil {
		return circular(r)
	}
	for i := range all {
		all[i].hard = slices.Compact(slices.Sorted(slices.Values(all[i].hard)))
		all[i].soft = slices.Compact(slices.Sorted(slices.Values(append(all[i].soft, all[i].hard...))))
	}
	soft := circle(resources, func(i int) []int { return all[i].soft }) == nil
	for i, r := range resources {
		r.DependsOn = all[i].hard
		if soft {
			r.DependsOn = all[i].soft
		}
		r.after = nil
	}
	through(resources)
	return nil
}

// through replaces resources that are only referred to by what they wait for
// themselves, so that dependencies are of what is deployed only.
func through(resources []*Resource) {
	settled := make([]bool, len(resources))
	var settle func(i int) []int
	settle = func(i int) []int {
		r := resources[i]
		if settled[i] {
			return r.DependsOn
		}
		settled[i] = true
		if !slices.ContainsFunc(r.DependsOn, func(j int) bool { return resources[j].Existing }) {
			return r.DependsOn
		}
		var waits []int
		for _, j := range r.DependsOn {
			if resources[j].Existing {
				waits = append(waits, settle(j)...)
			} else {
				waits = append(waits, j)
			}
		}
		r.DependsOn = slices.Compact(slices.Sorted(slices.Values(waits)))
		return r.DependsOn
	}
	for i := range resources {
		settle(i)
	}
}

// circle is a resource that waits for itself, or nil.
func circle(resources []*Resource, waits func(int) []int) *Resource {
	const (
		fresh = iota
		entered
		done
	)
	state := make([]byte, len(resources))
	var visit func(i int) *Resource
	visit = func(i int) *Resource {
		state[i] = entered
		for _, j := range waits(i) {
			switch state[j] {
			case entered:
				return resources[j]
			case fresh:
				if r := visit(j); r != nil {
					return r
				}
			}
		}
		state[i] = done
		return nil
	}
	for i := range resources {
		if state[i] == fresh {
			if r := visit(i); r != nil {
				return r
			}
		}
	}
	return nil
}
