package compute

import (
	"strings"
	"testing"

	"lazuli/internal/arm"
)

func FuzzPublicKey(f *testing.F) {
	f.Add("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl someone\n")
	f.Add("ssh-rsa AAAA")
	f.Fuzz(func(t *testing.T, s string) {
		if isPublicKey(s) && strings.ContainsAny(strings.TrimSpace(s), "\r\n") {
			t.Errorf("%q would be more than one line of authorized_keys", s)
		}
	})
}

func FuzzImageID(f *testing.F) {
	f.Add("/subscriptions/s/providers/Microsoft.Compute/locations/l/publishers/p/artifacttypes/vmimage/offers/o/skus/s/versions/1.2.3")
	f.Fuzz(func(t *testing.T, s string) {
		id, err := arm.ParseID(s)
		if err != nil {
			return
		}
		if ref, ok := urnOf(id); ok && (ref.Publisher == "" || ref.Offer == "" || ref.SKU == "" || ref.Version == "") {
			t.Errorf("%q = %+v", s, ref)
		}
	})
}

func FuzzCompareVersions(f *testing.F) {
	f.Add("1.2.3", "1.10")
	f.Fuzz(func(t *testing.T, a, b string) {
		if compareVersions(a, b) != -compareVersions(b, a) {
			t.Errorf("%q and %q are each before the other", a, b)
		}
	})
}
