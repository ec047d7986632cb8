package whatif

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"lazuli/internal/template/jsonc"
)

func object(t *testing.T, text string) *jsonc.Object {
	t.Helper()
	if text == "" {
		return nil
	}
	v, err := jsonc.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return v.(*jsonc.Object)
}

// lines writes changes as az does: a sign, the path, and what was and will be.
func lines(changes []*Property, indent string) []string {
	var out []string
	signs := map[PropertyType]string{PropertyCreate: "+", PropertyDelete: "-", PropertyModify: "~", PropertyArray: "~[]", PropertyNoEffect: "x"}
	for _, p := range changes {
		line := indent + signs[p.Type] + " " + p.Path
		if p.Before != nil || p.After != nil {
			line += fmt.Sprintf(": %s => %s", jsonc.Append(nil, p.Before), jsonc.Append(nil, p.After))
		}
		out = append(append(out, line), lines(p.Children, indent+"  ")...)
	}
	return out
}

func TestDiff(t *testing.T) {
	for name, tt := range map[string]struct {
		before, after string
		want          []string
	}{
		"nothing":           {`{"a": 1, "b": {"c": [1]}}`, `{"b": {"c": [1]}, "a": 1}`, nil},
		"case of names":     {`{"diskSizeGB": 1}`, `{"diskSizeGb": 1}`, nil},
		"numbers":           {`{"a": 1}`, `{"a": 1.0}`, nil},
		"null is none":      {`{"a": null, "c": {}}`, `{"b": null, "d": [], "e": {"f": null}}`, nil},
		"created":           {`{"tags": {}}`, `{"tags": {"myNewTag": "my tag value"}}`, []string{`+ tags.myNewTag: null => "my tag value"`}},
		"created whole":     {`{}`, `{"tags": {"k": "v"}}`, []string{`+ tags: null => {"k":"v"}`}},
		"deleted":           {`{"tags": {"Owner": "Team A"}}`, `{}`, []string{`- tags.Owner: "Team A" => null`}},
		"deleted by null":   {`{"a": 1}`, `{"a": null}`, []string{`- a: 1 => null`}},
		"modified":          {`{"properties": {"a": {"b": 1}}}`, `{"properties": {"a": {"b": 2}}}`, []string{`~ properties.a.b: 1 => 2`}},
		"another type":      {`{"a": {"b": 1}}`, `{"a": [1]}`, []string{`~ a: {"b":1} => [1]`}},
		"false is a value":  {`{"a": true}`, `{"a": false}`, []string{`~ a: true => false`}},
		"case of values":    {`{"a": "X"}`, `{"a": "x"}`, []string{`~ a: "X" => "x"`}},
		"scalars replaced":  {`{"p": ["10.0.0.0/16"]}`, `{"p": ["10.0.0.0/15"]}`, []string{`~[] p`, `  - 0: "10.0.0.0/16" => null`, `  + 0: null => "10.0.0.0/15"`}},
		"scalar removed":    {`{"p": ["a", "b", "c"]}`, `{"p": ["b", "c"]}`, []string{`~[] p`, `  - 0: "a" => null`}},
		"scalar added":      {`{"p": ["b"]}`, `{"p": ["a", "b"]}`, []string{`~[] p`, `  + 0: null => "a"`}},
		"scalar twice":      {`{"p": ["b"]}`, `{"p": ["b", "b"]}`, []string{`~[] p`, `  + 1: null => "b"`}},
		"scalars moved":     {`{"dns": ["1.1.1.1", "8.8.8.8"]}`, `{"dns": ["8.8.8.8", "1.1.1.1"]}`, []string{`~[] dns`, `  ~ 0: "1.1.1.1" => "8.8.8.8"`, `  ~ 1: "8.8.8.8" => "1.1.1.1"`}},
		"all removed":       {`{"p": ["a"]}`, `{"p": []}`, []string{`~[] p`, `  - 0: "a" => null`}},
		"objects by name":   {`{"subnets": [{"name": "a", "x": 1}, {"name": "B", "x": 2}, {"name": "c"}]}`, `{"subnets": [{"name": "b", "x": 3}, {"name": "a", "x": 1}, {"name": "d"}]}`, []string{`~[] subnets`, `  ~ 0`, `    ~ name: "B" => "b"`, `    ~ x: 2 => 3`, `  - 2: {"name":"c"} => null`, `  + 2: null => {"name":"d"}`}},
		"objects moved":     {`{"s": [{"name": "a"}, {"name": "b"}]}`, `{"s": [{"name": "b"}, {"name": "a"}]}`, nil},
		"objects by id":     {`{"nics": [{"id": "/a", "p": 1}]}`, `{"nics": [{"id": "/A", "p": 1}]}`, []string{`~[] nics`, `  ~ 0`, `    ~ id: "/a" => "/A"`}},
		"objects by place":  {`{"disks": [{"lun": 0, "size": 1}, {"lun": 1, "size": 1}]}`, `{"disks": [{"lun": 1, "size": 1}, {"lun": 0, "size": 2}]}`, []string{`~[] disks`, `  ~ 1`, `    ~ size: 1 => 2`}},
		"names given twice": {`{"s": [{"name": "a", "x": 1}, {"name": "a", "x": 2}]}`, `{"s": [{"name": "a", "x": 2}, {"name": "a", "x": 3}]}`, []string{`~[] s`, `  ~ 1`, `    ~ x: 1 => 3`}},
		"arrays in arrays":  {`{"m": [[1, 2], [3]]}`, `{"m": [[1, 2], [4]]}`, []string{`~[] m`, `  ~[] 1`, `    - 0: 3 => null`, `    + 0: null => 4`}},
		"same in arrays":    {`{"m": [{"a": 1, "b": null}]}`, `{"m": [{"a": 1}]}`, nil},
		"same nested":       {`{"m": [[{"a": null}]]}`, `{"m": [[{}]]}`, nil},
		"object to scalar":  {`{"m": [{"a": 1}]}`, `{"m": [1]}`, []string{`~[] m`, `  - 0: {"a":1} => null`, `  + 0: null => 1`}},
		"long arrays":       {`{"p": [` + strings.Repeat("1,", 1500) + `2]}`, `{"p": [` + strings.Repeat("1,", 1499) + `3, 2]}`, []string{`~[] p`, `  ~ 1499: 1 => 3`}},
	} {
		t.Run(name, func(t *testing.T) {
			c := Compare("/x", object(t, tt.before), object(t, tt.after), Options{})
			if d := cmp.Diff(tt.want, lines(c.Delta, "")); d != "" {
				t.Error(d)
			}
			want := Modify
			if tt.want == nil {
				want = NoChange
			}
			if c.Type != want {
				t.Errorf("type %s, want %s", c.Type, want)
			}
		})
	}
}

