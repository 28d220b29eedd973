package disclose_test

import (
	"context"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/cose"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
	"github.com/staffpassport/staffpassport/vc/disclose"
	"github.com/staffpassport/staffpassport/vc/jose"
	"github.com/staffpassport/staffpassport/vc/sdjwt"
)

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// subjectClaims are the claims of the fixture by pointer, photo and id apart.
func subjectClaims(t testing.TB) map[vc.Pointer]any {
	t.Helper()
	var subject any
	require.NoError(t, json.Unmarshal([]byte(claims), &subject))
	return values(subject, "/credentialSubject")
}

func isPhoto(at vc.Pointer) bool {
	return strings.HasPrefix(string(at), "/credentialSubject/personal/photo/")
}

// choices are lists of pointers, with the claims that each names.
func choices(t testing.TB) map[string][]vc.Pointer {
	t.Helper()
	all := slices.Sorted(maps.Keys(subjectClaims(t)))
	all = slices.DeleteFunc(all, isPhoto)
	except := slices.DeleteFunc(slices.Clone(all), func(at vc.Pointer) bool { return strings.HasSuffix(string(at), "/certificateNumber") })
	const s = "/credentialSubject"
	return map[string][]vc.Pointer{
		"1 claim":           {s + "/registration/number"},
		"3 claims":          {s + "/personal/lastName", s + "/dbs/level", s + "/employment/skills/1/subject"},
		"10 claims":         append(slices.Clone(all[3:12]), s+"/rightToWork/identityVerified"),
		"all but one":       append(except, s+"/personal/photo"),
		"a section":         {s + "/registration"},
		"the photo":         {s + "/personal/photo"},
		"one of an array":   {s + "/employment/skills/2"},
		"an array":          {s + "/employment/skills"},
		"overlapping":       {s + "/dbs", s + "/dbs/level", s + "/dbs"},
		"everybody's":       {"/issuer", s + "/employment/hours"},
		"all of the person": {s},
		"everything":        {""},
	}
}

// TestOneListMeansTheSameClaims derives with each list from each format and compares
// what readers see.
func TestOneListMeansTheSameClaims(t *testing.T) {
	t.Parallel()
	contexts, h := contexts(t), holder(t)
	for _, f := range formats() {
		s := f.secure(t, contexts, h, unchanged)
		for name, reveal := range choices(t) {
			t.Run(f.name+"/"+name, func(t *testing.T) {
				t.Parallel()
				r := f.request(t, contexts, h, reveal...)
				shown, err := disclose.Derive(context.Background(), r, s)
				require.NoError(t, err)
				docs := documents(t, shown)
				require.Len(t, docs, 1)

				want, hidden := map[vc.Pointer]any{}, map[vc.Pointer]any{}
				for at, v := range subjectClaims(t) {
					named := slices.ContainsFunc(reveal, func(p vc.Pointer) bool { return at == p || strings.HasPrefix(string(at), string(p)+"/") })
					if named {
						want[at] = v
					} else {
						hidden[at] = v
					}
				}
				got := values(docs[0]["credentialSubject"], "/credentialSubject")
				if !f.bearer {
					require.Equal(t, h.VerificationMethod().DID.String(), got["/credentialSubject/id"])
					delete(got, "/credentialSubject/id")
				}
				require.Equal(t, atTheirPlaces(want), got)
				hides(t, shown.Bytes, hidden)

				// Preview says so beforehand, without key and session.
				previewed, err := disclose.Preview(disclose.Request{Reveal: reveal, Contexts: contexts}, s)
				require.NoError(t, err)
				require.Len(t, previewed, 1)
				for _, at := range slices.Sorted(maps.Keys(want)) {
					require.Contains(t, previewed[0].Named, at)
				}
				require.Equal(t, len(want), len(slices.DeleteFunc(slices.Clone(previewed[0].Named), func(at vc.Pointer) bool {
					return !strings.HasPrefix(string(at), "/credentialSubject/")
				})))
				require.Contains(t, previewed[0].Always, vc.Pointer("/issuer"))
				subject, err := json.Marshal(docs[0]["credentialSubject"])
				require.NoError(t, err)
				require.JSONEq(t, string(subject), string(previewed[0].Document.Subject))
			})
		}
	}
}

// atTheirPlaces moves elements of an array to where they stand when those before
// them are left out.
func atTheirPlaces(want map[vc.Pointer]any) map[vc.Pointer]any {
	const skills = "/credentialSubject/employment/skills/"
	out, place := map[vc.Pointer]any{}, map[string]int{}
	for _, at := range slices.Sorted(maps.Keys(want)) {
		rest, ok := strings.CutPrefix(string(at), skills)
		if !ok {
			out[at] = want[at]
			continue
		}
		index, name, _ := strings.Cut(rest, "/")
		if _, ok := place[index]; !ok {
			place[index] = len(place)
		}
		out[vc.Pointer(fmt.Sprintf("%s%d/%s", skills, place[index], name))] = want[at]
	}
	return out
}

