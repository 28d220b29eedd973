package verify_test

import (
	"context"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
	"github.com/staffpassport/staffpassport/vc/dataintegrity/ecdsasd"
	"github.com/staffpassport/staffpassport/vc/dataintegrity/rdfc"
	"github.com/staffpassport/staffpassport/vc/verify"
)

// stableCodes are what programs store and compare: none of them ever changes.
func stableCodes() map[string]string {
	return map[string]string{
		"ErrConfig": "config", "ErrMediaType": "media-type", "ErrSyntax": "syntax", "ErrTooLarge": "too-large", "ErrTooDeep": "too-deep",
		"ErrMalformed": "malformed", "ErrNoTimeZone": "no-time-zone", "ErrClaims": "claims", "ErrContextNotAllowed": "context-not-allowed",
		"ErrUndefinedTerm": "undefined-term", "ErrUnsignable": "unsignable", "ErrNoProof": "no-proof", "ErrProofSet": "proof-set",
		"ErrProofMalformed": "proof-malformed", "ErrSuite": "suite", "ErrPurpose": "purpose", "ErrBaseProof": "base-proof",
		"ErrDomain": "domain", "ErrChallenge": "challenge", "ErrUnbound": "unbound", "ErrHolder": "holder",
		"ErrControllerMismatch": "controller-mismatch", "ErrKeyNotFound": "key-not-found", "ErrKeyNotAuthorised": "key-not-authorised",
		"ErrProof": "proof", "ErrProofNotYetValid": "proof-not-yet-valid", "ErrProofExpired": "proof-expired", "ErrProofTooOld": "proof-too-old",
		"ErrNotYetValid": "not-yet-valid", "ErrExpired": "expired", "ErrNoEnd": "no-end", "ErrUntrusted": "untrusted", "ErrResource": "resource",
		"ErrReplay": "replay", "ErrStatusUnsupported": "status-unsupported", "ErrUnavailable": "unavailable",
		"ErrRevoked": "revoked", "ErrSuspended": "suspended", "ErrStatusList": "status-list", "ErrStatusRange": "status-range",
		"ErrStatusUnavailable": "status-unavailable",
	}
}

// TestCodes: those of the source are the stable ones. Each has a sentence of its
// own, and a URL of the specifications if it is about the document.
func TestCodes(t *testing.T) {
	t.Parallel()
	file, err := parser.ParseFile(token.NewFileSet(), "code.go", nil, 0)
	require.NoError(t, err)
	declared := map[string]string{}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if of, ok := spec.Type.(*ast.Ident); ok && of.Name == "Code" {
			require.Len(t, spec.Values, 1)
			value, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			require.NoError(t, err)
			declared[spec.Names[0].Name] = value
		}
		return true
	})
	require.Equal(t, stableCodes(), declared)

	seen := map[string]bool{}
	for name, value := range declared {
		c := verify.Code(value)
		require.Regexp(t, `^[a-z]+(-[a-z]+)*$`, value)
		require.NotContains(t, c.Error(), "code "+value, name)
		require.False(t, seen[c.Error()], name)
		seen[c.Error()] = true
		if p := c.Problem(); p != "" {
			require.Regexp(t, `^https://(www.w3.org/TR/vc-data-model|w3id.org/security|www.w3.org/ns/credentials/status-list)#[A-Z_]+$`, p)
		}
	}
	require.Equal(t, "verify: code of-the-future", verify.Code("of-the-future").Error())
	require.Empty(t, verify.ErrUntrusted.Problem(), "a matter of policy, which the specifications leave open")
}

