package cli

import (
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
	"github.com/google/go-cmp/cmp"
)

func ref(publisher, offer, sku, version string) *armcompute.ImageReference {
	return &armcompute.ImageReference{Publisher: &publisher, Offer: &offer, SKU: &sku, Version: &version}
}

func TestParseImage(t *testing.T) {
	const id = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/images/i"
	for s, want := range map[string]imageName{
		"debian-12":                  {name: "debian-12"},
		id:                           {id: id},
		"Debian:debian-12:12:latest": {urn: ref("Debian", "debian-12", "12", "latest")},
	} {
		got, err := parseImage(s)
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(imageName{})); diff != "" || err != nil {
			t.Errorf("parseImage(%q): %v\n%s", s, err, diff)
		}
	}
	for _, s := range []string{"", "Debian:debian-12", "a:b:c:d:e", "a::c:d", ":::"} {
		if got, err := parseImage(s); err == nil {
			t.Errorf("parseImage(%q) = %v, want an error", s, got)
		}
	}
}

func FuzzParseImage(f *testing.F) {
	for _, s := range []string{"debian-12", "a:b:c:d", "/x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n, err := parseImage(s)
		if err != nil {
			return
		}
		back := n.id + n.name
		if n.urn != nil {
			back = strings.Join([]string{*n.urn.Publisher, *n.urn.Offer, *n.urn.SKU, *n.urn.Version}, ":")
		}
		if back != s {
			t.Errorf("parseImage(%q) names %q", s, back)
		}
	})
}

func TestGeneration(t *testing.T) {
	for firmware, want := range map[string]armcompute.HyperVGenerationTypes{"": "", "bios": "V1", "uefi": "V2"} {
		got, err := generation(firmware)
		if got != want || err != nil || firmwareOf(string(got)) != firmware {
			t.Errorf("generation(%q) = %q, %v; want %q and back", firmware, got, err, want)
		}
	}
	if _, err := generation("UEFI2"); err == nil {
		t.Error("a firmware that there is not was taken")
	}
}

func TestChoose(t *testing.T) {
	images := []*platformImage{{sku: "11", Generation: "V1"}, {sku: "12", Generation: "V1"}, {sku: "12-gen2", Generation: "V2"}, {sku: "13", Generation: "V2"}}
	for name, c := range map[string]struct {
		near   string
		wanted armcompute.HyperVGenerationTypes
		want   string
	}{
		"any":              {"", "", "11"},
		"bios":             {"", "V1", "11"},
		"uefi":             {"", "V2", "12-gen2"},
		"uefi of a SKU":    {"12", "V2", "12-gen2"},
		"bios of a SKU":    {"12-GEN2", "V1", "12"},
		"a SKU":            {"13", "", "13"},
		"the SKU has none": {"13", "V1", ""},
		"there is no such": {"14", "", ""},
	} {
		got := choose(images, c.near, c.wanted)
		if got == nil {
			got = &platformImage{}
		}
		if got.sku != c.want {
			t.Errorf("%s: %q, want %q", name, got.sku, c.want)
		}
	}
}
