package bbs

import (
	"bytes"
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/bls12bbs"
	"github.com/staffpassport/staffpassport/internal/detcbor"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
)

// withValue returns a secured credential whose derived proof was changed.
func withValue(t testing.TB, s vc.Secured, change func(*derivedProof)) []byte {
	t.Helper()
	o, err := strictjson.ParseObject(s.Bytes)
	require.NoError(t, err)
	_, proof := parse(t, s)
	value, _ := proof.Text("proofValue")
	p, err := parseDerived(value)
	require.NoError(t, err)
	change(p)
	value, err = detcbor.Encode(derivedHeader(), p)
	require.NoError(t, err)
	proof = proof.Clone()
	proof.Set("proofValue", value)
	o.Set("proof", proof)
	out, err := strictjson.Append(nil, o)
	require.NoError(t, err)
	return out
}

func TestAbuse_SE04_ProofValueParts(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	shown := d.derive(t, d.issue(t, false), tenClaims()...)
	same := withValue(t, shown, func(*derivedProof) {})
	require.NoError(t, verify(t, same, d.method, d.contexts))
	bad, malformed := dataintegrity.ErrSignature, dataintegrity.ErrProofMalformed
	for name, c := range map[string]struct {
		change func(*derivedProof)
		want   error
	}{
		"selective out of range":   {func(p *derivedProof) { p.Selective[len(p.Selective)-1] = 511 }, bad},
		"selective beyond all":     {func(p *derivedProof) { p.Selective[len(p.Selective)-1] = 512 }, bad},
		"selective huge":           {func(p *derivedProof) { p.Selective[len(p.Selective)-1] = 1<<64 - 1 }, bad},
		"selective twice":          {func(p *derivedProof) { p.Selective[1] = p.Selective[0] }, malformed},
		"selective descending":     {func(p *derivedProof) { slices.Reverse(p.Selective) }, malformed},
		"one selective less":       {func(p *derivedProof) { p.Selective = p.Selective[1:] }, bad},
		"one selective more":       {func(p *derivedProof) { p.Selective = append(p.Selective, 500) }, bad},
		"none selective":           {func(p *derivedProof) { p.Selective = nil }, bad},
		"more than there can be":   {func(p *derivedProof) { p.Selective = numbers(make([]int, 513)) }, malformed},
		"mandatory out of range":   {func(p *derivedProof) { p.Mandatory[len(p.Mandatory)-1] = 4000 }, bad},
		"mandatory huge":           {func(p *derivedProof) { p.Mandatory[len(p.Mandatory)-1] = 1 << 63 }, bad},
		"mandatory twice":          {func(p *derivedProof) { p.Mandatory[1] = p.Mandatory[0] }, malformed},
		"one mandatory less":       {func(p *derivedProof) { p.Mandatory = p.Mandatory[1:] }, bad},
		"none mandatory":           {func(p *derivedProof) { p.Mandatory = nil }, bad},
		"no proof":                 {func(p *derivedProof) { p.Proof = nil }, bad},
		"proof cut short":          {func(p *derivedProof) { p.Proof = p.Proof[:len(p.Proof)-1] }, bad},
		"proof with half a scalar": {func(p *derivedProof) { p.Proof = append(p.Proof, make([]byte, 16)...) }, bad},
		"proof one scalar less":    {func(p *derivedProof) { p.Proof = p.Proof[:len(p.Proof)-32] }, bad},
		"proof of zeros":           {func(p *derivedProof) { clear(p.Proof) }, bad},
		"proof too long":           {func(p *derivedProof) { p.Proof = make([]byte, 272+32*513) }, bad},
		"no labels":                {func(p *derivedProof) { p.Labels = nil }, bad},
		"a label less":             {func(p *derivedProof) { delete(p.Labels, uint64(len(p.Labels)-1)) }, bad},
		"a label more":             {func(p *derivedProof) { p.Labels[uint64(len(p.Labels))] = 77 }, bad},
		"labels not numbered":      {func(p *derivedProof) { p.Labels[1<<40] = 77 }, malformed},
		"label twice":              {func(p *derivedProof) { p.Labels[0] = p.Labels[1] }, bad},
		"labels swapped":           {func(p *derivedProof) { p.Labels[0], p.Labels[1] = p.Labels[1], p.Labels[0] }, bad},
		"label huge":               {func(p *derivedProof) { p.Labels[0] = 1<<64 - 1 }, bad},
		"header cut short":         {func(p *derivedProof) { p.PresentationHeader = p.PresentationHeader[:31] }, bad},
		"header too long":          {func(p *derivedProof) { p.PresentationHeader = make([]byte, 1025) }, malformed},
		"header as long as it may": {func(p *derivedProof) { p.PresentationHeader = make([]byte, 1024) }, bad},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.ErrorIs(t, verify(t, withValue(t, shown, c.change), d.method, d.contexts), c.want)
		})
	}
}

