package whatif

import (
	"strconv"

	"lazuli/internal/template/jsonc"
)

// path is where a property is: for the answer, and for the options.
type path struct{ shown, asked string }

func (p path) member(name string) path {
	if p.shown != "" {
		p.shown += "."
	}
	if p.asked != "" {
		p.asked += "."
	}
	return path{p.shown + name, p.asked + name}
}

// objects are the changes of members, with paths from shown and asked.
func (o Options) objects(shown, asked string, before, after *jsonc.Object) []*Property {
	var changes []*Property
	at := path{shown, asked}
	for m := range before.All() {
		v, _ := after.Get(m.Name)
		changes = append(changes, o.values(at.member(m.Name), m.Value, v)...)
	}
	for m := range after.All() {
		if !before.Has(m.Name) {
			changes = append(changes, o.values(at.member(m.Name), nil, m.Value)...)
		}
	}
	return changes
}

// isNothing tells whether a value means the same as none.
func isNothing(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case []any:
		return len(v) == 0
	case *jsonc.Object:
		for m := range v.All() {
			if !isNothing(m.Value) {
				return false
			}
		}
		return true
	}
	return false
}

// values are the changes of one property, in which a null is none.
func (o Options) values(at path, before, after any) []*Property {
	if isNothing(before) && isNothing(after) {
		return nil
	}
	x, beforeIsObject := before.(*jsonc.Object)
	y, afterIsObject := after.(*jsonc.Object)
	if beforeIsObject && afterIsObject {
		return o.objects(at.shown, at.asked, x, y)
	}
	a, beforeIsArray := before.([]any)
	b, afterIsArray := after.([]any)
	var change *Property
	switch {
	case after == nil && o.keeps(at, before):
		return nil
	case after == nil && beforeIsObject:
		return o.objects(at.shown, at.asked, x, nil)
	case after == nil:
		change = &Property{Path: at.shown, Type: PropertyDelete, Before: before}
	case before == nil:
		change = &Property{Path: at.shown, Type: PropertyCreate, After: after}
	case beforeIsArray && afterIsArray:
		children := o.arrays(at, a, b)
		if children == nil {
			return nil
		}
		change = &Property{Path: at.shown, Type: PropertyArray, Children: children}
	case o.same(at, before, after):
		return nil
	default:
		change = &Property{Path: at.shown, Type: PropertyModify, Before: before, After: after}
	}
	return o.judge(at, change)
}

// judge drops what a template cannot change, or says that it has no effect.
func (o Options) judge(at path, change *Property) []*Property {
	if o.ReadOnly == nil || !o.ReadOnly(at.asked) {
		return []*Property{change}
	}
	if change.Type == PropertyDelete {
		return nil
	}
	change.Type = PropertyNoEffect
	return []*Property{change}
}

func (o Options) keeps(at path, before any) bool {
	return o.Keeps != nil && o.Keeps(at.asked, before)
}

func (o Options) same(at path, before, after any) bool {
	return jsonc.Equal(before, after) || o.Same != nil && o.Same(at.asked, before, after)
}

// element is an element of an array that has no counterpart yet.
type element struct {
	index int
	value any
}

// arrays are the changes of elements, or nil.
func (o Options) arrays(at path, before, after []any) []*Property {
	inside := path{"", at.asked + "[]"}
	pairs, gone, made := o.match(inside, before, after)
	var changes []*Property
	for _, p := range pairs {
		changes = append(changes, o.element(inside, p[0], p[1])...)
	}
	for _, e := range gone {
		if !o.keeps(inside, e.value) {
			changes = append(changes, &Property{Path: strconv.Itoa(e.index), Type: PropertyDelete, Before: e.value})
		}
	}
	for _, e := range made {
		changes = append(changes, &Property{Path: strconv.Itoa(e.index), Type: PropertyCreate, After: e.value})
	}
	return changes
}

// element is the change between two elements that belong together.
func (o Options) element(at path, before, after element) []*Property {
	index := strconv.Itoa(after.index)
	x, ok := before.value.(*jsonc.Object)
	y, ok2 := after.value.(*jsonc.Object)
	if ok && ok2 {
		children := o.objects("", at.asked, x, y)
		if children == nil {
			return nil
		}
		return []*Property{{Path: index, Type: PropertyModify, Children: children}}
	}
	a, ok := before.value.([]any)
	b, ok2 := after.value.([]any)
	if ok && ok2 {
		children := o.arrays(at, a, b)
		if children == nil {
			return nil
		}
		return []*Property{{Path: index, Type: PropertyArray, Children: children}}
	}
	if o.same(at, before.value, after.value) {
		return nil
	}
	return []*Property{{Path: index, Type: PropertyModify, Before: before.value, After: after.value}}
}
