package arm

import (
	"strings"
	"unicode/utf8"
)

// Enum is the canonical spelling of value, which may be one of allowed in any
// case; "" stays "". target is the property's path.
func Enum[E ~string](target string, value E, allowed ...E) (E, error) {
	if value == "" {
		return "", nil
	}
	words := make([]string, len(allowed))
	for i, a := range allowed {
		if strings.EqualFold(string(a), string(value)) {
			return a, nil
		}
		words[i] = string(a)
	}
	return "", InvalidParameter(target, "The value '%s' of '%s' is not one of: %s.", value, target, strings.Join(words, ", "))
}

// NormalizeLocation is the name of a location as it is compared and stored:
// "West Europe" is "westeurope".
func NormalizeLocation(name string) string {
	return strings.ToLower(strings.ReplaceAll(name, " ", ""))
}

// Azure's limits on tags.
const (
	maxTags       = 50
	maxTagName    = 512
	maxTagValue   = 256
	badInTagNames = `<>%&\?/`
)

// CheckTags says whether tags are within Azure's limits.
func CheckTags(tags map[string]string) error {
	if len(tags) > maxTags {
		return BadRequest("TooManyTags", "There are %d tags; at most %d are allowed.", len(tags), maxTags).At("tags")
	}
	seen := make(map[string]bool, len(tags))
	for name, value := range tags {
		fold := strings.ToLower(name)
		switch {
		case name == "" || utf8.RuneCountInString(name) > maxTagName:
			return BadRequest("InvalidTagName", "The tag name '%.60s' is not valid: it must be 1 to %d characters long.", name, maxTagName).At("tags")
		case strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f || strings.ContainsRune(badInTagNames, r) }):
			return BadRequest("InvalidTagNameCharacters", "The tag names '%.60s' have reserved characters '%s' or control characters.", name, badInTagNames).At("tags")
		case utf8.RuneCountInString(value) > maxTagValue:
			return BadRequest("InvalidTagValue", "The value of the tag '%.60s' is longer than %d characters.", name, maxTagValue).At("tags." + name)
		case seen[fold]:
			return BadRequest("InvalidTagName", "The tag name '%.60s' is given twice; case does not count.", name).At("tags")
		}
		seen[fold] = true
	}
	return nil
}
