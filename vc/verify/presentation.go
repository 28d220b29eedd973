package verify

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"slices"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/jose"
)

// A Presentation is a verified presentation with its verified credentials, at
// least one unless the verifier's policy is UnsafeBarePresentation. Only a [Verifier] makes one: the methods of the zero Presentation
// and of a nil one panic.
type Presentation struct {
	holder      did.DID
	credentials []*Credential
	checks      []Result // at least one
}

// Holder returns the DID that proved to be the holder: the one whose key signed
// the presentation or, for a single credential that was shown with a key binding,
// the holder of that credential. It is zero if the verifier's policy took the
// presentation from its bearer.
func (p *Presentation) Holder() did.DID { return p.verified().holder }

// Credentials returns the credentials in the order of the presentation.
func (p *Presentation) Credentials() []*Credential { return slices.Clone(p.verified().credentials) }

// Checks returns every check in the order it was made: those of the presentation,
// those of each credential, and the presentation's last.
func (p *Presentation) Checks() []Result { return slices.Clone(p.verified().checks) }

// String tells only the holder and the number of credentials, so that printing
// shows no claim.
func (p *Presentation) String() string {
	by := p.verified().holder.String()
	if by == "" {
		by = "its bearer"
	}
	return fmt.Sprintf("verify.Presentation by %s {%d credentials}", by, len(p.credentials))
}

func (p *Presentation) verified() *Presentation {
	if p == nil || len(p.checks) == 0 {
		panic("verify: use of a Presentation that no Verifier made")
	}
	return p
}

// presentation examines one presentation.
type presentation struct {
	examination
	want        Session
	doc         *vc.Presentation // nil for a single credential
	credentials []*credential
}

func presentationChecks() []Check {
	return []Check{CheckFormat, CheckContext, CheckProof, CheckSession, CheckHolder, CheckKey, CheckSignature, CheckTime, CheckReplay}
}

// bearerChecks are those of a presentation that nobody signed, and aloneChecks
// those of a single credential: its credentials answer the request themselves.
func bearerChecks() []Check { return []Check{CheckFormat, CheckContext, CheckReplay} }
func aloneChecks() []Check  { return []Check{CheckFormat, CheckReplay} }

func (x *presentation) run(ctx context.Context, s vc.Secured) (*Presentation, error) {
	var f *finding
	if x.received, f = x.v.open(aPresentation, s); f != nil {
		return nil, x.log.refuse(CheckFormat, f.code, f.err)
	}
	if !x.until(x.steps(ctx)) {
		return nil, verdict(x.log.entries)
	}

	// The presentation's own last check comes after those of its credentials.
	last := len(x.log.entries) - 1
	entries := slices.Clone(x.log.entries[:last])
	budget := maxSignatures
	stopped := false
	for i, read := range x.readers() {
		c := x.credential(i)
		c.budget = &budget
		if !stopped {
			c.run(ctx, read)
			stopped = c.worthless()
		}
		entries = append(entries, c.log.entries...)
		x.credentials = append(x.credentials, c)
	}
	if verdict(entries) == nil {
		x.recordReplay(ctx)
	}
	entries = append(entries, x.log.entries[last])
	if err := verdict(entries); err != nil {
		return nil, err
	}
	return x.result(results(entries)), nil
}

// steps are the checks on the presentation itself, up to the last one.
func (x *presentation) steps(ctx context.Context) []step {
	if x.received.alone != nil {
		x.log = newLog(Whole, aloneChecks())
		return []step{{CheckFormat, func() *finding { return nil }}} // it was taken apart
	}
	steps := []step{
		{CheckFormat, x.parse},
		{CheckContext, func() *finding { return x.checkContext(x.received.doc) }},
	}
	if _, named := x.received.doc.Get("holder"); x.received.unproven && !named && x.v.Holder == Bearer {
		x.log = newLog(Whole, bearerChecks())
		return steps
	}
	return append(steps,
		step{CheckProof, x.checkProof},
		step{CheckSession, x.checkSession},
		step{CheckHolder, x.checkHolder},
		step{CheckKey, func() *finding { return x.checkKeys(ctx) }},
		step{CheckSignature, func() *finding { return x.checkSigned(ctx) }},
		step{CheckTime, x.checkTime},
	)
}

// checkProof says also what would have taken a presentation that nobody signed.
func (x *presentation) checkProof() *finding {
	f := x.checkProofs()
	if f != nil && x.received.unproven && x.v.Holder != Bearer {
		return wrong(f.code, errors.New("one of bbs-2023 credentials needs Holder: Bearer"))
	}
	return f
}

