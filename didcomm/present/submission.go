package present

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/jose"
	"github.com/staffpassport/staffpassport/vc/verify"
)

// submissionContext and submissionType mark a presentation that answers a
// definition (RFC 0510, "presentation attachment format").
const (
	submissionContext = "https://identity.foundation/presentation-exchange/submission/v1"
	submissionType    = "PresentationSubmission"
	submissionMember  = "presentation_submission"
)

// ErrIncomplete says that a presentation does not answer its request.
var ErrIncomplete = errors.New("present: presentation does not answer the request")

// submission is DIF Presentation Exchange 2.1.1, "Presentation Submission".
type submission struct {
	ID         string  `json:"id"`
	Definition string  `json:"definition_id"`
	Map        []entry `json:"descriptor_map"`
}

// An entry says which credential answers which input.
type entry struct {
	ID     string          `json:"id"`
	Format string          `json:"format"`
	Path   string          `json:"path"`
	Nested json.RawMessage `json:"path_nested,omitempty"`
}

// newPresentation returns the presentation, without a proof, that answers inputs. It
// is of data model 1.1 if v1 says so.
func newPresentation(id, definition string, inputs []Input, holder did.DID, shown map[string]Shown, v1 bool) (*vc.Presentation, error) {
	s := submission{ID: id, Definition: definition}
	var list []vc.Secured
	for _, in := range inputs {
		show, ok := shown[in.ID]
		c := show.Credential
		if !ok {
			return nil, fmt.Errorf("%w: no credential for input %q", ErrIncomplete, in.ID)
		}
		i := slices.IndexFunc(list, func(l vc.Secured) bool { return l.MediaType == c.MediaType && string(l.Bytes) == string(c.Bytes) })
		if i < 0 {
			i = len(list)
			list = append(list, c)
		}
		s.Map = append(s.Map, entry{ID: in.ID, Format: formOf(c.MediaType), Path: fmt.Sprintf("$.verifiableCredential[%d]", i)})
	}
	raw, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	p := plainPresentation(holder, v1, list...)
	p.Context = append(p.Context, vc.Context{URL: submissionContext})
	p.Type = append(p.Type, submissionType)
	p.Other = map[string]json.RawMessage{submissionMember: raw}
	return p, nil
}

// plainPresentation returns a presentation of one of the data models.
func plainPresentation(holder did.DID, v1 bool, list ...vc.Secured) *vc.Presentation {
	p := vc.NewPresentation(holder, list...)
	if v1 {
		p.Context = []vc.Context{{URL: vc.ContextV1}}
	}
	return p
}

// ofDataModel1 reports whether all credentials are of data model 1.1, so that the
// presentation around them should be, too.
func ofDataModel1(shown map[string]Shown) bool {
	for _, s := range shown {
		switch s.Credential.MediaType {
		case jose.MediaTypeLegacy:
		case vc.MediaTypeCredential:
			if o, err := strictjson.ParseObject(s.Credential.Bytes); err != nil || !vc.IsV1(o) {
				return false
			}
		default:
			return false
		}
	}
	return len(shown) > 0
}

// readSubmission returns, for each input, the position of the credential that is
// said to answer it (Presentation Exchange 2.1.1, "Processing of Submission
// Entries"). Every input is answered once, and nothing else is.
func readSubmission(presentation []byte, definition string, inputs []Input) ([]int, error) {
	p, err := vc.ParsePresentation(presentation)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrIncomplete, err)
	}
	raw, ok := p.Other[submissionMember]
	if !ok || !slices.Contains(p.Type, submissionType) {
		return nil, fmt.Errorf("%w: no submission", ErrIncomplete)
	}
	var s submission
	if err := unmarshal(raw, &s); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrIncomplete, err)
	}
	if s.Definition != definition || len(s.Map) != len(inputs) {
		return nil, fmt.Errorf("%w: submission for another request", ErrIncomplete)
	}
	at := make([]int, len(inputs))
	for i := range at {
		at[i] = -1
	}
	for _, e := range s.Map {
		i := slices.IndexFunc(inputs, func(in Input) bool { return in.ID == e.ID })
		if i < 0 || at[i] >= 0 {
			return nil, fmt.Errorf("%w: submission entry", ErrIncomplete)
		}
		named, ok := e.credential()
		if !ok {
			return nil, fmt.Errorf("%w: submission entry", ErrIncomplete)
		}
		pos, ok := position(named.Path, len(p.Credentials))
		if !ok {
			return nil, fmt.Errorf("%w: submission entry", ErrIncomplete)
		}
		form := formOf(p.Credentials[pos].MediaType)
		if !named.calls(form) || !inputs[i].Takes(form) {
			return nil, fmt.Errorf("%w: form of a credential", ErrIncomplete)
		}
		at[i] = pos
	}
	return at, nil
}

// calls reports whether the entry gives a credential of the form a name that is its
// own or that agents give it: RFC 0510's example writes ldp_vp for a credential, and
// programs that use aries-framework-go write ldp_vc for a token in a ldp_vp. What the
// form is, the bytes say.
func (e entry) calls(form string) bool {
	return form != "" && (formNamed(e.Format) == form || e.Format == "ldp_vp" || e.Format == FormDataIntegrity && form == FormJWT)
}

// credential returns the entry that names the credential. One that names the
// presentation first and the credential inside (path_nested), as those outside of a
// presentation have to, is read too; aries calls both by the form of the credential.
func (e entry) credential() (entry, bool) {
	if len(e.Nested) == 0 {
		return e, true
	}
	around := slices.Contains([]string{"ldp_vp", "jwt_vp", "jwt_vp_json"}, e.Format) || formNamed(e.Format) != ""
	var inner entry
	if !around || e.Path != "$" || unmarshal(e.Nested, &inner) != nil || inner.ID != "" && inner.ID != e.ID || len(inner.Nested) > 0 {
		return entry{}, false
	}
	if inner.Format == "" {
		inner.Format = e.Format
	}
	return inner, true
}

// position reads the path of a submission entry among n credentials. RFC 0510 writes
// a dot before the bracket; a presentation with one credential may leave the
// position out, and one in a token may name its claim.
func position(path string, n int) (int, bool) {
	p, ok := pointerOf(path)
	if !ok {
		return 0, false
	}
	rest, ok := strings.CutPrefix(strings.TrimPrefix(string(p), "/vp"), "/verifiableCredential")
	if !ok {
		return 0, false
	}
	if rest == "" {
		return 0, n == 1
	}
	index, ok := strings.CutPrefix(rest, "/")
	if !ok || !isIndex(index) || len(index) > 3 {
		return 0, false
	}
	at := 0
	for _, c := range index {
		at = 10*at + int(c-'0')
	}
	return at, at < n
}

// checkAnswer holds verified credentials to what was asked for.
func checkAnswer(inputs []Input, at []int, verified []*verify.Credential) error {
	for i, in := range inputs {
		if at[i] >= len(verified) {
			return fmt.Errorf("%w: input %q", ErrIncomplete, in.ID)
		}
		tree, err := verified[at[i]].Document().Object()
		if err != nil {
			return err
		}
		if err := in.check(tree); err != nil {
			return err
		}
	}
	return nil
}
