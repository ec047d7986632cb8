package whatif

import (
	"strings"

	"lazuli/internal/template/jsonc"
)

// match finds the elements that belong together: objects by their name or id,
// whatever their order; other elements where they are equal; and what is left
// of objects and arrays in its order. What is left of scalars was deleted and
// created.
func (o Options) match(at path, before, after []any) (pairs [][2]element, gone, made []element) {
	for _, name := range []string{"name", "id"} {
		if x, y := byName(before, name), byName(after, name); x != nil && y != nil {
			return matchNames(before, after, x, y, name)
		}
	}
	if moved(before, after) {
		for i := range before {
			pairs = append(pairs, [2]element{{i, before[i]}, {i, after[i]}})
		}
		return pairs, nil, nil
	}
	return o.matchEqual(at, before, after)
}

// byName are the indexes of objects by a member that all have, or nil.
func byName(a []any, name string) map[string]int {
	found := map[string]int{}
	for i, e := range a {
		key, ok := nameOf(e, name)
		if _, twice := found[key]; !ok || twice {
			return nil
		}
		found[key] = i
	}
	return found
}

func nameOf(e any, name string) (string, bool) {
	o, _ := e.(*jsonc.Object)
	v, _ := o.Get(name)
	s, ok := v.(string)
	return strings.ToLower(s), ok
}

func matchNames(before, after []any, x, y map[string]int, name string) (pairs [][2]element, gone, made []element) {
	for i, e := range before {
		key, _ := nameOf(e, name)
		if j, ok := y[key]; ok {
			pairs = append(pairs, [2]element{{i, e}, {j, after[j]}})
		} else {
			gone = append(gone, element{i, e})
		}
	}
	for j, e := range after {
		key, _ := nameOf(e, name)
		if _, ok := x[key]; !ok {
			made = append(made, element{j, e})
		}
	}
	return pairs, gone, made
}

// moved tells whether scalars are the same in another order, which for them is
// a change.
func moved(before, after []any) bool {
	if len(before) != len(after) {
		return false
	}
	count := map[any]int{}
	for i := range before {
		if !isScalar(before[i]) || !isScalar(after[i]) {
			return false
		}
		count[before[i]]++
		count[after[i]]--
	}
	for _, n := range count {
		if n != 0 {
			return false
		}
	}
	return true
}

func isScalar(v any) bool {
	switch v.(type) {
	case []any, *jsonc.Object:
		return false
	}
	return true
}

// maxMatched bounds the search for equal elements. Longer arrays are compared
// element by element.
const maxMatched = 1000

func (o Options) matchEqual(at path, before, after []any) (pairs [][2]element, gone, made []element) {
	var left []element
	taken := make([]bool, len(after))
	for i, e := range before {
		j := i
		if len(before) <= maxMatched && len(after) <= maxMatched {
			for j = 0; j < len(after) && (taken[j] || !o.same(at, e, after[j])); j++ {
			}
		}
		if j >= len(after) {
			left = append(left, element{i, e})
			continue
		}
		taken[j] = true
		pairs = append(pairs, [2]element{{i, e}, {j, after[j]}})
	}
	for j, e := range after {
		if !taken[j] {
			made = append(made, element{j, e})
		}
	}
	return pairUp(pairs, left, made)
}

// pairUp pairs what is left of objects, and of arrays, in its order.
func pairUp(pairs [][2]element, left, right []element) (all [][2]element, gone, made []element) {
	for _, e := range left {
		j := 0
		for j < len(right) && !alike(e.value, right[j].value) {
			j++
		}
		if j == len(right) {
			gone = append(gone, e)
			continue
		}
		pairs = append(pairs, [2]element{e, right[j]})
		right = append(right[:j:j], right[j+1:]...)
	}
	return pairs, gone, right
}

func alike(x, y any) bool {
	_, xObject := x.(*jsonc.Object)
	_, yObject := y.(*jsonc.Object)
	_, xArray := x.([]any)
	_, yArray := y.([]any)
	return xObject && yObject || xArray && yArray
}
