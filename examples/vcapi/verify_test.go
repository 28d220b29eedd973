package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didkey"
	"github.com/staffpassport/staffpassport/schema"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/cose"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
	"github.com/staffpassport/staffpassport/vc/jose"
	"github.com/staffpassport/staffpassport/vc/sdjwt"
)

// TestPassport: the module's own credentials are issued and verified like others.
func TestPassport(t *testing.T) {
	t.Parallel()
	a := start(t)
	record, _ := schema.Sample()
	for path, c := range combinations() {
		issuer, err := did.Parse(a.issuers()[c.key])
		require.NoError(t, err)
		passport, err := record.Credential(schema.Terms{ID: "urn:example:severn", Issuer: issuer, ValidFrom: time.Now().Add(-time.Hour)})
		require.NoError(t, err)
		issued := a.shown(c, a.issue(path, passport, doc{"credentialStatus": true}))
		a.verify(issued, nil, path)
		if path != "/eddsa-rdfc-2022/Ed25519" {
			continue
		}
		subject := issued["credentialSubject"].(doc)
		subject["river"] = "Severn"
		require.Contains(t, a.refuse(issued, nil, path), `"code":"undefined-term"`)
		delete(subject, "river")
		// The README's way to withdraw it.
		body := doc{"credentialId": "urn:example:severn", "status": true,
			"credentialStatus": doc{"type": "BitstringStatusListEntry", "statusPurpose": "revocation"}}
		require.Equal(t, http.StatusOK, a.post("/credentials/status", body).status)
		require.Contains(t, a.refuse(issued, nil, path), `"code":"revoked"`)
	}
}

