package deploy

import (
	"slices"
	"strings"

	"lazuli/internal/arm"
	"lazuli/internal/template/jsonc"
)

// secrets are texts that are in nothing that is shown.
type secrets []string

// shortest is the length of the shortest secret that is looked for in texts.
const shortest = 4

// stars stand for a secret.
const stars = "******"

// has says whether a value has a secret in it.
func (s secrets) has(v any) bool {
	switch v := v.(type) {
	case string:
		return slices.ContainsFunc(s, func(secret string) bool { return len(secret) >= shortest && strings.Contains(v, secret) })
	case []any:
		return slices.ContainsFunc(v, s.has)
	case *jsonc.Object:
		for m := range v.All() {
			if s.has(m.Value) {
				return true
			}
		}
	}
	return false
}

// hide is a value with stars for each text that has a secret in it.
func (s secrets) hide(v any) any {
	switch v := v.(type) {
	case string:
		if s.has(v) {
			return stars
		}
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = s.hide(v[i])
		}
		return out
	case *jsonc.Object:
		out := jsonc.Make(v.Len())
		for m := range v.All() {
			out.Set(m.Name, s.hide(m.Value))
		}
		return out
	}
	return v
}

// scrub is an error without secrets. target is what it is about if it does not
// say.
func (s secrets) scrub(e *arm.Error, target string) *arm.Error {
	clean := *e
	for _, secret := range s {
		if len(secret) >= shortest {
			clean.Message = strings.ReplaceAll(clean.Message, secret, stars)
			clean.Target = strings.ReplaceAll(clean.Target, secret, stars)
		}
	}
	clean.Details = nil
	for _, d := range e.Details {
		clean.Details = append(clean.Details, s.scrub(d, ""))
	}
	if clean.Target == "" {
		clean.Target = target
	}
	return &clean
}
