package verify_test

import (
	"bytes"
	"context"
	"crypto"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/cose"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
	"github.com/staffpassport/staffpassport/vc/dataintegrity/bbs"
	"github.com/staffpassport/staffpassport/vc/dataintegrity/ecdsasd"
	"github.com/staffpassport/staffpassport/vc/jose"
	"github.com/staffpassport/staffpassport/vc/sdjwt"
	"github.com/staffpassport/staffpassport/vc/status"
	"github.com/staffpassport/staffpassport/vc/verify"
)

// sdJWT is the passport as an SD-JWT VC, bound to a key (nil: the holder's), about
// a subject ("": nobody).
func sdJWT(t testing.TB, key crypto.PublicKey, subject string) vc.Secured {
	t.Helper()
	doc, err := passport(t).Object()
	require.NoError(t, err)
	v, _ := doc.Get("credentialSubject")
	about := v.(*strictjson.Object)
	if about.Delete("id"); subject != "" {
		about.Set("id", subject)
	}
	return sdForm{sdjwt.MediaTypeSDJWTVC, ed25519Key, true}.sign(t, employer(t), doc, signing{created: noon, cnf: key})
}

// unbound is the same without any key.
func unbound(t testing.TB) vc.Secured {
	t.Helper()
	doc, err := passport(t).Object()
	require.NoError(t, err)
	return sdForm{sdjwt.MediaTypeSDJWTVC, ed25519Key, false}.sign(t, employer(t), doc, signing{created: noon})
}

// shownTo is s with a key binding by somebody for the session of the tests.
func shownTo(t testing.TB, s vc.Secured, by party) vc.Secured {
	t.Helper()
	return bound(t, s, by, host(t).id.String(), nonce, noon)
}

func TestKeyBindingHolder(t *testing.T) {
	t.Parallel()
	me := holder(t)
	for name, c := range map[string]struct {
		s    vc.Secured
		by   party
		want did.DID
	}{
		"subject is a DID":             {sdJWT(t, nil, me.id.String()), me, me.id},
		"no subject id":                {sdJWT(t, nil, ""), me, me.id}, // the did:key of the key
		"subject is no DID":            {sdJWT(t, nil, "urn:uuid:1"), me, me.id},
		"subject is a DID of its own":  {sdJWT(t, nil, "did:example:rowan"), me, parse(t, "did:example:rowan")},
		"key made for this credential": {sdJWT(t, partyOf(t, "once", p256Key).signer.Public(), ""), partyOf(t, "once", p256Key), partyOf(t, "once", p256Key).id},
	} {
		p, err := verifier(t).Presentation(context.Background(), shownTo(t, c.s, c.by), session(t))
		require.NoError(t, err, name)
		require.Equal(t, c.want, p.Holder(), name)
		require.Equal(t, c.want, p.Credentials()[0].Holder(), name)
		require.Contains(t, p.String(), c.want.String())
		require.Equal(t, []string{
			"-1 format passed",
			"0 format passed", "0 context passed", "0 proof passed", "0 session passed", "0 key passed", "0 signature passed",
			"0 time passed", "0 holder passed", "0 issuer passed", "0 status passed", "0 resources passed",
			"-1 replay left-to-caller",
		}, list(p.Checks()), name)
	}
}

// TestHolderWhoSignedNothing: the issuer named somebody's did:key and another's key.
func TestHolderWhoSignedNothing(t *testing.T) {
	t.Parallel()
	thief := stranger(t)
	s := shownTo(t, sdJWT(t, thief.signer.Public(), holder(t).id.String()), thief)
	_, err := verifier(t).Presentation(context.Background(), s, session(t))
	requireCode(t, err, verify.ErrHolder, 0)
	_, err = onlyCredential(t, verifier(t), vpForms()[0].sign(t, thief, func() *strictjson.Object {
		doc := unsignedVP(t, envelope(s))
		doc.Set("holder", thief.id.String())
		return doc
	}(), answerNow(t, verifier(t))))
	requireCode(t, err, verify.ErrHolder, 0)
}

