// Package jsonc reads and writes the JSON of templates: the values keep the
// order of their properties and where in the text they stood, names are found
// whatever their case, and the reader accepts what Azure's own clients send:
// comments, trailing commas, names without quotes, strings over several lines.
//
// A value is nil, bool, int64, float64, string, []any or *Object. The package
// knows nothing of templates.
package jsonc