// TestPresentationFitsTheHoldersKey: the proof of the presentation.
func TestPresentationFitsTheHoldersKey(t *testing.T) {
	t.Parallel()
	contexts := contexts(t)
	f := formats()[0]
	for suite, h := range map[string]did.Signer{
		"eddsa-jcs-2022": signerOf(t, ed25519Key("Hazel Severn")),
		"ecdsa-jcs-2019": holder(t),
		"":               signerOf(t, ecdsaKey(t, elliptic.P384(), "Hazel Severn")),
	} {
		shown, err := disclose.Derive(context.Background(), f.request(t, contexts, h, "/credentialSubject/dbs"), f.secure(t, contexts, h, unchanged))
		require.NoError(t, err)
		require.Equal(t, vc.MediaTypePresentation, shown.MediaType)
		var p struct {
			Holder string         `json:"holder"`
			Proof  map[string]any `json:"proof"`
		}
		require.NoError(t, json.Unmarshal(shown.Bytes, &p))
		if suite == "" {
			suite = "ecdsa-jcs-2019"
		}
		require.Equal(t, h.VerificationMethod().DID.String(), p.Holder)
		require.Equal(t, suite, p.Proof["cryptosuite"])
		require.Contains(t, p.Proof["domain"], audience)
		require.Equal(t, nonce, p.Proof["challenge"])
		require.Equal(t, "authentication", p.Proof["proofPurpose"])
		require.Equal(t, "2026-03-10T09:00:00Z", p.Proof["created"])
	}
}

// TestBearerPresentation: nothing of the holder's in it.
func TestBearerPresentation(t *testing.T) {
	t.Parallel()
	contexts := contexts(t)
	f := formats()[1]
	s := f.secure(t, contexts, nil, unchanged)
	shown, err := disclose.Derive(context.Background(), f.request(t, contexts, nil, "/credentialSubject/dbs/level"), s, s)
	require.NoError(t, err)
	require.Equal(t, vc.MediaTypePresentation, shown.MediaType)
	var p map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(shown.Bytes, &p))
	require.ElementsMatch(t, []string{"@context", "type", "verifiableCredential"}, slices.Collect(maps.Keys(p)))
	require.Len(t, documents(t, shown), 2)
}

// TestTokens: one is shown as it is, several and those with something beside them
// in a presentation, each bound to the holder.
func TestTokens(t *testing.T) {
	t.Parallel()
	contexts, h := contexts(t), holder(t)
	ecdsaSD, dc, w3c := formats()[0], formats()[2], formats()[3]
	a, b, c := dc.secure(t, contexts, h, unchanged), w3c.secure(t, contexts, h, unchanged), ecdsaSD.secure(t, contexts, h, unchanged)
	r := dc.request(t, contexts, h, "/credentialSubject/dbs/level")

	alone, err := disclose.Derive(context.Background(), r, a)
	require.NoError(t, err)
	require.Equal(t, sdjwt.MediaTypeSDJWTVC, alone.MediaType)
	bound(t, h, alone)

	both, err := disclose.Derive(context.Background(), r, a, b, c)
	require.NoError(t, err)
	require.Equal(t, vc.MediaTypePresentation, both.MediaType)
	p, err := vc.ParsePresentation(both.Bytes)
	require.NoError(t, err)
	require.Equal(t, []string{sdjwt.MediaTypeSDJWTVC, sdjwt.MediaTypeCredential, vc.MediaTypeCredential},
		[]string{p.Credentials[0].MediaType, p.Credentials[1].MediaType, p.Credentials[2].MediaType})
	bound(t, h, p.Credentials[0])
	bound(t, h, p.Credentials[1])
	for _, doc := range documents(t, both) {
		require.Equal(t, "Enhanced with barred lists", values(doc, "")["/credentialSubject/dbs/level"])
	}

	r.Template = vc.NewPresentation(did.DID{})
	r.Template.Context = vc.Contexts("https://identity.foundation/presentation-exchange/submission/v1")
	r.Template.Type = append(r.Template.Type, "PresentationSubmission")
	r.Template.Other = map[string]json.RawMessage{"presentation_submission": json.RawMessage(`{"id":"a","definition_id":"b","descriptor_map":[]}`)}
	framed, err := disclose.Derive(context.Background(), r, a)
	require.NoError(t, err)
	require.Equal(t, vc.MediaTypePresentation, framed.MediaType)
	p, err = vc.ParsePresentation(framed.Bytes)
	require.NoError(t, err)
	require.Contains(t, p.Type, "PresentationSubmission")
	require.JSONEq(t, `{"id":"a","definition_id":"b","descriptor_map":[]}`, string(p.Other["presentation_submission"]))
	require.Empty(t, r.Template.Credentials, "the template is not changed")
	require.Empty(t, r.Template.Holder.ID)
}