// TestConfirmationThatIsNoKey: a token that its issuer bound to what cannot be read is
// not taken for one that is bound to nothing.
func TestConfirmationThatIsNoKey(t *testing.T) {
	t.Parallel()
	doc, err := passport(t).Object()
	require.NoError(t, err)
	payload, err := strictjson.Append(nil, doc)
	require.NoError(t, err)
	for name, cnf := range map[string]any{
		"empty": strictjson.NewObject(), "kid": object(t, `{"kid":"did:example:a#b"}`), "text": "key",
		"jwk without a type": object(t, `{"jwk":{"x":"AA"}}`), "secret": object(t, `{"jwk":{"kty":"oct","k":"AAAA"}}`),
	} {
		with := doc.Clone()
		with.Set("cnf", cnf)
		s := vc.Secured{MediaType: jose.MediaTypeCredential, Bytes: jwt(t, employer(t), "vc+jwt", signing{}, with)}
		for _, e := range entries() {
			c, err := e.run(t, verifier(t), s)
			require.Error(t, err, "%s: %s", name, e.name)
			require.Nil(t, c)
		}
	}
	s := vc.Secured{MediaType: cose.MediaTypeCredential,
		Bytes: sign1(t, employer(t), cose.MediaTypeCredential, signing{}, map[int64]any{8: map[int64]any{3: []byte("key")}}, payload)}
	refusedEverywhere(t, verifier(t), s, verify.ErrProofMalformed)
}

func TestAbuse_SD06_KeyBindingStripped(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]vc.Secured{
		"stripped":        sdJWT(t, nil, holder(t).id.String()),
		"never asked for": unbound(t),
	} {
		for _, policy := range []verify.HolderBinding{verify.HolderIsSubject, verify.Bearer, verify.UnsafeAnyHolder} {
			v := verifier(t)
			v.Holder = policy
			_, err := v.Presentation(context.Background(), s, session(t))
			e := requireCode(t, err, verify.ErrUnbound, 0, name)
			require.Equal(t, verify.CheckSession, e.Check)
		}
	}
	// The tilde at the end gone too, which would be a JWT and no SD-JWT.
	s := unbound(t)
	s.Bytes = s.Bytes[:len(s.Bytes)-1]
	_, err := verifier(t).Presentation(context.Background(), s, session(t))
	require.Error(t, err)
}

func TestAbuse_SD07_KeyBinding(t *testing.T) {
	t.Parallel()
	s, me := sdJWT(t, nil, holder(t).id.String()), holder(t)
	audience := host(t).id.String()
	header, rest, _ := strings.Cut(string(shownTo(t, s, me).Bytes[len(s.Bytes):]), ".")
	require.Contains(t, string(mustDecode(t, header)), "EdDSA")
	other := sdJWT(t, nil, "")
	timed := func(claim string, at time.Time) vc.Secured {
		claims := keyBindingOf(t, s, audience, nonce, noon)
		claims.Set(claim, at.Unix())
		return vc.Secured{MediaType: s.MediaType, Bytes: append(bytes.Clone(s.Bytes), jwt(t, me, "kb+jwt", signing{}, claims)...)}
	}
	_, err := verifier(t).Presentation(context.Background(), timed("exp", noon.Add(time.Second)), session(t))
	require.NoError(t, err)
	_, err = verifier(t).Presentation(context.Background(), timed("nbf", noon), session(t))
	require.NoError(t, err)
	for name, c := range map[string]struct {
		s    vc.Secured
		want verify.Code
	}{
		"other key":             {shownTo(t, s, stranger(t)), verify.ErrProof},
		"other kind of key":     {shownTo(t, s, partyOf(t, "Rowan Tamar", p256Key)), verify.ErrSuite},
		"wrong nonce":           {bound(t, s, me, audience, "another", noon), verify.ErrChallenge},
		"wrong audience":        {bound(t, s, me, "https://host.example", nonce, noon), verify.ErrDomain},
		"too old":               {bound(t, s, me, audience, nonce, noon.Add(-7*24*time.Hour-time.Second)), verify.ErrProofTooOld},
		"over":                  {timed("exp", noon.Add(-time.Second)), verify.ErrProofExpired},
		"not yet":               {timed("nbf", noon.Add(5*time.Minute+time.Second)), verify.ErrProofNotYetValid},
		"of tomorrow":           {bound(t, s, me, audience, nonce, noon.Add(24*time.Hour)), verify.ErrProofNotYetValid},
		"of another credential": {vc.Secured{MediaType: s.MediaType, Bytes: append(bytes.Clone(s.Bytes), shownTo(t, other, me).Bytes[len(other.Bytes):]...)}, verify.ErrProof},
		"disclosure dropped":    {dropDisclosure(t, shownTo(t, s, me)), verify.ErrProof},
		"alg none": {vc.Secured{MediaType: s.MediaType, Bytes: append(bytes.Clone(s.Bytes),
			encode64(strings.Replace(string(mustDecode(t, header)), "EdDSA", "none", 1))+"."+rest...)}, verify.ErrSuite},
		"key not named by the issuer": {shownTo(t, unbound(t), me), verify.ErrProofMalformed},
	} {
		for _, show := range []func(vc.Secured) vc.Secured{
			func(s vc.Secured) vc.Secured { return s },
			func(s vc.Secured) vc.Secured { return presented(t, s) },
		} {
			p, err := verifier(t).Presentation(context.Background(), show(c.s), session(t))
			require.Nil(t, p, name)
			var e *verify.Error
			require.ErrorAs(t, err, &e)
			require.Equal(t, c.want, e.Code, "%s: %v", name, err)
		}
	}
}

