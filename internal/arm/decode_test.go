package arm

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

type testInner struct {
	DiskSizeGB *int64            `json:"diskSizeGB,omitempty"`
	Caching    string            `json:"caching,omitempty"`
	Fast       *bool             `json:"fast,omitempty"`
	Disk       *ID               `json:"disk,omitempty"`
	Port       uint16            `json:"port,omitempty"`
	Share      float64           `json:"share,omitempty" arm:"notzero"`
	Labels     map[string]string `json:"labels,omitempty"`
	Raw        json.RawMessage   `json:"raw,omitempty"`
	Any        any               `json:"any,omitempty"`
	At         time.Time         `json:"at,omitzero"`
	State      string            `json:"provisioningState,omitempty" arm:"readonly"`
	Hidden     string            `json:"-"`
}

type testShared struct {
	Tags map[string]string `json:"tags,omitempty"`
}

type testBody struct {
	_ struct{} `arm:"readonly=vmId,instanceView"`
	testShared
	Location   string     `json:"location,omitempty"`
	Properties *testInner `json:"properties,omitempty"`
	Rules      []testInner
	TestOuter
}

// TestOuter is embedded, and exported so that it can be set.
type TestOuter struct {
	Zones    []string `json:"zones,omitempty"`
	Location string   `json:"location,omitempty"` // hidden by testBody's
}

func ptr[T any](v T) *T { return &v }

