package ecdsasd

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/multiformat"
	"github.com/staffpassport/staffpassport/internal/sdprim"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/internal/vectors"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
	"github.com/staffpassport/staffpassport/vc/dataintegrity/internal/selective"
)

// A published is the example of the specification's section A.7 and on.
type published struct {
	secret given
	signer did.Signer
	method *did.VerificationMethod
}

// read reads a file of the example.
func read(t *testing.T, name string, to any) {
	t.Helper()
	require.NoError(t, json.Unmarshal(vectors.Read(t, "vc-di-ecdsa", "TestVectors", "ecdsa-sd-2023", "prc", name), to))
}

func readText(t *testing.T, name string) []byte {
	t.Helper()
	return vectors.Read(t, "vc-di-ecdsa", "TestVectors", "ecdsa-sd-2023", "prc", name)
}

func readSecured(t *testing.T, name string) (s vc.Secured, doc, proof *strictjson.Object) {
	t.Helper()
	s = vc.Secured{MediaType: vc.MediaTypeCredential, Bytes: readText(t, name)}
	secured, err := strictjson.ParseObject(s.Bytes)
	require.NoError(t, err)
	doc, proof, err = dataintegrity.SplitProof(secured)
	require.NoError(t, err)
	return s, doc, proof
}

func readExample(t *testing.T) published {
	t.Helper()
	type pair struct{ PublicKeyMultibase, SecretKeyMultibase string }
	var keys struct {
		BaseKeyPair, ProofKeyPair pair
		HMACKeyString             string `json:"hmacKeyString"`
	}
	require.NoError(t, json.Unmarshal(vectors.Read(t, "vc-di-ecdsa", "TestVectors", "ecdsa-sd-2023", "SDKeyMaterial.json"), &keys))
	hmacKey, err := hex.DecodeString(keys.HMACKeyString)
	require.NoError(t, err)
	return example(t, keys.BaseKeyPair.SecretKeyMultibase, keys.ProofKeyPair.SecretKeyMultibase, hmacKey)
}

// example puts keys together: the issuer's and those of one proof.
func example(t testing.TB, issuer, proof string, hmacKey []byte) published {
	t.Helper()
	key := secretKey(t, issuer)
	text, err := did.Multikey(&key.PublicKey)
	require.NoError(t, err)
	vm, err := did.ParseURL("did:key:" + text + "#" + text)
	require.NoError(t, err)
	method, err := did.NewVerificationMethod(vm, &key.PublicKey, did.AssertionMethod)
	require.NoError(t, err)
	return published{given{hmacKey, secretKey(t, proof)}, plainSigner{vm, key}, method}
}

func secretKey(t testing.TB, multibase string) *ecdsa.PrivateKey {
	t.Helper()
	b, err := multiformat.Decode(multibase, multiformat.MaxKey)
	require.NoError(t, err)
	require.Len(t, b, 34)
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), b[2:])
	require.NoError(t, err)
	return key
}

