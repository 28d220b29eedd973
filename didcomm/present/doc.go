// Package present implements the Present Proof Protocol in both versions: 2.0 (Aries
// RFC 0454) with the attachments of Aries RFC 0510 over DIDComm v1, and 3.0 (as WACI
// DIDComm has it) over v2. They differ in how their messages are written and in nothing
// else; an exchange speaks the version of its connection.
//
//	verifier                                       prover
//	                 <------  propose-presentation          Propose
//	Request          request-presentation ------>           (a person looks at it)
//	                 <------  presentation                  Present, Decline, Counter
//	Work: Check, Decided
//	                 ack  ------>
//
// A host organisation makes a [Verifier], a wallet a [Prover]; an agent that is
// both joins them with [Roles]. Register it with the runtime as the handler of
// "present-proof", 2 and 3, and the verifier as the worker of [TaskVerify]. Every
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
// # Requests
//
// A request is written, and read, as a presentation definition in this part of DIF
// Presentation Exchange 2.1.1, which has what agents send and RFC 0510 lists:
//
//	id, name, purpose, input_descriptors, format (of presentations and credentials)
//	of an input: id, name, purpose, format, constraints; group, which means nothing alone
//	             schema, of version 1: a context, credentialSchema or type of the credential
//	constraints: fields, limit_disclosure; is_holder, which holds for every presentation
//	of a field:  path, optional, intent_to_retain, filter
//	path:        names and positions, of several the first in credentialSubject
//	filter:      const, enum, type; of $.type or $.vct: one type, by const, enum, contains, or a word as a pattern
//	format:      ldp_vp, jwt_vp; ldp_vc, jwt_vc, dc+sd-jwt; proof_type, and alg of tokens
//
// Refused are submission_requirements, predicate, same_subject, subject_is_issuer,
// statuses and everything else that would be a condition of its own.
//
// [DCQL] is OpenID for Verifiable Presentations 1.0, section 6, without
// credential_sets, claim_sets, trusted_authorities and paths to several claims. RFC
// 0454 has no name for it: that it is asked over DIDComm, and its two formats,
// "staffpassport/dcql@v1.0" and "staffpassport/vp-token@v1.0", are an extension of this
// project. A request in several languages has an attachment for each.
//
// # Presentations
//
// A definition is answered by a presentation with a presentation_submission in it:
// one with an embedded proof (ldp_vp), of the types that the definition lists, or a
// JSON Web Token (jwt_vp) where it is asked for. DataIntegrityProof, which is asked
// for by default, is not on RFC 0510's list: an extension of this project. Agents of
// others want Ed25519Signature2018 or 2020 around credentials of data model 1.1: the
// host lists the suites of package legacy in its [verify.Verifier] and asks for their
// names ([Request].Proofs), and the wallet passes a [Presenter] that has one. What
// credentials of that model alone are shown in is of that model, too, if a Presenter is passed.
//
// SD-JWT VCs are enveloped in a presentation, each with its key binding; a verifier
// takes one by itself where it asked for one. DCQL is answered by a vp_token with one
// presentation for each credential, an SD-JWT VC by itself.
package present

import "github.com/staffpassport/staffpassport/didcomm"

// TaskVerify is the task to register a [Verifier] for as a worker.
const TaskVerify = "present-proof/verify"

const protocolName = "present-proof"

// messageType returns a type of version 2.0 or 3.0: the only ones, and those that a
// peer with another minor version must understand.
func messageType(v didcomm.Version, name string) didcomm.Type {
	return didcomm.Type{Protocol: protocolName, Major: major(v), Minor: 0, Name: name}
}

// major returns the major version of the protocol for a version of DIDComm.
func major(v didcomm.Version) int {
	if v.Or1() == didcomm.V2 {
		return 3
	}
	return 2
}
