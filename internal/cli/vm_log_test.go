package cli

import (
	"bytes"
	"strings"
	"testing"
)

func TestUnseen(t *testing.T) {
	long := strings.Repeat("0123456789abcdef\n", 1000)
	for name, c := range map[string]struct{ old, log, want string }{
		"first":            {"", "abc", "abc"},
		"nothing new":      {"abc", "abc", ""},
		"more":             {"abc", "abcdef", "def"},
		"lost its start":   {"abcdef", "cabcdefgh", "gh"},
		"long, lost start": {"x" + long + "END", long + "ENDnew", "new"},
		"begun anew":       {"abcdef", "xyz", "xyz"},
		"shorter":          {"abcdef", "abc", "abc"},
	} {
		if got := unseen([]byte(c.old), []byte(c.log)); string(got) != c.want {
			t.Errorf("%s: %.40q, want %q", name, got, c.want)
		}
	}
}

func FuzzUnseen(f *testing.F) {
	f.Add([]byte("abc"), []byte("abcdef"))
	f.Add([]byte("abc"), []byte("cde"))
	f.Fuzz(func(t *testing.T, old, log []byte) {
		if got := unseen(old, log); !bytes.HasSuffix(log, got) {
			t.Errorf("unseen(%q, %q) = %q, which the log does not end with", old, log, got)
		}
		if got := unseen(old, append(bytes.Clone(old), log...)); !bytes.Equal(got, log) {
			t.Errorf("after %q was appended to %q, %q was unseen", log, old, got)
		}
	})
}
