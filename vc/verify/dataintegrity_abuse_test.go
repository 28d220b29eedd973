package verify_test

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
	"github.com/staffpassport/staffpassport/vc/dataintegrity/bbs"
	"github.com/staffpassport/staffpassport/vc/dataintegrity/ecdsasd"
	"github.com/staffpassport/staffpassport/vc/dataintegrity/rdfc"
	"github.com/staffpassport/staffpassport/vc/verify"
)

// strictContexts defines two words and no others.
func strictContexts(t testing.TB) *vc.ContextSet {
	t.Helper()
	s, err := vc.NewContextSet(map[string][]byte{passportContext: []byte(`{"@context":{"@protected":true,
		"StaffPassportCredential":"https://w3id.org/staffpassport/v1#StaffPassportCredential",
		"role":"https://w3id.org/staffpassport/v1#role","band":"https://w3id.org/staffpassport/v1#band"}}`)}, vc.Contexts(passportContext))
	require.NoError(t, err)
	return s
}

// rdfForms are the suites that sign what a document says.
func rdfForms() []embeddedForm {
	return []embeddedForm{
		{suite: rdfc.EdDSARDFC2022(), key: ed25519Key},
		{suite: rdfc.ECDSARDFC2019(), key: p256Key},
		{suite: rdfc.ECDSARDFC2019(), key: p384Key},
		{suite: ecdsasd.Suite(), key: p256Key, derives: "ecdsa-sd-2023"},
		{suite: bbs.Suite(), key: bls12381Key, derives: "bbs-2023"},
	}
}

// small is a credential whose every word is defined.
func small(t testing.TB, by party) *vc.Credential {
	t.Helper()
	return &vc.Credential{Context: vc.Contexts(passportContext), Type: []string{vc.TypeCredential, passportType},
		Issuer: vc.Party{ID: by.id.String()}, Subject: json.RawMessage(`{"id":"` + holder(t).id.String() + `","role":"Nurse","band":"Band 6"}`)}
}

// TestAbuse_DI04_UndefinedTerm: a word that no context defines is part of no
// canonical form, so that the signature stays genuine under it.
func TestAbuse_DI04_UndefinedTerm(t *testing.T) {
	t.Parallel()
	for _, f := range rdfForms() {
		by := partyOf(t, "Riverside Trust", f.key)
		s, err := (&dataintegrity.Issuer{Suite: f.suite, Signer: by.signer, Contexts: strictContexts(t), Now: clockAt(noon)}).Secure(context.Background(), small(t, by))
		require.NoError(t, err, f.name())
		switch f.derives {
		case "ecdsa-sd-2023":
			s, err = ecdsasd.Derive(context.Background(), s, []vc.Pointer{""}, strictContexts(t))
		case "bbs-2023":
			s, err = bbs.Derive(context.Background(), s, []vc.Pointer{""}, strictContexts(t), bbs.SessionHeader(host(t).id.String(), nonce))
		}
		require.NoError(t, err, f.name())
		v := verifier(t)
		v.Contexts, v.Trust = strictContexts(t), verify.TrustedIssuers{by.id: {passportType}}
		for _, e := range entries() {
			_, err := e.run(t, v, s)
			require.NoError(t, err, "%s: %s", f.name(), e.name)
		}
		for _, added := range []string{`"dbsCleared":true,`, `"dbsCleared":null,`, `"dbsCleared":[],`, `"@undefined":1,`, `"evidence":{"type":"Letter"},`} {
			bad := replaced(t, s, `"role":`, added+`"role":`)
			for _, e := range entries() {
				c, err := e.run(t, v, bad)
				require.Nil(t, c)
				var x *verify.Error
				require.ErrorAs(t, err, &x)
				require.Contains(t, []verify.Code{verify.ErrUndefinedTerm, verify.ErrUnsignable}, x.Code, "%s: %s: %v", f.name(), added, err)
			}
		}
		require.Contains(t, string(s.Bytes), `["VerifiableCredential","StaffPassportCredential"]`)
		bad := replaced(t, s, `["VerifiableCredential","StaffPassportCredential"]`, `["VerifiableCredential","StaffPassportCredential","Cleared"]`)
		refusedEverywhere(t, v, bad, verify.ErrUndefinedTerm)
	}
}

