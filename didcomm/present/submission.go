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

// newPresentation returns the presentation, without a proof, that answers inputs.
func newPresentation(id, definition string, inputs []Input, holder did.DID, shown map[string]Shown) (*vc.Presentation, error) {
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
		format := formatOf(c.MediaType)
		if !in.Takes(format) {
			return nil, fmt.Errorf("%w: input %q takes other forms of a credential", ErrUnsupported, in.ID)
		}
		s.Map = append(s.Map, entry{ID: in.ID, Format: format, Path: fmt.Sprintf("$.verifiableCredential[%d]", i)})
	}
	if len(shown) > len(inputs) {
		return nil, fmt.Errorf("%w: a credential that no input asks for", ErrIncomplete)
	}
	raw, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	p := vc.NewPresentation(holder, list...)
	p.Context = vc.Contexts(submissionContext)
	p.Type = append(p.Type, submissionType)
	p.Other = map[string]json.RawMessage{submissionMember: raw}
	return p, nil
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
		pos, ok := position(e.Path, len(p.Credentials))
		if !ok || len(e.Nested) > 0 {
			return nil, fmt.Errorf("%w: submission entry", ErrIncomplete)
		}
		// RFC 0510's own example writes ldp_vp here, for a credential.
		if format := formatOf(p.Credentials[pos].MediaType); e.Format != format && e.Format != "ldp_vp" ||
			!inputs[i].Takes(format) {
			return nil, fmt.Errorf("%w: form of a credential", ErrIncomplete)
		}
		at[i] = pos
	}
	return at, nil
}

// position reads the path of a submission entry among n credentials. RFC 0510 writes
// a dot before the bracket; a presentation with one credential may leave the
// position out.
func position(path string, n int) (int, bool) {
	p, ok := pointerOf(path)
	if !ok {
		return 0, false
	}
	rest, ok := strings.CutPrefix(string(p), "/verifiableCredential")
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

// checkAnswer holds verified credentials to what was asked for: the right type,
// and every claim that is not optional.
func checkAnswer(inputs []Input, at []int, verified []*verify.Credential) error {
	for i, in := range inputs {
		if at[i] >= len(verified) {
			return fmt.Errorf("%w: input %q", ErrIncomplete, in.ID)
		}
		doc := verified[at[i]].Document()
		if in.Type != "" && !slices.Contains(doc.Type, in.Type) {
			return fmt.Errorf("%w: input %q is of another type", ErrIncomplete, in.ID)
		}
		tree, err := doc.Object()
		if err != nil {
			return err
		}
		for _, f := range in.Fields {
			if v, there := f.At.Lookup(tree); (!there || empty(v)) && !f.Optional {
				return fmt.Errorf("%w: input %q lacks %s", ErrIncomplete, in.ID, f.At)
			}
		}
	}
	return nil
}

// empty reports a value that says nothing, and so answers nothing.
func empty(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case []any:
		return len(v) == 0
	case *strictjson.Object:
		return v.Len() == 0
	}
	return false
}
