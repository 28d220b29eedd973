package ecdsasd

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/detcbor"
	"github.com/staffpassport/staffpassport/internal/jsonld"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
)

func TestIssueDeriveVerify(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "/credentialSubject/registration/number")
	base := d.issue(t, false)
	always, err := Mandatory(base)
	require.NoError(t, err)
	require.Equal(t, []vc.Pointer{"/credentialSubject/registration/number", "/issuer", "/validFrom", "/validUntil", "/credentialSubject/id"}, always)

	for name, reveal := range map[string][]vc.Pointer{
		"what is mandatory":       nil,
		"a claim":                 {"/credentialSubject/personal/givenName"},
		"the same twice":          {"/credentialSubject/personal/givenName", "/credentialSubject/personal/givenName"},
		"what is mandatory again": {"/issuer", "/credentialSubject/registration/number"},
		"a section":               {"/credentialSubject/dbs"},
		"ten claims":              tenClaims(),
		"everything":              {""},
		"the subject":             {"/credentialSubject"},
		"id and type":             {"/id", "/type"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			shown := d.derive(t, base, reveal...)
			require.Equal(t, vc.MediaTypeCredential, shown.MediaType)
			require.NoError(t, verify(t, shown.Bytes, d.method, d.contexts))
			c, err := vc.Parse(shown.Bytes)
			require.NoError(t, err)
			require.Equal(t, d.did().String(), c.Issuer.ID)
			again := d.derive(t, base, reveal...)
			require.Equal(t, shown, again)
		})
	}
}

// Two base proofs of one credential share nothing secret.
func TestSecretsAreFresh(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	var all []*baseProof
	for range 3 {
		_, proof := parse(t, d.issue(t, false))
		value, _ := proof.Text("proofValue")
		p, err := parseBase(value)
		require.NoError(t, err)
		for _, other := range all {
			require.NotEqual(t, other.HMACKey, p.HMACKey)
			require.NotEqual(t, other.PublicKey, p.PublicKey)
			require.NotEqual(t, other.Signature, p.Signature)
			require.NotEqual(t, other.Signatures[0], p.Signatures[0])
		}
		all = append(all, p)
	}
}

func TestIssueRefused(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	for name, mandatory := range map[string][]vc.Pointer{
		"nothing there":  {"/credentialSubject/nickname"},
		"the whole":      {""},
		"no pointer":     {"issuer"},
		"the context":    {"/@context"},
		"513 of them":    slices.Repeat([]vc.Pointer{"/issuer"}, 513),
		"part of a list": {"/type/7"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			issuer := *d.issuer
			issuer.Suite = Suite(mandatory...)
			_, err := issuer.Secure(t.Context(), passport(t, d.did(), false))
			require.ErrorIs(t, err, dataintegrity.ErrPointer)
		})
	}

	t.Run("undefined term", func(t *testing.T) {
		t.Parallel()
		c := passport(t, d.did(), false)
		c.Subject = []byte(`{"nickname": "Bramble"}`)
		_, err := d.issuer.Secure(t.Context(), c)
		require.ErrorIs(t, err, jsonld.ErrUndefinedTerm)
		require.ErrorIs(t, err, dataintegrity.ErrUndefinedTerm)
		require.NotContains(t, err.Error(), "Bramble")
	})
	t.Run("keys", func(t *testing.T) {
		t.Parallel()
		p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
		require.NoError(t, err)
		_, ed, err := ed25519.GenerateKey(rand.Reader)
		require.NoError(t, err)
		doc, err := passport(t, d.did(), false).Object()
		require.NoError(t, err)
		for _, key := range []crypto.Signer{p384, ed} {
			key, err := did.NewSigner(d.method.ID, key)
			require.NoError(t, err)
			p := &dataintegrity.Proof{VerificationMethod: key.VerificationMethod(), Purpose: did.AssertionMethod}
			_, err = Suite().Prove(t.Context(), doc, p, key, d.contexts)
			require.ErrorIs(t, err, dataintegrity.ErrKey)
		}
	})
	t.Run("chain", func(t *testing.T) {
		t.Parallel()
		doc, proof := parse(t, d.issue(t, false))
		doc.Set("proof", []any{proof})
		p := &dataintegrity.Proof{VerificationMethod: d.method.ID, Purpose: did.AssertionMethod}
		_, err := Suite().Prove(t.Context(), doc, p, d.issuer.Signer, d.contexts)
		require.ErrorIs(t, err, dataintegrity.ErrProofSet)
		p.Suite = "eddsa-jcs-2022"
		_, err = Suite().Prove(t.Context(), doc, p, d.issuer.Signer, d.contexts)
		require.ErrorIs(t, err, dataintegrity.ErrSuite)
	})
	t.Run("signer that fails", func(t *testing.T) {
		t.Parallel()
		issuer := *d.issuer
		broken := errors.New("the machine is away")
		issuer.Signer = signer{d.issuer.Signer, nil, broken}
		_, err := issuer.Secure(t.Context(), passport(t, d.did(), false))
		require.ErrorIs(t, err, broken)
		issuer.Signer = signer{d.issuer.Signer, make([]byte, 64), nil}
		_, err = issuer.Secure(t.Context(), passport(t, d.did(), false))
		require.ErrorIs(t, err, dataintegrity.ErrSignature)
	})
	t.Run("caller that goes away", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := d.issuer.Secure(ctx, passport(t, d.did(), false))
		require.ErrorIs(t, err, context.Canceled)
	})
}

