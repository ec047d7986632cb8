package expr

import (
	"math"

	"lazuli/internal/template/jsonc"
)

var arrayFunctions = []function{
	{name: "array", min: 1, max: 1, eval: func(b *Budget, args []any) (any, error) {
		if a, ok := args[0].([]any); ok {
			return a, nil
		}
		return b.list([]any{args[0]})
	}},
	{name: "createArray", min: 0, max: -1, eval: func(b *Budget, args []any) (any, error) { return b.list(args) }},
	{name: "range", min: 2, max: 2, eval: rangeOf},
	{name: "flatten", min: 1, max: 1, eval: flatten},
	{name: "indexFromEnd", min: 2, max: 2, eval: func(_ *Budget, args []any) (any, error) { return fromEnd(args[0], args[1]) }},
	{name: "tryGet", min: 2, max: -1, eval: func(_ *Budget, args []any) (any, error) { return tryGet(args, false) }},
	{name: "tryIndexFromEnd", min: 2, max: -1, eval: func(_ *Budget, args []any) (any, error) { return tryGet(args, true) }},
}

// maxRange is how long an array range() makes, as documented.
const maxRange = 10_000

func rangeOf(b *Budget, args []any) (any, error) {
	start, err := intArg("range", args, 0)
	if err != nil {
		return nil, err
	}
	count, err := intArg("range", args, 1)
	if err != nil {
		return nil, err
	}
	if count < 0 || count > maxRange || start > math.MaxInt32-count {
		return nil, badValue("range", "The count must be between 0 and %d, and the sum of start index '%d' and count '%d' no greater than %d.", maxRange, start, count, math.MaxInt32)
	}
	a := make([]any, count)
	for i := range a {
		a[i] = start + int64(i)
	}
	return a, b.Make(24 * len(a))
}

func flatten(b *Budget, args []any) (any, error) {
	outer, err := arrayArg("flatten", args, 0)
	if err != nil {
		return nil, err
	}
	flat := []any{}
	for _, e := range outer {
		inner, ok := e.([]any)
		if !ok {
			return nil, badValue("flatten", "The elements of the array must be arrays, and one is of type '%s'.", TypeName(e))
		}
		if err := b.Make(16 * len(inner)); err != nil {
			return nil, err
		}
		flat = append(flat, inner...)
	}
	return flat, nil
}

// fromEnd is an element counted from the end, from 1.
func fromEnd(base, index any) (any, error) {
	a, err := arrayArg("indexFromEnd", []any{base}, 0)
	if err != nil {
		return nil, err
	}
	i, err := intArg("indexFromEnd", []any{base, index}, 1)
	if err != nil {
		return nil, err
	}
	return get(a, int64(len(a))-i)
}

// tryGet follows a path. That the first step leads nowhere makes it null;
// after that it is a plain access, as Bicep's a.?b.c is.
func tryGet(args []any, end bool) (any, error) {
	if args[0] == nil {
		return nil, nil
	}
	v, ok := step(args[0], args[1], end)
	for _, key := range args[2:] {
		if !ok || v == nil {
			return nil, nil
		}
		var err error
		if v, err = follow(v, key); err != nil {
			return nil, err
		}
	}
	if !ok {
		return nil, nil
	}
	return v, nil
}

func step(base, key any, end bool) (any, bool) {
	if a, isArray := base.([]any); isArray && end {
		if i, isInt := key.(int64); isInt {
			key = int64(len(a)) - i
		}
	}
	v, err := get(base, key)
	return v, err == nil
}

// follow goes one key on. {"value": 1, "fromEnd": true} is how Bicep writes an
// index from the end.
func follow(v, key any) (any, error) {
	if o, ok := key.(*jsonc.Object); ok {
		index, _ := o.Get("value")
		if end, _ := o.Get("fromEnd"); end == true {
			return fromEnd(v, index)
		}
		key = index
	}
	return get(v, key)
}
