package template

import (
	"fmt"
	"strings"
	"unicode/utf16"

	"lazuli/internal/template/expr"
	"lazuli/internal/template/jsonc"
)

// resolve follows the $ref of a type to one of the template's definitions.
// What stands beside the $ref goes before what is defined.
func resolve(schema, types *jsonc.Object) *jsonc.Object {
	for range 32 {
		v, ok := schema.Get("$ref")
		if !ok {
			return schema
		}
		ref, _ := v.(string)
		name, ok := strings.CutPrefix(ref, "#/definitions/")
		target, _ := types.Get(name)
		def, isObject := target.(*jsonc.Object)
		if !ok || !isObject {
			return noSchema
		}
		merged := def.Clone()
		for m := range schema.All() {
			if !strings.EqualFold(m.Name, "$ref") {
				merged.SetFold(m.Name, m.Value)
			}
		}
		schema = merged
	}
	return noSchema
}

// noSchema is what a $ref that leads nowhere means: nothing is of that type.
var noSchema = jsonc.NewObject("type", "")

func nullable(schema *jsonc.Object, t *Template) bool {
	v, _ := resolve(schema, t.types).Get("nullable")
	return v == true
}

// jsonTypes are the types of values for each type of parameter, as Azure's
// messages name them.
var jsonTypes = map[string]string{
	"string": "String, Uri", "securestring": "String, Uri", "int": "Integer", "bool": "Boolean",
	"object": "Object", "secureobject": "Object", "array": "Array",
}

// checker checks values against types.
type checker struct {
	types *jsonc.Object
	step  func() error // charges for a value
	depth int
}

// maxTypes bounds types in each other, which may be their own parts.
const maxTypes = 200

// value returns what is wrong with a value, as the end of a message. A message
// that begins with "Expected" is about the value's type.
func (c checker) value(schema *jsonc.Object, v any, path string) (string, error) {
	if err := c.step(); err != nil {
		return "", err
	}
	if c.depth++; c.depth > maxTypes {
		return "The type is nested too deeply", nil
	}
	schema = resolve(schema, c.types)
	if null, _ := schema.Get("nullable"); v == nil && null == true {
		return "", nil
	}
	if message := kind(schema, v); message != "" {
		return message + inPath(path), nil
	}
	if message := allowed(schema, v); message != "" {
		return message + inPath(path), nil
	}
	if message := bounds(schema, v); message != "" {
		return message + inPath(path), nil
	}
	switch v := v.(type) {
	case []any:
		return c.array(schema, v, path)
	case *jsonc.Object:
		return c.object(schema, v, path)
	}
	return "", nil
}

func noType(name string) string {
	return fmt.Sprintf("The type '%s' is not one of 'String, SecureString, Int, Bool, Object, SecureObject, Array'", name)
}

func inPath(path string) string {
	if path == "" {
		return ""
	}
	return fmt.Sprintf(" (at '%s')", path)
}

// kind checks the JSON type. A type that does not say is of any.
func kind(schema *jsonc.Object, v any) string {
	name, ok := schema.Get("type")
	if !ok {
		return ""
	}
	typeName, _ := name.(string)
	want, ok := jsonTypes[strings.ToLower(typeName)]
	if !ok {
		return noType(typeName)
	}
	if got := expr.TypeName(v); !strings.Contains(want, got) {
		return fmt.Sprintf("Expected '%s'. Actual '%s'", want, got)
	}
	return ""
}

// allowed checks allowedValues. Those of an array are for its elements, or for
// the whole.
func allowed(schema *jsonc.Object, v any) string {
	list, _ := schema.Get("allowedValues")
	values, _ := list.([]any)
	if len(values) == 0 {
		return ""
	}
	if isAny(v, values) {
		return ""
	}
	if a, ok := v.([]any); ok {
		all := true
		for _, e := range a {
			all = all && isAny(e, values)
		}
		if all {
			return ""
		}
	}
	if isSecret(schema) {
		return "The parameter value is not part of the allowed value(s)"
	}
	texts := make([]string, len(values))
	for i := range values {
		texts[i] = inMessage(values[i])
	}
	return fmt.Sprintf("The value '%s' is not part of the allowed value(s): '%s'", inMessage(v), strings.Join(texts, ","))
}

func isAny(v any, values []any) bool {
	for _, a := range values {
		if jsonc.Equal(a, v) {
			return true
		}
	}
	return false
}

func inMessage(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	text := string(jsonc.Append(nil, v))
	if len(text) > 100 {
		return strings.ToValidUTF8(text[:100], "") + "…"
	}
	return text
}

// bounds checks minLength, maxLength, minValue and maxValue.
func bounds(schema *jsonc.Object, v any) string {
	size, what, low, high := int64(0), "Length of the value", "minLength", "maxLength"
	switch v := v.(type) {
	case string:
		size = int64(len(utf16.Encode([]rune(v))))
	case []any:
		size = int64(len(v))
	case int64:
		size, what, low, high = v, "The value", "minValue", "maxValue"
	default:
		return ""
	}
	if n, ok := schema.Get(low); ok && n != nil {
		if n, ok := n.(int64); !ok || size < n {
			return fmt.Sprintf("%s should be greater than or equal to '%v'", what, n)
		}
	}
	if n, ok := schema.Get(high); ok && n != nil {
		if n, ok := n.(int64); !ok || size > n {
			return fmt.Sprintf("%s should be less than or equal to '%v'", what, n)
		}
	}
	return ""
}

