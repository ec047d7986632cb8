package expr

import (
	"context"
	"strings"
	"testing"

	"lazuli/internal/template/jsonc"
)

func TestIs(t *testing.T) {
	for s, want := range map[string]bool{
		"[concat('a')]": true, "[]": true, "[x": false, "x]": false, "[[x]": false, "": false, "[": false,
		"[a] b": false, "x": false,
	} {
		if Is(s) != want {
			t.Errorf("Is(%q) = %v", s, !want)
		}
	}
}

func TestEscapes(t *testing.T) {
	for text, means := range map[string]string{
		"[[test value]": "[test value]",
		"[test] value":  "[test] value",
		"[[test] value": "[[test] value",
		"[[[x]":         "[[x]",
		"plain":         "plain",
	} {
		if got := Unescape(text); got != means {
			t.Errorf("Unescape(%q) = %q, want %q", text, got, means)
		}
		if got := Escape(means); Unescape(got) != means || Is(got) {
			t.Errorf("Escape(%q) = %q, which means something else", means, got)
		}
	}
}

func TestParseErrors(t *testing.T) {
	for source, want := range map[string]string{
		"[]":                     "expected token 'Literal' and actual 'EndOfData' at position '0'",
		"[concat('a']":           "Unable to parse language expression 'concat('a'': expected token 'Comma' and actual 'EndOfData' at position '10'. Please see https://aka.ms/arm-functions for usage details.",
		"[concat('a'))]":         "expected token 'EndOfData' and actual 'RightParenthesis'",
		"[concat('a' 'b')]":      "expected token 'Comma' and actual 'Literal' at position '11'",
		"[concat('a',)]":         "expected token 'Literal' and actual 'RightParenthesis'",
		"[concat(,'a')]":         "expected token 'Literal' and actual 'Comma'",
		"[concat]":               "expected token 'LeftParenthesis' and actual 'EndOfData'",
		"[parameters('a').]":     "expected token 'Identifier' and actual 'EndOfData'",
		"[parameters('a').'b']":  "expected token 'Identifier' and actual 'Literal'",
		"[parameters('a')[]]":    "expected token 'Literal' and actual 'RightSquareBracket'",
		"[parameters('a')[0]":    "expected token 'RightSquareBracket' and actual 'EndOfData'",
		"[a.b.c()]":              "expected token 'LeftParenthesis' and actual 'Dot'",
		"['abc]":                 "the string literal that begins at position '0' is not terminated",
		"['abc'].x]":             "expected token 'EndOfData' and actual 'RightSquareBracket'",
		"['abc'.x]":              "expected token 'EndOfData' and actual 'Dot'",
		"[bad-expression]":       "The language expression 'bad-expression' is not valid: the string character 'x' at position '5' is not expected.",
		"[bad expression]":       "expected token 'LeftParenthesis' and actual 'Identifier' at position '4'",
		"[12x]":                  "The language expression '12x' is not valid: the string character 'x' at position '2' is not expected.",
		"[1.5]":                  "expected token 'EndOfData' and actual 'Dot'",
		"[99999999999999999999]": "the integer '99999999999999999999' at position '0' is not valid",
		"[-]":                    "the integer '-' at position '0' is not valid",
		"[a = b]":                "the string character '=' at position '2' is not expected",
		"[1e5]":                  "the integer '1e5' at position '0' is not valid",
		"[=]":                    "the string character '=' at position '0' is not expected",
		"[é()]":                  "the string character 'é' at position '0' is not expected",
		"[concat(\"a\")]":        "the string character '\"' at position '7' is not expected",
		"concat('a')":            "it must be in brackets",
		"[substring('a')]":       "Unable to evaluate template language function 'substring': function requires 2 to 3 arguments while 1 were provided.",
		"[split('a')]":           "Unable to evaluate template language function 'split': function requires 2 argument(s) while 1 were provided. Please see https://aka.ms/arm-functions#split for usage details.",
		"[concat()]":             "Unable to evaluate template language function 'concat'. At least one parameter should be provided.",
		"[union(createArray())]": "function requires at least 2 arguments while 1 were provided",
		"[true(1)]":              "function requires 0 argument(s) while 1 were provided",
		"[" + strings.Repeat("string(", 300) + "1" + strings.Repeat(")", 300) + "]": "nested more than 256 deep",
		"[a()" + strings.Repeat(".b", 600) + "]":                                    "too many accesses",
		"[concat('" + strings.Repeat("x", MaxLength) + "')]":                        "length limit exceeded. Limit: '24576' and actual: '24588'",
	} {
		e, err := Parse(source)
		if err == nil {
			t.Errorf("%.50s: got %v, want an error", source, e)
		} else if !strings.Contains(err.Error(), want) {
			t.Errorf("%.50s: got %q, want %q", source, err, want)
		}
	}
}

func TestLongestExpression(t *testing.T) {
	text := strings.Repeat("x", MaxLength-len("[string('')]"))
	e, err := Parse("[string('" + text + "')]")
	if err != nil {
		t.Fatal(err)
	}
	if v, err := e.Eval(&Env{Budget: DefaultBudget(context.Background())}); v != text {
		t.Errorf("%.20v, %v", v, err)
	}
}

// FuzzExpression evaluates whatever parses. It must end within its budget and
// make only values that can be written.
func FuzzExpression(f *testing.F) {
	for _, s := range []string{
		"concat('a', p('name'), string(1))", "p('deep').a[0].b.c[1]", "ns.twice(p('name'))",
		"format('{0,-8:N2}|{1:yyyy}', 12, 'x')", "if(unknown(), 1, fail('x'))",
		"sort(p('dogs'), lambda('a', 'b', less(lambdaVariables('a').age, lambdaVariables('b').age)))",
		"reduce(p('array'), '', lambda('a', 'b', concat(lambdaVariables('a'), lambdaVariables('b'))))",
		"toObject(p('dogs'), lambda('d', lambdaVariables('d').name), lambda('d', 1))",
		"dateTimeAdd('2020-04-07 14:53:14Z', '-P9DT1.5S', 'dddd, dd MMMM yyyy')", "cidrSubnet('10.0.0.0/8', 24, 300)",
		"cidrHost('fdad:3236:5555::/48', 5)", "json('{\"a\": [1, 2.5e3, null]}')", "base64ToJson(base64('{}'))",
		"dataUriToString('data:;base64,SGVsbG8=')", "uri('http://a.b/c/d', '../e?f#g')", "range(-5, 10)",
		"union(p('object'), createObject('x', p('object')))", "tryGet(p('deep'), 'a', 0, 'b')", "mul(-9223372036854775807, 1)",
		"split('a,b;c', createArray(',', ';'))", "replace('aaa', 'a', 'aaaa')", "padLeft('é', 10, '0')", "substring('aé😀', 1, 2)",
		"buildUri(parseUri('https://x.y:8/z?q=1'))", "groupBy(p('dogs'), lambda('d', lambdaVariables('d').age))",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, source string) {
		e, err := Parse("[" + source + "]")
		if err != nil {
			return
		}
		env := &Env{Scope: &world{values: testValues}, Budget: &Budget{Steps: 100_000, Bytes: 1 << 20}}
		v, err := e.Eval(env)
		if err != nil || v == Unknown {
			return
		}
		if err := env.Budget.Weigh(v); err != nil {
			return
		}
		if _, err := jsonc.Parse(jsonc.Append(nil, v)); err != nil {
			t.Errorf("%s made what cannot be read: %v", source, err)
		}
	})
}
