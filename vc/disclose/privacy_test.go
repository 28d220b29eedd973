package disclose_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/fxamacker/cbor/v2"
	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/schema"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
	"github.com/staffpassport/staffpassport/vc/dataintegrity/bbs"
	"github.com/staffpassport/staffpassport/vc/disclose"
	"github.com/staffpassport/staffpassport/vc/jose"
	"github.com/staffpassport/staffpassport/vc/sdjwt"
)

// baseParts are the byte strings of a base proof that no verifier may see: of
// ecdsa-sd-2023 the base signature is in every derived proof, and of bbs-2023 the
// HMAC key alone is a secret of the proof besides it.
func baseParts(t testing.TB, s vc.Secured) (baseValue string, secrets [][]byte) {
	t.Helper()
	var doc struct {
		Proof struct {
			Cryptosuite, ProofValue string
		}
	}
	require.NoError(t, json.Unmarshal(s.Bytes, &doc))
	b, err := base64.RawURLEncoding.DecodeString(doc.Proof.ProofValue[1:])
	require.NoError(t, err)
	var parts []any
	require.NoError(t, cbor.Unmarshal(b[3:], &parts))
	if doc.Proof.Cryptosuite == "bbs-2023" { // bbsSignature, bbsHeader, publicKey, hmacKey, mandatoryPointers
		return doc.Proof.ProofValue, [][]byte{parts[0].([]byte), parts[3].([]byte)}
	}
	// baseSignature, publicKey, hmacKey, signatures, mandatoryPointers
	return doc.Proof.ProofValue, [][]byte{parts[2].([]byte)}
}

// forms are the ways in which bytes could stand in a document.
func forms(b []byte) []string {
	out := []string{string(b), hex.EncodeToString(b)}
	for before := range 3 {
		encoded := base64.RawURLEncoding.EncodeToString(append(make([]byte, before), b...))
		out = append(out, encoded[(before*8+5)/6:(before+len(b))*8/6])
		std := base64.RawStdEncoding.EncodeToString(append(make([]byte, before), b...))
		out = append(out, std[(before*8+5)/6:(before+len(b))*8/6])
	}
	return out
}

// threeClaims chooses three claims at random.
func threeClaims(t testing.TB, seed uint64) (reveal []vc.Pointer, hidden map[vc.Pointer]any) {
	hidden = subjectClaims(t)
	all := slices.DeleteFunc(slices.Sorted(maps.Keys(hidden)), isPhoto)
	r := rand.New(rand.NewPCG(seed, 1))
	r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	for _, at := range all[:3] {
		delete(hidden, at)
	}
	return all[:3], hidden
}

// TestAbuse_SE09_HundredPresentations: of three claims each, in every format.
func TestAbuse_SE09_HundredPresentations(t *testing.T) {
	t.Parallel()
	contexts, h := contexts(t), holder(t)
	for i, f := range formats() {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			s := f.secure(t, contexts, h, unchanged)
			var base string
			var secrets [][]byte
			if i < 2 {
				base, secrets = baseParts(t, s)
			}
			for n := range uint64(100) {
				reveal, hidden := threeClaims(t, n)
				shown, err := disclose.Derive(context.Background(), f.request(t, contexts, h, reveal...), s)
				require.NoError(t, err)
				hides(t, shown.Bytes, hidden)
				for _, secret := range secrets {
					for _, form := range forms(secret) {
						require.False(t, strings.Contains(string(shown.Bytes), form), "a secret of the base proof")
					}
				}
				if base != "" {
					require.False(t, strings.Contains(string(shown.Bytes), base))
					require.False(t, strings.Contains(string(shown.Bytes), base[:40]))
				}
			}
		})
	}
}

