package resources

import (
	"regexp"
	"slices"
	"strings"

	"lazuli/internal/arm"
)

// filter is a $filter as Azure documents it for lists of resources: clauses
// joined by "and", those joined by "or".
//
//	location|resourceType|name|resourceGroup|identity|plan… (eq|ne) 'value'
//	substringof('value', name|resourceGroup)
//	tagName eq 'name' [and tagValue eq 'value']
//	startswith(tagName, 'prefix')
//
// The zero filter takes everything.
type filter struct{ any [][]clause }

type clause struct {
	op    string // "eq", "ne", "substringof" or "startswith"
	field string // in lower case
	value string
}

const quotedPattern = `'((?:[^']|'')*)'`

var (
	comparePattern = regexp.MustCompile(`^\s*([A-Za-z]+(?:/[A-Za-z]+)?)\s+(?i:(eq|ne))\s+` + quotedPattern)
	withinPattern  = regexp.MustCompile(`^\s*(?i:substringof)\s*\(\s*` + quotedPattern + `\s*,\s*([A-Za-z]+)\s*\)`)
	startsPattern  = regexp.MustCompile(`^\s*(?i:startswith)\s*\(\s*([A-Za-z]+)\s*,\s*` + quotedPattern + `\s*\)`)
	joinPattern    = regexp.MustCompile(`^(?i:\s+(and|or)\s+)`)
)

// filterOps are the fields that can be filtered by, and how.
var filterOps = map[string][]string{
	"resourcetype": {"eq", "ne"}, "location": {"eq", "ne"},
	"name": {"eq", "ne", "substringof"}, "resourcegroup": {"eq", "ne", "substringof"},
	"tagname": {"eq", "startswith"}, "tagvalue": {"eq"},
	"identity": {"eq", "ne"}, "identity/principalid": {"eq", "ne"},
	"plan": {"eq", "ne"}, "plan/publisher": {"eq", "ne"}, "plan/product": {"eq", "ne"}, "plan/name": {"eq", "ne"},
	"plan/version": {"eq", "ne"}, "plan/promotioncode": {"eq", "ne"},
}

// groupFields are those of resource groups.
var groupFields = []string{"tagname", "tagvalue", "name", "location"}

// maxFilter bounds the length of a filter.
const maxFilter = 4096

// parseFilter reads a filter by the fields; none means all.
func parseFilter(s string, fields ...string) (filter, error) {
	f := filter{}
	if strings.TrimSpace(s) == "" {
		return f, nil
	}
	if len(s) > maxFilter {
		return f, badFilter(s)
	}
	f.any = [][]clause{nil}
	for rest := s; ; {
		c, n := parseClause(rest)
		if n == 0 || !slices.Contains(filterOps[c.field], c.op) || len(fields) > 0 && !slices.Contains(fields, c.field) {
			return filter{}, badFilter(s)
		}
		last := &f.any[len(f.any)-1]
		*last = append(*last, c)
		if rest = rest[n:]; strings.TrimSpace(rest) == "" {
			return f, nil
		}
		join := joinPattern.FindStringSubmatch(rest)
		if join == nil {
			return filter{}, badFilter(s)
		}
		if strings.EqualFold(join[1], "or") {
			f.any = append(f.any, nil)
		}
		rest = rest[len(join[0]):]
	}
}

// parseClause reads the clause that s begins with, and says how long it is.
func parseClause(s string) (clause, int) {
	value := func(quoted string) string { return strings.ReplaceAll(quoted, "''", "'") }
	if m := comparePattern.FindStringSubmatch(s); m != nil {
		return clause{strings.ToLower(m[2]), strings.ToLower(m[1]), value(m[3])}, len(m[0])
	}
	if m := withinPattern.FindStringSubmatch(s); m != nil {
		return clause{"substringof", strings.ToLower(m[2]), value(m[1])}, len(m[0])
	}
	if m := startsPattern.FindStringSubmatch(s); m != nil {
		return clause{"startswith", strings.ToLower(m[1]), value(m[2])}, len(m[0])
	}
	return clause{}, 0
}

func badFilter(s string) error {
	return arm.BadRequest("InvalidFilterInQueryString", "Invalid $filter '%.200s'. What is supported: resourceType, location, name or resourceGroup eq or ne 'value'; substringof('value', name or resourceGroup); tagName eq 'name' and tagValue eq 'value'; startswith(tagName, 'prefix'); joined by 'and' and 'or'. Groups have tagName, tagValue, name and location.", s)
}

// only is what the field has to be equal to, whatever else the filter asks for;
// "" when it may be several things.
func (f filter) only(field string) string {
	if len(f.any) != 1 {
		return ""
	}
	for _, c := range f.any[0] {
		if c.field == field && c.op == "eq" {
			return c.value
		}
	}
	return ""
}

// takes says whether the filter leaves the resource of m in.
func (f filter) takes(m *arm.Meta) bool {
	return len(f.any) == 0 || slices.ContainsFunc(f.any, func(all []clause) bool { return holdAll(all, m) })
}

// holdAll says whether all clauses hold. The value of a tag is that of the tag
// that is named before it.
func holdAll(all []clause, m *arm.Meta) bool {
	for i, c := range all {
		switch {
		case c.field == "tagvalue" && i > 0 && all[i-1].field == "tagname":
			continue // looked at with the name
		case c.field == "tagname" && i+1 < len(all) && all[i+1].field == "tagvalue":
			if !hasTag(m, c, &all[i+1].value) {
				return false
			}
		case !c.holds(m):
			return false
		}
	}
	return true
}

func (c clause) holds(m *arm.Meta) bool {
	switch c.field {
	case "tagname":
		return hasTag(m, c, nil)
	case "tagvalue":
		return hasTag(m, clause{op: "startswith"}, &c.value)
	}
	is := ""
	switch c.field {
	case "resourcetype":
		is = m.ID.Type()
	case "resourcegroup":
		is = m.ID.ResourceGroup
	case "name":
		is = m.ID.Name()
	case "location":
		is, c.value = m.Location, arm.NormalizeLocation(c.value)
	default: // nothing here has an identity or a plan
		return c.op == "ne"
	}
	if c.op == "substringof" {
		return strings.Contains(strings.ToLower(is), strings.ToLower(c.value))
	}
	return strings.EqualFold(is, c.value) == (c.op == "eq")
}

// hasTag says whether m has a tag of the name, with the value if there is one.
func hasTag(m *arm.Meta, name clause, value *string) bool {
	for k, v := range m.Tags {
		k, want := strings.ToLower(k), strings.ToLower(name.value)
		if (k == want || name.op == "startswith" && strings.HasPrefix(k, want)) && (value == nil || v == *value) {
			return true
		}
	}
	return false
}
