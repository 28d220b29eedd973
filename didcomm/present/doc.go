// Package present implements Aries RFC 0454, Present Proof Protocol 2.0, with the
// attachments of Aries RFC 0510, Presentation-Exchange Attachment.
//
//	verifier                                       prover
//	Request          request-presentation ------>           (a person looks at it)
//	                 <------  presentation                  Present, Decline
//	Work: Check, Decided
//	                 ack  ------>
//
// A host organisation makes a [Verifier], a wallet a [Prover]; an agent that is
// both joins them with [Roles]. Register it with the runtime as the handler of
// "present-proof", 2, and the verifier as the worker of [TaskVerify]. Every
// exchange is kept as an [Exchange] that pages can list.
//
// [Next] is the protocol as a pure function. A message that does not fit the state
// of its thread, or names a thread of another connection, changes nothing and is
// answered by one problem report. A message that fits but cannot be used ends the
// exchange on both sides, with a reason that is kept.
//
// A prover sends nothing that a person did not ask it to send: there is no
// automatic answer and no setting for one. [Prover.Present] is the only way, and
// it refuses to send a claim that is not among those the person ticked. A request for
// a presentation to anybody but the peer that asks is refused, and so is one with a
// condition that the person would not be told of.
//
// A verifier asks with a fresh challenge for its own domain, takes one answer, and
// believes only what [verify.Verifier] made of the bytes.
//
// Requests are presentation definitions in the small part of DIF Presentation
// Exchange that RFC 0510 uses: one input descriptor for each credential, each with
// a type and the paths of the claims wanted. The presentations are those of
// RFC 0510 with a proof of the type DataIntegrityProof, which is not on that RFC's
// list: an extension of this project, asked for by the definition's format.
package present

import "github.com/staffpassport/staffpassport/didcomm"

// TaskVerify is the task to register a [Verifier] for as a worker.
const TaskVerify = "present-proof/verify"

const protocolName = "present-proof"

// messageType returns a type of version 2.0: the only one, and the one that a
// peer with another minor version must understand.
func messageType(name string) didcomm.Type {
	return didcomm.Type{Protocol: protocolName, Major: 2, Minor: 0, Name: name}
}
