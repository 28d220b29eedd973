package dataintegritynpm

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/schema"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
	"github.com/staffpassport/staffpassport/vc/dataintegrity/legacy"
	"github.com/staffpassport/staffpassport/vc/verify"
)

// A legacySuite secures documents of data model 1.1.
type legacySuite struct {
	suite   dataintegrity.Suite
	context []vc.Context // of presentations; credentials have the passport's too
}

func legacySuites() []legacySuite {
	v1 := vc.Context{URL: vc.ContextV1}
	return []legacySuite{
		{legacy.Ed25519Signature2020(), []vc.Context{v1, {URL: "https://w3id.org/security/suites/ed25519-2020/v1"}}},
		{legacy.Ed25519Signature2018(), []vc.Context{v1}}, // which has the suite's terms
	}
}

func (s legacySuite) credentialContext() []vc.Context {
	return append(append([]vc.Context{}, s.context...), vc.Context{URL: schema.ContextURL})
}

func (s legacySuite) contexts(t testing.TB) *vc.ContextSet {
	t.Helper()
	set, err := vc.NewContextSet(map[string][]byte{schema.ContextURL: schema.ContextDocument()}, s.context, s.credentialContext())
	require.NoError(t, err)
	return set
}

func (s legacySuite) verifier(t testing.TB) *verify.Verifier {
	v := verifier(s.suite)
	v.Contexts = s.contexts(t)
	return v
}

// passport leaves out the photo, whose terms the context of data model 1.1 has not.
func (s legacySuite) passport(t testing.TB, issuer string, holder did.DID) *vc.Credential {
	c := part(t, passport(t, issuer, holder), false, "dbs", "rightToWork", "registration", "occupationalHealth", "employment")
	c.Context = s.credentialContext()
	return c
}

func TestLegacyCredential(t *testing.T) {
	t.Parallel()
	npm := start(t)
	for _, s := range legacySuites() {
		holder, name := newParty(t, "Ed25519"), s.suite.Name()
		bothAnswer := func(t *testing.T, c *vc.Credential, secured []byte) {
			theyAccept(t, npm, "verify", request(secured, "suite", name))
			require.JSONEq(t, text(t, c), text(t, weAccept(t, s.verifier(t), secured)))
			bothRefuse(t, npm, s.verifier(t), secured, "Acute Oncology", "suite", name)
			unlisted := s.verifier(t)
			unlisted.Suites = nil
			_, err := unlisted.Credential(t.Context(), credentialOf(string(secured)))
			require.ErrorIs(t, err, verify.ErrSuite)
		}
		t.Run(name+", ours", func(t *testing.T) {
			issuer := newParty(t, "Ed25519")
			c := s.passport(t, issuer.id.String(), holder.id)
			secured, err := (&dataintegrity.Issuer{Suite: s.suite, Signer: issuer.signer, Contexts: s.contexts(t), Now: clock}).Secure(t.Context(), c)
			require.NoError(t, err)
			bothAnswer(t, c, secured.Bytes)
		})
		t.Run(name+", theirs", func(t *testing.T) {
			issuer := newPeerParty(t, npm, "Ed25519")
			c := s.passport(t, issuer.DID, holder.id)
			bothAnswer(t, c, theyMake(t, npm, "issue", request([]byte(text(t, c)), "suite", name, "key", issuer.ID)))
		})
	}
}

func TestLegacyPresentation(t *testing.T) {
	t.Parallel()
	npm := start(t)
	for _, s := range legacySuites() {
		issuer, name := newParty(t, "Ed25519"), s.suite.Name()
		presentation := func(t *testing.T, holder did.DID) *vc.Presentation {
			credential, err := (&dataintegrity.Issuer{Suite: s.suite, Signer: issuer.signer, Contexts: s.contexts(t), Now: clock}).
				Secure(t.Context(), s.passport(t, issuer.id.String(), holder))
			require.NoError(t, err)
			p := vc.NewPresentation(holder, credential)
			p.Context = s.context
			return p
		}
		bothAnswer := func(t *testing.T, secured []byte, holder string) {
			n := theyAccept(t, npm, "verifyPresentation", request(secured, "suite", name, "domain", audience, "challenge", challenge))
			require.Equal(t, counted{Proofs: 1, Credentials: 1}, n)
			p, err := s.verifier(t).Presentation(t.Context(), vc.Secured{MediaType: vc.MediaTypePresentation, Bytes: secured}, session())
			require.NoError(t, err)
			require.Equal(t, holder, p.Holder().String())
			theyRefuse(t, npm, "verifyPresentation", request(secured, "suite", name, "domain", audience, "challenge", "another"), "challenge")
			changed(t, secured, "Acute Oncology", func(copy []byte, what string) {
				theyRefuse(t, npm, "verifyPresentation", request(copy, "suite", name, "domain", audience, "challenge", challenge), what)
				_, err := s.verifier(t).Presentation(t.Context(), vc.Secured{MediaType: vc.MediaTypePresentation, Bytes: copy}, session())
				require.Error(t, err, what)
			})
		}
		t.Run(name+", ours", func(t *testing.T) {
			holder := newParty(t, "Ed25519")
			presenter := &dataintegrity.Presenter{Suite: s.suite, Signer: holder.signer, Contexts: s.contexts(t), Now: clock}
			secured, err := presenter.Present(t.Context(), presentation(t, holder.id), audience, challenge)
			require.NoError(t, err)
			bothAnswer(t, secured.Bytes, holder.id.String())
		})
		t.Run(name+", theirs", func(t *testing.T) {
			holder := newPeerParty(t, npm, "Ed25519")
			secured := theyMake(t, npm, "present", request([]byte(text(t, presentation(t, parseDID(t, holder.DID)))),
				"suite", name, "key", holder.ID, "domain", audience, "challenge", challenge))
			bothAnswer(t, secured, holder.DID)
		})
	}
}
