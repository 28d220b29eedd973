package disclose_test

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
	"github.com/staffpassport/staffpassport/vc/disclose"
	"github.com/staffpassport/staffpassport/vc/sdjwt"
)

// quiet checks that an error repeats no claim and nothing of the session.
func quiet(t testing.TB, err error) {
	t.Helper()
	require.Error(t, err)
	require.True(t, strings.HasPrefix(err.Error(), "disclose: "), err.Error())
	require.Equal(t, 1, strings.Count(err.Error(), "disclose: "), err.Error())
	for at, v := range subjectClaims(t) {
		if text, ok := v.(string); ok && !isPhoto(at) {
			require.NotContains(t, err.Error(), text)
		}
	}
	require.NotContains(t, err.Error(), nonce)
}

// TestRefusesInEveryFormat: the same requests fail for the same reason.
func TestRefusesInEveryFormat(t *testing.T) {
	t.Parallel()
	contexts, h := contexts(t), holder(t)
	const s = "/credentialSubject"
	for _, f := range formats() {
		cred := f.secure(t, contexts, h, unchanged)
		for name, c := range map[string]struct {
			reveal []vc.Pointer
			change func(*disclose.Request)
			creds  int
			want   error
		}{
			"no such claim":       {reveal: []vc.Pointer{s + "/registration/nothing"}, want: disclose.ErrPointer},
			"no such section":     {reveal: []vc.Pointer{s + "/registration", s + "/nothing/number"}, want: disclose.ErrPointer},
			"beside the array":    {reveal: []vc.Pointer{s + "/employment/skills/3"}, want: disclose.ErrPointer},
			"end of the array":    {reveal: []vc.Pointer{s + "/employment/skills/-"}, want: disclose.ErrPointer},
			"second spelling":     {reveal: []vc.Pointer{s + "/employment/skills/01"}, want: disclose.ErrPointer},
			"other case":          {reveal: []vc.Pointer{s + "/Registration"}, want: disclose.ErrPointer},
			"inside a value":      {reveal: []vc.Pointer{s + "/registration/number/0"}, want: disclose.ErrPointer},
			"no slash":            {reveal: []vc.Pointer{"credentialSubject"}, want: disclose.ErrPointer},
			"bad escape":          {reveal: []vc.Pointer{s + "/a~2"}, want: disclose.ErrPointer},
			"empty name":          {reveal: []vc.Pointer{s + "/"}, want: disclose.ErrPointer},
			"proof":               {reveal: []vc.Pointer{"/proof"}, want: disclose.ErrPointer},
			"digests":             {reveal: []vc.Pointer{s + "/_sd"}, want: disclose.ErrPointer},
			"holder's key":        {reveal: []vc.Pointer{"/cnf"}, want: disclose.ErrPointer},
			"a part of the photo": {reveal: []vc.Pointer{s + "/personal/photo/mediaType"}, want: disclose.ErrRevealsMore},
			"most of the photo":   {reveal: []vc.Pointer{s + "/personal/photo/mediaType", s + "/personal/photo/digestMultibase"}, want: disclose.ErrRevealsMore},
			"no credential":       {creds: -1, want: disclose.ErrConfig},
			"too many credential": {creds: 65, want: disclose.ErrConfig},
			"too many pointers":   {reveal: slices.Repeat([]vc.Pointer{s + "/dbs"}, 513), want: disclose.ErrConfig},
			"too many in a list": {change: func(r *disclose.Request) {
				r.Reveal, r.Each = nil, [][]vc.Pointer{slices.Repeat([]vc.Pointer{s + "/dbs"}, 513)}
			}, want: disclose.ErrConfig},
			"lists for others":   {change: func(r *disclose.Request) { r.Reveal, r.Each = nil, [][]vc.Pointer{{}, {}} }, want: disclose.ErrConfig},
			"list and lists":     {change: func(r *disclose.Request) { r.Each = [][]vc.Pointer{r.Reveal} }, want: disclose.ErrConfig},
			"unmatched in lists": {change: func(r *disclose.Request) { r.Reveal, r.Each = nil, [][]vc.Pointer{{"/nothing"}} }, want: disclose.ErrPointer},
			"malformed in lists": {change: func(r *disclose.Request) { r.Reveal, r.Each = nil, [][]vc.Pointer{{"nothing"}} }, want: disclose.ErrPointer},
			"template's holder": {change: func(r *disclose.Request) { r.Template = vc.NewPresentation(h.VerificationMethod().DID) },
				want: disclose.ErrConfig},
			"template's credentials": {change: func(r *disclose.Request) { r.Template = vc.NewPresentation(did.DID{}, cred) }, want: disclose.ErrConfig},
		} {
			t.Run(f.name+"/"+name, func(t *testing.T) {
				t.Parallel()
				if c.reveal == nil {
					c.reveal = []vc.Pointer{s + "/registration/number"}
				}
				r := f.request(t, contexts, h, c.reveal...)
				if c.change != nil {
					c.change(&r)
				}
				creds := slices.Repeat([]vc.Secured{cred}, max(c.creds+1, 0))
				if c.creds == 0 {
					creds = []vc.Secured{cred}
				}
				shown, err := disclose.Derive(context.Background(), r, creds...)
				require.ErrorIs(t, err, c.want)
				require.Empty(t, shown)
				quiet(t, err)
				previewed, err := disclose.Preview(r, creds...)
				require.ErrorIs(t, err, c.want)
				require.Nil(t, previewed)
				quiet(t, err)
			})
		}
	}
}

