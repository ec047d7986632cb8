package jsonc

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	for name, tt := range map[string]struct{ text, want string }{
		"scalars":            {`[null, true, false, 0, -12, 1.5, 1e3, "s"]`, `[null,true,false,0,-12,1.5,1000.0,"s"]`},
		"order is kept":      {`{"z":1,"a":2,"m":3}`, `{"z":1,"a":2,"m":3}`},
		"az's bare name":     {`{"properties": {"mode": "Incremental", template:{"a": 1}}}`, `{"properties":{"mode":"Incremental","template":{"a":1}}}`},
		"comments":           {"// a\n{ /* b\n c */ \"x\" /* d */ : 1 // e\n}\n// end", `{"x":1}`},
		"trailing commas":    {`{"x":[1,2,],}`, `{"x":[1,2]}`},
		"single quotes":      {`{'x':'it is "so"'}`, `{"x":"it is \"so\""}`},
		"string over lines":  {"{\"x\":\"a\n  b\r\n\tc\"}", `{"x":"a\n  b\r\n\tc"}`},
		"escapes":            {`"\"\\\/\b\f\n\r\t\u0041\u00e9"`, `"\"\\/\b\f\n\r\tAé"`},
		"surrogate pair":     {`"\ud83d\ude00"`, `"😀"`},
		"half a pair":        {`"\ud83dx"`, `"` + "\ufffd" + `x"`},
		"half and another":   {`"\ud83d\u0041"`, `"` + "\ufffd" + `A"`},
		"byte order mark":    {"\ufeff{}", `{}`},
		"no-break space":     {"{\u00a0\"a\":1}", `{"a":1}`},
		"names by case":      {`{"abcKey":1,"ABCKey":2}`, `{"abcKey":1,"ABCKey":2}`},
		"slashes in strings": {`"http://x/*y*/"`, `"http://x/*y*/"`},
		"empty":              {` { } `, `{}`},
		"bare fraction":      {`[.5, -.5, 5.]`, `[0.5,-0.5,5.0]`},
	} {
		t.Run(name, func(t *testing.T) {
			v, err := Parse([]byte(tt.text))
			if err != nil {
				t.Fatal(err)
			}
			if got := string(Append(nil, v)); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestParseErrors(t *testing.T) {
	for name, tt := range map[string]struct {
		text, want string
		pos        Pos
	}{
		"nothing":             {"", "unexpected end", Pos{1, 0}},
		"cut off object":      {`{"a":1`, "unexpected end", Pos{1, 6}},
		"cut off array":       {"[1,\n2", "unexpected end", Pos{2, 1}},
		"cut off string":      {`"abc`, "unterminated string", Pos{1, 4}},
		"cut off comment":     {`/* x`, "while parsing comment", Pos{1, 0}},
		"cut off escape":      {`"\`, "unterminated string", Pos{1, 1}},
		"cut off unicode":     {`"\u12`, "Unicode escape", Pos{1, 1}},
		"slash":               {`/x`, "error parsing comment", Pos{1, 0}},
		"no colon":            {`{"a" 1}`, "Expected ':' but got: 1", Pos{1, 5}},
		"no name":             {`{:1}`, "invalid property identifier", Pos{1, 1}},
		"no comma":            {`{"a":1 "b":2}`, "after parsing a value", Pos{1, 7}},
		"bad word":            {"{\n  \"a\": nul }", "unexpected character", Pos{2, 7}},
		"capital true":        {`True`, "unexpected character", Pos{1, 0}},
		"two values":          {`{} {}`, "additional text", Pos{1, 3}},
		"bad escape":          {`"\x"`, `bad JSON escape sequence: \x`, Pos{1, 1}},
		"bad unicode":         {`"\uzzzz"`, "invalid Unicode", Pos{1, 1}},
		"number too large":    {`9223372036854775808`, "too large", Pos{1, 19}},
		"number with plus":    {`[-+1]`, "malformed", Pos{1, 4}},
		"float too large":     {`1e999`, "not a valid number", Pos{1, 5}},
		"only a point":        {`[.]`, "not a valid number", Pos{1, 2}},
		"only minus":          {`-`, "malformed", Pos{1, 1}},
		"same name twice":     {`{"a":1,"b":2,"a":3}`, "'a'", Pos{1, 19}},
		"same name among 20":  {`{` + names(20) + `"n3":1}`, "'n3'", Pos{1, 158}},
		"not UTF-8":           {"\"a\xffb\"", "not valid UTF-8", Pos{1, 5}},
		"not UTF-8, escaped":  {"\"\\n\xff\"", "not valid UTF-8", Pos{1, 5}},
		"characters, not oct": {`"éé" x`, "additional text", Pos{1, 5}},
	} {
		t.Run(name, func(t *testing.T) {
			v, err := Parse([]byte(tt.text))
			bad, ok := err.(*SyntaxError)
			if !ok {
				t.Fatalf("got %v, %v, want an error", v, err)
			}
			if !strings.Contains(bad.Error(), tt.want) || bad.Pos != tt.pos {
				t.Errorf("got %q at %v, want %q at %v", bad.Msg, bad.Pos, tt.want, tt.pos)
			}
		})
	}
}

func names(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(`"n` + string(Append(nil, int64(i))) + `":1,`)
	}
	return b.String()
}

func TestLimits(t *testing.T) {
	for name, tt := range map[string]struct {
		text string
		want string
	}{
		"bytes":  {strings.Repeat(" ", 101), "exceeds the limit of 100"},
		"depth":  {strings.Repeat("[", 11) + strings.Repeat("]", 11), "maximum depth of 10"},
		"values": {"[" + strings.Repeat("1,", 20) + "]", "more than 20 values"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ParseString(tt.text, Limits{Bytes: 100, Depth: 10, Values: 20})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

func TestPositions(t *testing.T) {
	v, err := Parse([]byte("{\n  \"a\": {\n \"b\" : \"x\" },\n \"c\": [ 1 ], \"long\": \"two\nlines\", \"é\": 12\n}"))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]Pos{"": v.(*Object).Pos}
	for m := range v.(*Object).All() {
		got[m.Name] = m.Pos
		if o, ok := m.Value.(*Object); ok {
			got["b"] = o.At(0).Pos
		}
	}
	want := map[string]Pos{"": {1, 1}, "a": {2, 8}, "b": {3, 10}, "c": {4, 7}, "long": {5, 6}, "é": {5, 15}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"properties": {"parameters": {}, template:{ // c
 "a": ['x', 1.5e3, null,], /* y */ "b": "\ud83d\ude00
"}}}`))
	f.Add([]byte(`{"a":1,"A":2}`))
	f.Add([]byte(`[1e-7,-0.0,1e21,123456789012345678]`))
	f.Fuzz(func(t *testing.T, text []byte) {
		v, err := ParseString(string(text), Limits{Bytes: 1 << 16, Depth: 50, Values: 1000})
		if err != nil {
			return
		}
		again, err := Parse(Append(nil, v))
		if err != nil {
			t.Fatalf("what was written cannot be read: %v: %s", err, Append(nil, v))
		}
		if !Equal(v, again) {
			t.Fatalf("%s became %s", Append(nil, v), Append(nil, again))
		}
	})
}
