package jsonc

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Limits bound what a text may cost its reader.
type Limits struct {
	Bytes  int // of text
	Depth  int // of objects and arrays in each other
	Values int // in all
}

// DefaultLimits are those of a template: Azure's 4 MB, and bounds that only a
// text made to be costly meets.
var DefaultLimits = Limits{Bytes: 4 << 20, Depth: 128, Values: 500_000}

// SyntaxError is a text that is no JSON, even generously read.
type SyntaxError struct {
	Msg string
	Pos Pos
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("%s, line %d, position %d", e.Msg, e.Pos.Line, e.Pos.Column)
}

// Parse reads one value within the default limits. Strings of the value share
// memory with one copy of the text.
func Parse(text []byte) (any, error) { return ParseString(string(text), DefaultLimits) }

// ParseString is Parse for a string, whose memory the value shares, within
// limits of the caller's choice.
func ParseString(text string, l Limits) (any, error) {
	if len(text) > l.Bytes {
		return nil, &SyntaxError{Msg: fmt.Sprintf("the text of %d bytes exceeds the limit of %d", len(text), l.Bytes)}
	}
	r := &reader{text: strings.TrimPrefix(text, "\ufeff"), limits: l, line: 1}
	v, _, err := r.value(0)
	if err != nil {
		return nil, err
	}
	if err := r.space(); err != nil {
		return nil, err
	}
	if r.at < len(r.text) {
		return nil, r.errorf("additional text encountered after finished reading JSON content: %s", r.show())
	}
	return v, nil
}

// reader walks the text once. The members and elements that are being read
// wait on stacks, so that each object and array is made once, in its size.
type reader struct {
	text      string
	at        int
	line      uint32
	lineStart int
	mark      int    // up to where the characters of the line are counted
	column    uint32 // how many those are
	limits    Limits
	values    int
	members   []Member
	elements  []any
}

// pos is where the reader stands. It counts on from where it last did, because
// the whole of a text may be one line.
func (r *reader) pos() Pos {
	if r.mark < r.lineStart || r.mark > r.at {
		r.mark, r.column = r.lineStart, 0
	}
	r.column += uint32(utf8.RuneCountInString(r.text[r.mark:r.at]))
	r.mark = r.at
	return Pos{Line: r.line, Column: r.column}
}

func (r *reader) errorf(format string, a ...any) error {
	return &SyntaxError{Msg: fmt.Sprintf(format, a...), Pos: r.pos()}
}

// show is the character at hand, for an error.
func (r *reader) show() string {
	if r.at >= len(r.text) {
		return "end of text"
	}
	c, _ := utf8.DecodeRuneInString(r.text[r.at:])
	return string(c)
}

// space skips white space and comments.
func (r *reader) space() error {
	for r.at < len(r.text) {
		switch c := r.text[r.at]; {
		case c == '\n':
			r.at++
			r.newLine()
		case c == ' ' || c == '\t' || c == '\r':
			r.at++
		case c == '/':
			if err := r.comment(); err != nil {
				return err
			}
		case strings.HasPrefix(r.text[r.at:], "\u00a0"):
			r.at += len("\u00a0")
		default:
			return nil
		}
	}
	return nil
}

func (r *reader) newLine() { r.line, r.lineStart = r.line+1, r.at }

func (r *reader) comment() error {
	rest := r.text[r.at:]
	switch {
	case strings.HasPrefix(rest, "//"):
		end := strings.IndexByte(rest, '\n')
		if end < 0 {
			end = len(rest)
		}
		r.at += end
	case strings.HasPrefix(rest, "/*"):
		end := strings.Index(rest[2:], "*/")
		if end < 0 {
			return r.errorf("unexpected end while parsing comment")
		}
		r.advance(end + 4)
	default:
		return r.errorf("error parsing comment: expected: *, got %s", r.show())
	}
	return nil
}

// advance goes on by n bytes, in which there may be line ends.
func (r *reader) advance(n int) {
	skipped := r.text[r.at : r.at+n]
	if lines := strings.Count(skipped, "\n"); lines > 0 {
		r.line += uint32(lines)
		r.lineStart = r.at + strings.LastIndexByte(skipped, '\n') + 1
	}
	r.at += n
}

func (r *reader) value(depth int) (any, Pos, error) {
	if err := r.space(); err != nil {
		return nil, Pos{}, err
	}
	if r.values++; r.values > r.limits.Values {
		return nil, Pos{}, r.errorf("the text has more than %d values", r.limits.Values)
	}
	if r.at >= len(r.text) {
		return nil, Pos{}, r.errorf("unexpected end when reading JSON")
	}
	switch c := r.text[r.at]; {
	case c == '{' || c == '[':
		return r.container(c, depth+1)
	case c == '"' || c == '\'':
		s, err := r.str(c)
		return s, r.pos(), err
	case c == '-' || c == '.' || c >= '0' && c <= '9':
		v, err := r.number()
		return v, r.pos(), err
	}
	return r.word()
}

func (r *reader) container(open byte, depth int) (any, Pos, error) {
	if depth > r.limits.Depth {
		return nil, Pos{}, r.errorf("the reader's maximum depth of %d has been exceeded", r.limits.Depth)
	}
	r.at++
	pos := r.pos()
	if open == '{' {
		o, err := r.object(depth, pos)
		return o, pos, err
	}
	a, err := r.array(depth)
	return a, pos, err
}

