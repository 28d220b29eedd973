// Package issue implements Aries RFC 0453, Issue Credential Protocol 2.0, with
// the attachments of Aries RFC 0809, W3C Verifiable Credential Data Integrity
// Attachment: version 2.0 of the data model, bound to its holder by a signed
// attachment.
//
//	issuer                                     holder
//	Offer            offer-credential  ------>           (a person looks at it)
//	                 <------  request-credential         Accept, Decline
//	Work: Issue      issue-credential  ------>
//	                                           Work:     Check, Keep
//	                 <------  ack
//
// An employer makes an [Issuer], a wallet a [Holder]; an agent that is both joins
// them with [Roles]. Register it with the runtime as the handler of
// "issue-credential", 2, and the roles as the workers of [TaskIssue] and
// [TaskVerify]. Every exchange is kept as an [Exchange] that pages can list.
//
// [Next] is the protocol as a pure function. A message that does not fit the state
// of its thread, or names a thread of another connection, changes nothing and is
// answered by one problem report. A message that fits but cannot be used ends the
// exchange on both sides, with a reason that is kept. A person who takes long is
// not an error; a peer who does is ended by Expire.
//
// The credential is signed outside any transaction, stored once, and only the
// stored bytes are sent. A holder accepts only the credential it was offered: the
// same claims, types and issuer, bound to the key it proved, and verified.
//
// The package does not negotiate: proposals and requests without an offer are
// refused. Of the formats of other agents (RFC 0593) it recognises the offer, in
// order to refuse it in plain words.
package issue

import "github.com/staffpassport/staffpassport/didcomm"

// The tasks to register workers for.
const (
	TaskIssue  = "issue-credential/issue"  // [Issuer]
	TaskVerify = "issue-credential/verify" // [Holder]
)

const protocolName = "issue-credential"

// messageType returns a type of version 2.0: the only one, and the one that a
// peer with another minor version must understand.
func messageType(name string) didcomm.Type {
	return didcomm.Type{Protocol: protocolName, Major: 2, Minor: 0, Name: name}
}
