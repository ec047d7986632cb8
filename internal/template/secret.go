package template

import "lazuli/internal/template/jsonc"

// Secrets are the texts in the values of secure parameters, which must be in
// nothing that is shown.
func (p *Plan) Secrets() []string {
	var all []string
	for m := range p.t.parameters.All() {
		param := p.params[jsonc.Fold(m.Name)]
		shown, _ := redact(resolve(param.def, p.t.types), param.value, p.t.types)
		plain := map[string]bool{}
		texts(shown, func(s string) { plain[s] = true })
		texts(param.value, func(s string) {
			if s != "" && !plain[s] {
				all = append(all, s)
			}
		})
	}
	return all
}

// texts calls f with each string in a value.
func texts(v any, f func(string)) {
	switch v := v.(type) {
	case string:
		f(v)
	case []any:
		for _, e := range v {
			texts(e, f)
		}
	case *jsonc.Object:
		for m := range v.All() {
			texts(m.Value, f)
		}
	}
}
