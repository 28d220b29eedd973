package dataintegritynpm

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/schema"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
	"github.com/staffpassport/staffpassport/vc/dataintegrity/rdfc"
	"github.com/staffpassport/staffpassport/vc/verify"
)

// spoiled is a secured document with one proof value changed, the nth.
func spoiled(t testing.TB, secured []byte, n int) []byte {
	t.Helper()
	at := 0
	for range n + 1 {
		const member = `"proofValue":"`
		i := bytes.Index(secured[at:], []byte(member))
		require.GreaterOrEqual(t, i, 0)
		at += i + len(member)
	}
	out := bytes.Clone(secured)
	out[at+20] ^= 1
	return out
}

func TestProofSet(t *testing.T) {
	t.Parallel()
	npm := start(t)
	bothAnswer := func(t *testing.T, secured []byte) {
		require.Equal(t, 2, theyAccept(t, npm, "verify", request(secured)).Proofs)
		weAccept(t, verifier(), secured)
		for n := range 2 {
			broken := spoiled(t, secured, n)
			_, err := verifier().Credential(t.Context(), credentialOf(string(broken)))
			require.Error(t, err)
			theyRefuse(t, npm, "verify", request(broken), "one of two")
			// The library by itself is content with the other proof.
			theyAccept(t, npm, "verify", request(broken, "any", true))
		}
		broken := spoiled(t, spoiled(t, secured, 0), 1)
		theyRefuse(t, npm, "verify", request(broken, "any", true), "both")
	}
	t.Run("ours", func(t *testing.T) {
		issuer := newParty(t, "Ed25519")
		first := wholeSuite{suite: rdfc.EdDSARDFC2022()}.issuer(issuer)
		second := wholeSuite{suite: dataintegrity.EdDSAJCS2022()}.issuer(issuer)
		secured, err := first.Secure(t.Context(), passport(t, issuer.id.String(), newParty(t, "Ed25519").id))
		require.NoError(t, err)
		secured, err = second.AddProof(t.Context(), secured, dataintegrity.Proof{})
		require.NoError(t, err)
		bothAnswer(t, secured.Bytes)
	})
	t.Run("theirs", func(t *testing.T) {
		issuer := newPeerParty(t, npm, "Ed25519")
		c := passport(t, issuer.DID, newParty(t, "Ed25519").id)
		secured := theyMake(t, npm, "issue", request([]byte(text(t, c)), "suite", "eddsa-jcs-2022", "key", issuer.ID))
		secured = theyMake(t, npm, "add", request(secured, "suite", "eddsa-rdfc-2022", "key", issuer.ID))
		bothAnswer(t, secured)
	})
	t.Run("ours added to theirs", func(t *testing.T) {
		issuer := newPeerParty(t, npm, "P-256")
		witness := newParty(t, "P-384")
		c := passport(t, issuer.DID, newParty(t, "Ed25519").id)
		secured := theyMake(t, npm, "issue", request([]byte(text(t, c)), "suite", "ecdsa-rdfc-2019", "key", issuer.ID))
		both, err := wholeSuite{suite: rdfc.ECDSARDFC2019()}.issuer(witness).AddProof(t.Context(), credentialOf(string(secured)), dataintegrity.Proof{})
		require.NoError(t, err)
		// Both sides know the issuer alone for a proof of a credential.
		theyRefuse(t, npm, "verify", request(both.Bytes), "witness")
		theyAccept(t, npm, "verify", request(both.Bytes, "any", true))
		v := verifier()
		_, err = v.Credential(t.Context(), credentialOf(string(both.Bytes)))
		require.ErrorIs(t, err, verify.ErrControllerMismatch)
		v.UnsafeIssuerNotController = true
		weAccept(t, v, both.Bytes)
	})
}

// The peer knows no chains: it looks at each proof as if it were alone, and finds
// that one which covers others does not fit the document.
func TestProofChain(t *testing.T) {
	t.Parallel()
	npm := start(t)
	issuer := newParty(t, "Ed25519")
	for _, suite := range []dataintegrity.Suite{rdfc.EdDSARDFC2022(), dataintegrity.EdDSAJCS2022()} {
		t.Run(suite.Name(), func(t *testing.T) {
			i := wholeSuite{suite: suite}.issuer(issuer)
			const first = "urn:uuid:26329423-bec9-4b2e-88cb-a7c7d9dc4544"
			secured, err := i.SecureWith(t.Context(), passport(t, issuer.id.String(), newParty(t, "Ed25519").id), dataintegrity.Proof{ID: first})
			require.NoError(t, err)
			chain, err := i.AddProof(t.Context(), secured, dataintegrity.Proof{Previous: []string{first}})
			require.NoError(t, err)
			weAccept(t, verifier(), chain.Bytes)
			theyAccept(t, npm, "verify", request(secured.Bytes))
			theyAccept(t, npm, "verify", request(chain.Bytes, "any", true))
			theyRefuse(t, npm, "verify", request(chain.Bytes), "chain")
			theyRefuse(t, npm, "verify", request(spoiled(t, chain.Bytes, 0), "any", true), "chain alone")
		})
	}
}

// A term without a meaning would not be part of what is signed: neither side signs.
func TestUndefinedTerm(t *testing.T) {
	t.Parallel()
	npm := start(t)
	for _, s := range []wholeSuite{{rdfc.EdDSARDFC2022(), "Ed25519"}, {rdfc.ECDSARDFC2019(), "P-256"}} {
		t.Run(s.String(), func(t *testing.T) {
			ours, theirs := newParty(t, s.keyType), newPeerParty(t, npm, s.keyType)
			withTerm := func(issuer string) *vc.Credential {
				c := passport(t, issuer, newParty(t, "Ed25519").id)
				c.Subject = bytes.Replace(c.Subject, []byte(`"firstName"`), []byte(`"favouriteRiver"`), 1)
				return c
			}
			_, err := s.issuer(ours).Secure(t.Context(), withTerm(ours.id.String()))
			require.ErrorIs(t, err, dataintegrity.ErrUndefinedTerm)
			theyRefuse(t, npm, "issue", request([]byte(text(t, withTerm(theirs.DID))), "suite", s.suite.Name(), "key", theirs.ID), "undefined term")
			_, err = schema.Read(withTerm(theirs.DID))
			require.NoError(t, err) // no fault of the schema
		})
	}
}
