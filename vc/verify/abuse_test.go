package verify_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/multiformat"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
	"github.com/staffpassport/staffpassport/vc/verify"
)

func envelope(s vc.Secured) string {
	return `{"@context":"` + vc.ContextV2 + `","id":"data:` + s.MediaType + `;base64,` + base64.StdEncoding.EncodeToString(s.Bytes) +
		`","type":"EnvelopedVerifiableCredential"}`
}

func TestEveryEntryPointAccepts(t *testing.T) {
	t.Parallel()
	for _, e := range entries() {
		t.Run(e.name, func(t *testing.T) {
			t.Parallel()
			c, err := e.run(t, verifier(t), issued(t))
			require.NoError(t, err)
			require.Equal(t, passport(t), c.Document())
			require.Equal(t, employer(t).id, c.Issuer())
			if e.index == verify.Whole {
				require.True(t, c.Holder().IsZero())
			} else {
				require.Equal(t, holder(t).id, c.Holder())
			}
		})
	}
}

// bytesOf and withValue open and close a proofValue.
func bytesOf(t testing.TB, o *strictjson.Object) (*strictjson.Object, []byte) {
	t.Helper()
	v, _ := o.Get("proof")
	proof := v.(*strictjson.Object).Clone()
	value, _ := proof.Text("proofValue")
	b, err := multiformat.Decode(value, multiformat.MaxKey)
	require.NoError(t, err)
	return proof, b
}

func withValue(t testing.TB, s vc.Secured, b []byte) vc.Secured {
	t.Helper()
	o := tree(t, s)
	proof, _ := bytesOf(t, o)
	proof.Set("proofValue", multiformat.Encode(b))
	o.Set("proof", proof)
	return text(t, o, s.MediaType)
}

// TestAbuse_DI01_PresentationProof: every bit of the signature of a presentation
// whose credentials are all good.
func TestAbuse_DI01_PresentationProof(t *testing.T) {
	t.Parallel()
	v, good := verifier(t), presented(t, issued(t))
	_, signature := bytesOf(t, tree(t, good))
	for bit := range 8 * len(signature) {
		flipped := append([]byte{}, signature...)
		flipped[bit/8] ^= 1 << (bit % 8)
		p, err := v.Presentation(context.Background(), withValue(t, good, flipped), session(t))
		require.Nil(t, p)
		e := requireCode(t, err, verify.ErrProof, verify.Whole, bit)
		require.Equal(t, verify.CheckSignature, e.Check)
	}
}

// TestAbuse_DI01_ProofValueText: every character of proofValue, at every entry.
func TestAbuse_DI01_ProofValueText(t *testing.T) {
	t.Parallel()
	v, good := verifier(t), issued(t)
	proof, _ := bytesOf(t, tree(t, good))
	value, _ := proof.Text("proofValue")
	for i := range value {
		other := byte('2')
		if value[i] == other {
			other = '3'
		}
		changed := value[:i] + string(other) + value[i+1:]
		s := replaced(t, good, value, changed)
		for _, e := range entries()[:4] {
			c, err := e.run(t, v, s)
			require.Nil(t, c)
			require.Error(t, err)
			require.True(t, errors.Is(err, verify.ErrProof) || errors.Is(err, verify.ErrProofMalformed), "%d: %v", i, err)
		}
	}
}

func TestAbuse_DI02_SecondCredential(t *testing.T) {
	t.Parallel()
	v, good := verifier(t), issued(t)
	for name, bad := range map[string]vc.Secured{
		"claim changed": replaced(t, good, `"payBand":"Band 6"`, `"payBand":"Band 9"`),
		"claim added":   replaced(t, good, `"payBand":"Band 6"`, `"payBand":"Band 6","more":true`),
		"claim removed": replaced(t, good, `"payBand":"Band 6",`, ``),
		"order of list": replaced(t, good, `["VerifiableCredential","StaffPassportCredential"]`, `["StaffPassportCredential","VerifiableCredential"]`),
	} {
		p, err := v.Presentation(context.Background(), presented(t, good, bad), session(t))
		require.Nil(t, p, name)
		e := requireCode(t, err, verify.ErrProof, 1, name)
		for _, r := range e.Checks {
			if r.Index == 0 {
				require.Equal(t, verify.Passed, r.Outcome, "the first credential is not to blame")
			}
		}
		require.NotContains(t, err.Error(), "Band")
		refusedEverywhere(t, v, bad, verify.ErrProof)
	}
}

