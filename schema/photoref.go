package schema

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/staffpassport/staffpassport/internal/multiformat"
	"github.com/staffpassport/staffpassport/vc"
)

// A PhotoRef stands in a passport for its photo. The bytes travel beside the
// credential, under the same id, or inside it if the id is a data URL. The digest
// binds them to the credential (Verifiable Credential Data Integrity 1.0 section
// 2.3, Resource Integrity).
type PhotoRef struct {
	// ID is a URL: a data URL with the photo, or a name for its bytes such as
	// the "ni" URL of their hash (RFC 6920 section 3). It is never fetched.
	ID              string `json:"id" title:"Photo reference" rule:"photo-id"`
	MediaType       string `json:"mediaType" title:"Media type" rule:"photo-media-type"`
	DigestMultibase string `json:"digestMultibase" title:"Digest" rule:"photo-digest"`

	// Other holds members that this version does not know, see [Passport].
	Other map[string]json.RawMessage `json:"-"`
}

const dataPrefix = "data:" + mediaTypeJPEG + ";base64,"

// Ref returns the reference for a photo whose bytes travel beside the
// credential. The same bytes always have the same reference.
func (p *Photo) Ref() PhotoRef {
	sum := sha256.Sum256(p.jpeg)
	return PhotoRef{
		ID:              "ni:///sha-256;" + base64.RawURLEncoding.EncodeToString(sum[:]),
		MediaType:       mediaTypeJPEG,
		DigestMultibase: multiformat.EncodeBase64URL(multiformat.SHA256Multihash(sum)),
	}
}

// InlineRef returns the reference that has the photo inside.
func (p *Photo) InlineRef() PhotoRef {
	r := p.Ref()
	r.ID = p.DataURL()
	return r
}

// Inline returns the photo's bytes if the reference has them inside. They are
// not checked; see Matches.
func (r PhotoRef) Inline() ([]byte, bool) {
	text, ok := strings.CutPrefix(r.ID, dataPrefix)
	if !ok || len(text) > base64.StdEncoding.EncodedLen(maxPhoto) {
		return nil, false
	}
	b, err := base64.StdEncoding.Strict().DecodeString(text)
	return b, err == nil
}

// Matches tells whether the bytes are the photo that the issuer attested, and a
// picture that is safe to show: a whole JPEG within the limits of [ParsePhoto],
// with nothing after its end. If not, the error matches ErrPhoto and, with
// errors.As, is a [*ValidationError] that says why. Serve the bytes only as
// image/jpeg, and with nosniff.
func (r PhotoRef) Matches(jpeg []byte) error {
	rule := r.broken(jpeg)
	if rule == "" {
		return nil
	}
	return fmt.Errorf("%w: %w", ErrPhoto, photoError(rule))
}

func (r PhotoRef) broken(jpeg []byte) string {
	if len(jpeg) >= maxPhoto {
		return rulePhotoSize
	}
	if r.MediaType != mediaTypeJPEG {
		return rulePhotoType
	}
	want, ok := digest(r.DigestMultibase)
	if !ok {
		return rulePhotoDigest
	}
	if got := sha256.Sum256(jpeg); subtle.ConstantTimeCompare(got[:], want[:]) != 1 {
		return rulePhotoMismatch
	}
	_, scan, rule := decodePhoto(jpeg)
	if rule == "" && scan.trailing {
		rule = rulePhotoTrailing
	}
	return rule
}

// Format prints no part of the photo, whatever the verb.
func (r PhotoRef) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "reference of a photo") }

// LogValue logs no part of the photo.
func (r PhotoRef) LogValue() slog.Value { return slog.StringValue("reference of a photo") }

// digest reads a multibase multihash of SHA-256 (Controlled Identifiers 1.0
// sections 2.4 and 2.5).
func digest(text string) ([32]byte, bool) {
	hash, err := multiformat.Decode(text, multiformat.MaxKey)
	if err != nil {
		return [32]byte{}, false
	}
	sum, err := multiformat.ParseSHA256Multihash(hash)
	return sum, err == nil
}

func isDigest(text string) bool {
	_, ok := digest(text)
	return ok
}

// isPhotoID refuses data URLs that hold something else than a JPEG in base64.
func isPhotoID(text string) bool {
	if !strings.HasPrefix(text, "data:") {
		return len(text) <= maxText
	}
	_, ok := PhotoRef{ID: text}.Inline()
	return ok
}

// photo checks a photo inside a reference; the bytes beside a credential are
// checked by whoever has them.
func (r *report) photo(at vc.Pointer, ref *PhotoRef) {
	if b, ok := ref.Inline(); ok && !r.broken[at.Child("id")] {
		if rule := ref.broken(b); rule != "" {
			r.add(at.Child("id"), rule)
		}
	}
}
