package jsonc

import (
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// str reads a string that begins at the quote at hand. Without escapes it is a
// part of the text.
func (r *reader) str(quote byte) (string, error) {
	r.at++
	start := r.at
	for r.at < len(r.text) {
		switch c := r.text[r.at]; c {
		case quote:
			s := r.text[start:r.at]
			r.at++
			return r.valid(s)
		case '\\':
			return r.escaped(start, quote)
		case '\n':
			r.at++
			r.newLine()
		default:
			r.at++
		}
	}
	return "", r.errorf("unterminated string. Expected delimiter: %c", quote)
}

func (r *reader) valid(s string) (string, error) {
	if !utf8.ValidString(s) {
		return "", r.errorf("a string is not valid UTF-8")
	}
	return s, nil
}

// escaped reads the rest of a string that has an escape, which is where the
// reader stands.
func (r *reader) escaped(start int, quote byte) (string, error) {
	var b strings.Builder
	b.WriteString(r.text[start:r.at])
	for r.at < len(r.text) {
		switch c := r.text[r.at]; c {
		case quote:
			r.at++
			return r.valid(b.String())
		case '\\':
			if err := r.escape(&b); err != nil {
				return "", err
			}
		case '\n':
			b.WriteByte(c)
			r.at++
			r.newLine()
		default:
			b.WriteByte(c)
			r.at++
		}
	}
	return "", r.errorf("unterminated string. Expected delimiter: %c", quote)
}

var escapes = map[byte]byte{'"': '"', '\'': '\'', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

func (r *reader) escape(b *strings.Builder) error {
	if r.at+1 >= len(r.text) {
		return r.errorf("unterminated string")
	}
	c := r.text[r.at+1]
	if plain, ok := escapes[c]; ok {
		b.WriteByte(plain)
		r.at += 2
		return nil
	}
	if c != 'u' {
		return r.errorf(`bad JSON escape sequence: \%c`, c)
	}
	unit, err := r.unit()
	if err != nil {
		return err
	}
	if utf16.IsSurrogate(unit) && strings.HasPrefix(r.text[r.at:], `\u`) {
		before := r.at
		low, err := r.unit()
		if err != nil {
			return err
		}
		if pair := utf16.DecodeRune(unit, low); pair != utf8.RuneError {
			b.WriteRune(pair)
			return nil
		}
		r.at = before // not its other half: a character of its own
	}
	b.WriteRune(unit) // half a pair becomes U+FFFD
	return nil
}

// unit reads \uXXXX.
func (r *reader) unit() (rune, error) {
	if r.at+6 > len(r.text) {
		return 0, r.errorf("unexpected end while parsing Unicode escape sequence")
	}
	n, err := strconv.ParseUint(r.text[r.at+2:r.at+6], 16, 16)
	if err != nil {
		return 0, r.errorf("invalid Unicode escape sequence: %q", r.text[r.at:r.at+6])
	}
	r.at += 6
	return rune(n), nil
}
