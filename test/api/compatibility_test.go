package api_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"lazuli/internal/compute"
	"lazuli/internal/network"
	"lazuli/internal/resources"
	"lazuli/internal/storage"
)

// page is docs/compatibility.md: the rows of its tables, by their section.
type page map[string][]row

// row is one of two cells.
type row struct{ what, how string }

var quoted = regexp.MustCompile("`([A-Za-z]+)`")

// words are the single words in backquotes of a cell.
func words(cell string) (all []string) {
	for _, m := range quoted.FindAllStringSubmatch(cell, -1) {
		all = append(all, m[1])
	}
	return all
}

func readPage(t *testing.T) (page, string) {
	b, err := os.ReadFile("../../docs/compatibility.md")
	if err != nil {
		t.Fatal(err)
	}
	p, section := page{}, ""
	for line := range strings.Lines(string(b)) {
		line = strings.TrimSpace(line)
		if name, ok := strings.CutPrefix(line, "## "); ok {
			section = name
		}
		if cells := strings.Split(line, " | "); strings.HasPrefix(line, "| ") && len(cells) == 2 {
			p[section] = append(p[section], row{strings.TrimPrefix(cells[0], "| "), strings.TrimSuffix(cells[1], " |")})
		}
	}
	return p, string(b)
}

// The page names every type and action that there is.
func TestCompatibilityNamesWhatIsServed(t *testing.T) {
	_, text := readPage(t)
	for _, typ := range slices.Concat(resources.Types("local"), compute.Types(compute.Config{}), network.Types(network.Config{}), storage.Types(storage.Config{})) {
		if name := typ.Name[strings.LastIndex(typ.Name, "/")+1:]; !strings.Contains(text, name) {
			t.Errorf("the type %s is not on the page", typ.Name)
		}
		for action := range typ.Actions {
			if !strings.Contains(text, "`"+action+"`") {
				t.Errorf("the action %s of %s is not on the page", action, typ.Name)
			}
		}
	}
}

// What the page says to be absent is, and what it says to be refused is refused
// as it says.
func TestCompatibilityOfWhatIsNot(t *testing.T) {
	c := newCloud(t).withVM()
	p, _ := readPage(t)
	tests := map[string]struct {
		path string
		body body
	}{
		"Microsoft.Compute/virtualMachines": {c.compute("virtualMachines/vm"), c.vmBody("nic1")},
		"Microsoft.Compute/disks":           {c.compute("disks/osdisk"), parse(`{"location":"local","properties":{}}`)},
	}
	absent, refused, never := 0, 0, 0
	for section, tt := range tests {
		rows := p[section]
		if len(rows) < 5 {
			t.Fatalf("there are %d rows about %s", len(rows), section)
		}
		for _, r := range rows {
			for _, word := range words(r.what) {
				t.Run(section+" "+word, func(t *testing.T) {
					c := c.in(t)
					switch {
					case r.how == "absent":
						absent++
						c.refused(404, "InvalidResourceType", "POST", tt.path+"/"+word, "")
						c.refused(404, "InvalidResourceType", "PUT", tt.path+"/"+word+"/x", "{}")
					case strings.HasPrefix(r.how, "refused: `409 OperationNotAllowed`"):
						never++
						c.refused(409, "OperationNotAllowed", "POST", tt.path+"/"+word, "{}")
					case r.how == "`400 UnsupportedProperty`":
						refused++
						for _, at := range []string{word, "properties." + word} {
							c.refused(400, "UnsupportedProperty", "PUT", tt.path, tt.body.with(at, map[string]any{"x": 1}).String())
						}
					}
				})
			}
		}
	}
	if absent == 0 || refused == 0 || never == 0 {
		t.Errorf("%d absent, %d properties and %d actions refused", absent, refused, never)
	}
}
