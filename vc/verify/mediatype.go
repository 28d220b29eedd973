package verify

import (
	"bytes"
	"errors"
	"github.com/staffpassport/staffpassport/internal/jws"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/cose"
	"github.com/staffpassport/staffpassport/vc/jose"
	"github.com/staffpassport/staffpassport/vc/sdjwt"
	"slices"
)

// MediaType tells the media type of a credential or presentation by its shape, for
// a caller who has bytes and nothing that says what they are, such as those of a
// file: the type of a JSON document, the typ of a token. It is empty for what cannot
// be told, as for a token without a typ. It verifies nothing and is a convenience:
// bytes that are called what they are not are refused by the [Verifier]. A token ends
// with its last character: cut off the newline that a file often has.
func MediaType(b []byte) string {
	switch {
	case len(b) == 0:
		return ""
	case bytes.HasPrefix(bytes.TrimLeft(b, " \t\r\n"), []byte{'{'}):
		return ofObject(b)
	case b[0] == 0xd2 || b[0] == 0x84: // COSE_Sign1 with its tag (RFC 9052 section 4.2), or an array of four
		return ofMessage(b)
	}
	if token, _, ok := bytes.Cut(b, []byte{'~'}); ok { // RFC 9901 section 4
		return oneOf(typ(jws.ParseCompact(token)), sdMediaTypes()...)
	}
	return oneOf(typ(jws.ParseCompact(b)), jose.MediaTypeCredential, jose.MediaTypePresentation, jose.MediaTypeLegacy)
}

func sdMediaTypes() []string {
	return []string{sdjwt.MediaTypeSDJWTVC, sdjwt.MediaTypeCredential, sdjwt.MediaTypePresentation}
}

// oneOf returns typ if it is among those.
func oneOf(typ string, those ...string) string {
	if slices.Contains(those, typ) {
		return typ
	}
	return ""
}

// ofMessage tells a COSE_Sign1: it can be read as one of two and not as the other.
func ofMessage(b []byte) string {
	of := func(mediaType string) bool {
		_, err := cose.Parse(vc.Secured{MediaType: mediaType, Bytes: b})
		return !errors.Is(err, cose.ErrType) && !errors.Is(err, cose.ErrMalformed)
	}
	switch credential, presentation := of(cose.MediaTypeCredential), of(cose.MediaTypePresentation); {
	case credential && !presentation:
		return cose.MediaTypeCredential
	case presentation && !credential:
		return cose.MediaTypePresentation
	}
	return ""
}

// ofObject tells a JSON document, or a token in a JSON form (RFC 9901 section 8).
func ofObject(b []byte) string {
	o, err := strictjson.ParseObject(b)
	if err != nil {
		return ""
	}
	if payload, token := o.Text("payload"); token {
		if list, ok := o.Get("signatures"); ok {
			signatures, _ := list.([]any)
			if len(signatures) == 0 {
				return ""
			}
			o, _ = signatures[0].(*strictjson.Object)
		}
		protected, _ := o.Text("protected")
		signature, _ := o.Text("signature")
		return oneOf(typ(jws.ParseParts(protected, payload, signature)), sdMediaTypes()...)
	}
	credential := hasType(o, vc.TypeCredential) || hasType(o, "EnvelopedVerifiableCredential")
	presentation := hasType(o, vc.TypePresentation) || hasType(o, "EnvelopedVerifiablePresentation")
	switch {
	case credential && !presentation:
		return vc.MediaTypeCredential
	case presentation && !credential:
		return vc.MediaTypePresentation
	}
	return ""
}

func hasType(o *strictjson.Object, name string) bool {
	v, _ := o.Get("type")
	list, _ := v.([]any)
	return v == name || slices.Contains(list, any(name))
}

// typ is that of a token as a media type.
func typ(m *jws.Message, err error) string {
	if err != nil {
		return ""
	}
	return jws.MediaType(m.Header.Type)
}
