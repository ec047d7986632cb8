package resources

import (
	"regexp"
	"strings"

	"lazuli/internal/arm"
)

// filter is a $filter of clauses joined by "and"; each field is compared with
// eq. The zero filter takes everything.
type filter struct {
	fields map[string]string // by name in lower case
}

var clausePattern = regexp.MustCompile(`^\s*([A-Za-z]+)\s+(?i:eq)\s+'((?:[^']|'')*)'\s*(?:$|(?i:and)\s)`)

// filterFields are the fields that can be filtered by.
var filterFields = map[string]bool{
	"resourcetype": true, "resourcegroup": true, "name": true, "location": true, "tagname": true, "tagvalue": true,
}

// maxFilter bounds the length of a filter.
const maxFilter = 4096

func parseFilter(s string) (filter, error) {
	f := filter{map[string]string{}}
	rest := s
	for strings.TrimSpace(rest) != "" {
		m := clausePattern.FindStringSubmatch(rest)
		if m == nil || len(s) > maxFilter {
			return f, badFilter(s)
		}
		field := strings.ToLower(m[1])
		if _, twice := f.fields[field]; twice || !filterFields[field] {
			return f, badFilter(s)
		}
		f.fields[field] = strings.ReplaceAll(m[2], "''", "'")
		if rest = rest[len(m[0]):]; rest == "" && strings.HasSuffix(strings.ToLower(strings.TrimSpace(m[0])), " and") {
			return f, badFilter(s)
		}
	}
	return f, nil
}

func badFilter(s string) error {
	return arm.BadRequest("InvalidFilterInQueryString", "Invalid $filter '%.200s': clauses like name eq 'value', joined by 'and', are supported, of resourceType, resourceGroup, name, location, tagName and tagValue.", s)
}

// takes says whether the filter leaves the resource of m in.
func (f filter) takes(m *arm.Meta) bool {
	for field, want := range f.fields {
		if !f.holds(field, want, m) {
			return false
		}
	}
	return true
}

func (f filter) holds(field, want string, m *arm.Meta) bool {
	switch field {
	case "resourcetype":
		return m.ID.Is(want)
	case "resourcegroup":
		return strings.EqualFold(m.ID.ResourceGroup, want)
	case "name":
		return strings.EqualFold(m.ID.Name(), want)
	case "location":
		return arm.NormalizeLocation(want) == m.Location
	case "tagname":
		return f.hasTag(want, m)
	}
	_, named := f.fields["tagname"]
	return named || hasTagValue(want, m)
}

// hasTag says whether m has the tag, with the value that the filter asks for.
func (f filter) hasTag(name string, m *arm.Meta) bool {
	value, valued := f.fields["tagvalue"]
	for k, v := range m.Tags {
		if strings.EqualFold(k, name) {
			return !valued || v == value
		}
	}
	return false
}

func hasTagValue(value string, m *arm.Meta) bool {
	for _, v := range m.Tags {
		if v == value {
			return true
		}
	}
	return false
}