// dropDisclosure leaves out the first disclosure, after the key binding was made.
func dropDisclosure(t testing.TB, s vc.Secured) vc.Secured {
	t.Helper()
	parts := strings.Split(string(s.Bytes), "~")
	return vc.Secured{MediaType: s.MediaType, Bytes: []byte(strings.Join(append(parts[:1:1], parts[2:]...), "~"))}
}

func encode64(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

// TestKeyBindingOutsideASession: a credential by itself answers no request, so that
// a key binding in it could not be checked.
func TestKeyBindingOutsideASession(t *testing.T) {
	t.Parallel()
	s := sdJWT(t, nil, holder(t).id.String())
	_, err := verifier(t).Credential(context.Background(), s)
	require.NoError(t, err, "what the issuer sent to the holder")
	_, err = verifier(t).Credential(context.Background(), shownTo(t, s, holder(t)))
	requireCode(t, err, verify.ErrPurpose, verify.Whole)
}

// TestKeyBindingInPresentation: a presentation that its holder signed holds an
// SD-JWT with a key of its own.
func TestKeyBindingInPresentation(t *testing.T) {
	t.Parallel()
	me, once := holder(t), partyOf(t, "once", p256Key)
	for name, c := range map[string]struct {
		s    vc.Secured
		want verify.Code
	}{
		"one key for both":                        {shownTo(t, sdJWT(t, nil, me.id.String()), me), ""},
		"one key for both, not bound again":       {sdJWT(t, nil, me.id.String()), ""},
		"one key for both, about nobody":          {sdJWT(t, nil, ""), ""},
		"key of its own, about the presenter":     {shownTo(t, sdJWT(t, once.signer.Public(), me.id.String()), once), ""},
		"key of its own, not bound":               {sdJWT(t, once.signer.Public(), me.id.String()), verify.ErrUnbound},
		"key of its own, about nobody":            {shownTo(t, sdJWT(t, once.signer.Public(), ""), once), verify.ErrHolder},
		"key of its own, about somebody else":     {shownTo(t, sdJWT(t, once.signer.Public(), stranger(t).id.String()), once), verify.ErrHolder},
		"presenter's key, about somebody else":    {sdJWT(t, nil, stranger(t).id.String()), verify.ErrHolder},
		"somebody else's, bound by somebody else": {shownTo(t, sdJWT(t, stranger(t).signer.Public(), stranger(t).id.String()), stranger(t)), verify.ErrHolder},
		"no key, about the presenter":             {unbound(t), ""},
	} {
		for _, f := range vpForms() {
			got, err := onlyCredential(t, verifier(t), f.sign(t, me, unsignedVP(t, envelope(c.s)), answerNow(t, verifier(t))))
			if c.want == "" {
				require.NoError(t, err, "%s: %s", name, f.name)
				require.Equal(t, me.id, got.Holder())
				continue
			}
			requireCode(t, err, c.want, 0, "%s: %s", name, f.name)
		}
	}
	// Whoever lets anybody present still checks what is there.
	v := verifier(t)
	v.Holder = verify.UnsafeAnyHolder
	_, err := onlyCredential(t, v, presented(t, sdJWT(t, once.signer.Public(), "")))
	require.NoError(t, err)
	_, err = onlyCredential(t, v, presented(t, shownTo(t, sdJWT(t, stranger(t).signer.Public(), ""), me)))
	requireCode(t, err, verify.ErrProof, 0)
}

// TestTokenBoundToKey: the cnf of a token without key bindings asks for the key of
// the presentation.
func TestTokenBoundToKey(t *testing.T) {
	t.Parallel()
	me := holder(t)
	token := func(key crypto.PublicKey, subject string) vc.Secured {
		doc, err := passport(t).Object()
		require.NoError(t, err)
		v, _ := doc.Get("credentialSubject")
		if v.(*strictjson.Object).Delete("id"); subject != "" {
			v.(*strictjson.Object).Set("id", subject)
		}
		doc.Set("cnf", strictjson.NewObject(strictjson.Member{Name: "jwk", Value: jwkOf(t, key)}))
		return vc.Secured{MediaType: jose.MediaTypeCredential, Bytes: jwt(t, employer(t), "vc+jwt", signing{}, doc)}
	}
	for name, c := range map[string]struct {
		s    vc.Secured
		want verify.Code
	}{
		"presenter's key":                    {token(me.signer.Public(), me.id.String()), ""},
		"presenter's key, about nobody":      {token(me.signer.Public(), ""), ""},
		"presenter's key, about another":     {token(me.signer.Public(), stranger(t).id.String()), verify.ErrHolder},
		"another's key, about the presenter": {token(stranger(t).signer.Public(), me.id.String()), verify.ErrUnbound},
		"another's key, about nobody":        {token(stranger(t).signer.Public(), ""), verify.ErrUnbound},
	} {
		got, err := onlyCredential(t, verifier(t), presented(t, c.s))
		if c.want == "" {
			require.NoError(t, err, name)
			require.Equal(t, me.id, got.Holder())
			continue
		}
		requireCode(t, err, c.want, 0, name)
	}
}

// based is the passport with the proof that its holder keeps.
func based(t testing.TB, suite dataintegrity.Suite, by party, bearer bool) vc.Secured {
	t.Helper()
	c := passport(t)
	c.Issuer.ID = by.id.String()
	if bearer {
		c.Subject = []byte(strings.Replace(string(c.Subject), `"id":"`+holder(t).id.String()+`",`, "", 1))
		require.NotContains(t, string(c.Subject), "did:key")
	}
	s, err := (&dataintegrity.Issuer{Suite: suite, Signer: by.signer, Contexts: contexts(), Now: clockAt(noon)}).Secure(context.Background(), c)
	require.NoError(t, err)
	return s
}

func TestAbuse_SE01_BaseProof(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]vc.Secured{
		"ecdsa-sd-2023": based(t, ecdsasd.Suite(), partyOf(t, "Riverside Trust", p256Key), false),
		"bbs-2023":      based(t, bbs.Suite(), partyOf(t, "Riverside Trust", bls12381Key), false),
	} {
		v := verifier(t)
		v.Trust = verify.AnyIssuerUnsafe{}
		for _, policy := range []verify.HolderBinding{verify.HolderIsSubject, verify.Bearer, verify.UnsafeAnyHolder} {
			v.Holder = policy
			refusedEverywhere(t, v, s, verify.ErrBaseProof)
		}
		v.Holder = verify.Bearer
		_, err := v.Presentation(context.Background(), s, session(t))
		e := requireCode(t, err, verify.ErrBaseProof, 0, name)
		require.Equal(t, verify.CheckProof, e.Check)
	}
}

