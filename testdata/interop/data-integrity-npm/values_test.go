package dataintegritynpm

import (
	"bytes"
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/schema"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
	"github.com/staffpassport/staffpassport/vc/dataintegrity/ecdsasd"
	"github.com/staffpassport/staffpassport/vc/dataintegrity/rdfc"
	"github.com/staffpassport/staffpassport/vc/verify"
)

// withValue puts a value in JSON in the place of a first name.
func withValue(c *vc.Credential, value string) *vc.Credential {
	c.Subject = bytes.Replace(c.Subject, []byte(`"Hazel"`), []byte(value), 1)
	return c
}

// A valueCase is a value that canonical forms may be wrong about, and the suites with
// which the peer has another form than the specifications, as README.md says.
type valueCase struct {
	name, value string
	differ      []string
}

func values() []valueCase {
	return []valueCase{
		{"accents", `"Zoë Ó Súilleabháin"`, nil},
		{"decomposed", `"Zoe\u0308"`, nil},
		{"outside the plane", `"\ud83c\udf3f"`, nil},
		{"quote, backslash", `"\"Hazel\" \\ Tamar"`, nil},
		{"white space", `" a\tb\nc\rd\u00a0 "`, nil},
		{"controls", `"\u0000\u0001\b\f\u001f\u007f\u0080"`, nil},
		{"line separators", `"\u2028\u2029"`, nil},
		{"noncharacters", `"\ufffe\uffff"`, []string{"eddsa-rdfc-2022", "ecdsa-sd-2023"}},
		{"empty text", `""`, nil},
		{"HTML", `"<a href='x'>&amp;</a>"`, nil},
		{"looks like a blank node", `"_:c14n0 <urn:x> \"y\" ."`, []string{"ecdsa-sd-2023"}},
		{"right to left", `"\u202eleh\u202c \u05d4"`, nil},
		{"true", `true`, nil},
		{"integer", `12`, nil},
		{"fraction", `37.5`, nil},
		{"whole fraction", `5.0`, nil},
		{"exponent", `1.5e-7`, nil},
		{"large", `9007199254740991`, nil},
		{"larger", `1e21`, nil},
		{"many", `["Hazel", "hazel", "Z", "a"]`, nil},
		{"mixed", `["1", 1, 1.5, true, "true"]`, nil},
	}
}

func TestValues(t *testing.T) {
	t.Parallel()
	npm := start(t)
	suites := []wholeSuite{{rdfc.EdDSARDFC2022(), "Ed25519"}, {dataintegrity.EdDSAJCS2022(), "Ed25519"}, {ecdsasd.Suite(), "P-256"}}
	for _, c := range values() {
		for _, s := range suites {
			t.Run(c.name+", "+s.String(), func(t *testing.T) {
				agree := !slices.Contains(c.differ, s.suite.Name())
				change := func(c2 *vc.Credential) *vc.Credential { return withValue(c2, c.value) }
				s.bothWays(t, npm, change, func(secured []byte, ours bool) {
					if !agree {
						if ours {
							weAccept(t, verifier(), secured)
							theyRefuse(t, npm, "verify", request(secured), "ours")
							return
						}
						_, err := verifier().Credential(t.Context(), credentialOf(string(secured)))
						require.ErrorIs(t, err, verify.ErrProof)
						return
					}
					theyAccept(t, npm, "verify", request(secured))
					var subject struct {
						Personal struct{ FirstName json.RawMessage }
					}
					require.NoError(t, json.Unmarshal(weAccept(t, verifier(), secured).Subject, &subject))
					require.JSONEq(t, c.value, string(subject.Personal.FirstName))
				})
			})
		}
	}
}

func TestClaimLikeABlankNode(t *testing.T) {
	t.Parallel()
	npm := start(t)
	s := selectiveSuites()[1]
	odd := func(t testing.TB, c *vc.Credential) *vc.Credential {
		return claiming(t, c, `{"personal": {"firstName": "_:c14n0 Hazel", "lastName": "Severn"}}`)
	}
	derived, err := s.derive(t, s.weBase(t, did.DID{}, odd), []vc.Pointer{"/credentialSubject/personal/firstName"})
	require.NoError(t, err)
	weAccept(t, verifier(), derived.Bytes)
	theyRefuse(t, npm, "verify", request(derived.Bytes, s.theyVerify()...), "label in a claim")
	derived, err = s.derive(t, s.weBase(t, did.DID{}, odd), []vc.Pointer{"/credentialSubject/personal/lastName"})
	require.NoError(t, err)
	theyAccept(t, npm, "verify", request(derived.Bytes, s.theyVerify()...)) // what is hidden does not matter
}

