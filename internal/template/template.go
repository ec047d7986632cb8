package template

import (
	"errors"
	"strings"
	"sync"

	"lazuli/internal/template/expr"
	"lazuli/internal/template/jsonc"
)

// Template is a template that was read: its sections are there and within
// their limits, and nothing is evaluated. Several goroutines may use one.
type Template struct {
	root       *jsonc.Object
	place      place
	version2   bool // languageVersion 2.0, or resources by symbolic names
	parameters *jsonc.Object
	variables  *jsonc.Object
	loops      []any // of variables
	outputs    *jsonc.Object
	types      *jsonc.Object
	functions  map[string]*userFunction // by namespace.name in lower case
	resources  []declared

	mu    sync.Mutex
	exprs map[string]*expr.Expr
}

// declared is a resource as the template has it.
type declared struct {
	symbol string
	def    *jsonc.Object
	place  place
}

// Parse reads the text of a template: a file, or the answer to a template link.
func Parse(text []byte) (*Template, error) {
	if len(text) > MaxSize {
		return nil, place{}.invalid("The template size limit exceeded. Limit: '%d' bytes and actual: '%d'", MaxSize, len(text))
	}
	v, err := jsonc.Parse(text)
	if err != nil {
		return nil, parseFailed(err)
	}
	o, ok := v.(*jsonc.Object)
	if !ok {
		return nil, parseFailed(errors.New("the template is not a JSON object"))
	}
	return New(o, "")
}

func parseFailed(err error) *Error {
	e := &Error{Code: CodeInvalidTemplate, Message: "Deployment template parse failed: '" + err.Error() + "'."}
	var bad *jsonc.SyntaxError
	if errors.As(err, &bad) {
		e.AdditionalInfo = []AdditionalInfo{{Type: "TemplateViolation", Info: Violation{bad.Pos.Line, bad.Pos.Column, ""}}}
	}
	return e
}

// sections are all that a template may have at its top.
var sections = map[string]bool{
	"$schema": true, "contentversion": true, "apiprofile": true, "languageversion": true, "metadata": true,
	"definitions": true, "parameters": true, "functions": true, "variables": true, "resources": true, "outputs": true,
}

// New makes a template of a value that was read with the request around it.
// path is where in the request the value is: "properties.template".
func New(root *jsonc.Object, path string) (*Template, error) {
	t := &Template{root: root, place: place{root.Pos, path}, exprs: map[string]*expr.Expr{}}
	for m := range root.All() {
		if !sections[strings.ToLower(m.Name)] && !isEmpty(m.Value) {
			return nil, t.section(m.Name).invalid("Could not find member '%s' on object of type 'Template'", m.Name)
		}
	}
	if v, ok := root.Get("languageVersion"); ok {
		t.version2 = v == "2.0" || v == "2.1-experimental"
		if !t.version2 && v != "1.0" {
			return nil, t.section("languageVersion").invalid("The template language version is not supported. The supported versions are '1.0, 2.0'")
		}
	}
	for _, read := range []func() error{
		t.readParameters, t.readVariables, t.readFunctions, t.readResources, t.readOutputs,
	} {
		if err := read(); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// ContentVersion is the version that the template says it is of.
func (t *Template) ContentVersion() string {
	v, _ := t.root.Get("contentVersion")
	s, _ := v.(string)
	return s
}

func isEmpty(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case []any:
		return len(v) == 0
	case *jsonc.Object:
		return v.Len() == 0
	}
	return false
}

// below is the place of a path from the top of the template.
func (t *Template) below(pos jsonc.Pos, path string) place {
	if t.place.path != "" {
		path = t.place.path + "." + path
	}
	return place{pos, path}
}

func (t *Template) section(name string) place {
	m, _ := t.root.Find(name)
	return t.below(m.Pos, name)
}

// object is a section that is an object, or empty.
func (t *Template) object(name string) (*jsonc.Object, error) {
	v, _ := t.root.Get(name)
	switch v := v.(type) {
	case nil:
		return jsonc.NewObject(), nil
	case *jsonc.Object:
		return v, nil
	}
	return nil, t.section(name).invalid("The template section '%s' must be a JSON object", name)
}

func (t *Template) readParameters() (err error) {
	if t.types, err = t.object("definitions"); err != nil {
		return err
	}
	if t.parameters, err = t.object("parameters"); err != nil {
		return err
	}
	return t.atMost("parameters", t.parameters.Len(), MaxParameters)
}

func (t *Template) atMost(what string, n, limit int) error {
	if n > limit {
		return t.section(what).invalid("The number of template %s limit exceeded. Limit: '%d' and actual: '%d'. Please see https://aka.ms/arm-syntax-%s for usage details.", what, limit, n, what)
	}
	return nil
}

func (t *Template) readVariables() (err error) {
	if t.variables, err = t.object("variables"); err != nil {
		return err
	}
	n := t.variables.Len()
	if v, ok := t.variables.Get("copy"); ok {
		if t.loops, ok = v.([]any); !ok {
			return t.section("variables").invalid("The template variables section has a 'copy' that is not an array")
		}
		n += len(t.loops) - 1
	}
	return t.atMost("variables", n, MaxVariables)
}

func (t *Template) readOutputs() (err error) {
	if t.outputs, err = t.object("outputs"); err != nil {
		return err
	}
	return t.atMost("outputs", t.outputs.Len(), MaxOutputs)
}

func (t *Template) readResources() (err error) {
	v, ok := t.root.Get("resources")
	if !ok {
		return t.place.invalid("The template is missing its required property 'resources'")
	}
	if _, ok := v.(*jsonc.Object); ok {
		t.version2 = true
	}
	if t.resources, err = declaredIn(v, t.section("resources")); err != nil {
		return err
	}
	return t.atMost("resources", len(t.resources), MaxResources)
}

// declaredIn reads an array of resources, or an object of them by symbolic name.
func declaredIn(v any, at place) ([]declared, error) {
	var all []declared
	add := func(symbol string, v any, at place) error {
		def, ok := v.(*jsonc.Object)
		if !ok {
			return at.invalid("The template resource %s must be a JSON object", at)
		}
		at.pos = def.Pos
		all = append(all, declared{symbol, def, at})
		return nil
	}
	switch v := v.(type) {
	case nil:
	case []any:
		for i, e := range v {
			if err := add("", e, at.at(at.pos, "[%d]", i)); err != nil {
				return nil, err
			}
		}
	case *jsonc.Object:
		for m := range v.All() {
			if err := add(m.Name, m.Value, at.at(m.Pos, ".%s", m.Name)); err != nil {
				return nil, err
			}
		}
	default:
		return nil, at.invalid("The template section 'resources' must be an array or an object")
	}
	return all, nil
}

// expr parses an expression once, however often it is evaluated.
func (t *Template) expr(source string) (*expr.Expr, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if e, ok := t.exprs[source]; ok {
		return e, nil
	}
	e, err := expr.Parse(source)
	if err == nil {
		t.exprs[source] = e
	}
	return e, err
}