// TestPublished compares every intermediate value of the published example.
func TestPublished(t *testing.T) {
	t.Parallel()
	e := readExample(t)
	base, doc, proof := readSecured(t, "addSignedSDBase.json")
	options, err := dataintegrity.ParseProof(proof)
	require.NoError(t, err)
	contexts := contextsOf(t, doc)
	var mandatory []string
	require.NoError(t, json.Unmarshal(vectors.Read(t, "vc-di-ecdsa", "TestVectors", "prCredMandatory.json"), &mandatory))

	t.Run("base proof", func(t *testing.T) {
		t.Parallel()
		var config strictjson.Object
		read(t, "addProofConfig.json", &config)
		want := options.Options(name)
		known, _ := doc.Get("@context")
		want.Set("@context", known)
		require.True(t, strictjson.Equal(&config, want))

		var hashes struct{ ProofHash, MandatoryHash string }
		read(t, "addHashData.json", &hashes)
		optionsHash, err := hashOptions(t.Context(), contexts, proof, doc)
		require.NoError(t, err)
		require.Equal(t, hashes.ProofHash, hex.EncodeToString(optionsHash))
		require.Equal(t, hashes.ProofHash, hex.EncodeToString(sdprim.Hash([]string{string(readText(t, "addProofConfigCanon.txt"))})))

		var pointed []struct {
			Pointer vc.Pointer
			Value   json.RawMessage
		}
		read(t, "addPointerValues.json", &pointed)
		require.Len(t, pointed, len(mandatory))
		for i, p := range pointed {
			require.Equal(t, mandatory[i], string(p.Pointer))
			value, ok := p.Pointer.Lookup(doc)
			require.True(t, ok)
			want, err := strictjson.Parse(p.Value)
			require.NoError(t, err)
			require.True(t, strictjson.Equal(want, value))
		}

		made, err := suite{mandatory, &e.secret}.Prove(t.Context(), doc, options, e.signer, contexts)
		require.NoError(t, err)
		require.True(t, strictjson.Equal(proof, made))

		value, _ := made.Text("proofValue")
		parts, err := parseBase(value)
		require.NoError(t, err)
		for _, file := range []string{"addRawBaseSignatureInfo.json", "derivedRecoveredBaseData.json"} {
			var want struct {
				BaseSignature, PublicKey, ProofPublicKey, HMACKey string
				Signatures                                        []string
				MandatoryPointers                                 []string
			}
			read(t, file, &want)
			require.Equal(t, want.BaseSignature, hex.EncodeToString(parts.Signature))
			require.Equal(t, want.PublicKey+want.ProofPublicKey, multiformat.Encode(parts.PublicKey))
			require.Equal(t, want.Signatures, hexes(parts.Signatures))
			require.Equal(t, []string{"/issuer"}, parts.Mandatory)
			if want.HMACKey != "" {
				require.Equal(t, want.HMACKey, hex.EncodeToString(parts.HMACKey))
				require.Equal(t, want.MandatoryPointers, parts.Mandatory)
			}
		}
		always, err := Mandatory(base)
		require.NoError(t, err)
		require.Equal(t, []vc.Pointer{"/issuer"}, always)
		require.True(t, IsBase(proof))
	})

	t.Run("derived proof", func(t *testing.T) {
		t.Parallel()
		var reveal []vc.Pointer
		require.NoError(t, json.Unmarshal(vectors.Read(t, "vc-di-ecdsa", "TestVectors", "prCredSelective.json"), &reveal))
		shown, err := Derive(t.Context(), base, reveal, contexts)
		require.NoError(t, err)
		got, err := strictjson.ParseObject(shown.Bytes)
		require.NoError(t, err)
		var want strictjson.Object
		read(t, "derivedRevealDocument.json", &want)
		require.True(t, strictjson.Equal(&want, got))

		doc, proof, err := dataintegrity.SplitProof(got)
		require.NoError(t, err)
		var unsigned strictjson.Object
		read(t, "derivedUnsignedReveal.json", &unsigned)
		require.True(t, strictjson.Equal(&unsigned, doc))
		require.False(t, IsBase(proof))

		value, _ := proof.Text("proofValue")
		parts, err := parseDerived(value)
		require.NoError(t, err)
		for _, file := range []string{"derivedDisclosureData.json", "verifyDerivedProofValue.json"} {
			var want struct {
				BaseSignature, PublicKey string
				Signatures               []string
				LabelMap                 json.RawMessage
				MandatoryIndexes         []uint64
			}
			read(t, file, &want)
			require.Equal(t, want.BaseSignature, hex.EncodeToString(parts.Signature))
			require.Equal(t, want.PublicKey, multiformat.Encode(parts.PublicKey))
			require.Equal(t, want.Signatures, hexes(parts.Signatures))
			require.Equal(t, want.MandatoryIndexes, parts.Mandatory)
			require.Equal(t, labelPairs(t, want.LabelMap), map[string]string{"c14n0": parts.labels()[0], "c14n1": parts.labels()[1]})
		}
		var adjusted struct {
			AdjMandatoryIndexes []uint64
			FilteredSignatures  []string
		}
		read(t, "derivedAdjMandatoryIndexes.json", &adjusted)
		read(t, "derivedAdjSignatures.json", &adjusted)
		require.Equal(t, adjusted.AdjMandatoryIndexes, parts.Mandatory)
		require.Equal(t, adjusted.FilteredSignatures, hexes(parts.Signatures))
	})

	t.Run("verification", func(t *testing.T) {
		t.Parallel()
		_, doc, proof := readSecured(t, "derivedRevealDocument.json")
		signed, err := Suite().Verify(t.Context(), doc, proof, e.method, contexts)
		require.NoError(t, err)
		require.Equal(t, doc, signed)

		value, _ := proof.Text("proofValue")
		parts, err := parseDerived(value)
		require.NoError(t, err)
		data, err := verifyData(t.Context(), doc, proof, parts, contexts)
		require.NoError(t, err)
		var want struct {
			ProofHash, MandatoryHash string
			NonMandatory             []string
		}
		read(t, "verifyCreateVerifyData.json", &want)
		require.Equal(t, want.ProofHash, hex.EncodeToString(data.optionsHash))
		require.Equal(t, want.MandatoryHash, hex.EncodeToString(data.mandatoryHash))
		require.Equal(t, want.NonMandatory, data.rest)
		var lines []string
		read(t, "verifyNQuads.json", &lines)
		said, err := sdprim.Canonicalize(t.Context(), contexts.Documents(), doc, sdprim.GivenLabels(parts.labels()))
		require.NoError(t, err)
		require.Equal(t, lines, said.Lines)
	})

	t.Run("one byte changed", func(t *testing.T) {
		t.Parallel()
		s, _, _ := readSecured(t, "derivedRevealDocument.json")
		flips(t, s.Bytes, e.method, contexts)
	})
}