// A signer answers what it was told.
type signer struct {
	did.Signer
	signature []byte
	err       error
}

func (s signer) Sign(context.Context, []byte) ([]byte, error) { return s.signature, s.err }

func TestDeriveRefused(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	base := d.issue(t, false)
	for name, c := range map[string]struct {
		change func(secured, proof *strictjson.Object) // nil for none
		reveal []vc.Pointer
		want   error
	}{
		"nothing there":        {nil, []vc.Pointer{"/credentialSubject/nickname"}, dataintegrity.ErrPointer},
		"one of two":           {nil, []vc.Pointer{"/credentialSubject/dbs", "/nothing"}, dataintegrity.ErrPointer},
		"no pointer":           {nil, []vc.Pointer{"credentialSubject"}, dataintegrity.ErrPointer},
		"the proof":            {nil, []vc.Pointer{"/proof"}, dataintegrity.ErrPointer},
		"its value":            {nil, []vc.Pointer{"/proof/proofValue"}, dataintegrity.ErrPointer},
		"too many":             {nil, slices.Repeat([]vc.Pointer{"/issuer"}, 513), dataintegrity.ErrPointer},
		"no proof":             {func(s, _ *strictjson.Object) { s.Delete("proof") }, nil, dataintegrity.ErrNoProof},
		"two proofs":           {func(s, p *strictjson.Object) { s.Set("proof", []any{p, p}) }, nil, dataintegrity.ErrProofSet},
		"another suite":        {func(_, p *strictjson.Object) { p.Set("cryptosuite", "bbs-2023") }, nil, dataintegrity.ErrSuite},
		"no value":             {func(_, p *strictjson.Object) { p.Delete("proofValue") }, nil, dataintegrity.ErrProofMalformed},
		"another context":      {func(s, _ *strictjson.Object) { s.Set("@context", []any{vc.ContextV2, "https://example.org/x"}) }, nil, dataintegrity.ErrContextNotAllowed},
		"claim added":          {func(s, _ *strictjson.Object) { object(object(s, "credentialSubject"), "dbs").Set("fit", "no") }, nil, dataintegrity.ErrProofMalformed},
		"claim removed":        {func(s, _ *strictjson.Object) { object(object(s, "credentialSubject"), "dbs").Delete("level") }, nil, dataintegrity.ErrProofMalformed},
		"mandatory is gone":    {func(s, _ *strictjson.Object) { s.Delete("validUntil") }, nil, dataintegrity.ErrPointer},
		"claim nobody defined": {func(s, _ *strictjson.Object) { s.Set("nickname", "x") }, nil, jsonld.ErrUndefinedTerm},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := base
			if c.change != nil {
				secured, err := strictjson.ParseObject(base.Bytes)
				require.NoError(t, err)
				c.change(secured, object(secured, "proof"))
				s.Bytes, err = strictjson.Append(nil, secured)
				require.NoError(t, err)
			}
			got, err := Derive(t.Context(), s, c.reveal, d.contexts)
			require.ErrorIs(t, err, c.want)
			require.Empty(t, got)
		})
	}
	_, err := Derive(t.Context(), vc.Secured{MediaType: "application/vc+jwt", Bytes: base.Bytes}, nil, d.contexts)
	require.ErrorIs(t, err, dataintegrity.ErrSuite)
	_, err = Derive(t.Context(), vc.Secured{MediaType: vc.MediaTypeCredential, Bytes: []byte(`{"proof":`)}, nil, d.contexts)
	require.ErrorIs(t, err, strictjson.ErrSyntax)

	// A credential of which nothing is mandatory, and nothing is asked for.
	e := example(t, headlineIssuer, headlineProofKey, make([]byte, 32))
	bare := deskOf(t, e.signer.(plainSigner).key, suite{nil, &e.secret})
	_, err = Derive(t.Context(), bare.issue(t, false), nil, bare.contexts)
	require.ErrorIs(t, err, dataintegrity.ErrPointer)
}

