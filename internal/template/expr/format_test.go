package expr

import (
	"testing"
	"time"
)

func TestFormat(t *testing.T) {
	checkValues(t, map[string]string{
		"format('{0}, {1}. Formatted number: {2:N0}', 'Hello', 'User', 8175133)": `"Hello, User. Formatted number: 8,175,133"`,
		"format('->{0}<-', 123)":              `"->123<-"`,
		"format('no items')":                  `"no items"`,
		"format('{{0}} {0}', 'x')":            `"{0} x"`,
		"format('{0}{0}', 'ab')":              `"abab"`,
		"format('{1} {0}', 'a', 'b')":         `"b a"`,
		"format('{0,6}|{0,-6}|{0,1}', 'abc')": `"   abc|abc   |abc"`,
		"format('{0, 8:N1}|', 1234)":          `" 1,234.0|"`,
		"format('{0}', true())":               `"True"`,
		"format('{0}', null())":               `""`,
		"format('>{0}<>{1}<>{2}<>{3}<>{4}<', false(), 12948, 'hello!', json('{\"a\":\"b\",\"!c\":2}'), createArray(true(), 2893, 'abc'))": `">False<>12948<>hello!<>{'a':'b','!c':2}<>[true,2893,'abc']<"`,
		"format('{0:D5} {1:d3} {2:D2}', 42, -7, 123)":                          `"00042 -007 123"`,
		"format('{0:X} {0:x4} {1:X}', 255, -1)":                                `"FF 00ff FFFFFFFFFFFFFFFF"`,
		"format('{0:B} {0:b8}', 5)":                                            `"101 00000101"`,
		"format('{0:N} {0:N0} {1:n3}', 1234567, -1234)":                        `"1,234,567.00 1,234,567 -1,234.000"`,
		"format('{0:F} {0:F0} {1:f3}', 12, p('half'))":                         `"12.00 12 0.500"`,
		"format('{0:P} {0:P0}', p('half'))":                                    `"50.00 % 50 %"`,
		"format('{0:E} {0:e2}', 12345)":                                        `"1.234500E+004 1.23e+004"`,
		"format('{0:C} {1:C0}', 1234, -5)":                                     `"¤1,234.00 (¤5)"`,
		"format('{0:G} {0:G3} {1:R} {0:G9}', 12345, p('half'))":                `"12345 1.23E+04 0.5 12345"`,
		"format('{0:000} {0:0.0} {0:#.##} {0:#,##0} {0:0%}', 5)":               `"005 5.0 5 5 500%"`,
		"format('{0:#,##0.00}', 1234567)":                                      `"1,234,567.00"`,
		"format('{0:000-00}', 12345)":                                          `"123-45"`,
		"format('{0:0.##}|{0:.0}', p('half'))":                                 `"0.5|.5"`,
		"format('{0:(###) ###-####}|{0:#-##}|{1:0000,000}', 5551234567, 1234)": `"(555) 123-4567|55512345-67|0,001,234"`,
		"format('{0:#}|', 0)":                                                  `"|"`,
		"format('{0:0;(0);zero}|{1:0;(0);zero}|{2:0;(0);zero}', 5, -5, 0)":     `"5|(5)|zero"`,
		"format('{0:0'' kg''}', 5)":                                            `"5 kg"`,
		"format('{0:0\\x}', 5)":                                                `"5x"`,
		"format('{0:00}', -3)":                                                 `"-03"`,
		"format('{0:N0}', 'text')":                                             `"text"`,
		"format('{0}', p('half'))":                                             `"0.5"`,
		"format('{0}', float(3))":                                              `"3"`,
	})
	checkErrors(t, map[string]string{
		"format('->{123}<-', 123)":   "Unable to evaluate language function 'format': the format is invalid: 'Index (zero based) must be greater than or equal to zero and less than the size of the argument list.'. Please see https://aka.ms/arm-function-format for usage details.",
		"format('{0}')":              "Index (zero based)",
		"format('{0', 1)":            "Input string was not in a correct format.",
		"format('0}', 1)":            "Input string was not in a correct format.",
		"format('{}', 1)":            "Input string was not in a correct format.",
		"format('{x}', 1)":           "Input string was not in a correct format.",
		"format('{-1}', 1)":          "Input string was not in a correct format.",
		"format('{0,x}', 1)":         "Input string was not in a correct format.",
		"format('{0,999999999}', 1)": "Input string was not in a correct format.",
		"format('{0:D}', p('half'))": "Format specifier was invalid.",
		"format('{0:0''x}', 1)":      "Input string was not in a correct format.",
		"format('{0:0\\}', 1)":       "Input string was not in a correct format.",
		"format('{0:1;2;3;4}', 1)":   "Input string was not in a correct format.",
		"format(1)":                  "expects its first parameter to be a string",
	})
}