// TestAbuse_SE01_BaseProofNeverLeaves: neither as itself nor inside of something
// else.
func TestAbuse_SE01_BaseProofNeverLeaves(t *testing.T) {
	t.Parallel()
	contexts, h, s := contexts(t), holder(t), employer(t)
	for _, f := range formats()[:2] {
		base := f.secure(t, contexts, h, unchanged)
		// To show everything is to derive everything.
		shown, err := disclose.Derive(context.Background(), f.request(t, contexts, h, ""), base)
		require.NoError(t, err)
		value, _ := baseParts(t, base)
		require.False(t, bytes.Contains(shown.Bytes, []byte(value)))
		require.True(t, bytes.Contains(shown.Bytes, []byte(`"proofValue":"u2V0`)))
		require.NotContains(t, []string{value[:5]}, string(shown.Bytes[bytes.Index(shown.Bytes, []byte(`"proofValue":"`))+14:][:5]))

		// Inside a credential that is shown whole, whatever its format.
		c := credential(t, s, h)
		c.Other = map[string]json.RawMessage{"evidence": json.RawMessage(`{"type":"Evidence","document":` + withoutContext(t, base) + `}`)}
		for name, securer := range map[string]vc.Securer{
			"ecdsa-jcs-2019": &dataintegrity.Issuer{Suite: dataintegrity.ECDSAJCS2019(), Signer: s, Contexts: contexts, Now: clock},
			"vc+jwt":         &jose.Issuer{Signer: s, Contexts: contexts, Now: clock},
		} {
			r := disclose.Request{Reveal: []vc.Pointer{""}, Holder: h, Audience: audience, Nonce: nonce, Contexts: contexts, Now: clock}
			whole := secured(t, securer, c)
			_, err := disclose.Derive(context.Background(), r, whole)
			require.ErrorIs(t, err, disclose.ErrBaseProof, "%s in %s", f.name, name)
			quiet(t, err)
			_, err = disclose.Credential(context.Background(), r, whole)
			require.ErrorIs(t, err, disclose.ErrBaseProof, "%s in %s", f.name, name)
			quiet(t, err)
		}
		// Inside a claim of a token.
		attached := credential(t, s, h)
		var subject map[string]json.RawMessage
		require.NoError(t, json.Unmarshal(attached.Subject, &subject))
		subject["note"] = json.RawMessage(withoutContext(t, base))
		attached.Subject, err = json.Marshal(subject)
		require.NoError(t, err)
		token := secured(t, &sdjwt.Issuer{Signer: s, Disclosable: []vc.Pointer{"/credentialSubject/note", "/credentialSubject/dbs"}, Holder: h.Public(), Contexts: contexts, Now: clock}, attached)
		r := disclose.Request{Reveal: []vc.Pointer{"/credentialSubject/note"}, Holder: h, Audience: audience, Nonce: nonce, Contexts: contexts, Now: clock}
		_, err = disclose.Derive(context.Background(), r, token)
		require.ErrorIs(t, err, disclose.ErrBaseProof, f.name)
		r.Reveal = []vc.Pointer{"/credentialSubject/dbs"}
		_, err = disclose.Derive(context.Background(), r, token)
		require.NoError(t, err, "it stays where it is")
		// Beside the credentials.
		r = f.request(t, contexts, h, "/credentialSubject/dbs")
		r.Template = vc.NewPresentation(did.DID{})
		r.Template.Other = map[string]json.RawMessage{"attached": json.RawMessage(`[` + withoutContext(t, base) + `]`)}
		_, err = disclose.Derive(context.Background(), r, base)
		require.ErrorIs(t, err, disclose.ErrBaseProof, f.name)
		quiet(t, err)
	}
}

func withoutContext(t testing.TB, s vc.Secured) string {
	t.Helper()
	var doc map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(s.Bytes, &doc))
	delete(doc, "@context")
	b, err := json.Marshal(doc)
	require.NoError(t, err)
	return string(b)
}

// TestAbuse_LG02_NothingToGuessFrom: three claims are shown, and a dictionary of the
// few values that another one can have matches nothing in the bytes: there is no
// unsalted digest of a claim.
func TestAbuse_LG02_NothingToGuessFrom(t *testing.T) {
	t.Parallel()
	contexts, h := contexts(t), holder(t)
	guesses := []any{true, false, 37, "Enhanced", "Basic", "Standard", "Enhanced with barred lists", "NO_MATCH_FOUND", "BLANK_NO_NEW_INFO", "NEW_INFO"}
	names := []string{"level", "updateServiceResult", "identityVerified", "hours"}
	for _, f := range formats() {
		s := f.secure(t, contexts, h, unchanged)
		reveal := []vc.Pointer{"/credentialSubject/registration/number", "/credentialSubject/registration/body", "/credentialSubject/employment/jobRole"}
		shown, err := disclose.Derive(context.Background(), f.request(t, contexts, h, reveal...), s)
		require.NoError(t, err)
		everything := string(shown.Bytes) + decodedParts(string(shown.Bytes))
		for _, name := range names {
			for _, guess := range guesses {
				value, err := json.Marshal(guess)
				require.NoError(t, err)
				for _, text := range []string{
					string(value), fmt.Sprint(guess),
					fmt.Sprintf(`["%s",%s]`, name, value), fmt.Sprintf(`["","%s",%s]`, name, value), fmt.Sprintf(`{"%s":%s}`, name, value),
					fmt.Sprintf("<%s#%s> %q .\n", contextURL, name, guess),
				} {
					d := digest(text)
					require.False(t, strings.Contains(everything, d), "%s: %s", f.name, name)
					require.False(t, strings.Contains(everything, digest(base64.RawURLEncoding.EncodeToString([]byte(text)))), "%s: %s", f.name, name)
				}
			}
		}
	}
}

