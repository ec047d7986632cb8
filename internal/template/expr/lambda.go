package expr

import (
	"strings"

	"lazuli/internal/template/jsonc"
)

// lambdaFunctions evaluate an expression over and over: lambda('x', …), whose
// value is known only as an argument of one of them.
var lambdaFunctions = []function{
	{name: "lambda", min: 1, max: -1, lazy: func(*Env, []node) (any, error) {
		return nil, Errorf("The template function 'lambda' is not expected at this location. %s", usage("lambda"))
	}},
	{name: "lambdaVariables", min: 1, max: 1, lazy: lambdaVariable},
	{name: "map", min: 2, max: 2, lazy: mapArray},
	{name: "filter", min: 2, max: 2, lazy: filter},
	{name: "sort", min: 2, max: 2, lazy: sortArray},
	{name: "reduce", min: 3, max: 3, lazy: reduce},
	{name: "toObject", min: 2, max: 3, lazy: toObject},
	{name: "groupBy", min: 2, max: 3, lazy: groupBy},
	{name: "mapValues", min: 2, max: 2, lazy: mapValues},
}

// frame is the variables of a lambda that is being evaluated, within those of
// the lambdas around it.
type frame struct {
	names  []string
	values []any
	outer  *frame
}

func lambdaVariable(env *Env, args []node) (any, error) {
	v, err := env.eval(args[0])
	if err != nil {
		return nil, err
	}
	name, err := stringArg("lambdaVariables", []any{v}, 0)
	if err != nil {
		return nil, err
	}
	for f := env.frame; f != nil; f = f.outer {
		for i := range f.names {
			if strings.EqualFold(f.names[i], name) {
				return f.values[i], env.Budget.step(1)
			}
		}
	}
	return nil, Errorf("The template lambda variable '%s' is not found. %s", clip(name), usage("lambdaVariables"))
}

// lambda is an expression with names for its arguments.
type lambda struct {
	env   *Env
	names []string
	body  node
}

// lambdaArg reads argument i of fn as a lambda of least to most parameters.
func (env *Env) lambdaArg(fn string, args []node, i, least, most int) (*lambda, error) {
	c, ok := args[i].(*call)
	if !ok || c.key != "lambda" || c.namespace != "" {
		return nil, Errorf("The template language function '%s' expects its %s parameter to be a lambda function. %s", fn, ordinal[i], usage(fn))
	}
	n := len(c.args) - 1
	if n < least || n > most {
		return nil, Errorf("The template language function '%s' expects a lambda function of %d to %d parameters. The provided one has %d. %s", fn, least, most, n, usage(fn))
	}
	l := &lambda{env: env, body: c.args[n]}
	for _, a := range c.args[:n] {
		name, ok := a.(literal)
		s, isString := name.value.(string)
		if !ok || !isString {
			return nil, Errorf("The template function 'lambda' expects the names of its parameters to be strings. %s", usage("lambda"))
		}
		l.names = append(l.names, s)
	}
	return l, nil
}

// call evaluates the lambda with as many of the values as it has names for.
func (l *lambda) call(values ...any) (any, error) {
	if err := l.env.Budget.step(1); err != nil {
		return nil, err
	}
	outer := l.env.frame
	l.env.frame = &frame{names: l.names, values: values[:len(l.names)], outer: outer}
	defer func() { l.env.frame = outer }()
	return l.env.eval(l.body)
}

func (l *lambda) test(fn string, values ...any) (is, known bool, err error) {
	v, err := l.call(values...)
	if err != nil || v == Unknown {
		return false, false, err
	}
	is, ok := v.(bool)
	if !ok {
		return false, false, Errorf("The template language function '%s' expects its lambda function to return a boolean. The returned value is of type '%s'. %s", fn, TypeName(v), usage(fn))
	}
	return is, true, nil
}

// array evaluates the first argument of fn. It is nil if that is not known.
func (env *Env) array(fn string, args []node) ([]any, error) {
	v, err := env.eval(args[0])
	if err != nil || v == Unknown {
		return nil, err
	}
	a, err := arrayArg(fn, []any{v}, 0)
	if a == nil && err == nil {
		a = []any{}
	}
	return a, err
}

func mapArray(env *Env, args []node) (any, error) {
	l, err := env.lambdaArg("map", args, 1, 1, 2)
	if err != nil {
		return nil, err
	}
	a, err := env.array("map", args)
	if err != nil || a == nil {
		return Unknown, err
	}
	mapped, known := make([]any, len(a)), true
	for i, e := range a {
		if mapped[i], err = l.call(e, int64(i)); err != nil {
			return nil, err
		}
		known = known && mapped[i] != Unknown
	}
	if !known {
		return Unknown, nil
	}
	return env.Budget.list(mapped)
}

func filter(env *Env, args []node) (any, error) {
	l, err := env.lambdaArg("filter", args, 1, 1, 2)
	if err != nil {
		return nil, err
	}
	a, err := env.array("filter", args)
	if err != nil || a == nil {
		return Unknown, err
	}
	kept, all := []any{}, true
	for i, e := range a {
		is, known, err := l.test("filter", e, int64(i))
		if err != nil {
			return nil, err
		}
		if is {
			kept = append(kept, e)
		}
		all = all && known
	}
	if !all {
		return Unknown, nil
	}
	return env.Budget.list(kept)
}

