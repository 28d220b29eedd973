package present

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/internal/exchange"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
)

// A Request is what a verifier asks for.
type Request struct {
	Purpose string // why, to the person
	Inputs  []Input
	Expires time.Time // after which no answer is taken; zero means never

	// Started hears of the new exchange in the transaction that begins it, so
	// that no record of the caller's can miss it; it must use tx only. An error
	// undoes the request. It may be nil.
	Started func(ctx context.Context, tx didcomm.Tx, x *Exchange) error
}

// An Input asks for one credential: an input descriptor (DIF Presentation
// Exchange 2.1.1, "Input Descriptor").
type Input struct {
	ID      string `json:"id"` // unique in its request; empty in a new one: chosen
	Name    string `json:"name,omitempty"`
	Purpose string `json:"purpose,omitempty"`

	// Type is the type that the credential must have. It may be empty in a
	// request of another agent.
	Type string `json:"type,omitempty"`
	// Fields are the claims wanted.
	Fields []Field `json:"fields,omitempty"`
	// Formats are the forms of a credential that are taken, such as
	// [FormSDJWTVC]; see [Input.Takes].
	Formats []string `json:"formats,omitempty"`
	// Only says that no other claim may come along (limit_disclosure required):
	// a credential that cannot be shown in part does not answer such an input.
	Only bool `json:"only,omitempty"`
}

// A Field is one claim that is asked for.
type Field struct {
	At       vc.Pointer `json:"at"` // in the credential, such as "/credentialSubject/dbs"
	Optional bool       `json:"optional,omitempty"`
	// Retain says that the verifier means to keep the claim, and not only to look
	// at it (intent_to_retain): a person should be told.
	Retain bool `json:"retain,omitempty"`
}

// Limits of a request; one for a passport with every core skill has about 34 inputs.
const (
	maxInputs = 64
	maxFields = 128
	maxText   = exchange.MaxText
	maxDomain = 4 << 10 // a did:peer in its long form
)

var (
	// ErrUnsupported says that a request, or a presentation, is in a format or
	// uses a feature that this package does not know.
	ErrUnsupported = errors.New("present: not supported")
	// ErrMalformed says that a message in a known format breaks a rule of it.
	ErrMalformed = errors.New("present: malformed attachment")
)

// proofType is what presentations are proven with.
const proofType = "DataIntegrityProof"

// definitionContent is the attachment of a request (RFC 0510, "request-presentation
// attachment format").
type definitionContent struct {
	Options    options    `json:"options"`
	Definition definition `json:"presentation_definition"`
}

type options struct {
	Challenge string `json:"challenge"`
	Domain    string `json:"domain"`
}

type definition struct {
	ID      string             `json:"id,omitempty"`
	Name    string             `json:"name,omitempty"`
	Purpose string             `json:"purpose,omitempty"`
	Inputs  []descriptor       `json:"input_descriptors"`
	Format  map[string]formats `json:"format,omitempty"`
	Rules   json.RawMessage    `json:"submission_requirements,omitempty"`
}

type descriptor struct {
	ID          string             `json:"id"`
	Name        string             `json:"name,omitempty"`
	Purpose     string             `json:"purpose,omitempty"`
	Group       json.RawMessage    `json:"group,omitempty"`
	Format      map[string]formats `json:"format,omitempty"`
	Constraints constraints        `json:"constraints"`
}

// constraints and field refuse members that are not known here: each is another
// condition, of which the person would not be told.
type constraints struct {
	Limit  string  `json:"limit_disclosure,omitempty"`
	Fields []field `json:"fields,omitempty"`
}

// UnmarshalJSON reads the known members and refuses all others.
func (c *constraints) UnmarshalJSON(data []byte) error {
	type known constraints
	return readOnly(data, (*known)(c), "limit_disclosure", "fields")
}

type field struct {
	Path     []string        `json:"path"`
	ID       string          `json:"id,omitempty"`
	Name     string          `json:"name,omitempty"`
	Purpose  string          `json:"purpose,omitempty"`
	Filter   json.RawMessage `json:"filter,omitempty"`
	Optional bool            `json:"optional,omitempty"`
	Retain   bool            `json:"intent_to_retain,omitempty"`
}

// UnmarshalJSON reads the known members and refuses all others.
func (f *field) UnmarshalJSON(data []byte) error {
	type known field
	return readOnly(data, (*known)(f), "path", "id", "name", "purpose", "filter", "optional", "intent_to_retain")
}

// readOnly reads an object that has no member but those named.
func readOnly(data []byte, v any, names ...string) error {
	o, err := strictjson.ParseObject(data)
	if err != nil {
		return err
	}
	for name := range o.All() {
		if !slices.Contains(names, name) {
			return fmt.Errorf("%w: constraint", ErrUnsupported)
		}
	}
	return strictjson.Unmarshal(data, v)
}

// typeFilter says that a list of types holds one (Presentation Exchange asks for
// types in this way).
type typeFilter struct {
	Type     string       `json:"type,omitempty"`
	Contains *constFilter `json:"contains,omitempty"`
	Const    string       `json:"const,omitempty"`
}

// UnmarshalJSON reads the known members and refuses all others.
func (f *typeFilter) UnmarshalJSON(data []byte) error {
	type known typeFilter
	return readOnly(data, (*known)(f), "type", "contains", "const")
}

type constFilter struct {
	Type  string `json:"type,omitempty"`
	Const string `json:"const"`
}

// UnmarshalJSON reads the known members and refuses all others.
func (f *constFilter) UnmarshalJSON(data []byte) error {
	type known constFilter
	return readOnly(data, (*known)(f), "type", "const")
}

const typePath = "$.type"

