package expr

import (
	"strings"

	"lazuli/internal/template/jsonc"
)

// function is one that the package has. Either eval or lazy is set.
type function struct {
	name     string
	min, max int // arguments; max is -1 where there is no bound
	eval     func(b *Budget, args []any) (any, error)
	lazy     func(env *Env, args []node) (any, error) // evaluates its arguments itself
}

// functions are all, by their names in lower case. Functions are found when an
// expression is parsed, so that evaluation looks nothing up.
var functions map[string]*function

func init() {
	functions = map[string]*function{}
	for _, fs := range [][]function{
		textFunctions, searchFunctions, encodingFunctions, hashFunctions, uriFunctions, formatFunctions,
		arrayFunctions, objectFunctions, setFunctions, lambdaFunctions,
		numberFunctions, logicFunctions, comparisonFunctions, conversionFunctions,
		dateFunctions, cidrFunctions,
	} {
		for i := range fs {
			functions[strings.ToLower(fs[i].name)] = &fs[i]
		}
	}
}

// Functions are the names of all functions of the package.
func Functions() []string {
	names := make([]string, 0, len(functions))
	for _, f := range functions {
		names = append(names, f.name)
	}
	return names
}

func (f *function) checkCount(n int) error {
	switch {
	case n >= f.min && (f.max < 0 || n <= f.max):
		return nil
	case f.max < 0 && f.min == 1:
		return Errorf("Unable to evaluate template language function '%s'. At least one parameter should be provided. %s", f.name, usage(f.name))
	case f.max < 0:
		return Errorf("Unable to evaluate template language function '%s': function requires at least %d arguments while %d were provided. %s", f.name, f.min, n, usage(f.name))
	case f.min == f.max:
		return Errorf("Unable to evaluate template language function '%s': function requires %d argument(s) while %d were provided. %s", f.name, f.min, n, usage(f.name))
	}
	return Errorf("Unable to evaluate template language function '%s': function requires %d to %d arguments while %d were provided. %s", f.name, f.min, f.max, n, usage(f.name))
}

var ordinal = []string{"first", "second", "third", "fourth"}

// wrongType is an argument of another type than the function takes.
func wrongType(fn string, i int, want string, got any) error {
	nth := "later"
	if i < len(ordinal) {
		nth = ordinal[i]
	}
	return Errorf("The template language function '%s' expects its %s parameter to be %s. The provided value is of type '%s'. %s", fn, nth, want, TypeName(got), usage(fn))
}

// badValue is an argument of the right type that means nothing.
func badValue(fn, format string, a ...any) error {
	return Errorf("The template language function '%s' was invoked with a parameter that is not valid. %s %s", fn, Errorf(format, a...).Message, usage(fn))
}

func stringArg(fn string, args []any, i int) (string, error) {
	if s, ok := args[i].(string); ok {
		return s, nil
	}
	return "", wrongType(fn, i, "a string", args[i])
}

func intArg(fn string, args []any, i int) (int64, error) {
	if n, ok := args[i].(int64); ok {
		return n, nil
	}
	return 0, wrongType(fn, i, "an integer", args[i])
}

func arrayArg(fn string, args []any, i int) ([]any, error) {
	if a, ok := args[i].([]any); ok {
		return a, nil
	}
	return nil, wrongType(fn, i, "an array", args[i])
}

func objectArg(fn string, args []any, i int) (*jsonc.Object, error) {
	if o, ok := args[i].(*jsonc.Object); ok {
		return o, nil
	}
	return nil, wrongType(fn, i, "an object", args[i])
}

func boolArg(fn string, args []any, i int) (bool, error) {
	if v, ok := args[i].(bool); ok {
		return v, nil
	}
	return false, wrongType(fn, i, "a boolean", args[i])
}

// ofString makes a function of one string.
func ofString(name string, f func(b *Budget, s string) (any, error)) function {
	return function{name: name, min: 1, max: 1, eval: func(b *Budget, args []any) (any, error) {
		s, err := stringArg(name, args, 0)
		if err != nil {
			return nil, err
		}
		if err := b.step(len(s) / 64); err != nil {
			return nil, err
		}
		return f(b, s)
	}}
}

// ofStrings makes a function of two strings.
func ofStrings(name string, f func(b *Budget, x, y string) (any, error)) function {
	return function{name: name, min: 2, max: 2, eval: func(b *Budget, args []any) (any, error) {
		x, err := stringArg(name, args, 0)
		if err != nil {
			return nil, err
		}
		y, err := stringArg(name, args, 1)
		if err != nil {
			return nil, err
		}
		if err := b.step((len(x) + len(y)) / 64); err != nil {
			return nil, err
		}
		return f(b, x, y)
	}}
}

// ofInts makes a function of two integers.
func ofInts(name string, f func(x, y int64) (any, error)) function {
	return function{name: name, min: 2, max: 2, eval: func(_ *Budget, args []any) (any, error) {
		x, err := intArg(name, args, 0)
		if err != nil {
			return nil, err
		}
		y, err := intArg(name, args, 1)
		if err != nil {
			return nil, err
		}
		return f(x, y)
	}}
}
