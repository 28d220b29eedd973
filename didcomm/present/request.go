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

// A Query is a language in which a verifier asks: the format of an attachment of its
// request.
type Query string

// The languages.
const (
	// Definitions are presentation definitions of DIF Presentation Exchange (RFC 0510).
	Definitions Query = "dif/presentation-exchange/definitions@v1.0"
	// DCQL is the Digital Credentials Query Language of OpenID for Verifiable
	// Presentations 1.0, section 6. That it travels over DIDComm is an extension of
	// this project.
	DCQL Query = "staffpassport/dcql@v1.0"
)

// A Request is what a verifier asks for.
type Request struct {
	Purpose string // why, to the person
	Inputs  []Input
	Expires time.Time // after which no answer is taken; zero means never

	// Proofs says how the presentation may be proven: the types of proofs, such as
	// "DataIntegrityProof" or the name of a suite of package legacy, and [ProofJWT]. Empty means
	// DataIntegrityProof alone. The Check of the [Verifier] must know all of them.
	Proofs []string
	// Queries are the languages to ask in, all at once, the one preferred first.
	// Empty means [Definitions]. DCQL has no word for fields that are Optional and for
	// the Schemas, Name and Purpose of an input, and one form for each input.
	Queries []Query

	// Started hears of the request in the transaction that sends it, so
	// that no record of the caller's can miss it; it must use tx only. An error
	// undoes the request. It may be nil.
	Started func(ctx context.Context, tx didcomm.Tx, x *Exchange) error
}

// An Input asks for one credential: an input descriptor (DIF Presentation
// Exchange 2.1.1, "Input Descriptor") or a Credential Query of DCQL.
type Input struct {
	ID      string `json:"id"` // unique in its request; empty in a new one: chosen
	Name    string `json:"name,omitempty"`
	Purpose string `json:"purpose,omitempty"`

	// Type is the type that the credential must have: its name or, with a number sign
	// before the name, its URL. It may be empty in a request of another agent.
	Type string `json:"type,omitempty"`
	// Schemas are URLs of which the credential must have one: as a context, a
	// credentialSchema or the URL of a type. Version 1 of Presentation Exchange asks for
	// credentials in this way (schema), and so do the agents of its time. A new
	// request needs a Type or Schemas.
	Schemas []string `json:"schemas,omitempty"`
	// Fields are the claims wanted.
	Fields []Field `json:"fields,omitempty"`
	// Formats are the forms of a credential that are taken, such as
	// [FormSDJWTVC]; see [Input.Takes].
	Formats []string `json:"formats,omitempty"`
	// Proofs are the types of proofs that a [FormDataIntegrity] credential may have.
	// Empty means any.
	Proofs []string `json:"proofs,omitempty"`
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
	// OneOf are the values, each a JSON text, number or boolean, of which the claim
	// must have one, and Kind is the JSON Schema type that it must have. Empty means any.
	OneOf []json.RawMessage `json:"oneOf,omitempty"`
	Kind  string            `json:"kind,omitempty"`
}

// Limits of a request; one for a passport with every core skill has about 34 inputs.
const (
	maxInputs = 64
	maxFields = 128
	maxValues = 64 // that a claim may be one of: more are not read to a person
	maxText   = exchange.MaxText
	maxDomain = 4 << 10 // a did:peer in its long form

	// maxQuery is the size of an attachment that asks, in bytes: 64 inputs with some 60
	// fields each, and maxQueryValues the number of the values in it. Its conditions are
	// read several times, while nobody else can write to the store.
	maxQuery       = 256 << 10
	maxQueryValues = 32 << 10
)

var (
	// ErrUnsupported says that a request, or a presentation, is in a format or
	// uses a feature that this package does not know.
	ErrUnsupported = errors.New("present: not supported")
	// ErrMalformed says that a message in a known format breaks a rule of it.
	ErrMalformed = errors.New("present: malformed attachment")
)

// asked is a request as a prover reads it, in whatever language.
type asked struct {
	query             Query
	id                string // of a definition
	purpose           string
	inputs            []Input
	proofs            []string
	challenge, domain string
}

// options are those of RFC 0510, "The options object".
type options struct {
	Challenge string `json:"challenge"`
	Domain    string `json:"domain,omitempty"`
}

// check sees that a presentation can be bound to the request. A request without a
// domain, as Credo sends them, is answered for the peer that asks.
func (o options) check() error {
	if o.Challenge == "" || len(o.Challenge) > maxText || len(o.Domain) > maxDomain {
		return fmt.Errorf("%w: no challenge, or one that is too long", ErrUnsupported)
	}
	return nil
}

// languages returns what a request is asked in.
func (r *Request) languages() []Query {
	if len(r.Queries) == 0 {
		return []Query{Definitions}
	}
	return r.Queries
}

// proofs returns how the presentation may be proven.
func (r *Request) proofs() []string {
	if len(r.Proofs) == 0 {
		return []string{proofDataIntegrity}
	}
	return r.Proofs
}

// checkRequest holds a request of our own to what a prover can read.
func checkRequest(r Request) error {
	languages := r.languages()
	for i, q := range languages {
		if q != Definitions && q != DCQL || slices.Contains(languages[:i], q) {
			return fmt.Errorf("%w: language of a request", ErrUnsupported)
		}
	}
	if slices.Contains(r.Proofs, "") {
		return fmt.Errorf("%w: type of a proof", ErrMalformed)
	}
	if len(r.Inputs) == 0 || len(r.Inputs) > maxInputs {
		return fmt.Errorf("%w: a request asks for 1 to %d credentials", ErrMalformed, maxInputs)
	}
	for i, in := range r.Inputs {
		if slices.ContainsFunc(r.Inputs[:i], func(other Input) bool { return other.ID == in.ID }) {
			return fmt.Errorf("%w: two inputs with one id", ErrMalformed)
		}
		if err := checkInput(in); err != nil {
			return err
		}
	}
	return nil
}

func checkInput(in Input) error {
	if in.ID == "" || in.Type == "" && len(in.Schemas) == 0 || slices.Contains(in.Schemas, "") ||
		len(in.Fields) > maxFields || len(in.Schemas) > maxValues {
		return fmt.Errorf("%w: an input needs a type or schemas, an id and at most %d fields", ErrMalformed, maxFields)
	}
	if slices.ContainsFunc(in.Formats, func(f string) bool { return !slices.Contains(allForms(), f) }) {
		return fmt.Errorf("%w: form of a credential", ErrUnsupported)
	}
	for _, f := range in.Fields {
		if p, ok := pointerOf(pathOf(f.At)); !f.At.Valid() || f.At == "" || !ok || p != f.At {
			return fmt.Errorf("%w: a field needs a pointer", ErrMalformed)
		}
		if f.Kind != "" && !slices.Contains(kinds(), f.Kind) || !scalars(f.OneOf) {
			return fmt.Errorf("%w: value of a field", ErrMalformed)
		}
	}
	return nil
}

// kinds are the types of JSON Schema.
func kinds() []string {
	return []string{"string", "number", "integer", "boolean", "array", "object"}
}

// scalars reports whether values are texts, numbers and booleans, and not too many.
func scalars(values []json.RawMessage) bool {
	return len(values) <= maxValues && !slices.ContainsFunc(values, func(raw json.RawMessage) bool {
		v, err := strictjson.Parse(raw)
		if err != nil || len(raw) > maxText {
			return true
		}
		switch v.(type) {
		case string, bool, strictjson.Number:
			return false
		}
		return true
	})
}