// TestChangedSpellingVerifies: what JCS makes the same is the same document.
func TestChangedSpellingVerifies(t *testing.T) {
	t.Parallel()
	s := issued(t)
	var indented strings.Builder
	enc := json.NewEncoder(&indented)
	enc.SetIndent(" ", "\t")
	var v any
	require.NoError(t, json.Unmarshal(s.Bytes, &v))
	require.NoError(t, enc.Encode(v)) // sorts members and escapes <, >, &
	c, err := verifier(t).Credential(context.Background(), vc.Secured{MediaType: s.MediaType, Bytes: []byte(indented.String())})
	require.NoError(t, err)
	require.JSONEq(t, string(passport(t).Subject), string(c.Document().Subject))
}

func TestAbuse_DI03_NoProof(t *testing.T) {
	t.Parallel()
	v := verifier(t)
	for name, value := range map[string]any{
		"deleted": nil, "null": nil, "empty list": []any{}, "list of null": []any{nil}, "empty object": strictjson.NewObject(),
	} {
		set := func(s vc.Secured) vc.Secured {
			o := tree(t, s)
			if o.Set("proof", value); name == "deleted" {
				o.Delete("proof")
			}
			return text(t, o, s.MediaType)
		}
		refusedEverywhere(t, v, set(issued(t)), verify.ErrNoProof)

		p, err := v.Presentation(context.Background(), set(presented(t, issued(t))), session(t))
		require.Nil(t, p)
		requireCode(t, err, verify.ErrNoProof, verify.Whole, name)
	}
}

func TestAbuse_DI06_Contexts(t *testing.T) {
	t.Parallel()
	v := verifier(t)
	vocab, err := strictjson.ParseObject([]byte(`{"@vocab":"https://evil.example/"}`))
	require.NoError(t, err)
	base := []any{vc.ContextV2, passportContext}
	for name, context := range map[string][]any{
		"vocab appended":   append(base[:2:2], vocab),
		"unknown appended": append(base[:2:2], "https://evil.example/v1"),
		"order":            {vc.ContextV2, "https://evil.example/v1", passportContext},
		"twice":            append(base[:2:2], passportContext),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			// Appended after signing, where the signature stays good.
			o := tree(t, issued(t))
			o.Set("@context", context)
			refusedEverywhere(t, v, text(t, o, vc.MediaTypeCredential), verify.ErrContextNotAllowed)
			// And signed by the issuer itself.
			doc := tree(t, issued(t))
			doc.Delete("proof")
			doc.Set("@context", context)
			own := signedBy(t, employer(t), doc, dataintegrity.Proof{Purpose: did.AssertionMethod}, vc.MediaTypeCredential)
			refusedEverywhere(t, v, own, verify.ErrContextNotAllowed)
			// And on the presentation.
			doc = tree(t, presented(t, issued(t)))
			doc.Set("@context", context)
			requirePresentationCode(t, v, text(t, doc, vc.MediaTypePresentation), verify.ErrContextNotAllowed)
		})
	}
	below := tree(t, issued(t))
	below.Delete("proof")
	below.Set("evidence", object(t, `{"type":"Letter","@context":{"@vocab":"https://evil.example/"}}`))
	refusedEverywhere(t, v, signedBy(t, employer(t), below, dataintegrity.Proof{Purpose: did.AssertionMethod}, vc.MediaTypeCredential),
		verify.ErrContextNotAllowed)
}

// TestAbuse_DI06_KnownContextAppended: the employer signed a credential without
// the passport's context, and somebody appended that later, though it is a known
// array. The signature is good; the result has the context that was signed.
func TestAbuse_DI06_KnownContextAppended(t *testing.T) {
	t.Parallel()
	cred := passport(t)
	cred.Context = vc.Contexts()
	s, err := issuer(employer(t)).Secure(context.Background(), cred)
	require.NoError(t, err)
	o := tree(t, s)
	o.Set("@context", []any{vc.ContextV2, passportContext})
	for _, e := range entries() {
		c, err := e.run(t, verifier(t), text(t, o, s.MediaType))
		require.NoError(t, err)
		require.Equal(t, vc.Contexts(), c.Document().Context, e.name)
	}

	v := verifier(t)
	v.Contexts = contextSet([]string{vc.ContextV2, passportContext}, nil) // a careless list that allows no context at all
	doc := tree(t, s)
	doc.Delete("proof")
	doc.Set("@context", []any{})
	bare := tree(t, signedBy(t, employer(t), doc, dataintegrity.Proof{Purpose: did.AssertionMethod}, s.MediaType))
	bare.Set("@context", []any{vc.ContextV2})
	refusedEverywhere(t, v, text(t, bare, s.MediaType), verify.ErrMalformed)
}

