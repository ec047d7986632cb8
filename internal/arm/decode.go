package arm

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"unicode/utf8"
)

// maxDepth bounds the nesting of a body. ARM's own shapes stay below 15.
const maxDepth = 64

// Decode reads a client's body into the struct that into points to, strictly,
// so that nothing a client asks for is silently ignored:
//
//   - property names match without regard to case; one given twice is refused;
//   - null is the same as an absent property;
//   - a property that the struct has no field for is ignored when it says
//     nothing (null, false, "", {}, []) and else refused with Unsupported;
//   - numbers and booleans may come as strings, and numbers for strings;
//   - a field tagged `arm:"readonly"` takes anything and keeps its value: it is
//     what clients echo back. For what has no field, tag a blank one
//     with arm:"readonly=vmId,timeCreated";
//   - a number tagged `arm:"notzero"` is refused when it is 0: absent means
//     something else there.
//
// Fields that the body does not mention keep their value. Errors are *Error,
// with the path of the property as target.
func Decode(body []byte, into any) error {
	tree, err := parseBody(body)
	if err != nil {
		return err
	}
	v := reflect.ValueOf(into)
	if v.Kind() != reflect.Pointer || v.IsNil() {
		return fmt.Errorf("decode into %T, which is not a pointer", into)
	}
	return assign(v.Elem(), tree, nil)
}

func badContent(format string, a ...any) *Error {
	return BadRequest("InvalidRequestContent", "The request content was invalid and could not be read: "+format, a...)
}

// parseBody reads body as one JSON object: map[string]any, []any, string,
// json.Number, bool and nil.
func parseBody(body []byte) (map[string]any, error) {
	if len(bytes.TrimSpace(body)) == 0 {
		return nil, badContent("it is empty; a JSON object is needed.")
	}
	if !utf8.Valid(body) {
		return nil, badContent("it is not UTF-8.")
	}
	if err := checkSyntax(body); err != nil {
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	v, err := parseValue(d, nil, 0)
	if err != nil {
		return nil, err
	}
	m, ok := v.(map[string]any)
	if !ok {
		return nil, badContent("it is %s; a JSON object is needed.", kindOf(v))
	}
	return m, nil
}

// checkSyntax sees trailing bytes too, which a token reader does not.
func checkSyntax(body []byte) error {
	var whole json.RawMessage
	err := json.Unmarshal(body, &whole)
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		return badContent("%v (at byte %d).", syntax, syntax.Offset)
	}
	if err != nil {
		return badContent("%v.", err)
	}
	return nil
}

func parseValue(d *json.Decoder, at *path, depth int) (any, error) {
	if depth > maxDepth {
		return nil, badContent("it is nested more than %d deep.", maxDepth)
	}
	t, err := d.Token()
	if err != nil {
		return nil, badContent("%v.", err)
	}
	switch t {
	case json.Delim('{'):
		return parseObject(d, at, depth)
	case json.Delim('['):
		return parseArray(d, at, depth)
	}
	return t, nil
}

func parseObject(d *json.Decoder, at *path, depth int) (any, error) {
	m := map[string]any{}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return nil, badContent("%v.", err)
		}
		name, _ := t.(string)
		here := at.property(name)
		if _, twice := m[name]; twice {
			return nil, badContent("the property '%s' is given twice.", here).At(here.String())
		}
		if m[name], err = parseValue(d, here, depth+1); err != nil {
			return nil, err
		}
	}
	_, err := d.Token()
	return m, err
}

func parseArray(d *json.Decoder, at *path, depth int) (any, error) {
	a := []any{}
	for d.More() {
		v, err := parseValue(d, at.element(len(a)), depth+1)
		if err != nil {
			return nil, err
		}
		a = append(a, v)
	}
	_, err := d.Token()
	return a, err
}

func kindOf(tree any) string {
	switch tree.(type) {
	case map[string]any:
		return "an object"
	case []any:
		return "an array"
	case string:
		return "a string"
	case json.Number:
		return "a number"
	case bool:
		return "a boolean"
	}
	return "null"
}

// path is where in a body something is, as a list from the leaf to the top.
type path struct {
	up    *path
	name  string
	index int // of an array's element, when name is ""
}

func (p *path) property(name string) *path { return &path{up: p, name: name, index: -1} }
func (p *path) element(i int) *path        { return &path{up: p, index: i} }

// String is "properties.networkProfile.networkInterfaces[0].id".
func (p *path) String() string {
	switch {
	case p == nil:
		return ""
	case p.index >= 0:
		return p.up.String() + "[" + strconv.Itoa(p.index) + "]"
	case p.up == nil:
		return p.name
	}
	return p.up.String() + "." + p.name
}
