package deploy

import (
	"strings"

	"lazuli/internal/template/expr"
	"lazuli/internal/template/jsonc"
)

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
		if strings.EqualFold(m.Name, "defaultValue") && !(isText && (text == "" || expr.Is(text))) {
			continue
		}
		clean.Set(m.Name, m.Value)
	}
	return clean
}
