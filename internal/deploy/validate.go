package deploy

import (
	"context"

	"lazuli/internal/arm"
	"lazuli/internal/template"
)

// validate says whether a deployment would be taken, and its resources.
func (d *Deployments) validate(ctx context.Context, c *arm.Call, body []byte) (arm.Result, error) {
	p, err := d.prepare(ctx, c, body)
	if err != nil {
		return arm.Result{}, err
	}
	t, err := d.rehearse(ctx, p)
	if err != nil {
		return arm.Result{}, err
	}
	v := view(p.object)
	v.Properties.ProvisioningState = succeeded
	for _, o := range t.outcomes {
		v.Properties.ValidatedResources = append(v.Properties.ValidatedResources, resourceID{o.resource.ID})
	}
	return arm.Result{Body: v.validated()}, nil
}

// rehearse tries a deployment out; what would be refused is an error.
func (d *Deployments) rehearse(ctx context.Context, p *prepared) (*trial, error) {
	t, err := d.try(ctx, p)
	if err != nil {
		return nil, err
	}
	if len(t.refused) == 0 {
		return t, nil
	}
	failure := refusal(template.InvalidDeployment(p.object.ID.Name(), p.object.Spec.CorrelationID))
	failure.Details = t.refused
	return nil, failure
}

// validated is what the answer to a validation has of a deployment.
type validated struct {
	ID         string     `json:"id"`
	Name       string     `json:"name"`
	Type       string     `json:"type"`
	Properties properties `json:"properties"`
}

func (b *body) validated() validated { return validated{b.ID, b.Name, b.Type, b.Properties} }
