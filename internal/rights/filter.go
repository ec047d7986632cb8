package rights

import (
	"regexp"
	"strings"

	"lazuli/internal/arm"
)

// filter is a $filter of clauses joined by "and": functions, and comparisons by
// eq. Names are in lower case.
type filter struct {
	called map[string]string // function: its argument
	equal  map[string]string // field: its value
}

var (
	clausePattern = regexp.MustCompile(`^\s*(?:([A-Za-z]+)\(\s*(?:'((?:[^']|'')*)')?\s*\)|([A-Za-z]+)\s+(?i:eq)\s+'((?:[^']|'')*)')\s*(?:$|((?i:and))\s)`)
	maxFilter     = 4096
)

// parseFilter reads a $filter in which the functions and the fields named may
// be, in lower case.
func parseFilter(s string, functions, fields string) (filter, error) {
	f := filter{map[string]string{}, map[string]string{}}
	bad := func() (filter, error) {
		return f, arm.BadRequest("UnsupportedQuery", "The filter '%.200s' is not supported. Supported are %s, joined by 'and'.", s, strings.Trim(functions+" "+fields, " "))
	}
	more := false
	for rest := s; strings.TrimSpace(rest) != "" || more; {
		m := clausePattern.FindStringSubmatch(rest)
		if m == nil || len(s) > maxFilter {
			return bad()
		}
		into, name, value, known := f.called, strings.ToLower(m[1]), m[2], functions
		if name == "" {
			into, name, value, known = f.equal, strings.ToLower(m[3]), m[4], fields
		}
		if _, twice := into[name]; twice || !strings.Contains(" "+strings.ToLower(known)+" ", " "+name+bracket(m[1])) {
			return bad()
		}
		into[name] = strings.ReplaceAll(value, "''", "'")
		rest, more = rest[len(m[0]):], m[5] != ""
	}
	return f, nil
}

// bracket ends the name of a function, and a space that of a field.
func bracket(function string) string {
	if function != "" {
		return "("
	}
	return " "
}

func (f filter) calls(function string) bool {
	_, ok := f.called[function]
	return ok
}
