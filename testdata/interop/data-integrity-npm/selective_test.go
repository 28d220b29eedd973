package dataintegritynpm

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"slices"
	"testing"

	"github.com/fxamacker/cbor/v2"
	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/schema"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
	"github.com/staffpassport/staffpassport/vc/dataintegrity/bbs"
	"github.com/staffpassport/staffpassport/vc/dataintegrity/ecdsasd"
	"github.com/staffpassport/staffpassport/vc/disclose"
	"github.com/staffpassport/staffpassport/vc/verify"
)

// A selectiveSuite secures credentials of which the holder shows parts.
type selectiveSuite struct {
	name, keyType string
	header        []byte // what a derived proof is bound to, in bbs-2023
	suite         func(mandatory ...vc.Pointer) dataintegrity.Suite
	derive        func(t testing.TB, base vc.Secured, reveal []vc.Pointer) (vc.Secured, error)
	isBound       int // the part of a derived proof value that is new each time, or -1
}

func selectiveSuites() []selectiveSuite {
	header := bbs.SessionHeader(audience, challenge)
	return []selectiveSuite{
		{"ecdsa-sd-2023", "P-256", nil, ecdsasd.Suite, func(t testing.TB, base vc.Secured, reveal []vc.Pointer) (vc.Secured, error) {
			return ecdsasd.Derive(t.Context(), base, reveal, schema.Contexts())
		}, -1},
		{"bbs-2023", "BLS12381", header, bbs.Suite, func(t testing.TB, base vc.Secured, reveal []vc.Pointer) (vc.Secured, error) {
			return bbs.Derive(t.Context(), base, reveal, schema.Contexts(), header)
		}, 0},
	}
}

// theyVerify are the members of a request to verify what was derived.
func (s selectiveSuite) theyVerify() []any {
	if s.header == nil {
		return nil
	}
	return []any{"presentationHeader", base64.StdEncoding.EncodeToString(s.header)}
}

// A kind of passport: of many sizes, since the peer takes seconds for each operation of
// bbs-2023, more with each statement.
type kind func(t testing.TB, c *vc.Credential) *vc.Credential

func sample(_ testing.TB, c *vc.Credential) *vc.Credential { return c }

// wide has more than ten blank nodes and few statements.
func wide(t testing.TB, c *vc.Credential) *vc.Credential {
	return claiming(t, c, `{
		"personal": {"firstName": "Hazel", "assurance": {"origin": "A"}}, "dbs": {"level": "Basic", "assurance": {"origin": "B"}},
		"rightToWork": {"status": "C", "assurance": {"origin": "C"}}, "registration": {"body": "NMC", "assurance": {"origin": "D"}},
		"occupationalHealth": {"assurance": {"origin": "E"}}, "employment": {"vpd": "101", "assurance": {"origin": "A"}}}`)
}

// whole has more than ten blank nodes and many statements.
func whole(t testing.TB, c *vc.Credential) *vc.Credential {
	return part(t, c, true, "personal", "dbs", "rightToWork", "registration", "occupationalHealth", "employment")
}

func small(t testing.TB, c *vc.Credential) *vc.Credential {
	return claiming(t, c, `{
		"personal": {"firstName": "Hazel", "dateOfBirth": "1988-04-17", "assurance": {"origin": "A", "pedigree": "B"}},
		"registration": {"body": "NMC", "number": "10A0101B"}, "occupationalHealth": {"clearance": "Cleared"}}`)
}

func tiny(t testing.TB, c *vc.Credential) *vc.Credential {
	return part(t, c, false, "registration", "occupationalHealth")
}

// several has two subjects, the first with several first names.
func several(t testing.TB, c *vc.Credential) *vc.Credential {
	c = withValue(small(t, c), `["Tamar", "Hazel", "Rowan", "Alder"]`)
	c.Subject = json.RawMessage(`[` + string(c.Subject) + `, {"occupationalHealth": {"clearance": "Cleared"}}, {"dbs": {"workforce": "Adult"}}]`)
	return c
}

// weBase issues a passport, by a new issuer.
func (s selectiveSuite) weBase(t testing.TB, holder did.DID, k kind) vc.Secured {
	t.Helper()
	issuer := newParty(t, s.keyType)
	base, err := (&dataintegrity.Issuer{Suite: s.suite(), Signer: issuer.signer, Contexts: schema.Contexts(), Now: clock}).
		Secure(t.Context(), k(t, passport(t, issuer.id.String(), holder)))
	require.NoError(t, err)
	return base
}

