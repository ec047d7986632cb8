package expr

import (
	"strings"

	"lazuli/internal/template/jsonc"
)

// searchFunctions look into strings, arrays and objects. Of strings, contains
// minds the case, and the others do not.
var searchFunctions = []function{
	{name: "contains", min: 2, max: 2, eval: contains},
	{name: "indexOf", min: 2, max: 2, eval: func(b *Budget, args []any) (any, error) { return indexOf(b, "indexOf", args, false) }},
	{name: "lastIndexOf", min: 2, max: 2, eval: func(b *Budget, args []any) (any, error) { return indexOf(b, "lastIndexOf", args, true) }},
	ofStrings("startsWith", func(_ *Budget, s, part string) (any, error) {
		return len(part) <= len(s) && strings.EqualFold(s[:len(part)], part), nil
	}),
	ofStrings("endsWith", func(_ *Budget, s, part string) (any, error) {
		return len(part) <= len(s) && strings.EqualFold(s[len(s)-len(part):], part), nil
	}),
	ofStrings("like", like),
	{name: "empty", min: 1, max: 1, eval: empty},
	{name: "length", min: 1, max: 1, eval: length},
	{name: "first", min: 1, max: 1, eval: first},
	{name: "last", min: 1, max: 1, eval: last},
	{name: "take", min: 2, max: 2, eval: func(b *Budget, args []any) (any, error) { return cut(b, "take", args) }},
	{name: "skip", min: 2, max: 2, eval: func(b *Budget, args []any) (any, error) { return cut(b, "skip", args) }},
}

func contains(b *Budget, args []any) (any, error) {
	switch in := args[0].(type) {
	case string:
		part, ok := scalar(args[1])
		if !ok {
			return nil, wrongType("contains", 1, "a string", args[1])
		}
		return strings.Contains(in, part), b.step(len(in) / 64)
	case []any:
		for _, e := range in {
			if same, err := b.equal(e, args[1]); err != nil || same {
				return same, err
			}
		}
		return false, nil
	case *jsonc.Object:
		name, ok := scalar(args[1])
		if !ok {
			return nil, wrongType("contains", 1, "a string", args[1])
		}
		return in.Has(name), nil
	}
	return nil, wrongType("contains", 0, "an array, an object or a string", args[0])
}

func indexOf(b *Budget, name string, args []any, fromEnd bool) (any, error) {
	if a, ok := args[0].([]any); ok {
		return indexIn(b, a, args[1], fromEnd)
	}
	s, ok := args[0].(string)
	if !ok {
		return nil, wrongType(name, 0, "a string or an array", args[0])
	}
	part, err := stringArg(name, args, 1)
	if err != nil {
		return nil, err
	}
	if err := b.step((len(s) + len(part)) / 64); err != nil {
		return nil, err
	}
	if fold := strings.ToLower(s); len(fold) == len(s) {
		find := strings.Index
		if fromEnd {
			find = strings.LastIndex
		}
		return units(s, find(fold, strings.ToLower(part))), nil
	}
	return nil, badValue(name, "The string '%s' has characters whose case cannot be told.", clip(s))
}

func indexIn(b *Budget, a []any, v any, fromEnd bool) (any, error) {
	found := int64(-1)
	for i := range a {
		same, err := b.equal(a[i], v)
		if err != nil {
			return nil, err
		}
		if same && !fromEnd {
			return int64(i), nil
		}
		if same {
			found = int64(i)
		}
	}
	return found, nil
}

// like matches a pattern in which * stands for any characters, in any case.
func like(b *Budget, s, pattern string) (any, error) {
	s, pattern = strings.ToLower(s), strings.ToLower(pattern)
	parts := strings.Split(pattern, "*")
	if err := b.step(len(parts) + len(s)); err != nil {
		return nil, err
	}
	if len(parts) == 1 {
		return s == pattern, nil
	}
	s, ok := strings.CutPrefix(s, parts[0])
	if !ok {
		return false, nil
	}
	for _, part := range parts[1 : len(parts)-1] {
		i := strings.Index(s, part)
		if i < 0 {
			return false, nil
		}
		s = s[i+len(part):]
	}
	return strings.HasSuffix(s, parts[len(parts)-1]), nil
}

func empty(_ *Budget, args []any) (any, error) {
	if args[0] == nil {
		return true, nil
	}
	n, ok := sizeOf(args[0])
	if !ok {
		return nil, wrongType("empty", 0, "an array, an object or a string", args[0])
	}
	return n == 0, nil
}

func length(_ *Budget, args []any) (any, error) {
	n, ok := sizeOf(args[0])
	if !ok {
		return nil, Errorf("The template language function 'length' expects its parameter to be an array, object, or string. The provided value is of type '%s'. %s", TypeName(args[0]), usage("length"))
	}
	return int64(n), nil
}

func sizeOf(v any) (int, bool) {
	switch v := v.(type) {
	case string:
		return length16(v), true
	case []any:
		return len(v), true
	case *jsonc.Object:
		return v.Len(), true
	}
	return 0, false
}

func first(_ *Budget, args []any) (any, error) {
	switch v := args[0].(type) {
	case string:
		return slice16(v, 0, min(1, length16(v))), nil
	case []any:
		if len(v) == 0 {
			return nil, nil
		}
		return v[0], nil
	}
	return nil, wrongType("first", 0, "an array or a string", args[0])
}

func last(_ *Budget, args []any) (any, error) {
	switch v := args[0].(type) {
	case string:
		n := length16(v)
		return slice16(v, max(0, n-1), n), nil
	case []any:
		if len(v) == 0 {
			return nil, nil
		}
		return v[len(v)-1], nil
	}
	return nil, wrongType("last", 0, "an array or a string", args[0])
}

// cut is take or skip.
func cut(b *Budget, name string, args []any) (any, error) {
	n, ok := sizeOf(args[0])
	if _, object := args[0].(*jsonc.Object); !ok || object {
		return nil, wrongType(name, 0, "an array or a string", args[0])
	}
	count, err := intArg(name, args, 1)
	if err != nil {
		return nil, err
	}
	at := int(max(0, min(count, int64(n))))
	from, to := 0, at
	if name == "skip" {
		from, to = at, n
	}
	if s, ok := args[0].(string); ok {
		return b.text(slice16(s, from, to))
	}
	return args[0].([]any)[from:to:to], nil
}