// bothWays calls f with a credential secured by us and one secured by the peer. Of a
// base proof that is one derived by us.
func (s wholeSuite) bothWays(t *testing.T, npm *peer, change func(*vc.Credential) *vc.Credential, f func(secured []byte, ours bool)) {
	t.Helper()
	holder, ours, theirs := newParty(t, "Ed25519"), newParty(t, s.keyType), newPeerParty(t, npm, s.keyType)
	first, err := s.issuer(ours).Secure(t.Context(), change(small(t, passport(t, ours.id.String(), holder.id))))
	require.NoError(t, err)
	document := text(t, change(small(t, passport(t, theirs.DID, holder.id))))
	second := theyMake(t, npm, "issue", request([]byte(document), "suite", s.suite.Name(), "key", theirs.ID))
	for i, secured := range []vc.Secured{first, credentialOf(string(second))} {
		if s.suite.Name() == "ecdsa-sd-2023" {
			secured, err = ecdsasd.Derive(t.Context(), secured, []vc.Pointer{""}, schema.Contexts())
			require.NoError(t, err)
		}
		f(secured.Bytes, i == 0)
	}
}

// RDF Canonicalization 1.0 has statements in the order of code points, and the peer
// has them in that of UTF-16, which differs if one of two characters that decide is
// outside the basic plane and the other at its end.
func TestOrderOfStatements(t *testing.T) {
	t.Parallel()
	npm := start(t)
	for _, c := range []struct {
		name, value string
		agree       bool
	}{
		{"in the plane", `["\uff5e", "\u00e9"]`, true},
		{"before the surrogates", `["\ud7ff", "\ud83c\udf3f"]`, true},
		{"after the surrogates", `["\uff5e", "\ud83c\udf3f"]`, false},
	} {
		for _, s := range []wholeSuite{{rdfc.EdDSARDFC2022(), "Ed25519"}, {dataintegrity.EdDSAJCS2022(), "Ed25519"}} {
			t.Run(c.name+", "+s.String(), func(t *testing.T) {
				holder, ours, theirs := newParty(t, "Ed25519"), newParty(t, s.keyType), newPeerParty(t, npm, s.keyType)
				secured, err := s.issuer(ours).Secure(t.Context(), withValue(passport(t, ours.id.String(), holder.id), c.value))
				require.NoError(t, err)
				agree := c.agree || s.suite.Name() == "eddsa-jcs-2022"
				var n counted
				require.Equal(t, agree, npm.ask(t, "verify", request(secured.Bytes), &n) == nil)
				document := text(t, withValue(passport(t, theirs.DID, holder.id), c.value))
				made := theyMake(t, npm, "issue", request([]byte(document), "suite", s.suite.Name(), "key", theirs.ID))
				_, err = verifier().Credential(t.Context(), credentialOf(string(made)))
				require.Equal(t, agree, err == nil)
			})
		}
	}
}

// Members of the data model beside the claims mean the same to both.
func TestMembers(t *testing.T) {
	t.Parallel()
	npm := start(t)
	for name, change := range map[string]func(c *vc.Credential){
		"name and description": func(c *vc.Credential) {
			c.Other = map[string]json.RawMessage{"name": json.RawMessage(`"Passport"`), "description": json.RawMessage(`"of a member of staff"`)}
		},
		"languages": func(c *vc.Credential) {
			c.Other = map[string]json.RawMessage{"name": json.RawMessage(`[{"@value":"Pasbort","@language":"cy"},{"@value":"Passport","@language":"en-GB"}]`)}
		},
		"issuer with a name": func(c *vc.Credential) {
			c.Issuer.Other = map[string]json.RawMessage{"name": json.RawMessage(`"Riverside Trust"`)}
		},
		"two subjects": func(c *vc.Credential) {
			c.Subject = json.RawMessage(`[` + string(c.Subject) + `,{"id":"urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33","occupationalHealth":{"clearance":"Cleared"}}]`)
		},
		"schema and evidence": func(c *vc.Credential) {
			c.Schema = []vc.SchemaRef{{ID: "https://schemas.example/passport.json", Type: []string{"JsonSchema"}}}
			c.Other = map[string]json.RawMessage{"evidence": json.RawMessage(`[{"id":"urn:uuid:1b8c6b50-2f7c-4e0b-8f6e-6f6a2c0b1f7d","type":"JsonSchema"}]`)}
		},
		"no times": func(c *vc.Credential) { c.ValidFrom, c.ValidUntil = time.Time{}, time.Time{} },
	} {
		for _, s := range []wholeSuite{{rdfc.EdDSARDFC2022(), "Ed25519"}, {dataintegrity.EdDSAJCS2022(), "Ed25519"}, {ecdsasd.Suite(), "P-256"}} {
			t.Run(name+", "+s.String(), func(t *testing.T) {
				s.bothWays(t, npm, func(c *vc.Credential) *vc.Credential { change(c); return c }, func(secured []byte, ours bool) {
					theyAccept(t, npm, "verify", request(secured))
					weAccept(t, verifier(), secured)
				})
			})
		}
	}
}
