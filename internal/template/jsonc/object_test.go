package jsonc

import (
	"encoding/json"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestGetByAnyCase(t *testing.T) {
	small := NewObject("Name", "x", "abcKey", int64(1), "ABCKey", int64(2))
	large := small.Clone()
	for i := range 40 {
		large.Set("n"+strconv.Itoa(i), int64(i))
	}
	for size, o := range map[string]*Object{"small": small, "large": large, "cloned": large.Clone()} {
		for name, want := range map[string]any{
			"Name": "x", "name": "x", "NAME": "x",
			"abcKey": int64(1), "ABCKey": int64(2), "abckey": int64(1),
		} {
			if got, ok := o.Get(name); !ok || got != want {
				t.Errorf("%s: Get(%s) = %v, %v, want %v", size, name, got, ok, want)
			}
		}
		if o.Has("nam") || o.Has("") {
			t.Errorf("%s: has what it has not", size)
		}
	}
	if got, _ := large.Get("N39"); got != int64(39) {
		t.Errorf("N39 = %v", got)
	}
}

func TestSet(t *testing.T) {
	o := NewObject("a", int64(1))
	o.Set("A", int64(2))
	o.Set("a", int64(3))
	o.SetFold("B", int64(4))
	o.SetFold("b", int64(5))
	if got := string(Append(nil, o)); got != `{"a":3,"A":2,"B":5}` {
		t.Error(got)
	}
	if d := cmp.Diff([]string{"a", "A", "B"}, o.Names()); d != "" {
		t.Error(d)
	}
}

func TestNilObject(t *testing.T) {
	var o *Object
	if _, ok := o.Get("x"); ok || o.Len() != 0 || len(o.Names()) != 0 {
		t.Error("a nil object has something")
	}
	if got := string(Append(nil, o)); got != "null" {
		t.Error(got)
	}
	if got := string(Append(nil, o.Clone())); got != "{}" {
		t.Error(got)
	}
}

func TestCloneIsApart(t *testing.T) {
	o := NewObject("a", int64(1))
	c := o.Clone()
	c.Set("a", int64(2))
	c.Set("b", int64(3))
	if got := string(Append(nil, o)); got != `{"a":1}` {
		t.Error(got)
	}
}

func TestMarshalInStruct(t *testing.T) {
	got, err := json.Marshal(struct{ X *Object }{NewObject("b", "<&>", "a", []any{nil})})
	if err != nil || string(got) != `{"X":{"b":"\u003c\u0026\u003e","a":[null]}}` {
		t.Errorf("%s %v", got, err)
	}
}

func TestAppend(t *testing.T) {
	for want, v := range map[string]any{
		`"a\"b\\c\u0001\u2028é<>"`: "a\"b\\c\u0001\u2028é<>",
		`0.0`:                      0.0,
		`1.5`:                      1.5,
		`-3.0`:                     -3.0,
		`1E+20`:                    1e20,
		`1E-07`:                    1e-7,
		`{"a":{}}`:                 NewObject("a", NewObject()),
	} {
		if got := string(Append(nil, v)); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	if got := string(AppendQuoted(nil, NewObject("a", "it's"), '\'')); got != `{'a':'it\'s'}` {
		t.Error(got)
	}
}

func TestEqual(t *testing.T) {
	for name, tt := range map[string]struct {
		a, b string
		want bool
	}{
		"order of members":  {`{"a":1,"b":[2]}`, `{"b":[2],"a":1}`, true},
		"case of names":     {`{"a":1}`, `{"A":1}`, true},
		"case of values":    {`"a"`, `"A"`, false},
		"order of elements": {`[1,2]`, `[2,1]`, false},
		"one more":          {`[1]`, `[1,2]`, false},
		"one member more":   {`{"a":1}`, `{"a":1,"b":1}`, false},
		"another member":    {`{"a":1}`, `{"b":1}`, false},
		"whole numbers":     {`[1,1.0]`, `[1.0,1]`, true},
		"number and string": {`1`, `"1"`, false},
		"null and empty":    {`null`, `{}`, false},
		"array and object":  {`[]`, `{}`, false},
		"number and array":  {`1`, `[]`, false},
	} {
		t.Run(name, func(t *testing.T) {
			a, _ := Parse([]byte(tt.a))
			b, _ := Parse([]byte(tt.b))
			if got := Equal(a, b); got != tt.want {
				t.Errorf("Equal(%s, %s) = %v", tt.a, tt.b, got)
			}
		})
	}
}

func TestSizeIsNearlyTheJSON(t *testing.T) {
	v, _ := Parse([]byte(`{"name":"abcdefgh","list":["one","two",{"x":true,"y":null}]}`))
	if got, want := Size(v), len(Append(nil, v)); got < want-10 || got > want+20 {
		t.Errorf("Size = %d, the JSON has %d", got, want)
	}
}