// TestAbuse_SE02_StatementRemoved: what the issuer wants everybody to see.
func TestAbuse_SE02_StatementRemoved(t *testing.T) {
	t.Parallel()
	v := verifier(t)
	v.Trust = verify.AnyIssuerUnsafe{}
	for name, base := range map[string]vc.Secured{
		"ecdsa-sd-2023": based(t, ecdsasd.Suite("/credentialSubject/registration"), partyOf(t, "Riverside Trust", p256Key), false),
		"bbs-2023":      based(t, bbs.Suite("/credentialSubject/registration"), partyOf(t, "Riverside Trust", bls12381Key), false),
	} {
		reveal := []vc.Pointer{"/credentialSubject/employment/jobRole"}
		var s vc.Secured
		var err error
		if name == "bbs-2023" {
			s, err = bbs.Derive(context.Background(), base, reveal, contexts(), bbs.SessionHeader(host(t).id.String(), nonce))
		} else {
			s, err = ecdsasd.Derive(context.Background(), base, reveal, contexts())
		}
		require.NoError(t, err)
		require.NotContains(t, string(s.Bytes), "AB123456C")
		for _, e := range entries() {
			c, err := e.run(t, v, s)
			require.NoError(t, err, "%s: %s", name, e.name)
			require.NotContains(t, string(c.Document().Subject), "personal")
		}
		for _, member := range []string{`"status":"Registered"`, `"number":"10A0101B"`, `"jobRole":"Staff Nurse"`} {
			require.Contains(t, string(s.Bytes), member)
			for _, without := range []string{`,` + member, member + `,`, member} {
				if bytes.Contains(s.Bytes, []byte(without)) {
					refusedEverywhere(t, v, replaced(t, s, without, ""), verify.ErrProof)
					break
				}
			}
		}
		refusedEverywhere(t, v, replaced(t, s, "Staff Nurse", "Matron"), verify.ErrProof)
	}
}

