package disclose_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didkey"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/cose"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
	"github.com/staffpassport/staffpassport/vc/dataintegrity/bbs"
	"github.com/staffpassport/staffpassport/vc/dataintegrity/ecdsasd"
	"github.com/staffpassport/staffpassport/vc/disclose"
	"github.com/staffpassport/staffpassport/vc/jose"
	"github.com/staffpassport/staffpassport/vc/sdjwt"
	"github.com/staffpassport/staffpassport/vc/verify"
)

// verifier trusts the employer.
func verifier(t testing.TB, contexts *vc.ContextSet, bearer bool) *verify.Verifier {
	v := &verify.Verifier{
		Resolver: didkey.Resolver{},
		Trust: verify.TrustedIssuers{
			employer(t).VerificationMethod().DID:    {typeName},
			bbsEmployer(t).VerificationMethod().DID: {typeName},
		},
		Contexts: contexts,
		Replay:   verify.NonceUsedOnceByCaller{},
		Now:      clock,
	}
	if bearer {
		v.Holder = verify.Bearer
	}
	return v
}

// TestVerifierAcceptsWhatWasDerived: every format, alone and together, and with
// members beside.
func TestVerifierAcceptsWhatWasDerived(t *testing.T) {
	t.Parallel()
	contexts, h, s := contexts(t), holder(t), employer(t)
	var bound []vc.Secured
	for _, f := range formats() {
		if !f.bearer {
			bound = append(bound, f.secure(t, contexts, h, unchanged))
		}
	}
	bearer := formats()[1].secure(t, contexts, nil, unchanged)
	c := credential(t, s, h)
	bound = append(bound,
		secured(t, &dataintegrity.Issuer{Suite: dataintegrity.ECDSAJCS2019(), Signer: s, Contexts: contexts, Now: clock}, c),
		secured(t, &jose.Issuer{Signer: s, Contexts: contexts, Now: clock}, c),
		secured(t, &cose.Issuer{Signer: s, Contexts: contexts, Now: clock}, c))
	partly := []vc.Pointer{"/credentialSubject/dbs/level", "/credentialSubject/employment/skills/1"}
	lists := [][]vc.Pointer{partly, partly, partly, {""}, {""}, {""}}
	for name, test := range map[string]struct {
		creds  []vc.Secured
		each   [][]vc.Pointer
		holder did.Signer
	}{
		"ecdsa-sd-2023":  {bound[:1], lists[:1], h},
		"dc+sd-jwt":      {bound[1:2], lists[1:2], h},
		"vc+sd-jwt":      {bound[2:3], lists[2:3], h},
		"ecdsa-jcs-2019": {bound[3:4], lists[3:4], h},
		"vc+jwt":         {bound[4:5], lists[4:5], h},
		"vc+cose":        {bound[5:6], lists[5:6], h},
		"two tokens":     {bound[1:3], lists[1:3], h},
		"all of them":    {bound, lists, h},
		"bbs-2023":       {[]vc.Secured{bearer}, lists[:1], nil},
		"bbs-2023 twice": {[]vc.Secured{bearer, bearer}, lists[:2], nil},
	} {
		for _, framed := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, framed %t", name, framed), func(t *testing.T) {
				t.Parallel()
				r := disclose.Request{Each: test.each, Holder: test.holder, Audience: audience, Nonce: nonce, Contexts: contexts, Now: clock}
				if framed {
					r.Template = vc.NewPresentation(did.DID{})
					r.Template.Context = vc.Contexts("https://identity.foundation/presentation-exchange/submission/v1")
					r.Template.Type = append(r.Template.Type, "PresentationSubmission")
					r.Template.Other = map[string]json.RawMessage{"presentation_submission": json.RawMessage(`{"id":"a","definition_id":"b","descriptor_map":[]}`)}
				}
				shown, err := disclose.Derive(context.Background(), r, test.creds...)
				require.NoError(t, err)
				previewed, err := disclose.Preview(r, test.creds...)
				require.NoError(t, err)
				v := verifier(t, contexts, test.holder == nil)
				p, err := v.Presentation(context.Background(), shown, verify.Session{Audience: audience, Nonce: nonce})
				require.NoError(t, err)
				require.Len(t, p.Credentials(), len(test.creds))
				for i, c := range p.Credentials() {
					want, err := json.Marshal(previewed[i].Document)
					require.NoError(t, err)
					got, err := json.Marshal(c.Document())
					require.NoError(t, err)
					require.JSONEq(t, string(want), string(got), "the verifier sees what Preview said")
				}
				for name, other := range map[string]verify.Session{
					"audience": {Audience: "did:example:styx", Nonce: nonce}, "nonce": {Audience: audience, Nonce: "another"},
				} {
					_, err := v.Presentation(context.Background(), shown, other)
					require.Error(t, err, name)
				}
			})
		}
	}
}