// newDefinition writes a request.
func newDefinition(id string, r Request) (*definition, error) {
	d := &definition{ID: id, Purpose: r.Purpose, Format: map[string]formats{"ldp_vp": {ProofType: []string{proofType}}}}
	for _, in := range r.Inputs {
		filter, err := json.Marshal(typeFilter{Type: "array", Contains: &constFilter{Const: in.Type}})
		if err != nil {
			return nil, err
		}
		out := descriptor{ID: in.ID, Name: in.Name, Purpose: in.Purpose, Format: credentialFormats(in.Formats)}
		if in.Only {
			out.Constraints.Limit = "required"
		}
		out.Constraints.Fields = []field{{Path: []string{typePath}, Filter: filter}}
		for _, f := range in.Fields {
			out.Constraints.Fields = append(out.Constraints.Fields, field{Path: []string{pathOf(f.At)}, Optional: f.Optional, Retain: f.Retain})
		}
		d.Inputs = append(d.Inputs, out)
	}
	return d, nil
}

// checkRequest holds a request of our own to what a prover can read.
func checkRequest(r Request) error {
	if len(r.Inputs) == 0 || len(r.Inputs) > maxInputs {
		return fmt.Errorf("%w: a request asks for 1 to %d credentials", ErrMalformed, maxInputs)
	}
	seen := map[string]bool{}
	for _, in := range r.Inputs {
		if in.ID == "" || seen[in.ID] || in.Type == "" || len(in.Fields) > maxFields {
			return fmt.Errorf("%w: an input needs a type, an id of its own and at most %d fields", ErrMalformed, maxFields)
		}
		seen[in.ID] = true
		if slices.ContainsFunc(in.Formats, func(f string) bool { return !slices.Contains(allForms(), f) }) {
			return fmt.Errorf("%w: form of a credential", ErrUnsupported)
		}
		for _, f := range in.Fields {
			if p, ok := pointerOf(pathOf(f.At)); !f.At.Valid() || f.At == "" || !ok || p != f.At {
				return fmt.Errorf("%w: a field needs a pointer", ErrMalformed)
			}
		}
	}
	return nil
}

// readDefinition reads a request of any agent. What it cannot tell the person
// about is [ErrUnsupported].
func readDefinition(c *definitionContent) ([]Input, error) {
	d := c.Definition
	if len(d.Inputs) == 0 {
		return nil, fmt.Errorf("%w: no input descriptor", ErrMalformed)
	}
	if len(d.Inputs) > maxInputs || len(d.Rules) > 0 && string(d.Rules) != "null" {
		return nil, fmt.Errorf("%w: submission requirements", ErrUnsupported)
	}
	if len(d.Format) > 0 && !slices.Contains(d.Format["ldp_vp"].ProofType, proofType) {
		return nil, fmt.Errorf("%w: proof type", ErrUnsupported)
	}
	forms, err := readFormats(d.Format, nil)
	if err != nil {
		return nil, err
	}
	if c.Options.Challenge == "" || c.Options.Domain == "" || len(c.Options.Challenge) > maxText || len(c.Options.Domain) > maxDomain {
		return nil, fmt.Errorf("%w: no challenge or domain", ErrUnsupported)
	}
	var inputs []Input
	for _, in := range d.Inputs {
		if in.ID == "" || slices.ContainsFunc(inputs, func(i Input) bool { return i.ID == in.ID }) {
			return nil, fmt.Errorf("%w: input descriptor without an id of its own", ErrMalformed)
		}
		out, err := readDescriptor(in, forms)
		if err != nil {
			return nil, err
		}
		inputs = append(inputs, out)
	}
	return inputs, nil
}

func readDescriptor(in descriptor, forms []string) (Input, error) {
	out := Input{ID: in.ID, Name: clip(in.Name), Purpose: clip(in.Purpose), Only: in.Constraints.Limit == "required"}
	if len(in.Group) > 0 && string(in.Group) != "null" {
		return Input{}, fmt.Errorf("%w: group", ErrUnsupported)
	}
	var err error
	if out.Formats, err = readFormats(in.Format, forms); err != nil {
		return Input{}, err
	}
	if !slices.Contains([]string{"", "required", "preferred"}, in.Constraints.Limit) {
		return Input{}, fmt.Errorf("%w: limit_disclosure", ErrMalformed)
	}
	if len(in.Constraints.Fields) > maxFields {
		return Input{}, fmt.Errorf("%w: too many fields", ErrUnsupported)
	}
	for _, f := range in.Constraints.Fields {
		if slices.Contains(f.Path, typePath) {
			typ, ok := readTypeFilter(f.Filter)
			if !ok || out.Type != "" && out.Type != typ {
				return Input{}, fmt.Errorf("%w: filter on the type", ErrUnsupported)
			}
			out.Type = typ
			continue
		}
		if len(f.Filter) > 0 && string(f.Filter) != "null" {
			return Input{}, fmt.Errorf("%w: filter on a claim", ErrUnsupported)
		}
		at, ok := firstPointer(f.Path)
		if !ok {
			return Input{}, fmt.Errorf("%w: path of a field", ErrUnsupported)
		}
		out.Fields = append(out.Fields, Field{At: at, Optional: f.Optional, Retain: f.Retain})
	}
	return out, nil
}

// firstPointer returns the first of several alternative paths that names a place
// in a credential.
func firstPointer(paths []string) (vc.Pointer, bool) {
	for _, path := range paths {
		if p, ok := pointerOf(path); ok && p != "" {
			return p, true
		}
	}
	return "", false
}

func readTypeFilter(filter json.RawMessage) (string, bool) {
	var f typeFilter
	if len(filter) == 0 || unmarshal(filter, &f) != nil {
		return "", false
	}
	if f.Contains != nil {
		return f.Contains.Const, f.Contains.Const != "" && f.Const == ""
	}
	return f.Const, f.Const != ""
}
