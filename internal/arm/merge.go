package arm

import "encoding/json"

// Merge is the body that a PATCH asks for: patch laid over current (a value in
// the wire form of the resource) as RFC 7396 says, with property names matched
// without regard to case: objects are merged, null removes, everything else
// replaces. The tags are replaced as a whole, as in ARM. Read the result with
// Decode.
func Merge(current any, patch []byte) ([]byte, error) {
	over, err := parseBody(patch)
	if err != nil {
		return nil, err
	}
	raw, err := json.Marshal(current)
	if err != nil {
		return nil, err
	}
	base, err := parseBody(raw)
	if err != nil {
		return nil, err
	}
	for name := range over {
		if fold(name) == "tags" {
			delete(base, spelling(base, name))
		}
	}
	if err := mergeObject(base, over, nil); err != nil {
		return nil, err
	}
	return json.Marshal(base)
}

func mergeObject(base, over map[string]any, at *path) error {
	seen := make(map[string]bool, len(over))
	for name, v := range over {
		here, folded := at.property(name), fold(name)
		if seen[folded] {
			return badContent("the property '%s' is given twice.", here).At(here.String())
		}
		seen[folded] = true
		name = spelling(base, name)
		patch, isObject := v.(map[string]any)
		switch {
		case v == nil:
			delete(base, name)
		case isObject:
			below, ok := base[name].(map[string]any)
			if !ok {
				below = map[string]any{}
			}
			if err := mergeObject(below, patch, here); err != nil {
				return err
			}
			base[name] = below
		default:
			base[name] = v
		}
	}
	return nil
}

// spelling is how m spells name.
func spelling(m map[string]any, name string) string {
	if _, ok := m[name]; ok {
		return name
	}
	for k := range m {
		if fold(k) == fold(name) {
			return k
		}
	}
	return name
}
