package imds

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

// walk goes down a document by the parts of a path. Names are found whatever
// their case; a list is entered by number.
func walk(doc any, path string) (any, bool) {
	for part := range strings.SplitSeq(path, "/") {
		if part == "" {
			continue
		}
		var ok bool
		if doc, ok = step(doc, part); !ok {
			return nil, false
		}
	}
	return doc, true
}

func step(doc any, part string) (any, bool) {
	switch d := doc.(type) {
	case object:
		for name, v := range d {
			if strings.EqualFold(name, part) {
				return v, true
			}
		}
	case list:
		if i, err := strconv.Atoi(part); err == nil && i >= 0 && i < len(d) {
			return d[i], true
		}
	}
	return nil, false
}

// text writes a leaf as it is, and anything else as the names in it: those that
// can be gone into end in a slash.
func text(doc any) []byte {
	var b bytes.Buffer
	entry := func(name string, v any) {
		switch v.(type) {
		case object, list:
			name += "/"
		}
		b.WriteString(name + "\n")
	}
	switch d := doc.(type) {
	case object:
		names := make([]string, 0, len(d))
		for name := range d {
			names = append(names, name)
		}
		slices.Sort(names)
		for _, name := range names {
			entry(name, d[name])
		}
	case list:
		for i, v := range d {
			entry(strconv.Itoa(i), v)
		}
	case string:
		return []byte(d)
	case bool:
		return strconv.AppendBool(nil, d)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// encode is json.Marshal that leaves <, > and & as they are, as Azure does.
func encode(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err) // documents are made of strings, booleans, objects and lists
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}
