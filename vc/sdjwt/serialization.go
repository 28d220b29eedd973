package sdjwt

import (
	"fmt"
	"strings"

	"github.com/staffpassport/staffpassport/internal/errtext"
	"github.com/staffpassport/staffpassport/internal/jws"
	"github.com/staffpassport/staffpassport/internal/strictjson"
)

// Limits of one token.
const (
	// maxToken is a document of 1 MiB in base64url with signatures and keys.
	maxToken = 3 << 19
	// maxDisclosures is many times the claims of a passport.
	maxDisclosures = 512
	// maxKeyBinding is ample: a key binding JWT has four short claims.
	maxKeyBinding = 16 << 10
	// maxSignatures bounds the general JSON form. Nobody needs more than two.
	maxSignatures = 8
)

// tooLarge says that a token is beyond a limit of bytes or of disclosures.
func tooLarge() error { return fmt.Errorf("%w: %w", ErrSyntax, errtext.Below(strictjson.ErrTooLarge)) }

// A wire is the parts of a token (RFC 9901 sections 4 and 8), each still encoded.
type wire struct {
	signatures  []*jws.Message // one, but for the general JSON form
	jwt         string         // the first of them in compact form
	disclosures []string
	keyBinding  string // empty if there is none
	json        bool   // it came in one of the JSON forms
}

// presented returns what a key binding JWT is made for, of the token b that w was
// taken from (section 4.3.1).
func (w *wire) presented(b []byte) []byte {
	if w.json {
		return combine(w.jwt, w.disclosures, 0)
	}
	return b[:len(b)-len(w.keyBinding)]
}

// split takes a token apart.
func split(b []byte) (*wire, error) {
	if len(b) > maxToken {
		return nil, tooLarge()
	}
	if len(b) > 0 && b[0] == '{' {
		return splitJSON(b)
	}
	text := string(b)
	jwt, rest, ok := strings.Cut(text, "~")
	if !ok {
		return nil, fmt.Errorf("%w: no tilde", ErrSyntax)
	}
	n := strings.Count(rest, "~")
	if n > maxDisclosures {
		return nil, tooLarge()
	}
	w := &wire{jwt: jwt, disclosures: make([]string, n)}
	for i := range w.disclosures {
		w.disclosures[i], rest, _ = strings.Cut(rest, "~")
	}
	w.keyBinding = rest
	return w, w.sign(jws.ParseCompact(b[:len(jwt)]))
}

// sign adds a signature that was read, or words the error.
func (w *wire) sign(m *jws.Message, err error) error {
	if err != nil {
		return fmt.Errorf("%w: %w", ErrSyntax, errtext.Below(err))
	}
	w.signatures = append(w.signatures, m)
	return nil
}

// splitJSON reads the flattened form (RFC 9901 section 8.2) and the general one
// (section 8.3).
//
//	{"payload", "protected", "signature", "header": {"disclosures", "kb_jwt"}}
//	{"payload", "signatures": [{"protected", "signature", "header"}, ...]}
func splitJSON(b []byte) (*wire, error) {
	o, err := strictjson.Parser{MaxBytes: maxToken, MaxDepth: 16, MaxValues: 4 * maxDisclosures}.ParseObject(b)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSyntax, errtext.Below(err))
	}
	payload, ok := o.Text("payload")
	if !ok {
		return nil, fmt.Errorf("%w: no payload", ErrSyntax)
	}
	signatures := []any{o}
	if v, general := o.Get("signatures"); general {
		for _, name := range []string{"protected", "header", "signature"} {
			if _, both := o.Get(name); both {
				return nil, fmt.Errorf("%w: both JSON forms", ErrSyntax)
			}
		}
		if signatures, ok = v.([]any); !ok || len(signatures) == 0 || len(signatures) > maxSignatures {
			return nil, fmt.Errorf("%w: signatures", ErrSyntax)
		}
	}
	w := &wire{json: true}
	for i, v := range signatures {
		s, _ := v.(*strictjson.Object)
		protected, _ := s.Text("protected")
		signature, _ := s.Text("signature")
		if err := w.sign(jws.ParseParts(protected, payload, signature)); err != nil {
			return nil, err
		}
		v, present := s.Get("header")
		header, ok := v.(*strictjson.Object)
		if present && !ok {
			return nil, fmt.Errorf("%w: header", ErrSyntax)
		}
		if err := w.unprotected(i, header); err != nil {
			return nil, err
		}
		if i == 0 {
			w.jwt = protected + "." + payload + "." + signature
		}
	}
	return w, nil
}

// unprotected reads the header parameters that no signature covers (section 8.1)
// of the signature number i.
func (w *wire) unprotected(i int, header *strictjson.Object) error {
	for name, v := range header.All() {
		if _, both := w.signatures[i].Header.Tree.Get(name); both {
			return fmt.Errorf("%w: a header parameter comes twice", ErrSyntax)
		}
		switch name {
		case "alg", "typ", "cty", "crit", "b64":
			return fmt.Errorf("%w: header parameter %s without protection", ErrSyntax, name)
		case "disclosures":
			list, ok := v.([]any)
			if !ok || i > 0 || len(list) > maxDisclosures {
				return fmt.Errorf("%w: disclosures", ErrSyntax)
			}
			w.disclosures = make([]string, len(list))
			for j := range list {
				if w.disclosures[j], ok = list[j].(string); !ok {
					return fmt.Errorf("%w: disclosures", ErrSyntax)
				}
			}
		case "kb_jwt":
			var ok bool
			if w.keyBinding, ok = v.(string); !ok || i > 0 || w.keyBinding == "" {
				return fmt.Errorf("%w: kb_jwt", ErrSyntax)
			}
		}
	}
	return nil
}

// combine returns the SD-JWT without key binding in compact form, whose hash the
// key binding JWT has (RFC 9901 section 4.3.1), with room for more bytes behind it.
func combine(jwt string, disclosures []string, room int) []byte {
	n := len(jwt) + 1 + room
	for _, d := range disclosures {
		n += len(d) + 1
	}
	b := append(make([]byte, 0, n), jwt...)
	b = append(b, '~')
	for _, d := range disclosures {
		b = append(append(b, d...), '~')
	}
	return b
}
