package naclbox_test

import (
	"crypto/ecdh"
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/nacl/box"

	"github.com/staffpassport/staffpassport/internal/naclbox"
	"github.com/staffpassport/staffpassport/internal/vectors"
)

// Wycheproof: X25519. The shared secret is the one given, and the key of a box that
// which another implementation makes of it; where it is all zeros there is none.
func TestWycheproofX25519(t *testing.T) {
	t.Parallel()
	var file struct {
		NumberOfTests int
		TestGroups    []struct {
			Tests []struct {
				TcID                             int
				Public, Private, Shared, Comment string
			}
		}
	}
	require.NoError(t, json.Unmarshal(vectors.Read(t, "wycheproof", "testvectors_v1", "x25519_test.json"), &file))
	decode := func(s string) []byte {
		b, err := hex.DecodeString(s)
		require.NoError(t, err)
		return b
	}
	good, bad := 0, 0
	for _, group := range file.TestGroups {
		for _, tt := range group.Tests {
			private, err := ecdh.X25519().NewPrivateKey(decode(tt.Private))
			require.NoError(t, err)
			public, err := ecdh.X25519().NewPublicKey(decode(tt.Public))
			require.NoError(t, err)
			key, err := naclbox.Precompute(private, public)
			if strings.Trim(tt.Shared, "0") == "" {
				require.ErrorIs(t, err, naclbox.ErrKey, "%d %s", tt.TcID, tt.Comment)
				require.Nil(t, key)
				bad++
				continue
			}
			require.NoError(t, err, "%d %s", tt.TcID, tt.Comment)
			shared, err := private.ECDH(public)
			require.NoError(t, err)
			require.Equal(t, decode(tt.Shared), shared)
			var want [32]byte
			box.Precompute(&want, (*[32]byte)(decode(tt.Public)), (*[32]byte)(decode(tt.Private)))
			require.Equal(t, &want, key, "%d %s", tt.TcID, tt.Comment)
			good++
		}
	}
	require.Equal(t, file.NumberOfTests, good+bad)
	require.NotZero(t, bad)
}