// TestDeriveRefuses is about what Preview does not ask for.
func TestDeriveRefuses(t *testing.T) {
	t.Parallel()
	contexts, h := contexts(t), holder(t)
	foreign := vc.NewPresentation(did.DID{})
	foreign.Context = vc.Contexts("https://other.example/v1")
	untyped := vc.NewPresentation(did.DID{})
	untyped.Type = nil
	proofs := vc.NewPresentation(did.DID{})
	proofs.Other = map[string]json.RawMessage{"proof": json.RawMessage(`{"type":"DataIntegrityProof"}`)}
	for _, f := range formats() {
		cred := f.secure(t, contexts, h, unchanged)
		cases := map[string]struct {
			change func(*disclose.Request)
			want   error
		}{
			"no audience":     {func(r *disclose.Request) { r.Audience = "" }, disclose.ErrConfig},
			"no nonce":        {func(r *disclose.Request) { r.Nonce = "" }, disclose.ErrConfig},
			"unknown context": {func(r *disclose.Request) { r.Template = foreign }, dataintegrity.ErrContextNotAllowed},
			"malformed frame": {func(r *disclose.Request) { r.Template = untyped }, vc.ErrMalformed},
		}
		if f.bearer {
			cases["a holder"] = struct {
				change func(*disclose.Request)
				want   error
			}{func(r *disclose.Request) { r.Holder = h }, disclose.ErrLinkable}
			cases["a proof"] = struct {
				change func(*disclose.Request)
				want   error
			}{func(r *disclose.Request) { r.Template = proofs }, disclose.ErrLinkable}
		} else {
			cases["no holder"] = struct {
				change func(*disclose.Request)
				want   error
			}{func(r *disclose.Request) { r.Holder = nil }, disclose.ErrConfig}
			cases["a proof"] = struct {
				change func(*disclose.Request)
				want   error
			}{func(r *disclose.Request) { r.Template = proofs }, dataintegrity.ErrProofSet}
		}
		for name, c := range cases {
			t.Run(f.name+"/"+name, func(t *testing.T) {
				t.Parallel()
				r := f.request(t, contexts, h, "/credentialSubject/registration/number")
				c.change(&r)
				shown, err := disclose.Derive(context.Background(), r, cred)
				require.ErrorIs(t, err, c.want)
				require.Empty(t, shown)
				quiet(t, err)
				if r.Template != nil {
					_, err := disclose.Preview(r, cred)
					require.ErrorIs(t, err, c.want)
				}
			})
		}
	}
}

func TestMoreErrorNamesTheClaims(t *testing.T) {
	t.Parallel()
	contexts, h := contexts(t), holder(t)
	for i, f := range formats() {
		want := []vc.Pointer{"/credentialSubject/personal/photo/id"}
		if i > 1 { // the token has the photo in one piece
			want = []vc.Pointer{"/credentialSubject/personal/photo/digestMultibase", want[0]}
		}
		_, err := disclose.Preview(disclose.Request{Reveal: []vc.Pointer{"/credentialSubject/personal/photo/mediaType"}, Contexts: contexts},
			f.secure(t, contexts, h, unchanged))
		var more *disclose.MoreError
		require.ErrorAs(t, err, &more)
		require.ElementsMatch(t, want, more.With)
		require.Zero(t, more.Credential)
	}
}