// numbered is a map of lines as the example writes it.
type numbered struct{ Value [][2]any }

// TestPublishedGroups compares all that the example says about the statements, and the
// groups of those that pointers match.
func TestPublishedGroups(t *testing.T) {
	t.Parallel()
	e := readExample(t)
	_, doc, _ := readSecured(t, "addSignedSDBase.json")
	contexts := contextsOf(t, doc)
	type group struct {
		Matching, NonMatching numbered
		DeskolemizedNQuads    []string
	}
	var want struct {
		Groups             struct{ Mandatory, Selective, Combined group }
		Skolemized         struct{ Compact *strictjson.Object }
		DeskolemizedNQuads []string
		LabelMap           json.RawMessage
		NQuads             []string
	}
	read(t, "derivedAllGroupData.json", &want)
	said, err := sdprim.Canonicalize(t.Context(), contexts.Documents(), doc, sdprim.HMACLabels(e.secret.hmacKey))
	require.NoError(t, err)
	require.Equal(t, want.NQuads, said.Lines)
	compact := unnamed(want.Skolemized.Compact)
	same, err := sdprim.Canonicalize(t.Context(), contexts.Documents(), compact, sdprim.HMACLabels(e.secret.hmacKey))
	require.NoError(t, err)
	require.Equal(t, said.Lines, same.Lines)

	// The example's names for blank nodes are random; ours are never written.
	var pairs []string
	for name, label := range labelPairs(t, want.LabelMap) {
		pairs = append(pairs, "_:"+name+" ", "_:"+label+" ")
	}
	relabelled := func(lines []string) []string {
		out := make([]string, len(lines))
		for i, line := range lines {
			out[i] = strings.NewReplacer(pairs...).Replace(line)
		}
		slices.Sort(out)
		return out
	}
	require.Equal(t, said.Lines, relabelled(want.DeskolemizedNQuads))

	var mandatory, reveal []string
	require.NoError(t, json.Unmarshal(vectors.Read(t, "vc-di-ecdsa", "TestVectors", "prCredMandatory.json"), &mandatory))
	require.NoError(t, json.Unmarshal(vectors.Read(t, "vc-di-ecdsa", "TestVectors", "prCredSelective.json"), &reveal))
	for name, c := range map[string]struct {
		group    group
		pointers []string
	}{
		"mandatory": {want.Groups.Mandatory, mandatory},
		"selective": {want.Groups.Selective, reveal},
		"combined":  {want.Groups.Combined, append(slices.Clone(mandatory), reveal...)},
	} {
		x, err := said.Select(c.pointers)
		require.NoError(t, err, name)
		require.Equal(t, c.group.Matching.Value, numberedLines(said.Lines, x.Matching), name)
		require.Equal(t, c.group.NonMatching.Value, numberedLines(said.Lines, sdprim.Without(len(said.Lines), x.Matching)), name)
		require.Equal(t, selective.Pick(said.Lines, x.Matching), relabelled(c.group.DeskolemizedNQuads), name)
	}
}

