package arm

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// What a client sent comes back to it in errors, but not all of it.
func TestErrorsAreShort(t *testing.T) {
	long := strings.Repeat("é", 1<<20)
	for name, err := range map[string]*Error{
		"value":    InvalidParameter("properties.a", "The value '%s' is bad.", long),
		"property": Unsupported(long),
		"target":   BadRequest("A", "b").At("x" + long),
	} {
		if len(err.Message) > maxMessage+len("…") || len(err.Target) > maxTarget+len("…") {
			t.Errorf("%s: a message of %d bytes, a target of %d", name, len(err.Message), len(err.Target))
		}
		if !utf8.ValidString(err.Message) || !utf8.ValidString(err.Target) {
			t.Errorf("%s: not UTF-8", name)
		}
	}
	if e := InvalidParameter("properties.a", "The value '%s' is bad.", "x"); e.Message != "The value 'x' is bad." || e.Target != "properties.a" {
		t.Errorf("short error = %+v", e)
	}
}
