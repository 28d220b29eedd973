// Package schema says what a staff passport holds: the facts an employer attests
// about a member of staff, their code lists, their format rules, and the photo.
//
// To issue, read a record with [ParseRecord] (or fill a [Passport] in Go) and
// call [Passport.Credential]; it fails with a [*ValidationError] that lists
// everything wrong at once. To use a passport that was shown, verify it first
// (package vc/verify) and hand the verified document to [Read].
//
//	personal            name(s), date of birth, National Insurance number, photo
//	dbs                 Disclosure and Barring Service certificate
//	rightToWork         residency status or visa, and how it was checked
//	registration        professional body, number, dates, status
//	occupationalHealth  clearance status only, never clinical data
//	employment          employer, role, dates, pay band, identifiers
//
// A field never stays empty: one for which there is no data holds the full words
// "Not Available" or "Not Applicable". In Go these are states of a [Value], so
// that no program compares strings; on the wire they stay those exact words.
//
// The types are the one source of the JSON form, of [Fields] for a form, of the
// JSON Schema in passport.schema.json, and of the JSON-LD context in
// context-v1.jsonld, which [Contexts] gives to issuers, holders and verifiers.
//
// One credential serves every format. [Disclosable] says what a holder can withhold
// and [Mandatory] what not, [DisclosureSets] what a host asks for and why.
//
// The facts come from the documents of the two passports that existed and from
// public registers. Comments mark each as [V] seen in a public source, [G]
// general knowledge that nobody has checked, or [I] our own proposal.
//
// This package does not decide whom to trust, checks no signature, keeps no
// clock, and reads nothing from the network. It is an example of a passport and
// no service of any health authority.
package schema

const (
	// ContextURL is the JSON-LD context of the passport's own terms. The version
	// is part of it: a term whose meaning changes gets a new URL.
	ContextURL = "https://w3id.org/staffpassport/v1"

	// Type is the credential type of a passport (Verifiable Credentials Data
	// Model 2.0 section 4.5).
	Type = "StaffPassportCredential"
)