func TestOptions(t *testing.T) {
	o := Options{
		ReadOnly: func(path string) bool {
			return path == "properties.provisioningState" || path == "properties.subnets[].etag"
		},
		Keeps: func(path string, before any) bool {
			return path == "properties.default" || path == "properties.subnets[].properties.delegations" || path == "properties.rules[]" && before == "system"
		},
		Same: func(path string, before, after any) bool {
			return path == "location" && strings.EqualFold(strings.ReplaceAll(fmt.Sprint(before), " ", ""), strings.ReplaceAll(fmt.Sprint(after), " ", ""))
		},
	}
	for name, tt := range map[string]struct {
		before, after string
		want          []string
		kind          ChangeType
	}{
		"what the server fills in": {
			`{"location": "westeurope", "properties": {"provisioningState": "Succeeded", "default": {"x": 1}, "subnets": [{"name": "a", "etag": "1", "properties": {"delegations": [1]}}], "rules": ["system", "mine"]}}`,
			`{"location": "West Europe", "properties": {"subnets": [{"name": "a", "properties": {}}], "rules": ["mine"]}}`,
			nil, NoChange,
		},
		"what the server does not take": {
			`{"properties": {"provisioningState": "Succeeded"}}`, `{"properties": {"provisioningState": "Failed"}}`,
			[]string{`x properties.provisioningState: "Succeeded" => "Failed"`}, NoChange,
		},
		"and what it does": {
			`{"location": "westeurope", "properties": {"default": {"x": 1}}}`, `{"location": "eastus", "properties": {"default": {"x": 2}}}`,
			[]string{`~ location: "westeurope" => "eastus"`, `~ properties.default.x: 1 => 2`}, Modify,
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := Compare("/x", object(t, tt.before), object(t, tt.after), o)
			if d := cmp.Diff(tt.want, lines(c.Delta, "")); d != "" || c.Type != tt.kind {
				t.Error(c.Type, d)
			}
		})
	}
}

func TestCompareWithNone(t *testing.T) {
	for name, tt := range map[string]struct {
		before, after string
		want          string
	}{
		"create": {``, `{"a": 1}`, `{"resourceId":"/x","changeType":"Create","after":{"a":1}}`},
		"delete": {`{"a": 1}`, ``, `{"resourceId":"/x","changeType":"Delete","before":{"a":1}}`},
		"modify": {`{"a": 1}`, `{"a": 0}`, `{"resourceId":"/x","changeType":"Modify","before":{"a":1},"after":{"a":0},"delta":[{"path":"a","propertyChangeType":"Modify","before":1,"after":0}]}`},
		"same":   {`{"a": 1}`, `{"a": 1}`, `{"resourceId":"/x","changeType":"NoChange","before":{"a":1},"after":{"a":1}}`},
		"array":  {`{"a": [1]}`, `{"a": [false]}`, `{"resourceId":"/x","changeType":"Modify","before":{"a":[1]},"after":{"a":[false]},"delta":[{"path":"a","propertyChangeType":"Array","children":[{"path":"0","propertyChangeType":"Delete","before":1},{"path":"0","propertyChangeType":"Create","after":false}]}]}`},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := json.Marshal(Compare("/x", object(t, tt.before), object(t, tt.after), Options{}))
			if err != nil || string(got) != tt.want {
				t.Errorf("got  %s, %v\nwant %s", got, err, tt.want)
			}
		})
	}
}

// FuzzDiff compares whatever parses: with itself there is no change, and two
// values that differ have one, unless they differ in nothings only.
func FuzzDiff(f *testing.F) {
	f.Add(`{"a": [1, {"name": "x"}], "b": null}`, `{"a": [{"name": "X", "y": 1}, 1]}`)
	f.Add(`{"s": [{"id": "/a"}, {"id": "/b"}]}`, `{"s": [{"id": "/b"}, {"id": "/c"}]}`)
	f.Add(`{"m": [[1], [2, 3]]}`, `{"m": [[2], []]}`)
	f.Fuzz(func(t *testing.T, x, y string) {
		read := func(text string) *jsonc.Object {
			v, _ := jsonc.ParseString(text, jsonc.Limits{Bytes: 1 << 12, Depth: 30, Values: 300})
			o, _ := v.(*jsonc.Object)
			return o
		}
		before, after := read(x), read(y)
		if before == nil || after == nil {
			return
		}
		if c := Compare("/x", before, before, Options{}); c.Type != NoChange {
			t.Errorf("%s differs from itself: %v", x, lines(c.Delta, ""))
		}
		if c := Compare("/x", before, after, Options{}); c.Type == NoChange && c.Delta != nil {
			t.Errorf("no change, and yet %v", lines(c.Delta, ""))
		}
	})
}
