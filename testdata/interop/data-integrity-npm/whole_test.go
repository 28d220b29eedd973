package dataintegritynpm

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/schema"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
	"github.com/staffpassport/staffpassport/vc/dataintegrity/rdfc"
	"github.com/staffpassport/staffpassport/vc/verify"
)

// A wholeSuite secures documents as a whole.
type wholeSuite struct {
	suite   dataintegrity.Suite
	keyType string
}

func (s wholeSuite) String() string { return s.suite.Name() + " " + s.keyType }

func wholeSuites() []wholeSuite {
	return []wholeSuite{
		{rdfc.EdDSARDFC2022(), "Ed25519"},
		{dataintegrity.EdDSAJCS2022(), "Ed25519"},
		{rdfc.ECDSARDFC2019(), "P-256"},
		{rdfc.ECDSARDFC2019(), "P-384"},
		{dataintegrity.ECDSAJCS2019(), "P-256"},
		{dataintegrity.ECDSAJCS2019(), "P-384"},
	}
}

func (s wholeSuite) issuer(p party) *dataintegrity.Issuer {
	return &dataintegrity.Issuer{Suite: s.suite, Signer: p.signer, Contexts: schema.Contexts(), Now: clock}
}

func TestCredential(t *testing.T) {
	t.Parallel()
	npm := start(t)
	for _, s := range wholeSuites() {
		holder := newParty(t, "Ed25519")
		t.Run(s.String()+", ours", func(t *testing.T) {
			issuer := newParty(t, s.keyType)
			secured, err := s.issuer(issuer).Secure(t.Context(), passport(t, issuer.id.String(), holder.id))
			require.NoError(t, err)
			require.Equal(t, 1, theyAccept(t, npm, "verify", request(secured.Bytes)).Proofs)
			bothRefuse(t, npm, verifier(), secured.Bytes, "Hazel")
		})
		t.Run(s.String()+", theirs", func(t *testing.T) {
			issuer := newPeerParty(t, npm, s.keyType)
			c := passport(t, issuer.DID, holder.id)
			secured := theyMake(t, npm, "issue", request([]byte(text(t, c)), "suite", s.suite.Name(), "key", issuer.ID))
			got := weAccept(t, verifier(), secured)
			require.JSONEq(t, text(t, c), text(t, got))
			_, err := schema.Read(got)
			require.NoError(t, err)
			theyAccept(t, npm, "verify", request(secured))
			bothRefuse(t, npm, verifier(), secured, "Hazel")
		})
	}
}

func TestPresentation(t *testing.T) {
	t.Parallel()
	npm := start(t)
	for _, s := range wholeSuites() {
		issuer := newParty(t, s.keyType)
		bothAnswer := func(t *testing.T, secured []byte, holder string) {
			n := theyAccept(t, npm, "verifyPresentation", request(secured, "domain", audience, "challenge", challenge))
			require.Equal(t, counted{Proofs: 1, Credentials: 1}, n)
			p, err := verifier().Presentation(t.Context(), vc.Secured{MediaType: vc.MediaTypePresentation, Bytes: secured}, session())
			require.NoError(t, err)
			require.Equal(t, holder, p.Holder().String())

			for _, other := range [][2]string{{"did:web:alder.example", challenge}, {audience, "another"}} {
				theyRefuse(t, npm, "verifyPresentation", request(secured, "domain", other[0], "challenge", other[1]), "session")
				_, err := verifier().Presentation(t.Context(), vc.Secured{MediaType: vc.MediaTypePresentation, Bytes: secured}, verify.Session{Audience: other[0], Nonce: other[1]})
				require.Error(t, err)
			}
			changed(t, secured, "Hazel", func(copy []byte, what string) {
				theyRefuse(t, npm, "verifyPresentation", request(copy, "domain", audience, "challenge", challenge), what)
				_, err := verifier().Presentation(t.Context(), vc.Secured{MediaType: vc.MediaTypePresentation, Bytes: copy}, session())
				require.Error(t, err, what)
			})
		}
		t.Run(s.String()+", ours", func(t *testing.T) {
			holder := newParty(t, s.keyType)
			credential, err := s.issuer(issuer).Secure(t.Context(), passport(t, issuer.id.String(), holder.id))
			require.NoError(t, err)
			presenter := &dataintegrity.Presenter{Suite: s.suite, Signer: holder.signer, Contexts: schema.Contexts(), Lifetime: time.Minute, Now: clock}
			secured, err := presenter.Present(t.Context(), vc.NewPresentation(holder.id, credential), audience, challenge)
			require.NoError(t, err)
			bothAnswer(t, secured.Bytes, holder.id.String())
		})
		t.Run(s.String()+", theirs", func(t *testing.T) {
			holder := newPeerParty(t, npm, s.keyType)
			id := parseDID(t, holder.DID)
			credential, err := s.issuer(issuer).Secure(t.Context(), passport(t, issuer.id.String(), id))
			require.NoError(t, err)
			secured := theyMake(t, npm, "present", request([]byte(text(t, vc.NewPresentation(id, credential))),
				"suite", s.suite.Name(), "key", holder.ID, "domain", audience, "challenge", challenge))
			bothAnswer(t, secured, holder.DID)
		})
	}
}