// theyBase has the peer issue one.
func (s selectiveSuite) theyBase(t testing.TB, p *peer, holder did.DID, k kind) vc.Secured {
	t.Helper()
	issuer := newPeerParty(t, p, s.keyType)
	c := k(t, passport(t, issuer.DID, holder))
	mandatory := []vc.Pointer{"/issuer", "/validFrom", "/validUntil"}
	if !holder.IsZero() && c.Subject[0] == '{' {
		mandatory = append(mandatory, "/credentialSubject/id")
	}
	return credentialOf(string(theyMake(t, p, "issue", request([]byte(text(t, c)), "suite", s.name, "key", issuer.ID, "mandatory", mandatory))))
}

func (s selectiveSuite) theyDerive(t testing.TB, p *peer, base vc.Secured, reveal []vc.Pointer) []byte {
	t.Helper()
	return theyMake(t, p, "derive", request(base.Bytes, append(s.theyVerify(), "suite", s.name, "reveal", reveal)...))
}

// A case of what is shown.
type revealing struct {
	name   string
	of     kind
	reveal []vc.Pointer
}

func revealings(unlinkable bool) []revealing {
	all := []revealing{
		{"identity check", sample, schema.IdentityCheck().Ask},
		{"many blank nodes", wide, []vc.Pointer{"/credentialSubject/employment", "/credentialSubject/dbs/assurance/origin", "/credentialSubject/personal/firstName"}},
		{"one field", small, []vc.Pointer{"/credentialSubject/registration/number"}},
		{"a section", small, []vc.Pointer{"/credentialSubject/personal"}},
		{"overlapping", small, []vc.Pointer{"/credentialSubject/personal/assurance/origin", "/credentialSubject/personal", "/credentialSubject/registration/body", "/credentialSubject/personal/assurance"}},
		{"everything", small, []vc.Pointer{""}},
	}
	if unlinkable {
		return all
	}
	return append(all,
		revealing{"identity check of whole", whole, schema.IdentityCheck().Ask},
		revealing{"clinical start of whole", whole, schema.ClinicalStart().Ask},
		revealing{"onboarding of whole", whole, schema.Onboarding().Ask},
		revealing{"everything of whole", whole, []vc.Pointer{""}},
		revealing{"what is mandatory", small, []vc.Pointer{}},
		revealing{"of several", several, []vc.Pointer{"/credentialSubject/1/occupationalHealth", "/credentialSubject/0/personal/firstName/2", "/credentialSubject/0/personal/firstName/0"}})
}

func TestDerived(t *testing.T) {
	t.Parallel()
	for _, s := range selectiveSuites() {
		var holder did.DID // none: what is shown with bbs-2023 must not link
		if s.header == nil {
			holder = newParty(t, "Ed25519").id
		}
		for _, by := range []string{"ours", "theirs"} {
			t.Run(s.name+", base "+by, func(t *testing.T) {
				t.Parallel()
				npm := start(t)
				for _, c := range revealings(s.header != nil) {
					var base vc.Secured
					if by == "ours" {
						base = s.weBase(t, holder, c.of)
					} else {
						base = s.theyBase(t, npm, holder, c.of)
					}
					t.Run(c.name, func(t *testing.T) {
						ours, err := s.derive(t, base, c.reveal)
						require.NoError(t, err)
						theirs := s.theyDerive(t, npm, base, c.reveal)
						for _, derived := range [][]byte{ours.Bytes, theirs} {
							theyAccept(t, npm, "verify", request(derived, s.theyVerify()...))
							weAccept(t, verifier(), derived)
							require.Equal(t, slices.Equal(c.reveal, []vc.Pointer{""}), bytes.Contains(derived, []byte("dateOfBirth")) && bytes.Contains(derived, []byte("clearance")))
						}
						s.same(t, ours.Bytes, theirs)
					})
				}
			})
		}
	}
}

