package az_test

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// step is one of a path: a name, "[2]" for an element, "[]" for all of them.
var step = regexp.MustCompile(`^(?:\.?([A-Za-z0-9_@-]+)|\.?"([^"]+)"|\[(-?\d*)\])`)

// lookUp finds what is at a path, of which there is what JMESPath has of it:
// "properties.subnets[0].name", "[].name" for the names of all that have one,
// "length([])". The whole is "@". What is not there is nil.
func lookUp(tree any, path string) (any, error) {
	if inner, ok := strings.CutPrefix(path, "length("); ok && strings.HasSuffix(inner, ")") {
		v, err := lookUp(tree, strings.TrimSuffix(inner, ")"))
		if list, ok := v.([]any); ok {
			return float64(len(list)), err
		}
		return nil, err
	}
	if path == "@" || path == "" {
		return tree, nil
	}
	m := step.FindStringSubmatch(path)
	if m == nil {
		return nil, fmt.Errorf("%q is no path", path)
	}
	rest := path[len(m[0]):]
	if m[0] == "[]" {
		return project(tree, rest)
	}
	if m[3] != "" {
		return lookUp(element(tree, m[3]), rest)
	}
	object, _ := tree.(map[string]any)
	return lookUp(object[m[1]+m[2]], rest)
}

// project finds what is at a path in each element that has something there.
func project(tree any, path string) (any, error) {
	list, ok := tree.([]any)
	if !ok {
		return nil, nil
	}
	found := []any{}
	for _, e := range list {
		v, err := lookUp(e, path)
		if err != nil {
			return nil, err
		}
		if v != nil {
			found = append(found, v)
		}
	}
	return found, nil
}

// element is one of a list; -1 is the last.
func element(tree any, index string) any {
	list, _ := tree.([]any)
	i, err := strconv.Atoi(index)
	if err != nil {
		return nil
	}
	if i < 0 {
		i += len(list)
	}
	if i < 0 || i >= len(list) {
		return nil
	}
	return list[i]
}

func TestLookUp(t *testing.T) {
	tree := map[string]any{
		"name": "vm", "none": nil,
		"tags":  map[string]any{"a.b": "x", "n-1": "y"},
		"disks": []any{map[string]any{"lun": 0.0, "ips": []any{"1", "2"}}, map[string]any{"lun": 4.0}, map[string]any{}},
	}
	for path, want := range map[string]any{
		"name": "vm", "none": nil, "nothing": nil, "name.x": nil, "nothing.x.y": nil, "@": tree,
		"tags.n-1": "y", `tags."a.b"`: "x",
		"disks[1].lun": 4.0, "disks[-2].lun": 4.0, "disks[3]": nil, "disks[-4]": nil, "name[0]": nil,
		"disks[].lun": []any{0.0, 4.0}, "name[]": nil, "disks[].ips[1]": []any{"2"}, "disks[].ips[]": []any{[]any{"1", "2"}},
		"length(disks)": 3.0, "length(disks[].lun)": 2.0, "length(name)": nil,
	} {
		t.Run(path, func(t *testing.T) {
			got, err := lookUp(tree, path)
			if d := cmp.Diff(want, got); err != nil || d != "" {
				t.Errorf("lookUp = %v, %v (-want +got):\n%s", got, err, d)
			}
		})
	}
	for _, path := range []string{"a b", "[x]", "..", "a.", "disks[].a b", "length(a b)"} {
		if v, err := lookUp(tree, path); err == nil {
			t.Errorf("lookUp(%q) = %v, want an error", path, v)
		}
	}
}
