// Package trust is the page of registered organisations as a signed list: who may
// issue which credentials, who may be shown them, from when until when, and who
// registered them. The list is a credential of Verifiable Credentials Data Model 2.0,
// issued by one authority.
//
// An authority fills a [List], calls [List.Credential] and secures the result with any
// vc.Securer that was given [Contexts]. Whoever verifies opens a [Registry] with the
// authority's DID and hands it to the verifier:
//
//	organisations, err := trust.Open(ctx, trust.Config{Authority: authority, Resolver: resolver, Client: client, URL: url})
//	err = organisations.Update(ctx)
//	v := &verify.Verifier{Resolver: resolver, Trust: organisations}
//
// What is not on the list is refused. A list that is too old says nothing either way:
// the check is then undecided, and never passed. A registry goes from a list to later
// ones only, and follows a change of the authority's DID only if the old authority
// signed the [Succession].
//
// The package starts nothing by itself: whoever owns a Registry calls Update, say every
// hour. It does not find out who an authority is: its DID is passed in. The list is for
// everybody to read, so that it names organisations and offices, and no person.
package trust

import "errors"

const (
	// ContextURL is the JSON-LD context of the list's own terms.
	ContextURL = "https://w3id.org/staffpassport/registered-organisations/v1"

	// Type is the credential type of a list.
	Type = "RegisteredOrganisationsCredential"
	// SuccessionType is that of a change of authority.
	SuccessionType = "RegisterSuccessionCredential"
)

// The answers of a [Registry] about an organisation. Each matches
// verify.ErrUntrusted as well.
var (
	ErrNotRegistered = &refusal{"the organisation is not on the list"}
	ErrNotForType    = &refusal{"the organisation is on the list for other types of credential"}
	ErrNotInForce    = &refusal{"the registration of the organisation has not begun or has ended"}
)

// The reasons why a [Registry] cannot answer. None of them matches
// verify.ErrUntrusted: a check that depends on it is undecided.
var (
	// ErrNoList: no list was accepted yet.
	ErrNoList = errors.New("trust: no list of registered organisations yet")
	// ErrStale: the list is past its end, or older than the registry's MaxAge.
	ErrStale = errors.New("trust: list of registered organisations is too old")
)

var (
	// ErrConfig says that something required is missing from a Config, or that it
	// and the cached copy are of different registers.
	ErrConfig = errors.New("trust: registry is not set up")
	// ErrList says that a list or succession breaks a rule.
	ErrList = errors.New("trust: malformed list of registered organisations")
	// ErrAuthority says that a list is signed by another than the authority of its
	// time, is of another register, or carries a succession that is not to be believed.
	ErrAuthority = errors.New("trust: list is not the authority's")
	// ErrRollback says that a list is older than one that was accepted, or another
	// with the same sequence number.
	ErrRollback = errors.New("trust: list is older than one that is known")
	// ErrCache says that the cached copy is damaged. Removing it loses the memory of
	// which lists were seen.
	ErrCache = errors.New("trust: cached list is damaged")
)
