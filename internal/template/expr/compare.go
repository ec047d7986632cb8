package expr

import (
	"cmp"
	"unicode"
)

var comparisonFunctions = []function{
	{name: "equals", min: 2, max: 2, eval: func(b *Budget, args []any) (any, error) { return b.equal(args[0], args[1]) }},
	comparison("less", func(c int) bool { return c < 0 }),
	comparison("lessOrEquals", func(c int) bool { return c <= 0 }),
	comparison("greater", func(c int) bool { return c > 0 }),
	comparison("greaterOrEquals", func(c int) bool { return c >= 0 }),
}

func comparison(name string, holds func(int) bool) function {
	return function{name: name, min: 2, max: 2, eval: func(b *Budget, args []any) (any, error) {
		if x, ok := args[0].(string); ok {
			y, err := stringArg(name, args, 1)
			return holds(compareText(x, y)), firstOf(err, b.step((len(x)+len(y))/64))
		}
		x, err := number(name, args, 0)
		if err != nil {
			return nil, err
		}
		y, err := number(name, args, 1)
		return holds(compareNumbers(x, y)), err
	}}
}

func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func number(fn string, args []any, i int) (any, error) {
	switch args[i].(type) {
	case int64, float64:
		return args[i], nil
	}
	return int64(0), wrongType(fn, i, "an integer or a string, as the other is", args[i])
}

func compareNumbers(x, y any) int {
	xi, xInt := x.(int64)
	yi, yInt := y.(int64)
	if xInt && yInt {
		return cmp.Compare(xi, yi)
	}
	return cmp.Compare(asFloat(x), asFloat(y))
}

func asFloat(v any) float64 {
	if n, ok := v.(int64); ok {
		return float64(n)
	}
	return v.(float64)
}

// compareText orders strings as .NET's invariant culture does, as far as that
// is documented: signs, then digits, then letters, whose case decides only
// when all else is equal, the lower case coming first.
func compareText(x, y string) int {
	xs, ys := []rune(x), []rune(y)
	for i := 0; i < len(xs) && i < len(ys); i++ {
		if c := cmp.Compare(class(xs[i]), class(ys[i])); c != 0 {
			return c
		}
		if c := cmp.Compare(unicode.ToLower(xs[i]), unicode.ToLower(ys[i])); c != 0 {
			return c
		}
	}
	if c := cmp.Compare(len(xs), len(ys)); c != 0 {
		return c
	}
	for i := range xs {
		if xs[i] == ys[i] {
			continue
		}
		if unicode.IsLower(xs[i]) {
			return -1
		}
		return 1
	}
	return 0
}

func class(r rune) int {
	switch {
	case unicode.IsLetter(r):
		return 3
	case unicode.IsDigit(r):
		return 2
	case unicode.IsSpace(r):
		return 0
	}
	return 1
}