// changes are what VC Data Integrity 1.0 and its suites forbid of a proof: each is made
// to one that is genuine.
func changes() map[string]func(vc, proof doc) {
	set := func(name string, v any) func(vc, proof doc) { return func(_, proof doc) { proof[name] = v } }
	drop := func(name string) func(vc, proof doc) { return func(_, proof doc) { delete(proof, name) } }
	return map[string]func(vc, proof doc){
		// section 2.1
		"no proof":                    func(vc, _ doc) { delete(vc, "proof") },
		"proof null":                  func(vc, _ doc) { vc["proof"] = nil },
		"proof empty":                 func(vc, _ doc) { vc["proof"] = doc{} },
		"proof a text":                func(vc, _ doc) { vc["proof"] = "z" },
		"no proofs":                   func(vc, _ doc) { vc["proof"] = []any{} },
		"a proof null among others":   func(vc, proof doc) { vc["proof"] = []any{proof, nil} },
		"the same proof twice":        func(vc, proof doc) { vc["proof"] = []any{proof, clone(proof)} },
		"id no URL":                   set("id", "first"),
		"id added":                    set("id", "urn:uuid:7a2ab5dd-0b5a-4e6e-9c4b-3c1f0f2f1a08"),
		"no type":                     drop("type"),
		"type null":                   set("type", nil),
		"type empty":                  set("type", ""),
		"type of another proof":       set("type", "UnknownProofType"),
		"types":                       set("type", []any{"DataIntegrityProof"}),
		"type with more":              set("type", "DataIntegrityProof\ufffd"),
		"no cryptosuite":              drop("cryptosuite"),
		"cryptosuite null":            set("cryptosuite", nil),
		"cryptosuite empty":           set("cryptosuite", ""),
		"cryptosuite a number":        set("cryptosuite", 2022),
		"cryptosuite unknown":         set("cryptosuite", "UnknownCryptosuite"),
		"neither type nor suite":      func(_, proof doc) { proof["type"], proof["cryptosuite"] = "", "" },
		"no purpose":                  drop("proofPurpose"),
		"purpose null":                set("proofPurpose", nil),
		"purpose unknown":             set("proofPurpose", "invalidPurpose"),
		"another purpose":             set("proofPurpose", "authentication"),
		"no method":                   drop("verificationMethod"),
		"method null":                 set("verificationMethod", nil),
		"method that is no URL":       set("verificationMethod", "method"),
		"method without a fragment":   set("verificationMethod", "did:key:invalidVm"),
		"method of nobody":            set("verificationMethod", "did:example:severn#key"),
		"method of another key":       func(_, proof doc) { proof["verificationMethod"] = other(proof["verificationMethod"].(string)) },
		"no value":                    drop("proofValue"),
		"value null":                  set("proofValue", nil),
		"value empty":                 set("proofValue", ""),
		"value without its base":      func(_, proof doc) { proof["proofValue"] = proof["proofValue"].(string)[1:] },
		"value of another base":       func(_, proof doc) { proof["proofValue"] = "m" + proof["proofValue"].(string)[1:] },
		"value not of its base":       set("proofValue", "z0OIl"),
		"value a letter":              set("proofValue", "a"),
		"value cut short":             func(_, proof doc) { v := proof["proofValue"].(string); proof["proofValue"] = v[:len(v)-5] },
		"value longer":                func(_, proof doc) { proof["proofValue"] = proof["proofValue"].(string) + "1111" },
		"value changed":               func(_, proof doc) { proof["proofValue"] = damage(proof["proofValue"].(string)) },
		"value of bytes that are few": set("proofValue", "z1"),
		"created null":                set("created", nil),
		"created that is no time":     set("created", "invalidDate"),
		"created without a zone":      set("created", "2024-02-03T04:05:06"),
		"created at another time":     set("created", "2024-02-03T04:05:06Z"),
		"created in the future":       set("created", "2124-02-03T04:05:06Z"),
		"no longer created":           drop("created"),
		"expires that is no time":     set("expires", "later"),
		"expires without a zone":      set("expires", "2124-02-03T04:05:06"),
		"expires added":               set("expires", "2124-02-03T04:05:06Z"),
		"expired":                     set("expires", "2024-02-03T04:05:06Z"),
		"domain a number":             set("domain", 5),
		"domain added":                set("domain", "rivers.example"),
		"challenge a number":          set("challenge", 5),
		"challenge added":             set("challenge", "1235abcd6789"),
		"nonce a number":              set("nonce", 5),
		"nonce added":                 set("nonce", "1235abcd6789"),
		"previous proof missing":      set("previousProof", "urn:uuid:7a2ab5dd-0b5a-4e6e-9c4b-3c1f0f2f1a09"),
		"previous proofs missing":     set("previousProof", []any{"urn:uuid:7a2ab5dd-0b5a-4e6e-9c4b-3c1f0f2f1a09"}),
		"previous proof a number":     set("previousProof", 5),
		"previous proof, none":        set("previousProof", []any{}),
		"a member not defined":        set("river", "Severn"),
		"another context":             set("@context", []any{"https://w3id.org/security/data-integrity/v1"}),
		// section 2.4.2: nothing is dropped
		"a claim not defined":  func(vc, _ doc) { vc["credentialSubject"].(doc)["river"] = "Severn" },
		"a type not defined":   func(vc, _ doc) { vc["type"] = append(vc["type"].([]any), "River") },
		"a member without use": func(vc, _ doc) { vc["river"] = "Severn" },
		// what was signed
		"another subject":        func(vc, _ doc) { vc["credentialSubject"].(doc)["id"] = "urn:invalid" },
		"another claim":          func(vc, _ doc) { vc["credentialSubject"].(doc)["name"] = "Wye" },
		"one claim less":         func(vc, _ doc) { delete(vc["credentialSubject"].(doc), "name") },
		"one claim more":         func(vc, _ doc) { vc["credentialSubject"].(doc)["description"] = "It is long." },
		"another issuer":         func(vc, _ doc) { vc["issuer"] = "did:example:rivers" },
		"another id":             func(vc, _ doc) { vc["id"] = "urn:uuid:7a2ab5dd-0b5a-4e6e-9c4b-3c1f0f2f1a0a" },
		"another type":           func(vc, _ doc) { vc["type"] = append(vc["type"].([]any), "https://rivers.example/#River") },
		"another order of words": func(vc, _ doc) { vc["name"] = "A river" },
		"a context less":         func(vc, _ doc) { vc["@context"] = []any{contextExamples} },
		"no context":             func(vc, _ doc) { delete(vc, "@context") },
		"no base type":           func(vc, _ doc) { vc["type"] = []any{"https://rivers.example/#River"} },
		"no issuer":              func(vc, _ doc) { delete(vc, "issuer") },
		"no subject":             func(vc, _ doc) { delete(vc, "credentialSubject") },
	}
}

