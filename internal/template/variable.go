package template

import (
	"strings"

	"lazuli/internal/template/expr"
	"lazuli/internal/template/jsonc"
)

// settleVariables evaluates all variables, so that one that is wrong shows
// before anything runs, and the rest of the work only reads them.
func (s *scope) settleVariables() error {
	for _, name := range s.t.variableNames() {
		if _, err := s.settleVariable(name); err != nil {
			return err
		}
	}
	return nil
}

// variableNames are those of plain variables and of loops. A loop whose name
// is an expression has none here, and is evaluated when it is met.
func (t *Template) variableNames() []string {
	var names []string
	for m := range t.variables.All() {
		if !t.isLoops(m) {
			names = append(names, m.Name)
		}
	}
	for _, l := range t.loops {
		if def, ok := l.(*jsonc.Object); ok {
			if name, ok := def.Get("name"); ok {
				if name, ok := name.(string); ok {
					names = append(names, name)
				}
			}
		}
	}
	return names
}

func (t *Template) isLoops(m jsonc.Member) bool {
	return t.loops != nil && strings.EqualFold(m.Name, "copy")
}

// settleVariable evaluates one variable, once.
func (s *scope) settleVariable(name string) (any, error) {
	key := jsonc.Fold(name)
	if v, ok := s.vars[key]; ok {
		return v, nil
	}
	m, isPlain := s.t.variables.Find(name)
	isPlain = isPlain && !s.t.isLoops(m)
	loop := s.t.variableLoop(name)
	if !isPlain && loop == nil {
		return nil, expr.Errorf("The template variable '%s' is not found. Please see https://aka.ms/arm-syntax-variables for usage details.", name)
	}
	if s.pending[key] {
		return nil, expr.Errorf("Circular dependency detected on template variable '%s'. Please see https://aka.ms/arm-syntax-variables for usage details.", name)
	}
	s.pending[key] = true
	defer delete(s.pending, key)
	v, err := s.evaluateVariable(m, name, loop)
	if err != nil {
		return nil, err
	}
	s.vars[key] = v
	return v, nil
}

func (s *scope) evaluateVariable(m jsonc.Member, name string, def *jsonc.Object) (v any, err error) {
	at := s.t.below(m.Pos, "variables."+name)
	if def != nil {
		at = s.t.below(def.Pos, "variables.copy")
		v, err = s.in(inVariable, nil).iterate(def, name)
	} else {
		v, err = s.in(inVariable, nil).value(m.Value)
	}
	if err != nil {
		return nil, at.blame(err, "The template variable '%s'", name)
	}
	return v, nil
}

func (t *Template) variableLoop(name string) *jsonc.Object {
	for _, l := range t.loops {
		def, _ := l.(*jsonc.Object)
		if n, _ := def.Get("name"); n != nil {
			if n, ok := n.(string); ok && strings.EqualFold(n, name) {
				return def
			}
		}
	}
	return nil
}

// variable is the function variables().
func (s *scope) variable(args []any) (any, error) {
	name, err := textArg("variables", args, 0)
	if err != nil {
		return nil, err
	}
	if s.where == inFunction && !s.t.version2 {
		return nil, notHere("variables")
	}
	return s.settleVariable(name)
}
