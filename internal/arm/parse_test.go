package arm

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// FuzzParse holds the parser to encoding/json: what it takes, both read alike,
// and what it refuses of JSON is a name given twice, too deep, or no object.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		` { "a" : [ 1 , -2.5e+7, true , false , null , "x\"\\\u00e9\ud83d\ude00\n" , {} , [] ] } `,
		`{"a":{"b":[{"c":0.1E-9}]},"":"","\u0061":1}`, `{"a":1,"a":2}`, `{"a":1,"\u0061":2}`, `{"\ud800":"\ud800x"}`,
		`{"a":"\\"}`, `{"a":"\\\""}`, `[1]`, `"x"`, `1`, `{}`, `{"a":1}{}`, "{\"a\":\t\r\n1}", `{"a":"€"}`,
		strings.Repeat(`{"a":`, 70) + "1" + strings.Repeat("}", 70),
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := parseBody(b)
		if err != nil {
			return
		}
		d := json.NewDecoder(bytes.NewReader(b))
		d.UseNumber()
		var want map[string]any
		if err := d.Decode(&want); err != nil {
			t.Fatalf("%q was taken, though it is no object: %v", b, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q: -want +got:\n%s", b, diff)
		}
	})
}

func TestParseTakes(t *testing.T) {
	for _, in := range []string{
		"{}", " { } ", `{"a":[]}`, `{"a":[ ]}`, `{"a":{ }}`, `{"a":1}`, `{"a":1 , "b":[ 2,3 ] }`, `{"a":"\\\"","b":"\\"}`,
		`{"a":1e9}`, `{"a":-0}`, strings.Repeat(`{"a":`, 64) + "{}" + strings.Repeat("}", 64),
	} {
		got, err := parseBody([]byte(in))
		if err != nil {
			t.Errorf("%s: %v", in, err)
			continue
		}
		back, err := json.Marshal(got)
		var compact bytes.Buffer
		if err == nil {
			err = json.Compact(&compact, []byte(in))
		}
		if err != nil || string(back) != compact.String() {
			t.Errorf("%s was read as %s, %v", in, back, err)
		}
	}
}

func BenchmarkParse(b *testing.B) {
	x := strings.Repeat("x", 250)
	body := []byte(`{"location":"local","tags":{"a":"` + x + `","b":"` + x + `","c":"` + x + `","n":"2026-01-01 12:00:00 +0000 UTC"}}`)
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		if _, err := parseBody(body); err != nil {
			b.Fatal(err)
		}
	}
}