// TestAbuse_SE06_PresentationHeader: of another request, of none, and used before,
// under every policy and inside every presentation.
func TestAbuse_SE06_PresentationHeader(t *testing.T) {
	t.Parallel()
	issuer := partyOf(t, "Riverside Trust", bls12381Key)
	base := map[bool]vc.Secured{false: based(t, bbs.Suite(), issuer, false), true: based(t, bbs.Suite(), issuer, true)}
	audience := host(t).id.String()
	derive := func(bearer bool, header []byte) vc.Secured {
		s, err := bbs.Derive(context.Background(), base[bearer], []vc.Pointer{"/credentialSubject/registration"}, contexts(), header)
		require.NoError(t, err)
		return s
	}
	for name, c := range map[string]struct {
		header []byte
		want   verify.Code
	}{
		"this request":                   {bbs.SessionHeader(audience, nonce), ""},
		"another nonce":                  {bbs.SessionHeader(audience, "another"), verify.ErrChallenge},
		"another audience":               {bbs.SessionHeader("https://host.example", nonce), verify.ErrChallenge},
		"the nonce itself":               {[]byte(nonce), verify.ErrChallenge},
		"empty":                          {nil, verify.ErrChallenge},
		"the beginning of the right one": {bbs.SessionHeader(audience, nonce)[:31], verify.ErrChallenge},
	} {
		v := verifier(t)
		v.Trust = verify.AnyIssuerUnsafe{}
		v.Holder = verify.Bearer
		p, err := v.Presentation(context.Background(), derive(true, c.header), session(t))
		if c.want == "" {
			require.NoError(t, err, name)
			require.True(t, p.Holder().IsZero())
			require.Contains(t, p.String(), "bearer")
			require.Equal(t, []string{
				"-1 format passed",
				"0 format passed", "0 context passed", "0 proof passed", "0 session passed", "0 key passed", "0 signature passed",
				"0 time passed", "0 holder left-to-caller", "0 issuer passed", "0 status passed", "0 resources passed",
				"-1 replay left-to-caller",
			}, list(p.Checks()))
		} else {
			require.Nil(t, p)
			e := requireCode(t, err, c.want, 0, name)
			require.Equal(t, verify.CheckSession, e.Check)
		}
		named := derive(false, c.header)
		for _, policy := range []verify.HolderBinding{verify.HolderIsSubject, verify.Bearer, verify.UnsafeAnyHolder} {
			v.Holder = policy
			for _, e := range entries()[3:] {
				_, err := e.run(t, v, named)
				if c.want == "" {
					require.NoError(t, err, name)
					continue
				}
				requireCode(t, err, c.want, 0, name)
			}
		}
		_, err = v.Credential(context.Background(), derive(true, c.header))
		require.NoError(t, err, "a credential by itself answers no request")
	}

	// Of two proofs both answer.
	two := func(second []byte) vc.Secured {
		doc := tree(t, derive(true, bbs.SessionHeader(audience, nonce)))
		doc.Set("proof", []any{proofsOf(t, text(t, doc, vc.MediaTypeCredential))[0], proofsOf(t, derive(true, second))[0]})
		return text(t, doc, vc.MediaTypeCredential)
	}
	both := verifier(t)
	both.Trust, both.Holder = verify.AnyIssuerUnsafe{}, verify.Bearer
	_, err := both.Presentation(context.Background(), two(bbs.SessionHeader(audience, nonce)), session(t))
	require.NoError(t, err)
	_, err = both.Presentation(context.Background(), two(bbs.SessionHeader(audience, "another")), session(t))
	requireCode(t, err, verify.ErrChallenge, 0)

	// Used before: the nonce is single.
	nonces := verify.NewNonces(time.Hour, clockAt(noon))
	fresh := nonces.New()
	v := verifier(t)
	v.Trust, v.Holder, v.Replay = verify.AnyIssuerUnsafe{}, verify.Bearer, nonces
	s := derive(true, bbs.SessionHeader(audience, fresh))
	want := verify.Session{Audience: audience, Nonce: fresh}
	_, err = v.Presentation(context.Background(), s, want)
	require.NoError(t, err)
	_, err = v.Presentation(context.Background(), s, want)
	requireCode(t, err, verify.ErrReplay, verify.Whole)
}