// TestAbuse_DI05_SigningUndefined: at signing the place is named and nothing signed.
func TestAbuse_DI05_SigningUndefined(t *testing.T) {
	t.Parallel()
	for _, f := range rdfForms() {
		by := partyOf(t, "Riverside Trust", f.key)
		for at, change := range map[vc.Pointer]func(c *vc.Credential){
			"/credentialSubject/dbsCleared": func(c *vc.Credential) {
				c.Subject = json.RawMessage(strings.Replace(string(c.Subject), `"role"`, `"dbsCleared":true,"role"`, 1))
			},
			"/type/2": func(c *vc.Credential) { c.Type = append(c.Type, "Cleared") },
		} {
			c := small(t, by)
			change(c)
			s, err := (&dataintegrity.Issuer{Suite: f.suite, Signer: by.signer, Contexts: strictContexts(t), Now: clockAt(noon)}).Secure(context.Background(), c)
			require.Empty(t, s)
			require.ErrorIs(t, err, dataintegrity.ErrUndefinedTerm, f.name())
			var where *vc.Error
			require.ErrorAs(t, err, &where)
			require.Equal(t, at, where.At)
		}
	}
}

// TestAbuse_DI08_NothingIsFetched is not parallel because it replaces the
// transport that a careless library would use.
func TestAbuse_DI08_NothingIsFetched(t *testing.T) {
	var dialled atomic.Int64
	old := http.DefaultTransport
	http.DefaultTransport = &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		dialled.Add(1)
		return nil, errors.New("no network")
	}}
	defer func() { http.DefaultTransport = old }()

	schema := object(t, `{"id":"https://schema.example/v1","type":"JsonSchema"}`)
	imports := object(t, `{"@version":1.1,"@import":"https://evil.example/v1"}`)
	for _, f := range forms() {
		by := partyOf(t, "Riverside Trust", f.keys())
		v := matrixCase{}.setUp(t, f)
		sign := func(change func(doc *strictjson.Object)) vc.Secured {
			c := passport(t)
			c.Issuer.ID = by.id.String()
			doc, err := c.Object()
			require.NoError(t, err)
			change(doc)
			return f.sign(t, by, doc, signing{created: noon})
		}
		if s := sign(func(doc *strictjson.Object) { doc.Set("credentialSchema", schema) }); s.Bytes != nil {
			_, err := v.Credential(context.Background(), s)
			require.NoError(t, err, f.name())
		}
		for _, contexts := range [][]any{
			{vc.ContextV2, evilContext},
			{vc.ContextV2, passportContext, imports},
		} {
			s := sign(func(doc *strictjson.Object) { doc.Set("@context", contexts) })
			if s.Bytes == nil || sdJWTVC(f) && len(contexts) > 2 {
				continue
			}
			_, err := v.Credential(context.Background(), s)
			requireCode(t, err, verify.ErrContextNotAllowed, verify.Whole, f.name())
		}
	}
	require.Zero(t, dialled.Load())
}