// TestHolderOfAToken: the key is the one that the issuer put in.
func TestHolderOfAToken(t *testing.T) {
	t.Parallel()
	contexts, h := contexts(t), holder(t)
	other := signerOf(t, ed25519Key("Nettle Styx"))
	for _, f := range formats()[2:] {
		cred := f.secure(t, contexts, h, unchanged)
		_, err := disclose.Derive(context.Background(), f.request(t, contexts, other, "/credentialSubject/dbs"), cred)
		require.ErrorIs(t, err, disclose.ErrHolder)
		require.ErrorIs(t, err, sdjwt.ErrKeyBinding)
		quiet(t, err)
		shown, err := disclose.Derive(context.Background(), f.request(t, contexts, h, "/credentialSubject/dbs"), cred)
		require.NoError(t, err)
		_, err = disclose.Derive(context.Background(), f.request(t, contexts, h, "/credentialSubject/dbs"), shown)
		require.ErrorIs(t, err, disclose.ErrFormat, "it was shown already")
		require.ErrorIs(t, err, sdjwt.ErrKeyBinding)
		quiet(t, err)
	}
	_, err := disclose.Derive(context.Background(), formats()[0].request(t, contexts, other, "/credentialSubject/dbs"), formats()[0].secure(t, contexts, h, unchanged))
	require.ErrorIs(t, err, disclose.ErrHolder, "a document about somebody else")
	s := employer(t)
	c := credential(t, s, h)
	nobodys := secured(t, &sdjwt.Issuer{Signer: s, Disclosable: disclosable(t, c), Contexts: contexts, Now: clock}, c)
	for _, reader := range []did.Signer{h, nil} {
		r := formats()[2].request(t, contexts, h, "/credentialSubject/dbs")
		r.Holder = reader
		_, err := disclose.Preview(r, nobodys)
		require.ErrorIs(t, err, disclose.ErrHolder, "a token that is bound to no key")
		_, err = disclose.Derive(context.Background(), r, nobodys)
		require.ErrorIs(t, err, disclose.ErrHolder)
		quiet(t, err)
	}
}

// TestPreviewKnowsTheVocabularies: what Derive refuses for its contexts Preview does
// too, and each says what is missing.
func TestPreviewKnowsTheVocabularies(t *testing.T) {
	t.Parallel()
	known, h := contexts(t), holder(t)
	others, err := vc.NewContextSet(nil)
	require.NoError(t, err)
	for i, f := range formats() {
		cred := f.secure(t, known, h, unchanged)
		for _, set := range []*vc.ContextSet{nil, others} {
			r := f.request(t, set, h, "/credentialSubject/dbs")
			_, previewed := disclose.Preview(r, cred)
			_, derived := disclose.Derive(context.Background(), r, cred)
			if i > 1 { // a token says itself what its members mean
				require.NoError(t, previewed)
				require.NoError(t, derived)
				continue
			}
			for _, err := range []error{previewed, derived} {
				require.ErrorIs(t, err, dataintegrity.ErrContextNotAllowed)
				require.Equal(t, set == nil, strings.Contains(err.Error(), "no Contexts"))
				quiet(t, err)
			}
		}
	}
	for field, change := range map[string]func(*disclose.Request){
		"Audience": func(r *disclose.Request) { r.Audience = "" },
		"Nonce":    func(r *disclose.Request) { r.Nonce = "" },
		"Holder":   func(r *disclose.Request) { r.Holder = nil },
		"Each":     func(r *disclose.Request) { r.Each = [][]vc.Pointer{{""}} },
		"Template": func(r *disclose.Request) { r.Template = vc.NewPresentation(h.VerificationMethod().DID) },
	} {
		f := formats()[0]
		r := f.request(t, known, h, "/credentialSubject/dbs")
		change(&r)
		_, err := disclose.Derive(context.Background(), r, f.secure(t, known, h, unchanged))
		require.ErrorIs(t, err, disclose.ErrConfig)
		require.ErrorContains(t, err, field)
	}
}

