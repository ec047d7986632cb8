package template

import (
	"cmp"
	"strings"

	"lazuli/internal/template/expr"
	"lazuli/internal/template/jsonc"
)

// parameter is one whose value is settled.
type parameter struct {
	name  string
	def   *jsonc.Object
	value any
}

func (s *scope) parameterPlace(name string) place {
	m, _ := s.t.parameters.Find(name)
	return s.t.below(m.Pos, "parameters."+m.Name)
}

// settleParameters takes the values that were given, evaluates the defaults of
// the others, and checks both.
func (s *scope) settleParameters() error {
	if err := s.onlyDeclared(); err != nil {
		return err
	}
	for m := range s.t.parameters.All() {
		if _, err := s.settle(m); err != nil {
			return err
		}
	}
	return nil
}

func (s *scope) onlyDeclared() error {
	var strange []string
	for m := range s.input.Parameters.All() {
		if !s.t.parameters.Has(m.Name) {
			strange = append(strange, m.Name)
		}
	}
	if len(strange) == 0 {
		return nil
	}
	return s.t.place.invalid("The template parameters '%s' in the parameters file are not valid; they are not present in the original template and can therefore not be provided at deployment time. The only supported parameters for this template are '%s'. Please see https://aka.ms/arm-pass-parameter-values for usage details.",
		strings.Join(strange, ", "), strings.Join(s.t.parameters.Names(), ", "))
}

// settle gives one parameter its value, once.
func (s *scope) settle(m jsonc.Member) (*parameter, error) {
	key := jsonc.Fold(m.Name)
	if p, ok := s.params[key]; ok {
		return p, nil
	}
	at := s.parameterPlace(m.Name)
	def, ok := m.Value.(*jsonc.Object)
	if !ok {
		return nil, at.invalid("The template parameter '%s' %s must be a JSON object", m.Name, at)
	}
	v, err := s.parameterValue(m.Name, def, at)
	if err != nil {
		return nil, err
	}
	if err := s.checkParameter(m.Name, def, v, at); err != nil {
		return nil, err
	}
	p := &parameter{name: m.Name, def: def, value: v}
	s.params[key] = p
	return p, nil
}

func (s *scope) parameterValue(name string, def *jsonc.Object, at place) (any, error) {
	given, _ := s.input.Parameters.Get(name)
	if given, ok := given.(*jsonc.Object); ok {
		if v, ok := given.Get("value"); ok && v != nil {
			return v, nil
		}
		if v, ok := given.Get("reference"); ok && v != nil {
			return s.secret(name, v, at)
		}
	} else if s.input.Parameters.Has(name) {
		return nil, at.invalid("The value of the template parameter '%s' must be a JSON object with a 'value' or a 'reference'. Please see https://aka.ms/arm-pass-parameter-values for usage details.", name)
	}
	if source, ok := def.Get("defaultValue"); ok {
		return s.defaultOf(name, source, at)
	}
	if nullable(def, s.t) {
		return nil, nil
	}
	return nil, at.invalid("The value for the template parameter '%s' %s is not provided. Please see https://aka.ms/arm-create-parameter-file for usage details.", name, at)
}

func (s *scope) secret(name string, v any, at place) (any, error) {
	reference, ok := v.(*jsonc.Object)
	if !ok {
		return nil, at.invalid("The 'reference' of the template parameter '%s' must be a JSON object", name)
	}
	if s.input.Secret == nil {
		return nil, &Error{Code: CodeKeyVault, Target: name, Message: "The specified KeyVault of the parameter '" + name + "' could not be found: this cloud has no key vaults. Give the value itself."}
	}
	return s.input.Secret(s.ctx, reference)
}

// defaultOf evaluates a default value, which may use other parameters.
func (s *scope) defaultOf(name string, source any, at place) (any, error) {
	key := jsonc.Fold(name)
	if s.defined[key] {
		return nil, at.invalid("Circular dependency detected on template parameter '%s'. Please see https://aka.ms/arm-syntax-parameters for usage details.", name)
	}
	s.defined[key] = true
	defer delete(s.defined, key)
	v, err := s.in(inParameter, nil).value(source)
	if err != nil {
		return nil, at.blame(err, "The template parameter '%s' %s", name, at)
	}
	return v, nil
}

// checkParameter checks a value against what the template asks of it.
func (s *scope) checkParameter(name string, def *jsonc.Object, v any, at place) error {
	check := checker{types: s.t.types, step: func() error { return s.budget.Make(16) }}
	message, err := check.value(def, v, "")
	if !s.t.version2 && !def.Has("type") && !def.Has("$ref") {
		message = noType("")
	}
	switch {
	case err != nil:
		return at.blame(err, "The template parameter '%s' %s", name, at)
	case message == "":
		return nil
	case strings.HasPrefix(message, "Expected"):
		return at.invalid("Template parameter JToken type is not valid. %s. Please see https://aka.ms/resource-manager-parameter-files for usage details.", message)
	}
	return at.invalid("The provided value for the template parameter '%s' %s is not valid. %s. Please see https://aka.ms/arm-syntax-parameters for usage details.", name, at, message)
}

// parameter is the function parameters(). In a function that the template
// defines it means the function's own.
func (s *scope) parameter(args []any) (any, error) {
	name, err := textArg("parameters", args, 0)
	if err != nil {
		return nil, err
	}
	if s.where == inFunction {
		if v, ok := s.args.Get(name); ok {
			return v, nil
		}
	} else if m, ok := s.t.parameters.Find(name); ok {
		p, err := s.settle(m)
		if err != nil {
			return nil, err
		}
		return p.value, nil
	}
	return nil, expr.Errorf("The template parameter '%s' is not found. Please see https://aka.ms/arm-syntax-parameters for usage details.", name)
}

// typeNames are types as ARM's answers spell them.
var typeNames = map[string]string{
	"string": "String", "securestring": "SecureString", "int": "Int", "bool": "Bool",
	"object": "Object", "secureobject": "SecureObject", "array": "Array",
}

// shownTypes are those of values that may be of any type.
var shownTypes = map[string]string{"String": "String", "Integer": "Int", "Boolean": "Bool", "Array": "Array"}

// Parameters are the parameters with the values that they have in the plan, as
// a deployment shows them. Secret ones have no value.
func (p *Plan) Parameters() *jsonc.Object {
	shown := jsonc.NewObject()
	for m := range p.t.parameters.All() {
		param := p.params[jsonc.Fold(m.Name)]
		shown.Set(m.Name, show(p.t, param.def, param.value))
	}
	return shown
}

// show is a parameter or an output with its type, and its value unless that
// is secret.
func show(t *Template, def *jsonc.Object, v any) *jsonc.Object {
	schema := resolve(def, t.types)
	name, _ := schema.Get("type")
	text, _ := name.(string)
	o := jsonc.NewObject("type", cmp.Or(typeNames[strings.ToLower(text)], shownTypes[expr.TypeName(v)], "Object"))
	if v, ok := redact(schema, v, t.types); ok {
		o.Set("value", v)
	}
	return o
}
