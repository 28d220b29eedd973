package sdjwt

import (
	"fmt"
	"strings"

	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
)

// JSON returns a token in the flattened JSON serialisation (RFC 9901 section 8), for
// readers that want that one. What is signed stays as it is, and so do the
// disclosures, the key binding JWT and the media type: [Parse] reads both forms, and
// [Present] makes the compact form of either. Header parameters that nothing protects
// are left out. It checks no more than that there is one JWT of the right form, and
// refuses with [ErrSyntax], or [ErrType] for another media type.
func JSON(s vc.Secured) (vc.Secured, error) {
	switch s.MediaType {
	case MediaTypeSDJWTVC, MediaTypeCredential, MediaTypePresentation:
	default:
		return vc.Secured{}, ErrType
	}
	w, err := split(s.Bytes)
	if err != nil {
		return vc.Secured{}, err
	}
	if len(w.signatures) != 1 {
		return vc.Secured{}, fmt.Errorf("%w: more than one signature", ErrSyntax)
	}
	disclosures := make([]any, len(w.disclosures))
	for i := range disclosures {
		disclosures[i] = w.disclosures[i]
	}
	header := strictjson.NewObject(strictjson.Member{Name: "disclosures", Value: disclosures})
	if w.keyBinding != "" {
		header.Set("kb_jwt", w.keyBinding)
	}
	protected, rest, _ := strings.Cut(w.jwt, ".")
	payload, signature, _ := strings.Cut(rest, ".")
	b, err := strictjson.Append(make([]byte, 0, len(s.Bytes)+3*len(disclosures)+128), strictjson.NewObject(
		strictjson.Member{Name: "payload", Value: payload},
		strictjson.Member{Name: "protected", Value: protected},
		strictjson.Member{Name: "signature", Value: signature},
		strictjson.Member{Name: "header", Value: header},
	))
	if err != nil { // a disclosure that is not text
		return vc.Secured{}, fmt.Errorf("%w: a disclosure is not text", ErrSyntax)
	}
	if len(b) > maxToken {
		return vc.Secured{}, tooLarge()
	}
	return vc.Secured{MediaType: s.MediaType, Bytes: b}, nil
}