func TestDecode(t *testing.T) {
	disk, err := ParseID("/subscriptions/S/resourceGroups/G/providers/Microsoft.Compute/disks/d")
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		in   string
		want testBody
	}{
		"plain":                  {`{"location":"local","properties":{"diskSizeGB":30}}`, testBody{Location: "local", Properties: &testInner{DiskSizeGB: ptr[int64](30)}}},
		"case of names":          {`{"LOCATION":"local","Properties":{"diskSizeGb":30}}`, testBody{Location: "local", Properties: &testInner{DiskSizeGB: ptr[int64](30)}}},
		"null is absent":         {`{"location":null,"properties":null,"rules":null}`, testBody{}},
		"unknown that is empty":  {`{"a":null,"b":false,"c":"","d":{},"e":[],"f":{"g":{"h":null}}}`, testBody{}},
		"number as string":       {`{"properties":{"diskSizeGB":"30","port":"22"}}`, testBody{Properties: &testInner{DiskSizeGB: ptr[int64](30), Port: 22}}},
		"whole float":            {`{"properties":{"diskSizeGB":3e1}}`, testBody{Properties: &testInner{DiskSizeGB: ptr[int64](30)}}},
		"float":                  {`{"properties":{"share":0.5}}`, testBody{Properties: &testInner{Share: 0.5}}},
		"string as number":       {`{"properties":{"caching":22}}`, testBody{Properties: &testInner{Caching: "22"}}},
		"bool as string":         {`{"properties":{"fast":"True"}}`, testBody{Properties: &testInner{Fast: ptr(true)}}},
		"false is kept":          {`{"properties":{"fast":false}}`, testBody{Properties: &testInner{Fast: ptr(false)}}},
		"read-only":              {`{"properties":{"provisioningState":"Succeeded"}}`, testBody{Properties: &testInner{}}},
		"read-only of any type":  {`{"properties":{"provisioningState":[{"x":1}]}}`, testBody{Properties: &testInner{}}},
		"read-only, no field":    {`{"vmid":"x","instanceView":{"a":[1]}}`, testBody{}},
		"id":                     {`{"properties":{"disk":"` + disk.String() + `"}}`, testBody{Properties: &testInner{Disk: &disk}}},
		"time":                   {`{"properties":{"at":"2026-01-02T03:04:05Z"}}`, testBody{Properties: &testInner{At: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}}},
		"raw":                    {`{"properties":{"raw":{"b":[1,"x"]}}}`, testBody{Properties: &testInner{Raw: json.RawMessage(`{"b":[1,"x"]}`)}}},
		"any":                    {`{"properties":{"any":{"b":[1,"x"]}}}`, testBody{Properties: &testInner{Any: map[string]any{"b": []any{1.0, "x"}}}}},
		"map keeps case":         {`{"properties":{"labels":{"Aa":"1","aA":"2","n":null}}}`, testBody{Properties: &testInner{Labels: map[string]string{"Aa": "1", "aA": "2"}}}},
		"slice":                  {`{"RULES":[{"port":1},{"port":2}]}`, testBody{Rules: []testInner{{Port: 1}, {Port: 2}}}},
		"empty slice":            {`{"rules":[]}`, testBody{Rules: []testInner{}}},
		"embedded":               {`{"zones":["1"]}`, testBody{TestOuter: TestOuter{Zones: []string{"1"}}}},
		"embedded, not exported": {`{"tags":{"a":"b"}}`, testBody{testShared: testShared{Tags: map[string]string{"a": "b"}}}},
		"space around":           {"\n {} \n", testBody{}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var got testBody
			if err := Decode([]byte(tt.in), &got); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(testBody{})); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestDecodeRefuses(t *testing.T) {
	tests := map[string]struct{ in, code, target string }{
		"empty":               {"", "InvalidRequestContent", ""},
		"white space":         {" \n", "InvalidRequestContent", ""},
		"null":                {"null", "InvalidRequestContent", ""},
		"array":               {"[]", "InvalidRequestContent", ""},
		"string":              {`"x"`, "InvalidRequestContent", ""},
		"cut short":           {`{"location":`, "InvalidRequestContent", ""},
		"trailing bytes":      {`{} x`, "InvalidRequestContent", ""},
		"two objects":         {`{}{}`, "InvalidRequestContent", ""},
		"trailing comma":      {`{"location":"x",}`, "InvalidRequestContent", ""},
		"comment":             {`{/* */}`, "InvalidRequestContent", ""},
		"not UTF-8":           {"{\"location\":\"\xff\"}", "InvalidRequestContent", ""},
		"deep":                {`{"properties":` + strings.Repeat("[", 1000) + strings.Repeat("]", 1000) + `}`, "InvalidRequestContent", ""},
		"deeper":              {`{"properties":` + strings.Repeat(`{"a":`, 100000) + `1` + strings.Repeat("}", 100001), "InvalidRequestContent", ""},
		"never closed":        {strings.Repeat("[", 1<<20), "InvalidRequestContent", ""},
		"twice":               {`{"properties":{"port":1,"port":1}}`, "InvalidRequestContent", "properties.port"},
		"twice in other case": {`{"properties":{"port":1,"Port":1}}`, "InvalidRequestContent", "properties.port"},
		"unknown":             {`{"properties":{"Encryption":{"on":true}}}`, "UnsupportedProperty", "properties.Encryption"},
		"unknown in a list":   {`{"rules":[{},{"x":1}]}`, "UnsupportedProperty", "Rules[1].x"},
		"unknown zero":        {`{"count":0}`, "UnsupportedProperty", "count"},
		"hidden field":        {`{"properties":{"hidden":"x"}}`, "UnsupportedProperty", "properties.hidden"},
		"object for string":   {`{"location":{}}`, "InvalidParameter", "location"},
		"bool for string":     {`{"location":true}`, "InvalidParameter", "location"},
		"string for object":   {`{"properties":"x"}`, "InvalidParameter", "properties"},
		"string for list":     {`{"rules":"x"}`, "InvalidParameter", "Rules"},
		"null in a list":      {`{"rules":[null]}`, "InvalidParameter", "Rules[0]"},
		"list for map":        {`{"tags":["x"]}`, "InvalidParameter", "tags"},
		"object in a map":     {`{"tags":{"a":{}}}`, "InvalidParameter", "tags.a"},
		"word for number":     {`{"properties":{"diskSizeGB":"big"}}`, "InvalidParameter", "properties.diskSizeGB"},
		"half for number":     {`{"properties":{"diskSizeGB":1.5}}`, "InvalidParameter", "properties.diskSizeGB"},
		"huge number":         {`{"properties":{"diskSizeGB":1e99}}`, "InvalidParameter", "properties.diskSizeGB"},
		"number out of range": {`{"properties":{"port":65536}}`, "InvalidParameter", "properties.port"},
		"negative":            {`{"properties":{"port":-1}}`, "InvalidParameter", "properties.port"},
		"NaN":                 {`{"properties":{"share":"NaN"}}`, "InvalidParameter", "properties.share"},
		"zero, on purpose":    {`{"properties":{"share":0}}`, "InvalidParameter", "properties.share"},
		"zero as text":        {`{"properties":{"share":"0"}}`, "InvalidParameter", "properties.share"},
		"word for bool":       {`{"properties":{"fast":"yes"}}`, "InvalidParameter", "properties.fast"},
		"bad id":              {`{"properties":{"disk":"d1"}}`, "LinkedInvalidPropertyId", "properties.disk"},
		"number for id":       {`{"properties":{"disk":1}}`, "InvalidParameter", "properties.disk"},
		"bad time":            {`{"properties":{"at":"noon"}}`, "InvalidParameter", "properties.at"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var got testBody
			err := Decode([]byte(tt.in), &got)
			ae, ok := errors.AsType[*Error](err)
			if !ok {
				t.Fatalf("Decode = %v, want an *Error", err)
			}
			if ae.Status != 400 || ae.Code != tt.code || ae.Target != tt.target {
				t.Errorf("Decode = %d %s at %q (%s), want 400 %s at %q", ae.Status, ae.Code, ae.Target, ae.Message, tt.code, tt.target)
			}
		})
	}
}

func TestDecodeOverExisting(t *testing.T) {
	got := testBody{Location: "local", Properties: &testInner{Port: 22, State: "Succeeded"}}
	err := Decode([]byte(`{"properties":{"caching":"None","provisioningState":"Failed"}}`), &got)
	if err != nil {
		t.Fatal(err)
	}
	want := testBody{Location: "local", Properties: &testInner{Port: 22, State: "Succeeded", Caching: "None"}}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(testBody{})); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"location":"x","properties":{"diskSizeGB":"30","disk":"/subscriptions/S"},"rules":[{"port":1}],"tags":{"a":"b"}}`))
	f.Add([]byte(`{"a":[[[[{"b":null}]]]]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var got testBody
		err := Decode(b, &got)
		if err == nil && !json.Valid(b) {
			t.Errorf("Decode(%q) took what is not JSON", b)
		}
		if _, ok := errors.AsType[*Error](err); err != nil && !ok {
			t.Errorf("Decode(%q) = %v, which is no *Error", b, err)
		}
	})
}
