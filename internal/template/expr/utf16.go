package expr

import "unicode/utf16"

// Azure's strings are UTF-16, so that lengths and positions count its units.
// A string of ASCII only, as nearly all are, counts the same in bytes.

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

func length16(s string) int {
	if isASCII(s) {
		return len(s)
	}
	n := 0
	for _, r := range s {
		n += utf16.RuneLen(r)
	}
	return n
}

// slice16 is s[from:to] in UTF-16 units. Half a pair becomes U+FFFD.
func slice16(s string, from, to int) string {
	if isASCII(s) {
		return s[from:to]
	}
	return string(utf16.Decode(utf16.Encode([]rune(s))[from:to]))
}

// units is the index in UTF-16 units of a byte index.
func units(s string, i int) int64 {
	if i < 0 {
		return -1
	}
	return int64(length16(s[:i]))
}
