package cli

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func TestUntilEndKey(t *testing.T) {
	for name, c := range map[string]struct {
		in, want string
		err      error
	}{
		"no key":       {"ls\r", "ls\r", nil},
		"key":          {"ls\r\x1drm -rf /\r", "ls\r", errEnded},
		"key first":    {"\x1d", "", errEnded},
		"control keys": {"\x03\x1c\x1e", "\x03\x1c\x1e", nil},
	} {
		for way, r := range map[string]io.Reader{"at once": strings.NewReader(c.in), "by the byte": iotest.OneByteReader(strings.NewReader(c.in))} {
			u := &untilEndKey{r: r}
			got, err := io.ReadAll(u)
			if string(got) != c.want || !errors.Is(err, c.err) {
				t.Errorf("%s, %s: %q, %v; want %q, %v", name, way, got, err, c.want, c.err)
			}
			if _, err := u.Read(make([]byte, 1)); c.err != nil && !errors.Is(err, errEnded) {
				t.Errorf("%s, %s: reading on after the key gave %v", name, way, err)
			}
		}
	}
}
