package bbs

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/internal/multiformat"
	"github.com/staffpassport/staffpassport/internal/sdprim"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/internal/vectors"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
)

func parse(t testing.TB, s vc.Secured) (doc, proof *strictjson.Object) {
	t.Helper()
	o, err := strictjson.ParseObject(s.Bytes)
	require.NoError(t, err)
	doc, proof, err = dataintegrity.SplitProof(o)
	require.NoError(t, err)
	return doc, proof
}

func TestAbuse_SE01_BaseProofShownToVerifier(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	base := d.issue(t, false)
	require.ErrorIs(t, verify(t, base.Bytes, d.method, d.contexts), dataintegrity.ErrBaseProof)
	doc, proof := parse(t, base)
	require.True(t, IsBase(proof))

	// Nor is one with the optional features, which has the secrets too.
	value, _ := proof.Text("proofValue")
	for _, kind := range []byte{0x02, 0x04, 0x06, 0x08} {
		raw, err := multiformat.Decode(value, len(value))
		require.NoError(t, err)
		raw[2] = kind
		featured := proof.Clone()
		featured.Set("proofValue", multiformat.EncodeBase64URL(raw))
		require.True(t, IsBase(featured))
		_, err = Suite().Verify(t.Context(), doc, featured, d.method, d.contexts)
		require.ErrorIs(t, err, dataintegrity.ErrBaseProof)
		_, err = PresentationHeader(featured)
		require.ErrorIs(t, err, dataintegrity.ErrBaseProof)
	}

	// What is shown is never a base proof, whatever was asked for.
	for _, reveal := range [][]vc.Pointer{{""}, {"/credentialSubject"}, {}, tenClaims()} {
		shown := d.derive(t, base, reveal...)
		require.NoError(t, verify(t, shown.Bytes, d.method, d.contexts))
		_, proof := parse(t, shown)
		require.False(t, IsBase(proof))
		_, err := Derive(t.Context(), shown, reveal, d.contexts, nil)
		require.ErrorIs(t, err, dataintegrity.ErrProofMalformed)
		_, err = Mandatory(shown)
		require.ErrorIs(t, err, dataintegrity.ErrProofMalformed)
	}
}

func TestAbuse_SE02_MandatoryStatementRemoved(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "/credentialSubject/dbs/level", "/credentialSubject/registration")
	base := d.issue(t, false)
	shown := d.derive(t, base, "/credentialSubject/personal/givenName")
	require.NoError(t, verify(t, shown.Bytes, d.method, d.contexts))

	removed := 0
	for name, change := range map[string]func(doc, subject *strictjson.Object){
		"validFrom":        func(doc, _ *strictjson.Object) { doc.Delete("validFrom") },
		"validUntil":       func(doc, _ *strictjson.Object) { doc.Delete("validUntil") },
		"issuer":           func(doc, _ *strictjson.Object) { doc.Delete("issuer") },
		"credential's id":  func(doc, _ *strictjson.Object) { doc.Set("id", "urn:uuid:8f6c2f3a-5b1e-4c7d-9e0f-1a2b3c4d5e6f") },
		"one type":         func(doc, _ *strictjson.Object) { doc.Set("type", []any{"VerifiableCredential"}) },
		"subject's id":     func(_, subject *strictjson.Object) { subject.Set("id", "did:example:nettle") },
		"subject's type":   func(_, subject *strictjson.Object) { subject.Delete("type") },
		"DBS section":      func(_, subject *strictjson.Object) { subject.Delete("dbs") },
		"DBS level":        func(_, subject *strictjson.Object) { object(subject, "dbs").Delete("level") },
		"registration":     func(_, subject *strictjson.Object) { subject.Delete("registration") },
		"part of the same": func(_, subject *strictjson.Object) { object(subject, "registration").Delete("status") },
		"shown claim":      func(_, subject *strictjson.Object) { object(subject, "personal").Delete("givenName") },
		"claim added":      func(_, subject *strictjson.Object) { object(subject, "personal").Set("title", "Prof") },
		"claim changed":    func(_, subject *strictjson.Object) { object(subject, "dbs").Set("level", "basic") },
		"claim moved": func(_, subject *strictjson.Object) {
			object(subject, "dbs").Set("status", "registered without conditions")
		},
		"validUntil later":  func(doc, _ *strictjson.Object) { doc.Set("validUntil", "2037-01-05T09:00:00Z") },
		"everything but it": func(doc, _ *strictjson.Object) { doc.Delete("credentialSubject") },
	} {
		t.Run(name, func(t *testing.T) {
			secured, err := strictjson.ParseObject(slices.Clone(shown.Bytes))
			require.NoError(t, err)
			change(secured, object(secured, "credentialSubject"))
			text, err := strictjson.Append(nil, secured)
			require.NoError(t, err)
			require.NotEqual(t, shown.Bytes, text)
			require.ErrorIs(t, verify(t, text, d.method, d.contexts), dataintegrity.ErrSignature)
			removed++
		})
	}
	require.Equal(t, 17, removed)
}

