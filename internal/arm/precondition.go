package arm

import "strings"

// CheckPrecondition holds a write to the call's If-Match and If-None-Match. m
// is nil when the resource does not exist. Tags compare weakly: W/"1" is "1".
func CheckPrecondition(c *Call, m *Meta) error {
	if c.IfMatch != "" && (m == nil || !tagMatches(c.IfMatch, m.ETag())) {
		if m == nil {
			return PreconditionFailed("The resource '%s' does not exist, so no etag matches If-Match.", c.ID.Name())
		}
		return PreconditionFailed("The resource '%s' has changed: its etag is no longer the one in If-Match. Read it again and try again.", c.ID.Name())
	}
	if c.IfNoneMatch != "" && m != nil && tagMatches(c.IfNoneMatch, m.ETag()) {
		return PreconditionFailed("The resource '%s' exists already, which If-None-Match forbids.", c.ID.Name())
	}
	return nil
}

// tagMatches says whether header, "*" or a list of etags, has tag.
func tagMatches(header, tag string) bool {
	for t := range strings.SplitSeq(header, ",") {
		t = strings.TrimSpace(t)
		if t == "*" || bareTag(t) == bareTag(tag) {
			return true
		}
	}
	return false
}

// bareTag is an etag without its weakness and quotes; some clients leave the
// quotes out.
func bareTag(t string) string {
	return strings.Trim(strings.TrimPrefix(t, "W/"), `"`)
}
