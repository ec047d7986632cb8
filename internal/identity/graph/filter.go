package graph

import (
	"regexp"
	"slices"
	"strings"
)

// filter is a $filter, as far as it is understood: conditions that all hold.
//
//	name eq 'text'   name eq true   startswith(name,'text')   name/any(x:x eq 'text')
type filter []condition

type condition struct {
	property, operator, value string
}

// Operators of a condition.
const (
	equals     = "eq"
	startsWith = "startswith"
	contains   = "any"
)

// maxConditions bounds how long a filter is looked at.
const maxConditions = 20

var conditionForms = []struct {
	operator string
	form     *regexp.Regexp
}{
	{startsWith, regexp.MustCompile(`^(?i:startswith)\(\s*([A-Za-z]+)\s*,\s*'((?:[^']|'')*)'\s*\)`)},
	{contains, regexp.MustCompile(`^([A-Za-z]+)/(?i:any)\(\s*[A-Za-z]+\s*:\s*[A-Za-z]+\s+(?i:eq)\s+'((?:[^']|'')*)'\s*\)`)},
	{equals, regexp.MustCompile(`^([A-Za-z]+)\s+(?i:eq)\s+(?:'((?:[^']|'')*)'|(true|false))`)},
}

var andForm = regexp.MustCompile(`^\s+(?i:and)\s+`)

// parseFilter reads a $filter; "" is one that holds for everything.
func parseFilter(text string) (filter, error) {
	var f filter
	rest := strings.TrimSpace(text)
	for rest != "" {
		c, n := parseCondition(rest)
		if n == 0 || len(f) >= maxConditions {
			return nil, badRequest("Invalid or unsupported filter clause at '%.100s'. What is supported: name eq 'text', startswith(name,'text'), name/any(x:x eq 'text'), and 'and' between them.", rest)
		}
		f = append(f, c)
		if rest = rest[n:]; rest == "" {
			break
		}
		and := andForm.FindString(rest)
		if and == "" || len(and) == len(rest) {
			return nil, badRequest("Invalid or unsupported filter clause at '%.100s'.", rest)
		}
		rest = rest[len(and):]
	}
	return f, nil
}

// parseCondition reads one at the beginning of text, and says how long it is.
func parseCondition(text string) (condition, int) {
	for _, form := range conditionForms {
		m := form.form.FindStringSubmatch(text)
		if m == nil {
			continue
		}
		value := strings.ReplaceAll(m[2], "''", "'")
		if len(m) > 3 && m[3] != "" {
			value = m[3]
		}
		return condition{m[1], form.operator, value}, len(m[0])
	}
	return condition{}, 0
}

// check refuses properties that cannot be filtered by: those in known can.
func (f filter) check(known ...string) error {
	for _, c := range f {
		if !slices.ContainsFunc(known, func(k string) bool { return strings.EqualFold(k, c.property) }) {
			return badRequest("Unsupported or invalid query filter clause specified for property '%s'. What there is: %s.", c.property, strings.Join(known, ", "))
		}
	}
	return nil
}

// holds says whether all conditions are true of an object, whose properties are
// in get.
func (f filter) holds(get func(property string) []string) bool {
	for _, c := range f {
		if !slices.ContainsFunc(get(strings.ToLower(c.property)), c.matches) {
			return false
		}
	}
	return true
}

// matches compares as Graph does, without regard to case.
func (c condition) matches(have string) bool {
	if c.operator == startsWith {
		return len(have) >= len(c.value) && strings.EqualFold(have[:len(c.value)], c.value)
	}
	return strings.EqualFold(have, c.value)
}