func (x *presentation) parse() *finding {
	var err error
	if x.doc, err = vc.CheckPresentationObject(x.received.doc); err != nil {
		return unreadable(err)
	}
	switch n := len(vc.PresentedValues(x.received.doc)); {
	case n == 0 && !x.v.UnsafeBarePresentation:
		return wrong(ErrMalformed, errors.New("no credential in it"))
	case n > maxCredentials:
		return wrong(ErrTooLarge, fmt.Errorf("more than %d credentials", maxCredentials))
	}
	return nil
}

func (x *presentation) checkContext(doc *strictjson.Object) *finding {
	if !x.v.Contexts.AcceptsPresentation(doc) {
		return wrong(ErrContextNotAllowed, nil)
	}
	return nil
}

// checkSession is VC Data Integrity 1.0, section 4.4, steps 6 and 7, and the same
// for the aud and nonce of a token. The domain must be ours alone: a proof made
// for several verifiers could be shown by one of them to another.
func (x *presentation) checkSession() *finding {
	for _, p := range x.received.proofs {
		if f := x.want.answeredBy(p.domain, p.challenge); f != nil {
			return f
		}
	}
	return nil
}

// answeredBy checks for whom and for which request something was made.
func (s Session) answeredBy(audience []string, nonce string) *finding {
	if open := s.bare && s.Audience == ""; !open && (len(audience) != 1 || audience[0] != s.Audience) {
		return wrong(ErrDomain, nil)
	}
	if open := s.bare && s.Nonce == ""; !open && subtle.ConstantTimeCompare([]byte(nonce), []byte(s.Nonce)) != 1 {
		return wrong(ErrChallenge, nil)
	}
	return nil
}

// checkHolder sees that one signed, and speaks for the holder that the
// presentation names, if it names one, before any key is asked for.
func (x *presentation) checkHolder() *finding {
	signer := x.received.proofs[0].method.DID
	if id := x.doc.Holder.ID; id != "" && id != signer.String() {
		return wrong(ErrHolder, nil)
	}
	for _, p := range x.received.proofs {
		if p.method.DID != signer || p.issuer != "" && p.issuer != signer.String() ||
			p.subject != "" && p.subject != signer.String() {
			return wrong(ErrHolder, nil)
		}
	}
	return nil
}

// checkSigned is that of credentials.
func (x *presentation) checkSigned(ctx context.Context) *finding {
	if f := x.checkSignatures(ctx); f != nil {
		return f
	}
	for _, doc := range x.covered {
		if f := x.checkContext(doc); f != nil {
			return f
		}
	}
	return nil
}

func (x *presentation) checkTime() *finding {
	if f := x.checkProofTimes(); f != nil {
		return f
	}
	for _, p := range x.received.proofs {
		if f := x.checkAge(p.created); f != nil {
			return f
		}
	}
	return nil
}

// readers return how each credential is come by.
func (x *presentation) readers() []func() (*reading, *finding) {
	if alone := x.received.alone; alone != nil {
		return []func() (*reading, *finding){func() (*reading, *finding) { return alone, nil }}
	}
	doc := x.signed
	if doc == nil { // nobody signed it
		doc = x.received.doc
	}
	var out []func() (*reading, *finding)
	for _, entry := range vc.PresentedValues(doc) {
		out = append(out, func() (*reading, *finding) {
			if o, ok := entry.(*strictjson.Object); ok {
				return x.v.unwrap(aCredential, o)
			}
			token, _ := entry.(string)
			return x.v.openAs(aCredential, vc.Secured{MediaType: jose.MediaTypeLegacy, Bytes: []byte(token)})
		})
	}
	return out
}

// credential is the examination of the credential of that index.
func (x *presentation) credential(i int) *credential {
	c := &credential{
		examination: examination{v: x.v, now: x.now, log: newLog(i, credentialChecks(true))},
		want:        &x.want,
	}
	if x.signed != nil {
		c.presenter = presenter{x.received.proofs[0].method.DID, x.keys[0].PublicKey()}
	}
	return c
}

// recordReplay uses up the nonce.
func (x *presentation) recordReplay(ctx context.Context) {
	switch x.v.Replay.(type) {
	case NonceUsedOnceByCaller, *NonceUsedOnceByCaller:
		x.log.leave(CheckReplay, "The caller sees to it that the request is answered once.")
		return
	}
	x.log.record(CheckReplay, outside(x.v.Replay.Use(ctx, x.want.Nonce), ErrReplay, ErrReplay))
}

func (x *presentation) result(checks []Result) *Presentation {
	p := &Presentation{checks: checks}
	switch {
	case x.signed != nil:
		p.holder = x.received.proofs[0].method.DID
	case x.received.alone != nil:
		p.holder = x.credentials[0].holder
	}
	for _, c := range x.credentials {
		p.credentials = append(p.credentials, c.result(results(c.log.entries)))
	}
	return p
}
