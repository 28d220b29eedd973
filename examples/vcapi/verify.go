package main

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
	"github.com/staffpassport/staffpassport/vc/sdjwt"
	"github.com/staffpassport/staffpassport/vc/verify"
)

// ever is longer than any presentation was made ago: what bounds the age of one is the
// clock that the server was started with.
const ever = 100 * 365 * 24 * time.Hour

// verifier returns the verifier with the policies that the package comment names.
func (s *server) verifier(contexts *vc.ContextSet) *verify.Verifier {
	return &verify.Verifier{
		Resolver: s.resolver, Trust: verify.AnyIssuerUnsafe{}, Contexts: contexts, Status: s.status,
		Replay: verify.NonceUsedOnceByCaller{}, Holder: verify.UnsafeAnyHolder, MaxAge: ever, Now: s.now,
		UnsafeIssuerNotController: true, UnsafeBarePresentation: true,
	}
}

func (s *server) verifyCredential(ctx context.Context, r *request) answer {
	secured, err := received(r.members["verifiableCredential"], vc.MediaTypeCredential)
	if err != nil {
		return answerError(err)
	}
	contexts, err := accept(arraysOf(secured.Bytes, secured.MediaType))
	if err != nil {
		return answerError(err)
	}
	checks, err := s.checkCredential(ctx, secured, contexts)
	if err == nil {
		err = r.options.agreePurpose("assertionMethod")
	}
	if err == nil {
		err = r.options.agreeSession(secured)
	}
	if err != nil {
		return answerError(err)
	}
	return verified(nil, checks)
}

// received returns a secured document as the request has it: an object, which may be an
// envelope, or the text of a token.
func received(raw json.RawMessage, mediaType string) (vc.Secured, error) {
	if text, ok := asText(raw); ok {
		return vc.Secured{MediaType: verify.MediaType([]byte(text)), Bytes: []byte(text)}, nil
	}
	if len(raw) == 0 || raw[0] != '{' {
		return vc.Secured{}, badRequest("nothing to verify")
	}
	return vc.Secured{MediaType: mediaType, Bytes: raw}, nil
}

// checkCredential verifies a credential and makes the checks that its own suite may
// not: that everything in it is defined, and that related resources are the right ones.
func (s *server) checkCredential(ctx context.Context, secured vc.Secured, contexts *vc.ContextSet) ([]string, error) {
	c, err := s.verifier(contexts).Credential(ctx, secured)
	if err != nil {
		return nil, err
	}
	if err := s.checkMeaning(ctx, secured, c.Document(), contexts); err != nil {
		return nil, err
	}
	return passed(c.Checks()), nil
}

// checkMeaning makes those checks on what was verified. The claims of an SD-JWT VC are
// no JSON-LD (SD-JWT VC, section 2.2.2), so that there is no word to define.
func (s *server) checkMeaning(ctx context.Context, secured vc.Secured, c *vc.Credential, contexts *vc.ContextSet) error {
	if unwrapped(secured).MediaType != sdjwt.MediaTypeSDJWTVC {
		if err := dataintegrity.CheckTerms(c, contexts); err != nil {
			return err
		}
	}
	return s.checkRelated(ctx, c, contexts)
}

func (s *server) verifyPresentation(ctx context.Context, r *request) answer {
	raw := withoutEmptyList(r.members["verifiablePresentation"])
	secured, err := received(raw, vc.MediaTypePresentation)
	if err != nil {
		return answerError(err)
	}
	contexts, err := accept(arraysOf(secured.Bytes, secured.MediaType))
	if err != nil {
		return answerError(err)
	}
	if isUnsigned(secured) {
		return s.verifyUnsigned(ctx, secured, contexts, &r.options)
	}
	p, err := s.verifier(contexts).Presentation(ctx, secured, verify.Session{Audience: r.options.Domain, Nonce: r.options.Challenge})
	if err != nil {
		return answerError(err)
	}
	shown := presented(secured)
	for i, c := range p.Credentials() {
		if i == len(shown) { // it verified: what is presented was read twice and differently
			return refused(http.StatusInternalServerError, "the presentation cannot be read again")
		}
		if err := s.checkMeaning(ctx, shown[i], c.Document(), contexts); err != nil {
			return answerError(err)
		}
	}
	if err := r.options.agreePurpose("authentication"); err != nil {
		return answerError(err)
	}
	if secured.MediaType == vc.MediaTypePresentation {
		if err := checkPresentationTerms(secured.Bytes, contexts); err != nil {
			return answerError(err)
		}
	}
	return verified(nil, passed(p.Checks()))
}

