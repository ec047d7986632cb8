package template

import (
	"strings"

	"lazuli/internal/template/expr"
	"lazuli/internal/template/jsonc"
)

// userFunction is a function that the template defines.
type userFunction struct {
	name       string // namespace.name
	parameters []any
	value      any
}

func (t *Template) readFunctions() error {
	v, _ := t.root.Get("functions")
	list, ok := v.([]any)
	if !ok && v != nil {
		return t.section("functions").invalid("The template section 'functions' must be an array")
	}
	t.functions = map[string]*userFunction{}
	for _, e := range list {
		o, _ := e.(*jsonc.Object)
		if err := t.readNamespace(o); err != nil {
			return err
		}
	}
	return nil
}

func (t *Template) readNamespace(o *jsonc.Object) error {
	at := t.section("functions")
	v, _ := o.Get("namespace")
	namespace, ok := v.(string)
	if !ok || namespace == "" {
		return at.invalid("The template functions must have a namespace. Please see https://aka.ms/arm-syntax-functions for usage details.")
	}
	v, _ = o.Get("members")
	members, _ := v.(*jsonc.Object)
	for m := range members.All() {
		def, _ := m.Value.(*jsonc.Object)
		v, _ := def.Get("output")
		output, ok := v.(*jsonc.Object)
		value, hasValue := output.Get("value")
		if !ok || !hasValue {
			return at.invalid("The template function '%s.%s' %s must have an output with a value. Please see https://aka.ms/arm-syntax-functions for usage details.", namespace, m.Name, place{pos: m.Pos})
		}
		f := &userFunction{name: namespace + "." + m.Name, value: value}
		if v, _ := def.Get("parameters"); v != nil {
			if f.parameters, ok = v.([]any); !ok {
				return at.invalid("The parameters of the template function '%s' must be an array", f.name)
			}
		}
		t.functions[strings.ToLower(f.name)] = f
	}
	return nil
}

// maxCalls bounds functions of the template in each other.
const maxCalls = 100

// userCall evaluates a function that the template defines, in which there are
// only its own parameters.
func (s *scope) userCall(env *expr.Env, c expr.Call) (any, error) {
	f := s.t.functions[strings.ToLower(c.Namespace+"."+c.Name)]
	if f == nil {
		return nil, expr.ErrNoFunction
	}
	if len(c.Args) != len(f.parameters) {
		return nil, expr.Errorf("The template function '%s' requires %d argument(s) while %d were provided. Please see https://aka.ms/arm-syntax-functions for usage details.", f.name, len(f.parameters), len(c.Args))
	}
	args := jsonc.NewObject()
	check := checker{types: s.t.types, step: func() error { return s.budget.Make(16) }}
	for i, p := range f.parameters {
		def, _ := p.(*jsonc.Object)
		name, _ := def.Get("name")
		text, ok := name.(string)
		if !ok {
			return nil, expr.Errorf("The template function '%s' has a parameter without a name.", f.name)
		}
		message, err := check.value(def, c.Args[i], "")
		if err != nil {
			return nil, err
		}
		if message != "" {
			return nil, expr.Errorf("The value for the parameter '%s' of the template function '%s' is not valid. %s.", text, f.name, message)
		}
		args.Set(text, c.Args[i])
	}
	inner := s.in(inFunction, nil)
	inner.args = args
	if inner.calls++; inner.calls > maxCalls {
		return nil, &expr.BudgetError{Message: "The template functions call each other too deeply."}
	}
	return inner.user(env, f.value)
}

// user evaluates the value of a function, whose depth counts with that of the
// expression that called it.
func (s *scope) user(env *expr.Env, v any) (any, error) {
	text, ok := v.(string)
	if !ok || !expr.Is(text) {
		return s.value(v)
	}
	e, err := s.t.expr(text)
	if err != nil {
		return nil, err
	}
	return e.Eval(env.With(s))
}