// other returns the method of another key of the same kind.
func other(method string) string {
	var pub any
	var err error
	switch key := strings.TrimPrefix(method, "did:key:"); {
	case strings.HasPrefix(key, "z6Mk"):
		pub, _, err = ed25519.GenerateKey(rand.Reader)
	case strings.HasPrefix(key, "zDna"):
		var k *ecdsa.PrivateKey
		k, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		pub = k.Public()
	case strings.HasPrefix(key, "z82L"):
		var k *ecdsa.PrivateKey
		k, err = ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
		pub = k.Public()
	default:
		s, keyErr := newKey(keyP381)
		if keyErr != nil {
			panic(keyErr)
		}
		return s.VerificationMethod().String()
	}
	if err != nil {
		panic(err)
	}
	id, err := didkey.New(pub)
	if err != nil {
		panic(err)
	}
	return didkey.SigningMethod(id).String()
}

// TestVerifyRefuses: the changes, to proofs of every suite, and each other suite's name.
func TestVerifyRefuses(t *testing.T) {
	t.Parallel()
	a := start(t)
	for path, c := range combinations() {
		t.Run(path[1:], func(t *testing.T) {
			for version, credential := range map[string]doc{"2.0": a.credential(nil), "1.1": a.older(nil)} {
				issued := a.shown(c, a.issue(path, with(credential, doc{"issuer": a.issuers()[c.key]}), nil))
				a.verify(issued, nil, version)
				for name, change := range changes() {
					changed := clone(issued)
					change(changed, changed["proof"].(doc))
					a.refuse(changed, nil, version+": "+name)
				}
				for _, s := range suites() {
					if s.name != c.suite.name {
						changed := clone(issued)
						changed["proof"].(doc)["cryptosuite"] = s.name
						a.refuse(changed, nil, version+": "+s.name)
					}
				}
				for name, options := range map[string]doc{
					"another purpose expected": {"expectedProofPurpose": "authentication"},
					"a domain expected":        {"domain": "domain.example"},
					"a challenge expected":     {"challenge": "1235abcd6789"},
					"both expected":            {"domain": "domain.example", "challenge": "1235abcd6789"},
				} {
					a.refuse(issued, options, version+": "+name)
				}
				a.verify(issued, doc{"expectedProofPurpose": "assertionMethod"}, version+": its purpose")
			}
		})
	}
	issued := a.issue("", a.credential(nil), nil)
	for name, body := range map[string]any{
		"nothing":           doc{},
		"null":              doc{"verifiableCredential": nil},
		"a number":          doc{"verifiableCredential": 5},
		"a list":            doc{"verifiableCredential": []any{issued}},
		"a text":            doc{"verifiableCredential": "river"},
		"a DID":             doc{"verifiableCredential": "did:example:severn"},
		"a presentation":    doc{"verifiableCredential": doc{"@context": []any{vc.ContextV2}, "type": "VerifiablePresentation", "verifiableCredential": []any{issued}}},
		"options of no use": doc{"verifiableCredential": issued, "options": doc{"domain": []any{"a"}}},
	} {
		a.refused(a.post("/credentials/verify", body), name)
	}
}