func object(t testing.TB, s string) *strictjson.Object {
	t.Helper()
	o, err := strictjson.ParseObject([]byte(s))
	require.NoError(t, err)
	return o
}

func requirePresentationCode(t testing.TB, v *verify.Verifier, s vc.Secured, want verify.Code) *verify.Error {
	t.Helper()
	p, err := v.Presentation(context.Background(), s, session(t))
	require.Nil(t, p)
	return requireCode(t, err, want, verify.Whole)
}

func TestAbuse_DI10_Purpose(t *testing.T) {
	t.Parallel()
	v := verifier(t)
	for _, purpose := range []did.Relationship{did.Authentication, did.KeyAgreement, did.CapabilityInvocation, did.CapabilityDelegation, "", "assertionmethod"} {
		doc := tree(t, issued(t))
		doc.Delete("proof")
		s := signedBy(t, employer(t), doc, dataintegrity.Proof{Purpose: purpose}, vc.MediaTypeCredential)
		refusedEverywhere(t, v, s, verify.ErrPurpose)
	}
	for _, purpose := range []did.Relationship{did.AssertionMethod, did.KeyAgreement, did.CapabilityInvocation, did.CapabilityDelegation, ""} {
		doc := tree(t, presented(t, issued(t)))
		doc.Delete("proof")
		options := session2proof(t)
		options.Purpose = purpose
		requirePresentationCode(t, v, signedBy(t, holder(t), doc, options, vc.MediaTypePresentation), verify.ErrPurpose)
	}
	require.Equal(t, "https://w3id.org/security#PROOF_VERIFICATION_ERROR", verify.ErrPurpose.Problem())
}

func TestAbuse_DI11_Controller(t *testing.T) {
	t.Parallel()
	attacker := stranger(t)
	doc := tree(t, issued(t))
	doc.Delete("proof")
	s := signedBy(t, attacker, doc, dataintegrity.Proof{Purpose: did.AssertionMethod}, vc.MediaTypeCredential)

	v := verifier(t)
	v.Trust = verify.AnyIssuerUnsafe{}
	counting := &countingResolver{Resolver: v.Resolver}
	v.Resolver = counting
	refusedEverywhere(t, v, s, verify.ErrControllerMismatch)
	for _, id := range counting.asked {
		require.NotEqual(t, attacker.id, id, "a stranger's DID was resolved")
	}

	// The attacker's key, called a key of the victim's document.
	named := tree(t, s)
	proof, _ := bytesOf(t, named)
	proof.Set("verificationMethod", employer(t).id.URL(attacker.id.SpecificID()).String())
	named.Set("proof", proof)
	refusedEverywhere(t, v, text(t, named, s.MediaType), verify.ErrKeyNotFound)

	// The attacker's key under the name of the victim's key.
	proof.Set("verificationMethod", employer(t).signer.VerificationMethod().String())
	refusedEverywhere(t, v, text(t, named, s.MediaType), verify.ErrProof)
}

// TestAbuse_DI11_ClaimedController: the attacker's own document says that the
// victim controls its key, and the victim's document names the attacker's key.
func TestAbuse_DI11_ClaimedController(t *testing.T) {
	t.Parallel()
	attacker, victim := parse(t, "did:example:attacker"), parse(t, "did:example:victim")
	_, multikey, _ := strings.Cut(stranger(t).id.String(), "did:key:")
	document := func(id, controller did.DID, reference string) *did.Resolution {
		d, err := did.ParseDocument([]byte(fmt.Sprintf(`{"id":%q,"verificationMethod":[{"id":"%s#k","type":"Multikey","controller":%q,`+
			`"publicKeyMultibase":%q}],"assertionMethod":[%q]}`, id, id, controller, multikey, reference)))
		require.NoError(t, err)
		return &did.Resolution{Document: d}
	}
	v := verifier(t)
	v.Trust = verify.AnyIssuerUnsafe{}
	sign := func(vm did.URL) vc.Secured {
		doc := tree(t, issued(t))
		doc.Delete("proof")
		doc.Set("issuer", victim.String())
		return signedBy(t, stranger(t), doc, dataintegrity.Proof{VerificationMethod: vm, Purpose: did.AssertionMethod}, vc.MediaTypeCredential)
	}

	v.Resolver = resolverFunc(func(id did.DID) (*did.Resolution, error) {
		if id == attacker {
			return document(attacker, victim, "did:example:attacker#k"), nil
		}
		return document(victim, attacker, "did:example:victim#k"), nil
	})
	_, err := v.Credential(context.Background(), sign(attacker.URL("k")))
	requireCode(t, err, verify.ErrControllerMismatch, verify.Whole)
	_, err = v.Credential(context.Background(), sign(victim.URL("k")))
	requireCode(t, err, verify.ErrKeyNotAuthorised, verify.Whole)

	// A resolver that answers with another document than asked for.
	v.Resolver = resolverFunc(func(did.DID) (*did.Resolution, error) {
		return document(attacker, attacker, "did:example:attacker#k"), nil
	})
	_, err = v.Credential(context.Background(), sign(victim.URL("k")))
	requireCode(t, err, verify.ErrKeyNotFound, verify.Whole)
}

