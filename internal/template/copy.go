package template

import (
	"strings"

	"lazuli/internal/template/expr"
	"lazuli/internal/template/jsonc"
)

// loopsOf are the loops of a member "copy", or nil if it is anything else.
func loopsOf(m jsonc.Member) []*jsonc.Object {
	list, ok := m.Value.([]any)
	if !ok || len(list) == 0 || !strings.EqualFold(m.Name, "copy") {
		return nil
	}
	loops := make([]*jsonc.Object, len(list))
	for i, e := range list {
		o, ok := e.(*jsonc.Object)
		if !ok || !o.Has("name") || !o.Has("count") || !o.Has("input") {
			return nil
		}
		loops[i] = o
	}
	return loops
}

// properties evaluates loops into the object that they stand in.
func (s *scope) properties(into *jsonc.Object, loops []*jsonc.Object) error {
	for _, def := range loops {
		v, _ := def.Get("name")
		name, err := s.in(inName, s.loop).string(v, "name of a template copy")
		if err != nil {
			return err
		}
		list, err := s.iterate(def, name)
		if err != nil {
			return err
		}
		into.Set(name, list)
	}
	return nil
}

// iterate evaluates the input of a loop as often as its count says.
func (s *scope) iterate(def *jsonc.Object, name string) ([]any, error) {
	n, err := s.count(def)
	if err != nil {
		return nil, err
	}
	input, ok := def.Get("input")
	if !ok {
		return nil, expr.Errorf("The template 'copy' definition %s has no input", place{pos: def.Pos})
	}
	if err := s.budget.Make(512 + 32*n); err != nil {
		return nil, err
	}
	list := make([]any, n)
	l := &loop{name: name, outer: s.loop}
	in := s.in(s.where, l)
	for i := range list {
		l.index = i
		if list[i], err = in.value(input); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// count evaluates the count of a loop.
func (s *scope) count(def *jsonc.Object) (int, error) {
	where := inName
	if !s.where.runs() {
		where = s.where
	}
	source, _ := def.Get("count")
	v, err := s.in(where, s.loop).value(source)
	if err != nil {
		return 0, err
	}
	n, ok := v.(int64)
	if !ok || n < 0 || n > MaxCopy {
		return 0, expr.Errorf("The template 'copy' definition %s has an invalid copy count. The copy count must be a positive integer value and cannot exceed '%d'. Please see https://aka.ms/arm-copy for usage details.", place{pos: def.Pos}, MaxCopy)
	}
	return int(n), nil
}

// copyIndex is copyIndex([name], [offset]). Without a name it means the loop
// of the resource, and where there is none the innermost.
func (s *scope) copyIndex(args []any) (any, error) {
	name, offset := "", int64(0)
	rest := args
	if len(rest) > 0 {
		if text, ok := rest[0].(string); ok {
			name, rest = text, rest[1:]
		}
	}
	if len(rest) > 0 {
		n, ok := rest[0].(int64)
		if !ok || len(rest) > 1 {
			return nil, expr.Errorf("The template function 'copyIndex' has an invalid parameter. It takes the name of a loop and an offset, both of which may be left out. Please see https://aka.ms/arm-copy for usage details.")
		}
		offset = n
	}
	if l := s.findLoop(name); l != nil {
		return int64(l.index) + offset, nil
	}
	if name != "" {
		return nil, expr.Errorf("The template function 'copyIndex' is not expected at this location. No copy loop '%s' is around it. Please see https://aka.ms/arm-copy for usage details.", name)
	}
	return nil, expr.Errorf("The template function 'copyIndex' is not expected at this location. The function can only be used in a resource with copy specified. Please see https://aka.ms/arm-copy for usage details.")
}

func (s *scope) findLoop(name string) *loop {
	if name == "" {
		for l := s.loop; l != nil; l = l.outer {
			if l.resource {
				return l
			}
		}
		return s.loop
	}
	for l := s.loop; l != nil; l = l.outer {
		if strings.EqualFold(l.name, name) {
			return l
		}
	}
	return nil
}
