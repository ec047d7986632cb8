package template

import (
	"context"
	"strings"

	"lazuli/internal/template/expr"
	"lazuli/internal/template/jsonc"
)

// Plan is what a template means with the values of one deployment: its
// resources in an order in which they can be made. Their bodies and the
// outputs may need what is known only while it runs, and are evaluated then.
// Several goroutines may use one.
type Plan struct {
	Resources []*Resource // in the order of the template
	*deployment
}

// deployment is what all evaluations of a template have in common.
type deployment struct {
	t         *Template
	input     Input
	params    map[string]*parameter // by name in lower case
	vars      map[string]any
	resources []*Resource
	loops     map[string][]*Resource
	index     *index
	expanded  int // bytes of all bodies
}

// Plan checks the parameters and the whole template, and makes its plan.
// Errors of the template are of type *Error.
func (t *Template) Plan(ctx context.Context, in Input) (*Plan, error) {
	if in.Level > MaxLevels {
		return nil, t.place.invalid("The templates are nested in more than '%d' levels", MaxLevels)
	}
	if in.planned == nil {
		in.planned = new(int)
	}
	d := &deployment{t: t, input: in, params: map[string]*parameter{}, vars: map[string]any{}, loops: map[string][]*Resource{}}
	s := d.scope(ctx, nil)
	for _, step := range []func() error{
		s.settleParameters, s.settleVariables, s.planResources, s.checkOutputs,
	} {
		if err := step(); err != nil {
			return nil, t.refuse(err)
		}
	}
	return &Plan{Resources: d.resources, deployment: d}, nil
}

// refuse makes what is left of expression errors one of the template.
func (t *Template) refuse(err error) error {
	if message, ok := said(err); ok {
		return t.place.invalid("%s", message)
	}
	return err
}

// scope is for an evaluation of its own, with a budget of its own.
func (d *deployment) scope(ctx context.Context, rt Runtime) *scope {
	return &scope{
		deployment: d, ctx: ctx, budget: expr.DefaultBudget(ctx), runtime: rt,
		seen: map[string]any{}, unknown: new(bool), defined: map[string]bool{}, pending: map[string]bool{},
	}
}

func (s *scope) planResources() error {
	if err := s.expand(s.t.resources, nil, nil); err != nil {
		return err
	}
	for i, r := range s.resources {
		r.number = i
	}
	var err error
	if s.index, err = newIndex(s.resources, s.loops); err != nil {
		return err
	}
	all := make([]edges, len(s.resources))
	for i, r := range s.resources {
		if all[i], err = s.dependencies(r); err != nil {
			return err
		}
	}
	return order(s.resources, all)
}

// Has tells whether the plan deploys the resource of an id. In complete mode,
// what is in the scope and not in the plan is deleted.
func (p *Plan) Has(id string) bool {
	r := p.index.byID[strings.ToLower(id)]
	return r != nil && !r.Skipped && !r.Existing
}

// Scope is where the deployment is.
func (p *Plan) Scope() Scope { return p.input.Scope }

// Template is what the plan was made of, as it was written.
func (p *Plan) Template() *jsonc.Object { return p.t.root }

// dry evaluates a body for its errors, its size and what it refers to.
func (s *scope) dry(r *Resource) error {
	body, err := s.body(r)
	if err != nil {
		return r.blame(err)
	}
	s.expanded += jsonc.Size(body)
	if s.expanded > MaxSize {
		return &Error{Code: CodeTooLarge, Message: "The template deployment is too large: its expanded resources exceed the limit of '4194304' bytes. Please see https://aka.ms/arm-template-limits for usage details."}
	}
	return nil
}
