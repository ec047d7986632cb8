package expr

import (
	"context"
	"strings"
	"testing"

	"lazuli/internal/template/jsonc"
)

// world is a Scope for tests: p('name') is a value of it, unknown() is not
// known yet, and ns.twice(x) is a function of a template's own.
type world struct {
	values *jsonc.Object
	asked  []string
}

func (w *world) Call(env *Env, c Call) (any, error) {
	switch {
	case c.Key == "p" && len(c.Args) == 1:
		name, _ := c.Args[0].(string)
		v, _ := w.values.Get(name)
		return v, nil
	case c.Key == "unknown":
		for _, a := range c.Args {
			name, _ := a.(string)
			w.asked = append(w.asked, name)
		}
		return Unknown, nil
	case c.Namespace == "ns" && c.Key == "twice" && len(c.Args) == 1:
		e, err := Parse("[concat(p('x'), p('x'))]")
		if err != nil {
			return nil, err
		}
		return e.Eval(env.With(&world{values: jsonc.NewObject("x", c.Args[0])}))
	case c.Key == "forever":
		e, err := Parse("[forever()]")
		if err != nil {
			return nil, err
		}
		return e.Eval(env)
	}
	return nil, ErrNoFunction
}

// testValues are what p() knows.
var testValues = mustParse(`{
	"one": 1, "name": "lazuli", "none": null, "half": 0.5, "yes": true,
	"object": {"one": "a", "two": "b", "three": "c"},
	"array": ["one", "two", "three"],
	"dogs": [
		{"name": "Evie", "age": 5, "interests": ["Ball", "Frisbee"]},
		{"name": "Casper", "age": 3, "interests": ["Other dogs"]},
		{"name": "Indy", "age": 2, "interests": ["Butter"]},
		{"name": "Kira", "age": 8, "interests": ["Rubs"]}],
	"deep": {"a": [{"b": {"c": [1, 2, 3]}}]}
}`).(*jsonc.Object)

func mustParse(text string) any {
	v, err := jsonc.Parse([]byte(text))
	if err != nil {
		panic(err)
	}
	return v
}

// evaluate returns the JSON of what an expression without its brackets is.
func evaluate(source string) (string, error) {
	e, err := Parse("[" + source + "]")
	if err != nil {
		return "", err
	}
	v, err := e.Eval(&Env{Scope: &world{values: testValues}, Budget: DefaultBudget(context.Background())})
	if err != nil {
		return "", err
	}
	if v == Unknown {
		return "unknown", nil
	}
	return string(jsonc.Append(nil, v)), nil
}

// checkValues checks what expressions are.
func checkValues(t *testing.T, table map[string]string) {
	t.Helper()
	for source, want := range table {
		got, err := evaluate(source)
		if err != nil {
			t.Errorf("%s: %v", source, err)
		} else if got != want {
			t.Errorf("%s = %s, want %s", source, got, want)
		}
	}
}

// checkErrors checks a part of what is said of expressions that are wrong.
func checkErrors(t *testing.T, table map[string]string) {
	t.Helper()
	for source, want := range table {
		got, err := evaluate(source)
		if err == nil {
			t.Errorf("%s = %s, want an error", source, got)
		} else if !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %q, want %q", source, err, want)
		}
	}
}
