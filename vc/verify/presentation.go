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
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
)

// A Presentation is a verified presentation with its verified credentials, at
// least one. Only a [Verifier] makes one: the methods of the zero Presentation
// and of a nil one panic.
type Presentation struct {
	holder      did.DID
	credentials []*Credential
	checks      []Result
}

// Holder returns the DID whose key signed the presentation.
func (p *Presentation) Holder() did.DID { return p.verified().holder }

// Credentials returns the credentials in the order of the presentation.
func (p *Presentation) Credentials() []*Credential { return slices.Clone(p.verified().credentials) }

// Checks returns every check in the order it was made: those of the presentation,
// those of each credential, and the presentation's last.
func (p *Presentation) Checks() []Result { return slices.Clone(p.verified().checks) }

// String tells only the holder and the number of credentials, so that printing
// shows no claim.
func (p *Presentation) String() string {
	return fmt.Sprintf("verify.Presentation by %s {%d credentials}", p.verified().holder, len(p.credentials))
}

func (p *Presentation) verified() *Presentation {
	if p == nil || p.holder.IsZero() {
		panic("verify: use of a Presentation that no Verifier made")
	}
	return p
}

// presentation examines one presentation.
type presentation struct {
	proven
	want Session
	doc  *vc.Presentation
}

func presentationChecks() []Check {
	return []Check{CheckFormat, CheckContext, CheckProof, CheckSession, CheckHolder, CheckKey, CheckSignature, CheckTime, CheckReplay}
}

func (x *presentation) run(ctx context.Context, s vc.Secured) (*Presentation, error) {
	var proofless *finding
	if !x.until([]step{
		{CheckFormat, func() *finding {
			if f := x.open(s, vc.MediaTypePresentation); f != nil {
				return f
			}
			proofless = x.splitProof()
			return x.parse()
		}},
		{CheckContext, func() *finding { return x.checkContext(x.received) }},
		{CheckProof, func() *finding {
			if proofless != nil {
				return proofless
			}
			return x.checkProof(did.Authentication)
		}},
		{CheckSession, x.checkSession},
		{CheckHolder, x.checkHolder},
		{CheckKey, func() *finding { return x.checkKey(ctx, did.Authentication) }},
		{CheckSignature, x.checkSigned},
		{CheckTime, x.checkProofTime},
	}) {
		return nil, verdict(x.log.entries)
	}

	// The presentation's own last check comes after those of its credentials.
	last := len(x.log.entries) - 1
	entries := slices.Clone(x.log.entries[:last])
	var creds []*credential
	for i, o := range entriesOf(x.signed) {
		c := &credential{
			proven: proven{v: x.v, now: x.now, log: newLog(i, credentialChecks(true))},
			holder: x.proof.VerificationMethod.DID,
		}
		c.run(ctx, func() *finding { return c.unwrap(o, vc.MediaTypeCredential) })
		entries = append(entries, c.log.entries...)
		creds = append(creds, c)
	}
	if verdict(entries) == nil {
		x.recordReplay(ctx)
	}
	entries = append(entries, x.log.entries[last])
	if err := verdict(entries); err != nil {
		return nil, err
	}
	return x.result(creds, results(entries)), nil
}

func (x *presentation) parse() *finding {
	var err error
	if x.doc, err = vc.CheckPresentationObject(x.received); err != nil {
		return unreadable(err)
	}
	switch n := len(entriesOf(x.received)); {
	case n == 0:
		return wrong(ErrMalformed, errors.New("no credential in it"))
	case n > maxCredentials:
		return wrong(ErrTooLarge, fmt.Errorf("more than %d credentials", maxCredentials))
	}
	return nil
}

func (x *presentation) checkContext(doc *strictjson.Object) *finding {
	if err := dataintegrity.CheckPresentationContext(doc, x.v.Contexts); err != nil {
		return wrong(ErrContextNotAllowed, err)
	}
	return nil
}

// checkSession is VC Data Integrity 1.0, section 4.4, steps 6 and 7. The domain
// must be ours alone: a proof made for several verifiers could be shown by one of
// them to another.
func (x *presentation) checkSession() *finding {
	if len(x.proof.Domain) != 1 || x.proof.Domain[0] != x.want.Audience {
		return wrong(ErrDomain, nil)
	}
	if subtle.ConstantTimeCompare([]byte(x.proof.Challenge), []byte(x.want.Nonce)) != 1 {
		return wrong(ErrChallenge, nil)
	}
	return nil
}

// checkHolder sees that the key speaks for the holder that the presentation
// names, if it names one, before the key is asked for.
func (x *presentation) checkHolder() *finding {
	if id := x.doc.Holder.ID; id != "" && id != x.proof.VerificationMethod.DID.String() {
		return wrong(ErrHolder, nil)
	}
	return nil
}

// checkSigned is that of credentials.
func (x *presentation) checkSigned() *finding {
	if f := x.checkSignature(); f != nil {
		return f
	}
	return x.checkContext(x.signed)
}

// entriesOf returns the entries of verifiableCredential, which are objects.
func entriesOf(presentation *strictjson.Object) []*strictjson.Object {
	v, present := presentation.Get("verifiableCredential")
	if !present {
		return nil
	}
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	out := make([]*strictjson.Object, len(list))
	for i := range list {
		out[i], _ = list[i].(*strictjson.Object)
	}
	return out
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

func (x *presentation) result(creds []*credential, checks []Result) *Presentation {
	p := &Presentation{holder: x.proof.VerificationMethod.DID, checks: checks}
	for _, c := range creds {
		p.credentials = append(p.credentials, c.result(results(c.log.entries)))
	}
	return p
}