// TestAbuse_SE04_NothingToSign: a credential of which everything is mandatory.
func TestAbuse_SE04_NothingToSign(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "/credentialSubject")
	base := d.issue(t, false)
	shown := d.derive(t, base)
	require.NoError(t, verify(t, shown.Bytes, d.method, d.contexts))
	_, proof := parse(t, shown)
	value, _ := proof.Text("proofValue")
	p, err := parseDerived(value)
	require.NoError(t, err)
	require.Empty(t, p.Selective)
	require.Len(t, p.Proof, 272)
	require.ErrorIs(t, verify(t, withValue(t, shown, func(p *derivedProof) { p.Selective = []uint64{0} }), d.method, d.contexts), dataintegrity.ErrSignature)
	require.ErrorIs(t, verify(t, withValue(t, shown, func(p *derivedProof) { p.Proof = append(p.Proof, p.Proof[144:176]...) }), d.method, d.contexts), dataintegrity.ErrSignature)
}

func TestAbuse_SE06_PresentationHeader(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	base := d.issue(t, false)
	want := SessionHeader("did:example:host", "nonce")
	require.Len(t, want, 32)
	shown := d.derive(t, base, tenClaims()...)
	_, proof := parse(t, shown)
	got, err := PresentationHeader(proof)
	require.NoError(t, err)
	require.Equal(t, want, got)

	// Another session has another header, and none can be put in its place.
	others := [][]byte{nil, {}, want[:31], append(slices.Clone(want), 0)}
	for _, session := range [][2]string{
		{"did:example:host", "nonce2"}, {"did:example:host2", "nonce"}, {"did:example:hostnonce", ""}, {"", "did:example:hostnonce"},
		{"nonce", "did:example:host"}, {"\xff", "nonce"}, {"\xfe", "nonce"}, {"\xff\" \"", "nonce"},
	} {
		others = append(others, SessionHeader(session[0], session[1]))
	}
	seen := map[string]bool{}
	for _, other := range others {
		require.NotEqual(t, want, other)
		require.False(t, len(other) == 32 && seen[string(other)])
		seen[string(other)] = true
		changed := withValue(t, shown, func(p *derivedProof) { p.PresentationHeader = other })
		require.ErrorIs(t, verify(t, changed, d.method, d.contexts), dataintegrity.ErrSignature)
	}

	// A proof without a session says so.
	bare, err := Derive(t.Context(), base, tenClaims(), d.contexts, nil)
	require.NoError(t, err)
	require.NoError(t, verify(t, bare.Bytes, d.method, d.contexts))
	_, proof = parse(t, bare)
	got, err = PresentationHeader(proof)
	require.NoError(t, err)
	require.Empty(t, got)

	for value, want := range map[string]error{
		"": dataintegrity.ErrProofMalformed, "u": dataintegrity.ErrProofMalformed, "u2V0B": dataintegrity.ErrProofMalformed,
		"u2V0D": dataintegrity.ErrProofMalformed, "u2V0C": dataintegrity.ErrBaseProof,
	} {
		o := proof.Clone()
		o.Set("proofValue", value)
		_, err := PresentationHeader(o)
		require.ErrorIs(t, err, want, value)
	}
	o := proof.Clone()
	o.Set("cryptosuite", "ecdsa-sd-2023")
	_, err = PresentationHeader(o)
	require.ErrorIs(t, err, dataintegrity.ErrSuite)
	require.False(t, IsBase(o))
}