func bound(t testing.TB, h did.Signer, s vc.Secured) {
	t.Helper()
	token, err := sdjwt.Parse(s)
	require.NoError(t, err)
	require.NoError(t, token.VerifyKeyBinding())
	require.NoError(t, token.KeyBinding().Check(audience, nonce, clock(), 60e9, 0))
}

// TestEach: a list for each credential.
func TestEach(t *testing.T) {
	t.Parallel()
	contexts, h := contexts(t), holder(t)
	f := formats()[0]
	s := f.secure(t, contexts, h, unchanged)
	r := f.request(t, contexts, h)
	r.Each = [][]vc.Pointer{{"/credentialSubject/dbs/level"}, {}, {"/credentialSubject/registration/body"}}
	shown, err := disclose.Derive(context.Background(), r, s, s, s)
	require.NoError(t, err)
	var got [][]vc.Pointer
	for _, doc := range documents(t, shown) {
		got = append(got, slices.Sorted(maps.Keys(values(doc["credentialSubject"], ""))))
	}
	require.Equal(t, [][]vc.Pointer{{"/dbs/level", "/id"}, {"/id"}, {"/id", "/registration/body"}}, got)

	// One list for all counts where it matches, and must match somewhere.
	other := f.secure(t, contexts, h, func(c *vc.Credential) {
		c.Subject = json.RawMessage(`{"id":"` + h.VerificationMethod().DID.String() + `","note":"Willow in flower"}`)
	})
	r = f.request(t, contexts, h, "/credentialSubject/note", "/credentialSubject/dbs/level")
	shown, err = disclose.Derive(context.Background(), r, s, other)
	require.NoError(t, err)
	docs := documents(t, shown)
	require.NotContains(t, values(docs[0], ""), vc.Pointer("/credentialSubject/note"))
	require.Equal(t, "Willow in flower", values(docs[1], "")["/credentialSubject/note"])
	r.Reveal = append(r.Reveal, "/credentialSubject/nothing")
	_, err = disclose.Derive(context.Background(), r, s, other)
	require.ErrorIs(t, err, disclose.ErrPointer)
}

// TestWholeCredentials are shown on request as a whole, and not else.
func TestWholeCredentials(t *testing.T) {
	t.Parallel()
	contexts, h, s := contexts(t), holder(t), employer(t)
	c := credential(t, s, h)
	for name, secured := range map[string]vc.Secured{
		"ecdsa-jcs-2019": secured(t, &dataintegrity.Issuer{Suite: dataintegrity.ECDSAJCS2019(), Signer: s, Contexts: contexts, Now: clock}, c),
		"vc+jwt":         secured(t, &jose.Issuer{Signer: s, Contexts: contexts, Now: clock}, c),
		"vc+cose":        secured(t, &cose.Issuer{Signer: s, Contexts: contexts, Now: clock}, c),
	} {
		r := disclose.Request{Reveal: []vc.Pointer{""}, Holder: h, Audience: audience, Nonce: nonce, Contexts: contexts, Now: clock}
		shown, err := disclose.Derive(context.Background(), r, secured)
		require.NoError(t, err, name)
		require.Equal(t, vc.MediaTypePresentation, shown.MediaType)
		p, err := vc.ParsePresentation(shown.Bytes)
		require.NoError(t, err)
		require.Equal(t, secured.MediaType, p.Credentials[0].MediaType)
		if secured.MediaType != vc.MediaTypeCredential {
			require.Equal(t, secured.Bytes, p.Credentials[0].Bytes)
		}
		previewed, err := disclose.Preview(r, secured)
		require.NoError(t, err)
		require.Subset(t, previewed[0].Named, slices.Collect(maps.Keys(subjectClaims(t))))
		for _, reveal := range [][]vc.Pointer{nil, {"/credentialSubject"}, {"/credentialSubject/dbs/level"}, {"/issuer", "/credentialSubject/registration"}} {
			r.Reveal = reveal
			_, err = disclose.Derive(context.Background(), r, secured)
			require.ErrorIs(t, err, disclose.ErrWhole, "%s %v", name, reveal)
			_, err = disclose.Preview(r, secured)
			require.ErrorIs(t, err, disclose.ErrWhole, "%s %v", name, reveal)
		}
	}
}
