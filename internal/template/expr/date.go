package expr

import (
	"math"
	"strconv"
	"strings"
	"time"
)

var dateFunctions = []function{
	{name: "dateTimeAdd", min: 2, max: 3, eval: dateTimeAdd},
	{name: "dateTimeFromEpoch", min: 1, max: 1, eval: dateTimeFromEpoch},
	{name: "dateTimeToEpoch", min: 1, max: 1, eval: dateTimeToEpoch},
}

// isoFormat is how dateTimeAdd and dateTimeFromEpoch write a time.
const isoFormat = "yyyy-MM-ddTHH:mm:ssK"

func dateTimeAdd(b *Budget, args []any) (any, error) {
	t, err := timeArg("dateTimeAdd", args, 0)
	if err != nil {
		return nil, err
	}
	s, err := stringArg("dateTimeAdd", args, 1)
	if err != nil {
		return nil, err
	}
	d, ok := parseDuration(s)
	if !ok {
		return nil, Errorf("The template function 'dateTimeAdd' has an invalid parameter. The second parameter '%s' is not a valid ISO8601 Duration string. Please see https://aka.ms/arm-syntax-functions .", clip(s))
	}
	layout := isoFormat
	if len(args) == 3 {
		if layout, err = stringArg("dateTimeAdd", args, 2); err != nil {
			return nil, err
		}
	}
	sum := t.Add(d)
	if sum.Year() < 1 || sum.Year() > 9999 {
		return nil, badValue("dateTimeAdd", "The added or subtracted value results in an un-representable DateTime.")
	}
	formatted, err := FormatTime(sum, layout)
	if err != nil {
		return nil, err
	}
	return b.text(formatted)
}

// The times that .NET can tell.
var (
	minEpoch = time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
	maxEpoch = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC).Unix()
)

func dateTimeFromEpoch(_ *Budget, args []any) (any, error) {
	n, err := intArg("dateTimeFromEpoch", args, 0)
	if err != nil {
		return nil, err
	}
	if n < minEpoch || n > maxEpoch {
		return nil, badValue("dateTimeFromEpoch", "The value '%d' is out of range.", n)
	}
	return FormatTime(time.Unix(n, 0).UTC(), isoFormat)
}

func dateTimeToEpoch(_ *Budget, args []any) (any, error) {
	t, err := timeArg("dateTimeToEpoch", args, 0)
	if err != nil {
		return nil, err
	}
	return t.Unix(), nil
}

// layouts are the ways to write a time that are understood: those of ISO 8601,
// and what utcNow makes by its standard formats. One without an offset is UTC.
var layouts = []string{
	"2006-01-02T15:04:05.999999999Z07:00",
	"2006-01-02T15:04:05.999999999",
	"20060102T150405Z",
	"2006-01-02 15:04:05Z07:00",
	"2006-01-02 15:04:05",
	"2006-01-02T15:04Z07:00",
	"2006-01-02T15:04",
	"2006-01-02",
	"01/02/2006",
	"1/2/2006",
	"01/02/2006 15:04:05",
	"01/02/2006 15:04",
	"1/2/2006 3:04:05 PM",
	"Mon, 02 Jan 2006 15:04:05 GMT",
}

func timeArg(fn string, args []any, i int) (time.Time, error) {
	s, err := stringArg(fn, args, i)
	if err != nil {
		return time.Time{}, err
	}
	for _, l := range layouts {
		if t, err := time.Parse(l, strings.TrimSpace(s)); err == nil && t.Year() > 0 {
			return t, nil
		}
	}
	return time.Time{}, Errorf("The template function '%s' has an invalid parameter. The %s parameter '%s' is not a valid DateTime string. Please see https://aka.ms/arm-syntax-functions .", fn, ordinal[i], clip(s))
}

// parseDuration reads an ISO 8601 duration with a sign, as .NET does: a year
// is 365 days of 24 hours, and a month 30.
func parseDuration(s string) (time.Duration, bool) {
	rest, negative := strings.CutPrefix(s, "-")
	rest, ok := strings.CutPrefix(rest, "P")
	if !ok || rest == "" || strings.HasSuffix(rest, "T") {
		return 0, false
	}
	days, clock, _ := strings.Cut(rest, "T")
	const day = 24 * 3600
	seconds, ok1 := sum(days, "YMWD", []float64{365 * day, 30 * day, 7 * day, day})
	more, ok2 := sum(clock, "HMS", []float64{3600, 60, 1})
	seconds += more
	if !ok1 || !ok2 || seconds > math.MaxInt64/1e9 {
		return 0, false
	}
	d := time.Duration(math.Round(seconds*1e6)) * time.Microsecond
	if negative {
		d = -d
	}
	return d, true
}

// sum reads numbers with units, each at most once and in their order. Only
// seconds may have a fraction.
func sum(s, units string, worth []float64) (float64, bool) {
	total := 0.0
	for s != "" {
		end := strings.IndexAny(s, units)
		if end <= 0 {
			return 0, false
		}
		unit := strings.IndexByte(units, s[end])
		n, err := strconv.ParseFloat(s[:end], 64)
		if err != nil || strings.Trim(s[:end], "0123456789.") != "" || worth[unit] != 1 && strings.Contains(s[:end], ".") {
			return 0, false
		}
		total += n * worth[unit]
		units, worth, s = units[unit+1:], worth[unit+1:], s[end+1:]
	}
	return total, true
}
