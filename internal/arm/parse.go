package arm

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
	"unicode/utf8"
)

// maxDepth bounds the nesting of a body. ARM's own shapes stay below 15.
const maxDepth = 64

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
	if !json.Valid(body) {
		return nil, syntaxError(body)
	}
	p := parser{rest: body}
	v, err := p.value(nil, 0)
	if err != nil {
		return nil, err
	}
	m, ok := v.(map[string]any)
	if !ok {
		return nil, badContent("it is %s; a JSON object is needed.", kindOf(v))
	}
	return m, nil
}

// syntaxError says where body is not JSON.
func syntaxError(body []byte) error {
	var whole json.RawMessage
	err := json.Unmarshal(body, &whole)
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		return badContent("%v (at byte %d).", syntax, syntax.Offset)
	}
	return badContent("%v.", err)
}

// parser reads what is known to be JSON, and refuses what JSON allows but no
// body may have: a property that is given twice, and too deep a nesting. It is
// here because encoding/json sees the first only token by token, which takes
// several times as long.
type parser struct{ rest []byte }

// next skips white space and returns what comes then.
func (p *parser) next() byte {
	for i, c := range p.rest {
		if c != ' ' && c != '\t' && c != '\n' && c != '\r' {
			p.rest = p.rest[i:]
			return c
		}
	}
	p.rest = nil
	return 0
}

// take returns the next n bytes.
func (p *parser) take(n int) []byte {
	b := p.rest[:n]
	p.rest = p.rest[n:]
	return b
}

// skip says whether c comes next, and if so goes past it.
func (p *parser) skip(c byte) bool {
	if p.next() != c {
		return false
	}
	p.take(1)
	return true
}

func (p *parser) value(at *path, depth int) (any, error) {
	if depth > maxDepth {
		return nil, badContent("it is nested more than %d deep.", maxDepth)
	}
	switch p.next() {
	case '{':
		return p.object(at, depth)
	case '[':
		return p.array(at, depth)
	case '"':
		return p.text()
	case 't':
		p.take(len("true"))
		return true, nil
	case 'f':
		p.take(len("false"))
		return false, nil
	case 'n':
		p.take(len("null"))
		return nil, nil
	}
	end := bytes.IndexFunc(p.rest, func(r rune) bool {
		return (r < '0' || r > '9') && r != '.' && r != '-' && r != '+' && r != 'e' && r != 'E'
	})
	if end < 0 {
		end = len(p.rest)
	}
	return json.Number(p.take(end)), nil
}

func (p *parser) object(at *path, depth int) (any, error) {
	m := map[string]any{}
	p.take(1)
	for !p.skip('}') {
		p.skip(',')
		p.next()
		name, err := p.text()
		if err != nil {
			return nil, err
		}
		here := at.property(name)
		if _, twice := m[name]; twice {
			return nil, badContent("the property '%s' is given twice.", here).At(here.String())
		}
		p.skip(':')
		if m[name], err = p.value(here, depth+1); err != nil {
			return nil, err
		}
	}
	return m, nil
}

func (p *parser) array(at *path, depth int) (any, error) {
	a := []any{}
	p.take(1)
	for !p.skip(']') {
		p.skip(',')
		v, err := p.value(at.element(len(a)), depth+1)
		if err != nil {
			return nil, err
		}
		a = append(a, v)
	}
	return a, nil
}

// text reads the string that begins here.
func (p *parser) text() (string, error) {
	end := 1
	for p.rest[end] != '"' {
		if p.rest[end] == '\\' {
			end++
		}
		end++
	}
	raw := p.take(end + 1)
	if bytes.IndexByte(raw, '\\') < 0 {
		return string(raw[1:end]), nil
	}
	var s string
	if err := json.Unmarshal(raw, &s); err != nil {
		return "", badContent("%v.", err)
	}
	return s, nil
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
