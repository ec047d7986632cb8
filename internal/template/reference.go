package template

import (
	"errors"
	"strings"

	"lazuli/internal/template/expr"
	"lazuli/internal/template/jsonc"
)

// reference is a resource that an expression asks for while the deployment
// runs, and so one that has to be there first.
type reference struct {
	target string // as it is written: a name, an id, a symbolic name
}

// reference is the function reference(name or id, [api version], ['Full']).
func (s *scope) reference(args []any) (any, error) {
	texts, err := textArgs("reference", args)
	if err != nil {
		return nil, err
	}
	version, full := "", false
	for _, t := range texts[1:] {
		if strings.EqualFold(t, "Full") {
			full = true
		} else {
			version = t
		}
	}
	r, id, version, err := s.target("reference", texts[0], version)
	if err != nil {
		return nil, err
	}
	return s.get(r, id, version, full)
}

// target finds what an expression refers to: a resource of the template, which
// then has to be there first, or any other by its id.
func (s *scope) target(fn, name, version string) (r *Resource, id, apiVersion string, err error) {
	if !s.where.runs() {
		return nil, "", "", notHere(fn)
	}
	r, err = s.index.find(name)
	switch {
	case err != nil:
		return nil, "", "", err
	case r == nil && (!strings.HasPrefix(name, "/") || version == ""):
		return nil, "", "", expr.Errorf("The template reference '%s' is not valid: could not find template resource or resource copy with this name. Please see https://aka.ms/arm-function-reference for usage details.", name)
	case r == nil:
		return nil, name, version, nil
	}
	if s.refs != nil {
		*s.refs = append(*s.refs, reference{target: r.ID})
	}
	if version == "" {
		version = r.APIVersion
	}
	return r, r.ID, version, nil
}

// get is the resource as it is now, or its properties. What was read once is
// not read again in one evaluation.
func (s *scope) get(r *Resource, id, version string, full bool) (any, error) {
	if s.runtime == nil {
		return expr.Unknown, nil
	}
	body, err := s.ask("GET "+strings.ToLower(id)+" "+version, func() ([]byte, error) {
		return s.runtime.Get(s.ctx, id, version)
	})
	if err != nil || body == expr.Unknown {
		return body, err
	}
	o, ok := body.(*jsonc.Object)
	if !ok {
		return nil, expr.Errorf("The resource '%s' is not a JSON object.", id)
	}
	if !full {
		if p, ok := o.Get("properties"); ok {
			return p, nil
		}
		return jsonc.NewObject(), nil
	}
	o = o.Clone()
	o.SetFold("apiVersion", version)
	o.SetFold("resourceId", id)
	if at := s.input.Scope; at.Subscription != "" {
		o.SetFold("subscriptionId", at.Subscription)
		o.SetFold("resourceGroupName", at.ResourceGroup)
	}
	if r != nil {
		o.SetFold("isTemplateResource", true)
	}
	return o, nil
}

// ask reads JSON from the Runtime, once for each key.
func (s *scope) ask(key string, read func() ([]byte, error)) (any, error) {
	if v, ok := s.seen[key]; ok {
		return v, nil
	}
	text, err := read()
	if errors.Is(err, ErrUnknown) {
		s.seen[key] = expr.Unknown
		return expr.Unknown, nil
	}
	if err != nil {
		return nil, err
	}
	if err := s.budget.Make(4 * len(text)); err != nil {
		return nil, err
	}
	var v any
	if len(text) > 0 {
		if v, err = jsonc.Parse(text); err != nil {
			return nil, err
		}
	}
	s.seen[key] = v
	return v, nil
}

// references is the function references(loop, ['Full']) of templates with
// symbolic names: what reference is, for all instances.
func (s *scope) references(args []any) (any, error) {
	texts, err := textArgs("references", args)
	if err != nil {
		return nil, err
	}
	if !s.where.runs() {
		return nil, notHere("references")
	}
	loop, ok := s.index.loops[jsonc.Fold(texts[0])]
	if !ok {
		return nil, expr.Errorf("The template reference '%s' is not valid: could not find template resource copy with this name. Please see https://aka.ms/arm-function-reference for usage details.", texts[0])
	}
	full := len(texts) == 2 && strings.EqualFold(texts[1], "Full")
	list, known := make([]any, len(loop)), true
	for i, r := range loop {
		if s.refs != nil {
			*s.refs = append(*s.refs, reference{target: r.ID})
		}
		if list[i], err = s.get(r, r.ID, r.APIVersion, full); err != nil {
			return nil, err
		}
		known = known && list[i] != expr.Unknown
	}
	if !known {
		return expr.Unknown, nil
	}
	return list, nil
}

// list is a function list*(name or id, api version, [values]), which is an
// action of the resource.
func (s *scope) list(name string, args []any) (any, error) {
	if len(args) < 1 || len(args) > 3 {
		return nil, expr.Errorf("Unable to evaluate template language function '%s': function requires 1 argument(s) at least and 3 argument(s) at most while %d were provided. Please see https://aka.ms/arm-functions#list for usage details.", name, len(args))
	}
	texts, err := textArgs(name, args[:min(2, len(args))])
	if err != nil {
		return nil, err
	}
	version := ""
	if len(texts) == 2 {
		version = texts[1]
	}
	_, id, version, err := s.target(name, texts[0], version)
	if err != nil || s.runtime == nil {
		return expr.Unknown, err
	}
	var body []byte
	if len(args) == 3 && args[2] != nil {
		if err := s.budget.Weigh(args[2]); err != nil {
			return nil, err
		}
		body = jsonc.Append(nil, args[2])
	}
	return s.ask("POST "+strings.ToLower(id+" "+name)+" "+version+" "+string(body), func() ([]byte, error) {
		return s.runtime.Post(s.ctx, id, name, version, body)
	})
}

// resourceInfo is what the template itself says of one of its resources.
func (s *scope) resourceInfo(args []any) (any, error) {
	name, err := textArg("resourceInfo", args, 0)
	if err != nil {
		return nil, err
	}
	if s.index == nil {
		return nil, notHere("resourceInfo")
	}
	r, err := s.index.find(name)
	if err != nil {
		return nil, err
	}
	if r == nil {
		return nil, expr.Errorf("The template reference '%s' is not valid: could not find template resource or resource copy with this name. Please see https://aka.ms/arm-function-reference for usage details.", name)
	}
	return jsonc.NewObject("id", r.ID, "name", r.Name, "type", r.Type, "apiVersion", r.APIVersion), nil
}