// TestTokensOfOtherIssuers, who made other things disclosable than this module would.
func TestTokensOfOtherIssuers(t *testing.T) {
	t.Parallel()
	contexts, h, s := contexts(t), holder(t), employer(t)
	c := credential(t, s, h)
	all := disclosable(t, c)
	fields := slices.DeleteFunc(slices.Clone(all), func(at vc.Pointer) bool { return strings.Count(string(at), "/") == 2 })
	sections := slices.DeleteFunc(slices.Clone(all), func(at vc.Pointer) bool { return strings.Count(string(at), "/") != 2 })
	const level, body = "/credentialSubject/dbs/level", "/credentialSubject/registration/body"
	for _, mediaType := range []string{sdjwt.MediaTypeSDJWTVC, sdjwt.MediaTypeCredential} {
		for name, test := range map[string]struct {
			disclosable []vc.Pointer
			reveal      []vc.Pointer
			more        int // how many claims would come besides
			always      []vc.Pointer
		}{
			"structured":                     {fields, []vc.Pointer{level, body}, 0, nil},
			"flat, a field":                  {sections, []vc.Pointer{level}, 5, nil},
			"flat, all fields but one":       {sections, []vc.Pointer{"/credentialSubject/registration", "/credentialSubject/dbs/issueDate"}, 5, nil},
			"flat, a section":                {sections, []vc.Pointer{"/credentialSubject/dbs"}, 0, nil},
			"one field always":               {[]vc.Pointer{"/credentialSubject/dbs/issueDate"}, []vc.Pointer{"/credentialSubject/dbs/issueDate"}, 0, []vc.Pointer{level, body}},
			"a section with an open field":   {[]vc.Pointer{"/credentialSubject/dbs", "/credentialSubject/dbs/issueDate"}, []vc.Pointer{"/credentialSubject/dbs/issueDate"}, 5, nil},
			"nothing disclosable":            {nil, nil, 0, []vc.Pointer{level, body}},
			"nothing disclosable, and named": {nil, []vc.Pointer{level, "/issuer"}, 0, []vc.Pointer{level, body}},
		} {
			t.Run(strings.TrimPrefix(mediaType, "application/")+"/"+name, func(t *testing.T) {
				t.Parallel()
				cred := secured(t, &sdjwt.Issuer{Signer: s, MediaType: mediaType, Disclosable: test.disclosable, Holder: h.Public(), Contexts: contexts, Now: clock}, c)
				r := disclose.Request{Reveal: test.reveal, Holder: h, Audience: audience, Nonce: nonce, Contexts: contexts, Now: clock}
				previewed, err := disclose.Preview(r, cred)
				if test.more > 0 {
					var more *disclose.MoreError
					require.ErrorAs(t, err, &more)
					require.Len(t, more.With, test.more)
					_, err = disclose.Derive(context.Background(), r, cred)
					require.ErrorAs(t, err, &more)
					return
				}
				require.NoError(t, err)
				for _, at := range test.always {
					require.Contains(t, previewed[0].Always, at)
					require.NotContains(t, previewed[0].Named, at)
				}
				shown, err := disclose.Derive(context.Background(), r, cred)
				require.NoError(t, err)
				got := values(documents(t, shown)[0]["credentialSubject"], "/credentialSubject")
				for _, at := range slices.Concat(previewed[0].Named, previewed[0].Always) {
					if strings.HasPrefix(string(at), "/credentialSubject/") {
						require.Contains(t, got, at)
						delete(got, at)
					}
				}
				require.Empty(t, got)
			})
		}
	}
}

// TestNodesWithNames: the id and types of an object come with what is inside, in the
// formats that know objects as nodes, and have to be named.
func TestNodesWithNames(t *testing.T) {
	t.Parallel()
	contexts, h := contexts(t), holder(t)
	change := func(c *vc.Credential) {
		var subject map[string]any
		require.NoError(t, json.Unmarshal(c.Subject, &subject))
		subject["dbs"] = map[string]any{"id": "urn:uuid:00000000-0000-4000-8000-000000000009", "type": []any{typeName}, "level": "Enhanced", "workforce": "Adult"}
		c.Subject, _ = json.Marshal(subject)
	}
	const dbs = "/credentialSubject/dbs"
	for i, f := range formats() {
		s := f.secure(t, contexts, h, change)
		_, err := disclose.Derive(context.Background(), f.request(t, contexts, h, dbs+"/level"), s)
		if i < 2 {
			var more *disclose.MoreError
			require.ErrorAs(t, err, &more, f.name)
			require.ElementsMatch(t, []vc.Pointer{dbs + "/id", dbs + "/type/0"}, more.With)
		} else {
			require.NoError(t, err, f.name)
		}
		shown, err := disclose.Derive(context.Background(), f.request(t, contexts, h, dbs+"/level", dbs+"/id", dbs+"/type"), s)
		require.NoError(t, err, f.name)
		got := values(documents(t, shown)[0]["credentialSubject"], "")
		delete(got, "/id")
		require.Equal(t, map[vc.Pointer]any{
			"/dbs/id": "urn:uuid:00000000-0000-4000-8000-000000000009", "/dbs/type/0": typeName, "/dbs/level": "Enhanced",
		}, got, f.name)
	}
}

