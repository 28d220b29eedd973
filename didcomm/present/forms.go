package present

import (
	"fmt"
	"slices"

	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/jose"
	"github.com/staffpassport/staffpassport/vc/sdjwt"
)

// The forms of a credential that can be asked for, by their names in a definition
// (DIF Presentation Exchange 2.1.1, "Claim Format Designations"; the second is that
// of OpenID for Verifiable Presentations 1.0, appendix B.3).
const (
	FormDataIntegrity = "ldp_vc"    // application/vc
	FormSDJWTVC       = "dc+sd-jwt" // application/dc+sd-jwt
	FormJWT           = "jwt_vc"    // application/vc+jwt, and application/jwt of data model 1.1
)

// ProofJWT stands among types of proofs for a presentation that is a JSON Web Token:
// application/vp+jwt or, of data model 1.1, application/jwt.
const ProofJWT = "jwt_vp"

// proofDataIntegrity is what presentations are proven with among ourselves. It is not
// on the list of RFC 0510: an extension of this project.
const proofDataIntegrity = "DataIntegrityProof"

// allForms are the forms that this package knows, those it prefers first.
func allForms() []string { return []string{FormDataIntegrity, FormSDJWTVC, FormJWT} }

// formOf returns the name of the form with a media type, or "".
func formOf(mediaType string) string {
	switch mediaType {
	case vc.MediaTypeCredential:
		return FormDataIntegrity
	case sdjwt.MediaTypeSDJWTVC:
		return FormSDJWTVC
	case jose.MediaTypeCredential, jose.MediaTypeLegacy:
		return FormJWT
	}
	return ""
}

// formNamed returns the form that other agents have another name for, too.
func formNamed(name string) string {
	switch name {
	case "vc+sd-jwt": // as drafts of SD-JWT VC called it
		return FormSDJWTVC
	case "jwt_vc_json":
		return FormJWT
	case FormDataIntegrity, FormSDJWTVC, FormJWT:
		return name
	}
	return ""
}

// formats is what a definition says about one form.
type formats struct {
	ProofType []string `json:"proof_type,omitempty"`
	Alg       []string `json:"alg,omitempty"`
	SDJWT     []string `json:"sd-jwt_alg_values,omitempty"`
	KB        []string `json:"kb-jwt_alg_values,omitempty"`
}

// algorithms are those that a verifier takes in tokens.
func algorithms() []string { return []string{"ES256", "ES384", "EdDSA"} }

// presentationFormats writes how the presentation may be proven.
func presentationFormats(proofs []string) map[string]formats {
	out := map[string]formats{}
	for _, p := range proofs {
		if p == ProofJWT {
			out["jwt_vp"] = formats{Alg: algorithms()}
			continue
		}
		embedded := out["ldp_vp"]
		embedded.ProofType = append(embedded.ProofType, p)
		out["ldp_vp"] = embedded
	}
	return out
}

// readPresentationFormats returns how the presentation may be proven. Nil means with
// any proof in it, which is also how a definition that speaks of credentials alone is
// read, as RFC 0510's own second example does.
func readPresentationFormats(said map[string]formats) ([]string, error) {
	var out []string
	silent := true
	for name, f := range said {
		switch {
		case name == "ldp_vp":
			out = append(out, f.ProofType...)
		case name == "jwt_vp" || name == "jwt_vp_json":
			if f.knowsAlg() {
				out = append(out, ProofJWT)
			}
		case formNamed(name) != "":
			continue
		}
		silent = false
	}
	if silent {
		return nil, nil
	}
	if len(out) == 0 || len(out) > maxValues {
		return nil, fmt.Errorf("%w: proof type", ErrUnsupported)
	}
	slices.Sort(out) // a map has no order
	return slices.Compact(out), nil
}

// knowsAlg reports whether one of the algorithms that are taken is known.
func (f formats) knowsAlg() bool {
	return len(f.Alg) == 0 || slices.ContainsFunc(f.Alg, func(a string) bool { return slices.Contains(algorithms(), a) })
}

// takenBy reports whether a presentation that was proven in one of these ways may be
// given to somebody who takes others.
func takenBy(taken []string, proof string) bool {
	if len(taken) == 0 {
		return proof != ProofJWT // RFC 0510, "Constraints"
	}
	return slices.Contains(taken, proof)
}

// credentialFormats writes which forms are taken, and with which proofs.
func credentialFormats(forms, proofs []string) map[string]formats {
	if len(forms) == 0 && len(proofs) > 0 {
		forms = allForms()
	}
	var out map[string]formats
	for _, f := range forms {
		if out == nil {
			out = map[string]formats{}
		}
		switch f {
		case FormDataIntegrity:
			out[f] = formats{ProofType: proofs}
		case FormSDJWTVC:
			out[f] = formats{SDJWT: algorithms(), KB: algorithms()}
		case FormJWT:
			out[f] = formats{Alg: algorithms()}
		}
	}
	return out
}

// taking is what is taken: forms of credentials, and types of proofs in those that
// have them inside. Nil means any.
type taking struct{ forms, proofs []string }

// readCredentialFormats returns what a definition, or one input of it, takes, or what
// the definition around takes if it says nothing about credentials.
func readCredentialFormats(said map[string]formats, around taking) (taking, error) {
	out := taking{proofs: around.proofs}
	silent := true
	for name := range said {
		silent = silent && (name == "ldp_vp" || name == "jwt_vp" || name == "jwt_vp_json")
	}
	if silent {
		return around, nil
	}
	for _, form := range allForms() {
		for name, f := range said {
			if formNamed(name) != form || slices.Contains(out.forms, form) ||
				around.forms != nil && !slices.Contains(around.forms, form) {
				continue
			}
			switch form {
			case FormDataIntegrity:
				if len(f.ProofType) > maxValues {
					continue
				}
				if out.proofs = f.ProofType; around.proofs != nil {
					out.proofs = slices.DeleteFunc(slices.Clone(f.ProofType), func(p string) bool { return !slices.Contains(around.proofs, p) })
				}
				if len(out.proofs) == 0 && (len(f.ProofType) > 0 || around.proofs != nil) {
					continue
				}
			case FormJWT:
				if !f.knowsAlg() {
					continue
				}
			}
			out.forms = append(out.forms, form)
		}
	}
	if len(out.forms) == 0 {
		return taking{}, fmt.Errorf("%w: form of a credential", ErrUnsupported)
	}
	if !slices.Contains(out.forms, FormDataIntegrity) {
		out.proofs = nil
	}
	return out, nil
}

// Takes reports whether the input takes a credential in a form, such as
// [FormSDJWTVC]. One that names none takes all that this package knows.
func (in Input) Takes(form string) bool {
	return slices.Contains(allForms(), form) && (len(in.Formats) == 0 || slices.Contains(in.Formats, form))
}
