package verify_test

import (
	"encoding/hex"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/multiformat"
	"github.com/staffpassport/staffpassport/testdata"
)

// TestFigures: each signature of the specifications is one over the hashes beside
// it, and over no others.
func TestFigures(t *testing.T) {
	t.Parallel()
	all, err := testdata.Figures()
	require.NoError(t, err)
	suites := map[string]int{}
	for _, f := range all {
		suites[f.Suite]++
		pub, err := did.ParseMultikey(f.Key)
		require.NoError(t, err)
		signature, err := multiformat.Decode(f.Signature, multiformat.MaxKey)
		require.NoError(t, err)
		data, err := hex.DecodeString(f.ProofHash)
		require.NoError(t, err)
		if f.ProofKey != "" { // as it stands in a Multikey (ECDSA Cryptosuites, section 3.5.1)
			key, err := multiformat.Decode(f.ProofKey, multiformat.MaxKey)
			require.NoError(t, err)
			data = append(data, key...)
		}
		document, err := hex.DecodeString(f.DocumentHash)
		require.NoError(t, err)
		data = append(data, document...)
		require.NoError(t, did.VerifySignature(pub, data, signature), f.Suite)
		for _, i := range []int{0, len(data) / 2, len(data) - 1} {
			data[i] ^= 1
			require.ErrorIs(t, did.VerifySignature(pub, data, signature), did.ErrSignature)
			data[i] ^= 1
		}
	}
	require.Len(t, suites, 6)
}
