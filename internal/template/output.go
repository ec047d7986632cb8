package template

import (
	"context"
	"fmt"
	"strings"

	"lazuli/internal/template/expr"
	"lazuli/internal/template/jsonc"
)

func (s *scope) outputPlace(m jsonc.Member) place {
	return s.t.below(m.Pos, "outputs."+m.Name)
}

// checkOutputs evaluates the outputs without anything that runs.
func (s *scope) checkOutputs() error {
	for m := range s.t.outputs.All() {
		at := s.outputPlace(m)
		def, ok := m.Value.(*jsonc.Object)
		if !ok {
			return at.invalid("The template output '%s' %s must be a JSON object", m.Name, at)
		}
		name, typed := resolve(def, s.t.types).Get("type")
		if text, _ := name.(string); typeNames[strings.ToLower(text)] == "" && (typed || !s.t.version2) {
			return at.invalid("The template output '%s' %s is not valid: %s", m.Name, at, noType(text))
		}
		if !def.Has("value") && !def.Has("copy") {
			return at.invalid("The template output '%s' %s has neither a 'value' nor a 'copy'. Please see https://aka.ms/arm-syntax-outputs for usage details.", m.Name, at)
		}
		if _, _, err := s.output(m.Name, def); err != nil {
			return at.blame(err, "The template output '%s' %s", m.Name, at)
		}
	}
	return nil
}

// output evaluates one output. It is false if its condition is.
func (s *scope) output(name string, def *jsonc.Object) (v any, there bool, err error) {
	if source, ok := def.Get("condition"); ok && source != nil {
		v, err := s.in(inName, nil).value(source)
		if err != nil {
			return nil, false, err
		}
		is, ok := v.(bool)
		if !ok {
			return nil, false, expr.Errorf("The condition of a template output must be a boolean")
		}
		if !is {
			return nil, false, nil
		}
	}
	in := s.in(inOutput, nil)
	if c, ok := def.Get("copy"); ok {
		loop, ok := c.(*jsonc.Object)
		if !ok {
			return nil, false, expr.Errorf("The copy of a template output must be a JSON object")
		}
		v, err = in.iterate(loop, name)
		return v, true, err
	}
	source, _ := def.Get("value")
	v, err = in.value(source)
	return v, true, err
}

// Outputs are the outputs, evaluated when all resources are there: for each
// name its type and, if it is not secret, its value.
func (p *Plan) Outputs(ctx context.Context, rt Runtime) (*jsonc.Object, error) {
	shown, failed := jsonc.NewObject(), []*Error(nil)
	s := p.scope(ctx, rt)
	for m := range p.t.outputs.All() {
		def := m.Value.(*jsonc.Object)
		v, there, err := s.output(m.Name, def)
		message, blamed := said(err)
		if err != nil && !blamed {
			return nil, err
		}
		if *s.unknown {
			return nil, fmt.Errorf("output %s: %w", m.Name, ErrUnknown)
		}
		if err == nil && there {
			message = s.checkOutput(def, v)
		}
		switch {
		case message != "":
			failed = append(failed, &Error{Code: CodeOutputs, Target: m.Name, Message: "The template output '" + m.Name + "' is not valid: " + message + "."})
		case there:
			shown.Set(m.Name, show(p.t, def, v))
		}
	}
	if failed != nil {
		return nil, outputsFailed(failed)
	}
	return shown, nil
}

func (s *scope) checkOutput(def *jsonc.Object, v any) string {
	check := checker{types: s.t.types, step: func() error { return s.budget.Make(16) }}
	message, err := check.value(def, v, "")
	if err != nil {
		return err.Error()
	}
	if strings.HasPrefix(message, "Expected") {
		message = "Template output JToken type is not valid. " + message + ". Please see https://aka.ms/arm-syntax-outputs for usage details"
	}
	return message
}

func outputsFailed(failed []*Error) *Error {
	names := make([]string, len(failed))
	for i, e := range failed {
		names[i] = e.Target
	}
	return &Error{
		Code:    CodeOutputs,
		Message: "Unable to evaluate template outputs: '" + strings.Join(names, ",") + "'. Please see error details and deployment operations. Please see https://aka.ms/arm-common-errors for usage details.",
		Details: failed,
	}
}