func TestVerifyRefused(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	shown := d.derive(t, d.issue(t, false), "/credentialSubject/dbs", "/credentialSubject/personal/title")
	doc, proof := parse(t, shown)
	value, _ := proof.Text("proofValue")
	other := newDesk(t)
	otherDoc, otherProof := parse(t, d.derive(t, d.issue(t, false), "/credentialSubject/dbs", "/credentialSubject/personal/title"))
	require.True(t, strictjson.Equal(doc, otherDoc))
	otherValue, _ := otherProof.Text("proofValue")
	foreign, err := parseDerived(otherValue)
	require.NoError(t, err)

	for name, c := range map[string]struct {
		change func(p *derivedProof)
		want   error
	}{
		"no signatures":          {func(p *derivedProof) { p.Signatures = nil }, dataintegrity.ErrSignature},
		"one signature fewer":    {func(p *derivedProof) { p.Signatures = p.Signatures[1:] }, dataintegrity.ErrSignature},
		"one signature more":     {func(p *derivedProof) { p.Signatures = append(p.Signatures, p.Signatures[0]) }, dataintegrity.ErrSignature},
		"two change places":      {func(p *derivedProof) { p.Signatures[0], p.Signatures[1] = p.Signatures[1], p.Signatures[0] }, dataintegrity.ErrSignature},
		"signature of nothing":   {func(p *derivedProof) { p.Signatures[0] = make([]byte, 64) }, dataintegrity.ErrSignature},
		"short signature":        {func(p *derivedProof) { p.Signatures[0] = p.Signatures[0][1:] }, dataintegrity.ErrProofMalformed},
		"base signature of 0":    {func(p *derivedProof) { p.Signature = make([]byte, 64) }, dataintegrity.ErrSignature},
		"short base signature":   {func(p *derivedProof) { p.Signature = p.Signature[:63] }, dataintegrity.ErrProofMalformed},
		"other base signature":   {func(p *derivedProof) { p.Signature = foreign.Signature }, dataintegrity.ErrSignature},
		"other key":              {func(p *derivedProof) { p.PublicKey = foreign.PublicKey }, dataintegrity.ErrSignature},
		"key and its signatures": {func(p *derivedProof) { p.PublicKey, p.Signatures = foreign.PublicKey, foreign.Signatures }, dataintegrity.ErrSignature},
		"point off the curve":    {func(p *derivedProof) { p.PublicKey[3] ^= 1 }, nil},
		"no key":                 {func(p *derivedProof) { p.PublicKey = make([]byte, 35) }, dataintegrity.ErrProofMalformed},
		"key of another kind":    {func(p *derivedProof) { p.PublicKey[0], p.PublicKey[1] = 0xed, 0x01 }, dataintegrity.ErrProofMalformed},
		"long key":               {func(p *derivedProof) { p.PublicKey = append(p.PublicKey, 0) }, dataintegrity.ErrProofMalformed},
		"nothing mandatory":      {func(p *derivedProof) { p.Mandatory = nil }, dataintegrity.ErrSignature},
		"all mandatory": {func(p *derivedProof) {
			p.Signatures, p.Mandatory = nil, make([]uint64, len(p.Mandatory)+len(p.Signatures))
			for i := range p.Mandatory {
				p.Mandatory[i] = uint64(i)
			}
		}, dataintegrity.ErrSignature},
		"mandatory twice":        {func(p *derivedProof) { p.Mandatory = append(p.Mandatory, p.Mandatory[len(p.Mandatory)-1]) }, dataintegrity.ErrProofMalformed},
		"mandatory out of order": {func(p *derivedProof) { slices.Reverse(p.Mandatory) }, dataintegrity.ErrProofMalformed},
		"mandatory out of range": {func(p *derivedProof) { p.Mandatory = append(p.Mandatory, 1<<40) }, dataintegrity.ErrSignature},
		"mandatory beyond int":   {func(p *derivedProof) { p.Mandatory = append(p.Mandatory, 1<<64-1) }, dataintegrity.ErrSignature},
		"no labels":              {func(p *derivedProof) { p.Labels = nil }, dataintegrity.ErrSignature},
		"a label too many":       {func(p *derivedProof) { p.Labels[uint64(len(p.Labels))] = make([]byte, 32) }, dataintegrity.ErrSignature},
		"a label elsewhere":      {func(p *derivedProof) { p.Labels[99] = p.Labels[0]; delete(p.Labels, 0) }, dataintegrity.ErrProofMalformed},
		"short label":            {func(p *derivedProof) { p.Labels[0] = p.Labels[0][1:] }, dataintegrity.ErrProofMalformed},
		"labels change places":   {func(p *derivedProof) { p.Labels[0], p.Labels[1] = p.Labels[1], p.Labels[0] }, dataintegrity.ErrSignature},
		"one label for two":      {func(p *derivedProof) { p.Labels[0] = p.Labels[1] }, dataintegrity.ErrSignature},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, err := parseDerived(value)
			require.NoError(t, err)
			c.change(p)
			text, err := detcbor.Encode(derivedHeader(), p)
			require.NoError(t, err)
			changed := proof.Clone()
			changed.Set("proofValue", text)
			signed, err := Suite().Verify(t.Context(), doc, changed, d.method, d.contexts)
			require.Error(t, err)
			if c.want != nil {
				require.ErrorIs(t, err, c.want)
			}
			require.Nil(t, signed)
		})
	}

	for name, c := range map[string]struct {
		change func(doc, proof *strictjson.Object)
		want   error
	}{
		"another purpose":    {func(_, p *strictjson.Object) { p.Set("proofPurpose", "authentication") }, dataintegrity.ErrSignature},
		"another time":       {func(_, p *strictjson.Object) { p.Set("created", "2026-02-03T04:05:07Z") }, dataintegrity.ErrSignature},
		"no time":            {func(_, p *strictjson.Object) { p.Delete("created") }, dataintegrity.ErrSignature},
		"a domain":           {func(_, p *strictjson.Object) { p.Set("domain", "severn.example") }, dataintegrity.ErrSignature},
		"another method":     {func(_, p *strictjson.Object) { p.Set("verificationMethod", other.method.ID.String()) }, dataintegrity.ErrSignature},
		"another suite":      {func(_, p *strictjson.Object) { p.Set("cryptosuite", "ecdsa-rdfc-2019") }, dataintegrity.ErrSuite},
		"undefined option":   {func(_, p *strictjson.Object) { p.Set("nickname", "x") }, jsonld.ErrUndefinedTerm},
		"context of its own": {func(_, p *strictjson.Object) { p.Set("@context", []any{vc.ContextV2}) }, dataintegrity.ErrContextNotAllowed},
		"unknown context":    {func(d, _ *strictjson.Object) { d.Set("@context", []any{vc.ContextV2, "https://example.org/x"}) }, jsonld.ErrUnknownContext},
		"a proof inside":     {func(d, p *strictjson.Object) { d.Set("proof", p) }, dataintegrity.ErrProofSet},
		"undefined term":     {func(d, _ *strictjson.Object) { d.Set("nickname", "x") }, jsonld.ErrUndefinedTerm},
		"no proof value":     {func(_, p *strictjson.Object) { p.Delete("proofValue") }, dataintegrity.ErrProofMalformed},
		"number for value":   {func(_, p *strictjson.Object) { p.Set("proofValue", strictjson.Number("1")) }, dataintegrity.ErrProofMalformed},
		"value of BBS":       {func(_, p *strictjson.Object) { p.Set("proofValue", "u2V0DhUCAgICA") }, dataintegrity.ErrProofMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			doc, proof := doc.Clone(), proof.Clone()
			c.change(doc, proof)
			signed, err := Suite().Verify(t.Context(), doc, proof, d.method, d.contexts)
			require.ErrorIs(t, err, c.want)
			require.Nil(t, signed)
		})
	}

	t.Run("keys", func(t *testing.T) {
		t.Parallel()
		_, err := Suite().Verify(t.Context(), doc, proof, other.method, d.contexts)
		require.ErrorIs(t, err, dataintegrity.ErrSignature)
		pub, _, err := ed25519.GenerateKey(rand.Reader)
		require.NoError(t, err)
		p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
		require.NoError(t, err)
		for _, key := range []any{pub, &p384.PublicKey} {
			method, err := did.NewVerificationMethod(d.method.ID, key, did.AssertionMethod)
			require.NoError(t, err)
			_, err = Suite().Verify(t.Context(), doc, proof, method, d.contexts)
			require.ErrorIs(t, err, dataintegrity.ErrKey)
		}
		_, err = Suite().Verify(t.Context(), doc, proof, nil, d.contexts)
		require.ErrorIs(t, err, dataintegrity.ErrKey)
	})
	t.Run("the proof may repeat the context", func(t *testing.T) {
		t.Parallel()
		known, _ := doc.Get("@context")
		proof := proof.Clone()
		proof.Set("@context", known)
		_, err := Suite().Verify(t.Context(), doc, proof, d.method, d.contexts)
		require.NoError(t, err)
	})
	t.Run("caller that goes away", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := Suite().Verify(ctx, doc, proof, d.method, d.contexts)
		require.ErrorIs(t, err, context.Canceled)
	})
	t.Run("one byte changed", func(t *testing.T) {
		t.Parallel()
		flips(t, d.derive(t, d.issue(t, false), "/credentialSubject/dbs/level").Bytes, d.method, d.contexts)
	})
}

