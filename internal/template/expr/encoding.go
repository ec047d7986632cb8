package expr

import (
	"encoding/base64"
	"net/url"
	"strings"
	"unicode/utf8"

	"lazuli/internal/template/jsonc"
)

var encodingFunctions = []function{
	ofString("base64", func(b *Budget, s string) (any, error) {
		return b.text(base64.StdEncoding.EncodeToString([]byte(s)))
	}),
	ofString("base64ToString", func(b *Budget, s string) (any, error) {
		decoded, err := fromBase64("base64ToString", s)
		if err != nil {
			return nil, err
		}
		return b.text(decoded)
	}),
	ofString("base64ToJson", func(b *Budget, s string) (any, error) {
		decoded, err := fromBase64("base64ToJson", s)
		if err != nil {
			return nil, err
		}
		return parseJSON(b, "base64ToJson", decoded)
	}),
	{name: "dataUri", min: 1, max: 1, eval: dataURI},
	ofString("dataUriToString", dataURIToString),
	ofString("json", func(b *Budget, s string) (any, error) { return parseJSON(b, "json", s) }),
}

func fromBase64(fn, s string) (string, error) {
	decoded, err := base64.StdEncoding.DecodeString(strings.TrimSpace(s))
	if err != nil {
		return "", badValue(fn, "The value cannot be decoded from base64 representation.")
	}
	return strings.ToValidUTF8(string(decoded), "\ufffd"), nil
}

func parseJSON(b *Budget, fn, s string) (any, error) {
	if err := b.Make(8 * len(s)); err != nil { // about what values cost beside their text
		return nil, err
	}
	v, err := jsonc.ParseString(s, jsonc.DefaultLimits)
	if err != nil {
		return nil, Errorf("The template language function '%s' parameter is not valid. The provided value cannot be parsed as JSON: %s. %s", fn, err, usage(fn))
	}
	return v, nil
}

func dataURI(b *Budget, args []any) (any, error) {
	media, ok := "text/plain", true
	s, ok := scalar(args[0])
	if !ok {
		if err := b.Weigh(args[0]); err != nil {
			return nil, err
		}
		media, s = "application/json", string(jsonc.Append(nil, args[0]))
	}
	return b.text("data:" + media + ";charset=utf8;base64," + base64.StdEncoding.EncodeToString([]byte(s)))
}

// dataURIToString reads data:[<media type>][;charset=<set>][;base64],<data>.
func dataURIToString(b *Budget, s string) (any, error) {
	rest, ok := cutPrefixFold(s, "data:")
	head, data, comma := strings.Cut(rest, ",")
	if !ok || !comma {
		return nil, Errorf("The template language function 'dataUriToString' expects its parameter to be formatted as a valid data URI. The provided value '%s' was not formatted correctly. %s", clip(s), usage("dataUriToString"))
	}
	encoded := false
	for _, p := range strings.Split(head, ";")[1:] {
		if strings.EqualFold(p, "base64") {
			encoded = true
		}
		if set, ok := cutPrefixFold(p, "charset="); ok && !isUTF8(set) {
			return nil, badValue("dataUriToString", "The character set '%s' is not supported.", clip(set))
		}
	}
	if !encoded {
		return b.text(unescapeURI(data))
	}
	decoded, err := base64.StdEncoding.DecodeString(data)
	if err != nil || !utf8.Valid(decoded) {
		return nil, badValue("dataUriToString", "The value cannot be converted to the target type.")
	}
	return b.text(string(decoded))
}

func isUTF8(charset string) bool {
	switch strings.ToLower(charset) {
	case "utf8", "utf-8", "us-ascii", "ascii":
		return true
	}
	return false
}

func cutPrefixFold(s, prefix string) (string, bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return s, false
	}
	return s[len(prefix):], true
}

var uriFunctions = []function{
	ofStrings("uri", joinURI),
	ofString("uriComponent", func(b *Budget, s string) (any, error) { return b.text(escapeURI(s)) }),
	ofString("uriComponentToString", func(b *Budget, s string) (any, error) { return b.text(unescapeURI(s)) }),
	ofString("parseUri", parseURI),
	{name: "buildUri", min: 1, max: 1, eval: buildURI},
}

func joinURI(b *Budget, base, relative string) (any, error) {
	u, err := url.Parse(base)
	if err != nil || !u.IsAbs() {
		return nil, Errorf("The template language function 'uri' expects its first argument to be a uri string. The provided value is '%s'. %s", clip(base), usage("uri"))
	}
	r, err := url.Parse(relative)
	if err != nil {
		return nil, Errorf("The template language function 'uri' expects its second argument to be a uri string. The provided value is '%s'. %s", clip(relative), usage("uri"))
	}
	return b.text(u.ResolveReference(r).String())
}

// escapeURI escapes all but RFC 3986's unreserved characters.
func escapeURI(s string) string {
	const hex = "0123456789ABCDEF"
	var out strings.Builder
	for i := range len(s) {
		c := s[i]
		if isLetter(c) && c != '$' || isDigit(c) || c == '-' || c == '.' || c == '~' {
			out.WriteByte(c)
			continue
		}
		out.Write([]byte{'%', hex[c>>4], hex[c&15]})
	}
	return out.String()
}

// unescapeURI leaves alone what is no escape.
func unescapeURI(s string) string {
	var out strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			if c, err := url.PathUnescape(s[i : i+3]); err == nil {
				out.WriteString(c)
				i += 2
				continue
			}
		}
		out.WriteByte(s[i])
	}
	return strings.ToValidUTF8(out.String(), "\ufffd")
}

var defaultPorts = map[string]int64{"http": 80, "https": 443}

func parseURI(b *Budget, s string) (any, error) {
	u, err := url.Parse(s)
	if err != nil || !u.IsAbs() || u.Host == "" {
		return nil, badValue("parseUri", "The value '%s' is not an absolute URI.", clip(s))
	}
	port := defaultPorts[strings.ToLower(u.Scheme)]
	if u.Port() != "" {
		if port, err = parseInt(u.Port()); err != nil {
			return nil, badValue("parseUri", "The value '%s' is not an absolute URI.", clip(s))
		}
	}
	o := jsonc.NewObject("scheme", strings.ToLower(u.Scheme), "host", u.Hostname(), "port", port, "path", u.EscapedPath(), "query", "")
	if u.RawQuery != "" {
		o.Set("query", "?"+u.RawQuery)
	}
	return o, b.Make(len(s) + 200)
}

func buildURI(b *Budget, args []any) (any, error) {
	o, err := objectArg("buildUri", args, 0)
	if err != nil {
		return nil, err
	}
	part := map[string]string{}
	for m := range o.All() {
		s, ok := scalar(m.Value)
		if !ok {
			return nil, badValue("buildUri", "The component '%s' is of type '%s'.", m.Name, TypeName(m.Value))
		}
		part[strings.ToLower(m.Name)] = s
	}
	if part["scheme"] == "" || part["host"] == "" {
		return nil, badValue("buildUri", "The components must have a scheme and a host.")
	}
	u := url.URL{Scheme: part["scheme"], Host: part["host"], RawQuery: strings.TrimPrefix(part["query"], "?")}
	if p := part["port"]; p != "" {
		u.Host += ":" + p
	}
	if u.Path = part["path"]; u.Path != "" && !strings.HasPrefix(u.Path, "/") {
		u.Path = "/" + u.Path
	}
	return b.text(u.String())
}