func parse(t testing.TB, s string) did.DID {
	t.Helper()
	id, err := did.Parse(s)
	require.NoError(t, err)
	return id
}

type resolverFunc func(did.DID) (*did.Resolution, error)

func (f resolverFunc) Resolve(_ context.Context, id did.DID, _ did.Version) (*did.Resolution, error) {
	return f(id)
}

type countingResolver struct {
	did.Resolver
	mu    sync.Mutex
	asked []did.DID
}

func (c *countingResolver) Resolve(ctx context.Context, id did.DID, at did.Version) (*did.Resolution, error) {
	c.mu.Lock()
	c.asked = append(c.asked, id)
	c.mu.Unlock()
	return c.Resolver.Resolve(ctx, id, at)
}

func TestAbuse_DI14_Session(t *testing.T) {
	t.Parallel()
	v := verifier(t)
	unsigned := tree(t, presented(t, issued(t)))
	unsigned.Delete("proof")
	for name, c := range map[string]struct {
		change func(*dataintegrity.Proof)
		want   verify.Code
	}{
		"challenge wrong":      {func(p *dataintegrity.Proof) { p.Challenge = nonce + "x" }, verify.ErrChallenge},
		"challenge case":       {func(p *dataintegrity.Proof) { p.Challenge = strings.ToLower(nonce) }, verify.ErrChallenge},
		"challenge cut":        {func(p *dataintegrity.Proof) { p.Challenge = nonce[1:] }, verify.ErrChallenge},
		"challenge missing":    {func(p *dataintegrity.Proof) { p.Challenge = "" }, verify.ErrChallenge},
		"domain wrong":         {func(p *dataintegrity.Proof) { p.Domain = []string{stranger(t).id.String()} }, verify.ErrDomain},
		"domain missing":       {func(p *dataintegrity.Proof) { p.Domain = nil }, verify.ErrDomain},
		"domain among several": {func(p *dataintegrity.Proof) { p.Domain = append(p.Domain, "other") }, verify.ErrDomain},
		"domain twice":         {func(p *dataintegrity.Proof) { p.Domain = append(p.Domain, p.Domain[0]) }, verify.ErrDomain},
	} {
		options := session2proof(t)
		c.change(&options)
		e := requirePresentationCode(t, v, signedBy(t, holder(t), unsigned, options, vc.MediaTypePresentation), c.want)
		require.Equal(t, verify.CheckSession, e.Check, name)
	}
	// An empty challenge, and one that was put in after signing.
	s := presented(t, issued(t))
	requirePresentationCode(t, v, replaced(t, s, `"challenge":"`+nonce+`"`, `"challenge":""`), verify.ErrChallenge)
	other := signedBy(t, holder(t), unsigned, dataintegrity.Proof{Purpose: did.Authentication,
		Domain: []string{host(t).id.String()}, Challenge: "other"}, vc.MediaTypePresentation)
	requirePresentationCode(t, v, replaced(t, other, `"challenge":"other"`, `"challenge":"`+nonce+`"`), verify.ErrProof)
	require.Equal(t, "https://w3id.org/security#INVALID_CHALLENGE_ERROR", verify.ErrChallenge.Problem())
	require.Equal(t, "https://w3id.org/security#INVALID_DOMAIN_ERROR", verify.ErrDomain.Problem())

	// The verifier must ask for something.
	for _, want := range []verify.Session{{}, {Audience: host(t).id.String()}, {Nonce: nonce}} {
		p, err := v.Presentation(context.Background(), s, want)
		require.Nil(t, p)
		requireCode(t, err, verify.ErrConfig, verify.Whole)
	}
}

