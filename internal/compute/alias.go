package compute

import (
	"context"
	"slices"
	"strings"
	"unicode"

	"lazuli/internal/fabric"
	"lazuli/internal/store"
)

// aliasDocument has the short names of images that az knows: "az vm create
// --image Debian12". Its form is that of the outputs of a template.
type aliasDocument struct {
	Outputs struct {
		Aliases struct {
			Type  string                          `json:"type"`
			Value map[string]map[string]aliasItem `json:"value"` // by system and alias
		} `json:"aliases"`
	} `json:"outputs"`
}

type aliasItem struct {
	Publisher    string `json:"publisher"`
	Offer        string `json:"offer"`
	SKU          string `json:"sku"`
	Version      string `json:"version"`
	Architecture string `json:"architecture"`
}

// Aliases is the document of the short names of the images that there are, for
// a Reader of the state: "Debian12" for the image debian-12, and "Debian" for
// the newest of that name.
func Aliases(cat Catalogue) func(ctx context.Context, r store.Reader) (any, error) {
	return func(ctx context.Context, r store.Reader) (any, error) {
		images, err := offered(ctx, r, cat)
		var d aliasDocument
		d.Outputs.Aliases.Type = "object"
		d.Outputs.Aliases.Value = aliasesOf(images)
		return d, err
	}
}

func aliasesOf(images []fabric.NodeImage) map[string]map[string]aliasItem {
	all := map[string]map[string]aliasItem{linux: {}, windows: {}}
	images = slices.DeleteFunc(slices.Clone(images), func(i fabric.NodeImage) bool { return len(i.Firmware) == 0 || i.Publisher == "" })
	slices.SortStableFunc(images, func(a, b fabric.NodeImage) int { return compareVersions(dotted(a.Name), dotted(b.Name)) })
	for i := range images {
		img := &images[i]
		item := aliasItem{img.Publisher, img.Offer, img.SKU, latest, x64}
		alias, family := aliasOf(img.Name)
		if strings.HasSuffix(img.SKU, gen2) && !strings.HasSuffix(strings.ToLower(alias), "gen2") {
			alias, family = alias+"Gen2", family+"Gen2"
		}
		names := all[orElse(img.OSType, linux)]
		if names == nil {
			continue
		}
		names[alias], names[family] = item, item // what is newer comes later
	}
	return all
}

// dotted has the parts of a name as those of a version: "debian-12" is before
// "debian-13".
func dotted(name string) string { return strings.NewReplacer("-", ".", "_", ".").Replace(name) }

// aliasOf is the alias of the image name, and that of its family: "Debian12"
// and "Debian" of "debian-12".
func aliasOf(name string) (alias, family string) {
	for i, part := range strings.FieldsFunc(name, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		r := []rune(part)
		part = string(unicode.ToUpper(r[0])) + string(r[1:])
		alias += part
		if i == 0 {
			family = strings.TrimRightFunc(part, unicode.IsDigit)
		}
	}
	return alias, orElse(family, alias)
}