// TestAbuse_LG03_TwoPresentations shows the same claims to two verifiers. What they
// could compare is what was shown, what is the issuer's for all credentials of the
// day, and the places of what was shown.
func TestAbuse_LG03_TwoPresentations(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	base := d.issue(t, false)
	var first, second [2][]byte
	for i, to := range []*[2][]byte{&first, &second} {
		shown, err := Derive(t.Context(), base, tenClaims(), d.contexts, SessionHeader("did:example:host", string(rune('a'+i))))
		require.NoError(t, err)
		doc, proof := parse(t, shown)
		value, _ := proof.Text("proofValue")
		p, err := parseDerived(value)
		require.NoError(t, err)
		to[0] = append(slices.Clone(p.Proof), p.PresentationHeader...)
		proof.Delete("proofValue")
		doc.Set("proof", proof)
		to[1], err = strictjson.Append(nil, doc)
		require.NoError(t, err)
	}
	require.Equal(t, first[1], second[1], "but for the value, both are what was asked for")
	for i := 0; i+8 <= len(first[0]); i++ {
		require.False(t, bytes.Contains(second[0], first[0][i:i+8]), "the proofs share bytes at %d", i)
	}

	// Nothing of that document tells this credential from the next one of the same
	// claims, issued another time of that day.
	later := *d.issuer
	later.Now = func() time.Time { return clock().Add(15 * time.Hour) }
	again, err := later.Secure(t.Context(), passport(t, d.did(), false))
	require.NoError(t, err)
	doc, proof := parse(t, d.derive(t, again, tenClaims()...))
	proof.Delete("proofValue")
	doc.Set("proof", proof)
	other, err := strictjson.Append(nil, doc)
	require.NoError(t, err)
	require.Equal(t, string(first[1]), string(other))
	created, _ := proof.Text("created")
	require.Equal(t, "2026-02-03T00:00:00Z", created)
}

func TestMandatory(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "/credentialSubject/dbs/level")
	base := d.issue(t, false)
	got, err := Mandatory(base)
	require.NoError(t, err)
	require.Equal(t, []vc.Pointer{"/credentialSubject/dbs/level", "/issuer", "/validFrom", "/validUntil"}, got)
	shown := d.derive(t, base)
	require.Contains(t, string(shown.Bytes), "enhanced with barred lists")
}

func TestDeriveRefuses(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	base := d.issue(t, false)
	change := func(old, new string) vc.Secured {
		out := bytes.Replace(base.Bytes, []byte(old), []byte(new), 1)
		require.NotEqual(t, base.Bytes, out)
		return vc.Secured{MediaType: base.MediaType, Bytes: out}
	}
	other, err := vc.NewContextSet(nil)
	require.NoError(t, err)
	for name, c := range map[string]struct {
		base     vc.Secured
		reveal   []vc.Pointer
		contexts *vc.ContextSet
		ph       []byte
		want     error
	}{
		"matches nothing":   {base, []vc.Pointer{"/credentialSubject/nothing"}, d.contexts, nil, dataintegrity.ErrPointer},
		"no pointer":        {base, []vc.Pointer{"credentialSubject"}, d.contexts, nil, dataintegrity.ErrPointer},
		"the context":       {base, []vc.Pointer{"/@context"}, d.contexts, nil, dataintegrity.ErrPointer},
		"too many":          {base, slices.Repeat([]vc.Pointer{""}, 513), d.contexts, nil, dataintegrity.ErrPointer},
		"long header":       {base, nil, d.contexts, make([]byte, 1025), dataintegrity.ErrConfig},
		"unknown context":   {base, nil, other, nil, dataintegrity.ErrContextNotAllowed},
		"other media type":  {vc.Secured{MediaType: "application/vc+jwt", Bytes: base.Bytes}, nil, d.contexts, nil, dataintegrity.ErrSuite},
		"not JSON":          {vc.Secured{MediaType: base.MediaType, Bytes: []byte("{")}, nil, d.contexts, nil, strictjson.ErrSyntax},
		"no proof":          {change(`"proof":`, `"evidence":`), nil, d.contexts, nil, dataintegrity.ErrNoProof},
		"another suite":     {change("bbs-2023", "ecdsa-sd-2023"), nil, d.contexts, nil, dataintegrity.ErrSuite},
		"another document":  {change("enhanced", "enhances"), nil, d.contexts, nil, dataintegrity.ErrSignature},
		"a signature's bit": {change(`"proofValue":"u2V0ChVhQ`, `"proofValue":"u2V0ChVhR`), nil, d.contexts, nil, dataintegrity.ErrProofMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out, err := Derive(t.Context(), c.base, c.reveal, c.contexts, c.ph)
			require.ErrorIs(t, err, c.want)
			require.Empty(t, out)
		})
	}
	ok, err := Derive(t.Context(), base, slices.Repeat([]vc.Pointer{"/issuer"}, 512), d.contexts, make([]byte, 1024))
	require.NoError(t, err)
	require.NoError(t, verify(t, ok.Bytes, d.method, d.contexts))
}