func numberedLines(lines []string, at []int) [][2]any {
	out := make([][2]any, len(at))
	for i, position := range at {
		out[i] = [2]any{float64(position), lines[position]}
	}
	return out
}

// unnamed returns a document without the names that skolemisation gave its objects.
func unnamed(o *strictjson.Object) *strictjson.Object {
	out := o.Clone()
	for name, value := range o.All() {
		switch value := value.(type) {
		case *strictjson.Object:
			out.Set(name, unnamed(value))
		case string:
			if name == "id" && strings.HasPrefix(value, "urn:bnid:") {
				out.Delete(name)
			}
		}
	}
	return out
}

// TestPublishedEmployment takes the specification's other document, of which only the
// input is published: issued, derived, verified.
func TestPublishedEmployment(t *testing.T) {
	t.Parallel()
	e := readExample(t)
	input := func(name string) []byte { return vectors.Read(t, "vc-di-ecdsa", "TestVectors", name) }
	doc, err := strictjson.ParseObject(input("employmentAuth.json"))
	require.NoError(t, err)
	var mandatory []string
	require.NoError(t, json.Unmarshal(input("employMandatory.json"), &mandatory))
	var reveal []vc.Pointer
	require.NoError(t, json.Unmarshal(input("employSelective.json"), &reveal))
	contexts := contextsOf(t, doc)
	p := &dataintegrity.Proof{VerificationMethod: e.signer.VerificationMethod(), Purpose: did.AssertionMethod}
	s := suite{mandatory, &e.secret}
	proof, err := s.Prove(t.Context(), doc, p, e.signer, contexts)
	require.NoError(t, err)
	again, err := s.Prove(t.Context(), doc, p, e.signer, contexts)
	require.NoError(t, err)
	require.True(t, strictjson.Equal(proof, again))
	secured := doc.Clone()
	secured.Set("proof", proof)
	text, err := strictjson.Append(nil, secured)
	require.NoError(t, err)
	base := vc.Secured{MediaType: vc.MediaTypeCredential, Bytes: text}
	require.ErrorIs(t, verify(t, text, e.method, contexts), dataintegrity.ErrBaseProof)

	shown, err := Derive(t.Context(), base, reveal, contexts)
	require.NoError(t, err)
	require.NoError(t, verify(t, shown.Bytes, e.method, contexts))
	for _, hidden := range []string{"JOHN", "JACOB", "SMITH", "Male", "1999-07-17", "83627465", "C09", "999-999-999", "2015-01-01"} {
		require.Contains(t, string(text), hidden)
		require.NotContains(t, string(shown.Bytes), hidden)
	}
	for _, visible := range []string{"Bahamas", "2019-12-03T00:00:00Z", "2029-12-03T00:00:00Z", "did:key:zDnaegE6RR3atJtHKwTRTWHsJ3kNHqFwv7n9YjTgmU7TyfU76"} {
		require.Contains(t, string(shown.Bytes), visible)
	}
	flips(t, shown.Bytes, e.method, contexts)
}

func hexes(list [][]byte) []string {
	out := make([]string, len(list))
	for i, b := range list {
		out[i] = hex.EncodeToString(b)
	}
	return out
}

// labelPairs reads a map in either of the two ways in which it is published.
func labelPairs(t *testing.T, raw json.RawMessage) map[string]string {
	t.Helper()
	var list [][2]string
	if json.Unmarshal(raw, &list) != nil {
		var m struct{ Value [][2]string }
		require.NoError(t, json.Unmarshal(raw, &m))
		list = m.Value
	}
	out := map[string]string{}
	for _, p := range list {
		out[p[0]] = p[1]
	}
	return out
}