// TestVerifySession: what the proof of a credential says about domain and challenge is
// compared with what is expected (VC Data Integrity 1.0, section 4.4, steps 6 and 7).
func TestVerifySession(t *testing.T) {
	t.Parallel()
	a := start(t)
	issued := a.issue("", a.credential(nil), doc{"challenge": "1235abcd6789"})
	require.Equal(t, "1235abcd6789", issued["proof"].(doc)["challenge"])
	a.verify(issued, nil, "not asked")
	a.verify(issued, doc{"challenge": "1235abcd6789"}, "the same")
	a.refuse(issued, doc{"challenge": "another"}, "another challenge")
	a.refuse(issued, doc{"challenge": "1235abcd6789", "domain": "domain.example"}, "no domain")
	for name, expected := range map[string]any{"changed": "changed", "taken away": absent} {
		proof := with(issued["proof"].(doc), doc{"challenge": expected})
		a.refuse(with(issued, doc{"proof": proof}), nil, name)
	}
}

// TestVerifyTime: the clock is the one that the server was started with.
func TestVerifyTime(t *testing.T) {
	t.Parallel()
	then := start(t, "-now", "2023-06-01T00:00:00Z")
	now := start(t)
	credential := then.credential(doc{"validFrom": "2023-05-01T00:00:00Z", "validUntil": "2023-06-30T00:00:00Z"})
	issued := then.issue("", credential, nil)
	require.True(t, strings.HasPrefix(issued["proof"].(doc)["created"].(string), "2023-06-01T00:0"))
	then.verify(issued, nil, "in time")
	require.Contains(t, now.refuse(issued, nil, "expired"), `"code":"expired"`)
	later := then.issue("", with(credential, doc{"validFrom": "2023-06-02T00:00:00Z"}), nil)
	require.Contains(t, then.refuse(later, nil, "not yet"), `"code":"not-yet-valid"`)
	require.Contains(t, then.refuse(now.issue("", now.credential(nil), nil), nil, "from the future"), `"code":"proof-not-yet-valid"`)
}

// signerFor returns a key of somebody else than the server.
func signerFor(t testing.TB, name string) did.Signer {
	t.Helper()
	s, err := newKey(name)
	require.NoError(t, err)
	return s
}

func parsed(t testing.TB, o doc) *vc.Credential {
	t.Helper()
	raw, err := json.Marshal(o)
	require.NoError(t, err)
	c, err := vc.Parse(raw)
	require.NoError(t, err)
	return c
}

// envelope is an EnvelopedVerifiableCredential or -Presentation.
func envelope(kind string, s vc.Secured) doc {
	return doc{"@context": vc.ContextV2, "type": "EnvelopedVerifiable" + kind, "id": dataURL(s)}
}

func dataURL(s vc.Secured) string {
	if strings.HasSuffix(s.MediaType, "+cose") {
		return "data:" + s.MediaType + ";base64," + base64.StdEncoding.EncodeToString(s.Bytes)
	}
	return "data:" + s.MediaType + "," + string(s.Bytes)
}

