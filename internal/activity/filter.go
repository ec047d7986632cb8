package activity

import (
	"regexp"
	"strings"
	"time"

	"lazuli/internal/arm"
)

// filter is a $filter: clauses joined by "and".
type filter struct {
	from, to time.Time         // inclusive; zero is no bound
	equal    map[string]string // by field in lower case
}

var clausePattern = regexp.MustCompile(`^\s*([A-Za-z]+)\s+([A-Za-z]{2})\s+(?:'((?:[^']|'')*)'|([^\s']+))\s*(?:$|((?i:and))\s)`)

const maxFilter = 4096

// Fields that can be compared by eq. eventChannels is what old clients say to
// have all that is here.
var filterFields = map[string]bool{
	"resourcegroupname": true, "resourceuri": true, "resourceid": true, "resourceprovider": true, "resourcetype": true,
	"caller": true, "status": true, "correlationid": true, "eventchannels": true,
}

func parseFilter(s string) (filter, error) {
	f := filter{equal: map[string]string{}}
	more := false
	for rest := s; strings.TrimSpace(rest) != "" || more; {
		m := clausePattern.FindStringSubmatch(rest)
		if m == nil || len(s) > maxFilter || !f.add(strings.ToLower(m[1]), strings.ToLower(m[2]), strings.ReplaceAll(m[3], "''", "'")+m[4]) {
			return f, badFilter(s)
		}
		rest, more = rest[len(m[0]):], m[5] != ""
	}
	return f, nil
}

func badFilter(s string) error {
	return arm.BadRequest("BadRequest", "The filter '%.200s' is not valid. It looks like: eventTimestamp ge '2026-01-01T00:00:00Z' and eventTimestamp le '2026-01-02T00:00:00Z' and resourceGroupName eq 'name'. Instead of the last there may be resourceUri, resourceId, resourceProvider, resourceType, caller, status and correlationId.", s)
}

// add adds a clause; it says no to one that is not valid.
func (f *filter) add(field, op, value string) bool {
	if field == "eventtimestamp" {
		t, ok := parseTime(value)
		switch {
		case ok && op == "ge" && f.from.IsZero():
			f.from = t
		case ok && op == "le" && f.to.IsZero():
			f.to = t
		default:
			return false
		}
		return true
	}
	_, twice := f.equal[field]
	f.equal[field] = value
	return op == "eq" && filterFields[field] && !twice
}

// parseTime reads a time as clients write it: those without a zone are UTC.
func parseTime(s string) (time.Time, bool) {
	// A "+" that was not escaped in a query is a space.
	s = strings.ReplaceAll(s, " ", "+")
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02T15:04Z07:00", "2006-01-02T15:04", "2006-01-02"} {
		if t, err := time.Parse(layout, s); err == nil && t.Year() > 1970 && t.Year() < 2200 {
			return t, true
		}
	}
	return time.Time{}, false
}

// takes says whether the filter leaves the event in.
func (f filter) takes(b *body) bool {
	for field, want := range f.equal {
		var have string
		switch field {
		case "resourcegroupname":
			have = b.ResourceGroupName
		case "resourceuri", "resourceid":
			have = b.ResourceID
		case "resourceprovider":
			have = b.ResourceProviderName.Value
		case "resourcetype":
			have = b.ResourceType.Value
		case "caller":
			have = b.Caller
		case "status":
			have = b.Status.Value
		case "correlationid":
			have = b.CorrelationID
		default:
			continue
		}
		if !strings.EqualFold(have, want) {
			return false
		}
	}
	return true
}
