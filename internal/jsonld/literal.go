package jsonld

import (
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"

	"github.com/staffpassport/staffpassport/internal/jcs"
	"github.com/staffpassport/staffpassport/internal/rdf"
	"github.com/staffpassport/staffpassport/internal/strictjson"
)

const (
	rdfNS    = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
	rdfType  = rdfNS + "type"
	rdfFirst = rdfNS + "first"
	rdfRest  = rdfNS + "rest"
	rdfNil   = rdfNS + "nil"
	rdfLang  = rdfNS + "langString"
	rdfDir   = rdfNS + "dirLangString"
	rdfJSON  = rdfNS + "JSON"

	// i18nNS is what the datatypes of text with a direction begin with: the form that
	// the specification calls i18n-datatype (section 8.2.2, step 11), which others that
	// sign RDF use.
	i18nNS = "https://www.w3.org/ns/i18n#"

	xsdNS      = "http://www.w3.org/2001/XMLSchema#"
	xsdString  = xsdNS + "string"
	xsdBoolean = xsdNS + "boolean"
	xsdInteger = xsdNS + "integer"
	xsdDouble  = xsdNS + "double"
)

// literal is value expansion (section 5.3.2) with what it becomes in RDF.
func (x *converter) literal(a *active, def *term, v any) (rdf.Term, error) {
	datatype := ""
	s, isText := v.(string)
	if def != nil {
		switch def.coerce {
		case toID, toVocab:
			if isText {
				return a.reference(s, def.coerce == toVocab)
			}
		case toDatatype:
			datatype = def.datatype
		}
	}
	if !isText {
		return native(v, datatype)
	}
	if datatype != "" {
		return typed(s, datatype)
	}
	language := a.language
	if def != nil && def.hasLanguage {
		language = def.language
	}
	return text(s, language), nil
}

func text(s, language string) rdf.Term {
	if language == "" {
		return rdf.Term{Kind: rdf.Literal, Value: s, Datatype: xsdString}
	}
	return rdf.Term{Kind: rdf.Literal, Value: s, Datatype: rdfLang, Language: language}
}

func typed(s, datatype string) (rdf.Term, error) {
	if datatype == rdfLang || datatype == rdfDir {
		return rdf.Term{}, fmt.Errorf("%w: text of a language without the language", ErrMalformed)
	}
	if strings.HasPrefix(datatype, i18nNS) {
		return rdf.Term{}, fmt.Errorf("%w: text of a direction without @direction", ErrNotCompacted)
	}
	return rdf.Term{Kind: rdf.Literal, Value: s, Datatype: datatype}, nil
}

// native is the object of a boolean or a number (section 8.2.2, steps 6 to 9);
// an empty datatype stands for the one of its kind.
func native(v any, datatype string) (rdf.Term, error) {
	var n strictjson.Number
	switch v := v.(type) {
	case bool:
		if datatype == "" {
			datatype = xsdBoolean
		}
		return typed(strconv.FormatBool(v), datatype)
	case strictjson.Number:
		if n = v; !isExact(n) {
			return rdf.Term{}, errDropped("digits that a number of double precision does not have")
		}
	case int:
		n = strictjson.Number(strconv.Itoa(v))
	case int64:
		n = strictjson.Number(strconv.FormatInt(v, 10))
	default:
		return rdf.Term{}, fmt.Errorf("%w: not a value", ErrMalformed)
	}
	if isInteger(string(n)) && datatype != xsdDouble {
		if datatype == "" {
			datatype = xsdInteger
		}
		return typed(string(n), datatype)
	}
	f, err := n.Float64()
	if err != nil {
		return rdf.Term{}, fmt.Errorf("%w: a number", ErrMalformed)
	}
	if f == math.Trunc(f) && math.Abs(f) < 1e21 && datatype != xsdDouble {
		if datatype == "" {
			datatype = xsdInteger
		}
		return typed(strconv.FormatFloat(f, 'f', 0, 64), datatype)
	}
	if datatype == "" {
		datatype = xsdDouble
	}
	lexical := canonicalDouble(f)
	if again, err := strconv.ParseFloat(lexical, 64); err != nil || again != f {
		return rdf.Term{}, errDropped("a number of more than 16 digits loses some")
	}
	return typed(lexical, datatype)
}

// isExact reports whether a number is the one that its canonical form (RFC 8785) says.
// Another has the same statements, and digits that nobody signed.
func isExact(n strictjson.Number) bool {
	if isInteger(string(n)) {
		return true
	}
	var digits [32]byte
	text, err := jcs.Append(digits[:0], n)
	if err != nil {
		return false
	}
	if string(text) == string(n) {
		return true
	}
	said, ok := new(big.Rat).SetString(string(n))
	signed, also := new(big.Rat).SetString(string(text))
	return ok && also && said.Cmp(signed) == 0
}

// isInteger reports whether a number is in the canonical form of xsd:integer and
// too short to be out of range.
func isInteger(s string) bool {
	s = strings.TrimPrefix(s, "-")
	if s == "" || len(s) > 15 || s[0] == '0' && len(s) > 1 {
		return false
	}
	for i := range len(s) {
		if !isDigit(s[i]) {
			return false
		}
	}
	return true
}