func TestAbuse_DI14_Replay(t *testing.T) {
	t.Parallel()
	nonces := verify.NewNonces(time.Hour, clockAt(noon))
	v := verifier(t)
	v.Replay = nonces
	fresh := nonces.New()
	s := answering(t, fresh, issued(t))
	want := verify.Session{Audience: host(t).id.String(), Nonce: fresh}

	// A presentation that fails does not use the nonce up.
	bad := answering(t, fresh, replaced(t, issued(t), "Band 6", "Band 9"))
	_, err := v.Presentation(context.Background(), bad, want)
	requireCode(t, err, verify.ErrProof, 0)

	_, err = v.Presentation(context.Background(), s, want)
	require.NoError(t, err)
	for range 2 {
		p, err := v.Presentation(context.Background(), s, want)
		require.Nil(t, p)
		e := requireCode(t, err, verify.ErrReplay, verify.Whole)
		require.Equal(t, verify.CheckReplay, e.Check)
	}
	require.Equal(t, "https://w3id.org/security#INVALID_CHALLENGE_ERROR", verify.ErrReplay.Problem())
}

// TestAbuse_DI14_ParallelReplay: of many submissions at one instant exactly one is
// accepted.
func TestAbuse_DI14_ParallelReplay(t *testing.T) {
	t.Parallel()
	nonces := verify.NewNonces(time.Hour, clockAt(noon))
	v := verifier(t)
	v.Replay = nonces
	for range 20 {
		fresh := nonces.New()
		s := answering(t, fresh, issued(t))
		errs := make([]error, 8)
		var ready, done sync.WaitGroup
		start := make(chan struct{})
		for i := range errs {
			ready.Add(1)
			done.Add(1)
			go func() {
				defer done.Done()
				ready.Done()
				<-start
				_, errs[i] = v.Presentation(context.Background(), s, verify.Session{Audience: host(t).id.String(), Nonce: fresh})
			}()
		}
		ready.Wait()
		close(start)
		done.Wait()
		accepted := 0
		for _, err := range errs {
			if err == nil {
				accepted++
			} else {
				require.ErrorIs(t, err, verify.ErrReplay)
			}
		}
		require.Equal(t, 1, accepted)
	}
}

// answering is a presentation for another nonce than that of the tests.
func answering(t testing.TB, nonce string, creds ...vc.Secured) vc.Secured {
	t.Helper()
	h := holder(t)
	p := &dataintegrity.Presenter{Suite: dataintegrity.EdDSAJCS2022(), Signer: h.signer, Now: clockAt(noon)}
	s, err := p.Present(context.Background(), vc.NewPresentation(h.id, creds...), host(t).id.String(), nonce)
	require.NoError(t, err)
	return s
}

// TestAbuse_DI18_Times tries each end of each period a second before, at, and a
// second after it.
func TestAbuse_DI18_Times(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	const skew = 5 * time.Minute
	credential := func(p dataintegrity.Proof, member string) vc.Secured {
		doc := tree(t, issued(t))
		for _, m := range []string{"proof", "validFrom", "validUntil"} {
			doc.Delete(m)
		}
		if member != "" {
			doc.Set(member, at.Format(time.RFC3339))
		}
		p.Purpose = did.AssertionMethod
		return signedBy(t, employer(t), doc, p, vc.MediaTypeCredential)
	}
	for name, c := range map[string]struct {
		s    vc.Secured
		edge time.Time
		code verify.Code
		// whether the code is due before the edge, else after it
		before bool
	}{
		"created":    {credential(dataintegrity.Proof{Created: at}, ""), at.Add(-skew), verify.ErrProofNotYetValid, true},
		"expires":    {credential(dataintegrity.Proof{Expires: at}, ""), at, verify.ErrProofExpired, false},
		"validFrom":  {credential(dataintegrity.Proof{}, "validFrom"), at, verify.ErrNotYetValid, true},
		"validUntil": {credential(dataintegrity.Proof{}, "validUntil"), at, verify.ErrExpired, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, e := range entries() {
				for offset, bad := range map[time.Duration]bool{
					-time.Second: c.before, -1: c.before, 0: false, 1: !c.before, time.Second: !c.before,
					-time.Hour: c.before, time.Hour: !c.before,
				} {
					v := verifier(t)
					v.Now = clockAt(c.edge.Add(offset))
					// The presentation's own proof must not stand in the way.
					got, err := entryAt(t, e, v, c.s)
					if !bad {
						require.NoError(t, err, "%s %s", e.name, offset)
						continue
					}
					require.Nil(t, got)
					x := requireCode(t, err, c.code, e.index, "%s %s", e.name, offset)
					require.Equal(t, verify.CheckTime, x.Check)
				}
			}
		})
	}
}