func TestDates(t *testing.T) {
	checkValues(t, map[string]string{
		"dateTimeAdd('2020-04-07 14:53:14Z', 'P3Y')":               `"2023-04-07T14:53:14Z"`,
		"dateTimeAdd('2020-04-07 14:53:14Z', '-P9D')":              `"2020-03-29T14:53:14Z"`,
		"dateTimeAdd('2020-04-07 14:53:14Z', 'PT1H')":              `"2020-04-07T15:53:14Z"`,
		"dateTimeAdd('2023-09-11 14:42:56Z', 'P2Y')":               `"2025-09-10T14:42:56Z"`, // years of 365 days: Azure/bicep issue 11804
		"dateTimeAdd('2022-09-01T00:00:00Z', 'P10Y')":              `"2032-08-29T00:00:00Z"`, // Azure/bicep issue 8188
		"dateTimeAdd('2023-01-01', 'P1Y')":                         `"2024-01-01T00:00:00Z"`,
		"dateTimeAdd('2024-01-01T00:00:00Z', 'P1M')":               `"2024-01-31T00:00:00Z"`,
		"dateTimeAdd('2024-01-01T00:00:00Z', 'P1W')":               `"2024-01-08T00:00:00Z"`,
		"dateTimeAdd('2024-01-01T00:00:00Z', 'P1Y2M3DT4H5M6.5S')":  `"2025-03-04T04:05:06Z"`,
		"dateTimeAdd('20190305T175318Z', 'PT0S')":                  `"2019-03-05T17:53:18Z"`,
		"dateTimeAdd('2019-03-05T17:53:18+02:00', 'PT1M')":         `"2019-03-05T17:54:18+02:00"`,
		"dateTimeAdd('2020-04-07T00:00:00Z', 'P1D', 'yyyy-MM-dd')": `"2020-04-08"`,
		"dateTimeAdd('2020-04-07T00:00:00Z', 'P1D', 'd')":          `"04/08/2020"`,
		"dateTimeFromEpoch(1680224438)":                            `"2023-03-31T01:00:38Z"`,
		"dateTimeFromEpoch(-1)":                                    `"1969-12-31T23:59:59Z"`,
		"dateTimeAdd(dateTimeFromEpoch(1680224438), 'P1D')":        `"2023-04-01T01:00:38Z"`,
		"dateTimeToEpoch(dateTimeFromEpoch(1680224438))":           `1680224438`,
		"dateTimeToEpoch('2023-05-02T15:16:13Z')":                  `1683040573`,
	})
	checkErrors(t, map[string]string{
		"dateTimeAdd(dateTimeFromEpoch(1680224438), 'PTASDIONS1D')": "The template function 'dateTimeAdd' has an invalid parameter. The second parameter 'PTASDIONS1D' is not a valid ISO8601 Duration string. Please see https://aka.ms/arm-syntax-functions .",
		"dateTimeAdd('x', 'P1D')":                                   "The first parameter 'x' is not a valid DateTime string",
		"dateTimeAdd(1, 'P1D')":                                     "expects its first parameter to be a string",
		"dateTimeAdd('2020-01-01', 1)":                              "expects its second parameter to be a string",
		"dateTimeAdd('2020-01-01', 'P1D', 1)":                       "expects its third parameter to be a string",
		"dateTimeAdd('2020-01-01', 'P1D', 'j')":                     "the date time format 'j' is not valid",
		"dateTimeAdd('2020-01-01', 'P')":                            "not a valid ISO8601 Duration",
		"dateTimeAdd('2020-01-01', 'P1DT')":                         "not a valid ISO8601 Duration",
		"dateTimeAdd('2020-01-01', 'P1.5D')":                        "not a valid ISO8601 Duration",
		"dateTimeAdd('2020-01-01', 'PT1M1H')":                       "not a valid ISO8601 Duration",
		"dateTimeAdd('2020-01-01', '1D')":                           "not a valid ISO8601 Duration",
		"dateTimeAdd('2020-01-01', 'P-1D')":                         "not a valid ISO8601 Duration",
		"dateTimeAdd('2020-01-01', 'P999999999999Y')":               "not a valid ISO8601 Duration",
		"dateTimeAdd('9999-12-31', 'P2D')":                          "un-representable DateTime",
		"dateTimeFromEpoch(999999999999999)":                        "is out of range",
		"dateTimeFromEpoch('1')":                                    "expects its first parameter to be an integer",
		"dateTimeToEpoch('soon')":                                   "is not a valid DateTime string",
	})
}