// canonicalDouble writes a number as section 8.6 has it: 16 digits at most, one of
// them before the point, at least one after it, and an exponent.
func canonicalDouble(f float64) string {
	mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(f, 'E', 15, 64), "E")
	mantissa = strings.TrimRight(mantissa, "0")
	if mantissa[len(mantissa)-1] == '.' {
		mantissa += "0"
	}
	sign := ""
	if exponent[0] == '-' {
		sign = "-"
	}
	if exponent = strings.TrimLeft(exponent[1:], "0"); exponent == "" {
		exponent = "0"
	}
	return mantissa + "E" + sign + exponent
}

// jsonLiteral is the object of a value of the type @json (section 8.6.1).
func jsonLiteral(v any) (rdf.Term, error) {
	b, err := jcs.Append(nil, v)
	if err != nil {
		return rdf.Term{}, fmt.Errorf("%w: a value of the type @json", ErrMalformed)
	}
	return rdf.Term{Kind: rdf.Literal, Value: string(b), Datatype: rdfJSON}, nil
}

// valueObject reads an object with @value (step 15); outer gives its type a
// meaning.
func (x *converter) valueObject(outer *active, def *term, e members) error {
	var datatype, language, direction string
	var isJSON bool
	var err error
	for i := e.base; i < e.end; i++ {
		n := &x.entries[i]
		switch n.kw {
		case kwValue:
		case kwType:
			if datatype != "" || isJSON {
				return x.inEntry(i, fmt.Errorf("%w: a value has one type", ErrMalformed))
			}
			if datatype, isJSON, err = outer.datatype(n.value); err != nil {
				return x.inEntry(i, err)
			}
		case kwLanguage:
			s, ok := n.value.(string)
			if !ok || !isLanguage(s) {
				return x.inEntry(i, fmt.Errorf("%w: must be a language tag", ErrMalformed))
			}
			language = lower(s)
		case kwDirection:
			if direction, _ = n.value.(string); direction != "ltr" && direction != "rtl" {
				return x.inEntry(i, fmt.Errorf("%w: must be ltr or rtl", ErrMalformed))
			}
		case kwIndex:
			return x.inEntry(i, errDropped("an index has no place in the data"))
		default:
			return x.inEntry(i, fmt.Errorf("%w: beside @value", ErrMalformed))
		}
	}
	if (language != "" || direction != "") && (datatype != "" || isJSON) {
		return fmt.Errorf("%w: a value with both language and type", ErrMalformed)
	}
	i := e.keys[kwValue] - 1
	v := x.entries[i].value
	if v != nil && !isJSON && direction == "" && outer.plain(def, v, datatype, language) {
		return fmt.Errorf("%w: @value, where the value is enough", ErrNotCompacted)
	}
	var t rdf.Term
	switch s, isText := v.(string); {
	case isJSON:
		t, err = jsonLiteral(v)
	case v == nil:
		err = errDropped(null)
	case isText && datatype != "":
		t, err = typed(s, datatype)
	case isText && direction != "":
		t = rdf.Term{Kind: rdf.Literal, Value: s, Datatype: i18nNS + language + "_" + direction}
	case isText:
		t = text(s, language)
	case language != "" || direction != "":
		err = errNotText()
	default:
		t, err = native(v, datatype)
	}
	if err != nil {
		return x.inEntry(i, err)
	}
	x.terms = append(x.terms, t)
	return nil
}

// plain reports whether a value without its @value would mean the same.
func (a *active) plain(def *term, v any, datatype, language string) bool {
	switch v.(type) {
	case string:
	case bool, strictjson.Number, int, int64:
		return language == "" && (datatype == "" || def != nil && def.coerce == toDatatype && def.datatype == datatype)
	default: // no value at all
		return false
	}
	switch datatype {
	case xsdInteger, xsdBoolean, xsdDouble: // JSON has numbers and truth values
		return true
	}
	usual := a.language
	if def != nil && def.hasLanguage {
		usual = def.language
	}
	if def == nil || def.coerce == noCoercion || def.coerce == toNone {
		return datatype == "" && language == usual
	}
	return def.coerce == toDatatype && def.datatype == datatype
}

// datatype expands the type of a value object.
func (a *active) datatype(v any) (iri string, isJSON bool, err error) {
	s, ok := v.(string)
	if !ok {
		return "", false, fmt.Errorf("%w: a type must be a string", ErrMalformed)
	}
	if a.keyword(s) == kwJSON {
		return "", true, nil
	}
	t, err := a.reference(s, true)
	return t.Value, false, err
}

// reference is the node that s names (IRI expansion, section 5.2.2): a type or
// the value of a term of the type @vocab if vocab is set, else an id.
func (a *active) reference(s string, vocab bool) (rdf.Term, error) {
	t := a.terms[s]
	switch {
	case keywordOf(s) != notKeyword || t != nil && t.keyword != notKeyword:
		return rdf.Term{}, fmt.Errorf("%w: a keyword in place of an IRI", ErrMalformed)
	case likeKeyword(s):
		return rdf.Term{}, ErrRelative
	case vocab && t != nil && t.iri == "":
		return rdf.Term{}, ErrUndefinedTerm
	case vocab && t != nil:
		return iriTerm(t.iri), nil
	case isBlank(s):
		return rdf.Term{}, errDropped(blankLabel)
	}
	iri := a.compactIRI(s)
	if schemeEnd(iri) < 0 && vocab {
		if a.vocab == "" {
			return rdf.Term{}, ErrUndefinedTerm
		}
		iri = a.vocab + s
	}
	if !isIRI(iri) {
		return rdf.Term{}, ErrRelative
	}
	return iriTerm(iri), nil
}
