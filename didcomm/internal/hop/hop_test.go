package hop

import (
	"bytes"
	"crypto/ed25519"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didpeer"
	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/internal/multiformat"
)

func key(seed byte) ed25519.PublicKey {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, ed25519.SeedSize)).Public().(ed25519.PublicKey)
}

func TestParse_OneNameForEverySpelling(t *testing.T) {
	t.Parallel()
	want, err := OfKey(key(1))
	require.NoError(t, err)
	specific := strings.TrimPrefix(string(want), "did:key:")
	for name, text := range map[string]string{
		"did:key":               string(want),
		"did:key with fragment": string(want) + "#" + specific,
		"base58":                multiformat.Base58(key(1)),
	} {
		got, err := Parse(didcomm.V1, text)
		require.NoError(t, err, name)
		require.True(t, got == want, name)
	}
	got, err := Of(didcomm.Recipient{Key: key(1)})
	require.NoError(t, err)
	require.True(t, got == want)

	long, err := didpeer.NewDIDComm(key(2), "https://agent.example/", nil)
	require.NoError(t, err)
	for _, text := range []string{long.String(), didpeer.Short(long).String(), long.String() + "#key-1"} {
		got, err := Parse(didcomm.V2, text)
		require.NoError(t, err)
		require.Equal(t, didpeer.Short(long).String(), string(got))
	}
	got, err = Of(didcomm.Recipient{DID: long})
	require.NoError(t, err)
	require.Equal(t, didpeer.Short(long).String(), string(got))
}

func TestParse_Refused(t *testing.T) {
	t.Parallel()
	name, err := OfKey(key(1))
	require.NoError(t, err)
	p256 := "did:key:zDnaerDaTF5BXEavCrfRZEk316dpbLsfPDZ3WJ5hRTPFU2169"
	for what, text := range map[string]string{
		"empty":             "",
		"no base58":         "0OIl",
		"short base58":      multiformat.Base58(key(1)[:31]),
		"long base58":       multiformat.Base58(append(bytes.Clone(key(1)), 1)),
		"very long":         strings.Repeat("1", 1<<20),
		"not on the curve":  multiformat.Base58(append([]byte{2}, make([]byte, 31)...)),
		"small order":       multiformat.Base58(append([]byte{1}, make([]byte, 31)...)),
		"another DID":       "did:example:alder",
		"key of P-256":      p256,
		"another fragment":  string(name) + "#z6Mk",
		"with a path":       string(name) + "/path",
		"with a query":      string(name) + "?versionId=1",
		"two keys":          string(name) + " " + string(name),
		"base64 of the key": "A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=",
	} {
		_, err := Parse(didcomm.V1, text)
		require.ErrorIs(t, err, didcomm.ErrMalformed, what)
	}
	for what, text := range map[string]string{
		"empty":       "",
		"no DID":      "https://agent.example/",
		"base58 key":  multiformat.Base58(key(1)),
		"with a path": "did:example:alder/path",
		"very long":   "did:example:" + strings.Repeat("a", 1<<20),
	} {
		_, err := Parse(didcomm.V2, text)
		require.ErrorIs(t, err, didcomm.ErrMalformed, what)
	}
	for what, r := range map[string]didcomm.Recipient{
		"nobody":    {},
		"no key":    {Key: ed25519.PublicKey{1, 2}},
		"small key": {Key: append([]byte{1}, make([]byte, 31)...)},
	} {
		_, err := Of(r)
		require.ErrorIs(t, err, didcomm.ErrPermanent, what)
	}
}

func TestName_PrintsNothing(t *testing.T) {
	t.Parallel()
	for _, verb := range []string{"%v", "%s", "%q", "%x", "%#v"} {
		require.NotContains(t, fmt.Sprintf(verb, Name("did:example:alder")), "alder")
	}
}

func FuzzParse(f *testing.F) {
	name, _ := OfKey(key(1))
	f.Add(string(name))
	f.Add(multiformat.Base58(key(1)))
	f.Add("did:peer:4zQm:z2")
	f.Fuzz(func(t *testing.T, text string) {
		for _, v := range []didcomm.Version{didcomm.V1, didcomm.V2} {
			n, err := Parse(v, text)
			if err != nil {
				require.ErrorIs(t, err, didcomm.ErrMalformed)
				continue
			}
			again, err := Parse(v, string(n))
			require.NoError(t, err)
			require.True(t, again == n)
			_, err = did.Parse(string(n))
			require.NoError(t, err)
		}
	})
}
