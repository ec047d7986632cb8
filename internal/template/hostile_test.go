package template

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
)

// hostile are templates that would cost far more than they say, were it not
// for the limits.
func hostile() map[string]string {
	copies := func(depth int, inner string) string {
		for i := range depth {
			inner = fmt.Sprintf(`{"copy": [{"name": "l%d", "count": 800, "input": %s}]}`, i, inner)
		}
		return inner
	}
	var doubled strings.Builder
	for i := range 60 {
		fmt.Fprintf(&doubled, `"v%d": "[createArray(variables('v%d'), variables('v%d'))]", `, i+1, i, i)
	}
	wide := strings.TrimSuffix(strings.Repeat(`"a",`, 100_000), ",")
	return map[string]string{
		"loops in loops of a variable": `{"resources": [], "variables": {"v": ` + copies(4, `"x"`) + `}}`,
		"loops in loops of a body":     resources(`{"type": "A.B/c", "name": "x", "apiVersion": "1", "p": ` + copies(4, `"x"`) + `}`),
		"loops in loops of an output":  `{"resources": [], "outputs": {"o": {"type": "object", "value": ` + copies(4, `"x"`) + `}}}`,
		"values that double":           `{"resources": [], "variables": {"v0": "x", ` + doubled.String() + `"last": "[string(variables('v60'))]"}}`,
		"values that double in a body": `{"variables": {"v0": "x", ` + doubled.String() + `"y": 1}, "resources": [{"type": "A.B/c", "name": "x", "apiVersion": "1", "p": "[variables('v60')]"}]}`,
		"a large body 800 times":       resources(`{"type": "A.B/c", "name": "[string(copyIndex())]", "apiVersion": "1", "copy": {"name": "l", "count": 800}, "p": [` + wide + `]}`),
		"dependencies 800 times":       resources(`{"type": "A.B/c", "name": "a", "apiVersion": "1"}, {"type": "A.B/c", "name": "[string(copyIndex())]", "apiVersion": "1", "copy": {"name": "l", "count": 700}, "dependsOn": [` + wide + `]}`),
		"a large default":              `{"resources": [], "parameters": {"p": {"type": "array", "defaultValue": "[map(range(0, 10000), lambda('i', range(0, 10000)))]"}}}`,
		"a large output":               `{"resources": [], "outputs": {"o": {"type": "array", "value": "[map(range(0, 10000), lambda('i', range(0, 10000)))]"}}}`,
		"a nested template, evaluated": resources(`{"type": "Microsoft.Resources/deployments", "name": "x", "apiVersion": "1", "properties": {"template": {"x": ` + copies(4, `"x"`) + `}}}`),
		"empty objects":                `{"resources": [], "metadata": [` + strings.TrimSuffix(strings.Repeat(`{},`, 1_000_000), ",") + `]}`,
		"many names":                   `{"resources": [], "variables": {"v": "[toObject(range(0, 10000), lambda('i', string(lambdaVariables('i'))))]", "w": "[map(range(0, 1000), lambda('i', union(variables('v'), variables('v'))))]"}}`,
	}
}

func TestHostileTemplates(t *testing.T) {
	for name, text := range hostile() {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			e := refusal(t, text, testInput(""))
			runtime.ReadMemStats(&after)
			if made := after.TotalAlloc - before.TotalAlloc; made > 300<<20 {
				t.Errorf("made %d MiB before it was refused: %.200s", made>>20, e.Message)
			}
		})
	}
}

// TestLargestTemplate is an honest template that is nearly as large as it may
// be, once it is expanded.
func TestLargestTemplate(t *testing.T) {
	var members []string
	for i := range 80 {
		members = append(members, fmt.Sprintf(`"property%d": "[concat('a value of some length, number ', %d, ' of ', copyIndex())]"`, i, i))
	}
	p := plan(t, resources(`{"type": "A.B/c", "name": "[format('r{0}', copyIndex())]", "apiVersion": "1", "copy": {"name": "l", "count": 800}, "properties": {`+strings.Join(members, ",")+`}}`), testInput(""))
	total := 0
	for _, body := range bodies(t, p, nil) {
		total += len(body)
	}
	if len(p.Resources) != 800 || total < 3_500_000 || total > MaxSize {
		t.Errorf("%d resources of %d bytes", len(p.Resources), total)
	}
}