func (r *reader) object(depth int, pos Pos) (*Object, error) {
	base := len(r.members)
	defer func() { r.members = r.members[:base] }()
	for {
		if done, err := r.closes('}'); err != nil {
			return nil, err
		} else if done {
			return r.finish(base, pos)
		}
		m, err := r.member(depth)
		if err != nil {
			return nil, err
		}
		r.members = append(r.members, m)
		if err := r.separator('}'); err != nil {
			return nil, err
		}
	}
}

func (r *reader) finish(base int, pos Pos) (*Object, error) {
	o := &Object{Pos: pos, members: append([]Member(nil), r.members[base:]...)}
	if len(o.members) >= indexFrom {
		o.buildIndex()
	}
	if name, twice := o.duplicate(); twice {
		return nil, r.errorf("property with the same name already exists on object: '%s'", name)
	}
	return o, nil
}

// duplicate is a name that two members have.
func (o *Object) duplicate() (string, bool) {
	if len(o.members) < indexFrom {
		for i := range o.members {
			for j := range i {
				if o.members[i].Name == o.members[j].Name {
					return o.members[i].Name, true
				}
			}
		}
		return "", false
	}
	if !o.index.twins {
		return "", false
	}
	seen := make(map[string]bool, len(o.members))
	for i := range o.members {
		if seen[o.members[i].Name] {
			return o.members[i].Name, true
		}
		seen[o.members[i].Name] = true
	}
	return "", false
}

func (r *reader) member(depth int) (Member, error) {
	name, err := r.name()
	if err != nil {
		return Member{}, err
	}
	if err := r.space(); err != nil {
		return Member{}, err
	}
	if r.at >= len(r.text) || r.text[r.at] != ':' {
		return Member{}, r.errorf("invalid character after parsing property name. Expected ':' but got: %s", r.show())
	}
	r.at++
	v, pos, err := r.value(depth)
	return Member{Name: name, Value: v, Pos: pos}, err
}

// name is a quoted string or, as az writes it, a bare word.
func (r *reader) name() (string, error) {
	if r.at >= len(r.text) {
		return "", r.errorf("unexpected end when reading JSON")
	}
	if c := r.text[r.at]; c == '"' || c == '\'' {
		return r.str(c)
	}
	start := r.at
	for r.at < len(r.text) && isWord(r.text[r.at]) {
		r.at++
	}
	if r.at == start {
		return "", r.errorf("invalid property identifier character: %s", r.show())
	}
	return r.text[start:r.at], nil
}

func isWord(c byte) bool {
	return c == '_' || c == '$' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}

func (r *reader) array(depth int) ([]any, error) {
	base := len(r.elements)
	defer func() { r.elements = r.elements[:base] }()
	for {
		if done, err := r.closes(']'); err != nil {
			return nil, err
		} else if done {
			return append(make([]any, 0, len(r.elements)-base), r.elements[base:]...), nil
		}
		v, _, err := r.value(depth)
		if err != nil {
			return nil, err
		}
		r.elements = append(r.elements, v)
		if err := r.separator(']'); err != nil {
			return nil, err
		}
	}
}

// closes takes the closing bracket, if that is what comes.
func (r *reader) closes(bracket byte) (bool, error) {
	if err := r.space(); err != nil {
		return false, err
	}
	if r.at < len(r.text) && r.text[r.at] == bracket {
		r.at++
		return true, nil
	}
	return false, nil
}

// separator takes a comma, and leaves a closing bracket to closes.
func (r *reader) separator(bracket byte) error {
	if err := r.space(); err != nil {
		return err
	}
	switch {
	case r.at >= len(r.text):
		return r.errorf("unexpected end when reading JSON")
	case r.text[r.at] == ',':
		r.at++
	case r.text[r.at] != bracket:
		return r.errorf("after parsing a value an unexpected character was encountered: %s", r.show())
	}
	return nil
}

func (r *reader) word() (any, Pos, error) {
	start := r.at
	for r.at < len(r.text) && isWord(r.text[r.at]) {
		r.at++
	}
	switch r.text[start:r.at] {
	case "null":
		return nil, r.pos(), nil
	case "true":
		return true, r.pos(), nil
	case "false":
		return false, r.pos(), nil
	}
	r.at = start
	return nil, Pos{}, r.errorf("unexpected character encountered while parsing value: %s", r.show())
}

func (r *reader) number() (any, error) {
	start := r.at
	for r.at < len(r.text) && strings.IndexByte("+-.eE0123456789", r.text[r.at]) >= 0 {
		r.at++
	}
	digits := r.text[start:r.at]
	if !strings.ContainsAny(digits, ".eE") {
		n, err := strconv.ParseInt(digits, 10, 64)
		if err != nil || digits[0] == '+' {
			return nil, r.errorf("JSON integer %s is malformed, or too large or small for an Int64", clip(digits))
		}
		return n, nil
	}
	f, err := strconv.ParseFloat(digits, 64)
	if err != nil || math.IsInf(f, 0) {
		return nil, r.errorf("input string '%s' is not a valid number", clip(digits))
	}
	return f, nil
}

func clip(s string) string {
	if len(s) > 40 {
		return s[:40] + "…"
	}
	return s
}
