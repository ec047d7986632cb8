package api_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// tagsOf is the tags that an answer shows of what they are on.
func tagsOf(r reply) map[string]any {
	m, _ := r.get("properties.tags").(map[string]any)
	return m
}

// The tags of anything that has some are a resource on it, and the same as its
// own.
func TestTagsAtScope(t *testing.T) {
	c := newCloud(t).withVM("tags.a", "1")
	c.want(200, "PATCH", c.group("rg"), `{"tags":{"a":"1"}}`)
	c.want(200, "PATCH", c.network("virtualNetworks/net"), `{"tags":{"a":"1"}}`)
	c.want(200, "PUT", c.subscription("providers/Microsoft.Resources/tags/default"), `{"properties":{"tags":{"a":"1"}}}`)
	vm := c.compute("virtualMachines/vm")
	before := c.want(200, "GET", vm, "")
	for name, on := range map[string]string{
		"subscription": c.subscription(""), "group": c.group("rg"), "machine": vm, "network": c.network("virtualNetworks/net"),
	} {
		t.Run(name, func(t *testing.T) {
			c, path := c.in(t), on+"/providers/Microsoft.Resources/tags/default"
			steps := []struct {
				method, body string
				want         map[string]any
			}{
				{"GET", "", map[string]any{"a": "1"}},
				{"PATCH", `{"operation":"Merge","properties":{"tags":{"A":"2","b":"3"}}}`, map[string]any{"a": "2", "b": "3"}},
				{"PATCH", `{"operation":"delete","properties":{"tags":{"b":"3","a":"other"}}}`, map[string]any{"a": "2"}},
				{"PATCH", `{"operation":"Replace","properties":{"tags":{"c":"4"}}}`, map[string]any{"c": "4"}},
				{"PUT", `{"properties":{"tags":{"d":"5"}}}`, map[string]any{"d": "5"}},
				{"PUT", `{"properties":{"tags":{"d":"5"}}}`, map[string]any{"d": "5"}},
			}
			for _, s := range steps {
				r := c.want(200, s.method, path, s.body)
				if diff := cmp.Diff(s.want, tagsOf(r)); diff != "" {
					t.Errorf("%s %s: -want +got:\n%s", s.method, s.body, diff)
				}
				if got := r.get("id"); got != path {
					t.Errorf("its id is %v", got)
				}
			}
			if got := c.want(200, "GET", on, "").get("tags.d"); got != "5" {
				t.Errorf("what they are on has d = %v", got)
			}
			c.want(204, "HEAD", path, "")
			c.refused(400, "InvalidResourceName", "PUT", on+"/providers/Microsoft.Resources/tags/mine", `{"properties":{"tags":{}}}`)
			c.refused(404, "ResourceNotFound", "GET", on+"/providers/Microsoft.Resources/tags/mine", "")
			c.refused(400, "InvalidParameter", "PATCH", path, `{"operation":"Grow","properties":{"tags":{}}}`)
			c.refused(400, "InvalidTagNameCharacters", "PATCH", path, `{"operation":"Merge","properties":{"tags":{"a<b":"c"}}}`)
			c.refused(400, "UnsupportedProperty", "PUT", path, `{"properties":{"labels":{"a":"b"}}}`)
			c.want(200, "DELETE", path, "")
			if got := tagsOf(c.want(200, "GET", path, "")); len(got) != 0 {
				t.Errorf("after their deletion they are %v", got)
			}
		})
	}
	after := c.want(200, "GET", vm, "")
	if before.get("properties.vmId") != after.get("properties.vmId") || c.power("vm") != "running" {
		t.Errorf("the machine was %s and is %s", before.body, after.body)
	}
	c.refused(400, "ResourceTypeDoesNotSupportTags", "PUT", c.network("virtualNetworks/net/subnets/sn/providers/Microsoft.Resources/tags/default"), `{"properties":{"tags":{"a":"b"}}}`)
	c.refused(404, "ResourceNotFound", "GET", c.compute("disks/none/providers/Microsoft.Resources/tags/default"), "")
	// What the machine refers to is still known.
	c.refused(400, "NicInUse", "DELETE", c.network("networkInterfaces/nic1"), "")
}