// TestBearer: what the policy named so lets in, and what it does not.
func TestBearer(t *testing.T) {
	t.Parallel()
	issuer := partyOf(t, "Riverside Trust", bls12381Key)
	derive := func(bearer bool) vc.Secured {
		s, err := bbs.Derive(context.Background(), based(t, bbs.Suite(), issuer, bearer), []vc.Pointer{"/credentialSubject/registration"},
			contexts(), bbs.SessionHeader(host(t).id.String(), nonce))
		require.NoError(t, err)
		return s
	}
	unsigned := func(creds ...vc.Secured) vc.Secured {
		doc, err := vc.NewPresentation(did.DID{}, creds...).Object()
		require.NoError(t, err)
		doc.Delete("holder")
		return text(t, doc, vc.MediaTypePresentation)
	}
	withHolder := tree(t, unsigned(derive(true)))
	withHolder.Set("holder", holder(t).id.String())
	nullProof := tree(t, unsigned(derive(true)))
	nullProof.Set("proof", nil)
	for name, c := range map[string]struct {
		s         vc.Secured
		bearer    verify.Code // "" is accepted
		otherwise verify.Code // without that policy
		index     int
	}{
		"about nobody":                    {derive(true), "", verify.ErrMediaType, 0},
		"in a presentation":               {unsigned(derive(true), derive(true)), "", verify.ErrNoProof, 0},
		"about the holder":                {derive(false), verify.ErrHolder, verify.ErrMediaType, 0},
		"about the holder, the second":    {unsigned(derive(true), derive(false)), verify.ErrHolder, verify.ErrNoProof, 1},
		"another suite":                   {issued(t), verify.ErrUnbound, verify.ErrMediaType, 0},
		"another suite in a presentation": {unsigned(issued(t)), verify.ErrUnbound, verify.ErrNoProof, 0},
		"key binding in a presentation":   {unsigned(shownTo(t, sdJWT(t, nil, ""), holder(t))), "", verify.ErrNoProof, 0},
		"a holder without a proof":        {text(t, withHolder, vc.MediaTypePresentation), verify.ErrNoProof, verify.ErrNoProof, verify.Whole},
		"a proof that is null":            {text(t, nullProof, vc.MediaTypePresentation), verify.ErrNoProof, verify.ErrNoProof, verify.Whole},
		"no credential":                   {unsigned(), verify.ErrMalformed, verify.ErrMalformed, verify.Whole},
		"a presentation with its holder":  {presented(t, issued(t)), "", "", 0},
	} {
		for policy, want := range map[verify.HolderBinding]verify.Code{
			verify.Bearer: c.bearer, verify.HolderIsSubject: c.otherwise, verify.UnsafeAnyHolder: c.otherwise,
		} {
			v := verifier(t)
			v.Trust, v.Holder = verify.AnyIssuerUnsafe{}, policy
			p, err := v.Presentation(context.Background(), c.s, session(t))
			if want == "" {
				require.NoError(t, err, name)
				continue
			}
			require.Nil(t, p, name)
			index := verify.Whole
			if policy == verify.Bearer {
				index = c.index
			}
			requireCode(t, err, want, index, name)
		}
	}
}

