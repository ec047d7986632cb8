package expr

import (
	"errors"
	"strconv"
	"strings"

	"lazuli/internal/template/jsonc"
)

// Scope is what an expression is evaluated in: it has the functions that this
// package has not.
type Scope interface {
	// Call evaluates a function. It returns ErrNoFunction for one that it does
	// not have.
	Call(env *Env, c Call) (any, error)
}

// Call is a function and its arguments, none of which is Unknown.
type Call struct {
	Namespace string // of a function that a template defines
	Name      string // as it is spelled
	Key       string // in lower case
	Args      []any
}

type unknown struct{}

// Unknown is the value of what cannot be known yet, and of every expression
// that needs such a value.
var Unknown any = unknown{}

// Env is what evaluation carries along.
type Env struct {
	Scope  Scope
	Budget *Budget
	depth  int
	frame  *frame
}

// maxDepth bounds calls in calls at run time, over all expressions under way.
const maxDepth = 1024

// Eval evaluates an expression.
func (e *Expr) Eval(env *Env) (any, error) { return env.eval(e.root) }

// With is the environment for an expression that is evaluated on behalf of
// another one: in another scope, and without its lambda variables.
func (env *Env) With(s Scope) *Env {
	return &Env{Scope: s, Budget: env.Budget, depth: env.depth}
}

func (env *Env) eval(n node) (any, error) {
	switch n := n.(type) {
	case literal:
		return n.value, nil
	case *call:
		return env.call(n)
	case *access:
		return env.access(n)
	}
	return nil, Errorf("The language expression is not valid.")
}

func (env *Env) call(c *call) (any, error) {
	if err := env.Budget.step(1); err != nil {
		return nil, err
	}
	if env.depth++; env.depth > maxDepth {
		return nil, &BudgetError{Message: "The template language functions call each other too deeply."}
	}
	defer func() { env.depth-- }()
	if c.fn != nil && c.fn.lazy != nil {
		return c.fn.lazy(env, c.args)
	}
	args, known, err := env.args(c.args)
	if err != nil || !known {
		return Unknown, err
	}
	if c.fn != nil {
		return c.fn.eval(env.Budget, args)
	}
	v, err := env.Scope.Call(env, Call{Namespace: c.namespace, Name: c.name, Key: c.key, Args: args})
	if errors.Is(err, ErrNoFunction) {
		return nil, Errorf("The template function '%s' is not valid. Please see https://aka.ms/arm-functions for usage details.", c.spelled())
	}
	return v, err
}

func (c *call) spelled() string {
	if c.namespace != "" {
		return c.namespace + "." + c.name
	}
	return c.name
}

// args evaluates all arguments, so that an error in one shows even when
// another is not known yet.
func (env *Env) args(nodes []node) (args []any, known bool, err error) {
	args, known = make([]any, len(nodes)), true
	for i, n := range nodes {
		if args[i], err = env.eval(n); err != nil {
			return nil, false, err
		}
		if args[i] == Unknown {
			known = false
		}
	}
	return args, known, nil
}

func (env *Env) access(n *access) (any, error) {
	if err := env.Budget.step(1); err != nil {
		return nil, err
	}
	base, err := env.eval(n.base)
	if err != nil {
		return nil, err
	}
	key, err := env.eval(n.key)
	if err != nil || base == Unknown || key == Unknown {
		return Unknown, err
	}
	return get(base, key)
}

// get is base.key or base[key].
func get(base, key any) (any, error) {
	switch b := base.(type) {
	case *jsonc.Object:
		name, ok := key.(string)
		if !ok {
			return nil, Errorf("The language expression property '%s' can't be evaluated, property name must be a string.", show(key))
		}
		if v, ok := b.Get(name); ok {
			return v, nil
		}
		return nil, Errorf("The language expression property '%s' doesn't exist, available properties are '%s'.", name, clip(strings.Join(b.Names(), ", ")))
	case []any:
		i, ok := key.(int64)
		if !ok {
			return nil, Errorf("The language expression property '%s' can't be evaluated, property name must be an integer.", show(key))
		}
		if i < 0 || i >= int64(len(b)) {
			return nil, Errorf("The language expression property array index '%d' is out of bounds.", i)
		}
		return b[i], nil
	case nil:
		return nil, Errorf("The language expression property '%s' can't be evaluated, its object is null.", show(key))
	}
	return nil, Errorf("The language expression property '%s' can't be evaluated on a value of type '%s'.", show(key), TypeName(base))
}

// TypeName is the name that Azure's messages give to the type of a value.
func TypeName(v any) string {
	switch v.(type) {
	case nil:
		return "Null"
	case bool:
		return "Boolean"
	case int64:
		return "Integer"
	case float64:
		return "Float"
	case string:
		return "String"
	case []any:
		return "Array"
	case *jsonc.Object:
		return "Object"
	}
	return "Function"
}

func show(v any) string {
	switch v := v.(type) {
	case string:
		return clip(v)
	case int64:
		return strconv.FormatInt(v, 10)
	}
	return TypeName(v)
}