func object(o *strictjson.Object, name string) *strictjson.Object {
	v, _ := o.Get(name)
	child, _ := v.(*strictjson.Object)
	return child
}

// forms are the ways in which a value could hide in bytes.
func forms(value []byte) [][]byte {
	quoted, err := strictjson.AppendText(nil, string(value))
	out := [][]byte{value, []byte(hex.EncodeToString(value)), []byte(strings.ToUpper(hex.EncodeToString(value)))}
	if err == nil {
		out = append(out, quoted[1:len(quoted)-1])
	}
	var escaped []byte
	for _, c := range value {
		escaped = fmt.Appendf(escaped, `\u%04x`, c)
	}
	out = append(out, escaped)
	for _, e := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		for lead := range 3 { // the value may begin at any of three places of a group
			text := e.EncodeToString(append(make([]byte, lead), value...))
			from := (lead*8 + 5) / 6
			out = append(out, []byte(text[from:len(text)-1]))
		}
	}
	return out
}

func requireAbsent(t *testing.T, where []byte, what string, value []byte) {
	t.Helper()
	for i, form := range forms(value) {
		require.False(t, bytes.Contains(where, form), "%s, form %d", what, i)
	}
}

// received are all bytes that a verifier has: the credential, and its proof value
// decoded.
func received(t *testing.T, shown vc.Secured) []byte {
	t.Helper()
	_, proof := parse(t, shown)
	value, _ := proof.Text("proofValue")
	raw, err := multiformat.Decode(value, len(value))
	require.NoError(t, err)
	return append(slices.Clone(shown.Bytes), raw...)
}

func TestAbuse_SE09_HundredPresentations(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	all := claims(t)
	pointers := slices.Sorted(maps.Keys(all))
	base := d.issue(t, false)
	_, proof := parse(t, base)
	value, _ := proof.Text("proofValue")
	secrets, err := parseBase(value)
	require.NoError(t, err)
	step := vectors.Step(t, "presentations", 9)
	for i := 0; i < 100; i += step {
		reveal := []vc.Pointer{pointers[i%35], pointers[(i*7+11)%35], pointers[(i*13+23)%35]}
		shown := d.derive(t, base, reveal...)
		got := received(t, shown)
		requireAbsent(t, got, "HMAC key", secrets.HMACKey)
		requireAbsent(t, got, "signature", secrets.Signature[:48])
		requireAbsent(t, got, "scalar of the signature", secrets.Signature[48:])
		for _, pointer := range pointers {
			if !slices.Contains(reveal, pointer) {
				requireAbsent(t, got, string(pointer), []byte(all[pointer]))
			}
		}
		require.NoError(t, verify(t, shown.Bytes, d.method, d.contexts))
	}
}

// TestAbuse_LG02_OnlyWhatWasAskedFor looks for values that were not shown in what a
// verifier receives, and for anything a guess could be tried against.
func TestAbuse_LG02_OnlyWhatWasAskedFor(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	all := claims(t)
	pointers := slices.Sorted(maps.Keys(all))
	base := d.issue(t, false)
	for _, n := range []int{1, 3, 10, 34} {
		shown := d.derive(t, base, pointers[:n]...)
		require.NoError(t, verify(t, shown.Bytes, d.method, d.contexts))
		got := received(t, shown)
		for _, hidden := range pointers[n:] {
			requireAbsent(t, got, string(hidden), []byte(all[hidden]))
		}
		for _, open := range pointers[:n] {
			require.Contains(t, string(got), all[open])
		}
	}

	// The status of the DBS check has few values. A million guesses at its
	// statement, under every label that the verifier sees, match no digest.
	shown := d.derive(t, base, "/credentialSubject/dbs/level")
	doc, proof := parse(t, shown)
	value, _ := proof.Text("proofValue")
	parts, err := parseDerived(value)
	require.NoError(t, err)
	said, err := sdprim.Canonicalize(t.Context(), d.contexts.Documents(), doc, sdprim.GivenLabels(parts.labels()))
	require.NoError(t, err)
	seen := map[[sha256.Size]byte]bool{}
	got := received(t, shown)
	for i := range len(got) - sha256.Size {
		seen[[sha256.Size]byte(got[i:i+sha256.Size])] = true
	}
	at := slices.IndexFunc(said.Lines, func(line string) bool { return strings.Contains(line, "#level>") })
	require.GreaterOrEqual(t, at, 0)
	statement := strings.Replace(said.Lines[at], "#level>", "#status>", 1)
	head, _, _ := strings.Cut(statement, `"`)
	guess := []byte(head)
	step := vectors.Step(t, "guesses", 19)
	for i := 0; i < 1_000_000; i += step {
		guess = append(guess[:len(head)], '"')
		if i < 3 {
			guess = append(guess, []string{"nothing recorded", "recorded", "pending"}[i]...)
		} else {
			guess = fmt.Appendf(guess, "status %d", i)
		}
		guess = append(guess, "\" .\n"...)
		if seen[sha256.Sum256(guess)] {
			t.Fatal("a guess matches a digest")
		}
	}
}
