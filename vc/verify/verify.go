// Package verify decides whether received credentials and presentations may be
// relied on.
//
//	nonces := verify.NewNonces(10*time.Minute, nil)
//	v := &verify.Verifier{
//		Resolver: did.Mux{"key": didkey.Resolver{}},
//		Trust:    verify.TrustedIssuers{employer: {"StaffPassportCredential"}},
//		Contexts: schema.Contexts(),
//		Replay:   nonces,
//	}
//	// nonce := nonces.New() went out with the request
//	p, err := v.Presentation(ctx, received, verify.Session{Audience: me, Nonce: nonce})
//
// A nil error means that every check passed, and only then is there a result: a
// [Presentation] or [Credential], built from the bytes that were signed and from
// nothing else. Otherwise the error is an [*Error] that says which check ended
// the matter, and there is no result at all. No option skips a proof. What is
// left to policy has a safe default and Unsafe in the name of anything less.
//
// "Forged" and "could not be decided" are different answers: the second is
// [ErrUnavailable] or [ErrStatusUnavailable], worth another try later, or
// [ErrStatusUnsupported], which is not, and never accepted either.
//
// # Formats
//
// The media type says how bytes are secured. All formats have the same checks.
//
//	credential              presentation
//	application/vc          application/vp         Data Integrity: all suites of this module that are not legacy, sets and chains of proofs
//	application/vc+jwt      application/vp+jwt     VC-JOSE-COSE, and application/jwt as VC Data Model 1.1 has it
//	application/vc+cose     application/vp+cose
//	application/vc+sd-jwt   application/vp+sd-jwt
//	application/dc+sd-jwt                          SD-JWT VC
//
// A presentation holds credentials of any format, those that are no JSON in
// envelopes (VC Data Model 2.0, section 4.13). An SD-JWT with a key binding is a
// presentation by itself, and so is, under the policy [Bearer], a credential with
// a bbs-2023 proof. Bytes that came without a media type have one by [MediaType].
//
// What an issuer sends to a holder in ecdsa-sd-2023 and bbs-2023, a base proof, is
// refused: the holder checks it with Check of package disclose.
//
// # Checks
//
// Both outcomes carry the list of all checks in the order they are made:
//
//	format     strict JSON in the shape of the data model (VCDM 2.0 section 7.1), in a well-formed token
//	context    a @context array known beforehand (VCDM 2.0 section 6.3)
//	proof      proofs of known kinds for the right purpose (VC Data Integrity 1.0 section 4.4, steps 2 to 5)
//	session    audience and nonce are this session's (steps 6 and 7), of a presentation or of a credential that is bound by itself
//	holder     presentations: the key speaks for the holder
//	key        the key is the issuer's or holder's, and authorised (section 5.10)
//	signature  the cryptography (section 4.4, step 8)
//	time       neither proof nor credential is too new or too old
//	holder     credentials in a presentation: it is about the presenter
//	issuer     the issuer is trusted for these types
//	status     the credential is not revoked or suspended
//	resources  contexts and type metadata are those whose digests the issuer signed, if it signed any (VCDM 2.0 section 5.3, SD-JWT VC section 5)
//	replay     presentations: the nonce was not used before
//
// A credential that fails up to its signature is looked at no further. After that
// all remaining checks on it run, so that a person sees everything that is wrong
// with it. A presentation that fails one of its own checks before replay ends
// there: its credentials are not looked at, and neither are those after one that nobody
// who is trusted signed. errors.Is finds the first check that
// failed; [Error.Checks] has them all. A presentation that nobody signed as a whole, because its credentials are bound by
// themselves, has the checks from proof to time on its credentials alone.
//
// # Several proofs
//
// Every proof of a set or chain must be genuine, by the issuer or holder, and for
// this purpose and session. VC Data Integrity 1.0, section 4.5, would let a
// verifier look at some and overlook others; then whoever relies on the result
// would have to know which. A proof by somebody else is refused.
//
// # Holders
//
// A presented credential belongs to the one whose key signed the presentation and
// who is its subject. Where the issuer put a key into the credential (cnf), that
// key must have signed: the key binding or, in a presentation, the presentation.
// The holder is then the subject that the issuer names or, where that is no DID,
// the did:key of the key. A subject that is a did:key must be that key's, or have
// signed the presentation; of another DID the issuer's word is taken.
//
// # Time
//
// What an issuer says about the world, validFrom and validUntil, and the end of a
// proof are taken exactly; both ends are still inside. The time at which a proof
// was made is the reading of another machine's clock and may be up to five
// minutes ahead of this one's.
//
// # Keys that changed
//
// An issuer that changes keys leaves the old one in its document with the time at
// which its turn ended (expires): what it signed before stays good, by the time
// that the proof tells, and nothing later is. A key that others may have gets a
// time of revocation (revoked): from then on nothing verifies that was ever signed
// with it, because whoever has it writes any date. A key that is no longer in the
// document verifies nothing, and neither does a deactivated document. The holder of
// a presentation signs with a key whose turn it is now.
//
// # Status
//
// A credential with a status is accepted if the Status of the Verifier finds that
// nothing withdraws it: every entry for revocation or suspension is looked up in a
// Bitstring Status List 1.0 or a Token Status List that the issuer or a delegate signed.
// The list is verified as credentials are, but for trust, which its issuer needs
// none of its own: that of the credential vouches for it. An address that a credential
// brings is asked for nothing unless its issuer is trusted. Entries that inform
// (message, refresh) are left to the caller.
//
// # What is not checked
//
// A credentialSchema is not applied, and evidence and resources other than
// contexts are not fetched: that is for the code that knows the type of the
// credential.
package verify

