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
// [ErrUnavailable], worth another try later, or [ErrStatusUnsupported], which is
// not, and never accepted either.
//
// # Checks
//
// Both outcomes carry the list of all checks in the order they are made:
//
//	format     strict JSON in the shape of the data model (VCDM 2.0 section 7.1)
//	context    a @context array known beforehand (VCDM 2.0 section 6.3)
//	proof      one proof of a known suite for the right purpose (VC Data Integrity 1.0 section 4.4, steps 2 to 5)
//	session    presentations: domain and challenge are this session's (steps 6 and 7)
//	holder     presentations: the key speaks for the holder
//	key        the key is the issuer's or holder's, and authorised (section 5.10)
//	signature  the cryptography (section 4.4, step 8)
//	time       neither proof nor credential is too new or too old
//	holder     credentials in a presentation: it is about the presenter
//	issuer     the issuer is trusted for these types
//	status     the credential is not revoked or suspended
//	replay     presentations: the nonce was not used before
//
// A document that fails up to its signature is looked at no further. After that
// all remaining checks run, so that a person sees everything that is wrong.
//
// # Time
//
// What an issuer says about the world, validFrom and validUntil, and the end of a
// proof are taken exactly; both ends are still inside. The time at which a proof
// was made is the reading of another machine's clock and may be up to five
// minutes ahead of this one's.
//
// # What is not checked
//
// A credentialSchema is not applied, and related resources and evidence are not
// fetched: that is for the code that knows the type of the credential. A
// credential with a credentialStatus is never accepted, because this version
// cannot ask for a status.
package verify

import (
	"context"
	"time"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
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

	// Contexts are the @context arrays that this verifier knows the meaning of,
	// besides the data model's own alone, such as schema.Contexts().
	Contexts [][]string

	// Replay sees to it that each nonce is used once, such as the [Nonces] that
	// gave it out. It is required for presentations; a caller that sees to it by
	// other means says [NonceUsedOnceByCaller].
	Replay Replay

	// Holder says whom a presented credential must be about. The zero value is
	// HolderIsSubject.
	Holder HolderBinding

	// UnsafeIssuerNotController accepts a proof by a key of somebody else than
	// the issuer that the credential names, who may then be anybody. Trust is
	// asked about the key's owner. Test vectors of specifications need it;
	// nothing that relies on a credential does.
	UnsafeIssuerNotController bool

	// Now is the clock. Nil means time.Now.
	Now func() time.Time
}

// A Session binds a presentation to one request (VC Data Integrity 1.0, section
// 2.1, domain and challenge). Both fields are required.
type Session struct {
	Audience string // who asked: the verifier's DID or other identifier
	Nonce    string // what was asked: an unguessable text used for this request alone
}

// HolderBinding says how a presented credential must belong to its presenter.
type HolderBinding int

const (
	// HolderIsSubject demands that every subject of a credential has an id and
	// that it is the holder, whose key signed the presentation.
	HolderIsSubject HolderBinding = iota
	// UnsafeAnyHolder lets anybody present anybody's credentials. What was
	// presented then says nothing about the presenter.
	UnsafeAnyHolder
)

// skew is how far ahead of ours the clock of a proof's maker may be. Five minutes
// is what clocks without a good time source drift, and Kerberos' old allowance.
const skew = 5 * time.Minute

// maxCredentials bounds the work that one presentation can ask for: each
// credential costs a resolution and a signature. A passport with every core skill
// has about 34 (one for each credential type of the second passport).
const maxCredentials = 64

// suites are all that this package accepts.
func suites() []dataintegrity.Suite {
	return []dataintegrity.Suite{dataintegrity.EdDSAJCS2022()}
}

// Credential verifies a secured credential. Who presents it is not known: the
// result has no holder. On failure the result is nil and the error an [*Error].
func (v *Verifier) Credential(ctx context.Context, s vc.Secured) (*Credential, error) {
	x := &credential{proven: proven{v: v, log: newLog(Whole, credentialChecks(false))}}
	if !v.ready() {
		return nil, x.log.refuse(CheckFormat, ErrConfig, nil)
	}
	x.now = v.now()
	x.run(ctx, func() *finding { return x.open(s, vc.MediaTypeCredential) })
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
	x := &presentation{proven: proven{v: v, log: newLog(Whole, presentationChecks())}, want: want}
	if !v.ready() || v.Replay == nil || want.Audience == "" || want.Nonce == "" {
		return nil, x.log.refuse(CheckFormat, ErrConfig, nil)
	}
	x.now = v.now()
	return x.run(ctx, s)
}

func (v *Verifier) ready() bool { return v != nil && v.Resolver != nil && v.Trust != nil }

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
