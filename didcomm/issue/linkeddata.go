package issue

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/internal/exchange"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/jose"
	"github.com/staffpassport/staffpassport/vc/verify"
)

// Options say how the proof of a credential in the format of RFC 0593 is made
// ("ld-proof-vc-detail attachment format"). They are the issuer's wish in an offer and
// the holder's in a proposal or a request.
type Options struct {
	ProofType    string `json:"proofType"`              // such as "Ed25519Signature2018"; required
	ProofPurpose string `json:"proofPurpose,omitempty"` // empty: assertionMethod
	Cryptosuite  string `json:"cryptosuite,omitempty"`  // of a DataIntegrityProof; some agents say it
	Created      string `json:"created,omitempty"`      // of the proof, to the second
	Domain       string `json:"domain,omitempty"`
	Challenge    string `json:"challenge,omitempty"`
	// Status is the kind of credential status that the credential will have; none if it
	// will have none.
	Status struct {
		Type string `json:"type"`
	} `json:"credentialStatus,omitzero"`
}

// String shows nothing of the options, of which one is a nonce.
func (o Options) String() string { return "issue.Options" }

// Format shows what String shows, under every verb.
func (o Options) Format(f fmt.State, _ rune) { exchange.Print(f, o.String()) }

// LogValue is the same as String.
func (o Options) LogValue() slog.Value { return slog.StringValue(o.String()) }

// detail is the attachment of a proposal, an offer or a request (RFC 0593). What the
// options say beyond [Options] is sent back as it came.
type detail struct {
	Credential json.RawMessage `json:"credential"`
	Options    json.RawMessage `json:"options"`
}

// The proofs that are offered where an [Offer] does not say which.
const (
	proofOfV1 = "Ed25519Signature2018" // the one that every agent of RFC 0593 must know
	proofOfV2 = "DataIntegrityProof"
)

// optionsFor completes the options of an offer or a proposal of a credential.
func optionsFor(o Options, doc *strictjson.Object) Options {
	if o.ProofType == "" {
		o.ProofType = proofOfV2
		if vc.IsV1(doc) {
			o.ProofType = proofOfV1
		}
	}
	if o.ProofPurpose == "" {
		o.ProofPurpose = string(did.AssertionMethod)
	}
	return o
}

// maxOption bounds each of the options, of which none is longer than a URL.
const maxOption = 512

// readOptions reads the options of a detail.
func readOptions(raw json.RawMessage) (o Options, err error) {
	if len(raw) == 0 {
		return o, fmt.Errorf("%w: no options", ErrMalformed)
	}
	if err := strictjson.Unmarshal(raw, &o); err != nil {
		return o, fmt.Errorf("%w: options: %v", ErrMalformed, err)
	}
	for _, s := range []string{o.ProofType, o.ProofPurpose, o.Cryptosuite, o.Created, o.Domain, o.Challenge, o.Status.Type} {
		if len(s) > maxOption {
			return o, fmt.Errorf("%w: an option of more than %d bytes", ErrMalformed, maxOption)
		}
	}
	if o.ProofType == "" {
		return o, fmt.Errorf("%w: options without a proofType", ErrMalformed)
	}
	return o, nil
}

// readDetail reads and checks the attachment in the format of RFC 0593.
func (c content) readDetail() (*detail, Options, error) {
	var d detail
	if err := c.read(formatDetail, &d); err != nil {
		return nil, Options{}, err
	}
	o, err := readOptions(d.Options)
	if err != nil {
		return nil, o, err
	}
	return &d, o, checkDetail(d.Credential)
}

// checkDetail holds the credential of a detail to the data model, of which every
// required member must be there; but for the status, of which the options speak.
func checkDetail(credential []byte) error {
	o, err := strictjson.ParseObject(credential)
	if err != nil {
		return fmt.Errorf("%w: credential: %v", ErrMalformed, err)
	}
	if _, signed := o.Get("proof"); signed {
		return fmt.Errorf("%w: credential with a proof", ErrMalformed)
	}
	o.Delete("credentialStatus")
	if _, err := vc.ParseObject(o); err != nil {
		return fmt.Errorf("%w: credential: %v", ErrMalformed, err)
	}
	return nil
}

// newDetail returns the attachment for a credential, as JSON: aries-framework-go reads
// only one of the spellings of base64 that RFC 0017 allows, and Credo reads both.
func newDetail(id string, credential json.RawMessage, options any) (didcomm.Attachment, error) {
	raw, err := json.Marshal(options)
	if err != nil {
		return didcomm.Attachment{}, err
	}
	a, err := didcomm.NewJSONAttachment(id, detail{credential, raw})
	a.FormatID = formatDetail
	return a, err
}

// withoutStatus returns a credential as a detail has it, and the type of its status.
func withoutStatus(doc []byte) (out []byte, status string, err error) {
	o, err := strictjson.ParseObject(doc)
	if err != nil {
		return nil, "", fmt.Errorf("%w: credential", ErrMalformed)
	}
	v, found := o.Get("credentialStatus")
	if !found {
		return doc, "", nil
	}
	if e, ok := entries(v)[0].(*strictjson.Object); ok {
		status, _ = e.Text("type")
	}
	o.Delete("credentialStatus")
	out, err = strictjson.Append(nil, o)
	return out, status, err
}

