package template

import (
	"context"
	"errors"

	"lazuli/internal/template/expr"
	"lazuli/internal/template/jsonc"
)

// where says what an expression stands in, which decides the functions that it
// may use.
type where int

const (
	inParameter where = iota // a default value
	inVariable
	inFunction // a function that the template defines
	inName     // a name, condition, count or dependency: known before anything runs
	inBody     // of a resource
	inOutput
)

func (w where) runs() bool { return w == inBody || w == inOutput }

// scope evaluates values in one place of the template. It is the expr.Scope of
// their expressions. Each evaluation has one of its own.
type scope struct {
	*deployment
	ctx     context.Context
	budget  *expr.Budget
	where   where
	loop    *loop
	args    *jsonc.Object   // of a function that the template defines
	calls   int             // of such functions in each other
	runtime Runtime         // nil while planning: then nothing of it is known
	refs    *[]reference    // what the evaluation wanted to know of it
	unknown *bool           // whether it wanted what is not known yet
	seen    map[string]any  // what it already told
	defined map[string]bool // parameters whose default is being evaluated
	pending map[string]bool // variables that are being evaluated
}

// loop is the instance of a copy that is being evaluated.
type loop struct {
	name     string
	index    int
	resource bool // a loop of resources, not of a property
	outer    *loop
}

// in is the same evaluation in another place.
func (s *scope) in(w where, l *loop) *scope {
	c := *s
	c.where, c.loop = w, l
	return &c
}

// text evaluates a string of the template. A string whose value is not known
// yet stays what it is.
func (s *scope) text(source string) (any, error) {
	if err := s.budget.Make(len(source)); err != nil {
		return nil, err
	}
	if !expr.Is(source) {
		return expr.Unescape(source), nil
	}
	v, err := s.expression(source)
	if err != nil {
		return nil, err
	}
	if v == expr.Unknown {
		*s.unknown = true
		return source, nil
	}
	return v, s.budget.Weigh(v)
}

func (s *scope) expression(source string) (any, error) {
	e, err := s.t.expr(source)
	if err != nil {
		return nil, err
	}
	return e.Eval(&expr.Env{Scope: s, Budget: s.budget})
}

// value evaluates a value of the template and all that it holds.
func (s *scope) value(v any) (any, error) {
	switch v := v.(type) {
	case string:
		return s.text(v)
	case []any:
		return s.array(v)
	case *jsonc.Object:
		return s.object(v, nil)
	}
	return v, s.budget.Make(8)
}

func (s *scope) array(a []any) (any, error) {
	if err := s.budget.Make(24 + 16*len(a)); err != nil {
		return nil, err
	}
	out := make([]any, len(a))
	for i, e := range a {
		v, err := s.value(e)
		if err != nil {
			return nil, err
		}
		out[i] = v
	}
	return out, nil
}

// object evaluates an object but for the members that skip names in lower
// case. A member "copy" that is a list of loops becomes a member for each.
func (s *scope) object(o *jsonc.Object, skip map[string]bool) (*jsonc.Object, error) {
	if err := s.budget.Make(128 * o.Len()); err != nil {
		return nil, err
	}
	out := jsonc.Make(o.Len())
	for m := range o.All() {
		if skip != nil && skip[jsonc.Fold(m.Name)] {
			continue
		}
		if loops := loopsOf(m); loops != nil {
			if err := s.properties(out, loops); err != nil {
				return nil, err
			}
			continue
		}
		name, err := s.name(m.Name)
		if err != nil {
			return nil, err
		}
		v, err := s.value(m.Value)
		if err != nil {
			return nil, err
		}
		out.Set(name, v)
	}
	return out, nil
}

// name evaluates the name of a property, which may be an expression.
func (s *scope) name(source string) (string, error) {
	v, err := s.text(source)
	if err != nil {
		return "", err
	}
	name, ok := v.(string)
	if !ok {
		return "", expr.Errorf("The language expression '%s' of a property name must be a string and is of type '%s'.", source, expr.TypeName(v))
	}
	return name, nil
}

// string evaluates what has to be a string.
func (s *scope) string(v any, what string) (string, error) {
	v, err := s.value(v)
	if err != nil {
		return "", err
	}
	if text, ok := v.(string); ok {
		return text, nil
	}
	return "", expr.Errorf("The %s must be a string. The provided value is of type '%s'", what, expr.TypeName(v))
}

// ErrUnknown is what a Runtime says of a resource that is not there yet, and
// what evaluations say that need one.
var ErrUnknown = errors.New("not known yet")
