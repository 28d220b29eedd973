// Package bls12bbs makes and verifies BBS signatures and proofs with the
// ciphersuite BLS12-381-SHA-256: draft-irtf-cfrg-bbs-signatures as of July 2025
// (the commit that the published fixtures were made from), interface H2G_HM2S_.
//
// An issuer signs a list of messages with [Scheme.Sign]. Whoever has the signature
// shows some of the messages with [Scheme.ProofGen], and [Scheme.ProofVerify]
// checks what was shown:
//
//	var s bls12bbs.Scheme
//	sig, err := s.Sign(sk, header, messages)
//	proof, err := s.ProofGen(pk, sig, header, ph, messages, []int{0, 4}, nil)
//	err = s.ProofVerify(pk, proof, header, ph, [][]byte{messages[0], messages[4]}, []int{0, 4})
//
// It does no blind signing and no pseudonyms, and it does not decide whether a
// presentation header was used before.
//
// # Secrets and time
//
// The curve arithmetic is gnark-crypto's. Its scalar multiplications and inversions
// take time that depends on the scalar and serve public values only. What touches the
// issuer's key (Sign, PublicKey) or the holder's blinding factors, signature and
// responses (ProofGen) goes through secret.go:
//
//   - a scalar multiplication there is one fixed sequence of doublings and additions,
//     whatever the scalar: signed odd digits, none of them zero, each looked up by
//     reading the whole table;
//   - it starts in random projective coordinates, because the library's field
//     additions end in a branch: what they branch on is then unrelated to the secret;
//   - an inverse is taken of a product with a random factor, which is then removed;
//   - the public key is computed from two random shares of the secret one.
//
// Left over are branches on whether a sum or difference of two scalars had to be
// reduced: in Sign of numbers that are multiplied by a random one, in ProofGen of
// numbers of which one is uniformly random.
//
// Messages are less than keys: issuer and holder both know them. The sum B over all of
// them does the same number of additions whatever they are, in random coordinates, so
// that the time tells nothing, but what it reads from its tables depends on them, which a process on the
// same processor that watches the cache could use to test a guess. Whoever cannot
// have that sets NoTables, which takes the fixed sequence for messages too. ProofVerify
// sums up what it was shown, all of it known to whoever sent it, in a time that depends
// on it.
//
// That Sign and ProofGen call nothing else with a secret is tested on the source
// (TestSecretsTakeTheRegularPath); BenchmarkSecretTiming measures.
package bls12bbs

import "errors"

// MaxMessages bounds the messages of one signature, as many as an SD-JWT may have
// disclosures: a longer list would let a stranger's proof cost seconds, one
// generator being 0.15 ms the first time it is used.
const MaxMessages = 512

// Lengths in bytes, section 7.2.2 of the draft.
const (
	SecretKeySize = 32
	PublicKeySize = 96
	SignatureSize = pointSize + scalarSize

	pointSize  = 48
	scalarSize = 32
	expandLen  = 48

	proofFloor = 3*pointSize + 4*scalarSize
)

var (
	// ErrKey says that bytes are no secret or public key: wrong length, out of
	// range, not on the curve, not in the subgroup, or the identity.
	ErrKey = errors.New("bls12bbs: not a key")
	// ErrSignature says that a signature is malformed or does not hold over the
	// header and messages.
	ErrSignature = errors.New("bls12bbs: signature does not verify")
	// ErrProof says that a proof is malformed or does not hold over the headers
	// and disclosed messages.
	ErrProof = errors.New("bls12bbs: proof does not verify")
	// ErrIndexes says that disclosed indexes are out of range, not ascending, or
	// not as many as the disclosed messages.
	ErrIndexes = errors.New("bls12bbs: disclosed indexes do not fit")
	// ErrTooMany says that there are more than MaxMessages messages.
	ErrTooMany = errors.New("bls12bbs: too many messages")
)

// A Scheme makes and verifies signatures and proofs. The zero value is ready, and a
// Scheme is safe for concurrent use. All Schemes of a process share what they cache.
type Scheme struct {
	// NoTables saves memory: without it, calls after the first 16 of a process build
	// tables of the multiples of the first 64 generators, one table of 0.4 MB (and
	// about 5 ms) a call until all that were used have one, which makes sums over
	// generators twice as fast. A process with a GOMEMLIMIT below 256 MiB has none in
	// any case.
	NoTables bool
}