// withSubject returns a credential whose one subject has an id.
func withSubject(doc []byte, holder did.DID) (json.RawMessage, error) {
	o, err := strictjson.ParseObject(doc)
	if err != nil {
		return nil, fmt.Errorf("%w: credential", ErrMalformed)
	}
	subject, _ := o.Get("credentialSubject")
	s, ok := subject.(*strictjson.Object)
	if !ok {
		return nil, fmt.Errorf("%w: a credential with several subjects cannot be bound", ErrMalformed)
	}
	if id, _ := s.Text("id"); id == holder.String() {
		return doc, nil
	}
	s.Set("id", holder.String())
	return strictjson.Append(nil, o)
}

// sameRequest sees that a request asks for what was offered: the same credential, whose
// subject it may name if the offer did not. The holder may add to the options a domain
// and a challenge of its own.
func sameRequest(offered []byte, want Options, asked []byte, got Options) (holder string, err error) {
	w, err := strictjson.ParseObject(offered)
	if err != nil {
		return "", fmt.Errorf("%w: credential", ErrMalformed)
	}
	g, err := strictjson.ParseObject(asked)
	if err != nil {
		return "", fmt.Errorf("%w: credential", ErrMalformed)
	}
	// The detail has no status; an agent may well ask for what it does not have.
	w.Delete("credentialStatus")
	g.Delete("credentialStatus")
	holder, _ = subjectID(asked)
	if s, ok := subjectOf(w); ok && holder != "" {
		if id, _ := s.Text("id"); id == "" {
			s.Set("id", holder)
		}
	}
	if !equal(w, g) {
		return "", fmt.Errorf("%w: request for another credential", ErrDifferent)
	}
	if got.ProofType != want.ProofType || got.Cryptosuite != want.Cryptosuite || purpose(got) != purpose(want) {
		return "", fmt.Errorf("%w: request for another proof", ErrDifferent)
	}
	return holder, nil
}

func subjectOf(o *strictjson.Object) (*strictjson.Object, bool) {
	v, _ := o.Get("credentialSubject")
	s, ok := v.(*strictjson.Object)
	return s, ok
}

func purpose(o Options) string {
	if o.ProofPurpose == "" {
		return string(did.AssertionMethod)
	}
	return o.ProofPurpose
}

// linkedForms are the media types of a credential in this format: with embedded proofs,
// and as the JSON Web Tokens that agents put into it all the same.
func linkedForms() []string {
	return []string{vc.MediaTypeCredential, jose.MediaTypeLegacy, jose.MediaTypeCredential}
}

// wrapLinked returns the attachment of an issued credential (RFC 0593, "ld-proof-vc
// attachment format"): a document as JSON, a token in the base64 that all agents read.
func wrapLinked(id string, s vc.Secured) didcomm.Attachment {
	a := didcomm.Attachment{ID: id, MediaType: "application/json", FormatID: FormatLinkedData}
	if s.MediaType == vc.MediaTypeCredential {
		a.Data.JSON = s.Bytes
	} else {
		a.Data.Base64 = base64.StdEncoding.EncodeToString(s.Bytes)
	}
	return a
}

// unwrapLinked returns the credential that a message carries in this format. The
// protocol does not say which form it has; a wallet keeps the document, or a token if it
// takes such.
func unwrapLinked(c content, forms []string) (vc.Secured, error) {
	a, err := c.find(FormatLinkedData)
	if err != nil {
		return vc.Secured{}, err
	}
	b, err := a.Content()
	if err != nil {
		return vc.Secured{}, err
	}
	if a.Data.Base64 == "" || len(b) > 0 && b[0] == '{' {
		o, err := strictjson.ParseObject(b)
		if err != nil {
			return vc.Secured{}, fmt.Errorf("%w: credential: %v", ErrMalformed, err)
		}
		if _, enveloped, broken := vc.UnwrapObject(o); enveloped || broken != nil {
			return vc.Secured{}, fmt.Errorf("%w: enveloped credential", ErrMalformed)
		}
		return vc.Secured{MediaType: vc.MediaTypeCredential, Bytes: b}, nil
	}
	s := vc.Secured{MediaType: verify.MediaType(b), Bytes: b}
	if s.MediaType == "" { // data model 1.1 lets a token not say what it is
		s.MediaType = jose.MediaTypeLegacy
	}
	if s.MediaType == vc.MediaTypeCredential || !slices.Contains(linkedForms(), s.MediaType) || !slices.Contains(forms, s.MediaType) {
		return vc.Secured{}, fmt.Errorf("%w: credential in a form that was not asked for", ErrMalformed)
	}
	return s, nil
}

// sameProof sees that an embedded proof is of the kind agreed upon. That it is genuine
// is for the holder's Check.
func sameProof(s vc.Secured, want Options) error {
	if s.MediaType != vc.MediaTypeCredential {
		return nil
	}
	o, err := strictjson.ParseObject(s.Bytes)
	if err != nil {
		return fmt.Errorf("%w: credential", ErrMalformed)
	}
	v, _ := o.Get("proof")
	for _, v := range entries(v) {
		p, ok := v.(*strictjson.Object)
		if !ok {
			continue
		}
		fits := true
		for name, text := range map[string]string{
			"type": want.ProofType, "proofPurpose": purpose(want), "cryptosuite": want.Cryptosuite,
			"domain": want.Domain, "challenge": want.Challenge,
		} {
			got, _ := p.Text(name)
			fits = fits && (text == "" || got == text)
		}
		if fits {
			return nil
		}
	}
	return fmt.Errorf("%w: proof of another kind", ErrDifferent)
}
