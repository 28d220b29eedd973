// Package vc implements the documents of W3C Verifiable Credentials Data Model
// 2.0 (Recommendation of 15 May 2025): credentials, presentations, and the bytes
// they travel as.
//
// A credential has three states, and each is a type of its own:
//
//	vc.Secured           bytes as received: nothing is known about them
//	vc.Credential        a document: well-formed, said by nobody
//	verify.Credential    a document whose every check passed
//
// [Parse] and [ParsePresentation] read documents. They check the shape that the
// data model asks for and never a signature: a proof inside is carried along
// unread. To rely on what somebody sent, hand the [Secured] bytes to
// [github.com/staffpassport/staffpassport/vc/verify]. To issue, fill a
// [Credential] and pass it to a [Securer], such as the one of
// [github.com/staffpassport/staffpassport/vc/dataintegrity].
//
// Documents of data model 1.1 are read too (see [ContextV1]). Contexts are never
// fetched or interpreted here.
package vc

import "context"

// Names fixed by the data model.
const (
	// ContextV2 is the first entry of every @context of this version (section 4.3).
	ContextV2 = "https://www.w3.org/ns/credentials/v2"

	// TypeCredential is among the types of every credential (section 4.5).
	TypeCredential = "VerifiableCredential"
	// TypePresentation is among the types of every presentation (section 4.13).
	TypePresentation = "VerifiablePresentation"

	// MediaTypeCredential and MediaTypePresentation name JSON documents, here
	// always ones with an embedded proof (section 6.2).
	MediaTypeCredential   = "application/vc"
	MediaTypePresentation = "application/vp"
)

// A Securer turns a credential into secured bytes: a document with an embedded
// proof, or an envelope around one (section 4.12). It refuses a credential that
// is not well-formed. Implementations are safe for concurrent use if the signer
// they use is.
type Securer interface {
	Secure(ctx context.Context, c *Credential) (Secured, error)
}
