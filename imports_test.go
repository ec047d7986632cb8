package lazuli

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// mayImport says what each part may import of the others: what lies below it,
// and no more. A part is a folder with all folders in it. ARCHITECTURE.md shows
// the same as a picture.
var mayImport = map[string][]string{
	"cmd":       {"*"},
	"daemon":    {"*"},
	"test":      {"*"},
	"bench":     {"*"},
	"cli":       {},
	"api":       {"arm", "store"},
	"identity":  {"arm", "store"},
	"resources": {"arm", "store"},
	"activity":  {"arm", "store"},
	"rights":    {"arm", "store"},
	"deploy":    {"arm", "store", "template"},
	"links":     {},
	"compute":   {"arm", "store", "fabric", "network"},
	"network":   {"arm", "store", "fabric"},
	"storage":   {"arm", "store"},
	"control":   {"compute", "network", "resources", "arm", "store", "fabric", "place", "reconcile"},
	"place":     {},
	"template":  {},
	"arm":       {"store"},
	"node":      {"fabric", "reconcile", "image"},
	"image":     {"fabric"},
	"fabric":    {},
	"store":     {},
	"reconcile": {},
}

// onlyIn are libraries that belong to one part.
var onlyIn = map[string][]string{
	"go.etcd.io/":                   {"store"},
	"github.com/vishvananda/":       {"node"},
	"github.com/google/nftables":    {"node"},
	"github.com/Azure/":             {"cli"},
	"github.com/spf13/cobra":        {"cli", "cmd"},
	"github.com/hashicorp/yamux":    {"fabric"},
	"github.com/hashicorp/go-azure": {}, // for tests
}

// noHTTP are the parts that must not know HTTP servers and clients.
var noHTTP = []string{"compute", "deploy", "network", "resources", "activity", "rights", "storage", "control", "place", "store", "reconcile", "template"}

func TestImportsPointDown(t *testing.T) {
	for _, p := range list(t) {
		part := partOf(p.ImportPath)
		if part == "" {
			continue
		}
		allowed, known := mayImport[part]
		if !known {
			t.Errorf("%s: the part %q is not in mayImport: say what it may import", p.ImportPath, part)
			continue
		}
		for _, imp := range p.Imports {
			to := partOf(imp)
			if to != "" && to != part && !slices.Contains(allowed, to) && !slices.Contains(allowed, "*") {
				t.Errorf("%s imports %s: %s may import %v only", p.ImportPath, imp, part, allowed)
			}
			for lib, in := range onlyIn {
				if strings.HasPrefix(imp, lib) && !slices.Contains(in, part) && !slices.Contains(allowed, "*") {
					t.Errorf("%s imports %s, which is for %v only", p.ImportPath, imp, in)
				}
			}
			if imp == "net/http" && slices.Contains(noHTTP, part) {
				t.Errorf("%s imports net/http: %s knows no HTTP", p.ImportPath, part)
			}
		}
	}
}

func TestPackagesSayWhatTheyAreFor(t *testing.T) {
	for _, p := range list(t) {
		if p.Doc == "" && len(p.GoFiles) > 0 {
			t.Errorf("%s has no package comment", p.ImportPath)
		}
	}
}

type pkg struct {
	ImportPath, Doc  string
	Imports, GoFiles []string
}

func list(t *testing.T) []pkg {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports,Doc,GoFiles", "./...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var ps []pkg
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return ps
		} else if err != nil {
			t.Fatal(err)
		}
		ps = append(ps, p)
	}
}

// partOf is the part that a package of ours is in: "lazuli/internal/node/qemu"
// is in node.
func partOf(path string) string {
	rest, ours := strings.CutPrefix(path, "lazuli/")
	if !ours {
		return ""
	}
	rest = strings.TrimPrefix(rest, "internal/")
	part, _, _ := strings.Cut(rest, "/")
	return part
}
