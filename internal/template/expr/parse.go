package expr

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

const (
	// MaxLength is Azure's limit for an expression, in characters.
	MaxLength = 24_576
	maxNested = 256 // calls in each other, in an expression
)

// Expr is a parsed expression. It may be evaluated by several goroutines.
type Expr struct {
	source string
	root   node
}

// Source is the text that was parsed, with its brackets.
func (e *Expr) Source() string { return e.source }

// A node of the tree: literal, *call or *access.
type node any

type literal struct{ value any }

type call struct {
	namespace string
	name      string // as it is spelled
	key       string // in lower case
	fn        *function
	args      []node
}

type access struct {
	base, key node
}

// Is tells whether a string of a template is an expression.
func Is(s string) bool {
	return len(s) >= 2 && s[0] == '[' && s[len(s)-1] == ']' && s[1] != '['
}

// Unescape is what a string that is no expression means: "[[x]" is "[x]".
func Unescape(s string) string {
	if strings.HasPrefix(s, "[[") && strings.HasSuffix(s, "]") {
		return s[1:]
	}
	return s
}

// Escape is the text of a template that means s, and is no expression.
func Escape(s string) string {
	if strings.HasPrefix(s, "[") && strings.HasSuffix(s, "]") && len(s) >= 2 {
		return "[" + s
	}
	return s
}

// Parse reads an expression with its brackets: "[concat('a', 'b')]".
func Parse(source string) (*Expr, error) {
	if n := utf8.RuneCountInString(source); n > MaxLength {
		return nil, Errorf("The language expression length limit exceeded. Limit: '%d' and actual: '%d'. Please see https://aka.ms/arm-functions for usage details.", MaxLength, n)
	}
	if !Is(source) {
		return nil, Errorf("The language expression '%s' is not valid: it must be in brackets.", clip(source))
	}
	p := &parser{text: source[1 : len(source)-1]}
	p.next()
	root := p.expression(0)
	if p.err == nil && p.token.kind != end {
		p.expected(end)
	}
	if p.err != nil {
		return nil, p.err
	}
	return &Expr{source: source, root: root}, nil
}

func clip(s string) string {
	if len(s) > 200 {
		return strings.ToValidUTF8(s[:200], "") + "…"
	}
	return s
}

type kind string

const (
	end          kind = "EndOfData"
	identifier   kind = "Identifier"
	integer      kind = "Integer"
	text         kind = "Literal"
	dot          kind = "Dot"
	comma        kind = "Comma"
	leftParen    kind = "LeftParenthesis"
	rightParen   kind = "RightParenthesis"
	leftBracket  kind = "LeftSquareBracket"
	rightBracket kind = "RightSquareBracket"
)

var punctuation = map[byte]kind{
	'.': dot, ',': comma, '(': leftParen, ')': rightParen, '[': leftBracket, ']': rightBracket,
}

type token struct {
	kind kind
	at   int
	text string
	num  int64
}

// parser is a recursive descent with one token of look-ahead. The first error
// sticks, and everything after it reads as the end.
type parser struct {
	text  string
	at    int
	token token
	err   error
}

func (p *parser) fail(format string, a ...any) {
	if p.err == nil {
		p.err = Errorf("The language expression '%s' is not valid: %s.", clip(p.text), fmt.Sprintf(format, a...))
	}
	p.token = token{kind: end, at: len(p.text)}
}

func (p *parser) expected(k kind) {
	if p.err == nil {
		p.err = Errorf("Unable to parse language expression '%s': expected token '%s' and actual '%s' at position '%d'. Please see https://aka.ms/arm-functions for usage details.",
			clip(p.text), k, p.token.kind, p.token.at)
	}
	p.token = token{kind: end, at: len(p.text)}
}

// take moves on if the token is of that kind, and errs if not.
func (p *parser) take(k kind) token {
	t := p.token
	if t.kind != k {
		p.expected(k)
		return t
	}
	p.next()
	return t
}