// A credential without a subject is none, to either side.
func TestNothingShown(t *testing.T) {
	t.Parallel()
	npm := start(t)
	s := selectiveSuites()[1]
	base := s.weBase(t, did.DID{}, tiny)
	derived := s.theyDerive(t, npm, base, []vc.Pointer{})
	theyRefuse(t, npm, "verify", request(derived, s.theyVerify()...), "no subject")
	_, err := verifier().Credential(t.Context(), credentialOf(string(derived)))
	require.ErrorIs(t, err, verify.ErrMalformed)
	_, err = disclose.Derive(t.Context(), disclose.Request{Audience: audience, Nonce: challenge, Contexts: schema.Contexts(), Now: clock}, base)
	require.ErrorIs(t, err, disclose.ErrNothing)
}

// same sees that two derived credentials say the same, with the same proof but for
// the part that is random.
func (s selectiveSuite) same(t testing.TB, a, b []byte) {
	t.Helper()
	split := func(secured []byte) (document string, value []any) {
		var m map[string]any
		require.NoError(t, json.Unmarshal(secured, &m))
		proof := m["proof"].(map[string]any)
		b, err := base64.RawURLEncoding.DecodeString(proof["proofValue"].(string)[1:])
		require.NoError(t, err)
		require.NoError(t, cbor.Unmarshal(b[3:], &value))
		if s.isBound >= 0 {
			value[s.isBound] = len(value[s.isBound].([]byte))
			proof["proofValue"] = ""
		}
		return text(t, m), value
	}
	document, value := split(a)
	otherDocument, otherValue := split(b)
	require.JSONEq(t, document, otherDocument)
	require.Equal(t, value, otherValue)
}

func TestDerivedIsRefusedWhenChanged(t *testing.T) {
	t.Parallel()
	npm := start(t)
	for _, s := range selectiveSuites() {
		reveal := []vc.Pointer{"/credentialSubject/registration/number", "/credentialSubject/occupationalHealth"}
		t.Run(s.name+", ours", func(t *testing.T) {
			derived, err := s.derive(t, s.theyBase(t, npm, did.DID{}, tiny), reveal)
			require.NoError(t, err)
			bothRefuse(t, npm, verifier(), derived.Bytes, "10A0101B", s.theyVerify()...)
		})
		t.Run(s.name+", theirs", func(t *testing.T) {
			derived := s.theyDerive(t, npm, s.weBase(t, did.DID{}, tiny), reveal)
			bothRefuse(t, npm, verifier(), derived, "10A0101B", s.theyVerify()...)
		})
	}
}

// A base proof is for the holder. The holder can find out that it is the issuer's.
func TestBase(t *testing.T) {
	t.Parallel()
	npm := start(t)
	for _, s := range selectiveSuites() {
		var holder did.DID
		if s.header == nil {
			holder = newParty(t, "Ed25519").id
		}
		for by, base := range map[string]vc.Secured{"ours": s.weBase(t, holder, small), "theirs": s.theyBase(t, npm, holder, small)} {
			t.Run(s.name+", "+by, func(t *testing.T) {
				theyRefuse(t, npm, "verify", request(base.Bytes), "base proof")
				_, err := verifier().Credential(t.Context(), base)
				require.ErrorIs(t, err, verify.ErrBaseProof)

				_, err = disclose.Check(t.Context(), verifier(), base)
				require.NoError(t, err)
				changed(t, base.Bytes, "Hazel", func(copy []byte, what string) {
					_, err := disclose.Check(t.Context(), verifier(), credentialOf(string(copy)))
					require.Error(t, err, what)
				})
				if s.header != nil { // the peer has no such check for bbs-2023
					return
				}
				theyAccept(t, npm, "confirm", request(base.Bytes))
				changed(t, base.Bytes, "Hazel", func(copy []byte, what string) {
					theyRefuse(t, npm, "confirm", request(copy), what)
				})
			})
		}
	}
}

// The peer's check fails on its own proof if a blank node is mandatory, here that of
// the subject.
func TestPeerCannotConfirmBlankNodes(t *testing.T) {
	t.Parallel()
	npm := start(t)
	s := selectiveSuites()[0]
	issuer := newPeerParty(t, npm, s.keyType)
	c := small(t, passport(t, issuer.DID, did.DID{}))
	base := theyMake(t, npm, "issue", request([]byte(text(t, c)), "suite", s.name, "key", issuer.ID,
		"mandatory", []vc.Pointer{"/issuer", "/credentialSubject/registration"}))
	theyRefuse(t, npm, "confirm", request(base), "its own")
	_, err := disclose.Check(t.Context(), verifier(), credentialOf(string(base)))
	require.NoError(t, err)
	theyAccept(t, npm, "verify", request(s.theyDerive(t, npm, credentialOf(string(base)), []vc.Pointer{""})))
}