import (
	"context"
	"errors"
	"time"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
	"github.com/staffpassport/staffpassport/vc/status"
)

// A Verifier verifies credentials and presentations. Resolver, Trust and, for
// presentations, Replay are required; every other field has a safe zero value. A
// Verifier is safe for concurrent use and must not be changed after first use.
type Verifier struct {
	// Resolver finds the documents of issuers and holders. Its errors that
	// match did.ErrNotFound, ErrInvalid or ErrUnsupported fail a check; all
	// others leave it undecided.
	Resolver did.Resolver

	// Trust decides whose credentials count, and for what.
	Trust Trust

	// Contexts says which @context arrays this verifier knows the meaning of,
	// such as schema.Contexts().
	Contexts *vc.ContextSet

	// Types are documents of the type metadata of SD-JWT VC (its section 4), by
	// their vct, and those that they extend, such as schema.TypeMetadata(). A
	// dc+sd-jwt of such a type must follow it, and if the issuer signed a digest
	// of the document (vct#integrity), this must be it. Other types are taken as
	// they are. Nothing is fetched.
	Types map[string][]byte

	// Replay sees to it that each nonce is used once, such as the [Nonces] that
	// gave it out. It is required for presentations; a caller that sees to it by
	// other means says [NonceUsedOnceByCaller].
	Replay Replay

	// Holder says whom a presented credential must belong to. The zero value is
	// HolderIsSubject.
	Holder HolderBinding

	// Status asks for the status of credentials that have one. Nil asks nobody: a
	// credential with a status is then never accepted.
	Status *status.Lists

	// Suites are cryptosuites to accept besides those of this module that are not
	// legacy, such as those of package legacy for peers that have no newer ones.
	Suites []dataintegrity.Suite

	// RequireValidUntil refuses a credential that does not say how long it is valid.
	RequireValidUntil bool

	// MaxAge is how long ago a presentation may have been made, if it says when.
	// Zero means a week.
	MaxAge time.Duration

	// UnsafeIssuerNotController accepts a proof by a key of somebody else than
	// the issuer that the credential names, who may then be anybody. Trust is
	// asked about the key's owner. Test vectors of specifications need it;
	// nothing that relies on a credential does.
	UnsafeIssuerNotController bool

	// UnsafeBarePresentation accepts a presentation that answers nobody or shows
	// nothing: one made for no audience or nonce, where the Session names none
	// either, and one without a credential. Of what a Session does name, nothing is
	// let off. Test suites of specifications need it; a verifier that asked for
	// something does not.
	UnsafeBarePresentation bool

	// Now is the clock. Nil means time.Now.
	Now func() time.Time
}