// entryAt is e.run with presentations whose proof has no time.
func entryAt(t testing.TB, e entry, v *verify.Verifier, s vc.Secured) (*verify.Credential, error) {
	t.Helper()
	if e.index == verify.Whole {
		return e.run(t, v, s)
	}
	inner := string(s.Bytes)
	if strings.HasPrefix(e.name, "enveloped") {
		inner = envelope(s)
	}
	doc := object(t, `{"@context":["`+vc.ContextV2+`"],"type":["VerifiablePresentation"],"verifiableCredential":`+inner+`}`)
	options := session2proof(t)
	options.Created = time.Time{}
	p, err := v.Presentation(context.Background(), signedBy(t, holder(t), doc, options, vc.MediaTypePresentation), session(t))
	if err != nil {
		return nil, err
	}
	return p.Credentials()[0], nil
}

// TestAbuse_DI18_PresentationTimes is the same for the proof of a presentation.
func TestAbuse_DI18_PresentationTimes(t *testing.T) {
	t.Parallel()
	unsigned := tree(t, presented(t, issued(t)))
	unsigned.Delete("proof")
	for name, c := range map[string]struct {
		created, expires time.Time
		now              time.Time
		want             verify.Code // "" is accepted
	}{
		"created at the limit":  {created: noon.Add(5 * time.Minute), now: noon},
		"created beyond it":     {created: noon.Add(5*time.Minute + time.Second), now: noon, want: verify.ErrProofNotYetValid},
		"created a week ago":    {created: noon.AddDate(0, 0, -7), now: noon},
		"created longer ago":    {created: noon.AddDate(0, 0, -7).Add(-time.Second), now: noon, want: verify.ErrProofTooOld},
		"expires now":           {created: noon.Add(-time.Hour), expires: noon, now: noon},
		"expired":               {created: noon.Add(-time.Hour), expires: noon, now: noon.Add(time.Second), want: verify.ErrProofExpired},
		"expired before it was": {created: noon, expires: noon.Add(-time.Second), now: noon, want: verify.ErrProofExpired},
	} {
		v := verifier(t)
		v.Now = clockAt(c.now)
		options := session2proof(t)
		options.Created, options.Expires = c.created, c.expires
		s := signedBy(t, holder(t), unsigned, options, vc.MediaTypePresentation)
		p, err := v.Presentation(context.Background(), s, session(t))
		if c.want == "" {
			require.NoError(t, err, name)
			continue
		}
		require.Nil(t, p)
		requireCode(t, err, c.want, verify.Whole, name)
	}
}

func TestAbuse_DI18_NoZone(t *testing.T) {
	t.Parallel()
	v := verifier(t)
	for _, member := range []string{"validFrom", "validUntil"} {
		o := tree(t, issued(t))
		o.Set(member, "2026-03-02T12:00:00")
		refusedEverywhere(t, v, text(t, o, vc.MediaTypeCredential), verify.ErrNoTimeZone)
	}
	for _, member := range []string{"created", "expires"} {
		o := tree(t, issued(t))
		proof, _ := bytesOf(t, o)
		proof.Set(member, "2026-03-02T12:00:00")
		o.Set("proof", proof)
		refusedEverywhere(t, v, text(t, o, vc.MediaTypeCredential), verify.ErrNoTimeZone)

		o = tree(t, presented(t, issued(t)))
		proof, _ = bytesOf(t, o)
		proof.Set(member, "2026-03-02T12:00:00")
		o.Set("proof", proof)
		requirePresentationCode(t, v, text(t, o, vc.MediaTypePresentation), verify.ErrNoTimeZone)
	}
}