func TestIsBase(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		proof string
		want  bool
	}{
		"base":          {`{"cryptosuite": "ecdsa-sd-2023", "proofValue": "u2V0AhVhA"}`, true},
		"derived":       {`{"cryptosuite": "ecdsa-sd-2023", "proofValue": "u2V0BhVhA"}`, false},
		"another suite": {`{"cryptosuite": "bbs-2023", "proofValue": "u2V0AhVhA"}`, false},
		"no value":      {`{"cryptosuite": "ecdsa-sd-2023"}`, false},
		"short value":   {`{"cryptosuite": "ecdsa-sd-2023", "proofValue": "u2V"}`, false},
		"empty":         {`{}`, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o, err := strictjson.ParseObject([]byte(c.proof))
			require.NoError(t, err)
			require.Equal(t, c.want, IsBase(o))
		})
	}
}

// No proof value makes a panic, and none but the seed's verifies.
func FuzzProofValue(f *testing.F) {
	d := newDesk(f)
	base := d.issue(f, false)
	doc, proof := parse(f, d.derive(f, base, "/credentialSubject/dbs/level"))
	seed, _ := proof.Text("proofValue")
	f.Add(seed)
	_, baseProof := parse(f, base)
	value, _ := baseProof.Text("proofValue")
	f.Add(value)
	f.Add(headlineValue)
	f.Add("u2V0BhUCAgKCA")
	f.Fuzz(func(t *testing.T, value string) {
		changed := proof.Clone()
		changed.Set("proofValue", value)
		_, err := Suite().Verify(t.Context(), doc, changed, d.method, d.contexts)
		require.Equal(t, value == seed, err == nil)
		changed.Set("proofValue", value)
		whole := doc.Clone()
		whole.Set("proof", changed)
		text, err := strictjson.Append(nil, whole)
		if err != nil {
			return
		}
		_, _ = Derive(t.Context(), vc.Secured{MediaType: vc.MediaTypeCredential, Bytes: text}, []vc.Pointer{"/credentialSubject"}, d.contexts)
	})
}