// TestProofSets: several proofs by one issuer, all of which count.
func TestProofSets(t *testing.T) {
	t.Parallel()
	me := employer(t)
	first := &dataintegrity.Issuer{Suite: dataintegrity.EdDSAJCS2022(), Signer: me.signer, Contexts: contexts(), Now: clockAt(noon)}
	second := &dataintegrity.Issuer{Suite: rdfc.EdDSARDFC2022(), Signer: me.signer, Contexts: contexts(), Now: clockAt(noon.Add(time.Minute))}
	one, err := first.SecureWith(context.Background(), passport(t), dataintegrity.Proof{ID: "urn:uuid:1"})
	require.NoError(t, err)
	set, err := second.AddProof(context.Background(), one, dataintegrity.Proof{})
	require.NoError(t, err)
	chain, err := second.AddProof(context.Background(), one, dataintegrity.Proof{Previous: []string{"urn:uuid:1"}})
	require.NoError(t, err)

	v := verifier(t)
	for name, s := range map[string]vc.Secured{"set": set, "chain": chain} {
		require.Len(t, proofsOf(t, s), 2)
		for _, e := range entries() {
			c, err := e.run(t, v, s)
			require.NoError(t, err, "%s: %s", name, e.name)
			require.Equal(t, passport(t), c.Document())
		}
		for i := range 2 {
			bad := tree(t, s)
			value, _ := proofsOf(t, s)[i].Text("proofValue")
			other := byte('2')
			if value[20] == other {
				other = '3'
			}
			setProof(t, bad, i, "proofValue", value[:20]+string(other)+value[21:])
			refusedEverywhere(t, v, text(t, bad, s.MediaType), verify.ErrProof)
			setProof(t, bad, i, "cryptosuite", "future-suite-2030")
			refusedEverywhere(t, v, text(t, bad, s.MediaType), verify.ErrSuite)
		}
		refusedEverywhere(t, v, replaced(t, s, "Band 6", "Band 9"), verify.ErrProof)
	}
	dropped := tree(t, chain)
	dropped.Set("proof", proofsOf(t, chain)[1])
	refusedEverywhere(t, v, text(t, dropped, chain.MediaType), verify.ErrProofSet)

	// One of the two made for another purpose.
	doc := tree(t, one)
	doc.Delete("proof")
	authenticates := tree(t, signedBy(t, me, doc, dataintegrity.Proof{Purpose: "authentication"}, one.MediaType))
	other, _ := authenticates.Get("proof")
	doc.Set("proof", []any{proofsOf(t, one)[0], other})
	refusedEverywhere(t, v, text(t, doc, one.MediaType), verify.ErrPurpose)

	// A stranger's proof beside the issuer's says nothing about the credential, and
	// its key is nobody's business.
	doc = tree(t, one)
	doc.Delete("proof")
	theirs := tree(t, embeddedForm{suite: dataintegrity.EdDSAJCS2022(), key: ed25519Key}.sign(t, stranger(t), doc, signing{created: noon}))
	proof, _ := theirs.Get("proof")
	doc.Set("proof", []any{proofsOf(t, one)[0], proof})
	counting := &countingResolver{Resolver: v.Resolver}
	v.Resolver = counting
	refusedEverywhere(t, v, text(t, doc, one.MediaType), verify.ErrControllerMismatch)
	require.NotContains(t, counting.asked, stranger(t).id)
}

// TestProofSetOfPresentation: every proof of a presentation is its holder's, and
// made for the session.
func TestProofSetOfPresentation(t *testing.T) {
	t.Parallel()
	v, me := verifier(t), holder(t)
	doc := unsignedVP(t, envelope(issued(t)))
	proof := func(by party, a sessionProof) any {
		p, _ := tree(t, vpForms()[0].sign(t, by, doc, a)).Get("proof")
		return p
	}
	good := answerNow(t, v)
	later, other := good, good
	later.created = noon.Add(time.Second)
	other.nonce = "another"
	for name, c := range map[string]struct {
		proofs []any
		want   verify.Code
	}{
		"two":                  {[]any{proof(me, good), proof(me, later)}, ""},
		"one twice":            {[]any{proof(me, good), proof(me, good)}, verify.ErrProofSet},
		"one for another":      {[]any{proof(me, good), proof(me, other)}, verify.ErrChallenge},
		"one by another":       {[]any{proof(me, good), proof(stranger(t), good)}, verify.ErrHolder},
		"one of no known kind": {[]any{proof(me, good), object(t, `{"type":"FutureProof"}`)}, verify.ErrSuite},
	} {
		signed := doc.Clone()
		signed.Set("proof", c.proofs)
		_, err := v.Presentation(context.Background(), text(t, signed, vc.MediaTypePresentation), session(t))
		if c.want == "" {
			require.NoError(t, err, name)
			continue
		}
		requireCode(t, err, c.want, verify.Whole, name)
	}
}