// array checks the elements: by prefixItems first, and by items after them.
func (c checker) array(schema *jsonc.Object, a []any, path string) (string, error) {
	prefix, _ := schema.Get("prefixItems")
	first, _ := prefix.([]any)
	items, _ := schema.Get("items")
	for i, e := range a {
		var elem *jsonc.Object
		if i < len(first) {
			elem, _ = first[i].(*jsonc.Object)
		} else if items == false {
			return fmt.Sprintf("The array must have no more than '%d' elements%s", len(first), inPath(path)), nil
		} else {
			elem, _ = items.(*jsonc.Object)
		}
		if elem == nil {
			continue
		}
		if message, err := c.value(elem, e, fmt.Sprintf("%s[%d]", path, i)); message != "" || err != nil {
			return message, err
		}
	}
	if len(a) < len(first) {
		return fmt.Sprintf("The array must have at least '%d' elements%s", len(first), inPath(path)), nil
	}
	return "", nil
}

// object checks properties, and additionalProperties for all others.
func (c checker) object(schema, o *jsonc.Object, path string) (string, error) {
	variant, message := c.variant(schema, o, path)
	if message != "" {
		return message, nil
	}
	if variant != nil {
		return c.value(variant, o, path)
	}
	known, _ := schema.Get("properties")
	properties, _ := known.(*jsonc.Object)
	for m := range properties.All() {
		if message, err := c.property(m, o, path); message != "" || err != nil {
			return message, err
		}
	}
	others, given := schema.Get("additionalProperties")
	if sealed, _ := schema.Get("sealed"); sealed == true {
		others, given = false, true
	}
	if !given {
		return "", nil
	}
	for m := range o.All() {
		if properties.Has(m.Name) {
			continue
		}
		if others == false {
			return fmt.Sprintf("The following properties are not supported: '%s'%s", m.Name, inPath(path)), nil
		}
		if schema, ok := others.(*jsonc.Object); ok {
			if message, err := c.value(schema, m.Value, path+"."+m.Name); message != "" || err != nil {
				return message, err
			}
		}
	}
	return "", nil
}

// property checks a property that the type names. It may be left out if it
// may be null.
func (c checker) property(m jsonc.Member, o *jsonc.Object, path string) (string, error) {
	schema, ok := m.Value.(*jsonc.Object)
	if !ok {
		return "", nil
	}
	v, there := o.Get(m.Name)
	if null, _ := resolve(schema, c.types).Get("nullable"); !there && null == true {
		return "", nil
	}
	if !there {
		return fmt.Sprintf("The value is missing its required property '%s'%s", m.Name, inPath(path)), nil
	}
	return c.value(schema, v, path+"."+m.Name)
}

// variant is the type that a discriminator chooses.
func (c checker) variant(schema, o *jsonc.Object, path string) (*jsonc.Object, string) {
	v, _ := schema.Get("discriminator")
	discriminator, ok := v.(*jsonc.Object)
	if !ok {
		return nil, ""
	}
	name, _ := discriminator.Get("propertyName")
	property, _ := name.(string)
	v, _ = discriminator.Get("mapping")
	mapping, _ := v.(*jsonc.Object)
	v, _ = o.Get(property)
	value, _ := v.(string)
	if chosen, ok := mapping.Get(value); ok {
		schema, _ := chosen.(*jsonc.Object)
		return schema, ""
	}
	return nil, fmt.Sprintf("The value of the property '%s' is not one of '%s'%s", property, strings.Join(mapping.Names(), ","), inPath(path))
}

func isSecret(schema *jsonc.Object) bool {
	name, _ := schema.Get("type")
	s, _ := name.(string)
	return strings.HasPrefix(strings.ToLower(s), "secure")
}

// redact is a value without what its type says is secret. It is false if all
// of it is.
func redact(schema *jsonc.Object, v any, types *jsonc.Object) (any, bool) {
	schema = resolve(schema, types)
	if isSecret(schema) {
		return nil, false
	}
	switch v := v.(type) {
	case *jsonc.Object:
		return redactObject(schema, v, types), true
	case []any:
		return redactArray(schema, v, types), true
	}
	return v, true
}

func redactObject(schema, o, types *jsonc.Object) any {
	list, _ := schema.Get("properties")
	properties, _ := list.(*jsonc.Object)
	rest, _ := schema.Get("additionalProperties")
	if chosen, _ := (checker{types: types}).variant(schema, o, ""); chosen != nil {
		plain := resolve(chosen, types).Clone()
		plain.SetFold("discriminator", nil)
		return redactObject(plain, o, types)
	}
	out := jsonc.NewObject()
	for m := range o.All() {
		of, ok := properties.Get(m.Name)
		if !ok {
			of = rest
		}
		if member, ok := of.(*jsonc.Object); ok {
			if v, shown := redact(member, m.Value, types); shown {
				out.Set(m.Name, v)
			}
			continue
		}
		out.Set(m.Name, m.Value)
	}
	return out
}

func redactArray(schema *jsonc.Object, a []any, types *jsonc.Object) any {
	prefix, _ := schema.Get("prefixItems")
	first, _ := prefix.([]any)
	items, _ := schema.Get("items")
	out := make([]any, len(a))
	for i, e := range a {
		of := items
		if i < len(first) {
			of = first[i]
		}
		out[i] = e
		if elem, ok := of.(*jsonc.Object); ok {
			out[i], _ = redact(elem, e, types) // a secret among others is null
		}
	}
	return out
}
