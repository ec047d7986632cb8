package expr

// logicFunctions but not and the constants evaluate only the arguments that
// decide.
var logicFunctions = []function{
	{name: "if", min: 3, max: 3, lazy: ifThenElse},
	{name: "and", min: 2, max: -1, lazy: func(env *Env, args []node) (any, error) { return decide(env, "and", args, false) }},
	{name: "or", min: 2, max: -1, lazy: func(env *Env, args []node) (any, error) { return decide(env, "or", args, true) }},
	{name: "coalesce", min: 1, max: -1, lazy: coalesce},
	{name: "not", min: 1, max: 1, eval: func(_ *Budget, args []any) (any, error) {
		v, err := boolArg("not", args, 0)
		return !v, err
	}},
	{name: "true", min: 0, max: 0, eval: func(*Budget, []any) (any, error) { return true, nil }},
	{name: "false", min: 0, max: 0, eval: func(*Budget, []any) (any, error) { return false, nil }},
}

func ifThenElse(env *Env, args []node) (any, error) {
	v, err := env.eval(args[0])
	if err != nil {
		return nil, err
	}
	if v == Unknown {
		return env.either(args[1:])
	}
	condition, err := boolArg("if", []any{v}, 0)
	if err != nil {
		return nil, err
	}
	if condition {
		return env.eval(args[1])
	}
	return env.eval(args[2])
}

// either evaluates arguments of which one will be taken, for what their
// evaluation makes the Scope see. An error in one that may not be taken is
// none yet, unless the budget is used up.
func (env *Env) either(args []node) (any, error) {
	for _, a := range args {
		_, err := env.eval(a)
		if _, plain := err.(*Error); err != nil && !plain {
			return nil, err
		}
	}
	return Unknown, nil
}

// decide evaluates booleans until one is the deciding one.
func decide(env *Env, name string, args []node, deciding bool) (any, error) {
	for i, a := range args {
		v, err := env.eval(a)
		if err != nil {
			return nil, err
		}
		if v == Unknown {
			return env.either(args[i+1:])
		}
		is, ok := v.(bool)
		if !ok {
			return nil, wrongType(name, i, "a boolean", v)
		}
		if is == deciding {
			return deciding, nil
		}
	}
	return !deciding, nil
}

func coalesce(env *Env, args []node) (any, error) {
	for i, a := range args {
		v, err := env.eval(a)
		if err != nil {
			return nil, err
		}
		if v == Unknown {
			return env.either(args[i+1:])
		}
		if v != nil {
			return v, nil
		}
	}
	return nil, nil
}
