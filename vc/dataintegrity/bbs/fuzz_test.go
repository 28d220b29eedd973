package bbs

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/internal/detcbor"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
)

// FuzzProofValue: what is parsed is written again as the same text.
func FuzzProofValue(f *testing.F) {
	for h, v := range map[detcbor.Header]any{baseHeader(): goodBase(), derivedHeader(): goodDerived()} {
		text, err := detcbor.Encode(h, v)
		require.NoError(f, err)
		f.Add(text)
	}
	f.Add(headlineValue)
	f.Fuzz(func(t *testing.T, value string) {
		if p, err := parseBase(value); err == nil {
			again, err := detcbor.Encode(baseHeader(), p)
			require.NoError(t, err)
			require.Equal(t, value, again)
		}
		if p, err := parseDerived(value); err == nil {
			again, err := detcbor.Encode(derivedHeader(), p)
			require.NoError(t, err)
			require.Equal(t, value, again)
			require.Len(t, p.labels(), len(p.Labels))
		}
	})
}

// FuzzVerify: nothing verifies but what says the same as the headline, and nothing
// that is not a base proof is derived from.
func FuzzVerify(f *testing.F) {
	o, err := strictjson.ParseObject([]byte(headlineShown))
	require.NoError(f, err)
	doc, proof, err := dataintegrity.SplitProof(o)
	require.NoError(f, err)
	proof.Set("proofValue", headlineValue)
	contexts := contextsOf(f, doc)
	_, method := keyPair(f, unhex(f, headlineSecret))
	o.Set("proof", proof)
	text, err := strictjson.Append(nil, o)
	require.NoError(f, err)
	require.NoError(f, verify(f, text, method, contexts))
	f.Add(text)
	f.Add(text[:len(text)/2])
	f.Fuzz(func(t *testing.T, b []byte) {
		if verify(t, b, method, contexts) == nil {
			got, err := strictjson.ParseObject(b)
			require.NoError(t, err)
			doc, _, err := dataintegrity.SplitProof(got)
			require.NoError(t, err)
			known := o.Clone()
			known.Delete("proof")
			require.True(t, strictjson.Equal(known, doc))
		}
		_, err := Derive(t.Context(), vc.Secured{MediaType: vc.MediaTypeCredential, Bytes: b}, []vc.Pointer{""}, contexts, nil)
		require.Error(t, err)
	})
}
