package expr

import (
	"math"
	"strconv"
	"strings"

	"lazuli/internal/template/jsonc"
)

// maxPrecision bounds the digits that a format asks for.
const maxPrecision = 99

// formatNumber writes a number by a .NET format of the invariant culture: the
// standard ones B, C, D, E, F, G, N, P, R and X, and custom ones of 0 # . , %
// and quoted text. i is the number when it is whole.
func formatNumber(f float64, i int64, whole bool, spec string) (string, error) {
	if spec == "" {
		if whole {
			return strconv.FormatInt(i, 10), nil
		}
		return strings.TrimSuffix(jsonc.Float(f), ".0"), nil
	}
	letter := spec[0]
	precision, err := strconv.Atoi(spec[1:])
	if len(spec) == 1 {
		precision = -1
	} else if err != nil || precision < 0 || precision > maxPrecision || !isLetter(letter) {
		return customNumber(f, spec)
	}
	switch letter &^ 0x20 {
	case 'B', 'D', 'X':
		if !whole {
			return "", badFormat("Format specifier was invalid.")
		}
		return integerFormat(i, letter, max(precision, 0)), nil
	case 'C':
		return currency(f, digitsOr(precision, 2)), nil
	case 'E':
		return exponent(f, letter, digitsOr(precision, 6)), nil
	case 'F':
		return strconv.FormatFloat(f, 'f', digitsOr(precision, 2), 64), nil
	case 'N':
		return grouped(strconv.FormatFloat(f, 'f', digitsOr(precision, 2), 64)), nil
	case 'P':
		return grouped(strconv.FormatFloat(f*100, 'f', digitsOr(precision, 2), 64)) + " %", nil
	case 'G', 'R':
		return general(f, i, whole, precision), nil
	}
	return customNumber(f, spec)
}

func digitsOr(precision, standard int) int {
	if precision < 0 {
		return standard
	}
	return precision
}

func integerFormat(i int64, letter byte, digits int) string {
	var s string
	switch letter &^ 0x20 {
	case 'B':
		s = strconv.FormatUint(uint64(i), 2)
	case 'X':
		if s = strconv.FormatUint(uint64(i), 16); letter == 'X' {
			s = strings.ToUpper(s)
		}
	default:
		s = strconv.FormatUint(magnitude(i), 10)
		s = strings.Repeat("0", max(0, digits-len(s))) + s
		if i < 0 {
			s = "-" + s
		}
		return s
	}
	return strings.Repeat("0", max(0, digits-len(s))) + s
}

func general(f float64, i int64, whole bool, precision int) string {
	if whole && (precision <= 0 || len(strconv.FormatUint(magnitude(i), 10)) <= precision) {
		return strconv.FormatInt(i, 10)
	}
	if precision <= 0 {
		precision = -1
	}
	return strings.ToUpper(strconv.FormatFloat(f, 'g', precision, 64))
}

// currency is that of the invariant culture: ¤1,234.50, and (¤1.00) below zero.
func currency(f float64, digits int) string {
	s := "¤" + grouped(strconv.FormatFloat(math.Abs(f), 'f', digits, 64))
	if f < 0 {
		return "(" + s + ")"
	}
	return s
}

// exponent has at least three digits of exponent, as .NET has.
func exponent(f float64, letter byte, digits int) string {
	s := strconv.FormatFloat(f, letter, digits, 64)
	at := strings.IndexByte(s, letter)
	if at < 0 {
		return s
	}
	return s[:at+2] + strings.Repeat("0", max(0, 3-(len(s)-at-2))) + s[at+2:]
}

// grouped puts commas between the thousands.
func grouped(s string) string {
	sign := ""
	if strings.HasPrefix(s, "-") {
		sign, s = "-", s[1:]
	}
	whole, fraction, point := strings.Cut(s, ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if point {
		whole += "." + fraction
	}
	return sign + whole
}

// pattern is a custom format, taken apart.
type pattern struct {
	parts       []string // "0", "#" and "." each alone; all else is text
	least, most int      // digits after the point
	zeros       int      // digits before it
	places      int      // for them
	group       bool
	percent     bool
}

func customNumber(f float64, spec string) (string, error) {
	sections := strings.Split(spec, ";")
	if len(sections) > 3 {
		return "", badFormat(notInFormat)
	}
	section := sections[0]
	switch {
	case f < 0 && len(sections) > 1 && sections[1] != "":
		section, f = sections[1], -f
	case f == 0 && len(sections) > 2 && sections[2] != "":
		section = sections[2]
	}
	p, err := readPattern(section)
	if err != nil {
		return "", err
	}
	return p.format(f), nil
}

// place counts a place for a digit.
func (p *pattern) place(afterPoint bool, c byte) {
	if !afterPoint {
		p.places++
		if c == '0' || p.zeros > 0 {
			p.zeros++
		}
		return
	}
	p.most++
	if c == '0' {
		p.least = p.most
	}
}

func readPattern(spec string) (*pattern, error) {
	p := &pattern{}
	point := false
	for i := 0; i < len(spec); i++ {
		switch c := spec[i]; c {
		case '0', '#':
			p.parts = append(p.parts, string(c))
			p.place(point, c)
		case '.':
			if !point {
				p.parts = append(p.parts, ".")
			}
			point = true
		case ',':
			p.group = p.group || !point
		case '%':
			p.percent = true
			p.parts = append(p.parts, "%")
		case '\'', '"':
			end := strings.IndexByte(spec[i+1:], c)
			if end < 0 {
				return nil, badFormat(notInFormat)
			}
			p.parts = append(p.parts, spec[i+1:i+1+end]+"\x00")
			i += end + 1
		case '\\':
			if i++; i == len(spec) {
				return nil, badFormat(notInFormat)
			}
			p.parts = append(p.parts, spec[i:i+1]+"\x00")
		default:
			p.parts = append(p.parts, string(c)+"\x00")
		}
	}
	if p.most > maxPrecision || p.zeros > maxPrecision {
		return nil, badFormat(notInFormat)
	}
	return p, nil
}

// format lays the digits before the point out over the places for them, from
// the right. Those after it stand at the point.
func (p *pattern) format(f float64) string {
	if p.percent {
		f *= 100
	}
	whole, fraction, _ := strings.Cut(strconv.FormatFloat(math.Abs(f), 'f', p.most, 64), ".")
	for len(fraction) > p.least && fraction[len(fraction)-1] == '0' {
		fraction = fraction[:len(fraction)-1]
	}
	if whole == "0" && p.zeros == 0 {
		whole = ""
	}
	d := &digits{text: strings.Repeat("0", max(0, p.zeros-len(whole))) + whole, group: p.group}
	if f < 0 && strings.Trim(whole+fraction, "0") != "" {
		d.out.WriteByte('-')
	}
	places := p.places
	for _, part := range p.parts {
		switch part {
		case "0", "#":
			places--
			d.writeUntil(max(places, 0))
		case ".":
			d.writeUntil(0)
			if fraction != "" {
				d.out.WriteString("." + fraction)
			}
		default:
			d.out.WriteString(strings.TrimSuffix(part, "\x00"))
		}
	}
	return d.out.String()
}

// digits are those before the point, which are still to be written.
type digits struct {
	text  string
	group bool
	out   strings.Builder
}

// writeUntil writes digits until only n are left.
func (d *digits) writeUntil(n int) {
	for len(d.text) > n {
		d.out.WriteByte(d.text[0])
		d.text = d.text[1:]
		if d.group && len(d.text) > 0 && len(d.text)%3 == 0 {
			d.out.WriteByte(',')
		}
	}
}