func TestFormatTime(t *testing.T) {
	at := time.Date(2019, 3, 5, 17, 3, 8, 123456700, time.UTC)
	east := time.Date(2019, 3, 5, 0, 0, 0, 0, time.FixedZone("", 5*3600+1800))
	for format, want := range map[string]string{
		UTCNowFormat:              "20190305T170308Z",
		"d":                       "03/05/2019",
		"M d":                     "3 5",
		"D":                       "Tuesday, 05 March 2019",
		"f":                       "Tuesday, 05 March 2019 17:03",
		"F":                       "Tuesday, 05 March 2019 17:03:08",
		"g":                       "03/05/2019 17:03",
		"G":                       "03/05/2019 17:03:08",
		"m":                       "March 05",
		"o":                       "2019-03-05T17:03:08.1234567Z",
		"R":                       "Tue, 05 Mar 2019 17:03:08 GMT",
		"s":                       "2019-03-05T17:03:08",
		"t":                       "17:03",
		"T":                       "17:03:08",
		"u":                       "2019-03-05 17:03:08Z",
		"y":                       "2019 March",
		"%d":                      "5",
		"%h":                      "5",
		"hh:mm:ss tt":             "05:03:08 PM",
		"h:m:s t":                 "5:3:8 P",
		"ddd MMM yy":              "Tue Mar 19",
		"dddd d MMMM y":           "Tuesday 5 March 19",
		"yyyyy":                   "02019",
		"HH:mm:ss.fff":            "17:03:08.123",
		"ss.FFFFFFF":              "08.1234567",
		"'at' HH \"o'clock\" \\h": "at 17 o'clock h",
		"yyyy-MM-ddTHH:mm:sszzz":  "2019-03-05T17:03:08+00:00",
		"HH zz z K":               "17 +00 +0 Z",
		"yyyy gg":                 "2019 A.D.",
	} {
		if got, err := FormatTime(at, format); err != nil || got != want {
			t.Errorf("%s: got %q, %v, want %q", format, got, err, want)
		}
	}
	for format, want := range map[string]string{
		"zzz K": "+05:30 +05:30", "HH z": "00 +5", "HH.FFF": "00", "r": "Mon, 04 Mar 2019 18:30:00 GMT",
		"yyyyMMdd hh": "20190305 12",
	} {
		if got, err := FormatTime(east, format); err != nil || got != want {
			t.Errorf("%s: got %q, %v, want %q", format, got, err, want)
		}
	}
	for _, format := range []string{"", "j", "%", "'open", "ss\\", "ffffffff"} {
		if got, err := FormatTime(at, format); err == nil {
			t.Errorf("%q: got %q, want an error", format, got)
		}
	}
}
