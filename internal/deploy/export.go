package deploy

import (
	"context"
	"errors"
	"strings"

	"lazuli/internal/arm"
	"lazuli/internal/store"
	"lazuli/internal/template/expr"
	"lazuli/internal/template/jsonc"
)

type exported struct {
	Template *jsonc.Object `json:"template"`
}

// export answers with the template that a deployment was made with.
func (d *Deployments) export(ctx context.Context, c *arm.Call, _ []byte) (arm.Result, error) {
	o, err := get(ctx, c)
	if err != nil {
		return arm.Result{}, err
	}
	if o.Spec.Opaque {
		return arm.Result{}, arm.Conflict("DeploymentExportNotAllowed", "The template of the deployment '%s' has values of secure parameters of the deployment that it is nested in, and so is not shown. Export the template of that one.", o.ID.Name())
	}
	if e, err := c.Tx.Get(ctx, plainKey(o.UID, "export")); err == nil {
		t, err := tree(e.Value)
		return arm.Result{Body: exported{t}}, err
	} else if !errors.Is(err, store.ErrNotFound) {
		return arm.Result{}, err
	}
	s, _, err := sourceOf(ctx, c.Tx, o.UID)
	if err != nil {
		return arm.Result{}, err
	}
	t := s.request.template
	if t == nil {
		if t, err = tree(s.template); err != nil {
			return arm.Result{}, err
		}
	}
	return arm.Result{Body: exported{exportable(t)}}, nil
}

// exportable is a template without the secrets that are written into it: the
// default values of its secure parameters, unless they are expressions.
func exportable(t *jsonc.Object) *jsonc.Object {
	v, _ := t.Get("parameters")
	parameters, ok := v.(*jsonc.Object)
	if !ok {
		return t
	}
	clean := jsonc.Make(parameters.Len())
	for m := range parameters.All() {
		clean.Set(m.Name, withoutSecret(m.Value))
	}
	t = t.Clone()
	t.SetFold("parameters", clean)
	return t
}

func withoutSecret(parameter any) any {
	def, ok := parameter.(*jsonc.Object)
	typ, _ := def.Get("type")
	name, _ := typ.(string)
	if !ok || !strings.HasPrefix(strings.ToLower(name), "secure") {
		return parameter
	}
	clean := jsonc.Make(def.Len())
	for m := range def.All() {
		text, isText := m.Value.(string)
		if strings.EqualFold(m.Name, "defaultValue") && (!isText || text != "" && !expr.Is(text)) {
			continue
		}
		clean.Set(m.Name, m.Value)
	}
	return clean
}
