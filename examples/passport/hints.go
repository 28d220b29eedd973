package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/schema/trust/bundle"
	"github.com/staffpassport/staffpassport/vc/verify"
)

// hintFor says what to do about a code of package verify. What it repeats of the
// document, which nobody has verified, it marks as said. about is the credential that
// the problem is in, whole the presentation around it, or the same.
func hintFor(code string, about, whole *document, v *verification) string {
	from, until := about.period()
	switch verify.Code(code) {
	case verify.ErrMediaType:
		return "passport inspect tells what it is; --media-type names a format that the shape does not tell"
	case verify.ErrSyntax:
		return "passport inspect tells what stands in the way of reading it"
	case verify.ErrMalformed, verify.ErrClaims, verify.ErrProofMalformed:
		return "passport inspect tells which member it is; only the issuer can mend it"
	case verify.ErrNoTimeZone:
		return "only the issuer can mend it: times end in Z or an offset"
	case verify.ErrTooLarge, verify.ErrTooDeep:
		return "a photo belongs beside the credential, by its digest"
	case verify.ErrContextNotAllowed:
		return "it says " + strings.Join(contextsOf(about.tree), ", ") + "; if you know what these mean: --context URL=FILE for each, in this order"
	case verify.ErrUndefinedTerm, verify.ErrUnsignable:
		return "only the issuer can mend it: every member and type needs a meaning in @context"
	case verify.ErrNoProof:
		return "ask for the signed document; a bbs-2023 or SD-JWT credential that is shown alone needs no other signature"
	case verify.ErrProofSet:
		return "every proof has to be genuine and by the issuer; passport inspect lists them"
	case verify.ErrSuite:
		return "it says " + kinds(about) + "; --legacy takes Ed25519Signature2018 and 2020"
	case verify.ErrPurpose:
		return "a credential is signed for assertionMethod and a presentation for authentication"
	case verify.ErrBaseProof:
		return "this is the holder's own copy: show a part of it with passport derive or present, or check it with --issued"
	case verify.ErrDomain:
		return "it says it was made for " + orNone(audiences(about)) + ": compare that with what you asked with, and do not copy it"
	case verify.ErrChallenge:
		return "it says it answers the nonce " + orNone(nonces(about)) + ": an old answer, or one to somebody else"
	case verify.ErrUnbound:
		return "ask for a presentation; --bearer takes a bbs-2023 credential that names nobody"
	case verify.ErrHolder:
		return "the one who presents has to be the subject, or have the key that the credential was issued to"
	case verify.ErrControllerMismatch:
		return "it says it is by " + orNone(about.issuer()) + " and that the key is " + orNone(keys(about))
	case verify.ErrKeyNotFound:
		return "it names the key " + orNone(keys(about)) + ": passport did resolve shows what its document has"
	case verify.ErrKeyNotAuthorised:
		return "the document of " + orNone(keys(about)) + " does not let this key sign this, or not any more"
	case verify.ErrProof:
		return "it was changed after signing, or the DID document has another key than the one that signed"
	case verify.ErrProofNotYetValid:
		return "compare clocks: more than five minutes apart is too much"
	case verify.ErrProofExpired, verify.ErrProofTooOld:
		return "ask for a new presentation"
	case verify.ErrNotYetValid:
		return "it says it is valid from " + from
	case verify.ErrExpired:
		return "it says it was valid until " + until + "; --now looks at it as of another time"
	case verify.ErrNoEnd:
		return "--require-end asks for an end, which the issuer did not set"
	case verify.ErrUntrusted:
		return v.untrustedHint(about)
	case verify.ErrResource:
		return "the issuer signed the digest of another vocabulary than the one known here"
	case verify.ErrRevoked:
		return "the issuer took it back for good; only the issuer knows why"
	case verify.ErrSuspended:
		return "the issuer took it back for now: ask again later"
	case verify.ErrStatusList, verify.ErrStatusRange:
		return "look at the list with passport inspect: " + strings.Join(about.statuses(), "; ")
	case verify.ErrStatusUnsupported:
		return "it says its status is " + strings.Join(about.statuses(), "; ") + ", which this program cannot ask for"
	case verify.ErrStatusUnavailable:
		return v.unavailableHint(about.lists())
	case verify.ErrUnavailable:
		return v.unavailableHint(append(about.keyNames(), about.issuer(), v.policy.list))
	case verify.ErrConfig:
		return "the flags leave out something that this check needs"
	}
	if code == "not-shown" {
		return "ask for this claim by its pointer; the holder decides whether to show it"
	}
	return ""
}

func (v *verification) untrustedHint(about *document) string {
	types := strings.Join(typesOf(about.tree), ",")
	if v.policy.list != "" {
		return fmt.Sprintf("%s is not on the list for %s", orNone(about.issuer()), orNone(types))
	}
	return fmt.Sprintf("if you know who %s is and rely on it for this: --issuer %s", orNone(about.issuer()), orNone(about.issuer()))
}

// listHint says what to do about a list of registered organisations that decides
// nothing; "" if that is because nobody could be asked.
func listHint(err error) string {
	p := problemsOf(err)[0]
	switch {
	case errors.Is(err, did.ErrUnavailable), errors.Is(err, verify.ErrUnavailable), errors.Is(err, bundle.ErrAbsent):
		return ""
	case strings.HasPrefix(p.Code, "trust-"):
		return p.Hint
	}
	return "look at the list of --trust with passport inspect: it has to be one, genuine, and signed by --authority"
}

// unavailableHint is about addresses, of which one could not be asked.
func (v *verification) unavailableHint(addresses []string) string {
	switch {
	case v.network.offline:
		return "--offline asks nobody"
	case v.network.bundle != "":
		return "the bundle lacks this, or has it too old: passport inspect shows what is in it"
	case !v.network.loopback && slices.ContainsFunc(addresses, onThisMachine):
		return loopbackHint
	}
	return "try again later"
}

func kinds(d *document) string { return joinMarks(d, func(m mark) string { return m.kind }) }
func keys(d *document) string  { return joinMarks(d, func(m mark) string { return m.key }) }

// keyNames are what the signatures say that their keys are called.
func (d *document) keyNames() []string {
	var out []string
	for _, m := range d.marks {
		out = append(out, m.key)
	}
	return out
}

func nonces(d *document) string {
	if d.binding != nil {
		return d.binding.Nonce
	}
	return joinMarks(d, func(m mark) string { return m.challenge })
}

func audiences(d *document) string {
	if d.binding != nil {
		return d.binding.Audience
	}
	return joinMarks(d, func(m mark) string { return strings.Join(m.domain, ", ") })
}

func joinMarks(d *document, of func(mark) string) string {
	var out []string
	for _, m := range d.marks {
		if t := of(m); t != "" {
			out = append(out, t)
		}
	}
	return strings.Join(out, ", ")
}

func orNone(text string) string {
	if text == "" {
		return "nobody"
	}
	return text
}
