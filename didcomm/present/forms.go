package present

import (
	"fmt"
	"slices"

	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/sdjwt"
)

// The forms of a credential that can be asked for, by their names in a definition
// (DIF Presentation Exchange 2.1.1, "Claim Format Designations"; the second is that
// of OpenID for Verifiable Presentations 1.0, appendix B.3).
const (
	FormDataIntegrity = "ldp_vc"    // application/vc
	FormSDJWTVC       = "dc+sd-jwt" // application/dc+sd-jwt
)

// allForms are the forms that this package knows, those it prefers first.
func allForms() []string { return []string{FormDataIntegrity, FormSDJWTVC} }

// formatOf returns the name of the form with a media type, or "".
func formatOf(mediaType string) string {
	switch mediaType {
	case vc.MediaTypeCredential:
		return FormDataIntegrity
	case sdjwt.MediaTypeSDJWTVC:
		return FormSDJWTVC
	}
	return ""
}

// formats is what a definition says about one form.
type formats struct {
	ProofType []string `json:"proof_type,omitempty"`
	SDJWT     []string `json:"sd-jwt_alg_values,omitempty"`
	KB        []string `json:"kb-jwt_alg_values,omitempty"`
}

// algorithms are those that a verifier takes in an SD-JWT and its key binding.
func algorithms() []string { return []string{"ES256", "ES384", "EdDSA"} }

// credentialFormats writes which forms are taken.
func credentialFormats(forms []string) map[string]formats {
	var out map[string]formats
	for _, f := range forms {
		if out == nil {
			out = map[string]formats{}
		}
		switch f {
		case FormDataIntegrity:
			out[f] = formats{ProofType: []string{proofType}}
		case FormSDJWTVC:
			out[f] = formats{SDJWT: algorithms(), KB: algorithms()}
		}
	}
	return out
}

// readFormats returns the forms of a credential that a definition, or one input of
// it, takes, or those of the definition around if it says nothing about credentials.
func readFormats(said map[string]formats, around []string) ([]string, error) {
	silent := true
	for name := range said {
		silent = silent && name == "ldp_vp"
	}
	if silent {
		return around, nil
	}
	var out []string
	for _, f := range allForms() {
		s, listed := said[f]
		if listed && (f != FormDataIntegrity || slices.Contains(s.ProofType, proofType)) &&
			(around == nil || slices.Contains(around, f)) {
			out = append(out, f)
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%w: form of a credential", ErrUnsupported)
	}
	return out, nil
}

// Takes reports whether the input takes a credential in a form, such as
// [FormSDJWTVC]. One that names none takes all that this package knows.
func (in Input) Takes(form string) bool {
	return slices.Contains(allForms(), form) && (len(in.Formats) == 0 || slices.Contains(in.Formats, form))
}
