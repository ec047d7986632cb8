package arm

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

func TestMerge(t *testing.T) {
	current := map[string]any{
		"location":   "local",
		"tags":       map[string]any{"a": "1", "b": "2"},
		"properties": map[string]any{"size": 4, "profile": map[string]any{"x": 1, "y": 2}, "list": []any{1, 2}},
	}
	tests := map[string]struct{ patch, want string }{
		"nothing":          {`{}`, `{"location":"local","properties":{"list":[1,2],"profile":{"x":1,"y":2},"size":4},"tags":{"a":"1","b":"2"}}`},
		"tags as a whole":  {`{"Tags":{"c":"3"}}`, `{"Tags":{"c":"3"},"location":"local","properties":{"list":[1,2],"profile":{"x":1,"y":2},"size":4}}`},
		"tags removed":     {`{"tags":null}`, `{"location":"local","properties":{"list":[1,2],"profile":{"x":1,"y":2},"size":4}}`},
		"in other case":    {`{"PROPERTIES":{"Profile":{"X":5}}}`, `{"location":"local","properties":{"list":[1,2],"profile":{"x":5,"y":2},"size":4},"tags":{"a":"1","b":"2"}}`},
		"null removes":     {`{"properties":{"profile":null,"list":[3]}}`, `{"location":"local","properties":{"list":[3],"size":4},"tags":{"a":"1","b":"2"}}`},
		"other letters":    {`{"propertieſ":{"size":5},"tagſ":null}`, `{"location":"local","properties":{"list":[1,2],"profile":{"x":1,"y":2},"size":4},"propertieſ":{"size":5},"tags":{"a":"1","b":"2"}}`},
		"object for value": {`{"properties":{"size":{"a":1,"b":null}}}`, `{"location":"local","properties":{"list":[1,2],"profile":{"x":1,"y":2},"size":{"a":1}},"tags":{"a":"1","b":"2"}}`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := Merge(current, []byte(tt.patch))
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != tt.want {
				t.Errorf("Merge =\n%s, want\n%s", got, tt.want)
			}
		})
	}
}

func TestMergeRefuses(t *testing.T) {
	for name, patch := range map[string]string{"empty": "", "array": "[]", "twice": `{"a":{"b":1,"B":2}}`, "half": `{"a"`} {
		t.Run(name, func(t *testing.T) {
			got, err := Merge(map[string]any{}, []byte(patch))
			if ae, ok := errors.AsType[*Error](err); !ok || ae.Status != 400 {
				t.Errorf("Merge = %s, %v; want a 400", got, err)
			}
		})
	}
}

func TestCheckPrecondition(t *testing.T) {
	there := &Meta{UID: "u", Version: 42}
	tag := there.ETag()
	tests := map[string]struct {
		match, noneMatch string
		m                *Meta
		fails            bool
	}{
		"none":                     {m: there},
		"none, absent":             {},
		"any":                      {match: "*", m: there},
		"any, absent":              {match: "*", fails: true},
		"exact":                    {match: tag, m: there},
		"strong form":              {match: tag[2:], m: there},
		"bare":                     {match: strings.Trim(tag[2:], `"`), m: there},
		"in a list":                {match: `"x", ` + tag, m: there},
		"other":                    {match: `W/"x"`, m: there, fails: true},
		"exact, absent":            {match: tag, fails: true},
		"not any, absent":          {noneMatch: "*"},
		"not any, there":           {noneMatch: "*", m: there, fails: true},
		"not this one":             {noneMatch: tag, m: there, fails: true},
		"not another":              {noneMatch: `"x"`, m: there},
		"match and not none match": {match: tag, noneMatch: tag, m: there, fails: true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			err := CheckPrecondition(&Call{IfMatch: tt.match, IfNoneMatch: tt.noneMatch}, tt.m)
			ae, _ := errors.AsType[*Error](err)
			if (err != nil) != tt.fails || tt.fails && ae.Status != 412 {
				t.Errorf("CheckPrecondition = %v, want failure %t with 412", err, tt.fails)
			}
		})
	}
}

func TestEnum(t *testing.T) {
	type caching string
	for in, want := range map[caching]caching{"": "", "readonly": "ReadOnly", "ReadOnly": "ReadOnly", "NONE": "None"} {
		if got, err := Enum("properties.caching", in, "None", "ReadOnly"); err != nil || got != want {
			t.Errorf("Enum(%q) = %q, %v; want %q", in, got, err, want)
		}
	}
	_, err := Enum("properties.caching", "some", "None", "ReadOnly")
	if ae, ok := errors.AsType[*Error](err); !ok || ae.Code != "InvalidParameter" || ae.Target != "properties.caching" {
		t.Errorf("Enum = %v, want InvalidParameter at properties.caching", err)
	}
}

func TestCheckTags(t *testing.T) {
	many := map[string]string{}
	for i := range 51 {
		many[string(rune('a'+i))] = ""
	}
	long := string(make([]byte, 600))
	tests := map[string]struct {
		tags map[string]string
		code string
	}{
		"none":       {},
		"good":       {tags: map[string]string{"env": "test", "ünï": ""}},
		"too many":   {many, "TooManyTags"},
		"long name":  {map[string]string{long: ""}, "InvalidTagName"},
		"no name":    {map[string]string{"": "x"}, "InvalidTagName"},
		"slash":      {map[string]string{"a/b": "x"}, "InvalidTagNameCharacters"},
		"long value": {map[string]string{"a": long}, "InvalidTagValue"},
		"twice":      {map[string]string{"a": "", "A": ""}, "InvalidTagName"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			err := CheckTags(tt.tags)
			ae, _ := errors.AsType[*Error](err)
			if (err != nil) != (tt.code != "") || ae != nil && ae.Code != tt.code {
				t.Errorf("CheckTags = %v, want code %q", err, tt.code)
			}
		})
	}
}

// A patch that was applied changes nothing when it is applied again.
func FuzzMerge(f *testing.F) {
	for _, s := range []string{`{}`, `{"a":null}`, `{"A":{"B":[1,{}]}}`, `{"tags":{"x":"y"}}`, `{"a":{"b":{}}}`, `{"a":1,"A":2}`, `{"TAGS":null,"a":"x"}`, `{"tagſ":{"x":1},"tags":{"y":2}}`, `{"":{"":0}}`} {
		f.Add([]byte(s))
	}
	current := map[string]any{"a": map[string]any{"b": map[string]any{"c": 1}, "d": []any{"e"}}, "tags": map[string]any{"t": "v"}}
	f.Fuzz(func(t *testing.T, patch []byte) {
		once, err := Merge(current, patch)
		if err != nil {
			return
		}
		twice, err := Merge(json.RawMessage(once), patch)
		if err != nil || string(once) != string(twice) {
			t.Errorf("%s makes %s, and again %s, %v", patch, once, twice, err)
		}
	})
}