// TestStatusClaim: the status of an SD-JWT VC stands in a claim of its own.
func TestStatusClaim(t *testing.T) {
	t.Parallel()
	doc, err := passport(t).Object()
	require.NoError(t, err)
	doc.Set("status", object(t, `{"status_list":{"idx":7,"uri":"https://status.example/1"}}`))
	for _, f := range []sdForm{{sdjwt.MediaTypeSDJWTVC, ed25519Key, true}, {sdjwt.MediaTypeCredential, ed25519Key, true}} {
		s := f.sign(t, employer(t), doc, signing{created: noon})
		refusedEverywhere(t, verifier(t), s, verify.ErrStatusUnsupported)
		_, err := verifier(t).Presentation(context.Background(), shownTo(t, s, holder(t)), session(t))
		requireCode(t, err, verify.ErrStatusUnsupported, 0)
	}

	// Other tokens can have one as well. That of data model 1.1 stands beside the
	// document, and so does that of a CWT, which nothing here reads.
	v := verifier(t)
	v.Status = &status.Lists{Client: webOf(t, employer(t))}
	for index, want := range map[int]verify.Code{clean: "", withdrawn: verify.ErrRevoked} {
		claim := object(t, fmt.Sprintf(`{"status_list":{"idx":%d,"uri":%q}}`, index, tokens))
		doc.Set("status", claim)
		inside := doc.Clone()
		inside.Delete("status")
		beside := strictjson.NewObject(strictjson.Member{Name: "vc", Value: ofModel11(inside)}, strictjson.Member{Name: "status", Value: claim})
		for name, s := range map[string]vc.Secured{
			"vc+jwt":    joseForm{ed25519Key}.sign(t, employer(t), doc, signing{}),
			"dc+sd-jwt": sdForm{sdjwt.MediaTypeSDJWTVC, ed25519Key, false}.sign(t, employer(t), doc, signing{}),
			"vc+sd-jwt": sdForm{sdjwt.MediaTypeCredential, ed25519Key, false}.sign(t, employer(t), doc, signing{}),
			"jwt":       {MediaType: jose.MediaTypeLegacy, Bytes: jwt(t, employer(t), "JWT", signing{}, beside)},
		} {
			_, err := v.Credential(context.Background(), s)
			switch {
			case name == "jwt": // whose data model wants an id of each status, which the claim has not
				requireCode(t, err, verify.ErrMalformed, verify.Whole, name)
			case want == "":
				require.NoError(t, err, name)
			default:
				requireCode(t, err, want, verify.Whole, name)
			}
		}
		b, err := strictjson.Append(nil, inside)
		require.NoError(t, err)
		_, err = v.Credential(context.Background(), vc.Secured{MediaType: cose.MediaTypeCredential, Bytes: sign1(t, employer(t), cose.MediaTypeCredential, signing{},
			map[int64]any{65535: map[string]any{"status_list": map[string]any{"idx": index, "uri": tokens}}}, b)})
		requireCode(t, err, verify.ErrSyntax, verify.Whole)
	}
	for _, bad := range []any{"revoked", strictjson.NewObject(), []any{}} {
		doc.Set("status", bad)
		_, err := v.Credential(context.Background(), joseForm{ed25519Key}.sign(t, employer(t), doc, signing{}))
		requireCode(t, err, verify.ErrSyntax, verify.Whole)
	}
}

// TestKeyBindingOfPresentation: a presentation that its holder signed whole has no
// key binding, and asks for none.
func TestKeyBindingOfPresentation(t *testing.T) {
	t.Parallel()
	doc := unsignedVP(t, envelope(issued(t)))
	payload := answerNow(t, verifier(t)).payload(doc)
	payload.Set("cnf", strictjson.NewObject(strictjson.Member{Name: "jwk", Value: jwkOf(t, holder(t).signer.Public())}))
	s := vc.Secured{MediaType: sdjwt.MediaTypePresentation, Bytes: append(jwt(t, holder(t), "vp+sd-jwt", signing{}, payload), '~')}
	for _, s := range []vc.Secured{s, shownTo(t, s, holder(t))} {
		_, err := verifier(t).Presentation(context.Background(), s, session(t))
		requireCode(t, err, verify.ErrProofMalformed, verify.Whole)
	}
}