// TestTooManySignatures: credentials with several proofs do not multiply the work.
func TestTooManySignatures(t *testing.T) {
	t.Parallel()
	me := employer(t)
	c := small(t, me)
	i := &dataintegrity.Issuer{Suite: dataintegrity.EdDSAJCS2022(), Signer: me.signer, Contexts: contexts()}
	s, err := i.Secure(context.Background(), c)
	require.NoError(t, err)
	for n := range 3 {
		i.Now = clockAt(noon.Add(time.Duration(n) * time.Second))
		s, err = i.AddProof(context.Background(), s, dataintegrity.Proof{})
		require.NoError(t, err)
	}
	many := make([]vc.Secured, 33)
	for n := range many {
		many[n] = s
	}
	v := verifier(t)
	v.Now = func() time.Time { return time.Now() }
	_, err = v.Presentation(context.Background(), presentedAt(t, time.Now(), many[:32]...), session(t))
	require.NoError(t, err)
	_, err = v.Presentation(context.Background(), presentedAt(t, time.Now(), many...), session(t))
	requireCode(t, err, verify.ErrTooLarge, 32)
}

// TestCredentialForOneAudience: what was made for somebody is for nobody else.
func TestCredentialForOneAudience(t *testing.T) {
	t.Parallel()
	doc, err := passport(t).Object()
	require.NoError(t, err)
	for audience, want := range map[string]verify.Code{host(t).id.String(): "", "https://host.example": verify.ErrDomain} {
		p := dataintegrity.Proof{Purpose: "assertionMethod", Domain: []string{"https://another.example", audience}}
		s := signedBy(t, employer(t), doc, p, vc.MediaTypeCredential)
		for _, e := range entries() {
			_, err := e.run(t, verifier(t), s)
			if want == "" && e.session() {
				require.NoError(t, err, e.name)
				continue
			}
			requireCode(t, err, verify.ErrDomain, e.index, e.name)
		}
	}
}

// TestProofsOverDifferentContexts: a proof made before a context was appended is
// good only if the shorter array is one to accept.
func TestProofsOverDifferentContexts(t *testing.T) {
	t.Parallel()
	me, more := employer(t), "https://more.example/v1"
	all := contextSet([]string{vc.ContextV2, passportContext}, []string{vc.ContextV2, passportContext, more})
	c := passport(t)
	sign := func(doc *strictjson.Object, at time.Time) any {
		p := &dataintegrity.Proof{VerificationMethod: me.signer.VerificationMethod(), Purpose: "assertionMethod", Created: at}
		proof, err := dataintegrity.EdDSAJCS2022().Prove(context.Background(), doc, p, me.signer, all)
		require.NoError(t, err)
		return proof
	}
	made := func(urls ...[]string) vc.Secured {
		var proofs []any
		for i, u := range urls {
			c.Context = vc.Contexts(u...)
			doc, err := c.Object()
			require.NoError(t, err)
			proofs = append(proofs, sign(doc, noon.Add(time.Duration(i)*time.Second)))
		}
		c.Context = vc.Contexts(passportContext, more)
		doc, err := c.Object()
		require.NoError(t, err)
		doc.Set("proof", proofs)
		return text(t, doc, vc.MediaTypeCredential)
	}
	short, long := []string{passportContext}, []string{passportContext, more}
	v := verifier(t)
	v.Contexts = all
	for _, s := range []vc.Secured{made(short), made(short, long), made(long, short)} {
		for _, e := range entries() {
			got, err := e.run(t, v, s)
			require.NoError(t, err, e.name)
			require.Equal(t, vc.Contexts(passportContext), got.Document().Context, "what all of them are over")
		}
	}
	v.Contexts = contextSet([]string{vc.ContextV2, passportContext, more})
	_, err := v.Credential(context.Background(), made(long, long[:2]))
	require.NoError(t, err)
	for _, s := range []vc.Secured{made(short), made(short, long), made(long, short), made(nil, short, long), made(long, short, nil)} {
		refusedEverywhere(t, v, s, verify.ErrContextNotAllowed)
	}
}