// TestEveryCodeIsReached: each is what a caller gets for something.
func TestEveryCodeIsReached(t *testing.T) {
	t.Parallel()
	reached := map[string]bool{}
	note := func(err error) {
		var e *verify.Error
		if err != nil {
			require.ErrorAs(t, err, &e)
			require.ErrorIs(t, err, e.Code)
			reached[string(e.Code)] = true
		}
	}
	// Every case of the two tables, in one form each.
	f := forms()[0]
	for _, c := range matrix() {
		if c.not != nil && c.not(f) {
			continue
		}
		_, err := c.setUp(t, f).Credential(context.Background(), c.make(t, f))
		note(err)
	}
	good := issued(t)
	for _, c := range presentationMatrix() {
		if c.not != vpForms()[0].name {
			v, s, want := c.make(t, vpForms()[0], good)
			_, err := v.Presentation(context.Background(), s, want)
			note(err)
		}
	}
	// What those forms cannot say.
	credential := func(v *verify.Verifier, mediaType, text string) {
		_, err := v.Credential(context.Background(), vc.Secured{MediaType: mediaType, Bytes: []byte(text)})
		note(err)
	}
	v := verifier(t)
	credential(v, "text/plain", "{}")
	credential(v, vc.MediaTypeCredential, "{")
	credential(v, vc.MediaTypeCredential, `{"a":`+strings.Repeat("[", 70)+strings.Repeat("]", 70)+`}`)
	credential(v, vc.MediaTypeCredential, `{"a":"`+strings.Repeat("x", 2<<20)+`"}`)
	unsigned := tree(t, good)
	unsigned.Delete("proof")
	credential(v, vc.MediaTypeCredential, string(text(t, unsigned, "").Bytes))
	for old, changed := range map[string]string{
		`"cryptosuite":"eddsa-jcs-2022"`:   `"cryptosuite":"eddsa-jcs-2099"`,
		`"proofPurpose":"assertionMethod"`: `"proofPurpose":"authentication"`,
		`"proofValue":"z`:                  `"proofValue":"`,
	} {
		credential(v, good.MediaType, string(replaced(t, good, old, changed).Bytes))
	}
	twice := tree(t, good)
	proof, _ := twice.Get("proof")
	twice.Set("proof", []any{proof, proof})
	credential(v, vc.MediaTypeCredential, string(text(t, twice, "").Bytes))
	credential(v, vc.MediaTypeCredential, string(based(t, ecdsasd.Suite(), partyOf(t, "Riverside Trust", p256Key), false).Bytes))
	claims := object(t, string(good.Bytes))
	claims.Delete("proof")
	claims.Set("iss", stranger(t).id.String())
	credential(v, "application/vc+jwt", string(jwt(t, employer(t), "vc+jwt", signing{}, claims)))
	_, err := v.Presentation(context.Background(), unbound(t), session(t))
	note(err)

	v.Contexts = strictContexts(t)
	by := employer(t)
	i := &dataintegrity.Issuer{Suite: rdfc.EdDSARDFC2022(), Signer: by.signer, Contexts: v.Contexts, Now: clockAt(noon)}
	s, err := i.Secure(context.Background(), small(t, by))
	require.NoError(t, err)
	for _, role := range []string{`"Nurse","dbsCleared":true`, `null`} {
		credential(v, s.MediaType, string(replaced(t, s, `"role":"Nurse"`, `"role":`+role).Bytes))
	}
	require.ElementsMatch(t, slices.Collect(maps.Values(stableCodes())), slices.Collect(maps.Keys(reached)))
}

// TestCauses: what a caller can do something about is named.
func TestCauses(t *testing.T) {
	t.Parallel()
	good, want := issued(t), session(t)
	for name, c := range map[string]struct {
		v      *verify.Verifier
		change func(v *verify.Verifier, s *verify.Session)
	}{
		"no Resolver in the Verifier": {nil, func(v *verify.Verifier, _ *verify.Session) { v.Resolver = nil }},
		"no Trust in the Verifier":    {nil, func(v *verify.Verifier, _ *verify.Session) { v.Trust = nil }},
		"no Replay in the Verifier":   {nil, func(v *verify.Verifier, _ *verify.Session) { v.Replay = nil }},
		"no Audience in the Session":  {nil, func(_ *verify.Verifier, s *verify.Session) { s.Audience = "" }},
		"no Nonce in the Session":     {nil, func(_ *verify.Verifier, s *verify.Session) { s.Nonce = "" }},
	} {
		v, s := verifier(t), want
		c.change(v, &s)
		_, err := v.Presentation(context.Background(), presented(t, good), s)
		require.ErrorIs(t, err, verify.ErrConfig)
		require.ErrorContains(t, err, name)
		if strings.HasSuffix(name, "Verifier") && v.Replay != nil {
			_, err := v.Credential(context.Background(), good)
			require.ErrorContains(t, err, name)
		}
	}
	var none *verify.Verifier
	_, err := none.Credential(context.Background(), good)
	require.ErrorContains(t, err, "no Verifier")

	v := verifier(t)
	shown := shownTo(t, sdJWT(t, nil, ""), holder(t))
	vp, vpJWT := presented(t, good), vpForms()[1].sign(t, holder(t), unsignedVP(t, envelope(good)), answerNow(t, v))
	for _, s := range []vc.Secured{vp, vpJWT, shown} {
		_, err := v.Credential(context.Background(), s)
		require.ErrorContains(t, err, "Verifier.Presentation")
	}
	f := joseForm{ed25519Key}
	for _, s := range []vc.Secured{good, matrixCase{}.make(t, f), matrixCase{}.make(t, oldJWTForm{ed25519Key})} {
		_, err := v.Presentation(context.Background(), s, want)
		requireCode(t, err, verify.ErrMediaType, verify.Whole)
		require.ErrorContains(t, err, "Verifier.Credential")
	}
	for mediaType, cause := range map[string]string{"": "no media type", vc.MediaTypeCredential + "; charset=utf-8": "parameters"} {
		_, err := v.Credential(context.Background(), vc.Secured{MediaType: mediaType, Bytes: good.Bytes})
		require.ErrorContains(t, err, cause)
	}
	_, err = v.Presentation(context.Background(), text(t, unsignedVP(t, string(good.Bytes)), vc.MediaTypePresentation), want)
	requireCode(t, err, verify.ErrNoProof, verify.Whole)
	require.ErrorContains(t, err, "Bearer")
	base := based(t, ecdsasd.Suite(), partyOf(t, "Riverside Trust", p256Key), false)
	_, err = v.Credential(context.Background(), base)
	require.ErrorContains(t, err, "disclose.Check")
}