func TestLimitsOfTags(t *testing.T) {
	c := newCloud(t).furnished()
	long := strings.Repeat("é", 256)
	tests := map[string]struct {
		tags map[string]string
		code string // "" when they are good
	}{
		"50":                {numbered(50), ""},
		"51":                {numbered(51), "TooManyTags"},
		"name of 512":       {map[string]string{long + long: "a"}, ""},
		"name of 513":       {map[string]string{long + long + "a": "a"}, "InvalidTagName"},
		"value of 256":      {map[string]string{"a": long}, ""},
		"value of 257":      {map[string]string{"a": long + "a"}, "InvalidTagValue"},
		"no value":          {map[string]string{"a": ""}, ""},
		"no name":           {map[string]string{"": "a"}, "InvalidTagName"},
		"two cases":         {map[string]string{"a": "1", "A": "2"}, "InvalidTagName"},
		"control character": {map[string]string{"a\x01": "b"}, "InvalidTagNameCharacters"},
		"space":             {map[string]string{"a b": "c d"}, ""},
	}
	for _, r := range `<>%&\?/` {
		tests["name with "+string(r)] = struct {
			tags map[string]string
			code string
		}{map[string]string{"a" + string(r): "b"}, "InvalidTagNameCharacters"}
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := c.in(t)
			body := body{"location": "local", "tags": tt.tags}
			if tt.code == "" {
				c.want(200, "PUT", c.group("rg"), body.String())
				return
			}
			c.refused(400, tt.code, "PUT", c.group("rg"), body.String())
		})
	}
}

// A subscription keeps a list of names and values to choose from, and counts
// those in use.
func TestTagNames(t *testing.T) {
	c := newCloud(t).furnished()
	names := c.subscription("tagNames")
	c.want(201, "PUT", names+"/env", "")
	c.want(200, "PUT", names+"/ENV", "")
	c.want(201, "PUT", names+"/env/tagValues/prod", "")
	c.want(200, "PUT", names+"/env/tagValues/prod", "")
	c.want(200, "PATCH", c.group("rg"), `{"tags":{"Env":"prod","other":"x"}}`)
	c.want(200, "PATCH", c.network("networkInterfaces/nic1"), `{"tags":{"env":"test"}}`)
	want := map[string]string{"env": "2: prod 1, test 1", "other": "1: x 1"}
	got := map[string]string{}
	for _, item := range c.want(200, "GET", names, "").get("value").([]any) {
		var values []string
		for _, v := range at(item, "values").([]any) {
			values = append(values, fmt.Sprint(at(v, "tagValue"), " ", at(v, "count.value")))
		}
		got[strings.ToLower(at(item, "tagName").(string))] = fmt.Sprint(at(item, "count.value"), ": ", strings.Join(values, ", "))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	c.refused(409, "TagNameHasValues", "DELETE", names+"/env", "")
	c.refused(409, "TagInUse", "DELETE", names+"/env/tagValues/prod", "")
	c.refused(404, "TagNotFound", "PUT", names+"/none/tagValues/x", "")
	c.refused(400, "InvalidTagNameCharacters", "PUT", names+"/a%3Cb", "")
	c.want(204, "DELETE", names+"/none", "")
	c.want(200, "PATCH", c.group("rg"), `{"tags":{}}`)
	c.want(200, "PATCH", c.network("networkInterfaces/nic1"), `{"tags":{}}`)
	c.want(200, "DELETE", names+"/env/tagValues/prod", "")
	c.want(204, "DELETE", names+"/env/tagValues/prod", "")
	c.want(200, "DELETE", names+"/env", "")
	if left := c.want(200, "GET", names, "").get("value").([]any); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}