// TestVerifyEnveloped: VC Data Model 2.0, section 4.13, and VC-JOSE-COSE.
func TestVerifyEnveloped(t *testing.T) {
	t.Parallel()
	a := start(t)
	ctx := context.Background()
	signer := signerFor(t, keyP256)
	contexts, err := accept([][]vc.Context{{{URL: vc.ContextV2}, {URL: contextExamples}}})
	require.NoError(t, err)
	credential := parsed(t, a.credential(doc{
		"@context": []any{vc.ContextV2, contextExamples}, "issuer": signer.VerificationMethod().DID.String(), "length": 354,
	}))
	tokens := map[string]vc.Secured{}
	for name, securer := range map[string]vc.Securer{
		"jwt":    &jose.Issuer{Signer: signer, Contexts: contexts},
		"cose":   &cose.Issuer{Signer: signer, Contexts: contexts},
		"sd-jwt": &sdjwt.Issuer{Signer: signer, MediaType: sdjwt.MediaTypeCredential, Disclosable: []vc.Pointer{"/credentialSubject/name"}, Contexts: contexts},
	} {
		tokens[name], err = securer.Secure(ctx, credential)
		require.NoError(t, err, name)
	}
	for name, token := range tokens {
		enveloped := envelope("Credential", token)
		a.verify(enveloped, nil, name)
		a.verifyPresentation(unsigned(enveloped), nil, name)
		a.verify(with(enveloped, doc{"@context": []any{vc.ContextV2}}), nil, name+": contexts in a list")
		for about, members := range map[string]doc{
			"no context":          {"@context": absent},
			"no contexts":         {"@context": []any{}},
			"another context":     {"@context": contextExamples},
			"no data: URL":        {"id": string(token.Bytes)},
			"no id":               {"id": absent},
			"id null":             {"id": nil},
			"id empty":            {"id": "data:" + token.MediaType + ","},
			"no type":             {"type": absent},
			"type of a document":  {"type": "VerifiableCredential"},
			"type of the other":   {"type": "EnvelopedVerifiablePresentation"},
			"two types":           {"type": []any{"EnvelopedVerifiableCredential", "VerifiableCredential"}},
			"more to say":         {"name": "A river"},
			"another media type":  {"id": strings.Replace(enveloped["id"].(string), token.MediaType, "application/json", 1)},
			"that of another":     {"id": strings.Replace(enveloped["id"].(string), token.MediaType, "application/vp+jwt", 1)},
			"a damaged signature": {"id": damage(enveloped["id"].(string))},
			"a page":              {"id": "data:text/html,<p>river</p>"},
		} {
			changed := with(enveloped, members)
			a.refuse(changed, nil, name+": "+about)
			a.refusePresentation(unsigned(changed), nil, name+": "+about)
		}
		a.refuse(enveloped, doc{"challenge": "1235abcd6789"}, name+": it answers nothing")
		a.refuse(enveloped, doc{"expectedProofPurpose": "authentication"}, name+": of another purpose")
		if name != "cose" {
			a.verify(string(token.Bytes), nil, name+": the token itself")
			a.refuse(string(token.Bytes), doc{"domain": "rivers.example"}, name+": the token answers nothing")
		}
	}
	// What no suite sees is looked at all the same.
	undefined, err := vc.NewContextSet(nil)
	require.NoError(t, err)
	bad, err := (&jose.Issuer{Signer: signer, Contexts: undefined}).Secure(ctx, parsed(t, a.credential(doc{
		"issuer": signer.VerificationMethod().DID.String(), "length": 354,
	})))
	require.NoError(t, err)
	require.Contains(t, a.refuse(envelope("Credential", bad), nil, "undefined"), "DATA_LOSS_DETECTION_ERROR")
	badJCS, err := (&dataintegrity.Issuer{Suite: dataintegrity.ECDSAJCS2019(), Signer: signer}).Secure(ctx, parsed(t, a.credential(doc{
		"issuer": signer.VerificationMethod().DID.String(), "length": 354,
	})))
	require.NoError(t, err)
	require.Contains(t, a.refuse(json.RawMessage(badJCS.Bytes), nil, "undefined"), "DATA_LOSS_DETECTION_ERROR")

	// An SD-JWT VC is no JSON-LD, so that nothing in it can be undefined.
	sd, err := (&sdjwt.Issuer{Signer: signer, Contexts: contexts}).Secure(ctx, parsed(t, a.credential(doc{
		"type": []any{"VerifiableCredential", "https://rivers.example/river"}, "issuer": signer.VerificationMethod().DID.String(), "credentialSubject": doc{"id": "did:example:severn", "length": 354},
	})))
	require.NoError(t, err)
	a.verify(string(sd.Bytes), nil, "SD-JWT VC")
	a.verify(envelope("Credential", sd), nil, "SD-JWT VC in an envelope")
	a.refuse(damage(string(sd.Bytes)), nil, "SD-JWT VC, damaged")
}

// TestVerifyAge: a credential may have been signed long ago.
func TestVerifyAge(t *testing.T) {
	t.Parallel()
	a := start(t)
	signer := signerFor(t, keyEd25519)
	issuer := &dataintegrity.Issuer{Suite: dataintegrity.EdDSAJCS2022(), Signer: signer,
		Now: func() time.Time { return time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC) }}
	secured, err := issuer.Secure(context.Background(), parsed(t, a.credential(doc{"issuer": signer.VerificationMethod().DID.String()})))
	require.NoError(t, err)
	a.verify(json.RawMessage(secured.Bytes), nil, "old")
}
