package compute

import (
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"lazuli/internal/arm/armtest"
	"lazuli/internal/fabric"
)

// az reads the document so: outputs, aliases, value, a system, an alias, and
// there all five properties.
func TestAliases(t *testing.T) {
	c := newCloud(t)
	doc, err := Aliases(images)(t.Context(), c.Store)
	if err != nil {
		t.Fatal(err)
	}
	systems := armtest.At(t, doc, "outputs.aliases.value").(map[string]any)
	got := map[string]string{}
	for system, names := range systems {
		for alias, item := range names.(map[string]any) {
			var parts []string
			for _, p := range []string{"publisher", "offer", "sku", "version", "architecture"} {
				parts = append(parts, armtest.At(t, item, p).(string))
			}
			got[system+" "+alias] = strings.Join(parts, ":")
		}
	}
	want := map[string]string{
		"Linux Debian":         "lazuli:debian:12:latest:x64",
		"Linux DebianGen2":     "lazuli:debian:13-gen2:latest:x64",
		"Linux Debian129":      "lazuli:debian:12:latest:x64",
		"Linux Debian129Gen2":  "lazuli:debian:12-gen2:latest:x64",
		"Linux Debian1210":     "lazuli:debian:12:latest:x64",
		"Linux Debian1210Gen2": "lazuli:debian:12-gen2:latest:x64",
		"Linux Debian13Gen2":   "lazuli:debian:13-gen2:latest:x64",
		"Linux Ubuntu":         "Canonical:ubuntu:24_04:latest:x64",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("aliases (-want +got):\n%s", diff)
	}
	for alias, urn := range got {
		parts := strings.Split(urn, ":")
		ref := imageReference{Publisher: parts[0], Offer: parts[1], SKU: parts[2], Version: parts[3]}
		if _, ok, err := findPlatformImage(t.Context(), c.Store, images, &ref); !ok || err != nil {
			t.Errorf("%s is %s, which is not there: %v", alias, urn, err)
		}
	}
}

func TestAliasOf(t *testing.T) {
	tests := map[string]struct{ alias, family string }{
		"debian-12":        {"Debian12", "Debian"},
		"tiny":             {"Tiny", "Tiny"},
		"ubuntu-24.04-lts": {"Ubuntu2404Lts", "Ubuntu"},
		"opensuse_leap15":  {"OpensuseLeap15", "Opensuse"},
		"9front":           {"9front", "9front"},
		"12":               {"12", "12"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if alias, family := aliasOf(name); alias != tt.alias || family != tt.family {
				t.Errorf("alias = %q, %q, want %q, %q", alias, family, tt.alias, tt.family)
			}
		})
	}
}

// Of two of a family the newer has the family's name, by number.
func TestFamilyIsTheNewest(t *testing.T) {
	bios := []fabric.Firmware{fabric.BIOS}
	image := func(name, sku string) fabric.NodeImage {
		return fabric.NodeImage{Name: name, Publisher: "Debian", Offer: name, SKU: sku, Version: "1", Firmware: bios}
	}
	for _, shelf := range [][]fabric.NodeImage{
		{image("debian-9", "9"), image("debian-12", "12")},
		{image("debian-12", "12"), image("debian-9", "9")},
	} {
		if got := aliasesOf(shelf)[linux]["Debian"].SKU; got != "12" {
			t.Errorf("Debian is %s, want 12", got)
		}
	}
}

func FuzzAliasOf(f *testing.F) {
	f.Add("debian-12")
	f.Add("-")
	f.Fuzz(func(t *testing.T, name string) {
		alias, family := aliasOf(name)
		for _, r := range alias + family {
			if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
				t.Errorf("%q has the alias %q of the family %q", name, alias, family)
			}
		}
	})
}
