package template

import (
	"context"
	"fmt"
	"strings"

	"lazuli/internal/template/expr"
	"lazuli/internal/template/jsonc"
)

// Body is what is to be PUT for a resource of the plan, evaluated with what is
// there now. The resources that it depends on have to be there: if the Runtime
// does not know one, it is ErrUnknown.
func (p *Plan) Body(ctx context.Context, r *Resource, rt Runtime) (*jsonc.Object, error) {
	body, known, err := p.Preview(ctx, r, rt)
	if err == nil && !known {
		err = fmt.Errorf("body of %s: %w", r.ID, ErrUnknown)
	}
	if err != nil {
		return nil, err
	}
	return body, nil
}

// Preview is Body before everything is there. Where the Runtime does not know
// a resource, the expression that needs it stays, and known is false.
func (p *Plan) Preview(ctx context.Context, r *Resource, rt Runtime) (body *jsonc.Object, known bool, err error) {
	s := p.scope(ctx, rt).in(inBody, r.loop)
	if body, err = s.body(r); err != nil {
		return nil, false, p.runFailed(r, err)
	}
	return body, !*s.unknown, nil
}

func (p *Plan) runFailed(r *Resource, err error) error {
	message, ok := said(err)
	if !ok {
		return err
	}
	e := r.place.invalid("")
	e.Message = "Unable to process template language expressions for resource '" + r.ID + "' " + r.place.String() + ". '" + message + "'"
	return e
}

func (s *scope) body(r *Resource) (*jsonc.Object, error) {
	if !r.IsDeployment() {
		return s.object(r.def, notBody)
	}
	return s.deploymentBody(r)
}

// deploymentBody leaves a nested template alone that is evaluated in a scope
// of its own. One that is evaluated here is written so that whoever reads it
// again finds no expressions.
func (s *scope) deploymentBody(r *Resource) (*jsonc.Object, error) {
	v, _ := r.def.Get("properties")
	properties, ok := v.(*jsonc.Object)
	if !ok {
		return s.object(r.def, notBody)
	}
	outer := map[string]bool{"properties": true}
	for name := range notBody {
		outer[name] = true
	}
	body, err := s.object(r.def, outer)
	if err != nil {
		return nil, err
	}
	p, err := s.object(properties, map[string]bool{"template": true})
	if err != nil {
		return nil, err
	}
	body.Set("properties", p)
	nested, ok := properties.Get("template")
	if !ok {
		return body, nil
	}
	inner, err := s.isInner(p)
	if err != nil {
		return nil, err
	}
	if inner {
		p.Set("template", nested)
		return body, s.budget.Weigh(nested)
	}
	evaluated, err := s.value(nested)
	if err != nil {
		return nil, err
	}
	p.Set("template", literal(evaluated))
	return body, nil
}

// isInner tells whether the properties of a deployment say that its template
// is evaluated in a scope of its own, which is the only way for templates of
// language version 2.0.
func (s *scope) isInner(properties *jsonc.Object) (bool, error) {
	v, _ := properties.Get("expressionEvaluationOptions")
	options, _ := v.(*jsonc.Object)
	v, _ = options.Get("scope")
	text, _ := v.(string)
	switch strings.ToLower(text) {
	case "inner":
		return true, nil
	case "", "notspecified":
		return s.t.version2, nil
	case "outer":
		if !s.t.version2 {
			return false, nil
		}
	}
	return false, expr.Errorf("The expression evaluation scope '%s' of the nested deployment is not supported", text)
}

// literal escapes what would be read as an expression, in a value that was
// made by evaluation.
func literal(v any) any {
	switch v := v.(type) {
	case string:
		return expr.Escape(v)
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = literal(v[i])
		}
		return out
	case *jsonc.Object:
		out := jsonc.Make(v.Len())
		for m := range v.All() {
			out.Set(expr.Escape(m.Name), literal(m.Value))
		}
		return out
	}
	return v
}