// decodedParts are the parts of a token, decoded.
func decodedParts(text string) string {
	var out strings.Builder
	for _, part := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(`~.",:`, r) }) {
		if b, err := base64.RawURLEncoding.DecodeString(part); err == nil {
			out.Write(b)
		}
	}
	return out.String()
}

// TestAbuse_LG03_TwoPresentationsShareNothing: of one credential, to two verifiers,
// outside what both see on purpose: the issuer, the period, the claims shown and
// the words of the suite.
func TestAbuse_LG03_TwoPresentationsShareNothing(t *testing.T) {
	t.Parallel()
	contexts := contexts(t)
	f := formats()[1]
	s := f.secure(t, contexts, nil, unchanged)
	show := func(audience, nonce string, reveal ...vc.Pointer) string {
		r := f.request(t, contexts, nil, reveal...)
		r.Audience, r.Nonce = audience, nonce
		shown, err := disclose.Derive(context.Background(), r, s)
		require.NoError(t, err)
		return string(shown.Bytes)
	}
	for name, second := range map[string][]vc.Pointer{
		"other claims":    {"/credentialSubject/dbs/level"},
		"the same claims": {"/credentialSubject/registration/number"},
	} {
		a := show("did:example:host", "nonce-0001", "/credentialSubject/registration/number")
		b := show("did:example:other", "nonce-0002", second...)
		// Beside the proof and the header of the session there are the positions of
		// what is shown, which the same claims have in common.
		value := func(text string) []byte {
			_, rest, ok := strings.Cut(text, `"proofValue":"u`)
			require.True(t, ok)
			decoded, err := base64.RawURLEncoding.DecodeString(rest[:strings.IndexByte(rest, '"')])
			require.NoError(t, err)
			var parts []any // bbsProof, labelMap, mandatoryIndexes, selectiveIndexes, presentationHeader
			require.NoError(t, cbor.Unmarshal(decoded[3:], &parts))
			return append(parts[0].([]byte), parts[4].([]byte)...)
		}
		first, again := value(a), value(b)
		windows := map[string]bool{}
		for i := range len(first) - 15 {
			windows[string(first[i:i+16])] = true
		}
		for i := range len(again) - 15 {
			require.False(t, windows[string(again[i:i+16])], "%s: bytes %d of the proof value", name, i)
		}
		// Nothing else differs but the claims: the rest is the issuer's and the suite's.
		strip := func(text string) string {
			head, rest, _ := strings.Cut(text, `"proofValue":"`)
			return head + rest[strings.IndexByte(rest, '"'):]
		}
		if name == "the same claims" {
			require.Equal(t, strip(a), strip(b))
		}
		for _, of := range []string{"did:example:host", "nonce-0001", "did:example:other", "nonce-0002"} {
			require.NotContains(t, a+b, of)
		}
	}
}

// flat puts the claims of all sections into the subject itself, as what must not link
// is issued, without those that have structure of their own.
func flat(t testing.TB) func(*vc.Credential) {
	return func(c *vc.Credential) {
		var sections map[string]map[string]json.RawMessage
		require.NoError(t, json.Unmarshal(c.Subject, &sections))
		subject := map[string]json.RawMessage{}
		for _, section := range sections {
			for name, v := range section {
				if v[0] != '{' && v[0] != '[' {
					require.NotContains(t, subject, name)
					subject[name] = v
				}
			}
		}
		var err error
		c.Subject, err = json.Marshal(subject)
		require.NoError(t, err)
	}
}

// proofParts are the whole proof value of a shown bbs-2023 credential, decoded, and
// its elements: bbsProof, labelMap, mandatoryIndexes, selectiveIndexes,
// presentationHeader.
func proofParts(t testing.TB, shown vc.Secured) (whole []byte, parts []cbor.RawMessage) {
	t.Helper()
	_, rest, ok := strings.Cut(string(shown.Bytes), `"proofValue":"u`)
	require.True(t, ok)
	whole, err := base64.RawURLEncoding.DecodeString(rest[:strings.IndexByte(rest, '"')])
	require.NoError(t, err)
	require.NoError(t, cbor.Unmarshal(whole[3:], &parts))
	require.Len(t, parts, 5)
	return whole, parts
}

// longestRun returns the length of the longest run of bytes that is in both.
func longestRun(a, b []byte) int {
	longest, before := 0, make([]int, len(b)+1)
	for i := range a {
		at := make([]int, len(b)+1)
		for j := range b {
			if a[i] == b[j] {
				at[j+1] = before[j] + 1
				longest = max(longest, at[j+1])
			}
		}
		before = at
	}
	return longest
}