// unparsable puts text into a credential that strict JSON refuses, and gives it to
// every entry point. In a presentation it cannot be signed; the presentation
// falls with it.
func unparsable(t *testing.T, old, new string, want verify.Code) {
	t.Helper()
	v := &verify.Verifier{Resolver: noResolver{t}, Trust: verify.AnyIssuerUnsafe{}, Contexts: contexts(),
		Replay: verify.NonceUsedOnceByCaller{}, Now: clockAt(noon)}
	s := issued(t)
	bad := replaced(t, s, old, new)
	_, err := v.Credential(context.Background(), bad)
	requireCode(t, err, want, verify.Whole, new)
	_, err = v.Credential(context.Background(), vc.Secured{MediaType: vc.MediaTypeCredential, Bytes: []byte(envelope(bad))})
	requireCode(t, err, want, verify.Whole, new)
	requirePresentationCode(t, v, replaced(t, presented(t, s), old, new), want)

	withHolder := verifier(t)
	_, err = entries()[4].run(t, withHolder, bad)
	requireCode(t, err, want, 0, new)
}

// noResolver fails the test when anybody asks it: no cryptography before parsing.
type noResolver struct{ t testing.TB }

func (r noResolver) Resolve(context.Context, did.DID, did.Version) (*did.Resolution, error) {
	r.t.Error("a key was resolved for a document that does not parse")
	return nil, did.ErrUnavailable
}

func TestAbuse_DI21_DuplicateMembers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ old, new string }{
		{`"validFrom":`, `"issuer":"did:example:evil","validFrom":`},
		{`"validFrom":`, `"ISSUER":"did:example:evil","validFrom":`},
		{`"validFrom":`, `"validfrom":"2020-01-01T00:00:00Z","validFrom":`},
		{`"payBand":"Band 6"`, `"payBand":"Band 6","payBand":"Band 9"`},
		{`"payBand":"Band 6"`, `"PayBand":"Band 9","payBand":"Band 6"`},
		{`"payBand":"Band 6"`, `"payBand":"Band 6","\u0070ayBand":"Band 9"`},
		{`"validFrom":`, `"proof":{"type":"DataIntegrityProof"},"validFrom":`},
	} {
		unparsable(t, c.old, c.new, verify.ErrSyntax)
	}
}

func TestAbuse_DI23_NumbersAndText(t *testing.T) {
	t.Parallel()
	for _, value := range []string{`1e400`, `-0`, `-0.0`, `12345678901234567890`, `9007199254740992`, `1e-400`, `"\ud800"`, `"\udc00\ud800"`, "\"\xff\"", `"` + "\xed\xa0\x80" + `"`} {
		unparsable(t, `"payBand":"Band 6"`, `"payBand":`+value, verify.ErrSyntax)
	}
}

func TestAbuse_DI24_HolderBinding(t *testing.T) {
	t.Parallel()
	mine, others := issued(t), passport(t)
	others.Subject = json.RawMessage(strings.Replace(string(others.Subject), holder(t).id.String(), stranger(t).id.String(), 1))
	theirs, err := issuer(employer(t)).Secure(context.Background(), others)
	require.NoError(t, err)
	subject := func(raw string) vc.Secured {
		c := passport(t)
		c.Subject = json.RawMessage(raw)
		s, err := issuer(employer(t)).Secure(context.Background(), c)
		require.NoError(t, err)
		return s
	}
	me := holder(t).id.String()

	for name, s := range map[string]vc.Secured{
		"another subject":    theirs,
		"no subject id":      subject(`{"role":"Staff Nurse"}`),
		"one of two":         subject(`[{"id":"` + me + `","a":1},{"id":"` + stranger(t).id.String() + `","a":1}]`),
		"one of two without": subject(`[{"id":"` + me + `","a":1},{"a":1}]`),
		"id deeper":          subject(`{"a":{"id":"` + me + `"}}`),
		"id as a fragment":   subject(`{"id":"` + me + `#key","a":1}`),
	} {
		for _, e := range entries()[3:] {
			c, err := e.run(t, verifier(t), s)
			require.Nil(t, c)
			x := requireCode(t, err, verify.ErrHolder, 0, name)
			require.Equal(t, verify.CheckHolder, x.Check)
			v := verifier(t)
			v.Holder = verify.UnsafeAnyHolder
			c, err = e.run(t, v, s)
			require.NoError(t, err, "the opt-out is explicit")
			require.True(t, c.Holder().IsZero(), "and proves nothing about the holder")
		}
	}
	both := subject(`[{"id":"` + me + `","a":1},{"id":"` + me + `","b":1}]`)
	_, err = entries()[3].run(t, verifier(t), both)
	require.NoError(t, err)

	// The second of two credentials.
	p, err := verifier(t).Presentation(context.Background(), presented(t, mine, theirs), session(t))
	require.Nil(t, p)
	requireCode(t, err, verify.ErrHolder, 1)

	// A holder that is not the key's, with either policy.
	doc := tree(t, presented(t, mine))
	doc.Delete("proof")
	for _, policy := range []verify.HolderBinding{verify.HolderIsSubject, verify.UnsafeAnyHolder} {
		v := verifier(t)
		v.Holder = policy
		requirePresentationCode(t, v, signedBy(t, stranger(t), doc, session2proof(t), vc.MediaTypePresentation), verify.ErrHolder)
	}
	// Somebody else presents what was stolen, without or with its own name as holder.
	for _, change := range []func(){func() { doc.Delete("holder") }, func() { doc.Set("holder", stranger(t).id.String()) }} {
		change()
		p, err := verifier(t).Presentation(context.Background(), signedBy(t, stranger(t), doc, session2proof(t), vc.MediaTypePresentation), session(t))
		require.Nil(t, p)
		requireCode(t, err, verify.ErrHolder, 0)
	}
	// A presentation that names no holder: the key's owner is the holder.
	doc.Delete("holder")
	p, err = verifier(t).Presentation(context.Background(), signedBy(t, holder(t), doc, session2proof(t), vc.MediaTypePresentation), session(t))
	require.NoError(t, err)
	require.Equal(t, holder(t).id, p.Holder())
}

