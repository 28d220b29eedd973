package rdf

import "strings"

// AppendQuad writes q, which [Quad.Validate] accepts, to the end of dst as one
// line of canonical N-Quads (appendix A), with its line feed. Blank nodes keep
// their labels.
func AppendQuad(dst []byte, q Quad) []byte {
	dst = append(AppendTerm(dst, &q.Subject), ' ')
	dst = append(AppendTerm(dst, &q.Predicate), ' ')
	dst = append(AppendTerm(dst, &q.Object), ' ')
	if q.Graph.Kind != DefaultGraph {
		dst = append(AppendTerm(dst, &q.Graph), ' ')
	}
	return append(dst, '.', '\n')
}

// AppendTerm writes one term of [AppendQuad]; the default graph is nothing.
func AppendTerm(dst []byte, t *Term) []byte {
	switch t.Kind {
	case IRI:
		return appendIRI(dst, t.Value)
	case Blank:
		return append(append(dst, '_', ':'), t.Value...)
	case Literal:
		dst = appendLiteral(dst, t.Value)
		switch {
		case t.Language != "":
			return append(append(dst, '@'), t.Language...)
		case t.Datatype != XSDString:
			return appendIRI(append(dst, '^', '^'), t.Datatype)
		}
	}
	return dst
}

func appendIRI(dst []byte, iri string) []byte {
	return append(append(append(dst, '<'), iri...), '>')
}

func appendLiteral(dst []byte, text string) []byte {
	dst = append(dst, '"')
	for from := 0; ; {
		to := indexClass(text, from, escape)
		dst = append(dst, text[from:to]...)
		if to == len(text) {
			return append(dst, '"')
		}
		c := text[to]
		switch {
		case c != 0xEF:
			dst = appendEscape(dst, c)
			from = to + 1
		case strings.HasPrefix(text[to:], "\uFFFE"):
			dst = append(dst, `\uFFFE`...)
			from = to + 3
		case strings.HasPrefix(text[to:], "\uFFFF"):
			dst = append(dst, `\uFFFF`...)
			from = to + 3
		default:
			dst = append(dst, c)
			from = to + 1
		}
	}
}

func appendEscape(dst []byte, c byte) []byte {
	const hex = "0123456789ABCDEF"
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\b':
		return append(dst, '\\', 'b')
	case '\t':
		return append(dst, '\\', 't')
	case '\n':
		return append(dst, '\\', 'n')
	case '\f':
		return append(dst, '\\', 'f')
	case '\r':
		return append(dst, '\\', 'r')
	}
	return append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
}