// TestAbuse_LG03_WholeProofValue_ButPlaces: two presentations of one credential have
// no 16 bytes in common in their whole proof values, if they show different claims and
// the credential is flat, as package bbs advises (12 bytes in common, and what chance
// adds). The exception, which the name tells, are the places of what is shown (label
// map and indexes): who shows the same claims again, or others of the same section,
// shows their places again. They are counted here with what stands around them, and
// nothing outside of them is in common.
func TestAbuse_LG03_WholeProofValue_ButPlaces(t *testing.T) {
	t.Parallel()
	contexts := contexts(t)
	f := formats()[1]
	show := func(s vc.Secured, session string, contexts *vc.ContextSet, reveal []vc.Pointer) vc.Secured {
		r := disclose.Request{Reveal: reveal, Audience: "did:example:" + session, Nonce: "nonce of " + session, Contexts: contexts, Now: clock}
		shown, err := disclose.Derive(context.Background(), r, s)
		require.NoError(t, err)
		return shown
	}
	at := func(names ...string) []vc.Pointer {
		out := make([]vc.Pointer, len(names))
		for i, name := range names {
			out[i] = vc.Pointer("/credentialSubject/" + name)
		}
		return out
	}

	flatOne := f.secure(t, contexts, nil, flat(t))
	one := at("number", "body", "standing", "lastName", "firstName")
	other := at("level", "workforce", "jobRole", "payBand", "organisation")

	p, _ := schema.Sample()
	issuer := bbsEmployer(t)
	c, err := p.Padded().Credential(schema.Terms{Issuer: issuer.VerificationMethod().DID, ValidFrom: clock().AddDate(0, 1, 0), ValidUntil: clock().AddDate(1, 0, 0)})
	require.NoError(t, err)
	mandatory, err := schema.Mandatory(c)
	require.NoError(t, err)
	padded := secured(t, &dataintegrity.Issuer{Suite: bbs.Suite(mandatory...), Signer: issuer, Contexts: schema.Contexts(), Now: clock}, c)

	for name, x := range map[string]struct {
		of        vc.Secured
		contexts  *vc.ContextSet
		a, b      []vc.Pointer
		different bool // nothing at all in common, the places included
	}{
		"flat, other claims":     {flatOne, contexts, one, other, true},
		"flat, one claim more":   {flatOne, contexts, one[:4], one, true},
		"flat, the same claims":  {flatOne, contexts, one, one, false},
		"padded, other sections": {padded, schema.Contexts(), at("registration/number"), at("dbs/level"), true},
		"padded, same section":   {padded, schema.Contexts(), at("registration/number"), at("registration/body"), false},
		"padded, sets":           {padded, schema.Contexts(), schema.DisclosureSets()[0].Ask, schema.DisclosureSets()[1].Ask, false},
	} {
		first, firstParts := proofParts(t, show(x.of, "host", x.contexts, x.a))
		second, secondParts := proofParts(t, show(x.of, "other", x.contexts, x.b))
		longest := longestRun(first, second)
		t.Logf("%s: %d bytes in common", name, longest)
		if x.different {
			require.Less(t, longest, 16, name)
		}
		for _, i := range []int{0, 4} { // the proof and the session's header, against everything
			require.Less(t, longestRun(firstParts[i], second), 16, name)
			require.Less(t, longestRun(first, secondParts[i]), 16, name)
		}
		places := len(firstParts[1]) + len(firstParts[2]) + len(firstParts[3])
		const around = 6 // the head of the header's byte string, and what chance adds
		require.LessOrEqual(t, longest, places+around, name)
	}
}

// FuzzPreview: whatever an issuer or a verifier sends, nothing that was not named
// is said to be shown.
func FuzzPreview(f *testing.F) {
	contexts, h := contexts(f), holder(f)
	for _, format := range formats() {
		s := format.secure(f, contexts, h, unchanged)
		f.Add(s.MediaType, s.Bytes, "/credentialSubject/dbs/level")
		f.Add(s.MediaType, s.Bytes, "")
	}
	f.Add("application/vc+jwt", []byte("e30.e30.e30"), "")
	f.Add("application/vc+cose", []byte{0xd2, 0x84, 0x40, 0xa0, 0x40, 0x40}, "")
	f.Fuzz(func(t *testing.T, mediaType string, b []byte, pointer string) {
		previewed, err := disclose.Preview(disclose.Request{Reveal: []vc.Pointer{vc.Pointer(pointer)}, Contexts: contexts}, vc.Secured{MediaType: mediaType, Bytes: b})
		if err != nil {
			if previewed != nil {
				t.Fatal("a preview beside an error")
			}
			return
		}
		for _, at := range previewed[0].Named {
			if string(at) != pointer && !strings.HasPrefix(string(at), pointer+"/") {
				t.Fatal("a claim that was not named")
			}
		}
		if previewed[0].Document == nil {
			t.Fatal("no document")
		}
	})
}
