// Package status tells whether a credential was withdrawn after it was issued: W3C
// Bitstring Status List v1.0 (Recommendation of 15 May 2025), both ways, and the
// IETF's Token Status List (draft-ietf-oauth-status-list-20), to read.
//
// A status list is a string of bits, one for each credential of an issuer, published
// as a credential of its own. A verifier fetches it whole, so that the issuer does not
// learn whose status was asked for.
//
//	issuer                                          verifier
//	entry := status.Entry(url, purpose, index)      lists := &status.Lists{Client: client}
//	cred, err := (&status.List{...}).Credential()   v := &verify.Verifier{Status: lists, ...}
//	secured, err := securer.Secure(ctx, cred)       c, err := v.Credential(ctx, received)
//
// Give a [Lists] to a verify.Verifier, which asks it about every credential that has a
// status, and finds out whose the lists are. Issuers that keep their lists in a wallet
// use package statuslist below wallet; without one, fill a [Bits] and call
// [List.Credential].
//
// What is not known counts as withdrawn: a list that cannot be had now, is too old, of
// somebody else or of another purpose is an error with a code of its own, and never
// "not revoked". The package fetches with the client it is given and with no other. It
// publishes nothing, and does not keep what it fetched over the end of the process.
package status