// TestAbuse_DI25_ResultIsWhatWasSigned: nothing a caller does to the bytes, to the
// document or to an earlier result reaches a verified credential.
func TestAbuse_DI25_ResultIsWhatWasSigned(t *testing.T) {
	t.Parallel()
	for _, e := range entries() {
		t.Run(e.name, func(t *testing.T) {
			t.Parallel()
			s := issued(t)
			c, err := e.run(t, verifier(t), s)
			require.NoError(t, err)
			for i := range s.Bytes {
				s.Bytes[i] = 'x'
			}
			first := c.Document()
			first.Issuer.ID, first.Type[0], first.Subject = "did:example:evil", "Evil", json.RawMessage(`{}`)
			first.Context[0].URL = "https://evil.example/"
			c.Checks()[0].Outcome = verify.Failed
			require.Equal(t, passport(t), c.Document())
			require.Equal(t, verify.Passed, c.Checks()[0].Outcome)
			_, hasProof := c.Document().Other["proof"]
			require.False(t, hasProof)
		})
	}
	// A decoded object with altered claims that still carries the original proof.
	parsed, err := vc.Parse(issued(t).Bytes)
	require.NoError(t, err)
	parsed.Subject = json.RawMessage(strings.Replace(string(parsed.Subject), "Band 6", "Band 9", 1))
	b, err := json.Marshal(parsed)
	require.NoError(t, err)
	refusedEverywhere(t, verifier(t), vc.Secured{MediaType: vc.MediaTypeCredential, Bytes: b}, verify.ErrProof)
}

// TestAbuse_CN05_Bombs is not parallel because it measures memory.
func TestAbuse_CN05_Bombs(t *testing.T) {
	deep := strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000)
	for _, c := range []struct {
		name, value string
		want        verify.Code
	}{
		{"deep", deep, verify.ErrTooDeep},
		{"deep objects", strings.Repeat(`{"a":`, 10_000) + "1" + strings.Repeat("}", 10_000), verify.ErrTooDeep},
		{"large", `"` + strings.Repeat("x", 10<<20) + `"`, verify.ErrTooLarge},
		{"many values", `[` + strings.Repeat("0,", 1_000_000) + `0]`, verify.ErrTooLarge},
		{"many values in 1 MiB", `[` + strings.Repeat("0,", 400_000) + `0]`, verify.ErrTooLarge},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := issued(t)
			bad := replaced(t, s, `"payBand":"Band 6"`, `"payBand":`+c.value)
			vp := replaced(t, presented(t, s), `"payBand":"Band 6"`, `"payBand":`+c.value)
			env := vc.Secured{MediaType: vc.MediaTypeCredential, Bytes: []byte(envelope(bad))}
			v := verifier(t)
			for _, run := range []func() error{
				func() error { _, err := v.Credential(context.Background(), bad); return err },
				func() error { _, err := v.Credential(context.Background(), env); return err },
				func() error { _, err := v.Presentation(context.Background(), vp, session(t)); return err },
			} {
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				err := run()
				runtime.ReadMemStats(&after)
				requireCode(t, err, c.want, verify.Whole)
				require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(32<<20))
			}
		})
	}
}
