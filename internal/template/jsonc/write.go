package jsonc

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Append appends the JSON of a value, without white space.
func Append(b []byte, v any) []byte { return write(b, v, '"') }

// AppendQuoted is Append with another quotation mark: format() writes objects
// with single ones.
func AppendQuoted(b []byte, v any, quote byte) []byte { return write(b, v, quote) }

// MarshalJSON lets encoding/json write objects.
func (o *Object) MarshalJSON() ([]byte, error) { return Append(nil, o), nil }

func write(b []byte, v any, quote byte) []byte {
	switch v := v.(type) {
	case nil:
		return append(b, "null"...)
	case bool:
		return strconv.AppendBool(b, v)
	case int64:
		return strconv.AppendInt(b, v, 10)
	case float64:
		return append(b, Float(v)...)
	case string:
		return appendString(b, v, quote)
	case []any:
		b = append(b, '[')
		for i, e := range v {
			if i > 0 {
				b = append(b, ',')
			}
			b = write(b, e, quote)
		}
		return append(b, ']')
	case *Object:
		if v == nil {
			return append(b, "null"...)
		}
		return v.write(b, quote)
	}
	panic(fmt.Sprintf("jsonc: a %T is no value", v))
}

func (o *Object) write(b []byte, quote byte) []byte {
	b = append(b, '{')
	for i := range o.members {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendString(b, o.members[i].Name, quote)
		b = append(b, ':')
		b = write(b, o.members[i].Value, quote)
	}
	return append(b, '}')
}

// Float is a number as Azure writes it: the shortest digits that read back as
// the same, and a point even in whole numbers.
func Float(f float64) string {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return "null"
	}
	s := strings.ToUpper(strconv.FormatFloat(f, 'g', -1, 64))
	if math.Abs(f) < 1e15 && math.Abs(f) >= 1e-5 || f == 0 {
		s = strconv.FormatFloat(f, 'f', -1, 64)
	}
	if !strings.ContainsAny(s, ".E") {
		s += ".0"
	}
	return s
}

const hex = "0123456789abcdef"

func appendString(b []byte, s string, quote byte) []byte {
	b = append(b, quote)
	for i := 0; i < len(s); {
		c, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case c == rune(quote) || c == '\\':
			b = append(b, '\\', byte(c))
		case c < 0x20:
			b = appendControl(b, byte(c))
		case c == 0x85 || c == 0x2028 || c == 0x2029:
			b = append(b, '\\', 'u', hex[c>>12&15], hex[c>>8&15], hex[c>>4&15], hex[c&15])
		case c == utf8.RuneError:
			b = append(b, "\ufffd"...)
		default:
			b = append(b, s[i:i+n]...)
		}
		i += n
	}
	return append(b, quote)
}

func appendControl(b []byte, c byte) []byte {
	if i := strings.IndexByte("\b\f\n\r\t", c); i >= 0 {
		return append(b, '\\', "bfnrt"[i])
	}
	return append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
}

// Size is about the number of bytes that the JSON of a value has.
func Size(v any) int {
	switch v := v.(type) {
	case string:
		return len(v) + 2
	case []any:
		n := 2
		for _, e := range v {
			n += Size(e) + 1
		}
		return n
	case *Object:
		n := 2
		for m := range v.All() {
			n += len(m.Name) + 4 + Size(m.Value)
		}
		return n
	}
	return 5
}

// Equal compares two values: objects whatever the order of their members,
// whole numbers whatever way they are written.
func Equal(a, b any) bool {
	switch a := a.(type) {
	case []any:
		b, ok := b.([]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for i := range a {
			if !Equal(a[i], b[i]) {
				return false
			}
		}
		return true
	case *Object:
		b, ok := b.(*Object)
		return ok && equalObjects(a, b)
	case int64:
		f, ok := b.(float64)
		return ok && float64(a) == f || a == b
	case float64:
		n, ok := b.(int64)
		return ok && float64(n) == a || a == b
	}
	return a == b
}

func equalObjects(a, b *Object) bool {
	if a.Len() != b.Len() {
		return false
	}
	for m := range a.All() {
		v, ok := b.Get(m.Name)
		if !ok || !Equal(m.Value, v) {
			return false
		}
	}
	return true
}