// TestVerifyWithAnotherKey: the key is that of the verification method, whatever the
// base proof said.
func TestVerifyWithAnotherKey(t *testing.T) {
	t.Parallel()
	d, stranger := newDesk(t), newDesk(t)
	shown := d.derive(t, d.issue(t, false), tenClaims()...)
	require.ErrorIs(t, verify(t, shown.Bytes, stranger.method, d.contexts), dataintegrity.ErrSignature)
	require.ErrorIs(t, verify(t, shown.Bytes, nil, d.contexts), dataintegrity.ErrKey)

	// Bytes that look like a key and are no point of the group.
	public := did.BLS12381G2(d.issuer.Signer.Public().(did.BLS12381G2))
	for public[95]++; ; public[95]++ {
		if _, err := bls12bbs.ParsePublicKey(public[:]); err != nil {
			break
		}
	}
	method, err := did.NewVerificationMethod(d.method.ID, public, did.AssertionMethod)
	require.NoError(t, err)
	require.ErrorIs(t, verify(t, shown.Bytes, method, d.contexts), dataintegrity.ErrKey)

	doc, proof := parse(t, shown)
	for name, c := range map[string]struct {
		change func(doc, proof *strictjson.Object)
		want   error
	}{
		"another suite":     {func(_, proof *strictjson.Object) { proof.Set("cryptosuite", "bbs-2020") }, dataintegrity.ErrSuite},
		"no value":          {func(_, proof *strictjson.Object) { proof.Delete("proofValue") }, dataintegrity.ErrProofMalformed},
		"a proof below":     {func(doc, _ *strictjson.Object) { doc.Set("proof", []any{}) }, dataintegrity.ErrProofSet},
		"proof's context":   {func(_, proof *strictjson.Object) { proof.Set("@context", "https://other.example/") }, dataintegrity.ErrContextNotAllowed},
		"another day":       {func(_, proof *strictjson.Object) { proof.Set("created", "2026-02-04T00:00:00Z") }, dataintegrity.ErrSignature},
		"not created":       {func(_, proof *strictjson.Object) { proof.Delete("created") }, dataintegrity.ErrSignature},
		"another purpose":   {func(_, proof *strictjson.Object) { proof.Set("proofPurpose", "authentication") }, dataintegrity.ErrSignature},
		"a challenge added": {func(_, proof *strictjson.Object) { proof.Set("challenge", "c") }, dataintegrity.ErrSignature},
	} {
		d2, p2 := doc.Clone(), proof.Clone()
		c.change(d2, p2)
		_, err := Suite().Verify(t.Context(), d2, p2, d.method, d.contexts)
		require.ErrorIs(t, err, c.want, name)
	}
	withContext := proof.Clone() // as Digital Bazaar's software writes it
	known, _ := doc.Get("@context")
	withContext.Set("@context", known)
	_, err = Suite().Verify(t.Context(), doc, withContext, d.method, d.contexts)
	require.NoError(t, err)
}

// TestMaxStatements is the limit of a signature's messages.
func TestMaxStatements(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	for n, want := range map[int]error{510: nil, 511: ErrTooMany} {
		// The subject's type, its section and the link to it, and one for each hour.
		hours := make([]string, n)
		for i := range hours {
			hours[i] = "hour " + string(rune('a'+i%26)) + string(rune('a'+i/26))
		}
		subject, err := json.Marshal(map[string]any{"type": "Member", "employment": map[string]any{"type": "Member", "hours": hours}})
		require.NoError(t, err)
		c := passport(t, d.did(), false)
		c.Subject = subject
		issuer := *d.issuer
		issuer.Suite = Suite("/credentialSubject/type")
		_, err = issuer.Secure(t.Context(), c)
		if want == nil {
			require.NoError(t, err)
		} else {
			require.ErrorIs(t, err, want)
		}
	}
}
