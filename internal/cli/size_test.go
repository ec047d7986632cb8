package cli

import (
	"errors"
	"testing"
)

func TestParseSizeGiB(t *testing.T) {
	for s, want := range map[string]int32{
		"4": 4, "4G": 4, "4g": 4, "4GB": 4, "4GiB": 4, "1T": 1024, "2TiB": 2048, "64T": 65536, "0030G": 30,
		"": 0, "G": 0, "0": 0, "-4G": 0, "+4G": 0, "4.5G": 0, "512M": 0, "4Q": 0, "4 G": 0, "65T": 0, "9999999999G": 0, "4GG": 0,
	} {
		got, err := parseSizeGiB(s)
		if got != want || (err == nil) != (want > 0) {
			t.Errorf("parseSizeGiB(%q) = %d, %v; want %d", s, got, err, want)
		}
		if _, ok := errors.AsType[usageError](err); err != nil && !ok {
			t.Errorf("parseSizeGiB(%q): %v is not a usage error", s, err)
		}
	}
}

func FuzzParseSizeGiB(f *testing.F) {
	for _, s := range []string{"4G", "1TiB", "-1", "99999999999999999999"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if n, err := parseSizeGiB(s); (err == nil) != (n > 0) || n > 65536 {
			t.Errorf("parseSizeGiB(%q) = %d, %v", s, n, err)
		}
	})
}

func TestMemory(t *testing.T) {
	for mib, want := range map[int32]string{512: "512 MiB", 1024: "1 GiB", 1536: "1.5 GiB", 3584: "3.5 GiB", 1000: "1000 MiB", 262144: "256 GiB"} {
		if got := memory(mib); got != want {
			t.Errorf("memory(%d) = %q, want %q", mib, got, want)
		}
	}
}