func reduce(env *Env, args []node) (any, error) {
	l, err := env.lambdaArg("reduce", args, 2, 2, 3)
	if err != nil {
		return nil, err
	}
	a, err := env.array("reduce", args)
	if err != nil {
		return nil, err
	}
	acc, err := env.eval(args[1])
	if err != nil || a == nil || acc == Unknown {
		return Unknown, err
	}
	for i, e := range a {
		if acc, err = l.call(acc, e, int64(i)); err != nil {
			return nil, err
		}
		if acc == Unknown {
			return Unknown, nil
		}
	}
	return acc, nil
}

// errUnknown ends a sort whose order is not known yet.
var errUnknown = Errorf("the order is not known yet")

// sortArray merges, so that any lambda at all ends it, and equal elements keep
// their order.
func sortArray(env *Env, args []node) (any, error) {
	l, err := env.lambdaArg("sort", args, 1, 2, 2)
	if err != nil {
		return nil, err
	}
	a, err := env.array("sort", args)
	if err != nil || a == nil {
		return Unknown, err
	}
	if err := env.Budget.Make(32 * len(a)); err != nil {
		return nil, err
	}
	done, err := mergeSort(a, func(x, y any) (bool, error) {
		is, known, err := l.test("sort", x, y)
		if err == nil && !known {
			err = errUnknown
		}
		return is, err
	})
	if err == error(errUnknown) {
		return Unknown, nil
	}
	return done, err
}

func mergeSort(a []any, less func(x, y any) (bool, error)) ([]any, error) {
	if len(a) < 2 {
		return a, nil
	}
	left, err := mergeSort(a[:len(a)/2], less)
	if err != nil {
		return nil, err
	}
	right, err := mergeSort(a[len(a)/2:], less)
	if err != nil {
		return nil, err
	}
	merged := make([]any, 0, len(a))
	for len(left) > 0 && len(right) > 0 {
		later, err := less(right[0], left[0])
		if err != nil {
			return nil, err
		}
		if later {
			merged, right = append(merged, right[0]), right[1:]
		} else {
			merged, left = append(merged, left[0]), left[1:]
		}
	}
	return append(append(merged, left...), right...), nil
}

// keyed evaluates fn(array, key lambda, [value lambda]) and hands each pair
// on. It returns false if not all is known.
func (env *Env) keyed(fn string, args []node, put func(key string, value any) error) (bool, error) {
	keys, err := env.lambdaArg(fn, args, 1, 1, 1)
	if err != nil {
		return false, err
	}
	var values *lambda
	if len(args) == 3 {
		if values, err = env.lambdaArg(fn, args, 2, 1, 1); err != nil {
			return false, err
		}
	}
	a, err := env.array(fn, args)
	if err != nil || a == nil {
		return false, err
	}
	for _, e := range a {
		k, err := keys.call(e)
		v := e
		if err == nil && values != nil {
			v, err = values.call(e)
		}
		if err != nil || k == Unknown || v == Unknown {
			return false, err
		}
		name, ok := scalar(k)
		if !ok {
			return false, Errorf("The template language function '%s' expects its key lambda function to return a string. The returned value is of type '%s'. %s", fn, TypeName(k), usage(fn))
		}
		if err := firstOf(env.Budget.Make(memberBytes), put(name, v)); err != nil {
			return false, err
		}
	}
	return true, nil
}

func toObject(env *Env, args []node) (any, error) {
	o := jsonc.NewObject()
	known, err := env.keyed("toObject", args, func(k string, v any) error {
		if o.Has(k) {
			return badValue("toObject", "The key '%s' is returned more than once.", clip(k))
		}
		o.Set(k, v)
		return nil
	})
	if err != nil || !known {
		return Unknown, err
	}
	return o, nil
}

func groupBy(env *Env, args []node) (any, error) {
	groups := jsonc.NewObject()
	known, err := env.keyed("groupBy", args, func(k string, v any) error {
		group, _ := groups.Get(k)
		members, _ := group.([]any)
		groups.SetFold(k, append(members, v))
		return nil
	})
	if err != nil || !known {
		return Unknown, err
	}
	return groups, nil
}

func mapValues(env *Env, args []node) (any, error) {
	l, err := env.lambdaArg("mapValues", args, 1, 1, 1)
	if err != nil {
		return nil, err
	}
	v, err := env.eval(args[0])
	if err != nil || v == Unknown {
		return Unknown, err
	}
	o, err := objectArg("mapValues", []any{v}, 0)
	if err != nil {
		return nil, err
	}
	mapped := o.Clone()
	for m := range o.All() {
		v, err := l.call(m.Value)
		if err != nil || v == Unknown {
			return Unknown, err
		}
		mapped.Set(m.Name, v)
	}
	return mapped, env.Budget.Make(memberBytes * o.Len())
}