// TestUnlinkableStaysUnlinkable (rule of bbs-2023 here: a bearer's, about nobody
// who is named, and by itself).
func TestUnlinkableStaysUnlinkable(t *testing.T) {
	t.Parallel()
	contexts, h := contexts(t), holder(t)
	bound, bearer := formats()[0], formats()[1]
	plain := bearer.secure(t, contexts, nil, unchanged)
	named := bearer.secure(t, contexts, nil, func(c *vc.Credential) {
		c.Subject = json.RawMessage(`{"id":"did:example:rowan","dbs":{"level":"Enhanced"}}`)
	})
	second := bearer.secure(t, contexts, nil, func(c *vc.Credential) {
		c.Subject = json.RawMessage(`[{"dbs":{"level":"Enhanced"}},{"id":"did:example:rowan","dbs":{"level":"Enhanced"}}]`)
	})
	numbered := bearer.secure(t, contexts, nil, func(c *vc.Credential) { c.ID = "urn:uuid:00000000-0000-4000-8000-000000000002" })
	r := bearer.request(t, contexts, nil, "/credentialSubject")
	for name, creds := range map[string][]vc.Secured{
		"subject with an id":    {named},
		"a second subject's id": {second},
		"credential with an id": {numbered},
		"beside a bound one":    {plain, bound.secure(t, contexts, h, unchanged)},
		"behind a bound one":    {bound.secure(t, contexts, h, unchanged), plain},
	} {
		_, err := disclose.Preview(r, creds...)
		require.ErrorIs(t, err, disclose.ErrLinkable, name)
		quiet(t, err)
		for _, holder := range []did.Signer{nil, h} {
			r := r
			r.Holder = holder
			_, err = disclose.Derive(context.Background(), r, creds...)
			require.ErrorIs(t, err, disclose.ErrLinkable, name)
		}
	}
	r.Reveal = nil
	_, err := disclose.Derive(context.Background(), r, plain)
	require.ErrorIs(t, err, disclose.ErrNothing)
	quiet(t, err)
}

// TestNotACredential: what is no credential, or not one to derive from.
func TestNotACredential(t *testing.T) {
	t.Parallel()
	contexts, h := contexts(t), holder(t)
	f := formats()[0]
	cred := f.secure(t, contexts, h, unchanged)
	r := f.request(t, contexts, h, "/credentialSubject/dbs")
	shown, err := disclose.Derive(context.Background(), r, cred)
	require.NoError(t, err)
	set := addProof(t, cred)
	for name, s := range map[string]vc.Secured{
		"nothing":            {},
		"no media type":      {Bytes: cred.Bytes},
		"parameters":         {MediaType: "application/vc; charset=utf-8", Bytes: cred.Bytes},
		"a presentation":     shown,
		"not JSON":           {MediaType: vc.MediaTypeCredential, Bytes: []byte("{")},
		"a name twice":       {MediaType: vc.MediaTypeCredential, Bytes: []byte(`{"proof":{},"proof":{}}`)},
		"no proof":           {MediaType: vc.MediaTypeCredential, Bytes: []byte(`{"@context":["https://www.w3.org/ns/credentials/v2"]}`)},
		"no document":        {MediaType: vc.MediaTypeCredential, Bytes: []byte(`{"credentialSubject":{"dbs":1},"proof":{"cryptosuite":"eddsa-jcs-2022"}}`)},
		"not a token":        {MediaType: sdjwt.MediaTypeSDJWTVC, Bytes: cred.Bytes},
		"not a JWT":          {MediaType: "application/vc+jwt", Bytes: cred.Bytes},
		"not COSE":           {MediaType: "application/vc+cose", Bytes: cred.Bytes},
		"token presentation": {MediaType: sdjwt.MediaTypePresentation, Bytes: []byte("a.b.c~")},
		"set of proofs":      set,
		"base of no suite":   {MediaType: vc.MediaTypeCredential, Bytes: []byte(strings.Replace(string(cred.Bytes), "ecdsa-sd-2023", "ecdsa-sd-2099", 1))},
		"base of another":    {MediaType: vc.MediaTypeCredential, Bytes: []byte(strings.Replace(string(cred.Bytes), "ecdsa-sd-2023", "bbs-2023", 1))},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := r
			if name == "no document" {
				r.Reveal = []vc.Pointer{""}
			}
			out, err := disclose.Derive(context.Background(), r, s)
			require.ErrorIs(t, err, disclose.ErrFormat)
			require.Empty(t, out)
			quiet(t, err)
			_, err = disclose.Preview(r, s)
			require.ErrorIs(t, err, disclose.ErrFormat)
		})
	}
}

// addProof puts a second proof beside the base proof.
func addProof(t testing.TB, s vc.Secured) vc.Secured {
	t.Helper()
	var doc map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(s.Bytes, &doc))
	doc["proof"] = json.RawMessage(`[` + string(doc["proof"]) + `,{"type":"DataIntegrityProof","cryptosuite":"eddsa-jcs-2022","proofValue":"z1"}]`)
	b, err := json.Marshal(doc)
	require.NoError(t, err)
	return vc.Secured{MediaType: s.MediaType, Bytes: b}
}

func TestCancelled(t *testing.T) {
	t.Parallel()
	contexts, h := contexts(t), holder(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for _, f := range formats() {
		_, err := disclose.Derive(ctx, f.request(t, contexts, h, "/credentialSubject/dbs"), f.secure(t, contexts, h, unchanged))
		require.ErrorIs(t, err, context.Canceled, f.name)
	}
}