// TestMandatoryClaims of the subject are shown without being named.
func TestMandatoryClaims(t *testing.T) {
	t.Parallel()
	contexts, h, s := contexts(t), holder(t), employer(t)
	for name, test := range map[string]struct {
		suite  dataintegrity.Suite
		signer did.Signer
		holder did.Signer
	}{
		"ecdsa-sd-2023": {ecdsasd.Suite("/credentialSubject/dbs/level", "/credentialSubject/employment/skills/1"), s, h},
		"bbs-2023":      {bbs.Suite("/credentialSubject/dbs/level", "/credentialSubject/employment/skills/1"), bbsEmployer(t), nil},
	} {
		cred := secured(t, &dataintegrity.Issuer{Suite: test.suite, Signer: test.signer, Contexts: contexts, Now: clock}, credential(t, test.signer, test.holder))
		r := disclose.Request{Holder: test.holder, Audience: audience, Nonce: nonce, Contexts: contexts, Now: clock}
		previewed, err := disclose.Preview(r, cred)
		require.NoError(t, err, name)
		require.Empty(t, previewed[0].Named)
		for _, at := range []vc.Pointer{"/credentialSubject/dbs/level", "/credentialSubject/employment/skills/1/subject", "/issuer", "/validUntil"} {
			require.Contains(t, previewed[0].Always, at)
		}
		shown, err := disclose.Derive(context.Background(), r, cred)
		require.NoError(t, err, name)
		got := values(documents(t, shown)[0]["credentialSubject"], "")
		require.Equal(t, "Enhanced with barred lists", got["/dbs/level"])
		require.Equal(t, "Moving and handling", got["/employment/skills/0/subject"])
		r.Reveal = []vc.Pointer{"/credentialSubject/dbs/workforce"}
		shown, err = disclose.Derive(context.Background(), r, cred)
		require.NoError(t, err, name)
		require.Equal(t, "Adult and child", values(documents(t, shown)[0]["credentialSubject"], "")["/dbs/workforce"])
	}
}

// TestLimits: a credential of many claims, or of long ways to them, whoever made it.
func TestLimits(t *testing.T) {
	t.Parallel()
	contexts, h, s := contexts(t), holder(t), employer(t)
	of := func(n int) *vc.Credential {
		c := credential(t, s, h)
		list := make([]int, n)
		c.Subject, _ = json.Marshal(map[string]any{"id": h.VerificationMethod().DID.String(), "hours": list})
		return c
	}
	issuer := &dataintegrity.Issuer{Suite: dataintegrity.ECDSAJCS2019(), Signer: s, Contexts: contexts, Now: clock}
	r := disclose.Request{Reveal: []vc.Pointer{""}, Contexts: contexts}
	const others = 8 // context, id, two types, issuer, two times, subject's id
	_, err := disclose.Preview(r, secured(t, issuer, of(4096-others)))
	require.NoError(t, err)
	_, err = disclose.Preview(r, secured(t, issuer, of(4097-others)))
	require.ErrorIs(t, err, disclose.ErrFormat)
	quiet(t, err)

	long := credential(t, s, h)
	deep := `1`
	for range 50 {
		deep = `{"` + strings.Repeat("x", 8000) + `":` + deep + `}`
	}
	wide := strings.Repeat(`{},`, 4000) + `{}`
	long.Subject = json.RawMessage(`{"a":` + strings.Replace(deep, ":1}", ":["+wide+"]}", 1) + `}`)
	began := time.Now()
	_, err = disclose.Preview(r, secured(t, &dataintegrity.Issuer{Suite: dataintegrity.ECDSAJCS2019(), Signer: s, Now: clock}, withPlainContext(long)))
	require.ErrorIs(t, err, disclose.ErrFormat)
	quiet(t, err)
	t.Log("long ways refused after", time.Since(began))
}

func withPlainContext(c *vc.Credential) *vc.Credential {
	c.Context, c.Type = vc.Contexts(), []string{vc.TypeCredential}
	return c
}

func TestPrintsNoClaim(t *testing.T) {
	t.Parallel()
	contexts, h := contexts(t), holder(t)
	previewed, err := disclose.Preview(disclose.Request{Reveal: []vc.Pointer{""}, Contexts: contexts}, formats()[0].secure(t, contexts, h, unchanged))
	require.NoError(t, err)
	for _, verb := range []string{"%v", "%s", "%q", "%#v"} {
		for _, thing := range []any{previewed[0], &previewed[0], previewed} {
			text := fmt.Sprintf(verb, thing)
			for _, v := range subjectClaims(t) {
				if value, ok := v.(string); ok {
					require.NotContains(t, text, value)
				}
			}
		}
	}
	require.Equal(t, "disclose.Disclosure{42 claims named, 8 always}", previewed[0].String())
}
