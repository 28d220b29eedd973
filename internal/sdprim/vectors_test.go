package sdprim_test

import (
	"encoding/hex"
	"encoding/json"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/internal/jsonld"
	"github.com/staffpassport/staffpassport/internal/sdprim"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/internal/vectors"
)

// An example is a folder of one of the two specifications: the files have the same
// names and shapes in both.
type example struct {
	folder []string
	keys   []string
	labels func(key []byte) sdprim.Labels
}

func examples() map[string]example {
	return map[string]example{
		"ecdsa-sd-2023": {[]string{"vc-di-ecdsa", "TestVectors", "ecdsa-sd-2023", "prc"},
			[]string{"vc-di-ecdsa", "TestVectors", "ecdsa-sd-2023", "SDKeyMaterial.json"}, sdprim.HMACLabels},
		"bbs-2023": {[]string{"vc-di-bbs", "TestVectors"},
			[]string{"vc-di-bbs", "TestVectors", "BBSKeyMaterial.json"}, sdprim.ShuffledLabels},
	}
}

func (e example) read(t *testing.T, file string, to any) {
	t.Helper()
	require.NoError(t, json.Unmarshal(vectors.Read(t, append(slices.Clone(e.folder), file)...), to))
}

func (e example) document(t *testing.T, file string) *strictjson.Object {
	t.Helper()
	doc, err := strictjson.ParseObject(vectors.Read(t, append(slices.Clone(e.folder), file)...))
	require.NoError(t, err)
	doc.Delete("proof")
	return doc
}

// key returns the HMAC key of the example.
func (e example) key(t *testing.T) []byte {
	t.Helper()
	var keys struct {
		HMACKeyString string `json:"hmacKeyString"`
	}
	require.NoError(t, json.Unmarshal(vectors.Read(t, e.keys...), &keys))
	key, err := hex.DecodeString(keys.HMACKeyString)
	require.NoError(t, err)
	return key
}

// A published map is a list of pairs, as JSON has no map with numbers for names.
type pairs struct {
	Value [][2]any `json:"value"`
}

func (p pairs) indexes() []int {
	out := []int{}
	for _, v := range p.Value {
		out = append(out, int(v[0].(float64)))
	}
	return out
}

func (p pairs) lines() []string {
	out := []string{}
	for _, v := range p.Value {
		out = append(out, v[1].(string))
	}
	return out
}

func TestPublished(t *testing.T) {
	t.Parallel()
	for name, e := range examples() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			doc := e.document(t, "addSignedSDBase.json")

			var canonical []string
			e.read(t, "addBaseDocCanon.json", &canonical)
			plain, err := sdprim.Canonicalize(t.Context(), jsonld.Embedded(), doc, numbered)
			require.NoError(t, err)
			require.Equal(t, canonical, plain.Lines)

			var relabelled []string
			e.read(t, "addBaseDocHMACCanon.json", &relabelled)
			said, err := sdprim.Canonicalize(t.Context(), jsonld.Embedded(), doc, e.labels(e.key(t)))
			require.NoError(t, err)
			require.Equal(t, relabelled, said.Lines)

			var base struct {
				MandatoryPointers       []string
				Mandatory, NonMandatory pairs
			}
			e.read(t, "addBaseTransform.json", &base)
			mandatory, err := said.Select(base.MandatoryPointers)
			require.NoError(t, err)
			rest := sdprim.Without(len(said.Lines), mandatory.Matching)
			require.Equal(t, base.Mandatory.indexes(), mandatory.Matching)
			require.Equal(t, base.Mandatory.lines(), pick(said.Lines, mandatory.Matching))
			require.Equal(t, base.NonMandatory.indexes(), rest)
			require.Equal(t, base.NonMandatory.lines(), pick(said.Lines, rest))

			var hashes struct{ MandatoryHash, ProofHash string }
			e.read(t, "addHashData.json", &hashes)
			require.Equal(t, hashes.MandatoryHash, hex.EncodeToString(sdprim.Hash(pick(said.Lines, mandatory.Matching))))
			config := e.document(t, "addProofConfig.json")
			hash, err := sdprim.HashOptions(t.Context(), jsonld.Embedded(), config, doc)
			require.NoError(t, err)
			require.Equal(t, hashes.ProofHash, hex.EncodeToString(hash))
			options := config.Clone()
			options.Delete("@context")
			hash, err = sdprim.HashOptions(t.Context(), jsonld.Embedded(), options, doc)
			require.NoError(t, err)
			require.Equal(t, hashes.ProofHash, hex.EncodeToString(hash))

			e.derives(t, said, base.MandatoryPointers)
		})
	}
}

// derives compares what the holder's part gives.
func (e example) derives(t *testing.T, said *sdprim.Statements, mandatoryPointers []string) {
	t.Helper()
	file := "prCredSelective.json"
	folder := []string{"vc-di-ecdsa", "TestVectors"}
	if e.folder[0] == "vc-di-bbs" {
		folder, file = e.folder, "windSelective.json"
	}
	var pointers []string
	require.NoError(t, json.Unmarshal(vectors.Read(t, append(slices.Clone(folder), file)...), &pointers))

	mandatory, err := said.Select(mandatoryPointers)
	require.NoError(t, err)
	selective, err := said.Select(pointers)
	require.NoError(t, err)
	combined, err := said.Select(append(slices.Clone(mandatoryPointers), pointers...))
	require.NoError(t, err)

	var groups struct{ CombinedIndexes, MandatoryIndexes, NonMandatoryIndexes, SelectiveIndexes []int }
	e.read(t, "derivedGroupIndexes.json", &groups)
	require.Equal(t, groups.MandatoryIndexes, mandatory.Matching)
	require.Equal(t, groups.SelectiveIndexes, selective.Matching)
	require.Equal(t, groups.CombinedIndexes, combined.Matching)
	rest := sdprim.Without(len(said.Lines), mandatory.Matching)
	require.Equal(t, groups.NonMandatoryIndexes, rest)

	var data struct {
		MandatoryIndexes, AdjSelectiveIndexes []int
		LabelMap                              pairs
	}
	e.read(t, "derivedDisclosureData.json", &data)
	require.Equal(t, data.MandatoryIndexes, sdprim.Relative(combined.Matching, mandatory.Matching))
	if data.AdjSelectiveIndexes != nil {
		require.Equal(t, data.AdjSelectiveIndexes, sdprim.Relative(rest, selective.Matching))
	}
	labels, err := combined.VerifierLabels(t.Context())
	require.NoError(t, err)
	require.Len(t, labels, len(data.LabelMap.Value))
	for i, label := range labels {
		id, err := numbered(len(labels))
		require.NoError(t, err)
		require.Contains(t, data.LabelMap.Value, [2]any{id[i], label})
	}

	reveal := e.document(t, "derivedUnsignedReveal.json")
	require.True(t, strictjson.Equal(reveal, combined.Document))

	// The verifier comes to the same statements.
	seen, err := sdprim.Canonicalize(t.Context(), jsonld.Embedded(), reveal, sdprim.GivenLabels(labels))
	require.NoError(t, err)
	require.Equal(t, pick(said.Lines, combined.Matching), seen.Lines)
}

// numbered gives canonical identifiers as labels.
func numbered(n int) ([]string, error) {
	out := make([]string, n)
	for i := range out {
		out[i] = "c14n" + string(rune('0'+i))
	}
	return out, nil
}

func pick(lines []string, at []int) []string {
	out := []string{}
	for _, i := range at {
		out = append(out, lines[i])
	}
	return out
}