// TestMediaType tells what the tests of this package make, and does not guess.
func TestMediaType(t *testing.T) {
	t.Parallel()
	v := verifier(t)
	var all []vc.Secured
	for _, f := range forms() {
		s := matrixCase{}.make(t, f)
		all = append(all, s, f.show(t, s, noon))
	}
	for _, f := range vpForms() {
		s := f.sign(t, holder(t), unsignedVP(t, envelope(issued(t))), answerNow(t, v))
		all = append(all, s, envelopedVP(s))
	}
	all = append(all, vc.Secured{MediaType: vc.MediaTypeCredential, Bytes: []byte(envelope(issued(t)))},
		vc.Secured{MediaType: vc.MediaTypeCredential, Bytes: []byte(" \n{\"type\":\"VerifiableCredential\"}")})
	for _, s := range all {
		require.Equal(t, s.MediaType, verify.MediaType(s.Bytes))
	}

	// The two JSON forms of a token with disclosures.
	compact := sdJWT(t, nil, "")
	parts := strings.SplitN(string(compact.Bytes), "~", 2)
	jws := strings.Split(parts[0], ".")
	flattened := object(t, `{"payload":"`+jws[1]+`","protected":"`+jws[0]+`","signature":"`+jws[2]+`"}`)
	disclosures := []any{}
	for _, d := range strings.Split(strings.TrimSuffix(parts[1], "~"), "~") {
		disclosures = append(disclosures, d)
	}
	flattened.Set("header", strictjson.NewObject(strictjson.Member{Name: "disclosures", Value: disclosures}))
	general := flattened.Clone()
	signature := flattened.Clone()
	signature.Delete("payload")
	for _, name := range []string{"protected", "signature", "header"} {
		general.Delete(name)
	}
	general.Set("signatures", []any{signature})
	for _, o := range []*strictjson.Object{flattened, general} {
		s := text(t, o, compact.MediaType)
		require.Equal(t, s.MediaType, verify.MediaType(s.Bytes))
		_, err := v.Credential(context.Background(), s)
		require.NoError(t, err)
	}

	header := func(typ string) string {
		b, err := json.Marshal(map[string]string{"alg": "EdDSA", "typ": typ})
		require.NoError(t, err)
		return encode64(string(b)) + ".e30.AAAA"
	}
	for name, s := range map[string]string{
		"nothing":                    "",
		"white space":                " \n",
		"text":                       "hello",
		"an object":                  "{}",
		"another type":               `{"type":"Thing"}`,
		"both":                       `{"type":["VerifiableCredential","VerifiablePresentation"]}`,
		"no JSON":                    `{"type":"VerifiableCredential"`,
		"a name twice":               `{"type":"VerifiableCredential","type":"VerifiableCredential"}`,
		"token of another type":      header("at+jwt"),
		"token without a type":       header(""),
		"JWT in the place of SD-JWT": header("vc+jwt") + "~",
		"SD-JWT in the place of JWT": header("vc+sd-jwt"),
		"key binding":                header("kb+jwt"),
		"no signatures":              `{"payload":"e30","signatures":[]}`,
		"signature is a number":      `{"payload":"e30","signatures":[1]}`,
		"JWS JSON of a JWT":          `{"payload":"e30","protected":"` + strings.Split(header("vc+jwt"), ".")[0] + `","signature":"AAAA"}`,
		"CBOR":                       "\xd2\x84\x40\xa0\x40\x40",
		"COSE without a type":        string(sign1(t, employer(t), "", signing{}, nil, []byte(`{"a":1}`))),
	} {
		require.Empty(t, verify.MediaType([]byte(s)), name)
	}
}

// FuzzMediaType: no bytes are too strange, and what is told is one of those read.
func FuzzMediaType(f *testing.F) {
	for _, form := range forms() {
		f.Add(matrixCase{}.make(f, form).Bytes)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		told := verify.MediaType(b)
		if told == "" {
			return
		}
		_, err := verifier(t).Credential(context.Background(), vc.Secured{MediaType: told, Bytes: b})
		_, shown := verifier(t).Presentation(context.Background(), vc.Secured{MediaType: told, Bytes: b}, session(t))
		if err != nil && shown != nil && strings.Contains(err.Error(), "no media type") {
			t.Fatal(told)
		}
	})
}
