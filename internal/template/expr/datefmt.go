package expr

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// standardFormats are .NET's formats of one letter, in the invariant culture.
var standardFormats = map[string]string{
	"d": "MM/dd/yyyy",
	"D": "dddd, dd MMMM yyyy",
	"f": "dddd, dd MMMM yyyy HH:mm",
	"F": "dddd, dd MMMM yyyy HH:mm:ss",
	"g": "MM/dd/yyyy HH:mm",
	"G": "MM/dd/yyyy HH:mm:ss",
	"m": "MMMM dd", "M": "MMMM dd",
	"o": "yyyy-MM-ddTHH:mm:ss.fffffffK", "O": "yyyy-MM-ddTHH:mm:ss.fffffffK",
	"r": "ddd, dd MMM yyyy HH:mm:ss 'GMT'", "R": "ddd, dd MMM yyyy HH:mm:ss 'GMT'",
	"s": "yyyy-MM-ddTHH:mm:ss",
	"t": "HH:mm", "T": "HH:mm:ss",
	"u": "yyyy-MM-dd HH:mm:ss'Z'",
	"U": "dddd, dd MMMM yyyy HH:mm:ss",
	"y": "yyyy MMMM", "Y": "yyyy MMMM",
}

// UTCNowFormat is the format of utcNow() without one.
const UTCNowFormat = "yyyyMMddTHHmmssZ"

// FormatTime writes a time by a .NET format, standard or custom, in the
// invariant culture.
func FormatTime(t time.Time, format string) (string, error) {
	if len(format) == 1 {
		standard, ok := standardFormats[format]
		if !ok {
			return "", badTimeFormat(format)
		}
		if strings.Contains("rRuU", format) {
			t = t.UTC()
		}
		format = standard
	}
	format = strings.TrimPrefix(format, "%")
	if format == "" || len(format) > 1000 {
		return "", badTimeFormat(format)
	}
	var out strings.Builder
	for i := 0; i < len(format); {
		n, err := timePart(&out, t, format[i:])
		if err != nil {
			return "", err
		}
		i += n
	}
	return out.String(), nil
}

func badTimeFormat(format string) error {
	return Errorf("Unable to evaluate language function: the date time format '%s' is not valid. Please see https://aka.ms/arm-functions-date for usage details.", clip(format))
}

// timePart writes what the beginning of the format says, and returns the
// length of that beginning.
func timePart(out *strings.Builder, t time.Time, format string) (int, error) {
	c := format[0]
	n := len(format) - len(strings.TrimLeft(format, string(rune(c))))
	switch c {
	case '\'', '"':
		end := strings.IndexByte(format[1:], c)
		if end < 0 {
			return 0, badTimeFormat(format)
		}
		out.WriteString(format[1 : 1+end])
		return end + 2, nil
	case '\\':
		if len(format) < 2 {
			return 0, badTimeFormat(format)
		}
		out.WriteByte(format[1])
		return 2, nil
	case 'f', 'F':
		if n > 7 {
			return 0, badTimeFormat(format)
		}
		writeFraction(out, t, n, c == 'F')
	case 'd', 'h', 'H', 'm', 'M', 's', 't', 'y', 'z', 'g':
		out.WriteString(timeField(t, c, n))
	case 'K':
		out.WriteString(t.Format("Z07:00"))
		return 1, nil
	default:
		out.WriteByte(c)
		return 1, nil
	}
	return n, nil
}

// writeFraction writes n digits of the second. F leaves out zeros at its end,
// and then the point before it.
func writeFraction(out *strings.Builder, t time.Time, n int, trim bool) {
	digits := fmt.Sprintf("%09d", t.Nanosecond())[:n]
	if trim {
		digits = strings.TrimRight(digits, "0")
	}
	if digits == "" && strings.HasSuffix(out.String(), ".") {
		s := strings.TrimSuffix(out.String(), ".")
		out.Reset()
		out.WriteString(s)
	}
	out.WriteString(digits)
}

func timeField(t time.Time, c byte, n int) string {
	switch c {
	case 'd', 'M':
		return dayOrMonth(t, c, n)
	case 'h':
		return padded((t.Hour()+11)%12+1, min(n, 2))
	case 'H':
		return padded(t.Hour(), min(n, 2))
	case 'm':
		return padded(t.Minute(), min(n, 2))
	case 's':
		return padded(t.Second(), min(n, 2))
	case 't':
		return t.Format("PM")[:min(n, 2)]
	case 'y':
		if n <= 2 {
			return padded(t.Year()%100, n)
		}
		return padded(t.Year(), n)
	case 'z':
		return offsetField(t, n)
	}
	return "A.D." // g, the era
}

func dayOrMonth(t time.Time, c byte, n int) string {
	name, number := t.Weekday().String(), t.Day()
	if c == 'M' {
		name, number = t.Month().String(), int(t.Month())
	}
	switch {
	case n <= 2:
		return padded(number, n)
	case n == 3:
		return name[:3]
	}
	return name
}

func offsetField(t time.Time, n int) string {
	s := t.Format("-07:00")
	switch {
	case n >= 3:
		return s
	case n == 1 && s[1] == '0':
		return s[:1] + s[2:3]
	}
	return s[:3]
}

func padded(n, digits int) string {
	s := strconv.Itoa(n)
	return strings.Repeat("0", max(0, digits-len(s))) + s
}
