package disclose

import (
	"context"
	"errors"

	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/cose"
	"github.com/staffpassport/staffpassport/vc/jose"
	"github.com/staffpassport/staffpassport/vc/sdjwt"
)

// held is a credential as its holder has it, in one of the formats.
type held interface {
	// document is all that the holder can show, without a proof. It must not be
	// changed.
	document() *strictjson.Object
	// mark finds out which leaves are always shown, given those that are named, and
	// returns those that would be shown although nobody named them.
	mark(leaves []leaf) (more []vc.Pointer, err error)
	// derive shows what reveal names.
	derive(ctx context.Context, r *Request, reveal []vc.Pointer) (vc.Secured, error)
	// read returns the document that a verifier finds in what derive made.
	read(s vc.Secured) (*strictjson.Object, error)
	// bearer reports whether it is shown without a holder.
	bearer() bool
}

var (
	_ held = (*proven)(nil)
	_ held = (*token)(nil)
	_ held = (*whole)(nil)
)

// errUnknown is about the media type.
var errUnknown = errors.New("media type is not known")

// open finds the format of s and takes it apart.
func open(s vc.Secured) (held, error) {
	switch s.MediaType {
	case vc.MediaTypeCredential:
		return openProven(s)
	case sdjwt.MediaTypeSDJWTVC, sdjwt.MediaTypeCredential:
		return openToken(s)
	case jose.MediaTypeCredential, jose.MediaTypeLegacy, cose.MediaTypeCredential:
		doc, err := wholeDocument(s)
		if err != nil {
			return nil, err
		}
		return &whole{s, doc}, nil
	}
	return nil, errUnknown
}