// A proof that shows when it was made shows which credential it was made of. The peer
// leaves the time out, and the day is all that there is in ours.
func TestCreated(t *testing.T) {
	t.Parallel()
	npm := start(t)
	s := selectiveSuites()[1]
	require.NotContains(t, string(s.theyBase(t, npm, did.DID{}, tiny).Bytes), `"created"`)
	require.Contains(t, string(s.weBase(t, did.DID{}, tiny).Bytes), `"created":"2026-06-02T00:00:00Z"`)
}

// What is shown with ecdsa-sd-2023 is in a presentation that its holder proves, with
// the suites of both sides.
func TestDerivedIsPresented(t *testing.T) {
	t.Parallel()
	npm := start(t)
	s := selectiveSuites()[0]
	ask := schema.IdentityCheck().Ask
	bothAccept := func(t *testing.T, secured []byte, holder did.DID) {
		n := theyAccept(t, npm, "verifyPresentation", request(secured, "domain", audience, "challenge", challenge))
		require.Equal(t, counted{Proofs: 1, Credentials: 1}, n)
		p, err := verifier().Presentation(t.Context(), vc.Secured{MediaType: vc.MediaTypePresentation, Bytes: secured}, session())
		require.NoError(t, err)
		require.Equal(t, holder, p.Holder())
	}
	t.Run("ours", func(t *testing.T) {
		holder := newParty(t, "P-256")
		shown, err := disclose.Derive(t.Context(), disclose.Request{Reveal: ask, Holder: holder.signer, Audience: audience,
			Nonce: challenge, Contexts: schema.Contexts(), Now: clock}, s.theyBase(t, npm, holder.id, whole))
		require.NoError(t, err)
		bothAccept(t, shown.Bytes, holder.id)
	})
	t.Run("theirs", func(t *testing.T) {
		holder := newPeerParty(t, npm, "Ed25519")
		id := parseDID(t, holder.DID)
		derived := s.theyDerive(t, npm, s.weBase(t, id, whole), ask)
		secured := theyMake(t, npm, "present", request([]byte(text(t, vc.NewPresentation(id, credentialOf(string(derived))))),
			"suite", "eddsa-rdfc-2022", "key", holder.ID, "domain", audience, "challenge", challenge))
		bothAccept(t, secured, id)
	})
}

// What is shown with bbs-2023 has no holder's proof: it is bound to the session by
// its presentation header.
func TestBearerPresentation(t *testing.T) {
	t.Parallel()
	npm := start(t)
	s := selectiveSuites()[1]
	ask := []vc.Pointer{"/credentialSubject/registration"}
	v := verifier()
	v.Holder = verify.Bearer
	bothAnswer := func(t *testing.T, secured []byte) {
		var n counted
		require.NoError(t, npm.ask(t, "verifyPresentation", request(secured, append(s.theyVerify(), "unsigned", true)...), &n))
		require.Equal(t, counted{Credentials: 1}, n)
		shown := vc.Secured{MediaType: vc.MediaTypePresentation, Bytes: secured}
		_, err := v.Presentation(t.Context(), shown, session())
		require.NoError(t, err)

		other := bbs.SessionHeader(audience, "another")
		theyRefuse(t, npm, "verifyPresentation", request(secured, "unsigned", true,
			"presentationHeader", base64.StdEncoding.EncodeToString(other)), "presentation header")
		_, err = v.Presentation(t.Context(), shown, verify.Session{Audience: audience, Nonce: "another"})
		require.ErrorIs(t, err, verify.ErrChallenge)
	}
	t.Run("ours", func(t *testing.T) {
		shown, err := disclose.Derive(t.Context(), disclose.Request{Reveal: ask, Audience: audience, Nonce: challenge,
			Contexts: schema.Contexts(), Now: clock}, s.theyBase(t, npm, did.DID{}, tiny))
		require.NoError(t, err)
		bothAnswer(t, shown.Bytes)
	})
	t.Run("theirs", func(t *testing.T) {
		derived := s.theyDerive(t, npm, s.weBase(t, did.DID{}, tiny), ask)
		bothAnswer(t, []byte(text(t, vc.NewPresentation(did.DID{}, credentialOf(string(derived))))))
	})
}
