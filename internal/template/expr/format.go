package expr

import (
	"strconv"
	"strings"

	"lazuli/internal/template/jsonc"
)

var formatFunctions = []function{
	{name: "format", min: 1, max: -1, eval: format},
}

func badFormat(why string) error {
	return Errorf("Unable to evaluate language function 'format': the format is invalid: '%s'. Please see https://aka.ms/arm-function-format for usage details.", why)
}

const (
	notInFormat = "Input string was not in a correct format."
	outOfRange  = "Index (zero based) must be greater than or equal to zero and less than the size of the argument list."
)

// format is .NET's composite formatting: {index[,alignment][:format]}, with
// {{ and }} for the brackets themselves.
func format(b *Budget, args []any) (any, error) {
	pattern, err := stringArg("format", args, 0)
	if err != nil {
		return nil, err
	}
	var out strings.Builder
	for pattern != "" {
		i := strings.IndexAny(pattern, "{}")
		if i < 0 {
			out.WriteString(pattern)
			break
		}
		out.WriteString(pattern[:i])
		if i+1 < len(pattern) && pattern[i+1] == pattern[i] {
			out.WriteByte(pattern[i])
			pattern = pattern[i+2:]
			continue
		}
		end := strings.IndexByte(pattern[i:], '}')
		if pattern[i] == '}' || end < 0 {
			return nil, badFormat(notInFormat)
		}
		s, err := formatItem(b, pattern[i+1:i+end], args[1:])
		if err != nil {
			return nil, err
		}
		if err := b.textOf(out.Len() + len(s)); err != nil {
			return nil, err
		}
		out.WriteString(s)
		pattern = pattern[i+end+1:]
	}
	return b.text(out.String())
}

// formatItem is what stands between the brackets.
func formatItem(b *Budget, item string, args []any) (string, error) {
	head, spec, _ := strings.Cut(item, ":")
	number, width, aligned := strings.Cut(head, ",")
	i, err := strconv.ParseUint(strings.TrimSpace(number), 10, 31)
	if err != nil {
		return "", badFormat(notInFormat)
	}
	if int(i) >= len(args) {
		return "", badFormat(outOfRange)
	}
	s, err := formatValue(b, args[i], spec)
	if err != nil || !aligned {
		return s, err
	}
	n, err := strconv.ParseInt(strings.TrimSpace(width), 10, 32)
	if err != nil || n > LiteralLimit || n < -LiteralLimit {
		return "", badFormat(notInFormat)
	}
	missing := max(n, -n) - int64(length16(s))
	switch {
	case missing <= 0:
		return s, nil
	case n < 0:
		return s + strings.Repeat(" ", int(missing)), nil
	}
	return strings.Repeat(" ", int(missing)) + s, nil
}

func formatValue(b *Budget, v any, spec string) (string, error) {
	switch v := v.(type) {
	case int64:
		return formatNumber(float64(v), v, true, spec)
	case float64:
		return formatNumber(v, 0, false, spec)
	case nil:
		return "", nil
	}
	if s, ok := scalar(v); ok {
		return s, nil // strings and booleans have no formats
	}
	if err := b.Weigh(v); err != nil {
		return "", err
	}
	return string(jsonc.AppendQuoted(nil, v, '\'')), nil
}
