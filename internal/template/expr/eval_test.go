package expr

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestAccess(t *testing.T) {
	checkValues(t, map[string]string{
		"p('object').two":                `"b"`,
		"p('OBJECT').TWO":                `"b"`,
		"P('object')['two']":             `"b"`,
		"p('object')[p('array')[0]]":     `"a"`,
		"p('array')[2]":                  `"three"`,
		"p('deep').a[0].b.c[p('one')]":   `2`,
		"p( 'deep' ) . a [ 0 ] . b":      `{"c":[1,2,3]}`,
		"createObject('a.b', 1)['a.b']":  `1`,
		"ns.twice(ns.twice('ab'))":       `"abababab"`,
		"createArray(1, 'a')[sub(1, 0)]": `"a"`,
		"'literal'":                      `"literal"`,
		"-5":                             `-5`,
		"'it''s'":                        `"it's"`,
		"''''":                           `"'"`,
		"''":                             `""`,
	})
	checkErrors(t, map[string]string{
		"p('object').four":       "The language expression property 'four' doesn't exist, available properties are 'one, two, three'.",
		"p('array')[3]":          "The language expression property array index '3' is out of bounds.",
		"p('array')[-1]":         "array index '-1' is out of bounds",
		"p('array').length":      "property 'length' can't be evaluated, property name must be an integer",
		"p('object')[0]":         "property '0' can't be evaluated, property name must be a string",
		"p('none').x":            "its object is null",
		"p('name')[0]":           "can't be evaluated on a value of type 'String'",
		"nothing('x')":           "The template function 'nothing' is not valid. Please see https://aka.ms/arm-functions for usage details.",
		"ns.nothing()":           "The template function 'ns.nothing' is not valid",
		"other.concat('a')":      "The template function 'other.concat' is not valid",
		"concat(nothing(), 'a')": "The template function 'nothing' is not valid",
	})
}

func TestUnknown(t *testing.T) {
	for _, source := range []string{
		"unknown()",
		"unknown().a.b[0]",
		"p('array')[unknown()]",
		"concat('a', unknown())",
		"length(createArray(unknown()))",
		"ns.twice(unknown())",
		"if(unknown(), 1, 2)",
		"if(unknown(), p('none').x, 2)",
		"and(unknown(), p('none').x)",
		"coalesce(null(), unknown())",
		"map(unknown(), lambda('x', 1))",
		"map(p('array'), lambda('x', unknown()))",
		"filter(p('array'), lambda('x', unknown()))",
		"filter(unknown(), lambda('x', true()))",
		"sort(p('array'), lambda('x', 'y', unknown()))",
		"sort(unknown(), lambda('x', 'y', true()))",
		"reduce(p('array'), 0, lambda('x', 'y', unknown()))",
		"reduce(p('array'), unknown(), lambda('x', 'y', 1))",
		"reduce(unknown(), 1, lambda('x', 'y', 1))",
		"toObject(p('array'), lambda('x', unknown()))",
		"toObject(p('array'), lambda('x', lambdaVariables('x')), lambda('x', unknown()))",
		"toObject(unknown(), lambda('x', 'a'))",
		"groupBy(unknown(), lambda('x', 'a'))",
		"mapValues(unknown(), lambda('x', 'a'))",
		"mapValues(p('object'), lambda('x', unknown()))",
	} {
		if got, err := evaluate(source); err != nil || got != "unknown" {
			t.Errorf("%s = %s, %v", source, got, err)
		}
	}
	checkValues(t, map[string]string{
		"if(true(), 1, unknown())":                     "1",
		"or(true(), unknown())":                        "true",
		"coalesce(1, unknown())":                       "1",
		"length(createArray(if(true(),1, unknown())))": "1",
	})
	checkErrors(t, map[string]string{
		"concat(unknown(), p('none').x)": "its object is null",
	})
}

func TestUnknownLooksAtAllThatMayBeTaken(t *testing.T) {
	e, err := Parse("[if(unknown('a'), concat(unknown('b'), p('none').x), coalesce(unknown('c'), unknown('d')))]")
	if err != nil {
		t.Fatal(err)
	}
	w := &world{values: testValues}
	if v, err := e.Eval(&Env{Scope: w, Budget: DefaultBudget(context.Background())}); err != nil || v != Unknown {
		t.Fatal(v, err)
	}
	if got := strings.Join(w.asked, ""); got != "abcd" {
		t.Errorf("asked for %s, want abcd", got)
	}
}

// TestBudget has expressions that would take more than any machine has.
func TestBudget(t *testing.T) {
	tenfold := "createArray('x')"
	for range 12 {
		tenfold = "map(range(0, 10), lambda('i', " + tenfold + "))"
	}
	// Each level refers to the one below ten times, so that little is made
	// and much is meant.
	shared := "createArray('x')"
	for range 12 {
		shared = "map(createArray(" + shared + "), lambda('b', createArray(" + strings.TrimSuffix(strings.Repeat("lambdaVariables('b'),", 10), ",") + ")))"
	}
	for name, source := range map[string]string{
		"values made":      tenfold,
		"values shared":    "string(" + shared + ")",
		"compared":         "equals(" + shared + ", " + shared + ")",
		"formatted":        "format('{0}', " + shared + ")",
		"as data":          "dataUri(" + shared + ")",
		"recursion":        "forever()",
		"nested loops":     "map(range(0, 10000), lambda('i', map(range(0, 10000), lambda('j', 1))))",
		"in a branch":      "if(unknown(), map(range(0, 10000), lambda('i', range(0, 10000))), 1)",
		"in a sort":        "sort(range(0, 10000), lambda('a', 'b', contains(range(0, 10000), -1)))",
		"in a filter":      "filter(range(0, 10000), lambda('a', contains(range(0, 10000), -1)))",
		"union of objects": "reduce(range(0, 10000), createObject(), lambda('a', 'b', union(lambdaVariables('a'), createObject(string(lambdaVariables('b')), 1))))",
	} {
		t.Run(name, func(t *testing.T) {
			v, err := evaluate(source)
			var over *BudgetError
			if !errors.As(err, &over) {
				t.Errorf("got %.100s, %v, want a BudgetError", v, err)
			}
		})
	}
}

func TestLiteralLimit(t *testing.T) {
	big := "padLeft('x', 1048576)"
	for name, source := range map[string]string{
		"concat":  "concat(" + big + ", 'a')",
		"join":    "join(createArray(" + big + ", 'a'), ',')",
		"replace": "replace(" + big + ", ' ', 'abc')",
		"format":  "format('{0}{0}', " + big + ")",
		"base64":  "base64(" + big + ")",
		"string":  "string(createArray(" + big + "))",
		"uri":     "uriComponent(" + big + ")",
		"guid":    "guid(" + big + ", 'a')",
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := evaluate(source); err == nil || !strings.Contains(err.Error(), "literal limit exceeded. Limit: '1048576'") {
				t.Error(err)
			}
		})
	}
}

func TestContextEndsEvaluation(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	e, err := Parse("[map(range(0, 10000), lambda('i', 1))]")
	if err != nil {
		t.Fatal(err)
	}
	_, err = e.Eval(&Env{Scope: &world{}, Budget: DefaultBudget(ctx)})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
}

func TestFunctionsAreListed(t *testing.T) {
	names := Functions()
	for _, want := range []string{"concat", "uniqueString", "cidrHost", "dateTimeAdd", "groupBy"} {
		if !slices.Contains(names, want) {
			t.Errorf("%s is missing of %v", want, names)
		}
	}
}