// verifyUnsigned verifies the credentials of a presentation that has no proof, each by
// itself. Nobody presents them.
func (s *server) verifyUnsigned(ctx context.Context, secured vc.Secured, contexts *vc.ContextSet, o *options) answer {
	p, err := vc.ParsePresentation(secured.Bytes)
	if err == nil {
		err = o.agreePurpose("") // there is no proof
	}
	if err != nil {
		return answerError(err)
	}
	if len(p.Credentials) >= maxArrays {
		return refused(http.StatusBadRequest, "too many credentials")
	}
	if err := dataintegrity.CheckTerms(p, contexts); err != nil {
		return answerError(err)
	}
	checks := []string{}
	for _, c := range p.Credentials {
		made, err := s.checkCredential(ctx, c, contexts)
		if err != nil {
			return answerError(err)
		}
		checks = append(checks, made...)
	}
	var warnings []string
	if o.Domain != "" || o.Challenge != "" {
		warnings = append(warnings, "nobody signed the presentation: it answers no domain or challenge")
	}
	return verified(warnings, checks)
}

func checkPresentationTerms(document []byte, contexts *vc.ContextSet) error {
	var o map[string]json.RawMessage
	if err := json.Unmarshal(document, &o); err != nil {
		return badRequest("the presentation is not a JSON object")
	}
	if _, _, enveloped := openEnvelope(o); enveloped {
		return nil
	}
	p, err := vc.ParsePresentation(document)
	if err != nil {
		return err
	}
	return dataintegrity.CheckTerms(p, contexts)
}

// presented returns the credentials of a presentation that was verified, in its order.
func presented(s vc.Secured) []vc.Secured {
	s = unwrapped(s)
	document := s.Bytes
	if s.MediaType != vc.MediaTypePresentation {
		document = insideToken(s)
	}
	p, err := vc.ParsePresentation(document)
	if err != nil { // a credential that is a presentation by itself
		return []vc.Secured{s}
	}
	return p.Credentials
}

// unwrapped returns what is in an envelope, or what is none as it is.
func unwrapped(s vc.Secured) vc.Secured {
	var o map[string]json.RawMessage
	if json.Unmarshal(s.Bytes, &o) != nil {
		return s
	}
	if inner, mediaType, ok := openEnvelope(o); ok {
		return vc.Secured{MediaType: mediaType, Bytes: inner}
	}
	return s
}

// isUnsigned reports whether a document has no proof and is no envelope.
func isUnsigned(s vc.Secured) bool {
	var o map[string]json.RawMessage
	if s.MediaType != vc.MediaTypePresentation || json.Unmarshal(s.Bytes, &o) != nil {
		return false
	}
	_, proven := o["proof"]
	_, _, enveloped := openEnvelope(o)
	return !proven && !enveloped
}

// withoutEmptyList leaves out a verifiableCredential without entries, which says in RDF
// what its absence says. The data model has one or more (VCDM 2.0, section 4.13), but
// outside suites send none.
func withoutEmptyList(raw json.RawMessage) json.RawMessage {
	var o map[string]json.RawMessage
	var list []json.RawMessage
	if json.Unmarshal(raw, &o) != nil || json.Unmarshal(o["verifiableCredential"], &list) != nil || list == nil || len(list) > 0 {
		return raw
	}
	delete(o, "verifiableCredential")
	out, err := json.Marshal(o)
	if err != nil {
		return raw
	}
	return out
}

// agreePurpose compares the purpose that the caller expects with the one that every
// proof was found to have (VC Data Integrity 1.0, section 4.4, step 5).
func (o *options) agreePurpose(purpose string) error {
	if o.ExpectedPurpose != "" && o.ExpectedPurpose != purpose {
		return badRequest("the proof was made for another purpose")
	}
	return nil
}

// agreeSession compares domain and challenge with those of each proof of a credential
// (steps 6 and 7). What has no proof inside says nothing about either.
func (o *options) agreeSession(secured vc.Secured) error {
	if o.Domain == "" && o.Challenge == "" {
		return nil
	}
	var document struct{ Proof json.RawMessage }
	_ = json.Unmarshal(secured.Bytes, &document) // it was verified
	proofs := oneOrMany(document.Proof)
	agreed := len(proofs) > 0
	for _, raw := range proofs {
		var proof struct {
			Domain    json.RawMessage
			Challenge string
		}
		_ = json.Unmarshal(raw, &proof)
		domains := oneOrMany(proof.Domain)
		agreed = agreed && (o.Domain == "" || len(domains) == 1 && isText(domains[0], o.Domain)) && (o.Challenge == "" || proof.Challenge == o.Challenge)
	}
	if !agreed {
		return badRequest("the proof was made for another domain or challenge")
	}
	return nil
}

func isText(raw json.RawMessage, want string) bool {
	s, ok := asText(raw)
	return ok && s == want
}
