// Package issue implements the Issue Credential Protocol: version 2.0 (Aries RFC 0453)
// over DIDComm v1 and version 3.0 (Decentralized Identity Foundation, WACI) over v2.
//
//	issuer                                       holder
//	                   <------  propose-credential           Propose, Counter
//	Offer, Answer      offer-credential  ------>             (a person looks at it)
//	Grant              <------  request-credential           Accept, Decline, Request
//	Work: Issue        issue-credential  ------>
//	                                             Work:       Check, Keep
//	                   <------  ack
//
// An employer makes an [Issuer], a wallet a [Holder]; an agent that is both joins
// them with [Roles]. Register it with the runtime as the handler of
// "issue-credential", 2 and 3, and the roles as the workers of [TaskIssue] and
// [TaskVerify]. Every exchange is kept as an [Exchange] that pages can list.
//
// [Next] is the protocol as a pure function. A message that does not fit the state
// of its thread, or names a thread of another connection, changes nothing and is
// answered by one problem report. A message that fits but cannot be used ends the
// exchange on both sides, with a reason that is kept. A person who takes long is
// not an error; a peer who does is ended by Expire.
//
// The credential is signed outside any transaction, stored once, and only the
// stored bytes are sent. A holder accepts only the credential it was offered or
// asked for: the same claims, types and issuer, about the same holder, and verified.
//
// Any of the three messages that the protocol may begin with can begin an exchange. An
// issuer hears of proposals, and of requests without an offer, if it sets
// [Issuer.Proposed]; else they are refused.
//
// # Attachments
//
//	aries RFC 0809  didcomm/w3c-di-vc-offer@v0.1, -request@v0.1, didcomm/w3c-di-vc@v0.1
//	                data model 2.0, bound by a signed attachment: [FormatDataIntegrity]
//	ours            didcomm/sd-jwt-vc-offer@v0.1, -request@v0.1, didcomm/sd-jwt-vc@v0.1
//	                beside those of RFC 0809: the same credential as an SD-JWT VC too
//	aries RFC 0593  aries/ld-proof-vc-detail@v1.0, aries/ld-proof-vc@v1.0
//	                data models 1.1 and 2.0, a document or a JSON Web Token: [FormatLinkedData]
//
// Of the methods of RFC 0809 to bind a credential, the link secret of AnonCreds is not
// supported. RFC 0809 has no attachment for a proposal: proposals, and requests without
// an offer, are those of RFC 0593. Attachments in other formats are passed over if
// there is one that is known. In RFC 0593 the credential names its holder in the offer
// or in the request; an issuer here issues none that names nobody, since nobody could
// show it. Formats are compared by their whole name.
//
// Credentials of data model 1.1 pass through; what issues and verifies them is the
// caller's, such as [github.com/staffpassport/staffpassport/vc/dataintegrity/legacy].
package issue

import "github.com/staffpassport/staffpassport/didcomm"

// The tasks to register workers for.
const (
	TaskIssue  = "issue-credential/issue"  // [Issuer]
	TaskVerify = "issue-credential/verify" // [Holder]
)

const protocolName = "issue-credential"

// messageType returns a type of version 2.0 or 3.0: the only ones, and those that a
// peer with another minor version must understand.
func messageType(v didcomm.Version, name string) didcomm.Type {
	return didcomm.Type{Protocol: protocolName, Major: major(v), Minor: 0, Name: name}
}

// major returns the version of the protocol that goes with one of DIDComm.
func major(v didcomm.Version) int {
	if v.Or1() == didcomm.V2 {
		return 3
	}
	return 2
}
