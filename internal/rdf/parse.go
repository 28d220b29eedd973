package rdf

import (
	"strings"
	"unicode/utf8"
)

// maxBytes is the limit of strict JSON documents: whatever is larger was not made
// from one.
const maxBytes = 1 << 20

// ParseNQuads reads an N-Quads document (RDF 1.1 N-Quads, section 4): one statement
// a line, in the order and as often as they are written. The error is ErrTooLarge
// over 1 MiB, else ErrSyntax; it tells nothing of the text.
func ParseNQuads(data []byte) ([]Quad, error) {
	if len(data) > maxBytes {
		return nil, ErrTooLarge
	}
	if !utf8.Valid(data) {
		return nil, ErrSyntax
	}
	var quads []Quad
	for rest := string(data); rest != ""; {
		line := rest
		if i := strings.IndexAny(rest, "\r\n"); i >= 0 {
			line, rest = rest[:i], rest[i+1:]
		} else {
			rest = ""
		}
		p := parser{text: line, ok: true}
		q, found := p.line()
		if !p.ok {
			return nil, ErrSyntax
		}
		if found {
			quads = append(quads, q)
		}
	}
	return quads, nil
}

// A parser reads one line. What it returns counts only if ok is still true.
type parser struct {
	text string
	at   int
	ok   bool
}

// line reads a statement, or nothing but space and a comment.
func (p *parser) line() (q Quad, found bool) {
	if p.space(); p.done() {
		return Quad{}, false
	}
	q.Subject = p.term()
	q.Predicate = p.term()
	q.Object = p.term()
	if p.peek() != '.' {
		q.Graph = p.term()
	}
	if p.peek() != '.' {
		p.ok = false
		return Quad{}, false
	}
	p.at++
	p.space()
	p.ok = p.ok && p.done() && q.Validate() == nil
	return q, true
}

// term reads a term and the space behind it.
func (p *parser) term() (t Term) {
	switch p.peek() {
	case '<':
		t = Term{Kind: IRI, Value: p.iri()}
	case '_':
		t = Term{Kind: Blank, Value: p.label()}
	case '"':
		t = p.literal()
	default:
		p.ok = false
	}
	p.space()
	return t
}

func (p *parser) iri() string {
	p.at++
	return p.until('>', false)
}

// label reads a blank node label. A dot at its end belongs to the statement.
func (p *parser) label() string {
	if !strings.HasPrefix(p.text[p.at:], "_:") {
		p.ok = false
		return ""
	}
	p.at += 2
	from, end := p.at, p.at
	for i, r := range p.text[from:] {
		if i == 0 && !labelStart(r) || r != '.' && !labelPart(r) {
			break
		}
		if r != '.' {
			end = from + i + utf8.RuneLen(r)
		}
	}
	p.at = end
	p.ok = p.ok && end > from
	return p.text[from:end]
}

func (p *parser) literal() Term {
	p.at++
	t := Term{Kind: Literal, Datatype: XSDString, Value: p.until('"', true)}
	rest := p.text[min(p.at, len(p.text)):]
	switch {
	case strings.HasPrefix(rest, "@"):
		n := languageEnd(rest[1:])
		t.Language, t.Datatype = rest[1:1+n], LangString
		p.at += 1 + n
		p.ok = p.ok && n > 0
	case strings.HasPrefix(rest, "^^<"):
		p.at += 2
		t.Datatype = p.iri()
	case strings.HasPrefix(rest, "^"):
		p.ok = false
	}
	return t
}

// until reads up to the character end, and past it. In strings the escapes of
// one character count too, and a line feed cannot be there.
func (p *parser) until(end byte, inString bool) string {
	from := p.at
	var out []byte
	for p.at < len(p.text) {
		switch c := p.text[p.at]; {
		case c == end:
			s := p.text[from:p.at]
			p.at++
			if out == nil {
				return s
			}
			return string(append(out, s...))
		case c == '\\':
			out = append(out, p.text[from:p.at]...)
			r, n := unescape(p.text[p.at:], inString)
			if n == 0 {
				p.ok = false
				return ""
			}
			out = utf8.AppendRune(out, r)
			p.at += n
			from = p.at
		default:
			p.at++
		}
	}
	p.ok = false
	return ""
}

// unescape reads ECHAR and UCHAR. It returns 0 bytes for what is neither.
func unescape(s string, inString bool) (rune, int) {
	if len(s) < 2 {
		return 0, 0
	}
	digits := 0
	switch s[1] {
	case 'u':
		digits = 4
	case 'U':
		digits = 8
	default:
		if i := strings.IndexByte(`tbnrf"'\`, s[1]); i >= 0 && inString {
			return rune("\t\b\n\r\f\"'\\"[i]), 2
		}
		return 0, 0
	}
	if len(s) < 2+digits {
		return 0, 0
	}
	var r uint32
	for _, c := range []byte(s[2 : 2+digits]) {
		switch {
		case digit(c):
			c -= '0'
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return 0, 0
		}
		r = r<<4 | uint32(c)
	}
	if r > utf8.MaxRune || !utf8.ValidRune(rune(r)) {
		return 0, 0
	}
	return rune(r), 2 + digits
}

func (p *parser) space() {
	for p.at < len(p.text) && (p.text[p.at] == ' ' || p.text[p.at] == '\t') {
		p.at++
	}
}

// done reports whether only a comment is left.
func (p *parser) done() bool { return p.at >= len(p.text) || p.text[p.at] == '#' }

func (p *parser) peek() byte {
	if p.at >= len(p.text) {
		return 0
	}
	return p.text[p.at]
}
