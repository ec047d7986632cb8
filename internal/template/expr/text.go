package expr

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"lazuli/internal/template/jsonc"
)

var textFunctions = []function{
	{name: "concat", min: 1, max: -1, eval: concat},
	{name: "join", min: 2, max: 2, eval: join},
	{name: "padLeft", min: 2, max: 3, eval: padLeft},
	{name: "replace", min: 3, max: 3, eval: replace},
	{name: "split", min: 2, max: 2, eval: split},
	{name: "substring", min: 2, max: 3, eval: substring},
	{name: "string", min: 1, max: 1, eval: toString},
	ofString("toLower", func(b *Budget, s string) (any, error) { return b.text(strings.ToLower(s)) }),
	ofString("toUpper", func(b *Budget, s string) (any, error) { return b.text(strings.ToUpper(s)) }),
	ofString("trim", func(b *Budget, s string) (any, error) { return b.text(strings.TrimFunc(s, unicode.IsSpace)) }),
	{name: "fail", min: 1, max: 1, eval: fail},
}

// scalar is a string, number or boolean as Azure writes it within a string.
func scalar(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case int64:
		return strconv.FormatInt(v, 10), true
	case float64:
		return strings.TrimSuffix(jsonc.Float(v), ".0"), true
	case bool:
		return map[bool]string{true: "True", false: "False"}[v], true
	}
	return "", false
}

func concat(b *Budget, args []any) (any, error) {
	if _, ok := args[0].([]any); ok {
		return concatArrays(b, args)
	}
	var s strings.Builder
	for i, a := range args {
		part, ok := scalar(a)
		if !ok {
			return nil, wrongType("concat", i, "a string, an integer or a boolean, or all parameters to be arrays", a)
		}
		if err := b.textOf(s.Len() + len(part)); err != nil {
			return nil, err
		}
		s.WriteString(part)
	}
	return b.text(s.String())
}

func concatArrays(b *Budget, args []any) (any, error) {
	n := 0
	for i := range args {
		a, err := arrayArg("concat", args, i)
		if err != nil {
			return nil, err
		}
		n += len(a)
	}
	if err := b.Make(16 * n); err != nil {
		return nil, err
	}
	all := make([]any, 0, n)
	for _, a := range args {
		all = append(all, a.([]any)...)
	}
	return all, nil
}

func join(b *Budget, args []any) (any, error) {
	a, err := arrayArg("join", args, 0)
	if err != nil {
		return nil, err
	}
	delimiter, err := stringArg("join", args, 1)
	if err != nil {
		return nil, err
	}
	var s strings.Builder
	for i, e := range a {
		part, ok := scalar(e)
		if !ok {
			return nil, badValue("join", "The elements of the array must be strings, integers or booleans, and one is of type '%s'.", TypeName(e))
		}
		if i > 0 {
			s.WriteString(delimiter)
		}
		if err := b.textOf(s.Len() + len(part)); err != nil {
			return nil, err
		}
		s.WriteString(part)
	}
	return b.text(s.String())
}

func padLeft(b *Budget, args []any) (any, error) {
	s, ok := scalar(args[0])
	if !ok {
		return nil, wrongType("padLeft", 0, "a string or an integer", args[0])
	}
	total, err := intArg("padLeft", args, 1)
	if err != nil {
		return nil, err
	}
	pad := " "
	if len(args) == 3 {
		if pad, err = stringArg("padLeft", args, 2); err != nil {
			return nil, err
		}
	}
	if utf8.RuneCountInString(pad) != 1 {
		return nil, badValue("padLeft", "The padding '%s' must be a single character.", clip(pad))
	}
	if total < 0 || total > LiteralLimit {
		return nil, badValue("padLeft", "The total length '%d' must be between 0 and %d.", total, LiteralLimit)
	}
	if missing := int(total) - length16(s); missing > 0 {
		s = strings.Repeat(pad, missing) + s
	}
	return b.text(s)
}

func replace(b *Budget, args []any) (any, error) {
	var parts [3]string
	for i := range parts {
		s, err := stringArg("replace", args, i)
		if err != nil {
			return nil, err
		}
		parts[i] = s
	}
	s, from, to := parts[0], parts[1], parts[2]
	if from == "" {
		return s, nil // as quickstart templates do with tokens that they do not need
	}
	n := strings.Count(s, from)
	if err := b.textOf(len(s) + n*(len(to)-len(from))); err != nil {
		return nil, err
	}
	return b.text(strings.ReplaceAll(s, from, to))
}

func split(b *Budget, args []any) (any, error) {
	s, err := stringArg("split", args, 0)
	if err != nil {
		return nil, err
	}
	delimiters, err := delimiters(args[1])
	if err != nil {
		return nil, err
	}
	var parts []any
	start := 0
	for i := 0; i < len(s); {
		if err := b.step(1); err != nil {
			return nil, err
		}
		d := delimiterAt(s[i:], delimiters)
		if d == 0 {
			i++
			continue
		}
		parts = append(parts, s[start:i])
		i += d
		start = i
	}
	return b.list(append(parts, s[start:]))
}

func delimiters(v any) ([]string, error) {
	switch v := v.(type) {
	case string:
		return []string{v}, nil
	case []any:
		ds := make([]string, len(v))
		for i := range v {
			d, ok := v[i].(string)
			if !ok {
				return nil, badValue("split", "The delimiters must be strings, and one is of type '%s'.", TypeName(v[i]))
			}
			ds[i] = d
		}
		return ds, nil
	}
	return nil, wrongType("split", 1, "a string or an array of strings", v)
}

// delimiterAt is the length of the first delimiter that s begins with, or 0.
func delimiterAt(s string, delimiters []string) int {
	for _, d := range delimiters {
		if d != "" && strings.HasPrefix(s, d) {
			return len(d)
		}
	}
	return 0
}

func substring(b *Budget, args []any) (any, error) {
	s, err := stringArg("substring", args, 0)
	if err != nil {
		return nil, err
	}
	from, err := intArg("substring", args, 1)
	if err != nil {
		return nil, err
	}
	n := int64(length16(s))
	count := n - from
	if len(args) == 3 {
		if count, err = intArg("substring", args, 2); err != nil {
			return nil, err
		}
	}
	if from < 0 || count < 0 || from > n || count > n-from {
		return nil, Errorf("Unable to evaluate the template language function 'substring'. The index and length parameters must refer to a location within the string. The index parameter: '%d', the length parameter: '%d', the length of the string parameter: '%d'. %s", from, count, n, usage("substring"))
	}
	return b.text(slice16(s, int(from), int(from+count)))
}

func toString(b *Budget, args []any) (any, error) {
	if s, ok := scalar(args[0]); ok {
		return s, nil
	}
	if args[0] == nil {
		return "", nil
	}
	if err := b.Weigh(args[0]); err != nil {
		return nil, err
	}
	return b.text(string(jsonc.Append(nil, args[0])))
}

func fail(_ *Budget, args []any) (any, error) {
	s, err := stringArg("fail", args, 0)
	if err != nil {
		return nil, err
	}
	return nil, &Error{Message: s}
}
