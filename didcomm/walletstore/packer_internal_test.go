package walletstore

import (
	"context"
	"crypto/ecdh"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didpeer"
	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/runtime"
	"github.com/staffpassport/staffpassport/wallet"
	"github.com/staffpassport/staffpassport/wallet/sqlitestore"
)

type rootKey struct{}

func (rootKey) Unlock(context.Context, []byte) ([]byte, error) { return make([]byte, 32), nil }

// The secrets shared with peers are worth as much as the keys, and go with them.
func TestPacker_SecretsEndWithWallet(t *testing.T) {
	t.Parallel()
	s, err := sqlitestore.Open(filepath.Join(t.TempDir(), "wallet.db"))
	require.NoError(t, err)
	w, err := wallet.Create(t.Context(), s, rootKey{}, wallet.Config{})
	require.NoError(t, err)
	r := did.Mux{"peer": didpeer.Resolver{}}
	p := Packer(w, r).(packer)
	var ids []did.DID
	for range 2 {
		pub, err := w.NewKey(t.Context(), wallet.X25519)
		require.NoError(t, err)
		id, err := didpeer.New2([]didpeer.Key{{For: did.KeyAgreement, Public: pub.(*ecdh.PublicKey)}})
		require.NoError(t, err)
		ids = append(ids, id)
	}
	m, err := didcomm.NewV2("m1", didcomm.Type{Protocol: "empty", Major: 1, Name: "empty"}, "", "", nil)
	require.NoError(t, err)
	m.From, m.To = ids[0], ids[1:]
	text, err := m.Plaintext()
	require.NoError(t, err)
	_, err = p.Pack(t.Context(), text, runtime.Route{Version: didcomm.V2, Mine: ids[0], Theirs: ids[1], Direct: true})
	require.NoError(t, err)
	secrets := func() int { return reflect.ValueOf(p.envelopes.Cache).Elem().FieldByName("secrets").Len() }
	require.Equal(t, 1, secrets())
	require.NoError(t, w.Close())
	require.Zero(t, secrets())
}