// A Session binds a presentation to one request: VC Data Integrity 1.0, section
// 2.1, domain and challenge; aud and nonce of a token; the presentation header of
// bbs-2023. Both fields are required.
type Session struct {
	Audience string // who asked: the verifier's DID or other identifier
	Nonce    string // what was asked: an unguessable text used for this request alone

	// bare is the verifier's UnsafeBarePresentation: what is empty is not compared.
	bare bool
}

// HolderBinding says how a presented credential must belong to its presenter.
type HolderBinding int

const (
	// HolderIsSubject demands that every subject of a credential has an id and
	// that it is the holder, whose key signed the presentation, or that the issuer
	// bound the credential to the holder's key.
	HolderIsSubject HolderBinding = iota
	// Bearer accepts, besides what HolderIsSubject does, presentations that nobody
	// signed: bbs-2023 credentials by themselves or in a document without proof and
	// holder. A signature around them would make the holder known again. Each
	// credential must have been derived for the session and name no subject: whoever
	// bears it may show it.
	Bearer
	// UnsafeAnyHolder lets anybody present anybody's credentials. What was
	// presented then says nothing about the presenter.
	UnsafeAnyHolder
)

// skew is how far ahead of ours the clock of a proof's maker may be. Five minutes
// is what clocks without a good time source drift, and Kerberos' old allowance.
const skew = 5 * time.Minute

// maxAge is how old a presentation may be where the policy does not say: a message
// waits for days where an agent is away. What bounds its use is the nonce.
const maxAge = 7 * 24 * time.Hour

// maxCredentials bounds the work that one presentation can ask for: each
// credential costs a resolution and a signature. A passport with every core skill
// has about 34 (one for each credential type of the second passport).
const maxCredentials = 64

// maxSignatures bounds the same work where credentials have several proofs each.
const maxSignatures = 128

// Credential verifies a secured credential. Who presents it is not known: the
// result has no holder, and it answers no request; a presentation header in a proof of
// bbs-2023 is compared with nothing. On failure the result is nil and the error an [*Error].
func (v *Verifier) Credential(ctx context.Context, s vc.Secured) (*Credential, error) {
	x := &credential{examination: examination{v: v, log: newLog(Whole, credentialChecks(false))}}
	if err := v.lacks(); err != nil {
		return nil, x.log.refuse(CheckFormat, ErrConfig, err)
	}
	x.now = v.now()
	x.run(ctx, func() (*reading, *finding) { return v.open(aCredential, s) })
	if err := verdict(x.log.entries); err != nil {
		return nil, err
	}
	return x.result(results(x.log.entries)), nil
}

// Presentation verifies a presentation and every credential in it: that its
// presenter made it for this session and is the one the credentials are about. On
// failure the result is nil and the error an [*Error]; no credential of a
// presentation is verified unless all are.
func (v *Verifier) Presentation(ctx context.Context, s vc.Secured, want Session) (*Presentation, error) {
	x := &presentation{examination: examination{v: v, kind: aPresentation, log: newLog(Whole, presentationChecks())}, want: want}
	err := v.lacks()
	x.want.bare = err == nil && v.UnsafeBarePresentation
	switch {
	case err != nil:
	case v.Replay == nil:
		err = errors.New("no Replay in the Verifier")
	case want.Audience == "" && !x.want.bare:
		err = errors.New("no Audience in the Session")
	case want.Nonce == "" && !x.want.bare:
		err = errors.New("no Nonce in the Session")
	}
	if err != nil {
		return nil, x.log.refuse(CheckFormat, ErrConfig, err)
	}
	x.now = v.now()
	return x.run(ctx, s)
}

// lacks says which field is missing that every verifier needs.
func (v *Verifier) lacks() error {
	switch {
	case v == nil:
		return errors.New("no Verifier")
	case v.Resolver == nil:
		return errors.New("no Resolver in the Verifier")
	case v.Trust == nil:
		return errors.New("no Trust in the Verifier")
	}
	return nil
}

// speaksFor reports whether a key of signer makes credentials of issuer.
func (v *Verifier) speaksFor(signer did.DID, issuer string) bool {
	return signer.String() == issuer || v.UnsafeIssuerNotController
}

func (v *Verifier) now() time.Time {
	if v.Now != nil {
		return v.Now()
	}
	return time.Now()
}