// next reads a token.
func (p *parser) next() {
	if p.err != nil {
		return
	}
	for p.at < len(p.text) && strings.IndexByte(" \t\r\n", p.text[p.at]) >= 0 {
		p.at++
	}
	p.token = token{kind: end, at: p.at}
	if p.at >= len(p.text) {
		return
	}
	c := p.text[p.at]
	switch k, ok := punctuation[c]; {
	case ok:
		p.token.kind = k
		p.at++
	case c == '\'':
		p.string()
	case c == '-' || c == '+' || c >= '0' && c <= '9':
		p.integer()
	case isLetter(c):
		p.word()
	default:
		r, _ := utf8.DecodeRuneInString(p.text[p.at:])
		p.fail("the string character '%c' at position '%d' is not expected", r, p.at)
	}
}

func isLetter(c byte) bool {
	return c == '_' || c == '$' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func (p *parser) word() {
	start := p.at
	for p.at < len(p.text) && (isLetter(p.text[p.at]) || isDigit(p.text[p.at])) {
		p.at++
	}
	p.token.kind, p.token.text = identifier, p.text[start:p.at]
}

func (p *parser) integer() {
	start := p.at
	p.at++
	for p.at < len(p.text) && (isDigit(p.text[p.at]) || p.text[p.at]|0x20 == 'e') {
		p.at++ // an exponent is read, and is no integer
	}
	if p.at < len(p.text) && isLetter(p.text[p.at]) {
		p.fail("the string character '%c' at position '%d' is not expected", p.text[p.at], p.at)
		return
	}
	n, err := strconv.ParseInt(p.text[start:p.at], 10, 64)
	if err != nil {
		p.fail("the integer '%s' at position '%d' is not valid", clip(p.text[start:p.at]), start)
		return
	}
	p.token.kind, p.token.num = integer, n
}

// string reads 'text', in which two quotes stand for one.
func (p *parser) string() {
	start := p.at + 1
	p.at = start
	doubled := false
	for {
		i := strings.IndexByte(p.text[p.at:], '\'')
		if i < 0 {
			p.fail("the string literal that begins at position '%d' is not terminated", start-1)
			return
		}
		p.at += i + 1
		if p.at >= len(p.text) || p.text[p.at] != '\'' {
			break
		}
		doubled = true
		p.at++
	}
	s := p.text[start : p.at-1]
	if doubled {
		s = strings.ReplaceAll(s, "''", "'")
	}
	p.token.kind, p.token.text = text, s
}

func (p *parser) expression(nested int) node {
	if nested > maxNested {
		p.fail("it is nested more than %d deep", maxNested)
		return nil
	}
	switch t := p.token; t.kind {
	case text:
		p.next()
		return literal{t.text}
	case integer:
		p.next()
		return literal{t.num}
	case identifier:
		return p.accesses(p.call(nested), nested)
	}
	p.expected(text)
	return nil
}

// call reads name(...), or namespace.name(...).
func (p *parser) call(nested int) node {
	c := &call{name: p.take(identifier).text}
	if p.token.kind == dot {
		p.next()
		c.namespace, c.name = c.name, p.take(identifier).text
	}
	p.take(leftParen)
	for p.err == nil && p.token.kind != rightParen {
		c.args = append(c.args, p.expression(nested+1))
		if p.token.kind != rightParen {
			p.take(comma)
			if p.token.kind == rightParen {
				p.expected(text) // an argument is missing
			}
		}
	}
	p.take(rightParen)
	if p.err != nil {
		return nil
	}
	c.args = append([]node(nil), c.args...)
	c.key = strings.ToLower(c.name)
	if c.namespace == "" {
		c.fn = functions[c.key]
	}
	if c.fn != nil {
		p.err = c.fn.checkCount(len(c.args))
	}
	return c
}

// accesses reads the .name and [expression] that follow a call.
func (p *parser) accesses(base node, nested int) node {
	for p.err == nil {
		switch p.token.kind {
		case dot:
			p.next()
			base = &access{base, literal{p.take(identifier).text}}
		case leftBracket:
			p.next()
			key := p.expression(nested + 1)
			p.take(rightBracket)
			base = &access{base, key}
		default:
			return base
		}
		if nested++; nested > 2*maxNested {
			p.fail("it has too many accesses in a row")
		}
	}
	return base
}
